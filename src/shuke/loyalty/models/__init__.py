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

__all__ = [
    "Account",
    "BenefitUse",
    "Budget",
    "CharterDraft",
    "Checkout",
    "CheckoutReturn",
    "ClosedMonth",
    "CodeTry",
    "Coupon",
    "CouponBatch",
    "CouponMove",
    "CouponState",
    "CouponTally",
    "CouponTemplate",
    "Draw",
    "DrawTicket",
    "Entry",
    "FinancePolicy",
    "Gift",
    "GiftMove",
    "GiftOrder",
    "GiftPicture",
    "Grant",
    "Hold",
    "Lot",
    "ManualTier",
    "PublishedCharter",
    "RequestOwner",
    "Seal",
    "SharedCode",
    "TierChange",
    "Txn",
    "Use",
    "Wallet",
]
