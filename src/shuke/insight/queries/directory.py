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
    """Members in the order of a list: first those whose sort value is known, then the others, the latest first. Where values are alike
    it goes by id, in the direction of the list.

    member: ids, ascending; mask: who is in the list; values: to sort by, whole numbers; has_one: whose value is known (None: everybody's).
    """

    def __init__(
        self, member: np.ndarray, mask: np.ndarray, values: np.ndarray, has_one: np.ndarray | None, *, down: bool
    ) -> None:
        self._member, self._down = member, down
        self._in_head = mask if has_one is None else mask & has_one
        self._in_tail = None if has_one is None else mask & ~has_one
        self._values = values[self._in_head]  # by ascending id
        self.total = self._values.size + (0 if self._in_tail is None else int(np.count_nonzero(self._in_tail)))

    def ids(self, start: int, size: int) -> list[int]:
        """Of the members from a position on, 0-based."""
        head, end = self._values.size, min(start + size, self.total)
        found: list[int] = []
        if start < head:
            found = self._member[np.flatnonzero(self._in_head)[self._first(min(end, head))[start:]]].tolist()
        if end > head:
            found += self._tail()[max(0, start - head) : end - head].tolist()
        return found

    def around(self, member_id: int) -> tuple[int | None, int | None]:
        """The members before and after this one."""
        place = int(np.searchsorted(self._member, member_id))
        if place == self._member.size or self._member[place] != member_id:
            return None, None
        if self._in_head[place]:
            here = int(np.count_nonzero(self._in_head[:place]))
            before, after = self._next_to(here, on=False), self._next_to(here, on=True)
            if after is None and (tail := self._tail()).size:
                after = int(tail[0])
            return before, after
        if self._in_tail is None or not self._in_tail[place]:
            return None, None
        tail = self._tail()
        here = int(np.flatnonzero(tail == member_id)[0])
        after = int(tail[here + 1]) if here + 1 < tail.size else None
        return (int(tail[here - 1]) if here else self._last_of_head()), after

    def _tail(self) -> np.ndarray:
        return self._member[:0] if self._in_tail is None else self._member[self._in_tail][::-1]

    def _last_of_head(self) -> int | None:
        if not self._values.size:
            return None
        return self._id(self._values == (self._values.min() if self._down else self._values.max()), on=False)

    def _next_to(self, here: int, *, on: bool) -> int | None:
        """The next of the head, on along the list or back: of those with the same value, else of those with the nearest."""
        values, upward = self._values, on != self._down  # whether ids and values grow that way
        alike = (values[here + 1 :] if upward else values[:here]) == values[here]
        if alike.any():
            step = int(alike.argmax()) if upward else alike.size - 1 - int(alike[::-1].argmax())
            return int(self._member[np.flatnonzero(self._in_head)[here + 1 + step if upward else step]])
        beyond = values[values > values[here]] if upward else values[values < values[here]]
        return self._id(values == (beyond.min() if upward else beyond.max()), on=on) if beyond.size else None

    def _id(self, alike: np.ndarray, *, on: bool) -> int:
        """Of those with one value the first in the list, or (coming back) the last."""
        lowest = on != self._down
        step = int(alike.argmax()) if lowest else alike.size - 1 - int(alike[::-1].argmax())
        return int(self._member[np.flatnonzero(self._in_head)[step]])

    def _first(self, wanted: int) -> np.ndarray:
        """The first so many of the head, in order, as places among its values."""
        values, size = self._values, self._values.size
        if wanted * _FEW > size:
            chosen, rest = np.arange(size), np.empty(0, np.intp)
        elif self._down:
            bound = np.partition(values, size - wanted)[size - wanted]
            chosen, rest = np.flatnonzero(values > bound), np.flatnonzero(values == bound)[::-1]
        else:
            bound = np.partition(values, wanted - 1)[wanted - 1]
            chosen, rest = np.flatnonzero(values < bound), np.flatnonzero(values == bound)
        order = np.lexsort((chosen, values[chosen]))
        chosen = chosen[order[::-1] if self._down else order]
        return np.concatenate([chosen, rest])[:wanted]


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
