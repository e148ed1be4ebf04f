"""What people of the shop gave by hand, and cards at the tills: for owners and auditors. Every number opens to what is behind it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from shuke.doors.console import finance_pages, person
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.templatetags.console import by_whom
from shuke.doors.console.views.moving import WHAT as MOVED
from shuke.doors.console.views.people import READERS
from shuke.doors.console.views.stored import way
from shuke.kit import money
from shuke.kit.clock import day_of
from shuke.loyalty.queries import by_hand as found_by_hand
from shuke.shops import queries as shops

SPAN = timedelta(days=29)
LINES = 200
WHAT = {
    "given": gettext_lazy("points given"),
    "taken": gettext_lazy("points taken"),
    "reinstated": gettext_lazy("lapsed points brought back"),
    "growth": gettext_lazy("growth value"),
    "money": gettext_lazy("stored value corrected"),
    "top_up": gettext_lazy("money taken in for stored value and gift cards"),
    "tiers": gettext_lazy("tiers"),
    "coupons": gettext_lazy("coupons"),
    "never": gettext_lazy("for members who had never bought"),
    "quiet": gettext_lazy("for members quiet for half a year"),
    "busiest": gettext_lazy("cards on the busiest day"),
    "again": gettext_lazy("one card three times or more in a day"),
}
KINDS = MOVED | {
    "money": gettext_lazy("stored value"),
    "tier": gettext_lazy("tier"),
    "coupon": gettext_lazy("coupons"),
    "top_up": gettext_lazy("top-up"),
}


@console(*READERS)
@require_GET
def by_hand(request: StaffRequest) -> HttpResponse:
    """Who gave how much by hand, to whom; which cards were shown again and again."""
    merchant = request.merchant
    today = day_of(request.now, merchant.tz)
    last = finance_pages.day_of(request.GET.get("to", ""), today, latest=today)
    first = min(finance_pages.day_of(request.GET.get("from", ""), last - SPAN, latest=last), last)
    who, what = request.GET.get("who", "")[:60], request.GET.get("what", "")
    what = what if what in WHAT else ""
    found = found_by_hand.report(merchant, first, last)
    names = {one.username: str(one) for one in shops.staff(merchant)}
    span = {"from": first.isoformat(), "to": last.isoformat()}

    def name(one: str) -> str:
        return names.get(one) or by_whom(one)

    def link(person: str, chosen: str) -> str:
        return f"?{urlencode(span | {'who': person, 'what': chosen})}#lines"

    def cell(person: str, chosen: str, amount: int, shown: str = "") -> dict[str, str]:
        return {
            "label": str(WHAT.get(chosen, _("changes"))),
            "shown": (shown or f"{amount:,}") if amount else "",
            "url": link(person, chosen),
        }

    currency = merchant.currency
    cells = [
        [
            cell(one.person, "", one.count),
            cell(one.person, "never", one.never),
            cell(one.person, "quiet", one.quiet),
            *(
                cell(one.person, key, asdict(one)[key])
                for key in ("given", "taken", "reinstated", "growth", "tiers", "coupons")
            ),
            cell(one.person, "money", one.money_minor, money.show(one.money_minor, currency)),
            cell(one.person, "top_up", one.top_up_minor, money.show(one.top_up_minor, currency)),
        ]
        for one in found.people
    ]
    told = [n for n in range(len(cells[0]) if cells else 0) if any(row[n]["shown"] for row in cells)]
    people = [(name(one.person), [row[n] for n in told]) for one, row in zip(found.people, cells, strict=True)]
    tills = [
        {
            "name": name(one.person),
            "busiest": one.busiest.isoformat(),
            "usual": f"{one.usual:g}",
            "cards": cell(one.person, "busiest", one.cards),
            "again": cell(one.person, "again", one.again),
        }
        for one in found.tills
    ]
    context: dict[str, Any] = {
        "people": people,
        "heads": [cells[0][n]["label"] for n in told],  # what nobody did needs no column
        "tills": tills,
        "span": span,
        "today": today.isoformat(),
        "chosen": bool(who or what),
        "title": " · ".join(filter(None, (name(who) if who else "", str(WHAT[what]) if what else ""))),
        **_lines(request, found, who, what, name),
    }
    return render(request, "console/by_hand.html", context)


def _lines(request: StaffRequest, found: found_by_hand.Report, who: str, what: str, name: Any) -> dict[str, Any]:
    """What is behind one number."""
    if not (who or what):
        return {"lines": [], "more": 0}
    says, currency = person.Says(request), request.merchant.currency
    if what in found_by_hand.AT_TILLS:
        baskets = found_by_hand.chosen_baskets(found, who, what)
        lines = [
            {
                "at": says.minute(one.at),
                "name": name(one.person),
                "member": found.members.get(one.member_id),
                "what": _("purchase of %(money)s") % {"money": money.show(one.due_minor, currency)},
                "amount": _("%(points)s points used") % {"points": f"{one.points:,}"} if one.points else "",
                "told": _("with this card %(times)s times that day") % {"times": one.again} if one.again > 1 else "",
            }
            for one in baskets[:LINES]
        ]
        return {"lines": lines, "more": max(0, len(baskets) - LINES)}
    deeds = found_by_hand.chosen_deeds(found, who, what)
    lines = [
        {
            "at": says.minute(one.at),
            "name": name(one.person),
            "member": found.members.get(one.member_id or 0),
            "what": str(KINDS[one.kind]),
            "amount": _amount(one, currency),
            "told": way(one.told) if one.kind == "top_up" else one.told,
            "together": not one.alone,
            "never": one.never,
            "quiet": one.quiet,
        }
        for one in deeds[:LINES]
    ]
    return {"lines": lines, "more": max(0, len(deeds) - LINES)}


def _amount(one: found_by_hand.Deed, currency: str) -> str:
    if one.kind == "tier":
        return ""
    if one.kind in ("money", "top_up"):
        return money.show(one.amount, currency)
    return f"{one.amount:,}" if one.kind == "coupon" else f"{one.amount:+,}"
