"""Growth, repeat, churn and baskets of the days and the part of the shop one asks about, and cohorts, as of the latest snapshot.

From the columns that the night keeps: whatever is asked, it is of the same orders and the same day as the dashboard's figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.insight import growth as engine_growth
from shuke.engine.insight import kpi
from shuke.engine.insight.growth import GRAINS, Cohorts, Growth
from shuke.engine.insight.port import Port
from shuke.insight.queries import analytics, figures, growth_stored
from shuke.insight.queries.goods_sales import files_of
from shuke.insight.queries.growth_parts import DIVISIONS, GUEST_KEY, NONE, Living, Part, divided, living, named
from shuke.kit import clock
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

__all__ = ["DIVISIONS", "GUEST_KEY", "NONE", "BadQuestion", "CohortReport", "GrowthReport", "Part", "cohorts", "growth"]

COHORT_GRAINS = tuple(grain for grain in GRAINS if grain != "day")
MOST_ROWS = 120  # stretches of a table
MOST_COHORT_STRETCHES = 600
USUAL_MONTHS, USUAL_DAYS = 12, 30


class GrowthReport(NamedTuple):
    """`parts` are ordered by net revenue of the days chosen, largest first; `whole` and `course` by number of part."""

    as_of: date
    made_at: datetime
    first_day: date | None  # of the shop's first order
    since: date
    until: date
    grain: str
    by: str
    parts: list[Part]
    whole: Mapping[int, Growth]
    course: Mapping[int, list[Growth]]


class CohortReport(NamedTuple):
    as_of: date
    made_at: datetime
    grain: str
    by: str
    parts: list[Part]  # by customers, most first
    cohorts: Cohorts


class BadQuestion(ValueError):
    """What was asked for makes no sense. `code`: grain | by | part | days."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def growth(
    merchant: Merchant,
    *,
    since: date | None = None,
    until: date | None = None,
    grain: str = "month",
    by: str = "",
    within: float | None = None,
) -> GrowthReport:
    """Raises NoFigures, BadQuestion, engine.insight.growth.TooManyStretches, and EngineStopped where the analyses take more seconds
    than `within`. Default: the last year (by day the last 30 days), by month, undivided. What the night stored is not computed."""
    _known(grain, GRAINS, by)
    told, as_of, first = base(merchant)
    listed = asked(since, until, grain, as_of=as_of, first=first)
    kept = growth_stored.growth(merchant, grain, by, listed)
    if kept is None:
        people = living(merchant)
        division, day = divided(shops.stores(merchant), people, by), kpi.day_number(first) if first else None
        with _loaded(merchant, people, within) as engine:
            grown = engine_growth.grown(
                engine, listed, division.parts, as_of=as_of, joined=people.joined, first_day=day
            )
        kept = growth_stored.Kept(division.keys, grown.whole, grown.course)
    names, whole = named(merchant, by, kept.keys), kept.whole
    order = sorted(whole, key=lambda number: (-whole[number].net_minor, names[number].key))
    shown = [names[n] for n in order if by == "" or _anything(whole[n])]
    return GrowthReport(
        as_of, _made(told), first, listed[0].first, listed[-1].last, grain, by, shown, whole, kept.course
    )


def cohorts(merchant: Merchant, *, grain: str = "month", by: str = "", within: float | None = None) -> CohortReport:
    """Raises what `growth` raises."""
    _known(grain, COHORT_GRAINS, by)
    told, as_of, first = base(merchant)
    if first is None:
        raise figures.NoFigures
    listed = engine_growth.stretches(first, as_of, grain, as_of=as_of, most=MOST_COHORT_STRETCHES)
    kept = growth_stored.cohorts(merchant, grain, by, listed)
    if kept is None:
        people = living(merchant)
        division = divided(shops.stores(merchant), people, by)
        with _loaded(merchant, people, within) as engine:
            kept = division.keys, engine_growth.cohorts(engine, listed, division.parts, as_of=as_of)
    keys, found = kept
    names = named(merchant, by, keys)
    sizes = {number: found.together(number, 0)[0] for number in found.parts}
    order = sorted(found.parts, key=lambda number: (-sizes[number], names[number].key))
    return CohortReport(as_of, _made(told), grain, by, [names[n] for n in order if sizes[n] or by == ""], found)


def asked(
    since: date | None, until: date | None, grain: str, *, as_of: date, first: date | None
) -> list[engine_growth.Stretch]:
    """The stretches that hold the days asked for, None: the usual ones. Raises BadQuestion, TooManyStretches."""
    until = min(until or as_of, as_of)
    earliest = first or until
    if since is None:
        usual = (
            until - timedelta(days=USUAL_DAYS - 1)
            if grain == "day"
            else clock.add_months(until.replace(day=1), 1 - USUAL_MONTHS)
        )
        since = max(usual, earliest)
    since = max(since, clock.add_months(earliest, -12))  # nothing is before the first order; members may be
    if since > until:
        raise BadQuestion("days", f"The first day {since} lies after the last, {until}.")
    return engine_growth.stretches(since, until, grain, as_of=as_of, most=MOST_ROWS)


def _known(grain: str, grains: tuple[str, ...], by: str) -> None:
    if grain not in grains:
        raise BadQuestion("grain", f"There is no grain {grain!r}. There are {', '.join(grains)}.")
    if by not in DIVISIONS:
        raise BadQuestion("by", f"The shop is not divided by {by!r}. It is by {', '.join(DIVISIONS[1:])}.")


def part_of(parts: list[Part], key: str) -> Part:
    """Raises BadQuestion."""
    for part in parts:
        if part.key == key:
            return part
    raise BadQuestion("part", f"There is no part {key!r} with figures in these days.")


def _anything(row: Growth) -> bool:
    return bool(row.orders or row.members or row.active)


def base(merchant: Merchant) -> tuple[figures.Figures, date, date | None]:
    told = figures.latest(merchant)
    if told is None or not told["history"]["orders"]:
        raise figures.NoFigures
    first = told["history"]["first_day"]
    return told, date.fromisoformat(told["as_of"]), date.fromisoformat(first) if first else None


def _made(told: figures.Figures) -> datetime:
    return datetime.fromisoformat(told["made_at"])


@contextmanager
def _loaded(merchant: Merchant, people: Living, within: float | None) -> Iterator[Port]:
    with analytics.opened() as engine, analytics.at_most(engine, within):
        load(engine, merchant, people)
        yield engine


def load(engine: Port, merchant: Merchant, people: Living) -> None:
    """Make the orders and members readable for the analyses."""
    engine.files("heads", files_of(merchant)["heads"])
    home = np.zeros(people.joined.size, np.int64)  # told by the parts
    engine.table("members", {"member": people.member, "joined": people.joined, "home_store": home})


def row_of(row: Growth) -> dict[str, Any]:
    """A row as JSON: its days, and every figure under its name."""
    cells = {name: getattr(row, name) for name in row.__slots__ if name != "stretch"}
    first, last = row.stretch.first.isoformat(), row.stretch.last.isoformat()
    return {"period": row.stretch.label, "first": first, "last": last, "partial": row.stretch.partial} | cells


def cohort_rows(told: CohortReport, part: int) -> list[dict[str, Any]]:
    """One row per cohort, oldest first."""
    found = told.cohorts.triangle(part)
    labels = {np.datetime64(one.first): one.label for one in told.cohorts.listed}

    def cells(values: np.ndarray) -> list[int | None]:
        return [None if np.isnan(value) else round(float(value)) for value in values]

    return [
        {
            "period": labels[found.months[i]],
            "size": int(found.size[i]),
            "buyers": cells(found.buyers[i]),
            "order_days": cells(found.orders[i]),
            "net_minor": cells(found.spend[i]),
        }
        for i in range(found.size.size)
    ]
