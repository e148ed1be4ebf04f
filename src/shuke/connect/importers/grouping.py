"""Rows of one order brought together in bounded memory.

Exports keep an order's rows together, or nearly. A window of orders stays open; the longest untouched one is closed
when the window is full. A row for an order that was closed long ago is refused with a hint to sort the file, because
lines are stored together and a second half would replace the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from shuke.connect.importers.cells import RowError
from shuke.engine.facts import Order, Refund

WINDOW = 2_000
_MAX_ROWS_PER_ORDER = 5_000


class Group:
    """The rows of one order met so far, with their row numbers."""

    __slots__ = ("current", "number", "numbers", "rows")

    def __init__(self, number: str) -> None:
        self.number = number
        self.current = 0  # index of the row being looked at, to say which one is at fault
        self.rows: list[list[str]] = []
        self.numbers: list[int] = []

    def each(self) -> Iterator[list[str]]:
        """The rows, keeping `current`."""
        for index, row in enumerate(self.rows):
            self.current = index
            yield row


class Grouped(NamedTuple):
    """How a layout groups: `start` gives a row's order number ("" = the order of the row before), `finish` the order, or the refund."""

    start: Callable[[list[str]], str]
    finish: Callable[[Group], Order | Refund | None]


class Window:
    """Open orders in the order of their last row."""

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._open: dict[str, Group] = {}
        self._closed: set[int] = set()
        self._last: Group | None = None

    def add(self, number: str, row: list[str], at: int) -> Group | None:
        """Put a row to its order; returns an order that is now complete, if the window was full."""
        last = self._last
        if last is not None and (not number or last.number == number):
            group = last
        elif not number:
            raise RowError("number_missing")
        else:
            found = self._open.pop(number, None)
            if found is None:
                if hash(number) in self._closed:
                    raise RowError("order_scattered", "", number)
                found = Group(number)
            group = self._open[number] = self._last = found
        if len(group.rows) >= _MAX_ROWS_PER_ORDER:
            raise RowError("order_too_long", "", group.number)
        group.rows.append(row)
        group.numbers.append(at)
        if len(self._open) > self._size:
            oldest = next(iter(self._open))
            self._closed.add(hash(oldest))
            return self._open.pop(oldest)
        return None

    def rest(self) -> list[Group]:
        groups, self._open, self._last = list(self._open.values()), {}, None
        return groups
