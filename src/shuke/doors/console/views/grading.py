"""One member's tier: its whole history, the ledger of growth value, a tier given by hand, paid memberships."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shuke.doors.console import grades, person, tiers, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.charter.grade import invitable
from shuke.kit import ids, money
from shuke.kit.clock import day_start
from shuke.loyalty import actions
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import Ask, KeyReused
from shuke.loyalty.queries import charters
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops import queries as shops

LINES = 30  # of the growth ledger, per page
NEVER = object()  # told, but no day


@console()
@require_http_methods(["GET", "POST"])
def tier(request: StaffRequest, pk: int) -> HttpResponse:
    """Everything about this member's tier; who may change it by hand does so here."""
    try:
        who = members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
    if request.method == "POST":
        if not shops.may(request.staff, "adjust"):
            raise PermissionDenied
        done = {"give": _give, "sell": _sell, "end": _end}.get(request.POST.get("do", ""))
        if done is None:
            raise Http404
        if done(request, who):
            return redirect("console:member-tier", who.pk)
    return render(request, "console/member_tiers.html", _context(request, who))


def _context(request: StaffRequest, who: Member) -> dict[str, Any]:
    context = {"who": who, "title": who.name or who.nickname or who.card, "on_tier_page": True}
    try:
        why = loyalty.why_tier(request.merchant, who.pk, request.now)
        terms = charters.in_force(request.merchant, request.now)
    except charters.NoCharter:
        return context | {"why": None}
    says = person.Says(request)
    words = grades.Grades(request, says, terms)
    lines = loyalty.growth_lines(request.merchant, who.pk)
    first = _offset(request.GET.get("older", ""))
    told, places = request.POST, money.digits(request.merchant.currency)
    return {
        **context,
        **words.box(why),
        "history": words.history(why.history),
        "growth": words.growth(lines[first : first + LINES]),
        "newer": max(0, first - LINES) if first else None,
        "older": first + LINES if len(lines) > first + LINES else None,
        "may_adjust": shops.may(request.staff, "adjust"),
        "tiers": grades.named_tiers(request),
        "invitable": [tiers.look(request, key)[0] for key in invitable(terms)],
        "sold": [
            {"key": one.key, "name": words.membership(one.key), "price": says.money(int(one.price.scaleb(places)))}
            for one in terms.charter.memberships
        ],
        "tomorrow": request.now.astimezone(request.merchant.tz).date() + timedelta(days=1),
        # The key goes out with the form: pressing twice does nothing twice.
        "key": f"console:{ids.new()}",
        "told": {name: told.get(name, "") for name in ("tier", "until", "reason", "how", "membership")},
    }


def _give(request: StaffRequest, who: Member) -> bool:
    """A floor until a day, or an invitation."""
    asked = request.POST
    code, reason = asked.get("tier", ""), asked.get("reason", "").strip()[:200]
    until = _until(request, asked.get("until", "").strip())
    if code not in tiers.every(request):
        messages.warning(request, _("Choose the tier to give."))
    elif not reason:
        messages.warning(request, _("Say why: the reason is kept with the history."))
    elif until is NEVER:
        messages.warning(request, _("Write the last day as a date after today, or leave it empty: for ever."))
    else:
        try:
            actions.give_tier(
                merchant=request.merchant,
                member_id=who.pk,
                tier=code,
                until=until,  # type: ignore[arg-type]
                reason=reason,
                now=request.now,
                actor=request.staff.username,
                invited=asked.get("how") == "invite",
                key=asked.get("key", "")[:200],
            )
        except KeyReused:
            messages.warning(request, _used_before())
            return False
        except actions.NotAsked as refused:
            messages.warning(request, refused.say(words.language()))
            return False
        now = loyalty.why_tier(request.merchant, who.pk, request.now).tier
        said = _("%(member)s is %(tier)s now.") % {"member": who, "tier": tiers.look(request, now)[0]}
        messages.success(request, said)
        return True
    return False


def _sell(request: StaffRequest, who: Member) -> bool:
    key = request.POST.get("membership", "")
    if not key:
        messages.warning(request, _("Choose the membership that was paid for."))
        return False
    return _ask(request, "membership", who, key, _("The membership runs."))


def _end(request: StaffRequest, who: Member) -> bool:
    """What was paid is the shop's affair; here the membership ends and the tier with it."""
    return _ask(request, "membership_end", who, request.POST.get("event", ""), _("The membership has ended."))


def _used_before() -> str:
    return _("This form was sent before with something else. Look at what is there now, then send it again.")


def _ask(request: StaffRequest, kind: str, who: Member, ref: str, said: str) -> bool:
    key = request.POST.get("key", "")
    if not key.startswith("console:") or len(key) > 60:
        key = f"console:{ids.new()}"
    one = Ask(key, kind, who.pk, ref=ref[:160])
    try:
        (answer,) = actions.ask(merchant=request.merchant, asks=[one], now=request.now, actor=request.staff.username)
    except KeyReused:
        messages.warning(request, _used_before())
        return False
    if answer.done:
        messages.success(request, said)
    else:
        messages.warning(
            request, actions.why_refused(one, answer, "zh" if (get_language() or "").startswith("zh") else "en")
        )
    return answer.done


def _until(request: StaffRequest, text: str) -> datetime | object | None:
    """The moment after the last day; None = for ever; NEVER where the text is no day after today."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return NEVER
    if day <= request.now.astimezone(request.merchant.tz).date() or day.year > 2999:
        return NEVER
    return day_start(day + timedelta(days=1), request.merchant.tz)


def _offset(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
