"""The pieces of the growth page: rows of figures with the lists behind them, and the chart of one figure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from shuke.doors.console import charts, words
from shuke.doors.console.board import members_url
from shuke.doors.console.board.shapes import Tile, compact, span
from shuke.doors.console.board.tiles import NOTHING
from shuke.doors.console.figure_table import BLANK, Cell, Table, figure, name
from shuke.engine.insight import kpi, wording
from shuke.engine.insight.growth import GUESTS, Growth
from shuke.insight.queries.growth import GUEST_KEY, NONE, GrowthReport, Part
from shuke.kit import money

FRAME = charts.Frame(width=560, height=240, left=56, right=8, top=14, bottom=30)
SHOWN_PARTS = 50


class Kind(NamedTuple):
    """How one figure is written; `drawn`: it can be asked for as the chart."""

    key: str
    kind: str  # count | money | rate | thousandths
    drawn: bool = True


KINDS = (
    Kind("members", "count", False), Kind("new_members", "count"), Kind("growth_rate", "rate", False), Kind("buyers", "count"),
    Kind("newcomers", "count", False), Kind("returning", "count", False), Kind("again_rate", "rate"), Kind("orders", "count"),
    Kind("net_minor", "money"), Kind("new_net_minor", "money", False), Kind("basket_minor", "money"), Kind("items_milli", "thousandths"),
    Kind("identified_rate", "rate", False), Kind("active", "count"), Kind("active_rate", "rate", False), Kind("churn_rate", "rate"),
    Kind("repeat_rate", "rate"),
)  # fmt: skip
DRAWN = [kind.key for kind in KINDS if kind.drawn]
TILES = ("new_members", "buyers", "net_minor", "basket_minor", "items_milli", "again_rate", "repeat_rate", "churn_rate")
ICONS = {
    "new_members": "user-plus", "buyers": "users", "net_minor": "coins", "basket_minor": "shopping-bag", "items_milli": "shopping-bag",
    "again_rate": "repeat", "repeat_rate": "repeat", "churn_rate": "user-minus",
}  # fmt: skip


def label(key: str) -> str:
    return words.said(wording.GROWTH[key][0])


def meaning(key: str) -> str:
    return words.said(wording.GROWTH[key][1], active_days=kpi.ACTIVE_DAYS, window_days=kpi.WINDOW_DAYS)


def meanings() -> str:
    return "\n".join(f"{label(kind.key)}: {meaning(kind.key)}" for kind in KINDS)


def part_name(part: Part, by: str) -> str:
    if part.key == GUEST_KEY:
        return _("Guests")
    if part.key == NONE and by:
        return _("not stated") if by == "acquisition" else _("no home store")
    return words.platform(part.name) if by == "channel" else part.name


def behind(key: str, row: Growth, by: str, part: Part) -> tuple[str, int]:
    """The list behind a figure, and how many it holds."""
    if part.number == GUESTS:
        return "", 0
    first, last = row.stretch.first, row.stretch.last
    bought, belongs = _places(by, part)
    days, active, window = f"{first}..{last}", kpi.ACTIVE_DAYS, kpi.WINDOW_DAYS
    now, earlier = span(last, active), f"..{first - timedelta(days=1)}"
    lists: dict[str, Callable[[], tuple[dict[str, Any], int | None]]] = {
        "members": lambda: ({"joined": f"..{last}"} | belongs, row.members),
        "new_members": lambda: ({"joined": days} | belongs, row.new_members),
        "newcomers": lambda: ({"first": days, "paid": days} | bought, row.newcomers),
        "returning": lambda: ({"first": earlier, "paid": days} | bought, row.returning),
        "again_rate": lambda: ({"paid": days, "paid_days": 2} | bought, row.came_again),
        "active": lambda: ({"paid": now} | bought, row.active),
        "churn_rate": lambda: ({"paid": span(last, 2 * active, active), "unpaid": now} | bought, row.churned),
        "repeat_rate": lambda: ({"paid": span(last, window), "paid_days": 2} | bought, row.repeat_buyers),
        "buyers": lambda: ({"paid": days, "sort": "-spent"} | bought, row.buyers),
    }
    same = {"growth_rate": "new_members", "new_net_minor": "newcomers", "active_rate": "active"}
    asked, members = lists.get(same.get(key, key), lists["buyers"])()
    return members_url(**asked), members or 0


def _places(by: str, part: Part) -> tuple[dict[str, Any], dict[str, Any]]:
    """Filters for who bought there, and for who belongs there."""
    if not by:
        return {}, {}
    if by == "acquisition":
        return {"by": part.key}, {"by": part.key}
    if part.key == NONE:
        return {}, {"store": "0"}
    if by == "channel":
        return {"bought_on": part.key}, {"home_on": part.key}
    return {"bought_in": part.key}, {"store": part.key}


def written(value: float | int | None, kind: str, currency: str) -> str:
    if value is None:
        return BLANK
    if kind == "money":
        return money.show(int(value), currency)
    if kind == "rate":
        return f"{value:.1%}"
    return f"{value / 1000:,.1f}" if kind == "thousandths" else f"{value:,}"


def _cell(one: Kind, row: Growth, by: str, part: Part, currency: str) -> Cell:
    value = getattr(row, one.key)
    text = written(value, one.kind, currency)
    url, members = behind(one.key, row, by, part)
    scale = {"money": 10 ** money.digits(currency), "thousandths": 1000}.get(one.kind)
    told = value / scale if scale and value is not None else value
    if not members or value is None:
        return Cell(text, value=told, plain="guests" if value else "")
    return figure(text, url, members, told)


def course(report: GrowthReport, part: Part, currency: str) -> Table:
    """One row per stretch, newest first, and one for all days."""
    rows = []
    for row in reversed(report.course[part.number]):
        so_far = _("%(days)s so far") % {"days": row.stretch.label} if row.stretch.partial else row.stretch.label
        rows.append([name(so_far), *(_cell(kind, row, report.by, part, currency) for kind in KINDS)])
    whole = report.whole[part.number]
    total = [name(_("All days")), *(_cell(kind, whole, report.by, part, currency) for kind in KINDS)]
    return Table(_("By period"), [(_("Period"), False), *_heads()], rows, meanings(), key="periods", total=total)


def compared(report: GrowthReport, currency: str, url_of: Callable[[Part], str]) -> Table:
    """The parts of the shop beside each other, over all days."""
    parts = report.parts[:SHOWN_PARTS]
    rows = []
    for part in parts:
        whole = report.whole[part.number]
        title = name(part_name(part, report.by), url_of(part) if part.number != GUESTS else "")
        rows.append([title, *(_cell(kind, whole, report.by, part, currency) for kind in KINDS)])
    left = len(report.parts) - len(parts)
    note = _("%(n)s smaller ones are not shown.") % {"n": left} if left else ""
    heads = {"store": _("Store"), "channel": _("Channel"), "acquisition": _("Came by")}
    return Table(
        _("Side by side"), [(heads[report.by], False), *_heads()], rows, meanings() + "\n" + _meaning_of_parts(report.by), note, key="parts"
    )  # fmt: skip


def _meaning_of_parts(by: str) -> str:
    if by == "acquisition":
        return _("Sales and members by the way the buyer was acquired; guests are a row of their own.")
    return _("Sales by where they were made, members by their home store. Who buys in two of them counts in both.")


def _heads() -> list[tuple[str, bool]]:
    return [(label(kind.key), True) for kind in KINDS]


def tiles(report: GrowthReport, part: Part, reasons: dict[str, str]) -> list[Tile]:
    """The figures of all days together."""
    whole = report.whole[part.number]
    found = []
    for kind in KINDS:
        if kind.key not in TILES:
            continue
        value = getattr(whole, kind.key)
        url, members = behind(kind.key, whole, report.by, part)
        seen = [getattr(row, kind.key) for row in report.course[part.number] if not row.stretch.partial]
        spark = [v for v in seen if v is not None]
        note = NOTHING
        if kind.key == "buyers" and whole.buyers:
            note = NOTHING._replace(
                text=_("%(figure)s of them newcomers") % {"figure": f"{whole.newcomers:,}"},
                url=behind("newcomers", whole, report.by, part)[0],
                members=whole.newcomers,
            )
        found.append(
            Tile(
                kind.key,
                label(kind.key),
                value,
                kind.kind,
                note,
                url if members else "",
                members,
                meaning(kind.key),
                spark[-24:] if len(spark) > 2 else [],
                ICONS[kind.key],
                reasons.get(kind.key, "") if value is None else "",
            )
        )
    return found


def reasons(report: GrowthReport) -> dict[str, str]:
    """Why a rate is blank: the history before it is too short, or nobody bought."""
    days = (report.until - report.first_day).days + 1 if report.first_day else 0
    short = words.said(wording.MISSING["short_history"], days=max(days, 0), needed=2 * kpi.ACTIVE_DAYS)
    shorter = words.said(wording.MISSING["short_history"], days=max(days, 0), needed=kpi.ACTIVE_DAYS)
    nobody = _("Nobody bought in these days.")
    return {
        "churn_rate": short if days < 2 * kpi.ACTIVE_DAYS else nobody,
        "repeat_rate": shorter if days < kpi.ACTIVE_DAYS else nobody,
        "again_rate": nobody, "basket_minor": nobody, "items_milli": _("No order names its goods."),
    }  # fmt: skip


class Column(NamedTuple):
    bar: charts.Bar
    lower: charts.Bar | None  # newcomers, at the foot of the buyers
    name: str
    said: str
    url: str
    members: int
    partial: bool


def chart(report: GrowthReport, part: Part, key: str, currency: str) -> dict[str, Any]:
    """One figure through the stretches, oldest first; of buyers the newcomers apart."""
    one = next(kind for kind in KINDS if kind.key == key)
    rows = report.course[part.number]
    values = [getattr(row, key) for row in rows]
    scale = {"money": 10 ** money.digits(currency), "thousandths": 1000, "rate": 0.01}.get(one.kind, 1)
    heights = [None if value is None else value / scale for value in values]
    top, step = charts.nice_top(max((h for h in heights if h is not None), default=0))
    lower = charts.bars([row.newcomers for row in rows], top, FRAME) if key == "buyers" else [None] * len(rows)
    columns = []
    for row, value, bar, foot in zip(rows, values, charts.bars(heights, top, FRAME), lower, strict=True):
        said = written(value, one.kind, currency)
        if key == "buyers":
            said = _("%(all)s, newcomers %(new)s") % {"all": said, "new": f"{row.newcomers:,}"}
        url, members = behind(key, row, report.by, part)
        columns.append(
            Column(
                bar,
                foot,
                row.stretch.label,
                said,
                url if members and value is not None else "",
                members,
                row.stretch.partial,
            )
        )
    return {
        "key": key,
        "name": label(key),
        "definition": meaning(key),
        "frame": FRAME,
        "ticks": [(t.at, _tick(t.value, one.kind)) for t in charts.ticks(top, step, FRAME)],
        "columns": columns,
        "nth": charts.every(len(rows), 6),
        "end": charts.one(FRAME.width - FRAME.right),
        "label_y": charts.one(FRAME.height - 8),
    }  # fmt: skip


def _tick(value: float, kind: str) -> str:
    written = compact(value) if value == int(value) else f"{value:g}"
    return f"{written}%" if kind == "rate" else written
