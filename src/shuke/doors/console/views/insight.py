"""Insight beyond the dashboard: RFM cut points with a preview, and who moved between two days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import board, figure_table, insight_pages, pyramid_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.dashboard import books
from shuke.engine.insight.rfm import BadCutPoints, RfmCuts
from shuke.insight import actions
from shuke.insight.queries import cut_points, transitions
from shuke.insight.queries import figures as insight
from shuke.kit import numbers
from shuke.loyalty.queries import expiring
from shuke.shops import queries as shops

KEPT_SECONDS = 600
MAY_CUT = "adjust"  # owner and managers; everybody with insight may look and try


@console()
@require_http_methods(["GET", "POST"])
def rfm(request: StaffRequest) -> HttpResponse:
    """The cut points in force, other ones to try, and those that were. Sending the form publishes."""
    _needs_insight(request)
    figures = insight.latest(request.merchant)
    in_force = cut_points.in_force(request.merchant)
    if figures is None or in_force is None or not figures["kpi"]["buyers"]:
        return render(request, "console/insight_empty.html", {"tab": "rfm"})
    told = board.rfm(figures)
    tables = insight_pages.rfm_tables(told, request.merchant.currency)
    if (file := figure_table.download(request, tables, "rfm")) is not None:
        return file
    if request.method == "POST" and not request.POST.get("preview"):
        answer = _publish(request, in_force)
        if answer is not None:
            return answer
    context = _trial(request, figures, in_force, request.POST) | {
        "tab": "rfm",
        "may_cut": shops.may(request.staff, MAY_CUT),
        "as_of": datetime.fromisoformat(figures["made_at"]),
        "day": figures["as_of"],
        "in_force": in_force,
        "lines": insight_pages.chapter_lines(in_force, request.merchant.currency),
        "next_on": figures["rfm"]["cuts"]["next_on"],
        "rfm": told,
        "published": cut_points.history(request.merchant, 1)[:1],
        "history": [
            (chapter, insight_pages.chapter_lines(chapter.cuts, request.merchant.currency))
            for chapter in cut_points.history(request.merchant, 40)
        ],
    }
    return render(request, "console/insight_rfm.html", context, status=422 if context["errors"] else 200)


@console()
@require_POST
def rfm_preview(request: StaffRequest) -> HttpResponse:
    """Only what the typed cut points would change, while they are typed."""
    _needs_insight(request)
    figures = insight.latest(request.merchant)
    in_force = cut_points.in_force(request.merchant)
    if figures is None or in_force is None:
        return HttpResponse(status=204)
    return render(request, "console/insight_rfm_preview.html", _trial(request, figures, in_force, request.POST))


def _trial(
    request: StaffRequest, figures: insight.Figures, in_force: RfmCuts, asked: Mapping[str, str]
) -> dict[str, Any]:
    """The form as typed (else as in force), what is wrong with it, or what it would change."""
    currency = request.merchant.currency
    boxes = insight_pages.typed(in_force, currency)
    tried = any(name in asked for name in insight_pages.FIELDS)
    if tried:
        boxes = {name: asked.get(name, "")[:20] for name in insight_pages.FIELDS}
    errors: dict[str, str] = {}
    then = None
    try:
        cuts = insight_pages.read_cuts(boxes, currency, fixed_on=in_force.fixed_on)
        then = cut_points.preview(request.merchant, cuts) if tried else None
    except BadCutPoints as error:
        if tried:
            errors[error.dimension] = insight_pages.complaint(error)
    return {
        "errors": errors,
        "dimensions": insight_pages.dimensions(boxes, errors, currency),
        "then": insight_pages.compared(figures, then) if then else None,
    }


def _publish(request: StaffRequest, in_force: RfmCuts) -> HttpResponse | None:
    """Make the typed cut points (or learnt ones) those of the shop; None when they cannot be."""
    if not shops.may(request.staff, MAY_CUT):
        raise PermissionDenied
    merchant, now, actor = request.merchant, request.now, request.staff.username
    if request.POST.get("learn"):
        actions.learn_cut_points(merchant=merchant, now=now, actor=actor)
        messages.success(request, _("The cut points are learnt from your members again, and made anew every month."))
        return redirect("console:insight-rfm")
    try:
        cuts = insight_pages.read_cuts(request.POST, merchant.currency, fixed_on=in_force.fixed_on)
        actions.set_cut_points(merchant=merchant, cuts=cuts, now=now, actor=actor)
    except BadCutPoints:
        return None  # the page says which
    messages.success(request, _("Your cut points are in force. They stay until you change them or give them up."))
    return redirect("console:insight-rfm")


@console()
@require_GET
def movement(request: StaffRequest) -> HttpResponse:
    """Who stood where on two days: a table whose every cell opens to its members."""
    _needs_insight(request)
    days = insight.days(request.merchant)
    meant = transitions.between(days, _day(request.GET.get("since", "")), _day(request.GET.get("until", "")))
    if meant is None:
        return render(request, "console/insight_empty.html", {"tab": "movement"})
    since, until = meant
    what = request.GET.get("what", "")
    what = what if what in transitions.WHATS else "rfm"
    flows = _flows(request, what, since, until)
    figures = insight.latest(request.merchant)
    assert figures is not None
    table = insight_pages.matrix(flows, what, since, until)
    meaning = words.definition("transitions", figures)
    file = figure_table.download(request, [insight_pages.flow_table(table, what, meaning)], f"moved-{since}-{until}")
    if file is not None:
        return file
    context = {
        "tab": "movement",
        "as_of": datetime.fromisoformat(figures["made_at"]),
        "what": what,
        "whats": [("rfm", _("RFM classes")), ("layer", _("Pyramid")), ("stage", _("Life cycle"))],
        "days": [day.isoformat() for day in reversed(days)],
        "since": since.isoformat(),
        "until": until.isoformat(),
        "table": table,
        "all_url": board.members_url(joined=f"..{figures['as_of']}"),
        "flow": insight_pages.flow_chart(flows, what, since, until),
        "recut": cut_points.recut_days(request.merchant, since=since, until=until) if what == "rfm" else [],
        "definition": meaning,
    }
    return render(request, "console/insight_movement.html", context)


@console()
@require_GET
def pyramid(request: StaffRequest) -> HttpResponse:
    """How much of the revenue is known to be whose, who brings it, and whose members they are."""
    _needs_insight(request)
    figures = insight.latest(request.merchant)
    if figures is None or not figures["kpi"]["buyers"]:
        return render(request, "console/insight_empty.html", {"tab": "pyramid"})
    crossed = insight.layers_by_bond(request.merchant, figures)
    tables = pyramid_pages.tables(figures, crossed, request.merchant.currency)
    if (file := figure_table.download(request, tables, "pyramid")) is not None:
        return file
    context = {
        "tab": "pyramid",
        "as_of": datetime.fromisoformat(figures["made_at"]),
        "day": figures["as_of"],
        "tiles": board.concentration(figures),
        "pyramid": board.pyramid(figures),
        "tables": tables,
        "missing": insight.why_missing({**figures, "missing": [one for one in figures["missing"] if "pyramid" in one["figures"]]}, words.language()),
    }  # fmt: skip
    return render(request, "console/insight_pyramid.html", context)


def _flows(request: StaffRequest, what: str, since: date, until: date) -> list[insight.Flow]:
    """Changes with a snapshot only, so it is counted once for each."""
    key = f"console:went:{request.merchant.pk}:{what}:{since}:{until}:{insight.mark(request.merchant)}"
    found = cache.get(key)
    if found is None:
        found = transitions.transitions(request.merchant, what=what, since=since, until=until)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@console()
@require_GET
def points(request: StaffRequest) -> HttpResponse:
    """The points liability by month of expiry, as the night added it up; of one month every lot, as it is now."""
    _needs_insight(request)
    merchant, now = request.merchant, request.now
    owed, _tiers, people = books(insight.latest(merchant), merchant, now)
    months = [month or expiring.NEVER for month, _points, _money in owed.by_month]
    month = request.GET.get("month", "")
    month = month if month in months else ""
    number = request.GET.get("page", "1")
    page = min(max(numbers.whole(number) or 1, 1), 10_000)
    context: dict[str, Any] = {
        "tab": "points",
        "owed": owed,
        "rows": [
            (
                key or expiring.NEVER,
                amount,
                cost,
                people.get(key),
                board.members_url(expires=key or expiring.NEVER, sort="-points"),
            )
            for key, amount, cost in owed.by_month
        ],
        "month": month,
        "people_url": board.members_url(points_from=1, sort="-points"),
    }
    if month:
        size = 50
        number_of_lots, in_lots = expiring.totals(merchant, month, now)
        context |= {
            "lots": expiring.lots(merchant, month, now, offset=(page - 1) * size, size=size),
            "lot_count": number_of_lots,
            "lot_points": in_lots,
            "page": page,
            "more": number_of_lots > page * size,
        }
    return render(request, "console/insight_points.html", context)


def _needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
