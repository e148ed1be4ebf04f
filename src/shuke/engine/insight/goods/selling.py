"""Hot and slow sellers, of all and of each group of members. Definitions: docs/algorithms/goods.md.

Hot is counted in buyers, not in pieces or money: one wholesaler makes nothing hot. Slow is an item that sells surely less than it did, taking off
what the whole shop sells less; an item nobody bought before either is no slow seller, it is unknown.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import Sales

WINDOW_DAYS = 90
LEAST_BEFORE = 10  # buying days in the stretch before: fewer tell nothing about falling
SURE = 2.0  # standard errors


class Selling(NamedTuple):
    """One row per group, one column per item. Buyers are counted within the window; days of one member count once a day."""

    buyers: np.ndarray  # int64 [groups + 1, items]; the last row is everybody, guests' days apart
    of: np.ndarray  # int64 [groups + 1], buyers of anything
    bought: np.ndarray  # int64 [groups + 1, items], member-days (guest orders in the last row only)
    before: np.ndarray  # the same in the equally long stretch before
    net: np.ndarray  # int64 [groups + 1, items], minor units
    last_day: np.ndarray  # int32 [items], 0: never sold

    @property
    def all(self) -> int:
        return len(self.of) - 1


def selling(sold: Sales, group_of: np.ndarray, groups: int, *, as_of: int, window: int = WINDOW_DAYS) -> Selling:
    """What sold within `window` days up to `as_of`.

    group_of: of each of `sold.members` the group 0 … groups - 1, or -1 (in none; counted under everybody).
    """
    items, wide = sold.items.size, groups + 1
    in_time = sold.where((sold.day <= as_of) & (sold.day > as_of - 2 * window) & sold.kept)
    now = in_time.day > as_of - window
    who = in_time.known
    group = np.full(in_time.member.size, -1, np.int64)
    group[who] = np.asarray(group_of, np.int64)[in_time.member[who]]

    # Of a known member one mark per item and day; of a guest one per order.
    party = np.where(who, in_time.member.astype(np.int64), -1 - in_time.order.astype(np.int64))
    marks = _once(party, in_time.item, in_time.day)
    pairs = np.flatnonzero(now & who)
    pairs = pairs[_once(in_time.member[pairs], in_time.item[pairs])]
    people = np.flatnonzero(now & who)
    people = people[_once(in_time.member[people])]

    def table(rows: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        found = np.zeros((wide, items), np.int64)
        known = rows[group[rows] >= 0]
        weight = np.ones(in_time.item.size, np.int64) if weights is None else weights
        np.add.at(found, (group[known], in_time.item[known]), weight[known])
        np.add.at(found[-1], in_time.item[rows], weight[rows])
        return found

    of = np.zeros(wide, np.int64)
    np.add.at(of, group[people][group[people] >= 0], 1)
    of[-1] = people.size
    last = np.zeros(items, np.int32)
    past = sold.day <= as_of
    np.maximum.at(last, sold.item[past], sold.day[past])
    return Selling(
        table(pairs),
        of,
        table(marks[now[marks]]),
        table(marks[~now[marks]]),
        table(np.flatnonzero(now), in_time.amount),
        last,
    )


class Hot(NamedTuple):
    item: int
    buyers: int
    share: float  # of the group's buyers
    share_of_others: float | None  # of everybody else's; None: there is nobody else
    error: float  # standard error of the difference
    bought: int
    before: int
    net: int

    @property
    def surely(self) -> int:
        """1: surely more than others buy it, -1: surely less, 0: cannot be told."""
        if self.share_of_others is None or not self.error:
            return 0
        apart = (self.share - self.share_of_others) / self.error
        return int(apart > SURE) - int(apart < -SURE)


def hot(told: Selling, group: int, top: int = 20) -> list[Hot]:
    """Most buyers first. `group` = `told.all`: everybody."""
    buyers = told.buyers[group]
    best = np.lexsort((np.arange(buyers.size), -told.net[group], -buyers))[:top]
    found = []
    of, others = int(told.of[group]), int(told.of[-1] - told.of[group])
    for item in (int(one) for one in best if buyers[one] > 0):
        share = int(buyers[item]) / of
        rest, error = None, 0.0
        if group != told.all and others:
            there = int(told.buyers[-1][item] - buyers[item])
            rest = there / others
            both = (int(buyers[item]) + there) / (of + others)
            error = float(np.sqrt(both * (1 - both) * (1 / of + 1 / others)))
        found.append(
            Hot(
                item, int(buyers[item]), share, rest, error, int(told.bought[group][item]), int(told.before[group][item]),
                int(told.net[group][item]),
            )
        )  # fmt: skip
    return found


class Slow(NamedTuple):
    item: int
    bought: int  # member-days within the window
    before: int  # in the stretch before
    expected: float  # of the stretch before, moved as the whole group moved
    missing: float  # expected less bought: what the list is sorted by
    last_day: int


def slow(told: Selling, group: int, top: int = 20) -> list[Slow]:
    """Items that sell surely less than before; those that miss most first. Nothing where the stretch before is unknown."""
    bought, before = told.bought[group], told.before[group]
    all_before = int(before.sum())
    if not all_before:
        return []
    moved = int(bought.sum()) / all_before
    expected = before * moved
    missing = expected - bought
    # Both stretches are counts: the difference of `bought` and `moved × before` has the variance of both.
    error = np.sqrt(np.maximum(bought + moved * expected, 1e-9))
    sure = (before >= LEAST_BEFORE) & (missing > SURE * error)
    best = np.lexsort((np.arange(bought.size), -missing))
    return [
        Slow(int(i), int(bought[i]), int(before[i]), float(expected[i]), float(missing[i]), int(told.last_day[i]))
        for i in best[sure[best]][:top]
    ]


def _once(*columns: np.ndarray) -> np.ndarray:
    """Rows at which a combination is met first."""
    if columns[0].size == 0:
        return np.empty(0, np.int64)
    sorted_rows = np.lexsort(columns[::-1])
    begins = np.zeros(sorted_rows.size, bool)
    begins[0] = True
    for column in columns:
        begins[1:] |= np.diff(column[sorted_rows]) != 0
    return np.sort(sorted_rows[begins])
