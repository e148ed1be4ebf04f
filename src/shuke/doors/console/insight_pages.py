"""The pieces of the insight pages: cut points as a form, what others would change, and who went where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from math import ceil, floor
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from shuke.doors.console import charts, words
from shuke.doors.console.board import members_url
from shuke.doors.console.figure_table import Cell, Table, figure, name
from shuke.engine.insight.lifecycle import STAGES
from shuke.engine.insight.pyramid import LAYERS
from shuke.engine.insight.rfm import CLASSES, BadCutPoints, Cuts, RfmCuts, Tally
from shuke.insight.queries.figures import Flow
from shuke.kit import money

DIMENSIONS = ("r", "f", "m")
FIELDS = tuple(f"{d}{step}" for d in DIMENSIONS for step in ("2", "3", "4", "5", "_two"))
MOST = 10**12  # larger than any real bound, smaller than a database column
ORDERS: dict[str, tuple[str, ...]] = {
    "rfm": CLASSES,
    "layer": LAYERS,
    "stage": ("stable", "forming", "observing", "degrading", "lost"),
}
assert set(ORDERS["stage"]) == set(STAGES)


class Field(NamedTuple):
    """One bound as its box shows it."""

    name: str
    score: str  # "5" … "2", or "two"
    value: str


class Dimension(NamedTuple):
    key: str
    name: str
    unit: str
    hint: str
    fields: list[Field]  # scores 5 … 2, then the bound of high and low
    error: str


class Line(NamedTuple):
    """One class before and after."""

    code: str
    name: str
    now: int
    then: int

    @property
    def change(self) -> int:
        return self.then - self.now


def typed(cuts: RfmCuts, currency: str) -> dict[str, str]:
    """The form's boxes for these cut points; money as people write it.

    A learnt bound of high and low is a mean, with a fraction that no member can have: the whole number that parts the
    members alike is shown in its place.
    """
    found = {}
    for key, one in zip(DIMENSIONS, (cuts.recency, cuts.frequency, cuts.money), strict=True):
        for step, bound in zip(("2", "3", "4", "5", "_two"), (*one.steps, one.two), strict=True):
            whole = None if bound is None else floor(bound) if key == "r" else ceil(bound)
            found[key + step] = _written(whole, money.digits(currency) if key == "m" else 0)
    return found


def _written(bound: int | None, digits: int) -> str:
    return "" if bound is None else f"{Decimal(bound).scaleb(-digits):.{digits}f}"


def read_cuts(boxes: Mapping[str, str], currency: str, *, fixed_on: date) -> RfmCuts:
    """Cut points as typed. Raises BadCutPoints, which names the dimension that cannot be read."""
    ones = {}
    for key in DIMENSIONS:
        bounds = [_read(boxes.get(key + name, ""), key, currency) for name in ("2", "3", "4", "5", "_two")]
        two, five, four, three, low = bounds[4], bounds[3], bounds[2], bounds[1], bounds[0]
        ones[key] = Cuts((low, three, four, five), two)
    return RfmCuts(fixed_on, ones["r"], ones["f"], ones["m"], own=True)


def _read(text: str, key: str, currency: str) -> float | None:
    """A number people type, with or without grouping; whole for days, whole minor units for money."""
    plain = text.strip().replace(",", "").replace("，", "")
    if not plain:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        number = Decimal(-1)
    if key == "m" and number.is_finite():
        number = number.scaleb(money.digits(currency))
    if not number.is_finite() or not 0 <= number <= MOST:
        raise BadCutPoints(key, "number", f"{text.strip()[:40]!r} is no number for {key.upper()}.")
    return int(number) if number == int(number) else float(number)


def complaint(error: BadCutPoints) -> str:
    """What is wrong with one dimension, for the person who typed it."""
    if error.code == "incomplete":
        return _("All five bounds are needed.")
    if error.code == "number":
        return _("A number is needed here, 0 or more.")
    if error.dimension == "r":
        return _("For recency fewer days are better: the bounds must fall from score 2 to score 5.")
    return _("The bounds must rise from score 2 to score 5.")


def dimensions(boxes: Mapping[str, str], errors: Mapping[str, str], currency: str) -> list[Dimension]:
    """The three rows of the form, scores 5 … 2 and then high and low."""
    told = (
        ("r", _("R: recency"), _("days"), _("Days since the last order, at most")),
        ("f", _("F: frequency"), _("order days"), _("Days with a purchase, at least")),
        ("m", _("M: money"), money.SYMBOLS.get(currency, currency), _("Net spend of all time, at least")),
    )
    return [
        Dimension(
            key,
            name,
            unit,
            hint,
            [
                *(Field(f"{key}{score}", str(score), boxes.get(f"{key}{score}", "")) for score in (5, 4, 3, 2)),
                Field(f"{key}_two", "two", boxes.get(f"{key}_two", "")),
            ],
            errors.get(key, ""),
        )
        for key, name, unit, hint in told
    ]


def compared(figures: dict[str, Any], then: Tally) -> dict[str, Any]:
    """What other cut points would make of the members, beside how they stand now."""
    now = {row["code"]: row["count"] for row in figures["rfm"]["classes"]}
    people = sum(now.values())
    by_score: dict[str, dict[int, int]] = {d: dict.fromkeys(range(1, 6), 0) for d in DIMENSIONS}
    for cell in figures["rfm"]["map"]:
        by_score["r"][cell["r"]] += cell["count"]
        by_score["f"][cell["f"]] += cell["count"]
    for row in figures["rfm"]["monetary"]:
        by_score["m"][row["m"]] += row["count"]
    return {
        "classes": [Line(code, words.rfm_class(code), now[code], then.classes[code]) for code in CLASSES],
        "scores": [
            (d.upper(), [Line(str(s), "", by_score[d][s], getattr(then, d)[s - 1]) for s in range(5, 0, -1)])
            for d in DIMENSIONS
        ],
        "people": people,
        "most": max(people, 1),
    }


def chapter_lines(cuts: RfmCuts, currency: str) -> list[tuple[str, str, str]]:
    """(dimension, bounds of scores 5 … 2, high from) of one set of cut points, written."""
    boxes = typed(cuts, currency)
    found = []
    for key, sign in (("r", "≤"), ("f", "≥"), ("m", "≥")):
        steps = " · ".join(boxes[f"{key}{score}"] or "–" for score in (5, 4, 3, 2))
        found.append((key.upper(), f"{sign} {steps}", f"{sign} {boxes[f'{key}_two']}" if boxes[f"{key}_two"] else "–"))
    return found


class Box(NamedTuple):
    """One cell of the table of who went where. `tone`: same | up | down | new."""

    members: int
    url: str
    tone: str
    label: str


def matrix(flows: list[Flow], what: str, since: date, until: date) -> dict[str, Any]:
    """Rows: where members stood at the end of `since`; columns: where at the end of `until`; best first, none last."""
    order = [*ORDERS[what]]
    counts = {(flow.before, flow.after): flow.members for flow in flows}
    befores = [*order, *([""] if any(b == "" for b, _a in counts) else [])]
    afters = [*order, *([""] if any(a == "" for _b, a in counts) else [])]
    rows: list[dict[str, Any]] = []
    for before in befores:
        cells = [_box(counts.get((before, after), 0), order, what, before, after, since, until) for after in afters]
        stood = members_url(stood=f"{what}:{before}:{since}")
        rows.append(
            {
                "code": before,
                "name": place(what, before),
                "cells": cells,
                "sum": sum(c.members for c in cells),
                "url": stood,
            }
        )
    columns = [
        {
            "code": after,
            "name": place(what, after),
            "sum": sum(counts.get((b, after), 0) for b in befores),
            "url": members_url(stood=f"{what}:{after}:{until}"),
        }
        for after in afters
    ]
    boxes: list[Box] = [box for row in rows for box in row["cells"]]
    return {
        "rows": rows,
        "columns": columns,
        **{tone: sum(box.members for box in boxes if box.tone == tone) for tone in ("same", "up", "down", "new")},
        "all": sum(box.members for box in boxes),
    }


def place(what: str, code: str) -> str:
    """Where somebody stands, "" included."""
    if code:
        return {"rfm": words.rfm_class, "layer": words.layer, "stage": words.stage}[what](code)
    return _("not a member yet") if what == "layer" else _("nothing bought yet")


def _box(count: int, order: list[str], what: str, before: str, after: str, since: date, until: date) -> Box:
    if before == after:
        tone = "same"
    elif not before or not after:
        tone = "new"
    else:
        tone = "up" if order.index(after) < order.index(before) else "down"
    return Box(
        count,
        members_url(moved=f"{what}:{before}:{after}:{since}:{until}"),
        tone,
        f"{place(what, before)} → {place(what, after)}",
    )


FLOW = charts.Frame(width=560, height=380, left=120, right=120, top=6, bottom=6)


def flow_chart(flows: list[Flow], what: str, since: date, until: date) -> dict[str, Any] | None:
    """The same as the table, drawn: from where members stood on the left to where they stand on the right."""
    counts = {(flow.before, flow.after): flow.members for flow in flows}
    places = {code for pair in counts for code in pair}
    order = [*ORDERS[what], *([""] if "" in places else [])]
    left, right, bands = charts.flow(counts, order, FLOW)
    if not bands:
        return None

    def label(code: str) -> str:
        return code if what == "rfm" and code else place(what, code)

    drawn = []
    for band in bands:
        box = _box(band.size, order, what, band.before, band.after, since, until)
        drawn.append((band.path, box))
    return {
        "frame": FLOW,
        "left": [(node, label(node.key)) for node in left],
        "right": [(node, label(node.key)) for node in right],
        "bands": drawn,
        "x_left": charts.one(FLOW.left),
        "x_right": charts.one(FLOW.width - FLOW.right - 10),
        "label_left": charts.one(FLOW.left - 8),
        "label_right": charts.one(FLOW.width - FLOW.right + 8),
    }


def rfm_tables(rfm: dict[str, Any], currency: str) -> list[Table]:
    """The map and the eight classes (`board.rfm`) as rows and columns, for a file."""
    unit = 10 ** money.digits(currency)

    def spent(minor: int, url: str, members: int) -> Cell:
        return figure(money.show(minor, currency), url, members, minor / unit)

    heads = [(_("Members"), True), (_("Net spend"), True)]
    cells = [
        [
            name(f"R{cell.r}"), Cell(row.label, number=False), name(f"F{cell.f}"), Cell(column, number=False),
            figure(f"{cell.members:,}", cell.url, cell.members), spent(cell.net_minor, cell.url, cell.members),
        ]
        for row in rfm["rows"]
        for cell, (_f, column) in zip(row.cells, rfm["columns"], strict=True)
    ]  # fmt: skip
    classes = [
        [
            name(f"{one['code']} {one['name']}", one["url"]), figure(f"{one['count']:,}", one["url"], one["count"]),
            spent(one["net_minor"], one["url"], one["count"]), Cell(one["strategy"], number=False),
        ]
        for one in rfm["classes"]
    ]  # fmt: skip
    meaning = rfm["definition"]
    sides = [("R", False), (_("Last purchase"), False), ("F", False), (_("Purchases"), False)]
    return [
        Table(_("RFM map"), [*sides, *heads], cells, meaning, key="map"),
        Table(
            _("Eight classes and what to do"), [(_("RFM class"), False), *heads, (_("What to do"), False)], classes, meaning,
            key="classes",
        ),
    ]  # fmt: skip


def flow_table(table: dict[str, Any], what: str, meaning: str) -> Table:
    """Who went where as rows and columns, for a file."""

    def said(one: dict[str, Any]) -> str:
        return f"{one['code']} {one['name']}" if what == "rfm" and one["code"] else one["name"]

    rows = [
        [
            name(said(row)),
            *(figure(f"{box.members:,}", box.url, box.members) for box in row["cells"]),
            figure(f"{row['sum']:,}", row["url"], row["sum"]),
        ]
        for row in table["rows"]
    ]
    heads = [(_("from ↓ to →"), False), *((said(column), True) for column in table["columns"]), (_("All"), True)]
    return Table(_("Who went where"), heads, rows, meaning, key=what)
