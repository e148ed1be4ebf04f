"""What the counter shows of one member: everything that can be handed over now, one button each."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shuke.doors.counter import till_form
from shuke.doors.counter.access import CounterRequest
from shuke.engine import tenders
from shuke.engine.calendar.birthdays import celebrated
from shuke.engine.charter.stored import ladder
from shuke.kit import clock, money
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import may_take_back
from shuke.loyalty.models import Draw
from shuke.loyalty.queries import activities, benefits, coupons, draws, gifts, stored
from shuke.members.models import Member
from shuke.service.queries import complaints_of
from shuke.shops import queries as shops

SOON = 14  # days before a birthday that are worth a word
GIFTS, COUPONS = 12, 8


def panel(request: CounterRequest, who: Member, **told: Any) -> dict[str, Any]:
    """Context of the panel. `told`: what has just been done or refused."""
    merchant, now = request.merchant, request.now
    held = loyalty.balance(merchant, who.pk, now)
    context: dict[str, Any] = {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "merchant": merchant,
        "held": held,
        "worth": money.show(held.worth_minor, merchant.currency),
        "soon": held.next_expiry[0] if held.next_expiry else None,
        "birthday": _birthday(who, now.astimezone(merchant.tz).date()),
        "may_act": shops.may(request.staff, "record"),
        # One name per button and drawing of it: a finger that taps twice asks for the same thing twice.
        "token": secrets.token_hex(8),
        "complaints": [one for one in complaints_of(merchant, who.pk) if one.settled_at is None],
        "stores": till_form.street_stores(request),
        "store": till_form.store_of(request, request.POST.get("store", "")),
        "paid_by": request.session.get("till-paid-by", "cash"),
        "paying": [(code, tenders.name(code, get_language() or "zh")) for code in till_form.WAYS],
        **told,
    }
    try:
        seen = benefits.known(merchant, who.pk, now)
    except loyalty.NoCharter:
        return {**context, "no_charter": True}
    why = loyalty.why_tier(merchant, who.pk, now)
    terms = stored.terms_of(merchant, now)
    store = request.staff.store.code if request.staff.store else ""
    rights = benefits.rights(seen.terms, seen.who, now, store)
    undo = now - timedelta(minutes=seen.terms.charter.rights.undo_minutes)
    return {
        **context,
        "tier": why.tier,
        "missing": _missing(why.missing, merchant.currency),
        "next_tier": why.next_name,
        "ready": [r for r in rights if not r.code],
        "later": [r for r in rights if r.code not in ("", "not_this_tier")],
        "closes": benefits.progress_of(merchant, who.pk, seen, now),
        "doings": benefits.doings_of(seen, now),
        "did_today": _did_today(request, who),
        "recent": benefits.log(merchant, benefits.Filter(member_id=who.pk, state="done", since=undo))[:5],
        "gifts": gifts.offers(merchant, who.pk, why.tier, now)[:GIFTS],
        "orders": gifts.orders(merchant, state="held", member_id=who.pk)[:10],
        "prizes": [
            {"ticket": t, "name": draws.prize(t.draw, t.won).get("name", {}), "draw": t.draw.terms["name"]}
            for t in draws.prizes_waiting(merchant, who.pk)[:10]
        ],
        "things": benefits.things_waiting(merchant, who.pk)[:10],
        "draws": _draws(request, who),
        "stored": stored.balance(merchant, who.pk, now) if stored.is_shown(merchant, now) else None,
        "ladder": ladder(terms, merchant.currency),
        "ways": [(code, tenders.name(code, get_language() or "zh")) for code in tenders.TAKEN] if terms else [],
        "coupons": [
            {"terms": coupons.terms_of(c.template), "until": c.valid_until - timedelta(seconds=1) if c.valid_until else None}
            for c in coupons.held_by_member(merchant, who.pk, now)[:COUPONS]
        ],
    }  # fmt: skip


def _did_today(request: CounterRequest, who: Member) -> list[activities.Doing]:
    """What was noted today and this person may take back: a tap for the wrong member is seen late."""
    since = clock.day_start(clock.day_of(request.now, request.merchant.tz), request.merchant.tz)
    late = shops.may(request.staff, "adjust")
    return [
        one
        for one in activities.of_member(request.merchant, who.pk, since=since)
        if may_take_back(request.merchant, one, now=request.now, actor=request.staff.username, late=late)
    ]


def _draws(request: CounterRequest, who: Member) -> list[dict[str, Any]]:
    found = []
    for one in draws.draws(request.merchant):
        if one.state == Draw.State.COMMITTED and draws.is_open(one, request.now):
            chances = draws.chances(request.merchant, one, who.pk, request.now)
            ways = []
            if chances.orders:
                ways.append(("order", _("for an order (%(n)s)") % {"n": len(chances.orders)}))
            if chances.activities:
                ways.append(("activity", _("for taking part (%(n)s)") % {"n": len(chances.activities)}))
            if chances.affordable:
                ways.append(("points", _("for %(n)s points") % {"n": f"{chances.price:,}"}))
            if "given" in one.terms["ways"] and shops.may(request.staff, "adjust"):
                ways.append(("given", _("a present of the shop")))
            found.append({"draw": one, "name": one.terms["name"], "ways": ways if chances.left != 0 else []})
    return found


def _birthday(who: Member, today: date) -> str:
    if not (who.birth_month and who.birth_day):
        return ""
    for year in (today.year, today.year + 1):
        born = celebrated(who.birth_month, who.birth_day, who.birth_lunar, year)
        if born is not None and born >= today:
            days = (born - today).days
            if days == 0:
                return _("Birthday today")
            return ngettext("Birthday tomorrow", "Birthday in %(n)s days", days) % {"n": days} if days <= SOON else ""
    return ""


def _missing(tree: Mapping[str, Any], currency: str) -> str:
    """The nearest way to the next tier, in a few words."""
    leaves = [leaf for leaf in _leaves(tree) if not leaf["met"] and leaf["measure"] != "invited" and leaf["at_least"]]
    if not leaves:
        return ""
    near = max(leaves, key=lambda leaf: leaf["figure"] / leaf["at_least"])
    if near["measure"] == "amount":
        return money.show(near["missing"], currency)
    if near["measure"] == "single_order":
        return _("one order of %(money)s") % {"money": money.show(near["at_least"], currency)}
    if near["measure"] == "orders":
        return ngettext("%(n)s order", "%(n)s orders", near["missing"]) % {"n": near["missing"]}
    return f"{near['missing']:,}"


def _leaves(tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for kind in ("all", "any"):
        if kind in tree:
            return [leaf for part in tree[kind] for leaf in _leaves(part)]
    return [tree] if "measure" in tree else []
