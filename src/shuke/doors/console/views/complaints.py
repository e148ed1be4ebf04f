"""Complaints in the console: what is open, and on a member's page to write down, settle and open again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.flows import complaints as flow
from shuke.kit import ids
from shuke.members import queries as members
from shuke.members.models import MemberState
from shuke.service import actions, queries
from shuke.service.actions import ComplaintRefused
from shuke.shops import queries as shops

SHOWN = 200


@console()
@require_GET
def complaints(request: StaffRequest) -> HttpResponse:
    """The open ones, the oldest first; on another tab all, the latest first."""
    everything = request.GET.get("show") == "all"
    found = queries.complaints(request.merchant, only_open=not everything, limit=SHOWN)
    context = {"complaints": found, "everything": everything, "may_record": shops.may(request.staff, "record")}
    return render(request, "console/complaints.html", context)


def of_member(request: StaffRequest, member_id: int) -> dict[str, Any]:
    """For the member's page. The key goes out with the form: pressed twice it is one complaint."""
    return {
        "complaints": queries.complaints_of(request.merchant, member_id),
        "complaint_key": f"console:{ids.new()}",
    }


@console()
@require_POST
def record(request: StaffRequest, pk: int) -> HttpResponse:
    _may(request)
    try:
        who = members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
    if who.state != MemberState.ACTIVE:
        raise Http404
    posted = request.POST
    try:
        actions.open_complaint(
            merchant=request.merchant, key=posted.get("key", "")[:160], member_id=who.pk, what=posted.get("what", ""),
            channel=posted.get("channel", ""), order_number=posted.get("number", "")[:60], now=request.now,
            actor=request.staff.username,
        )  # fmt: skip
        messages.success(request, _("Written down. It stays open until somebody settles it."))
    except ComplaintRefused as refused:
        messages.warning(request, refused.say(get_language() or "zh"))
    return redirect("console:member", who.pk)


@console()
@require_POST
def decide(request: StaffRequest, complaint_id: int) -> HttpResponse:
    """Settled, with a note; or open again, with the reason."""
    _may(request)
    spoken = get_language() or "zh"
    same: dict[str, Any] = {
        "merchant": request.merchant, "complaint_id": complaint_id, "now": request.now, "actor": request.staff.username,
    }  # fmt: skip
    note = request.POST.get("note", "")
    try:
        if request.POST.get("do") == "reopen":
            row = actions.reopen(**same, reason=note)
            messages.success(request, _("It is open again."))
        else:
            done = flow.settle(**same, note=note)
            row = done.complaint
            messages.success(request, _("Settled.") + " " + done.say(spoken))
    except ComplaintRefused as refused:
        messages.warning(request, refused.say(spoken))
        try:
            row = queries.complaint(request.merchant, complaint_id)
        except queries.NoSuchComplaint as error:
            raise Http404 from error
    if request.POST.get("back") == "list":
        return redirect("console:complaints")
    return redirect("console:member", members.member_for(request.staff, row.member_id).pk)


def _may(request: StaffRequest) -> None:
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
