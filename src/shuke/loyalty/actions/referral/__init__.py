"""All writes about members who bring friends. Locks are taken in this order: wallets, bonds, the budget, coupons' tallies."""

from shuke.loyalty.actions.referral.binding import bind, code_for, count_visit, renew_code, touch
from shuke.loyalty.actions.referral.deciding import decide, hand_gift
from shuke.loyalty.actions.referral.refusals import REFUSALS, ReferralRefused
from shuke.loyalty.actions.referral.rewarding import Rewarded, settle_referrals

__all__ = [
    "REFUSALS",
    "ReferralRefused",
    "Rewarded",
    "bind",
    "code_for",
    "count_visit",
    "decide",
    "hand_gift",
    "renew_code",
    "settle_referrals",
    "touch",
]
