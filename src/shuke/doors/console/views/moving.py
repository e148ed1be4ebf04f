"""Points by hand in the console: giving and taking with a reason, handing on, families, and what waits for a second person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import person
from shuke.doors.console.access import StaffRequest, console
from shuke.kit import ids
from shuke.loyalty import actions
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import Answer, Ask, KeyReused
from shuke.loyalty.queries import activities, charters
from shuke.loyalty.queries.facts import lapsed_since
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops import queries as shops
from shuke.shops.models import Role

# What a change by hand moves.
WHAT = {
    "adjust": gettext_lazy("points"),
    "reinstate": gettext_lazy("lapsed points"),
    "growth": gettext_lazy("growth value"),
}
LONGEST_NUMBER = 30  # digits; the books say themselves what is too many points


@console(Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.ASSISTANT)
@require_http_methods(["GET", "POST"])
def change(request: StaffRequest, pk: int) -> HttpResponse:
    """Give or take points, bring lapsed ones back, tell an activity, hand points on, and see to the family."""
    who = _member(request, pk)
    if request.method == "POST":
        done = DEEDS.get(request.POST.get("do", ""))
        if done is None:
            raise Http404
        try:
            if done(request, who):
                return redirect("console:member-points-change", pk)
        except actions.NotAsked as refused:
            messages.warning(request, refused.say(_language()))
        except KeyReused:
            messages.warning(
                request,
                _("This form was sent before with something else. Look at what is there now, then send it again."),
            )
    return render(request, "console/points_change.html", _context(request, who))


def _context(request: StaffRequest, who: Member) -> dict[str, Any]:
    held = loyalty.balance(request.merchant, who.pk, request.now)
    try:
        force = charters.in_force(request.merchant, request.now)
        terms = force.charter.points
    except charters.NoCharter:
        force, terms = None, None
    lapsed = 0
    if terms is not None:
        since = request.now - timedelta(days=terms.reinstate_days)
        lapsed = lapsed_since(request.merchant, who.pk, since) + held.lapsed
    late = shops.may(request.staff, "adjust")
    told = request.POST
    language = _language()
    return {
        "who": who,
        "lapsed": lapsed,
        "reinstate_days": terms.reinstate_days if terms else 0,
        "activities": [
            (
                key,
                " · ".join(
                    dict.fromkeys(
                        getattr(rule.name, language)
                        for rule in (force.charter.earning if force else ())
                        if rule.kind == "activity" and rule.activity == key
                    )
                ),
            )
            for key in (force.activities if force else ())
            if key != "join"  # told by the books, once
        ],
        "done": [
            (
                one,
                actions.may_take_back(request.merchant, one, now=request.now, actor=request.staff.username, late=late),
            )
            for one in activities.of_member(request.merchant, who.pk, limit=10)
        ],
        "title": str(who),
        "held": held,
        "limit": terms.second_person_above if terms else None,
        "transfer": terms.transfer if terms else "no",
        "family": loyalty.family(request.merchant, who.pk, request.now),
        "may_adjust": shops.may(request.staff, "adjust"),
        "may_record": shops.may(request.staff, "record"),
        "has_charter": force is not None,
        # The key goes out with the form: pressing twice does nothing twice. A form refused is another request.
        "key": f"console:{ids.new()}",
        "told": {
            name: told.get(name, "")
            for name in (
                "points",
                "way",
                "reason",
                "to",
                "amount",
                "with",
                "name",
                "back",
                "why",
                "growth",
                "direction",
                "because",
            )
        },
    }


def _adjust(request: StaffRequest, who: Member) -> bool:
    if not shops.may(request.staff, "adjust"):
        raise PermissionDenied
    points = _points(request, "points")
    if points is None:
        return False
    if request.POST.get("way") == "take":
        points = -points
    return _by_hand(request, who, "adjust", points, request.POST.get("reason", ""))


def _reinstate(request: StaffRequest, who: Member) -> bool:
    """Lapsed points come back, at most what lapsed within the charter's time."""
    if not shops.may(request.staff, "adjust"):
        raise PermissionDenied
    points, reason = _points(request, "back"), _reason(request, "why")
    if points is None or not reason:
        return False
    return _by_hand(request, who, "reinstate", points, reason)


def _growth(request: StaffRequest, who: Member) -> bool:
    if not shops.may(request.staff, "adjust"):
        raise PermissionDenied
    points, reason = _points(request, "growth"), _reason(request, "because")
    if points is None or not reason:
        return False
    if request.POST.get("direction") == "take":
        points = -points
    return _by_hand(request, who, "growth", points, reason)


def _by_hand(request: StaffRequest, who: Member, kind: str, points: int, reason: str) -> bool:
    """Booked at once, or kept waiting for a second person; the sentence says which, and why."""
    try:
        told = actions.correct(
            merchant=request.merchant,
            key=_key(request),
            member_id=who.pk,
            amount=points,
            kind=kind,
            reason=reason,
            now=request.now,
            actor=request.staff.username,
        )
    except actions.CorrectionRefused as refused:
        messages.warning(request, refused.say(_language()))
        return False
    if isinstance(told, Answer):
        return _say(request, Ask(told.key, kind, who.pk, points), told, _booked(kind, points))
    waits = _("It waits under “Points by hand”.")
    messages.info(request, f"{actions.why_waits(told, _language())} {waits}".strip())
    return True


def _booked(kind: str, points: int) -> str:
    if kind == "reinstate":
        return _("%(points)s lapsed points are back.") % {"points": f"{points:,}"}
    if kind == "growth":
        return _("%(points)s growth value by hand.") % {"points": f"{points:+,}"}
    return _("%(points)s points by hand.") % {"points": f"{points:+,}"}


def _activity(request: StaffRequest, who: Member) -> bool:
    """The member did something the charter gives for; what it gave is known when it is booked."""
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    one = Ask(_key(request), "activity", who.pk, ref=request.POST.get("activity", "")[:30])
    [told] = actions.ask(merchant=request.merchant, asks=[one], now=request.now, actor=request.staff.username)
    points, growth = told.figures.get("amount", 0), told.figures.get("growth", 0)
    if not points and not growth:
        return _say(request, one, told, _("Noted. The charter gives nothing more for it now."))
    said = _("Noted: %(points)s points, %(growth)s growth value.") % {"points": f"{points:,}", "growth": f"{growth:,}"}
    return _say(request, one, told, said)


def _activity_back(request: StaffRequest, who: Member) -> bool:
    """It was noted by mistake: whoever noted it takes it back on the same day, an owner or a manager at any time."""
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    found = next(iter(activities.of_member(request.merchant, who.pk, key=request.POST.get("did", ""))), None)
    if found is None:
        raise Http404
    told = actions.take_back_activity(
        merchant=request.merchant,
        key=f"undo:{found.pk}",
        member_id=who.pk,
        activity=found.key,
        now=request.now,
        actor=request.staff.username,
        late=shops.may(request.staff, "adjust"),
    )
    points, growth = told.figures.get("amount", 0), told.figures.get("growth", 0)
    said = _("Taken back: %(points)s points, %(growth)s growth value.") % {
        "points": f"{points:,}",
        "growth": f"{growth:,}",
    }
    return _say(request, Ask(told.key, "activity_undo", who.pk, points, found.key), told, said)


def _reason(request: StaffRequest, name: str) -> str:
    reason = request.POST.get(name, "").strip()[:200]
    if not reason:
        messages.warning(request, _("Say why: the reason is kept with the booking."))
    return reason


def _give(request: StaffRequest, who: Member) -> bool:
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    points, to = _points(request, "amount"), _other(request, "to")
    if points is None or to is None:
        return False
    move = actions.Transfer(_key(request), who.pk, to.pk, points)
    [told] = actions.transfer(
        merchant=request.merchant, transfers=[move], now=request.now, actor=request.staff.username
    )
    said = _("%(points)s points went to %(member)s; they keep their expiry.") % {"points": f"{points:,}", "member": to}
    return _say(request, Ask(told.key, "handed", who.pk, points), told, said)


def _join(request: StaffRequest, who: Member) -> bool:
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    other = _other(request, "with")
    if other is None:
        return False
    there = loyalty.family(request.merchant, who.pk, request.now)
    told: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    try:
        if there is None:
            name = request.POST.get("name", "").strip() or who.name or who.nickname
            actions.found_family(name=name, members=[who.pk, other.pk], **told)
        else:
            actions.join_family(family_id=there.pk, members=[other.pk], **told)
    except actions.FamilyRefused as refused:
        messages.warning(request, refused.say(_language()))
        return False
    messages.success(request, _("%(member)s is in the family.") % {"member": other})
    return True


def _leave(request: StaffRequest, who: Member) -> bool:
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    told: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    if actions.leave_family(member_id=who.pk, **told):
        messages.success(request, _("%(member)s left the family; points stay with who has them.") % {"member": who})
    return True


DEEDS = {
    "adjust": _adjust, "reinstate": _reinstate, "growth": _growth, "activity": _activity, "activity_back": _activity_back,
    "give": _give, "join": _join, "leave": _leave,
}  # fmt: skip


@console(Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.AUDITOR)
@require_GET
def budgets(request: StaffRequest) -> HttpResponse:
    """What the budgets of the charter's rules have given, and what is left."""
    try:
        force = charters.in_force(request.merchant, request.now)
        found = loyalty.budgets(request.merchant, request.now)
    except charters.NoCharter:
        return render(request, "console/budgets.html", {"budgets": None})
    names = {rule.key: getattr(rule.name, _language()) for rule in force.charter.earning}
    rows = [
        {
            "name": names.get(one.rule, one.rule),
            "one": one,
            "nearly": one.left * 10 < one.points,
        }
        for one in found
    ]
    return render(request, "console/budgets.html", {"budgets": rows, "version": force.version})


@console(Role.OWNER, Role.MANAGER, Role.AUDITOR)
@require_GET
def corrections(request: StaffRequest) -> HttpResponse:
    """Points by hand that wait for a second person, then the latest decisions."""
    says = person.Says(request)
    found: list[dict[str, Any]] = [
        {
            "one": one,
            "points": f"{one.amount:+,}",
            "unit": WHAT[one.kind],
            "why": actions.why_waits(one, _language()),
            "asked": says.day(one.asked_at),
            "decided": says.day(one.decided_at) if one.decided_at else "",
            "own": shops.person_behind(request.merchant, one.asked_by) == request.staff.username,
            # What the books would say now: the balance may have changed since it was asked for.
            "now": loyalty.balance(request.merchant, one.member_id, request.now).available
            if one.state == "waiting" and one.amount < 0 and one.kind == "adjust"
            else None,
        }
        for one in loyalty.corrections(request.merchant)
    ]
    context = {
        "waiting": [x for x in found if x["one"].state == "waiting"],
        "decided": [x for x in found if x["one"].state != "waiting"],
        "may_decide": shops.may(request.staff, "adjust"),
        "alone": [one.pk for one in shops.deciders(request.merchant)] == [request.staff.pk],
    }
    return render(request, "console/corrections.html", context)


@console(Role.OWNER, Role.MANAGER)
@require_POST
def decide(request: StaffRequest, correction_id: int) -> HttpResponse:
    """Agree or decline."""
    try:
        found, answer = actions.decide_correction(
            merchant=request.merchant,
            correction_id=correction_id,
            agree=request.POST.get("do") == "agree",
            reason=request.POST.get("because", ""),
            now=request.now,
            actor=request.staff.username,
        )
    except (actions.CorrectionRefused, actions.NotAsked) as refused:
        if refused.code == "no_such_correction":
            raise Http404(str(refused)) from refused
        messages.warning(request, refused.say(_language()))
        return redirect("console:corrections")
    if answer is None:
        messages.info(request, _("Taken back.") if found.state == "withdrawn" else _("Declined."))
    else:
        one = Ask(found.key, found.kind, found.member_id, found.amount)
        _say(request, one, answer, _booked(found.kind, found.amount))
    return redirect("console:corrections")


def _say(request: StaffRequest, one: Ask, answer: Answer, said: str) -> bool:
    if answer.done:
        messages.success(request, said)
    else:
        messages.warning(request, actions.why_refused(one, answer, _language()))
    return answer.done


def _points(request: StaffRequest, name: str) -> int | None:
    text = request.POST.get(name, "").replace(",", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER and int(text) > 0:
        return int(text)
    messages.warning(request, _("Write how many points, as a whole number above 0."))
    return None


def _other(request: StaffRequest, name: str) -> Member | None:
    """The other member by card or id, or by a search that finds one alone."""
    asked = request.POST.get(name, "").strip()
    merchant = request.merchant
    try:
        if asked:
            return members.member_of(merchant.pk, asked)
    except members.NoSuchMember:
        hits = members.find(merchant, asked, 2)
        if len(hits) == 1:
            return members.member_of(merchant.pk, hits[0].member_id)
    messages.warning(
        request, _("No single member is found by “%(text)s”. Write the card number.") % {"text": asked[:40]}
    )
    return None


def _key(request: StaffRequest) -> str:
    key = request.POST.get("key", "")
    return key if key.startswith("console:") and len(key) < 60 else f"console:{ids.new()}"


def _language() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"


def _member(request: StaffRequest, pk: int) -> Member:
    try:
        return members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
