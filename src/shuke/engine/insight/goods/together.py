"""Bought together: pairs of items in one order, with all counts shown. Never ranked by lift, which favours what is rare.

Ranked by *extra orders*: how many more orders hold both than chance alone would bring together. Lift is shown beside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from shuke.engine.insight.goods import meeting
from shuke.engine.insight.goods.sales import Sales

MOST_ITEMS = 3_000  # by number of orders: pairs of what hardly anybody buys tell nothing
LEAST_TOGETHER = 10  # orders with both
SURE = 3.0  # standard errors above chance


class Pairs(NamedTuple):
    """One element per pair, most extra orders first. `first` is the more often ordered of the two."""

    first: np.ndarray
    second: np.ndarray
    both: np.ndarray  # orders with both
    with_first: np.ndarray
    with_second: np.ndarray
    orders: int  # all orders that were looked at

    @property
    def expected(self) -> np.ndarray:
        """Orders with both, if the two had nothing to do with each other."""
        return self.with_first * (self.with_second / max(self.orders, 1))

    @property
    def extra(self) -> np.ndarray:
        return self.both - self.expected

    @property
    def support(self) -> np.ndarray:
        return self.both / max(self.orders, 1)

    @property
    def lift(self) -> np.ndarray:
        return self.both / self.expected

    @property
    def confidence(self) -> np.ndarray:
        """Of orders with the first: the share that holds the second too."""
        return self.both / self.with_first

    @property
    def confidence_back(self) -> np.ndarray:
        return self.both / self.with_second

    @property
    def errors(self) -> np.ndarray:
        """How many standard errors the pair is above chance."""
        p, q = self.with_first / max(self.orders, 1), self.with_second / max(self.orders, 1)
        return self.extra / np.sqrt(np.maximum(self.orders * p * q * (1 - p) * (1 - q), 1e-9))

    def take(self, rows: np.ndarray) -> Pairs:
        first, second, both, one, two = (column[rows] for column in self[:5])
        return Pairs(first, second, both, one, two, self.orders)


def pairs(sold: Sales, *, least: int = LEAST_TOGETHER, most_items: int = MOST_ITEMS, surely: bool = True) -> Pairs:
    """All pairs that at least `least` orders hold; with `surely` only those above chance by SURE standard errors.

    Orders of guests count too. Orders with a single item count as orders: without them everything would seem to go together.
    """
    kept = sold.where(sold.kept)
    orders = int(np.count_nonzero(np.bincount(kept.order, minlength=1)))
    count = np.bincount(kept.item, minlength=sold.items.size)
    chosen = np.sort(np.lexsort((np.arange(count.size), -count))[:most_items])
    chosen = chosen[count[chosen] >= least]
    place = np.full(sold.items.size, -1, np.int64)
    place[chosen] = np.arange(chosen.size)
    rows = place[kept.item] >= 0
    held = meeting.held(kept.order[rows], place[kept.item[rows]], (sold.orders, chosen.size))
    first, second, both = _often(held, least)
    a, b = chosen[first], chosen[second]
    swap = count[b] > count[a]
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    found = Pairs(a, b, both, count[a].astype(np.int64), count[b].astype(np.int64), orders)
    if surely:
        found = found.take(found.errors > SURE)
    return found.take(np.lexsort((found.second, found.first, -found.extra)))


def _often(held: sparse.csr_array, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of columns that `least` rows or more hold together, each pair once, and how many rows do."""
    parts = [(np.empty(0, np.int64),) * 3]
    for begin, block in meeting.blocks(held):
        met = block.tocoo()
        one = met.row + begin
        enough = (met.data >= least) & (one < met.col)
        parts.append((one[enough], met.col[enough], met.data[enough]))
    first, second, both = (np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True))
    return first, second, both
