"""What was handed out of the charter's benefits: the log with its filters, the report of use and cost, the export."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.templatetags.rewards import local
from shuke.flows.benefit_log import write_log
from shuke.kit import audit
from shuke.kit.clock import day_start
from shuke.loyalty.actions import benefits as actions
from shuke.loyalty.models import BenefitUse
from shuke.loyalty.queries import benefits, coupons
from shuke.loyalty.queries.charters import NoCharter, in_force
from shuke.members import queries as members
from shuke.shops import queries as shops
from shuke.shops.models import Role

READERS = (Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.AUDITOR)
LINES = 50


def coupons_to_choose(request: StaffRequest) -> list[tuple[str, str]]:
    """Coupon templates with their names, for the forms of gifts and prizes."""
    return [(one.row.key, local(one.terms.name)) for one in coupons.overview(request.merchant)]


@console(*READERS)
@require_GET
def log(request: StaffRequest) -> HttpResponseBase:
    """Filters stand in the address; `export=csv` gives all lines that fit as a file."""
    wanted, chosen = _filter(request)
    if request.GET.get("export") == "csv":
        return _export(request, wanted)
    rows = benefits.log(request.merchant, wanted)
    today = request.now.astimezone(request.merchant.tz).date()
    start = wanted.since or day_start(today.replace(day=1), request.merchant.tz)
    report = benefits.report(request.merchant, start, wanted.before or request.now + timedelta(seconds=1))
    try:
        known = in_force(request.merchant, request.now).charter.rights.benefits
    except NoCharter:
        known = ()
    context = {
        "page": Paginator(rows, LINES).get_page(request.GET.get("page")),
        "chosen": chosen,
        "known": known,
        "stores": shops.stores(request.merchant),
        "report": report,
        "total": sum(u.cost_minor for u in report),
        "since": start,
        "may_export": shops.may(request.staff, "export"),
        "may_undo": shops.may(request.staff, "adjust"),
        "merchant": request.merchant,
        "tab": "log",
    }
    return render(request, "console/reward_log.html", context)


def _filter(request: StaffRequest) -> tuple[benefits.Filter, dict[str, str]]:
    told = {
        name: request.GET.get(name, "").strip()
        for name in ("benefit", "state", "by", "store", "tier", "member", "from", "until")
    }
    member_id = None
    if told["member"]:
        try:
            member_id = members.member_for(request.staff, told["member"]).pk
        except members.NoSuchMember:
            member_id = 0  # nobody: an empty list says so
    return (
        benefits.Filter(
            benefit=told["benefit"][:40],
            state=told["state"] if told["state"] in BenefitUse.State.values else "",
            actor=told["by"][:60],
            store_id=int(told["store"]) if told["store"].isdecimal() and len(told["store"]) < 19 else None,
            tier=told["tier"][:30],
            member_id=member_id,
            since=_day(request, told["from"]),
            before=_day(request, told["until"], after=True),
        ),
        told,
    )


def _day(request: StaffRequest, text: str, *, after: bool = False) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day_start(day + timedelta(days=1 if after else 0), request.merchant.tz)


def _export(request: StaffRequest, wanted: benefits.Filter) -> HttpResponseBase:
    if not shops.may(request.staff, "export"):
        raise PermissionDenied
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "benefits.csv"
        count = write_log(request.merchant, wanted, path, get_language() or "zh")
        body = path.open("rb")  # stays readable when its name is gone
    audit.record(
        merchant_id=request.merchant.pk, at=request.now, actor=request.staff.username, verb="benefits.exported",
        detail={"lines": count}, address=request.META.get("REMOTE_ADDR", ""),
    )  # fmt: skip
    return FileResponse(body, as_attachment=True, filename="benefits.csv", content_type="text/csv; charset=utf-8")


@console(Role.OWNER, Role.MANAGER)
@require_POST
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Take one hand-out back, however long ago; it is on record who did and why."""
    if not BenefitUse.objects.filter(merchant=request.merchant, pk=pk).exists():
        raise Http404
    told = actions.take_back(
        merchant=request.merchant, use_id=pk, now=request.now, actor=request.staff.username,
        because=request.POST.get("because", ""), late=True,
    )  # fmt: skip
    if told.done:
        messages.success(request, _("Taken back; its quota is free again."))
    else:
        messages.warning(request, told.say(get_language() or "zh"))
    return redirect("console:reward-log")
