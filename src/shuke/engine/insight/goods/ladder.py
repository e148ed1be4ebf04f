"""Need ladder 需求升级: what those who were satisfied with one kind of goods took up next, against what members take up anyway.

Satisfied: bought it, kept it, and bought it again on another day. The step is the first day on which a satisfied member takes up a kind never bought
before, within STEP_DAYS of being satisfied; several kinds begun on one day share the step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import Sales, Visits, groups_begin, visits

STEP_DAYS = 180
LEAST_STEPS = 10  # members who went that way, before it is shown
SURE = 4.0  # of very many ways some look special by chance
BLOCK = 500  # cases at once; each meets all kinds its member ever began


class Step(NamedTuple):
    """From one kind (an item here) to the next. Members are counted once per kind they were satisfied with."""

    from_item: int
    to_item: int
    satisfied: int  # members satisfied with the first
    steppers: int  # of these took up anything new in time
    went: int  # of these took up the second
    share: float  # went / steppers
    expected: float  # members who would have gone there, were they like all satisfied members who had not had it
    days: float  # median days from being satisfied to the step

    @property
    def extra(self) -> float:
        return self.went - self.expected

    @property
    def lift(self) -> float:
        return self.went / self.expected if self.expected else float("inf")


def ladder(
    sold: Sales, *, as_of: int, step_days: int = STEP_DAYS, least: int = LEAST_STEPS, seen: Visits | None = None
) -> list[Step]:
    """Steps surely more frequent than chance, by first kind, most extra members first within each. seen: the visits up to `as_of`."""
    told = visits(sold.until(as_of)) if seen is None else seen
    items = sold.items.size
    if told.member.size == 0:
        return []
    who, kind, began, since, content = _lives(told)
    first_of, from_kind, to_kind, after = _steps(who, kind, began, since, content, step_days)
    if first_of.size == 0:
        return []
    satisfied = np.bincount(kind[content], minlength=items)
    people = sold.members.size
    case = first_of.astype(np.int64) * items + from_kind  # a member satisfied with a kind
    _cases, case_first = np.unique(case, return_index=True)
    steppers = np.bincount(from_kind[case_first], minlength=items)
    pair = from_kind.astype(np.int64) * items + to_kind
    keys, place, went = np.unique(pair, return_inverse=True, return_counts=True)
    often = np.flatnonzero(went >= least)
    # How likely a satisfied member with a step takes up each kind, of those who could (had not had it yet).
    took = np.bincount(to_kind, minlength=items).astype(np.float64)
    all_could, could = _could(
        who, kind, began, first_of[case_first], from_kind[case_first], after[case_first], keys[often], items, people
    )
    rate = took / np.maximum(all_could, 1)

    gone = after.astype(np.float64) - _since_of(who, kind, since, first_of, from_kind, items)
    order = np.lexsort((gone, place))
    at = np.searchsorted(place[order], np.arange(keys.size))
    found = []
    for number, those in zip(often.tolist(), could.tolist(), strict=True):
        a, b, n = int(keys[number] // items), int(keys[number] % items), int(went[number])
        chance = float(those * rate[b])
        if n - chance <= SURE * np.sqrt(max(chance, 1.0)):
            continue
        middle = gone[order[at[number] : at[number] + n]]
        found.append(
            Step(a, b, int(satisfied[a]), int(steppers[a]), n, n / int(steppers[a]), chance, float(np.median(middle)))
        )
    return sorted(found, key=lambda step: (-satisfied[step.from_item], step.from_item, -step.extra, step.to_item))


def went(sold: Sales, from_item: int, to_item: int, *, step_days: int = STEP_DAYS) -> tuple[np.ndarray, np.ndarray]:
    """Who went from one kind to another, as `ladder` counts them, and on which day."""
    told = visits(sold)
    if told.member.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    member, one, other, day = _steps(*_lives(told), step_days)
    at = (one == from_item) & (other == to_item)
    return member[at].astype(np.int64), day[at].astype(np.int64)


def _lives(told: Visits) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One element per member and kind: when it was taken up, when satisfaction showed (the second day), and whether it did."""
    begins = np.flatnonzero(groups_begin(told.member, told.item))
    size = np.diff(np.append(begins, told.member.size))
    since = told.day[np.minimum(begins + 1, told.day.size - 1)]
    return told.member[begins], told.item[begins], told.day[begins], since, size >= 2


def _steps(
    who: np.ndarray, kind: np.ndarray, began: np.ndarray, since: np.ndarray, content: np.ndarray, step_days: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(member, from, to, day) of every kind begun on the first day of taking up anything after satisfaction."""
    wide = int(began.max()) + 2
    line = who.astype(np.int64) * wide + began
    # Kinds stand in their order within a member already, and stay so where they began on one day.
    order = np.argsort(line, kind="stable")
    who_by, kind_by, began_by, line = who[order], kind[order], began[order], line[order]
    rows = np.flatnonzero(content)
    start = np.searchsorted(line, who[rows].astype(np.int64) * wide + since[rows], side="right")
    inside = start < line.size
    rows, start = rows[inside], start[inside]
    good = (who_by[start] == who[rows]) & (began_by[start] <= since[rows] + step_days)
    rows, start = rows[good], start[good]
    end = np.searchsorted(line, line[start], side="right")
    many = end - start
    at = np.repeat(start, many) + np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    row = np.repeat(rows, many)
    return who[row], kind[row], kind_by[at], began_by[at]


def _could(
    who: np.ndarray,
    kind: np.ndarray,
    began: np.ndarray,
    case_who: np.ndarray,
    case_from: np.ndarray,
    case_day: np.ndarray,
    wanted: np.ndarray,
    items: int,
    people: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Cases in which a kind had not been taken up before the day of the step: of each kind, and of each of `wanted` (ascending
    from × items + to) among the cases of its first kind."""
    of_kind = np.full(items, case_who.size, np.int64)
    of_pair = np.bincount(case_from, minlength=items)[wanted // items]
    # Take off those who had it. Per member, kinds begun against cases: worked through in blocks of cases.
    order = np.argsort(who, kind="stable")
    starts = np.searchsorted(who[order], np.arange(people + 1))
    many = starts[case_who + 1] - starts[case_who]
    for begin in range(0, case_who.size, BLOCK):
        block = slice(begin, begin + BLOCK)
        count = many[block]
        at = np.repeat(starts[case_who[block]], count) + np.arange(int(count.sum()))
        at -= np.repeat(np.cumsum(count) - count, count)
        row = order[at]
        had = began[row] < np.repeat(case_day[block], count)
        to = kind[row][had]
        of_kind -= np.bincount(to, minlength=items)
        if wanted.size:
            pair = np.repeat(case_from[block].astype(np.int64), count)[had] * items + to
            place = np.minimum(np.searchsorted(wanted, pair), wanted.size - 1)
            of_pair -= np.bincount(place[wanted[place] == pair], minlength=wanted.size)
    return of_kind, of_pair


def _since_of(
    who: np.ndarray, kind: np.ndarray, since: np.ndarray, member: np.ndarray, from_kind: np.ndarray, items: int
) -> np.ndarray:
    key = who.astype(np.int64) * items + kind
    return since[np.searchsorted(key, member.astype(np.int64) * items + from_kind)]
