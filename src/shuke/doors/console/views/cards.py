"""Cards in the console: symbols to scan, the printed sheet, loss, replacement, and freezing a member."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import finding, member_list, person
from shuke.doors.console.access import StaffRequest, console
from shuke.insight.queries.directory import every_row
from shuke.kit import numbers, symbols
from shuke.members import actions as members_actions
from shuke.members import queries as members
from shuke.members.actions import CardRefused
from shuke.members.models import Member
from shuke.shops import queries as shops

PRINTED = 500  # cards on one print-out: fifty sheets
PER_SHEET = 10  # two by five on A4


@console()
@require_GET
def card(request: StaffRequest, pk: int) -> HttpResponse:
    """The member's card to be scanned, what happened to earlier ones, and what can be done."""
    who = _member(request, pk)
    says = person.Says(request)
    context = {
        "who": who,
        "title": str(who),
        **symbol(who.card),
        "lost": members.card_said(request.merchant, who.card).state == "lost",
        "former": [
            {"number": c.number, "state": c.state, "day": says.day(c.at), "by": c.actor, "reason": c.reason, "new": c.replaced_by}
            for c in members.cards_of(request.merchant, who.pk)
        ],
        "frozen": says.day(who.frozen_at) if who.frozen_at else "",
        "may_record": shops.may(request.staff, "record"),
        "may_freeze": shops.may(request.staff, "members"),
    }  # fmt: skip
    return render(request, "console/member_card.html", context)


def symbol(number: str) -> dict[str, Any]:
    """QR and barcode of a number. Drawn by us from digits, so they may stand in the page as they are."""
    bars = symbols.code128_svg(number) if number.isascii() and number.isdigit() else ""
    return {"qr": SafeString(symbols.qr_svg(number)), "bars": SafeString(bars), "number": spaced(number)}


def spaced(number: str) -> str:
    """6600 0000 0018: in fours, as people read it out."""
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


@console()
@require_POST
def change(request: StaffRequest, pk: int) -> HttpResponse:
    """Report a card lost or found, replace it, freeze or unfreeze the member."""
    what = request.POST.get("do", "")
    needs = "members" if what in ("freeze", "unfreeze") else "record"
    if not shops.may(request.staff, needs):
        raise PermissionDenied
    who = _member(request, pk)
    told: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    reason = request.POST.get("reason", "").strip()
    try:
        if what == "lost":
            members_actions.report_lost(member_id=who.pk, reason=reason, **told)
            said = _("Reported lost. Points of this member are frozen until the card is found or replaced.")
        elif what == "found":
            members_actions.found_again(member_id=who.pk, **told)
            said = _("The card is in use again.")
        elif what == "replace":
            number = members_actions.replace_card(member_id=who.pk, reason=reason, **told)
            said = _("The new card is %(card)s. The old number still finds this member.") % {"card": spaced(number)}
        elif what == "freeze":
            members_actions.freeze(member_ids=[who.pk], reason=reason, **told)
            said = _("Frozen: points can be neither spent nor set aside.")
        elif what == "unfreeze":
            members_actions.unfreeze(member_ids=[who.pk], reason=reason, **told)
            said = _("Free again.")
        else:
            raise Http404
    except CardRefused as refused:
        messages.warning(request, refusal(refused))
    else:
        messages.success(request, said)
    return redirect("console:member-card", who.pk)


def refusal(refused: CardRefused) -> str:
    return {
        "no_reason": _("Say why the member is frozen: whoever is asked at the till has to explain it."),
        "not_lost": _("This card is not reported lost."),
        "not_active": _("This record is not in use: open the member it is now."),
    }.get(refused.code, str(refused))


@console()
@require_http_methods(["GET", "POST"])
def sheet(request: StaffRequest) -> HttpResponse:
    """Cards to print, 85.6 × 54 mm, ten to an A4 sheet with cut marks: of one member, of those ticked, or of the list."""
    told = request.POST if request.method == "POST" else request.GET
    ids = [pk for i in told.getlist("ids")[:PRINTED] if (pk := numbers.whole(i)) is not None]
    if ids and not told.get("all"):
        found = members.living(request.merchant).filter(pk__in=ids).values_list("pk", "card", "name", "nickname")
        place = {pk: at for at, pk in enumerate(ids)}
        people = [row[1:] for row in sorted(found, key=lambda row: place[row[0]])]
    else:
        asked = member_list.read(QueryDict(told.get("list", "")) if request.method == "POST" else told)
        hits = finding.hits(request.merchant, asked.filters.text)
        people = []
        rows = every_row(
            request.merchant,
            asked.filters,
            now=request.now,
            sort=asked.sort,
            found=None if hits is None else list(hits),
        )
        for chunk in rows:
            people += [(row.card, row.name, row.nickname) for row in chunk]
            if len(people) >= PRINTED:
                break
        people = people[:PRINTED]
    cards = [{**symbol(number), "name": name or nickname} for number, name, nickname in people]
    context = {
        "sheets": [cards[i : i + PER_SHEET] for i in range(0, len(cards), PER_SHEET)],
        "count": len(cards),
        "full": len(cards) >= PRINTED,
    }
    return render(request, "console/card_sheet.html", context)


def _member(request: StaffRequest, pk: int) -> Member:
    try:
        return members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
