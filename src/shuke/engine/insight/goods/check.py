"""Hit rate@10 on time splits: what members bought next, against what would have been named the evening before.

A member counts who bought before the cut and after it; hit is who has at least one of the ten named items on the first day with a purchase after the
cut, or, with `within`, on any day of so many after it. Nothing after the cut is known to any method, the bestsellers included.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from shuke.engine.insight.goods import again, fresh
from shuke.engine.insight.goods.sales import Sales, Visits, visits

TOP = 10
RECENT_DAYS = 90  # what is bought on most days of the last quarter is what is named to everybody
CUTS = (0.6, 0.7, 0.8, 0.9)
LEAST_MEMBERS = 30
BLOCK = 250  # members whose scores of all items are in memory at once
AGAIN = ("bestsellers", "own_count", "again")
NEW = ("bestsellers", "basket", "customer", "both", "lift")


class Rate(NamedTuple):
    method: str
    members: int
    hits: int
    ahead: int  # members hit by this method and not by the bestsellers
    behind: int  # the other way round

    @property
    def rate(self) -> float:
        return self.hits / self.members if self.members else 0.0

    @property
    def surely(self) -> int:
        """Against bestsellers: 1 surely better, -1 surely worse, 0 cannot be told (sign test of the members that differ)."""
        apart = self.ahead - self.behind
        limit = 1.96 * np.sqrt(self.ahead + self.behind)
        return int(apart > limit) - int(apart < -limit)


class Split(NamedTuple):
    cut: int  # the last day that was known
    members: int
    every: list[Rate]  # any item, AGAIN
    new: list[Rate]  # only items the member never bought, NEW


def check(
    sold: Sales,
    *,
    cuts: tuple[float, ...] = CUTS,
    within: int = 0,
    top: int = TOP,
    most_items: int = fresh.MOST_ITEMS,
) -> list[Split]:
    """One split for each share of the history in `cuts` that leaves enough members to count."""
    if sold.day.size == 0:
        return []
    first, last = int(sold.day.min()), int(sold.day.max())
    found = []
    for share in cuts:
        cut = first + round((last - first) * share)
        one = split(sold, cut, within=within, top=top, most_items=most_items)
        if one.members >= LEAST_MEMBERS:
            found.append(one)
    return found


def earned(splits: list[Split], methods: str = "new") -> tuple[str, int]:
    """The method with the most hits over all splits, and whether it is surely better than bestsellers (1), or not (0).

    A method that is not surely better is not to be trusted more than the plain rule: then say `bestsellers`.
    """
    sums: dict[str, list[int]] = {}
    for one in splits:
        for rate in getattr(one, methods):
            told = sums.setdefault(rate.method, [0, 0, 0])
            told[0], told[1], told[2] = told[0] + rate.hits, told[1] + rate.ahead, told[2] + rate.behind
    offered = {name: told for name, told in sums.items() if name not in ("bestsellers", "lift", "own_count")}
    if not offered:
        return "bestsellers", 0
    best = max(sorted(offered), key=lambda name: offered[name][0])
    _hits, ahead, behind = offered[best]
    return (best, 1) if ahead - behind > 1.96 * np.sqrt(ahead + behind) else ("bestsellers", 0)


def split(sold: Sales, cut: int, *, within: int = 0, top: int = TOP, most_items: int = fresh.MOST_ITEMS) -> Split:
    """Name items with what was known at the end of day `cut`; count hits on each member's next day, or `within` so many days."""
    before = sold.until(cut)
    later = visits(sold.where((sold.day > cut) & (sold.day <= (cut + within if within else sold.day.max(initial=cut)))))
    bought = visits(before)
    tested = np.flatnonzero(_were(bought, sold) & _were(later, sold))
    on_it = np.isin(later.member, tested)
    if not within:
        next_day = np.full(sold.members.size, np.iinfo(np.int32).max, np.int32)
        np.minimum.at(next_day, later.member, later.day)
        on_it &= later.day == next_day[later.member]
    place = np.full(sold.members.size, -1, np.int64)
    place[tested] = np.arange(tested.size)
    shape = (tested.size, sold.items.size)
    truth = fresh.ones(place[later.member[on_it]], later.item[on_it], shape)
    owned = fresh.ownership(before, tested)
    popular = np.bincount(bought.item[bought.day > cut - RECENT_DAYS], minlength=sold.items.size).astype(np.float32)

    every = _every(before, cut, tested, owned, popular, truth, top)
    new_truth = truth - truth.multiply(owned)
    new_truth.eliminate_zeros()
    return Split(cut, int(tested.size), every, _new(before, owned, new_truth.tocsr(), top, most_items))


def _were(seen: Visits, sold: Sales) -> np.ndarray:
    """bool per member: whether a visit is theirs."""
    found = np.zeros(sold.members.size, bool)
    found[seen.member] = True
    return found


def _every(before, cut, tested, owned, popular, truth, top) -> list[Rate]:  # type: ignore[no-untyped-def]
    told = again.held(before, as_of=cut)
    known = again.rhythm(before, told)
    here = np.isin(told.member, tested)
    place = np.full(before.members.size, -1, np.int64)
    place[tested] = np.arange(tested.size)
    tiny = (
        popular / max(float(popular.max(initial=0)), 1.0) * 1e-3
    )  # bestsellers fill up what the own history leaves empty
    own = sparse.csr_array(
        (told.days[here].astype(np.float32), (place[told.member[here]], told.item[here])), shape=truth.shape
    )
    ripe = again.due(before, known, as_of=cut, own=told, members=tested)
    due = sparse.csr_array((ripe.score.astype(np.float32), (place[ripe.member], ripe.item)), shape=truth.shape)

    def best(method: str, block: slice) -> np.ndarray:
        table = np.tile(tiny, (owned[block].shape[0], 1)).astype(np.float32)
        if method == "own_count":
            table += own[block].todense()
        elif method == "again":
            table += due[block].todense()
        return table

    return _rates(AGAIN, best, truth, top)


def _new(before, owned, truth, top, most_items) -> list[Rate]:  # type: ignore[no-untyped-def]
    rows = np.flatnonzero(np.diff(truth.indptr))  # members who bought something new at all
    owned, truth = owned[rows], truth[rows]
    likeness, buyers = fresh.compared(before, most_items=most_items)
    enough = buyers >= fresh.LEAST_BUYERS
    # The stronger of the plain rules on real shops: most buyers of all time, not of the quarter.
    popular = buyers.astype(np.float32)
    tiny = popular / max(float(popular.max(initial=0)), 1.0) * 1e-6

    def best(method: str, block: slice) -> np.ndarray:
        mine = owned[block]
        if method == "bestsellers":
            table = np.tile(popular, (mine.shape[0], 1)).astype(np.float32)
        else:
            table = np.asarray((mine @ likeness[method]).todense(), np.float32) * enough + tiny
        table[mine.nonzero()] = 0
        return table

    return _rates(NEW, best, truth, top)


def _rates(methods, best, truth, top) -> list[Rate]:  # type: ignore[no-untyped-def]
    hit = {method: np.zeros(truth.shape[0], bool) for method in methods}
    for start in range(0, truth.shape[0], BLOCK):
        block = slice(start, min(start + BLOCK, truth.shape[0]))
        real = np.asarray(truth[block].todense()) > 0
        for method in methods:
            table = best(method, block)
            named = fresh.ranked(table, top)
            good = np.take_along_axis(table, named, axis=1) > 0
            hit[method][block] = (np.take_along_axis(real, named, axis=1) & good).any(axis=1)
    base = hit["bestsellers"]
    return [
        Rate(m, int(truth.shape[0]), int(hit[m].sum()), int((hit[m] & ~base).sum()), int((base & ~hit[m]).sum()))
        for m in methods
    ]
