"""Hot and slow sellers, of all and of each group of members. Definitions: docs/algorithms/goods.md.

Hot is counted in buyers, not in pieces or money: one wholesaler makes nothing hot. Slow is an item that sells surely less than it did, taking off
what the whole shop sells less; an item nobody bought before either is no slow seller, it is unknown.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import Sales, groups_begin

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


class Window(NamedTuple):
    """What sold within the window and the stretch before: counted once, whatever groups it is then looked at by."""

    member: np.ndarray  # int32, NOBODY: a guest
    item: np.ndarray
    amount: np.ndarray
    now: np.ndarray  # bool, within the window; else before it
    mark: np.ndarray  # places of rows: one per member (of a guest per order), item and day
    pair: np.ndarray  # one per known member and item within the window
    person: np.ndarray  # one per known member who bought within the window
    last_day: np.ndarray  # int32 [items], 0: never sold

    @property
    def items(self) -> int:
        return self.last_day.size


def lately(sold: Sales, *, as_of: int, window: int = WINDOW_DAYS) -> Window:
    """`window` days up to `as_of`, and as many before."""
    past = sold.until(as_of)
    last = np.zeros(sold.items.size, np.int32)
    np.maximum.at(last, past.item, past.day)
    told = past.where((past.day > as_of - 2 * window) & past.kept)
    now = told.day > as_of - window
    items = max(sold.items.size, 1)
    # Of a known member one mark per item and day; of a guest one per order.
    party = np.where(told.known, told.member, sold.members.size + told.order).astype(np.int64)
    pairs = np.flatnonzero(now & told.known)
    pairs = pairs[_once(told.member[pairs].astype(np.int64) * items + told.item[pairs])]
    marks = _once((party * items + told.item) * (2 * window) + (as_of - told.day))
    people = pairs[_once(told.member[pairs].astype(np.int64))]
    return Window(told.member, told.item, told.amount, now, marks, pairs, people, last)


def selling(sold: Sales, group_of: np.ndarray, groups: int, *, as_of: int, window: int = WINDOW_DAYS) -> Selling:
    """What sold within `window` days up to `as_of`; `by_group` says of which groups."""
    return by_group(lately(sold, as_of=as_of, window=window), group_of, groups)


def by_group(told: Window, group_of: np.ndarray, groups: int) -> Selling:
    """group_of: of each of `sold.members` the group 0 … groups - 1, or -1 (in none; counted under everybody)."""
    items, wide = told.items, groups + 1
    group = np.append(np.asarray(group_of, np.int64), -1)[told.member]  # NOBODY is the last place

    def table(rows: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        found = np.zeros((wide, items), np.int64)
        known = rows[group[rows] >= 0]
        if weights is None:
            place = group[known] * items + told.item[known]
            found[:-1] = np.bincount(place, minlength=groups * items).reshape(groups, items)
            found[-1] = np.bincount(told.item[rows], minlength=items)
            return found
        np.add.at(found, (group[known], told.item[known]), weights[known])
        np.add.at(found[-1], told.item[rows], weights[rows])
        return found

    of = np.zeros(wide, np.int64)
    of[:-1] = np.bincount(group[told.person][group[told.person] >= 0], minlength=groups)
    of[-1] = told.person.size
    now = told.now[told.mark]
    return Selling(
        table(told.pair),
        of,
        table(told.mark[now]),
        table(told.mark[~now]),
        table(np.flatnonzero(told.now), told.amount),
        told.last_day,
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


def _once(key: np.ndarray) -> np.ndarray:
    """Rows at which a number is met first."""
    turn = np.argsort(key, kind="stable")
    return np.sort(turn[groups_begin(key[turn])])
