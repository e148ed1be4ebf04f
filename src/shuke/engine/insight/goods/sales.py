"""The one table everything about goods is computed from: what stood in which order, whose it was, when, and whether it was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

NOBODY = -1


class Sales(NamedTuple):
    """One element per order and item, sorted by day, order and item. Members, orders and items are places from 0 on.

    member: place in `members`, NOBODY: not known who. day: since 1970-01-01. amount: net of what was given back, minor units.
    kept: not given back whole.
    """

    order: np.ndarray  # int32
    member: np.ndarray  # int32
    day: np.ndarray  # int32
    item: np.ndarray  # int32
    amount: np.ndarray  # int64
    kept: np.ndarray  # bool
    orders: int
    members: np.ndarray  # int64, ids as they were given, ascending
    items: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Rows of a known member."""
        return self.member != NOBODY

    def until(self, day: int) -> Sales:
        """What was sold up to and including `day`; members, orders and items keep their places."""
        return self.where(self.day <= day)

    def most(self, items: int) -> Sales:
        """Only the items that most members bought: what is computed for pairs of items stays within memory."""
        if self.items.size <= items:
            return self
        told = visits(self)
        new = groups_begin(told.member, told.item)
        buyers = np.bincount(told.item[new], minlength=self.items.size)
        chosen = np.sort(np.lexsort((np.arange(buyers.size), -buyers))[:items])
        place = np.full(self.items.size, -1, np.int32)
        place[chosen] = np.arange(chosen.size)
        left = self.where(place[self.item] >= 0)
        return left._replace(item=place[left.item], items=self.items[chosen])

    def where(self, rows: np.ndarray) -> Sales:
        """The rows that are True. All of them are these themselves, and no second copy of the largest thing in memory."""
        if rows.all():
            return self
        return self._replace(
            order=self.order[rows],
            member=self.member[rows],
            day=self.day[rows],
            item=self.item[rows],
            amount=self.amount[rows],
            kept=self.kept[rows],
        )


def sales(
    order: np.ndarray,
    member: np.ndarray,
    day: np.ndarray,
    item: np.ndarray,
    amount: np.ndarray,
    refunded: np.ndarray | None = None,
) -> Sales:
    """Order lines as sales. All arrays are equally long, one element per line.

    order: id. member: id, 0 = nobody known. day: since 1970-01-01. item: id, 0 = not in the catalogue (left out).
    amount: paid for the line, minor units. refunded: given back of it. Lines of one order and item become one row.
    """
    back = np.zeros(order.size, np.int64) if refunded is None else np.asarray(refunded, np.int64)
    rows = np.flatnonzero(np.asarray(item) != 0)
    items, item_at = places(np.asarray(item, np.int64)[rows])
    ids, order_at = places(np.asarray(order, np.int64)[rows])
    who = np.asarray(member, np.int64)[rows]
    members, member_at = places(who)
    if members.size and members[0] == 0:  # the first is nobody, whatever the others are
        members, member_at = members[1:], member_at - 1
    key = order_at.astype(np.int64) * max(items.size, 1) + item_at
    by_key = np.argsort(key, kind="stable")
    at = np.flatnonzero(groups_begin(key[by_key]))
    first = by_key[at]
    nothing = np.empty(0, np.int64)
    paid, given_back = (
        np.add.reduceat(column[rows][by_key], at) if at.size else nothing
        for column in (np.asarray(amount, np.int64), back)
    )
    days = np.asarray(day)[rows][first].astype(np.int32)
    sorted_rows = by_day(days)
    first = first[sorted_rows]
    return Sales(
        order_at[first],
        member_at[first],
        days[sorted_rows],
        item_at[first],
        (paid - given_back)[sorted_rows],
        ((paid > given_back) | (given_back == 0))[sorted_rows],
        int(ids.size),
        members,
        items,
    )


def distinct(values: np.ndarray) -> np.ndarray:
    """Each value once, ascending. As np.unique, which puts whole numbers into a hash table first: a hundred times slower
    for millions of them (NumPy 2.4)."""
    told = np.sort(values)
    return told[groups_begin(told)]


def places(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each value once, ascending; and of each element its place among them (int32)."""
    known = distinct(values)
    return known, np.searchsorted(known, values).astype(np.int32)


def by_day(days: np.ndarray) -> np.ndarray:
    """The order that sorts days, equal ones as they are: days of a history fit into two bytes, and those are counted, not compared."""
    if not days.size:
        return np.empty(0, np.int64)
    since = days - days.min()
    return np.argsort(since.astype(np.uint16) if since.max() < 2**16 else since, kind="stable")


def joined(parts: Sequence[Sales]) -> Sales:
    """Stretches of time as one. Each is later than the one before, and no order stands in two.

    So a long history is brought into this form month by month: what making it takes beside the result is of a month, not of
    the whole.
    """
    members = _all(part.members for part in parts)
    items = _all(part.items for part in parts)
    begins = np.cumsum([0, *(part.orders for part in parts)])

    def column(told: Iterable[np.ndarray], kind: type) -> np.ndarray:
        # One column after the other: a second copy of a single one is all there is beside the result.
        return np.concatenate([np.empty(0, kind), *told]).astype(kind, copy=False)

    return Sales(
        column((part.order + np.int32(begin) for part, begin in zip(parts, begins, strict=False)), np.int32),
        column((_moved(part.member, part.members, members) for part in parts), np.int32),
        column((part.day for part in parts), np.int32),
        column((_moved(part.item, part.items, items) for part in parts), np.int32),
        column((part.amount for part in parts), np.int64),
        column((part.kept for part in parts), np.bool_),
        int(begins[-1]),
        members,
        items,
    )


def _all(parts: Iterable[np.ndarray]) -> np.ndarray:
    return distinct(np.concatenate([np.empty(0, np.int64), *parts]))


def _moved(places: np.ndarray, own: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Places in `own` as places in `whole`; NOBODY stays nobody."""
    there = np.append(np.searchsorted(whole, own), NOBODY).astype(np.int32)  # NOBODY is the last place
    return there[places]


class Visits(NamedTuple):
    """One element per member, item and day on which the member bought and kept it; by member, item, day."""

    member: np.ndarray
    item: np.ndarray
    day: np.ndarray


def visits(sold: Sales) -> Visits:
    """Days on which known members bought items they kept: several orders of a day count once."""
    rows = sold.known & sold.kept
    first = int(sold.day.min(initial=0)) if sold.day.size else 0
    wide, items = int(sold.day.max(initial=first)) - first + 1, max(sold.items.size, 1)
    if sold.members.size * items * wide >= 2**63:
        raise OverflowError("Too many members, items and days for one number each.")
    # The three as one number: sorted in place, it takes a third of what sorting by three columns takes.
    key = sold.member[rows].astype(np.int64)
    key *= items
    key += sold.item[rows]
    key *= wide
    key += sold.day[rows]
    key -= first
    key.sort()
    key = key[groups_begin(key)]
    day = (key % wide + first).astype(np.int32)
    key //= wide
    return Visits((key // items).astype(np.int32), (key % items).astype(np.int32), day)


def groups_begin(*columns: np.ndarray) -> np.ndarray:
    """Where a new combination begins in columns sorted alike: bool, the first element always."""
    begins = np.zeros(columns[0].size, bool)
    begins[:1] = True
    for column in columns:
        begins[1:] |= column[1:] != column[:-1]
    return begins


def wilson(hits: np.ndarray | int, of: np.ndarray | int, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a share that is seen `hits` of `of` times (score interval: sound for few and for extreme ones)."""
    n = np.maximum(np.asarray(of, np.float64), 1e-12)
    p = np.asarray(hits, np.float64) / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    none = np.asarray(of) == 0
    return np.where(none, 0.0, np.maximum(middle - half, 0.0)), np.where(none, 1.0, np.minimum(middle + half, 1.0))
