"""The member directory: filtered, sorted, paged lists of members with their figures, at any size.

Who is meant and in which order is worked out in memory (queries/chosen.py), a few hundredths of a second for a million members; the
database is asked for the rows of one page. Members whose sort value is not known (joined since the last night, no account yet) follow
at the end of the list, the latest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shuke.insight.queries.chosen import Known, chosen
from shuke.insight.queries.crowd import NO_ACCOUNT, crowd
from shuke.insight.queries.filters import DEFAULT_SORT, Filters, parse_sort
from shuke.insight.queries.list_rows import Row, rows_of
from shuke.insight.queries.value import NONE
from shuke.shops.models import Merchant

PAGE_SIZE = 50
_FEW = 8  # a page within this part of the list is picked out; further back everybody is sorted


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the directory."""

    rows: list[Row]
    total: int
    number: int  # 1-based; the last page where a later one was asked for
    first: int  # position of the first row, 1-based; 0 if there is none
    has_next: bool


def directory(
    merchant: Merchant,
    filters: Filters,
    *,
    now: datetime,
    sort: str = DEFAULT_SORT,
    number: int = 1,
    size: int = PAGE_SIZE,
    found: list[int] | None = None,
) -> Page:
    """One page of the merchant's members.

    `found` are the members a text search gave (members.queries); None = no text was asked for. `now` is the shop's time.
    """
    listed = _listed(merchant, filters, now, sort, found)
    number = max(1, min(number, -(-listed.total // size)))
    start = (number - 1) * size
    rows = rows_of(merchant, listed.ids(start, size))
    return Page(rows, listed.total, number, start + 1 if rows else 0, has_next=start + size < listed.total)


def neighbours(
    merchant: Merchant,
    filters: Filters,
    *,
    member_id: int,
    now: datetime,
    sort: str = DEFAULT_SORT,
    found: list[int] | None = None,
) -> tuple[int | None, int | None]:
    """The members before and after this one in that list; None at its ends, or where the list has no such member."""
    return _listed(merchant, filters, now, sort, found).around(member_id)


def every_row(
    merchant: Merchant,
    filters: Filters,
    *,
    now: datetime,
    sort: str = DEFAULT_SORT,
    found: list[int] | None = None,
    only: list[int] | None = None,
    chunk: int = 2_000,
) -> Iterator[list[Row]]:
    """The whole list in chunks, for exports and bulk actions. `only` keeps those members of it."""
    if only is not None:
        keep = set(only)
        found = [i for i in found if i in keep] if found is not None else list(keep)
    listed = _listed(merchant, filters, now, sort, found)
    ids = listed.ids(0, listed.total)
    for start in range(0, len(ids), chunk):
        yield rows_of(merchant, ids[start : start + chunk])


def count(merchant: Merchant, filters: Filters, *, now: datetime, found: list[int] | None = None) -> int:
    """How many members the filters let through."""
    return matching(merchant, filters, now=now, found=found).size


def matching(merchant: Merchant, filters: Filters, *, now: datetime, found: Iterable[int] | None = None) -> np.ndarray:
    """Ids of those whom the filters let through, ascending (int64)."""
    known = Known(merchant, crowd(merchant))
    return known.crowd.member[chosen(known, filters, now, found)]


def _listed(merchant: Merchant, filters: Filters, now: datetime, sort: str, found: list[int] | None) -> Ranking:
    known = Known(merchant, crowd(merchant))
    sort = parse_sort(sort)
    values, has_one = _values(known, sort.removeprefix("-"))
    return Ranking(known.crowd.member, chosen(known, filters, now, found), values, has_one, down=sort.startswith("-"))


class Ranking:
    """Members in the order of a list: first those whose sort value is known, then the others.

    member: ids, ascending; mask: who is in the list; values: to sort by, whole numbers; has_one: whose value is known (None: everybody's).
    """

    def __init__(
        self, member: np.ndarray, mask: np.ndarray, values: np.ndarray, has_one: np.ndarray | None, *, down: bool
    ) -> None:
        self._member = member
        if has_one is None:
            self._head, self._tail = np.flatnonzero(mask), np.empty(0, np.intp)
        else:
            self._head, self._tail = np.flatnonzero(mask & has_one), np.flatnonzero(mask & ~has_one)[::-1]
        # Whole numbers that ascend along the list. Where they are alike it goes by id, in the same direction.
        self._keys = values[self._head].astype(np.int64)
        if down:
            self._head, self._keys = self._head[::-1], -self._keys[::-1]
        self.total = self._head.size + self._tail.size

    def ids(self, start: int, size: int) -> list[int]:
        """Of the members from a position on, 0-based."""
        end = min(start + size, self.total)
        places = self._first(min(end, self._head.size))[start:]
        if end > self._head.size:
            places = np.concatenate([places, self._tail[max(0, start - self._head.size) : end - self._head.size]])
        return self._member[places].tolist()

    def around(self, member_id: int) -> tuple[int | None, int | None]:
        mine = np.flatnonzero(self._member == member_id)
        in_head, in_tail = (np.flatnonzero(part == mine[0]) if mine.size else mine for part in (self._head, self._tail))
        if not in_head.size and not in_tail.size:
            return None, None
        if in_head.size:
            here = int(in_head[0])
            key = self._keys[here]
            before = self._nearest(self._keys < key, np.flatnonzero(self._keys[:here] == key), last=True)
            after = self._nearest(
                self._keys > key, here + 1 + np.flatnonzero(self._keys[here + 1 :] == key), last=False
            )
            if after is None and self._tail.size:
                after = int(self._tail[0])
        else:
            here = int(in_tail[0])
            after = int(self._tail[here + 1]) if here + 1 < self._tail.size else None
            before = int(self._tail[here - 1]) if here else None
            if before is None and self._head.size:
                before = int(self._head[np.flatnonzero(self._keys == self._keys.max())[-1]])
        return self._id(before), self._id(after)

    def _id(self, place: int | None) -> int | None:
        return None if place is None else int(self._member[place])

    def _nearest(self, beyond: np.ndarray, alike: np.ndarray, *, last: bool) -> int | None:
        """The place next to one: of those with the same key, else with the nearest beyond it."""
        if alike.size:
            return int(self._head[alike[-1 if last else 0]])
        if not beyond.any():
            return None
        keys = self._keys[beyond]
        nearest = np.flatnonzero(self._keys == (keys.max() if last else keys.min()))
        return int(self._head[nearest[-1 if last else 0]])

    def _first(self, wanted: int) -> np.ndarray:
        """The first places of the head, in order."""
        keys = self._keys
        if wanted * _FEW > keys.size:
            return self._head[np.argsort(keys, kind="stable")[:wanted]]
        if not wanted:
            return self._head[:0]
        bound = np.partition(keys, wanted - 1)[wanted - 1]
        less = np.flatnonzero(keys < bound)
        less = less[np.argsort(keys[less], kind="stable")]
        return self._head[np.concatenate([less, np.flatnonzero(keys == bound)[: wanted - less.size]])]


def _values(known: Known, sort: str) -> tuple[np.ndarray, np.ndarray | None]:
    """The values to sort by, and who has one; None: everybody."""
    if sort == "joined":
        return known.crowd.joined, None
    if sort == "points":
        return known.crowd.points, known.crowd.points != NO_ACCOUNT
    if sort == "expects":
        spend = known.value("expected_spend", NONE)
        return spend, spend != NONE
    if sort == "last":
        last = known.score("last_paid_at")
        return last, last > 0
    return known.score({"spent": "net_minor", "orders": "order_count"}[sort]), known.score.there
