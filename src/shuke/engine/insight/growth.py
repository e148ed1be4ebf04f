"""Growth, churn, repeat rate and baskets over any stretch of days, and cohorts, by parts of the shop.

Definitions and worked tables: docs/algorithms/growth.md. A *part* is a store, a channel or a way of acquisition; part 0 is
the whole shop or, where the shop is divided, what belongs to none. Days are numbers counted from 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, Protocol

import numpy as np

from shuke.engine.insight import kpi
from shuke.engine.insight.triangle import Triangle

GRAINS = ("day", "week", "month", "quarter", "year")
CHURN_NEEDS, REPEAT_NEEDS = 2 * kpi.ACTIVE_DAYS, kpi.ACTIVE_DAYS  # days of history before a stretch's end
GUESTS = -1  # the part of those nobody knows, where the shop is divided by its members


class Runs(Protocol):
    """What is asked of the analytics engine (port.Engine)."""

    def table(self, name: str, columns: dict[str, np.ndarray]) -> None: ...

    def run(self, name: str, **parameters: int | float) -> dict[str, np.ndarray]: ...


class Stretch(NamedTuple):
    """Days from `first` to `last`, both in it. `partial`: it goes on after the day that the figures are of."""

    label: str
    first: date
    last: date
    partial: bool


class Parts(NamedTuple):
    """How the shop is divided: numbers of parts from 1 on. `by_member`: sales belong to the part of their buyer, not of the store."""

    store: np.ndarray  # int64 ids
    store_part: np.ndarray
    member: np.ndarray  # int64 ids: all members
    member_part: np.ndarray
    by_member: bool


@dataclass(frozen=True, slots=True)
class Growth:
    """One row per stretch of days of one part. Money in minor units, quantities in thousandths, rates 0 … 1; None: not known.

    members, active, churn and repeat rate are as of the last day; everything else is of the stretch.
    """

    stretch: Stretch
    members: int
    new_members: int
    growth_rate: float | None  # new members ÷ members before the stretch
    buyers: int
    newcomers: int  # bought for the first time ever in the stretch
    returning: int  # buyers who had bought before
    came_again: int  # buyers with two order days or more in the stretch
    again_rate: float | None
    orders: int
    net_minor: int
    new_net_minor: int  # of newcomers
    basket_minor: int | None
    items_milli: int | None
    identified_rate: float | None
    active: int
    active_rate: float | None
    churn_base: int | None
    churned: int | None
    churn_rate: float | None
    year_buyers: int
    repeat_buyers: int
    repeat_rate: float | None


class Grown(NamedTuple):
    """`whole`: the rows of each part over all days chosen; `course`: the rows of each part by stretch. Part → rows."""

    whole: dict[int, Growth]
    course: dict[int, list[Growth]]


class TooManyStretches(ValueError):
    """The days chosen hold more stretches of this grain than a table can show. `most` says how many it can."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"{count} rows of this grain are too many; at most {most}. Take a coarser grain or fewer days."
        )
        self.count, self.most = count, most


def stretches(since: date, until: date, grain: str, *, as_of: date, most: int = 400) -> list[Stretch]:
    """The whole days, weeks (from Monday), months, quarters or years that hold `since` … `until`, none beyond `as_of`.

    Raises TooManyStretches.
    """
    at, end, found = start_of(since, grain), min(until, as_of), []
    about = (end - at).days // {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}[grain]
    if about > most + 1:
        raise TooManyStretches(about, most)
    while at <= end:
        following = start_of(
            at + timedelta(days={"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[grain]), grain
        )
        last = following - timedelta(days=1)
        found.append(Stretch(_label(at, grain), at, min(last, as_of), last > as_of))
        at = following
    if len(found) > most:
        raise TooManyStretches(len(found), most)
    return found


def start_of(day: date, grain: str) -> date:
    """The first day of the stretch that `day` lies in."""
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[grain]
    return date(day.year, month, 1)


def _label(at: date, grain: str) -> str:
    if grain in ("day", "week"):
        return at.isoformat()
    return {"month": f"{at:%Y-%m}", "quarter": f"{at.year}-Q{(at.month + 2) // 3}", "year": f"{at.year}"}[grain]


def grown(
    engine: Runs, listed: Sequence[Stretch], parts: Parts, *, as_of: date, joined: np.ndarray, first_day: int | None
) -> Grown:
    """Compute. The engine must hold the tables `heads` and `members`; `joined` are the days of `parts.member`.

    `first_day`: that of the shop's first order, which says how far rates can look back.
    """
    if not listed:
        return Grown({}, {})
    today = kpi.day_number(as_of)
    _divide(engine, parts)
    by_member = int(parts.by_member)
    _slots(engine, listed)
    sales = engine.run("growth_sales", as_of=today, by_member=by_member)
    _slots(engine, [_all_of(listed)])
    total = engine.run("growth_sales", as_of=today, by_member=by_member)
    spans = engine.run(
        "growth_spans", as_of=today, active_days=kpi.ACTIVE_DAYS, window_days=kpi.WINDOW_DAYS, by_member=by_member
    )
    count = int(max(np.max(parts.store_part, initial=0), np.max(parts.member_part, initial=0))) + 1
    ends = np.array([kpi.day_number(one.last) for one in listed])
    states = _states(spans, ends, count)
    bases = _states(spans, ends - kpi.ACTIVE_DAYS, count)[1]
    people = _people(parts, joined, listed, count)

    def row(part: int, at: int, stretch: Stretch, sold: dict[str, int], before: int, end: int) -> Growth:
        active, gone, buyers, repeaters = (int(states[kind][part, at]) if part >= 0 else 0 for kind in (1, 2, 3, 4))
        observed = 0 if first_day is None else int(ends[at]) - first_day + 1
        churn_seen = observed >= CHURN_NEEDS
        base = int(bases[part, at]) if part >= 0 else 0
        return Growth(
            stretch=stretch,
            members=end,
            new_members=end - before,
            growth_rate=kpi.rate(end - before, before),
            buyers=sold["buyers"],
            newcomers=sold["newcomers"],
            returning=sold["buyers"] - sold["newcomers"],
            came_again=sold["came_again"],
            again_rate=kpi.rate(sold["came_again"], sold["buyers"]),
            orders=sold["orders"],
            net_minor=sold["net_sum"],
            new_net_minor=sold["new_net"],
            basket_minor=kpi.per(sold["net_sum"], sold["orders"]),
            items_milli=kpi.per(sold["items_sum"], sold["itemed"]),
            identified_rate=kpi.rate(sold["known_net"], sold["net_sum"]),
            active=active,
            active_rate=kpi.rate(active, end) if observed > 0 else None,
            churn_base=base if churn_seen else None,
            churned=gone if churn_seen else None,
            churn_rate=kpi.rate(gone, base) if churn_seen else None,
            year_buyers=buyers,
            repeat_buyers=repeaters,
            repeat_rate=kpi.rate(repeaters, buyers) if observed >= REPEAT_NEEDS else None,
        )

    sold, sold_in_all = _rows(sales), _rows(total)
    here = {part for part, _slot in sold_in_all} | {part for part in range(count) if people[part, -1] or part == 0}
    whole, course = {}, {}
    for part in sorted(here):
        known = people[part] if part >= 0 else np.zeros(len(listed) + 1, dtype=np.int64)
        course[part] = [
            row(part, at, one, sold.get((part, at), NOTHING), int(known[at]), int(known[at + 1]))
            for at, one in enumerate(listed)
        ]
        all_days = sold_in_all.get((part, 0), NOTHING)
        whole[part] = row(part, len(listed) - 1, _all_of(listed), all_days, int(known[0]), int(known[-1]))
    return Grown(whole, course)


_SUMS = ("orders", "net_sum", "items_sum", "itemed", "known_net", "buyers", "came_again", "newcomers", "new_net")
NOTHING = dict.fromkeys(_SUMS, 0)


def _all_of(listed: Sequence[Stretch]) -> Stretch:
    return Stretch("", listed[0].first, listed[-1].last, listed[-1].partial)


def _rows(columns: dict[str, np.ndarray]) -> dict[tuple[int, int], dict[str, int]]:
    keys = zip(columns["in_part"].tolist(), columns["in_slot"].tolist(), strict=True)
    values = zip(*(columns[name].tolist() for name in _SUMS), strict=True)
    return {key: dict(zip(_SUMS, row, strict=True)) for key, row in zip(keys, values, strict=True)}


def _slots(engine: Runs, listed: Sequence[Stretch]) -> None:
    """Tell the engine in which stretch each day lies."""
    spans = [(kpi.day_number(one.first), kpi.day_number(one.last)) for one in listed]
    days = np.concatenate([np.arange(first, last + 1) for first, last in spans])
    slots = np.concatenate([np.full(last - first + 1, at) for at, (first, last) in enumerate(spans)])
    engine.table("buckets", {"day": days.astype(np.int32), "bucket": slots.astype(np.int32)})


def _divide(engine: Runs, parts: Parts) -> None:
    engine.table("store_units", {"store": parts.store, "unit": parts.store_part})
    engine.table("who_units", {"member": parts.member, "unit": parts.member_part})


def _states(spans: dict[str, np.ndarray], ends: np.ndarray, parts: int) -> dict[int, np.ndarray]:
    """Members in each state (kind of span) at the end of each day, by part: kind → [part, day]. `ends` ascend."""
    found = {}
    for kind in (1, 2, 3, 4):
        rows = (spans["kind"] == kind) & (spans["in_part"] >= 0)
        steps = np.zeros((parts, ends.size + 1), dtype=np.int64)
        part, number = spans["in_part"][rows], spans["spans"][rows]
        np.add.at(steps, (part, np.searchsorted(ends, spans["from_day"][rows])), number)
        np.subtract.at(steps, (part, np.searchsorted(ends, spans["to_day"][rows])), number)
        found[kind] = np.cumsum(steps, axis=1)[:, :-1]
    return found


def _people(parts: Parts, joined: np.ndarray, listed: Sequence[Stretch], count: int) -> np.ndarray:
    """Members of each part before the first stretch and at the end of each: [part, stretch + 1]."""
    ends = np.array([kpi.day_number(listed[0].first) - 1, *(kpi.day_number(one.last) for one in listed)])
    steps = np.zeros((count, ends.size + 1), dtype=np.int64)
    np.add.at(steps, (parts.member_part, np.searchsorted(ends, joined)), 1)
    return np.cumsum(steps, axis=1)[:, :-1]


class Cohorts:
    """Who bought first in which stretch, and when they came again. Cells of stretches that are not over are blank: NaN, None."""

    def __init__(self, listed: Sequence[Stretch], rows: dict[str, np.ndarray]) -> None:
        self.listed, self.rows = listed, rows
        self.ended = len(listed) - sum(one.partial for one in listed)
        self.parts: list[int] = sorted({0, *rows["in_part"].tolist()})

    def triangle(self, part: int = 0) -> Triangle:
        """One row per stretch in which somebody began in that part."""
        size = len(self.listed)
        mine = self.rows["in_part"] == part
        at = self.rows["cohort"][mine], self.rows["since"][mine]
        cells = []
        for name in ("buyers", "days_sum", "net_sum"):
            values = np.zeros((size, size))
            values[at] = self.rows[name][mine]
            cells.append(values)
        people = cells[0][:, 0].copy()  # everybody of a cohort bought in its first stretch
        alive = people > 0
        known = np.add.outer(np.arange(size), np.arange(size)) < self.ended
        starts = np.array([one.first for one in self.listed], dtype="datetime64[D]")
        return Triangle(starts[alive], people[alive], *(np.where(known, one, np.nan)[alive] for one in cells))

    def together(self, part: int, upto: int) -> tuple[int, list[Together]]:
        """All customers who began in a part, and the share that came in each of the first stretches after the one they began in:
        each over those cohorts whose stretch is over."""
        mine = self.rows["in_part"] == part
        cohort, since, buyers = (self.rows[name][mine] for name in ("cohort", "since", "buyers"))
        begun = np.zeros(len(self.listed), dtype=np.int64)
        begun[cohort[since == 0]] = buyers[since == 0]
        found = []
        for later in range(upto + 1):
            last = self.ended - later  # cohorts before this one have been seen that long
            whole = int(begun[: max(last, 0)].sum())
            came = int(buyers[(since == later) & (cohort < last)].sum())
            found.append(Together(whole, came, kpi.rate(came, whole)))
        return int(begun.sum()), found


class Together(NamedTuple):
    """Of `whole` customers `came`, so many stretches after their first one. None: nobody has been seen that long."""

    whole: int
    came: int
    rate: float | None


def cohorts(engine: Runs, listed: Sequence[Stretch], parts: Parts, *, as_of: date) -> Cohorts:
    """Everybody by the stretch of the first purchase ever, in the part where it was made.

    `listed` must follow one another and begin no later than the shop's first order.
    """
    assert listed
    _divide(engine, parts)
    _slots(engine, listed)
    return Cohorts(listed, engine.run("cohorts", as_of=kpi.day_number(as_of), by_member=int(parts.by_member)))
