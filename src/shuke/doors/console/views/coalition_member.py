"""A member of a coalition in the console: taking part, a code for another partner, spending and giving back at this till."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shuke.doors.console import words
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.coalition import number
from shuke.flows import coalition as flow
from shuke.kit import ids
from shuke.loyalty.actions import KeyReused, coalition
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.queries import coalition as stored
from shuke.members.models import Member
from shuke.shops.models import Role


@console(Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.ASSISTANT)
@require_http_methods(["GET", "POST"])
def of_member(request: StaffRequest, pk: int) -> HttpResponse:
    """Whether a member takes part; linking with consent, codes, spending and giving back at this till, leaving."""
    who = Member.objects.filter(merchant=request.merchant, pk=pk).first()
    if who is None:
        raise Http404
    code: tuple[str, datetime] | None = None
    if request.method == "POST":
        try:
            code = _member_deed(request, who)
        except (CoalitionRefused, KeyReused) as error:
            messages.warning(request, error.say(words.language()))
        if code is None:
            return redirect("console:member-coalition", pk)
    told = flow.standing(request.merchant, who.pk, request.now)
    context = {
        "who": who,
        "title": str(who),
        "partner": stored.partner_of(request.merchant, request.now),
        "standing": told,
        "code": code,
        "grouped": " ".join(told.number[i : i + 4] for i in range(0, 16, 4)) if told else "",
        "spends": stored.spends(request.merchant, who.pk),
        "key": f"console:{ids.new()}",
    }
    return render(request, "console/member_coalition.html", context)


def _member_deed(request: StaffRequest, who: Member) -> tuple[str, datetime] | None:
    told: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    what, key = request.POST.get("do"), request.POST.get("key", "")
    if what == "link":
        evidence, code = request.POST.get("evidence", ""), request.POST.get("code", "")
        coalition.link(member_id=who.pk, source="console", evidence=evidence, code=code, **told)
    elif what == "code":
        return coalition.make_code(member_id=who.pk, **told)
    elif what == "unlink":
        coalition.unlink(member_id=who.pk, because=request.POST.get("because", "") or "asked", **told)
    elif what in ("spend", "return") and key:
        points, of = number(request, "points") or 0, request.POST.get("of", "").strip()
        if what == "spend":
            answer = coalition.spend(key=key, member_id=who.pk, amount=points, **told)
        else:
            answer = coalition.give_back(key=key, of=of, amount=points, member_id=who.pk, **told)
        if answer.done:
            said = _("%(points)s points spent.") if what == "spend" else _("%(points)s points given back.")
            messages.success(request, said % {"points": f"{points:,}"})
        else:
            messages.warning(request, coalition.sentence(answer.code, answer.figures, of, words.language()))
    else:
        raise Http404
    return None
