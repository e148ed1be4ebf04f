"""Benefits, plans, gifts and draws in words. `{% load rewards %}`

{{ right.name|local }}  {{ right|left_of }}  {{ right|why_not }}  {{ close|so_far:merchant.currency }}  {{ close|to_go:merchant.currency }}
{% member_benefits who %}: the card of a member's page, with what they may have, are close to and had lately
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shuke.engine.benefits import Close, Right
from shuke.kit import money
from shuke.loyalty.actions.benefits import why_refused
from shuke.loyalty.models import BenefitUse, Gift
from shuke.loyalty.queries import benefits
from shuke.loyalty.queries.activities import name_of
from shuke.loyalty.queries.charters import NoCharter
from shuke.members.models import Member, MemberState
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

register = template.Library()
LATELY = 5


def chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


@register.filter
def local(named: Any) -> str:
    """A name of the charter, of a gift, or as it was kept, in the reader's language."""
    if not named:
        return ""
    if isinstance(named, Gift):
        return named.name_zh if chinese() else named.name_en
    if isinstance(named, Mapping):
        return str(named.get("zh" if chinese() else "en", ""))
    return str(getattr(named, "zh" if chinese() else "en"))


@register.filter
def shop_day(at: datetime | None, merchant: Merchant) -> str:
    """The shop's day of an instant; "" where there is none."""
    return "" if at is None else f"{at.astimezone(merchant.tz):%Y-%m-%d}"


@register.filter
def last_day(end: datetime | None, merchant: Merchant) -> str:
    """The last day before an exclusive end."""
    return "" if end is None else f"{(end - timedelta(seconds=1)).astimezone(merchant.tz):%Y-%m-%d}"


@register.filter
def shop_minute(at: datetime | None, merchant: Merchant) -> str:
    return "" if at is None else f"{at.astimezone(merchant.tz):%Y-%m-%d %H:%M}"


@register.filter
def about(gift: Gift) -> str:
    return gift.about_zh if chinese() else gift.about_en


@register.filter
def left_of(right: Right) -> str:
    """How much is left in which period."""
    if right.code == "automatic":
        return _("applies by itself")
    if right.allowed is None:
        return _("without limit")
    told = {
        "day": _("%(left)s of %(all)s left today"),
        "week": _("%(left)s of %(all)s left this week"),
        "month": _("%(left)s of %(all)s left this month"),
        "quarter": _("%(left)s of %(all)s left this quarter"),
        "year": _("%(left)s of %(all)s left this year"),
        "member_year": _("%(left)s of %(all)s left this membership year"),
        "tier": _("%(left)s of %(all)s left in this tier"),
        "lifetime": _("%(left)s of %(all)s left in all"),
    }[right.benefit.per]
    return told % {"left": right.left, "all": right.allowed}


@register.filter
def why_not(right: Right) -> str:
    """Why it cannot be handed out now; "" = it can."""
    if right.code == "not_now":
        return _("from %(day)s") % {"day": right.next_on} if right.next_on else _("not now")
    return {
        "": "",
        "automatic": _("applies by itself"),
        "frozen": _("the member is frozen"),
        "not_this_tier": _("not for this tier"),
        "no_birthday": _("birthday unknown"),
        "no_special_day": _("no such day on file"),
        "not_here": _("in other stores"),
        "over": _("over"),
        "used_up": _("used up"),
    }[right.code]


def _figure(value: int, unit: str, currency: str) -> str:
    if unit == "minor":
        return money.show(value, currency)
    count = value / 1000 if unit == "pieces_milli" else value
    number, whole = f"{count:g}", int(count) if count == int(count) else 2
    if unit == "pieces_milli":
        return ngettext("%(n)s piece", "%(n)s pieces", whole) % {"n": number}
    if unit == "orders":
        return ngettext("%(n)s order", "%(n)s orders", whole) % {"n": number}
    return ngettext("%(n)s day", "%(n)s days", whole) % {"n": number}


@register.filter
def so_far(close: Close, currency: str) -> str:
    """¥80.00 / ¥300.00."""
    return f"{_figure(close.have, close.unit, currency)} / {_figure(close.need, close.unit, currency)}"


@register.filter
def to_go(close: Close, currency: str) -> str:
    """What is missing to what."""
    if close.next_name is None:
        return _("Everything is reached.")
    told = _("%(missing)s more: %(gets)s") if close.kind != "offer" else _("From %(missing)s: %(gets)s")
    return told % {"missing": _figure(close.missing, close.unit, currency), "gets": local(close.next_name)}


@register.filter
def gift_why_not(code: str) -> str:
    return {
        "": "",
        "inactive": _("not offered any more"),
        "not_begun": _("not offered yet"),
        "over": _("over"),
        "not_this_tier": _("not for this tier"),
        "limit": _("limit reached"),
        "out_of_stock": _("out of stock"),
        "not_enough": _("not enough points"),
        "frozen": _("the member is frozen"),
    }.get(code, code)


@register.filter
def use_state(row: BenefitUse) -> str:
    return {"done": _("handed out"), "undone": _("taken back"), "refused": _("refused")}[row.state]


@register.filter
def order_state(state: str) -> str:
    return {
        "held": _("set aside"),
        "done": _("handed over"),
        "cancelled": _("cancelled"),
        "timed_out": _("not picked up"),
        "returned": _("came back"),
        "refused": _("refused"),
    }[state]


@register.filter
def draw_state(state: str) -> str:
    return {"draft": _("draft"), "committed": _("promised"), "stopped": _("stopped"), "revealed": _("revealed")}[state]


@register.filter
def activity(key: str, merchant: Merchant) -> str:
    """What the charter calls an activity; its key where the charter in force has it no more."""
    return local(name_of(merchant, key, shops.now(merchant))) or key


@register.inclusion_tag("console/parts/member_benefits.html", takes_context=True)
def member_benefits(context: template.Context, who: Member) -> dict[str, Any]:
    """The card of benefits on a member's page; nothing where there is no charter, or nobody any more."""
    request = context["request"]
    merchant, now = request.merchant, request.now
    if who.state != MemberState.ACTIVE:
        return {"who": None}
    try:
        seen = benefits.known(merchant, who.pk, now)
    except NoCharter:
        return {"who": None}
    return {
        "who": who,
        "merchant": merchant,
        "rights": [r for r in benefits.rights(seen.terms, seen.who, now) if r.code != "not_this_tier"],
        "closes": benefits.progress_of(merchant, who.pk, seen, now),
        "lately": list(benefits.log(merchant, benefits.Filter(member_id=who.pk, state="done"))[:LATELY]),
        "cost": sum(benefits.costs_of(merchant, [who.pk]).values()),
    }


@register.filter
def refused_why(row: BenefitUse) -> str:
    """What was said at the counter."""
    return why_refused(row, "zh" if chinese() else "en")
