"""Members that may be one person: the list of pairs, the preview of a merge, the merge, and taking it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import halves, person
from shuke.doors.console.access import StaffRequest, console
from shuke.flows import merge_members
from shuke.flows.merge_members import MergeRefused
from shuke.flows.search import find
from shuke.kit import numbers
from shuke.members import actions as members_actions
from shuke.members import queries as members
from shuke.members.models import Member, MemberState
from shuke.members.profiles import UnknownChoice
from shuke.shops import queries as shops

PAIRS = 20
SIDES = ("survivor", "absorbed")


@console()
@require_GET
def suspicions(request: StaffRequest) -> HttpResponse:
    """Pairs to look at, side by side with what speaks for it; on another tab those that were told apart."""
    state = "different" if request.GET.get("show") == "different" else "open"
    try:
        page = max(1, int(request.GET.get("page", "1")))
    except ValueError:
        page = 1
    found = members.suspicions(request.merchant, PAIRS + 1, state=state, offset=(page - 1) * PAIRS)
    context = {
        "pairs": halves.pairs(request, found[:PAIRS]),
        "state": state,
        "page": page,
        "more": len(found) > PAIRS,
        "may_merge": shops.may(request.staff, "members"),
    }
    return render(request, "console/suspicions.html", context)


@console()
@require_POST
def decide(request: StaffRequest) -> HttpResponse:
    """Not the same person; or, taken back, to be looked at again."""
    if not shops.may(request.staff, "members"):
        raise PermissionDenied
    one, other = (_id(request.POST.get(name, "")) for name in ("one", "other"))
    apart = request.POST.get("say") != "again"
    do = members_actions.tell_apart if apart else members_actions.doubt_again
    try:
        do(merchant=request.merchant, one=one, other=other, now=request.now, actor=request.staff.username)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
    if apart:
        messages.success(request, _("Remembered: two people. They will not be suggested again."))
    else:
        messages.success(request, _("The pair is among those to look at again."))
    return redirect(reverse("console:suspicions") + ("" if apart else "?show=different"))


@console()
@require_http_methods(["GET", "POST"])
def merge(request: StaffRequest, pk: int) -> HttpResponse:
    """What a merge would do; with POST it is done. Without `with` the other member is asked for."""
    if not shops.may(request.staff, "members"):
        raise PermissionDenied
    told = request.POST if request.method == "POST" else request.GET
    who = _member(request, pk)
    other_id = _id(told.get("with", "0") or "0")
    if not other_id:
        return _ask_for_other(request, who)
    other = _member(request, other_id)
    take = {key.removeprefix("take-"): str(value) for key, value in told.items() if key.startswith("take-") and value}
    reason = told.get("reason", "").strip()
    wrong = ""
    if request.method == "POST":
        try:
            done = merge_members.merge(
                merchant=request.merchant,
                survivor_id=who.pk,
                absorbed_id=other.pk,
                take=take,
                reason=reason,
                now=request.now,
                actor=request.staff.username,
            )
        except MergeRefused as refused:
            wrong = halves.refusal(refused)
        else:
            said = _("Merged: everything of card %(card)s is here now. It can be taken back below.")
            messages.success(request, said % {"card": done.merge.absorbed.card})
            return redirect("console:member", who.pk)
    try:
        seen = merge_members.preview(
            merchant=request.merchant, survivor_id=who.pk, absorbed_id=other.pk, take=take, now=request.now
        )
    except MergeRefused as refused:
        context = {"who": who, "other": other, "wrong": halves.refusal(refused)}
        return render(request, "console/merge_refused.html", context, status=422 if request.method == "POST" else 200)
    except UnknownChoice as error:
        raise Http404(str(error)) from error
    context = {
        "who": who,
        "other": other,
        "wrong": wrong,
        "reason": reason,
        "fields": [halves.field(request, one) for one in seen.fields],
        "sides": [halves.half(request, seen.survivor), halves.half(request, seen.absorbed)],
        "consents": halves.consents(seen.consents),
        "together": halves.standing(seen.together),
        "orders": seen.survivor.orders + seen.absorbed.orders,
        "net": person.Says(request).money(seen.survivor.net_minor + seen.absorbed.net_minor),
        "lines": seen.survivor.lines + seen.absorbed.lines,
    }
    return render(request, "console/merge.html", context, status=422 if wrong else 200)


def _ask_for_other(request: StaffRequest, who: Member) -> HttpResponse:
    """Search for the other record."""
    text = request.GET.get("text", "").strip()
    hits = [hit for hit in find(request.merchant, text, 12) if hit.member_id != who.pk] if text else []
    context = {"who": who, "text": text, "hits": hits[:10]}
    return render(request, "console/merge_with.html", context)


@console()
@require_POST
def unmerge(request: StaffRequest, pk: int, merge_id: int) -> HttpResponse:
    """Take a merge back; the two are told apart unless somebody says they may be one after all."""
    if not shops.may(request.staff, "members"):
        raise PermissionDenied
    who = _member(request, pk)
    if merge_id not in {one.pk for one in members.merges_of(request.merchant, who.pk)}:
        raise Http404
    try:
        done = merge_members.unmerge(
            merchant=request.merchant,
            merge_id=merge_id,
            different=request.POST.get("maybe") != "1",
            reason=request.POST.get("reason", ""),
            now=request.now,
            actor=request.staff.username,
        )
    except MergeRefused as refused:
        messages.warning(request, halves.refusal(refused))
    else:
        said = _("Taken back: card %(card)s stands on its own again, with what was told of it since.")
        messages.success(request, said % {"card": done.merge.absorbed.card})
    return redirect("console:member", who.pk)


def merges(request: StaffRequest, pk: int) -> list[dict[str, Any]]:
    """What the member's page says of merges."""
    says = person.Says(request)
    return [
        {
            "pk": one.pk,
            "other": one.absorbed if one.survivor_id == pk else one.survivor,
            "away": one.absorbed_id == pk,
            "day": says.day(one.merged_at),
            "by": one.actor,
            "reason": one.reason,
            "undone": says.day(one.undone_at) if one.undone_at else "",
        }
        for one in members.merges_of(request.merchant, pk)
    ]


def _member(request: StaffRequest, pk: int) -> Member:
    """The record itself, merged away or not: a refusal has to say so."""
    found = Member.objects.filter(merchant=request.merchant, pk=pk).exclude(state=MemberState.UNDONE).first()
    if found is None:
        raise Http404(f"No member {pk}.")
    return found


def _id(text: str) -> int:
    number = numbers.whole(text)
    if number is None:
        raise Http404
    return number
