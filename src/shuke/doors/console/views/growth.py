"""Growth over chosen days, and cohorts, by store, channel or way of acquisition."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuke.doors.console import cohort_pages, figure_table, growth_pages
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.insight.growth import GRAINS, TooManyStretches
from shuke.engine.insight.port import EngineFailed, EngineStopped
from shuke.insight.queries import figures as insight
from shuke.insight.queries import growth as told
from shuke.insight.queries.analytics import PAGE
from shuke.shops import queries as shops

LOG = logging.getLogger(__name__)
KEPT_SECONDS = 3600
Report = TypeVar("Report", told.GrowthReport, told.CohortReport)


@console()
@require_GET
def growth(request: StaffRequest) -> HttpResponse:
    """New members, buyers, repeat, churn, baskets by period, and parts of the shop beside each other."""
    _needs_insight(request)
    grain, by = _chosen(request, "grain", GRAINS, "month"), _chosen(request, "by", told.DIVISIONS, "")
    since, until = _asked_days(request)
    wrong = ""
    try:
        report = _kept(request, f"{since}:{until}:{grain}:{by}", lambda: told.growth(request.merchant, since=since, until=until, grain=grain, by=by, within=PAGE))  # fmt: skip
    except insight.NoFigures:
        return render(request, "console/insight_empty.html", {"tab": "growth"})
    except EngineFailed as error:
        return _failed(request, "growth", error)
    except (told.BadQuestion, TooManyStretches) as error:
        wrong = _wrong(error)
        report = told.growth(request.merchant, by=by)
        grain, since, until = report.grain, None, None
    part = _part(report, request.GET.get("part", ""))
    show = _chosen(request, "show", tuple(growth_pages.DRAWN), "buyers")
    currency = request.merchant.currency
    tables = []
    if by and part is None:
        tables.append(growth_pages.compared(report, currency, lambda one: _only(request, one)))
    else:
        assert part is not None
        tables.append(growth_pages.course(report, part, currency))
    if (file := figure_table.download(request, tables, "growth")) is not None:
        return file
    context = _frame(request, report, part) | {
        "tab": "growth",
        "wrong": wrong,
        "grain": grain,
        "grains": _grains(GRAINS),
        "since": report.since,
        "until": report.until,
        "usual": f"{report.since}..{report.until}" if (since, until) == (None, None) else "",
        "show": show,
        "shows": [(key, growth_pages.label(key)) for key in growth_pages.DRAWN],
        "tables": tables,
        "tiles": growth_pages.tiles(report, part, growth_pages.reasons(report)) if part else [],
        "chart": growth_pages.chart(report, part, show, currency) if part else None,
    }
    return render(request, "console/insight_growth.html", context)


@console()
@require_GET
def cohorts(request: StaffRequest) -> HttpResponse:
    """Who bought first when, and how many of them came again."""
    _needs_insight(request)
    grain = _chosen(request, "grain", told.COHORT_GRAINS, "month")
    by = _chosen(request, "by", told.DIVISIONS, "")
    wrong = ""
    try:
        report = _kept(
            request, f"cohorts:{grain}:{by}", lambda: told.cohorts(request.merchant, grain=grain, by=by, within=PAGE)
        )
    except insight.NoFigures:
        return render(request, "console/insight_empty.html", {"tab": "cohorts"})
    except EngineFailed as error:
        return _failed(request, "cohorts", error)
    except TooManyStretches as error:
        wrong, grain = _wrong(error), "month"
        report = told.cohorts(request.merchant, grain=grain, by=by)
    part = _part(report, request.GET.get("part", ""))
    show = _chosen(request, "show", cohort_pages.SHOWS, "retention")
    if by and part is None:
        tables = [cohort_pages.compared(report, lambda one: _only(request, one))]
    else:
        assert part is not None
        tables = [cohort_pages.triangle(report, part, show, request.merchant.currency)]
    if (file := figure_table.download(request, tables, "cohorts")) is not None:
        return file
    context = _frame(request, report, part) | {
        "tab": "cohorts",
        "wrong": wrong,
        "grain": grain,
        "grains": _grains(told.COHORT_GRAINS),
        "show": show,
        "shows": list(cohort_pages.shows().items()),
        "tables": tables,
        "curve": cohort_pages.curve(report, part) if part else None,
        "curve_definition": cohort_pages.meaning("retention"),
    }
    return render(request, "console/insight_cohorts.html", context)


def _failed(request: StaffRequest, tab: str, error: EngineFailed) -> HttpResponse:
    LOG.error("%s: %s", request.path, error)
    context = {"tab": tab, "too_long": isinstance(error, EngineStopped), "seconds": PAGE}
    return render(request, "console/insight_failed.html", context, status=503)


def _frame(
    request: StaffRequest, report: told.GrowthReport | told.CohortReport, part: told.Part | None
) -> dict[str, Any]:
    """What both pages show around their figures."""
    figures = insight.latest(request.merchant)
    assert figures is not None
    return {
        "as_of": report.made_at,
        "day": report.as_of,
        "first_day": figures["history"]["first_day"],
        "by": report.by,
        "divisions": [
            ("", _("the whole shop")), ("store", _("by store")), ("channel", _("by channel")), ("acquisition", _("by acquisition")),
        ],
        "parts": [(one.key, growth_pages.part_name(one, report.by)) for one in report.parts if one.key != told.GUEST_KEY] if report.by else [],
        "part": part.key if part else "",
        "part_name": growth_pages.part_name(part, report.by) if part and report.by else "",
    }  # fmt: skip


def _part(report: told.GrowthReport | told.CohortReport, key: str) -> told.Part | None:
    """The part asked for; the whole shop where it is not divided, nothing where all parts are meant."""
    if not report.by:
        return told.Part(0, "", "")
    return next((one for one in report.parts if one.key == key and one.key != told.GUEST_KEY), None)


def _only(request: StaffRequest, part: told.Part) -> str:
    """The same page, of one part."""
    asked = {
        name: request.GET[name] for name in ("since", "until", "usual", "grain", "by", "show") if request.GET.get(name)
    }
    return "?" + urlencode(asked | {"part": part.key})


def _grains(grains: tuple[str, ...]) -> list[tuple[str, str]]:
    names = {
        "day": _("by day"),
        "week": _("by week"),
        "month": _("by month"),
        "quarter": _("by quarter"),
        "year": _("by year"),
    }
    return [(grain, names[grain]) for grain in grains]


def _wrong(error: Exception) -> str:
    if isinstance(error, TooManyStretches):
        return _("These would be %(count)s periods, and a table shows at most %(most)s. Choose a coarser grain or fewer days.") % {
            "count": f"{error.count:,}", "most": error.most,
        }  # fmt: skip
    return _("The first day lies after the last. The last year is shown.")


def _kept(request: StaffRequest, asked: str, make: Callable[[], Report]) -> Report:
    """Changes with a snapshot only, so each question is worked out once."""
    key = f"console:growth:{request.merchant.pk}:{insight.mark(request.merchant)}:{asked}"
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found  # type: ignore[no-any-return]


def _chosen(request: StaffRequest, name: str, among: tuple[str, ...], usual: str) -> str:
    asked = request.GET.get(name, usual)
    return asked if asked in among else usual


def _asked_days(request: StaffRequest) -> tuple[date | None, date | None]:
    """The days somebody chose; None, None where the form only says again what the page had put into it: then the usual days are
    meant, whatever the grain, and the night has stored those."""
    first, last = request.GET.get("since", ""), request.GET.get("until", "")
    if request.GET.get("usual") == f"{first}..{last}":
        return None, None
    return _day(first), _day(last)


def _day(text: str) -> date | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None


def _needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
