"""Stored value in the console: a member pays in or is paid back at the counter, what waits for a second person, what is owed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.engine import tenders
from shuke.engine.charter.stored import ladder
from shuke.engine.stored import naming
from shuke.flows import stored as flow
from shuke.kit import ids, money
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import Answer, Ask, KeyReused, StoredRefused
from shuke.loyalty.queries import stored as books
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops import queries as shops

LINES = 100
View = Callable[..., HttpResponseBase]


def where_on(view: View) -> View:
    """No page where the shop has no stored value."""

    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not books.is_shown(request.merchant, request.now):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@console()
@require_http_methods(["GET", "POST"])
@where_on
def member(request: StaffRequest, pk: int) -> HttpResponse:
    """What a member has, lot by lot and change by change; paying in, paying back, redeeming a card, correcting."""
    try:
        who = members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
    if request.method == "POST":
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None:
            raise Http404
        if attempt(request, lambda: deed(request, who)):
            return redirect("console:member-stored", pk)
        return render(request, "console/member_stored.html", _of_member(request, who), status=422)
    return render(request, "console/member_stored.html", _of_member(request, who))


def attempt(request: StaffRequest, deed: Callable[[], str]) -> bool:
    """Do it and say so, or say why not."""
    try:
        messages.success(request, deed())
        return True
    except StoredRefused as refused:
        messages.warning(request, refused.say(language()))
    except KeyReused:
        messages.warning(
            request, _("This form was sent before with something else. Look at what is there now, then send it again.")
        )
    except money.NotMoney:
        messages.warning(request, _("Write an amount of money, such as 100 or 39.90."))
    return False


def needs(request: StaffRequest, what: str) -> None:
    if not shops.may(request.staff, what):
        raise PermissionDenied


def amount(request: StaffRequest, name: str = "amount") -> int:
    return money.parse(request.POST.get(name, ""), request.merchant.currency)


def _ask(request: StaffRequest, one: Ask) -> dict[str, str]:
    """Book it; the figures of the answer as money."""
    [answer] = stored.ask(merchant=request.merchant, asks=[one], now=request.now, actor=request.staff.username)
    return shown(request, stored.done(one, answer, request.merchant.currency))


def shown(request: StaffRequest, answer: Answer) -> dict[str, str]:
    return {k: money.show(n, request.merchant.currency) for k, n in answer.figures.items()}


def _key(request: StaffRequest) -> str:
    return request.POST.get("key", "")[:200]


def _top_up(request: StaffRequest, who: Member) -> str:
    needs(request, "record")
    paid_by = request.POST.get("paid_by", "")[:20]
    told = _ask(request, Ask(_key(request), "top_up", who.pk, amount(request), paid_by=paid_by))
    return _("%(principal)s paid in, %(bonus)s added; %(available)s can be used.") % told


def _pay_back(request: StaffRequest, who: Member) -> str:
    needs(request, "adjust")
    paid_by = request.POST.get("paid_by", "")[:20]
    told = _ask(request, Ask(_key(request), "withdraw", who.pk, amount(request), paid_by=paid_by))
    return _("Pay out %(principal)s. %(forfeited)s of bonus are given up, %(available)s are left.") % told


def _redeem(request: StaffRequest, who: Member) -> str:
    needs(request, "record")
    answer = flow.redeem_code(
        merchant=request.merchant,
        code=request.POST.get("code", "")[:40],
        member_id=who.pk,
        key=_key(request),
        callers=[f"staff:{request.staff.pk}"],
        now=request.now,
        actor=request.staff.username,
    )
    return _("%(amount)s from the card; %(available)s can be used.") % shown(request, answer)


def _correct(request: StaffRequest, who: Member) -> str:
    needs(request, "adjust")
    change = amount(request) * (-1 if request.POST.get("way") == "take" else 1)
    account = "bonus" if request.POST.get("account") == "bonus" else "principal"
    told = stored.correct(
        merchant=request.merchant,
        key=_key(request),
        member_id=who.pk,
        amount=change,
        account=account,
        reason=request.POST.get("reason", ""),
        now=request.now,
        actor=request.staff.username,
    )
    if isinstance(told, Answer):
        stored.done(Ask(told.key, "adjust", who.pk, change, account=account), told, request.merchant.currency)
        return _("Booked.")
    return f"{stored.why_waits(told, language())} " + _("It waits for a second person.")


DEEDS: dict[str, Callable[[StaffRequest, Member], str]] = {
    "top_up": _top_up,
    "pay_back": _pay_back,
    "redeem": _redeem,
    "correct": _correct,
}


def _of_member(request: StaffRequest, who: Member) -> dict[str, Any]:
    merchant, told = request.merchant, request.POST
    terms = books.terms_of(merchant, request.now)
    lines = books.statement(merchant, who.pk, limit=LINES)
    currency = merchant.currency
    held = books.balance(merchant, who.pk, request.now)
    return {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "held": held,
        "soon": {"minor": held.next_expiry[0][1], "day": _last_day(request, held.next_expiry[0][0])}
        if held.next_expiry
        else None,
        "terms": terms,
        "lots": [
            {"row": lot, "until": lot.expires_at - timedelta(minutes=1) if lot.expires_at else None}
            for lot in books.open_lots(merchant, who.pk)
        ],
        "lines": [
            {"row": line, "what": naming.kind(line.kind, language()), "way": way(line.paid_by)} for line in lines
        ],
        "ladder": ladder(terms, currency),
        "ways": [(code, way(code)) for code in tenders.TAKEN],
        "may_record": shops.may(request.staff, "record"),
        "may_adjust": shops.may(request.staff, "adjust"),
        "key": f"console:{ids.new()}",
        "told": {name: told.get(name, "") for name in ("do", "amount", "paid_by", "code", "reason", "way", "account")},
    }


def _last_day(request: StaffRequest, end: datetime) -> str:
    return f"{(end - timedelta(minutes=1)).astimezone(request.merchant.tz):%Y-%m-%d}"


@console()
@require_GET
@where_on
def overview(request: StaffRequest) -> HttpResponse:
    """What the shop owes and whether it adds up; what waits for a second person."""
    told = books.report(request.merchant, request.now)
    sides = [
        {
            "title": title,
            "side": side,
            "moves": [(naming.account(name, language()), n) for name, n in side.moves.items() if n],
        }
        for title, side in ((_("Money paid in"), told.money), (_("Bonus"), told.bonus))
    ]
    found = books.corrections(request.merchant)
    context = {
        "told": told,
        "sides": sides,
        "waiting": [
            {
                "one": one,
                "why": stored.why_waits(one, language()),
                "own": shops.person_behind(request.merchant, one.asked_by) == request.staff.username,
            }
            for one in found
            if one.state == "waiting"
        ],
        "decided": [one for one in found if one.state != "waiting"][:20],
        "may_adjust": shops.may(request.staff, "adjust"),
        "alone": [one.pk for one in shops.deciders(request.merchant)] == [request.staff.pk],
    }
    return render(request, "console/stored.html", context)


@console()
@require_POST
@where_on
def decide(request: StaffRequest, correction_id: int) -> HttpResponse:
    """Agree to what somebody else asked for, or decline it."""
    needs(request, "adjust")

    def deed() -> str:
        found, answer = stored.decide_correction(
            merchant=request.merchant,
            correction_id=correction_id,
            agree=request.POST.get("do") == "agree",
            reason=request.POST.get("because", ""),
            now=request.now,
            actor=request.staff.username,
        )
        if answer is not None:
            stored.done(Ask(found.key, "adjust", found.member_id, found.amount), answer, request.merchant.currency)
        return {"done": _("Booked."), "withdrawn": _("Taken back.")}.get(found.state, _("Declined."))

    if not books.has_correction(request.merchant, correction_id):
        raise Http404
    attempt(request, deed)
    return redirect("console:stored")


def way(code: str) -> str:
    return tenders.name(code, language())


def language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"
