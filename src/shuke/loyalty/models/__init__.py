"""Tables of the loyalty room, a file per kind of thing. Each is imported here, so that Django finds it."""

from shuke.loyalty.models.benefits import BenefitUse
from shuke.loyalty.models.books import (
    Account,
    Entry,
    Hold,
    Lot,
    ManualTier,
    PublishedCharter,
    RequestOwner,
    Seal,
    TierChange,
    Txn,
    Use,
    Wallet,
)
from shuke.loyalty.models.budgets import Budget, Grant
from shuke.loyalty.models.checkouts import Checkout, CheckoutReturn
from shuke.loyalty.models.closings import ClosedMonth, FinancePolicy
from shuke.loyalty.models.coupons import (
    CodeTry,
    Coupon,
    CouponBatch,
    CouponMove,
    CouponState,
    CouponTally,
    CouponTemplate,
    SharedCode,
)
from shuke.loyalty.models.drafts import CharterDraft
from shuke.loyalty.models.draws import Draw, DrawTicket
from shuke.loyalty.models.gifts import Gift, GiftMove, GiftOrder, GiftPicture
from shuke.loyalty.models.referral import Referral, ReferralBudget, ReferralCode, ReferralReward
from shuke.loyalty.models.sharing import Correction, Family, Relative
from shuke.loyalty.models.stored import (
    GiftCard,
    GiftCardBatch,
    StoredCorrection,
    StoredHold,
    StoredLeg,
    StoredLot,
    StoredPurse,
    StoredSeal,
    StoredTxn,
    StoredUse,
)

__all__ = [
    "Account",
    "BenefitUse",
    "Budget",
    "CharterDraft",
    "Checkout",
    "CheckoutReturn",
    "ClosedMonth",
    "CodeTry",
    "Correction",
    "Coupon",
    "CouponBatch",
    "CouponMove",
    "CouponState",
    "CouponTally",
    "CouponTemplate",
    "Draw",
    "DrawTicket",
    "Entry",
    "Family",
    "FinancePolicy",
    "Gift",
    "GiftCard",
    "GiftCardBatch",
    "GiftMove",
    "GiftOrder",
    "GiftPicture",
    "Grant",
    "Hold",
    "Lot",
    "ManualTier",
    "PublishedCharter",
    "Referral",
    "ReferralBudget",
    "ReferralCode",
    "ReferralReward",
    "Relative",
    "RequestOwner",
    "Seal",
    "SharedCode",
    "StoredCorrection",
    "StoredHold",
    "StoredLeg",
    "StoredLot",
    "StoredPurse",
    "StoredSeal",
    "StoredTxn",
    "StoredUse",
    "TierChange",
    "Txn",
    "Use",
    "Wallet",
]
