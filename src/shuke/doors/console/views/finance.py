"""Finance: what is owed in points, how it moves, what lapses, and the entries for the bookkeeper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shuke.doors.console import finance_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.finance import months
from shuke.engine.finance import policy as policies
from shuke.flows import finance_report
from shuke.flows.finance_report import SPAN, Report
from shuke.kit.clock import day_of
from shuke.loyalty.actions.closing import close_month, set_finance_policy
from shuke.loyalty.queries import finance, last_verification
from shuke.shops import queries as shops


@console()
@require_GET
def liability(request: StaffRequest) -> HttpResponse:
    """What is owed at the end of a day."""
    needs_insight(request)
    today = day_of(request.now, request.merchant.tz)
    day = finance_pages.day_of(request.GET.get("at", ""), today, latest=today)

    def make() -> Report:
        return finance_report.liability(request.merchant, day, request.now, words.language())

    report = make() if day == today else finance_pages.kept(request, f"liability:{day}", make)
    return _page(request, report, str(day), day=day.isoformat(), today=today.isoformat())


@console()
@require_GET
def movements(request: StaffRequest) -> HttpResponse:
    """Opening, movements, closing, month by month."""
    needs_insight(request)
    current = finance.this_month(request.merchant, request.now)
    last = min(finance_pages.month_of(request.GET.get("to", ""), current), current)
    first = finance_pages.month_of(request.GET.get("from", ""), last - SPAN + 1)
    first = max(min(first, last), last - 5 * SPAN + 1)
    name = f"{months.label(first)}-{months.label(last)}"

    def make() -> Report:
        return finance_report.movements(request.merchant, first, last, request.now, words.language())

    report = finance_pages.kept(request, f"movements:{name}:{_hour(request)}", make)
    return _page(
        request, report, name, first=months.label(first), last=months.label(last), current=months.label(current)
    )


@console()
@require_GET
def breakage(request: StaffRequest) -> HttpResponse:
    """What becomes of each month's points, and how much will be used in the end."""
    needs_insight(request)
    return _whole(request, "breakage", finance_report.breakage)


@console()
@require_GET
def deferral(request: StaffRequest) -> HttpResponse:
    """Deferred revenue or provision, month by month."""
    needs_insight(request)
    today = day_of(request.now, request.merchant.tz)
    day = finance_pages.day_of(request.GET.get("at", ""), today, latest=today)

    def make(*told: Any) -> Report:
        return finance_report.deferral(request.merchant, day, request.now, words.language())

    return _whole(request, f"deferral:{day}", make, day=day.isoformat(), today=today.isoformat())


@console()
@require_GET
def lapsing(request: StaffRequest) -> HttpResponse:
    """What lapses in the months ahead."""
    needs_insight(request)
    return _whole(request, "lapsing", finance_report.lapsing)


@console()
@require_GET
def entries(request: StaffRequest) -> HttpResponse:
    """Entries of a month, closing it, and how points are booked."""
    needs_insight(request)
    return _entries(request, {})


def _entries(request: StaffRequest, boxes: dict[str, str], problem: str = "") -> HttpResponse:
    merchant, now = request.merchant, request.now
    current = finance.this_month(merchant, now)
    last = finance.last_closed(merchant)
    usual = last.month + 1 if last else current - 1
    month = finance_pages.month_of(request.GET.get("month", ""), min(usual, current))
    chosen = finance.policy(merchant)
    per = request.GET.get("per", "")
    per = per if per in ("month", "day") else chosen.per
    label = months.label(month)
    context: dict[str, Any] = {
        "month": label,
        "current": months.label(current),
        "per": per,
        "closed": [(months.label(c.month), c.closed_at, c.closed_by) for c in finance.closed_months(merchant)],
        "whole": finance.chain_is_whole(merchant),
        "may_close": shops.may(request.staff, "close"),
        "refused": finance.may_close(merchant, month, now),
        "is_closed": any(c.month == month for c in finance.closed_months(merchant)),
        "problem": problem,
        "form": finance_pages.policy_form(chosen, boxes),
    }

    def make() -> Report:
        return finance_report.entries(merchant, month, now, words.language(), per)

    try:
        report = finance_pages.kept(request, f"entries:{label}:{per}:{_hour(request)}", make)
    except finance.NotInTheBooks as refused:
        return _empty(request, "entries", refused.say(words.language()), **context)
    except finance.NothingIssued:
        return _empty(request, "entries", _("No points have been issued up to then."), **context)
    return _page(request, report, label, **context)


@console()
@require_POST
def close(request: StaffRequest) -> HttpResponse:
    """Close a month for ever."""
    if not shops.may(request.staff, "close"):
        raise PermissionDenied
    label = request.POST.get("month", "")
    try:
        month = months.read(label)
        close_month(merchant=request.merchant, month=month, now=request.now, actor=request.staff.username)
        messages.success(request, _("%(month)s is closed. Its entries do not change any more.") % {"month": label})
    except (finance.CannotClose, months.NotAMonth, finance.NothingIssued):
        messages.error(request, _("%(month)s cannot be closed now: months are closed in turn, once they are over.") % {"month": label[:20]})  # fmt: skip
        return redirect("console:finance-entries")
    return redirect(f"{reverse('console:finance-entries')}?month={label}")


@console()
@require_POST
def policy(request: StaffRequest) -> HttpResponse:
    """How points are put into the books, from the next open month on."""
    if not shops.may(request.staff, "close"):
        raise PermissionDenied
    boxes = {name: str(value)[:60] for name, value in request.POST.items()}
    try:
        chosen = policies.of(finance_pages.read_policy(boxes))
    except policies.BadPolicy as error:
        answer = _entries(request, boxes, finance_pages.complaint(error.field))
        answer.status_code = 422
        return answer
    set_finance_policy(merchant=request.merchant, policy=chosen, now=request.now, actor=request.staff.username)
    messages.success(request, _("Kept. From the next open month on points are booked this way."))
    return redirect("console:finance-entries")


def _whole(request: StaffRequest, name: str, make: Callable[..., Report], **context: Any) -> HttpResponse:
    key = name.split(":")[0]
    try:
        report = finance_pages.kept(
            request, f"{name}:{_hour(request)}", lambda: make(request.merchant, request.now, words.language())
        )
    except finance.NothingIssued:
        return _empty(request, key, _("No points have been issued yet."), **context)
    return _page(request, report, f"{day_of(request.now, request.merchant.tz)}", **context)


def _page(request: StaffRequest, report: Report, name: str, **context: Any) -> HttpResponse:
    file = finance_pages.download(request, report, name)
    if file is not None:
        return file
    currency = request.merchant.currency
    context |= {
        "tab": report.key,
        "tabs": finance_pages.TABS,
        "title": report.title,
        "told": report.told,
        "figures": finance_pages.figures(report, currency),
        "notes": report.notes,
        "tables": finance_pages.shown(report, currency),
        "ok": report.ok,
        "checked": last_verification(request.merchant),
    }
    return render(request, "console/finance.html", context)


def _empty(request: StaffRequest, key: str, text: str, **context: Any) -> HttpResponse:
    title = {tab: label for tab, _url, label in finance_pages.TABS}[key]
    context |= {"tab": key, "tabs": finance_pages.TABS, "title": title, "empty": text, "ok": True}
    context |= {"checked": last_verification(request.merchant)}
    return render(request, "console/finance.html", context)


def _hour(request: StaffRequest) -> str:
    """What is told "as of now" is worked out anew within ten minutes."""
    return f"{request.now - timedelta(minutes=request.now.minute % 10):%d%H%M}"


def needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
