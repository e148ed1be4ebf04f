"""The next item that is new to a member, by what those with a like basket and a like history buy (cosine of items)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse

from shuke.engine.insight.goods import meeting
from shuke.engine.insight.goods.sales import Sales, Visits, groups_begin, visits

MOST_ITEMS = 3_000
NEIGHBOURS = 300  # of each item, kept
LEAST_BUYERS = 5  # of an item, before it is suggested
WAYS = ("basket", "customer", "both")


class Model(NamedTuple):
    """Likeness of items: `near[i, j]` is how much owning i speaks for j."""

    near: sparse.csr_array  # float32 [items, items]
    buyers: np.ndarray  # int64 [items], members who bought it
    together: sparse.csr_array  # int32 [items, items], members who bought both, of neighbours: the reason that is shown
    items: np.ndarray


def fit(
    sold: Sales,
    way: str = "both",
    *,
    most_items: int = MOST_ITEMS,
    neighbours: int = NEIGHBOURS,
    seen: Visits | None = None,
) -> Model:
    """Learn from everything sold. way: `basket` by one order, `customer` by one member's history, `both` the mean of the two.

    seen: the visits of `sold`, if they are known.
    """
    if way not in WAYS:
        raise ValueError(f"There is no way {way!r}; there are {', '.join(WAYS)}.")
    holders = _holders(sold, most_items, seen)
    near, together = [], []
    for block in _blocks(holders):
        near.append(_nearest(block.likeness(way), neighbours))
        together.append(block.members.multiply(near[-1] != 0).tocsr())
    size = sold.items.size
    return Model(_stacked(near, size, np.float32), holders.buyers, _stacked(together, size, np.int32), sold.items)


def compared(
    sold: Sales, *, most_items: int = MOST_ITEMS, neighbours: int = NEIGHBOURS
) -> tuple[dict[str, sparse.csr_array], np.ndarray]:
    """Likeness in each of WAYS and by lift (for the check alone, see there), and the buyers of each item: what they share is counted once."""
    holders = _holders(sold, most_items, None)
    near: dict[str, list[sparse.csr_array]] = {way: [] for way in (*WAYS, "lift")}
    for block in _blocks(holders):
        for way in WAYS:
            near[way].append(_nearest(block.likeness(way), neighbours))
        near["lift"].append(_lift(block, holders.buyers))
    return {way: _stacked(parts, sold.items.size, np.float32) for way, parts in near.items()}, holders.buyers


def scores(model: Model, owned: sparse.csr_array) -> np.ndarray:
    """[members, items] of how much speaks for each item, for rows of ownership."""
    return np.asarray((owned @ model.near).todense(), dtype=np.float32)


def ownership(sold: Sales, members: np.ndarray) -> sparse.csr_array:
    """Rows: the given members (places); 1 where a member bought and kept an item."""
    rows = sold.known & sold.kept
    place = np.full(sold.members.size, -1, np.int64)
    place[members] = np.arange(members.size)
    at = place[sold.member[rows]]
    here = at >= 0
    return ones(at[here], sold.item[rows][here], (members.size, sold.items.size))


class Suggested(NamedTuple):
    """One element per suggestion: by member, best first."""

    member: np.ndarray
    item: np.ndarray
    score: np.ndarray
    because: np.ndarray  # the owned item that speaks most for it
    buyers_both: np.ndarray  # members who bought the two


def suggest(
    model: Model, sold: Sales, members: np.ndarray, *, top: int = 10, hidden: np.ndarray | None = None
) -> Suggested:
    """The best new items of each member (places). Nothing for who has bought nothing. Works through members in blocks.

    hidden: bool [items], or [members, items]: never suggested.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    for start in range(0, members.size, 2_000):
        block = members[start : start + 2_000]
        owned = ownership(sold, block)
        table = scores(model, owned)
        table[owned.nonzero()] = 0
        table[:, model.buyers < LEAST_BUYERS] = 0
        if hidden is not None:
            table[hidden[start : start + 2_000] if hidden.ndim == 2 else np.broadcast_to(hidden, table.shape)] = 0
        best = ranked(table, top)
        for row in range(block.size):
            chosen = best[row][table[row, best[row]] > 0]
            mine = owned.indices[owned.indptr[row] : owned.indptr[row + 1]]
            if not chosen.size:
                continue
            speaks = np.asarray(model.near[mine][:, chosen].todense())
            strongest = mine[speaks.argmax(axis=0)]
            both = np.array([model.together[i, j] for i, j in zip(strongest, chosen, strict=True)], np.int64)
            parts.append((np.full(chosen.size, block[row]), chosen, table[row, chosen], strongest, both))
    if not parts:
        none = np.empty(0, np.int64)
        return Suggested(none, none, none.astype(np.float32), none, none)
    return Suggested(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def ranked(table: np.ndarray, top: int) -> np.ndarray:
    """The `top` best columns of each row, best first; equal scores by place, so that two runs answer alike."""
    top = min(top, table.shape[1])
    if not top:
        return np.empty((table.shape[0], 0), np.int64)
    best = np.argpartition(-table, top - 1, axis=1)[:, :top]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(table, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def ones(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """1 where a row and a column meet, however often."""
    found = sparse.csr_array((np.ones(row.size, np.float32), (row, column)), shape=shape)
    found.sum_duplicates()
    found.data[:] = 1
    return found


class _Holders(NamedTuple):
    by_member: sparse.csr_array
    by_order: sparse.csr_array
    buyers: np.ndarray


def _holders(sold: Sales, most_items: int, seen: Visits | None) -> _Holders:
    """Who holds what, of the `most_items` with most buyers."""
    size = sold.items.size
    told = visits(sold) if seen is None else seen
    new = groups_begin(told.member, told.item)
    who, item = told.member[new], told.item[new]
    buyers = np.bincount(item, minlength=size)
    chosen = np.zeros(size, bool)
    chosen[np.lexsort((np.arange(size), -buyers))[:most_items]] = True
    rows = sold.kept & chosen[sold.item]
    return _Holders(
        meeting.held(who[chosen[item]], item[chosen[item]], (sold.members.size, size)),
        meeting.held(sold.order[rows], sold.item[rows], (sold.orders, size)),
        buyers,
    )


class _Block(NamedTuple):
    """Some items, from `first` on, with all others."""

    first: int
    members: sparse.csr_array  # int32, members who bought both
    customer: sparse.csr_array
    basket: sparse.csr_array

    def likeness(self, way: str) -> sparse.csr_array:
        if way == "both":
            return (self.customer + self.basket) * np.float32(0.5)
        return self.customer if way == "customer" else self.basket


def _blocks(told: _Holders) -> Iterator[_Block]:
    members, orders = meeting.how_many(told.by_member), meeting.how_many(told.by_order)
    both = zip(meeting.blocks(told.by_member), meeting.blocks(told.by_order), strict=True)
    for (first, by_member), (_first, by_order) in both:
        yield _Block(first, by_member, _cosine(by_member, first, members), _cosine(by_order, first, orders))


def _stacked(parts: list[sparse.csr_array], size: int, kind: type) -> sparse.csr_array:
    """Rows of blocks as one square; no rows at all are a square of nothing."""
    return sparse.csr_array(sparse.vstack(parts, format="csr")) if parts else sparse.csr_array((size, size), dtype=kind)


def _cosine(met: sparse.csr_array, first: int, holders: np.ndarray) -> sparse.csr_array:
    length = np.sqrt(np.maximum(holders.astype(np.float32), 1))
    found = met.tocoo()
    row = found.row + first
    off = row != found.col
    values = (found.data.astype(np.float32) / (length[row] * length[found.col])).astype(np.float32)
    return sparse.csr_array((values[off], (found.row[off], found.col[off])), shape=met.shape)


def _lift(block: _Block, buyers: np.ndarray) -> sparse.csr_array:
    """What the field often does, as a warning: neighbours by lift, of pairs seen ten times or more."""
    met = block.members.tocoo()
    row = met.row + block.first
    keep = (row != met.col) & (met.data >= 10)
    values = met.data[keep] / (buyers[row[keep]] * buyers[met.col[keep]])
    return sparse.csr_array((values.astype(np.float32), (met.row[keep], met.col[keep])), shape=met.shape)


def _nearest(near: sparse.csr_array, most: int) -> sparse.csr_array:
    """Only the `most` strongest neighbours of each item: the rest is noise, and weight."""
    near.sort_indices()
    size = np.diff(near.indptr)
    row = np.repeat(np.arange(size.size), size)
    order = np.lexsort((near.indices, -near.data, row))
    rank = np.arange(order.size) - np.repeat(near.indptr[:-1], size)
    keep = order[rank < most]
    return sparse.csr_array((near.data[keep], (row[keep], near.indices[keep])), shape=near.shape)
