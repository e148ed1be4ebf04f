"""Friends brought by members. `{% load referral %}  {% member_referral who %}  {{ row.bound_at|on_day:merchant }}`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from shuke.loyalty.queries import referral as stored
from shuke.loyalty.queries import referral_worth as worth
from shuke.members.models import Member
from shuke.shops.models import Merchant

register = template.Library()


@register.filter
def on_day(at: datetime | None, merchant: Merchant) -> str:
    """The shop's day of an instant; "" where there is none."""
    return "" if at is None else f"{at.astimezone(merchant.tz):%Y-%m-%d}"


@register.inclusion_tag("console/parts/member_referral.html", takes_context=True)
def member_referral(context: template.Context, who: Member) -> dict[str, Any]:
    """Nothing where the charter gives nothing for it and nobody was ever brought."""
    merchant, now = context["request"].merchant, context["request"].now
    told = worth.friendship(merchant, who.pk)
    if told.bond is None and not told.brought and stored.part_in_force(merchant, now) is None:
        return {"who": None}
    return {"who": who, **told._asdict()}


@register.filter
def order_named(key: str) -> str:
    """An order as the shop knows it: store and number of `order:pos:XH:1001`."""
    parts = key.split(":", 3)
    return " · ".join(parts[2:]) if len(parts) == 4 else key
