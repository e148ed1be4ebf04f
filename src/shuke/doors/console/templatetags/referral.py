"""Friends brought by members. `{% load referral %}  {% member_referral who %}  {{ row.bound_at|on_day:merchant }}`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from shuke.loyalty.queries import referral as stored
from shuke.loyalty.queries import referral_worth as worth
from shuke.members.models import Member
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

register = template.Library()


@register.filter
def on_day(at: datetime | None, merchant: Merchant) -> str:
    """The shop's day of an instant; "" where there is none."""
    return "" if at is None else f"{at.astimezone(merchant.tz):%Y-%m-%d}"


@register.inclusion_tag("console/parts/member_referral.html")
def member_referral(who: Member) -> dict[str, Any]:
    """Nothing where the charter gives nothing for it and nobody was ever brought."""
    bond = stored.bond_of(who.merchant, who.pk)
    friends = worth.friends_of(who.merchant, who.pk)
    if bond is None and not friends and stored.part_in_force(who.merchant, shop_now(who.merchant)) is None:
        return {"who": None}
    return {
        "who": who,
        "bond": bond,
        "brought": len(friends),
        "rewarded": sum(row.state == "rewarded" for row in friends),
        "gifts": len(worth.gifts_waiting(who.merchant, who.pk)),
    }
