"""The list of members behind a figure that no filter of the member list can say: paged, and to be taken out as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shuke.doors.console import member_list, tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.engine.insight import profit_words, wording
from shuke.flows import export_members as flow
from shuke.insight.queries.filters import BONDS, LAYERS, STAGES, Filters
from shuke.members.models import Member, MemberState
from shuke.shops import queries as shops

PAGE = 50
MOST_EXPORTED = 50_000  # the list of ids goes into the job; a filter of the member list has no such bound


def page(
    request: StaffRequest,
    found: Sequence[Any],
    *,
    member_of: Callable[[Any], int],
    cell: Callable[[Any], str],
    heading: str,
    context: dict[str, Any],
) -> HttpResponse | FileResponse:
    """Members one below the other with one figure each; a POST gives the whole list out as a file."""
    if request.method == "POST":
        return export(request, [member_of(one) for one in found])
    number = request.GET.get("page", "1")
    at = min(max(int(number), 1), 10_000) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    part = found[(at - 1) * PAGE : at * PAGE]
    people = Member.objects.filter(merchant=request.merchant, state=MemberState.ACTIVE).in_bulk(
        [member_of(one) for one in part]
    )
    rows = [(people[member_of(one)], cell(one)) for one in part if member_of(one) in people]
    return render(
        request,
        "console/insight_behind.html",
        context
        | {
            "rows": rows, "count": len(found), "heading": heading, "page": at, "more": len(found) > at * PAGE,
            "may_export": shops.may(request.staff, "export") and 0 < len(found) <= MOST_EXPORTED,
        },
    )  # fmt: skip


def export(request: StaffRequest, members: list[int]) -> HttpResponse | FileResponse:
    """These members, in the columns this reader has chosen; a long list becomes a job with a page of its own."""
    form = request.POST.get("form", "")
    if not shops.may(request.staff, "export"):
        raise PermissionDenied
    if form not in flow.WRITERS or not 0 < len(members) <= MOST_EXPORTED:
        raise Http404
    shown = ["card", "name", *(key for key in member_list.columns(request) if key != "card")]
    ready = flow.export_members(
        merchant=request.merchant,
        staff=request.staff,
        filters=Filters(),
        columns=shown,
        headings=[str(member_list.HEADINGS[key]) for key in shown],
        words=words_of(request),
        form=form,
        now=request.now,
        found=members,
        address=request.META.get("REMOTE_ADDR", ""),
    )
    if ready.path is None:
        return redirect("console:member-export", ready.job_id)
    day = request.now.astimezone(request.merchant.tz)
    name = f"{_('members')}-{day:%Y%m%d-%H%M}.{form}"
    response = FileResponse(ready.path.open("rb"), as_attachment=True, filename=name)
    response["Cache-Control"] = "no-store"
    return response


def words_of(request: StaffRequest) -> dict[str, dict[str, str]]:
    """What codes are called in an exported list."""
    return {
        "tier": {code: name for code, (name, _shade) in tiers.every(request).items()},
        "stage": {code: words.stage(code) for code in STAGES},
        "layer": {code: words.layer(code) for code in LAYERS},
        "bond": {code: words.bond(code) for code in BONDS},
        "loyalty": {code: words.said(name) for code, name in profit_words.TYPES.items() if code},
        "quality": {code: words.said(name) for code, name in profit_words.QUALITIES.items() if code},
        "rfm": {code: words.rfm_class(code) for code in wording.RFM_NAMES},
    }
