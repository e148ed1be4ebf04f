"""What word of mouth is worth, what is assumed about it, and the members behind each figure."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shuke.doors.console import behind, mouth_pages
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.insight.word_of_mouth import BadAssumption
from shuke.insight.actions.word_of_mouth import assume_mouth
from shuke.insight.queries import word_of_mouth as told
from shuke.kit import clock, money
from shuke.members.models import Member
from shuke.shops import queries as shops

MAY_ASSUME = "adjust"  # owner and managers


@console()
@require_http_methods(["GET", "POST"])
def word_of_mouth(request: StaffRequest) -> HttpResponse:
    """What was measured, what each step left, and the trade's saying with its assumptions."""
    _needs_insight(request)
    one = told.report(request.merchant, now=request.now)
    if one is None:
        return render(request, "console/insight_empty.html", {"tab": "word-of-mouth"})
    error = ""
    if request.method == "POST":
        if not shops.may(request.staff, MAY_ASSUME):
            raise PermissionDenied
        try:
            figures = mouth_pages.read(request.POST)
            assume_mouth(merchant=request.merchant, now=request.now, actor=request.staff.username, **figures)
        except BadAssumption as bad:
            error = mouth_pages.complaint(bad)
        else:
            messages.success(request, _("Your assumptions are in force. They stay assumptions, and are named so."))
            return redirect("console:insight-word-of-mouth")
    people = Member.objects.filter(merchant=request.merchant).in_bulk([row["member"] for row in one["branches"]])
    context = {
        "tab": "word-of-mouth",
        "told": one,
        "as_of": one["as_of"],
        "until": clock.day_start(date.fromisoformat(one["as_of"]) + timedelta(days=1), request.merchant.tz),
        "sentences": mouth_pages.sentences(one),
        "boxes": mouth_pages.boxes(one, request.POST if error else None),
        "error": error,
        "branches": [(people[row["member"]], row) for row in one["branches"] if row["member"] in people],
        "may_assume": shops.may(request.staff, MAY_ASSUME),
        "margin": one["terms"]["margin_permille"] / 10,
        "anyway": one["terms"]["anyway_permille"] / 10,
    }
    return render(request, "console/insight_word_of_mouth.html", context, status=422 if error else 200)


@console()
@require_http_methods(["GET", "POST"])
def members(request: StaffRequest) -> HttpResponseBase:
    """The members a figure counts, those who bought most first."""
    _needs_insight(request)
    figure, step = request.GET.get("figure", ""), request.GET.get("step", "")
    one = told.report(request.merchant, now=request.now)
    if one is None or figure not in told.FIGURES or (figure == "step") != (step in ("1", "2", "3")):
        raise Http404
    people = told.members_behind_mouth(request.merchant, figure, int(step) if step else 0)
    titles = {
        "brought": _("Friends brought"), "matched": _("Friends who are compared"), "unmatched": _("Friends who cannot be compared"),
        "others": _("Others of the same month and way"), "referrers": _("Members who brought friends"),
        "step": {"1": _("Friends: first step"), "2": _("Friends of friends: second step"), "3": _("Third step and deeper")}.get(step, ""),
    }  # fmt: skip
    context = {
        "tab": "word-of-mouth", "title": titles[figure], "as_of": one["as_of"], "back": reverse("console:insight-word-of-mouth"),
    }  # fmt: skip
    return behind.page(
        request, people, member_of=lambda row: row.member, cell=lambda row: money.show(row.net_minor, request.merchant.currency),
        heading=_("Net spend"), context=context,
    )  # fmt: skip


def _needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
