"""Growth, repeat, churn and baskets of the days and the part of the shop one asks about, and cohorts, as of the latest snapshot.

From the columns that the night keeps: whatever is asked, it is of the same orders and the same day as the dashboard's figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from shuke.engine.insight import growth as engine_growth
from shuke.engine.insight import kpi
from shuke.engine.insight.growth import GRAINS, GUESTS, Cohorts, Grown, Growth, Parts
from shuke.engine.insight.port import Port
from shuke.insight.queries import analytics, figures
from shuke.insight.queries.bought import day_number
from shuke.insight.queries.goods_sales import files_of
from shuke.kit import clock
from shuke.members.models import MemberState
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

DIVISIONS = ("", "store", "channel", "acquisition")
COHORT_GRAINS = tuple(grain for grain in GRAINS if grain != "day")
MOST_ROWS = 120  # stretches of a table
MOST_COHORT_STRETCHES = 600
USUAL_MONTHS = 12
NONE = "-"  # the key of those without a store, a channel, a way of acquisition
GUEST_KEY = "guests"


class Part(NamedTuple):
    """A part of the shop. `key` as addresses write it: store id, platform, way; "" for the whole shop. `name` "" where it has none."""

    number: int
    key: str
    name: str


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
    whole: dict[int, Growth]
    course: dict[int, list[Growth]]


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
    than `within`. Default: the last year, by month, undivided."""
    _known(grain, GRAINS, by)
    told, as_of, first = _base(merchant)
    until = min(until or as_of, as_of)
    earliest = first or until
    if since is None:
        since = max(clock.add_months(until.replace(day=1), 1 - USUAL_MONTHS), earliest)
    since = max(since, clock.add_months(earliest, -12))  # nothing is before the first order; members may be
    if since > until:
        raise BadQuestion("days", f"The first day {since} lies after the last, {until}.")
    listed = engine_growth.stretches(since, until, grain, as_of=as_of, most=MOST_ROWS)
    parts, names, joined = _divide(merchant, by)
    with _loaded(merchant, parts, joined, within) as engine:
        found: Grown = engine_growth.grown(
            engine, listed, parts, as_of=as_of, joined=joined, first_day=kpi.day_number(first) if first else None
        )
    order = sorted(found.whole, key=lambda number: (-found.whole[number].net_minor, number))
    shown = [names[n] for n in order if by == "" or _anything(found.whole[n])]
    return GrowthReport(
        as_of, _made(told), first, listed[0].first, listed[-1].last, grain, by, shown, found.whole, found.course
    )


def cohorts(merchant: Merchant, *, grain: str = "month", by: str = "", within: float | None = None) -> CohortReport:
    """Raises what `growth` raises."""
    _known(grain, COHORT_GRAINS, by)
    told, as_of, first = _base(merchant)
    if first is None:
        raise figures.NoFigures
    listed = engine_growth.stretches(first, as_of, grain, as_of=as_of, most=MOST_COHORT_STRETCHES)
    parts, names, joined = _divide(merchant, by)
    with _loaded(merchant, parts, joined, within) as engine:
        found = engine_growth.cohorts(engine, listed, parts, as_of=as_of)
    sizes = {number: found.together(number, 0)[0] for number in found.parts}
    order = sorted(found.parts, key=lambda number: (-sizes[number], number))
    return CohortReport(as_of, _made(told), grain, by, [names[n] for n in order if sizes[n] or by == ""], found)


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


def _base(merchant: Merchant) -> tuple[figures.Figures, date, date | None]:
    told = figures.latest(merchant)
    if told is None or not told["history"]["orders"]:
        raise figures.NoFigures
    first = told["history"]["first_day"]
    return told, date.fromisoformat(told["as_of"]), date.fromisoformat(first) if first else None


def _made(told: figures.Figures) -> datetime:
    return datetime.fromisoformat(told["made_at"])


def _divide(merchant: Merchant, by: str) -> tuple[Parts, dict[int, Part], np.ndarray]:
    """Stores and members by part, what the parts are called, and the days members joined."""
    stores = list(shops.stores(merchant))
    member, joined, home, ways = _members(merchant, with_ways=by == "acquisition")
    nothing = np.zeros(0, np.int64)
    if by == "":
        return Parts(nothing, nothing, member, np.zeros(member.size, np.int64), False), {0: Part(0, "", "")}, joined
    if by == "acquisition":
        listed = sorted(set(ways) - {""})
        number = {"": 0} | {way: i for i, way in enumerate(listed, start=1)}
        names = {number[way]: Part(number[way], way, way) for way in listed}
        mine = np.array([number[way] for way in ways], np.int64)
        parts = Parts(nothing, nothing, member, mine, True)
        return parts, names | {0: Part(0, NONE, ""), GUESTS: Part(GUESTS, GUEST_KEY, "")}, joined
    if by == "channel":
        listed = sorted({store.platform for store in stores})
        of_platform = {platform: i for i, platform in enumerate(listed, start=1)}
        of_store = {store.id: of_platform[store.platform] for store in stores}
        names = {of_platform[one]: Part(of_platform[one], one, one) for one in listed}
    else:
        of_store = {store.id: i for i, store in enumerate(stores, start=1)}
        names = {of_store[store.id]: Part(of_store[store.id], str(store.id), store.name) for store in stores}
    keys = np.array(sorted(of_store), np.int64)
    values = np.array([of_store[key] for key in keys.tolist()], np.int64)
    mine = np.zeros(member.size, np.int64)
    if keys.size:
        at = np.minimum(np.searchsorted(keys, home), keys.size - 1)
        mine = np.where(keys[at] == home, values[at], 0)
    return Parts(keys, values, member, mine, False), names | {0: Part(0, NONE, "")}, joined


def _members(merchant: Merchant, *, with_ways: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Ids, days of joining, home stores (0: none) of the living members, and their ways of acquisition if asked for."""
    here = "merchant_id = %s AND state = %s"
    who: list = [merchant.pk, MemberState.ACTIVE]
    ways: list[str] = []
    parts = []
    with connection.chunked_cursor() as cursor:
        day, more = day_number(merchant, "members_member", "joined_at", here, who)
        extra = ", acquired_by" if with_ways else ""
        cursor.execute(
            f"SELECT id, {day}, COALESCE(home_store_id, 0){extra} FROM members_member WHERE {here}", [*more, *who]
        )
        while rows := cursor.fetchmany(20_000):
            parts.append(np.array([row[:3] for row in rows], dtype=np.int64))
            if with_ways:
                ways += [row[3] for row in rows]
    table = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy(), ways


@contextmanager
def _loaded(merchant: Merchant, parts: Parts, joined: np.ndarray, within: float | None) -> Iterator[Port]:
    with analytics.opened() as engine, analytics.at_most(engine, within):
        engine.files("heads", files_of(merchant)["heads"])
        engine.table(
            "members", {"member": parts.member, "joined": joined, "home_store": np.zeros(joined.size, np.int64)}
        )
        yield engine


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
