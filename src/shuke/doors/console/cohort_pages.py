"""The pieces of the cohorts page: the triangle with its lists, all cohorts together, the parts of the shop beside each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from shuke.doors.console import charts
from shuke.doors.console.board import members_url
from shuke.doors.console.figure_table import Cell, Table, figure, name
from shuke.doors.console.growth_pages import SHOWN_PARTS, part_name
from shuke.engine.insight.growth import Stretch
from shuke.insight.queries.growth import NONE, CohortReport, Part
from shuke.kit import money

SHOWS = ("retention", "orders", "spend")
MOST_SHOWN = 24  # cohorts, and stretches after the first
BESIDE = (1, 2, 3, 6, 12)
FRAME = charts.Frame(width=560, height=220, left=52, right=8, top=14, bottom=30)


def shows() -> dict[str, str]:
    return {
        "retention": _("Who came again"),
        "orders": _("Order days per head"),
        "spend": _("Net spend per head so far"),
    }


def meaning(show: str) -> str:
    head = _(
        "Everybody by the time of the first purchase; +n is the n-th period after it. Periods that are not over are blank: nobody can know them yet."
    )
    told = {
        "retention": _("The share of the cohort that bought in that period."),
        "orders": _("Days with a purchase in that period, per customer of the cohort."),
        "spend": _("Net spend up to and with that period, per customer of the cohort, one-time buyers counted too. Refunds are taken off the sale."),
    }[show]  # fmt: skip
    return f"{head} {told}"


def triangle(report: CohortReport, part: Part, show: str, currency: str) -> Table:
    """Newest cohorts first; each cell opens to those of the cohort who bought then."""
    found = report.cohorts.triangle(part.number)
    listed = {np.datetime64(one.first): at for at, one in enumerate(report.cohorts.listed)}
    values = {"retention": found.retention, "orders": found.orders_per_head, "spend": found.spend_per_head}[show]
    width = min(values.shape[1], MOST_SHOWN + 1)
    later = values[:, 1:width] if show != "spend" else values[:, :width]
    most = float(np.nanmax(later, initial=0)) if not np.isnan(later).all() else 0.0
    rows = []
    for i in range(len(found.months) - 1, max(len(found.months) - 1 - MOST_SHOWN, -1), -1):
        at = listed[found.months[i]]
        start = report.cohorts.listed[at]
        size = int(found.size[i])
        row = [
            name(_("%(days)s so far") % {"days": start.label} if start.partial else start.label),
            figure(f"{size:,}", _members(report, part, start), size),
        ]
        for since in range(width):
            value, buyers = values[i, since], found.buyers[i, since]
            row.append(_cell(report, part, show, currency, start, at, since, value, buyers, size, most))
        rows.append(row)
    hidden = len(found.months) - len(rows)
    heads = [(_("First bought"), False), (_("Customers"), True), *((f"+{since}", True) for since in range(width))]
    note = _("%(n)s older cohorts are not shown.") % {"n": hidden} if hidden else ""
    if hidden and show == "retention":
        note += " " + _("They count in the row of all.")
    return Table(
        shows()[show], heads if rows else heads[:2], rows, meaning(show), note, key="triangle",
        total=_together(report, part, width) if show == "retention" and rows else None,
    )  # fmt: skip


def _cell(
    report: CohortReport, part: Part, show: str, currency: str, start: Stretch, at: int, since: int,
    value: float, buyers: float, size: int, most: float,
) -> Cell:  # fmt: skip
    if np.isnan(value):
        return Cell("", tone="blank")
    tone = f"heat-{charts.heat(float(value), most)}" if since or show == "spend" else "heat-0"
    if show == "spend":
        digits = 10 ** money.digits(currency)
        return figure(
            money.show(round(value), currency), _members(report, part, start), size, round(value) / digits, tone
        )
    told = f"{value:.0%}" if show == "retention" else f"{value:.2f}"
    url = _members(report, part, start, report.cohorts.listed[at + since] if since else None)
    return figure(told, url, int(buyers), round(float(value), 4), tone)


def _together(report: CohortReport, part: Part, width: int) -> list[Cell]:
    """All cohorts that have been seen that long."""
    whole, came = report.cohorts.together(part.number, width - 1)
    row = [name(_("All")), figure(f"{whole:,}", _members(report, part, None), whole)]
    for since, one in enumerate(came):
        if one.rate is None:
            row.append(Cell(""))
        elif since == 0:
            row.append(figure(f"{one.rate:.0%}", _members(report, part, _seen(report, since)), one.whole, one.rate))
        else:
            row.append(Cell(f"{one.rate:.1%}", value=one.rate, plain="mean"))
    return row


def _seen(report: CohortReport, since: int) -> Stretch:
    """From the first cohort to the last that has been seen so long, as one stretch."""
    listed, last = report.cohorts.listed, report.cohorts.ended - since - 1
    return Stretch("", listed[0].first, listed[last].last, False)


def compared(report: CohortReport, url_of: Callable[[Part], str]) -> Table:
    """Parts of the shop beside each other: who came again how soon, over all cohorts seen that long."""
    rows = []
    for part in report.parts[:SHOWN_PARTS]:
        whole, came = report.cohorts.together(part.number, max(BESIDE))
        cells = [
            Cell("" if came[n].rate is None else f"{came[n].rate:.1%}", value=came[n].rate, plain="mean")
            for n in BESIDE
        ]
        rows.append(
            [
                name(part_name(part, report.by), url_of(part)),
                figure(f"{whole:,}", _members(report, part, None), whole),
                *cells,
            ]
        )
    heads = {"store": _("First bought in"), "channel": _("First bought on"), "acquisition": _("Came by")}
    left = len(report.parts) - len(rows)
    return Table(
        _("Side by side"), [(heads[report.by], False), (_("Customers"), True), *((f"+{n}", True) for n in BESIDE)], rows, meaning("retention"),
        _("%(n)s smaller ones are not shown.") % {"n": left} if left else "", key="parts",
    )  # fmt: skip


def curve(report: CohortReport, part: Part) -> dict[str, Any] | None:
    """The share that came again n periods after the first purchase, all cohorts together; None where nothing was seen yet."""
    _whole, came = report.cohorts.together(part.number, min(len(report.cohorts.listed) - 1, MOST_SHOWN))
    rates = [one.rate for one in came[1:] if one.rate is not None]
    if not rates:
        return None
    top, step = charts.nice_top(max(rates) * 100)
    return {
        "frame": FRAME,
        "ticks": [(t.at, f"{t.value:g}%") for t in charts.ticks(top, step, FRAME)],
        "columns": [
            (bar, f"+{n}", _("%(came)s of %(whole)s: %(rate)s") % {"came": f"{came[n].came:,}", "whole": f"{came[n].whole:,}", "rate": f"{rate:.1%}"})
            for n, (bar, rate) in enumerate(zip(charts.bars([r * 100 for r in rates], top, FRAME), rates, strict=True), start=1)
        ],
        "nth": charts.every(len(rates), 8),
        "end": charts.one(FRAME.width - FRAME.right),
        "label_y": charts.one(FRAME.height - 8),
    }  # fmt: skip


def _members(report: CohortReport, part: Part, start: Stretch | None, later: Stretch | None = None) -> str:
    """Who first bought then (None: ever) in this part, and again in a later stretch."""
    first, last = (
        (start.first, start.last) if start else (report.cohorts.listed[0].first, report.cohorts.listed[-1].last)
    )
    asked: dict[str, Any] = {"first": f"{first}..{last}"}
    if report.by == "acquisition":
        asked["by"] = part.key
    elif report.by and part.key != NONE:
        asked["first_on" if report.by == "channel" else "first_in"] = part.key
    if later is not None:
        asked["paid"] = f"{later.first}..{later.last}"
    return members_url(**asked)
