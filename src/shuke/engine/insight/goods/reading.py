"""Sales straight from the columns of orders and lines: what the analysis `goods_lines` says, without joining and grouping.

In one process half of what the engine took: heads stand by ascending id, and the lines of an order beside one another but for those
that came later, so that there is little to search and to sort. On a cluster the analysis itself is run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import NOBODY, Sales, by_day, groups_begin, places
from shuke.engine.insight.port import Columns

HEADS = ("order_id", "member", "day", "counted")
LINES = ("order_id", "product", "amount", "refunded")


class Shelved(NamedTuple):
    """Which item each product is, and whose purchases are a member's; all ascending by id."""

    products: np.ndarray
    item: np.ndarray  # 0: left out
    members: np.ndarray


def taken(heads: Columns, lines: Columns, shelved: Shelved, *, as_of: int) -> Sales:
    """One stretch of time. heads: HEADS by ascending order; lines: LINES in any order, those of other orders are left out."""
    at, known = found(heads["order_id"], lines["order_id"])
    counts = (heads["counted"] == 1) & (heads["day"] <= as_of)
    product, listed = found(shelved.products, lines["product"])
    what = shelved.item[product] if shelved.products.size else np.zeros(product.size, np.int64)
    rows = np.flatnonzero(known & listed & (what > 0) & (counts[at] if counts.size else known))
    at, what = at[rows], what[rows]
    orders, order = _numbered(at, heads["order_id"].size)
    items, item = _numbered(what, int(shelved.item.max(initial=0)) + 1)
    key = order.astype(np.int64) * max(items.size, 1) + item
    by_key = np.argsort(key, kind="stable")
    begin = np.flatnonzero(groups_begin(key[by_key]))
    paid, back = (
        np.add.reduceat(column[rows][by_key], begin) if begin.size else np.empty(0, np.int64)
        for column in (lines["amount"], lines["refunded"])
    )
    first = by_key[begin]
    order, item = order[first], item[first]
    day = heads["day"][orders].astype(np.int32)[order]
    turn = by_day(day)
    members, member = _whose(heads["member"][orders], shelved.members)
    return Sales(
        order[turn],
        member[order[turn]],
        day[turn],
        item[turn],
        (paid - back)[turn],
        ((paid > back) | (back == 0))[turn],
        int(orders.size),
        members,
        items,
    )


def found(known: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where values stand among ascending ones (int32), and whether they are there at all; elsewhere the place means nothing."""
    if not known.size:
        return np.zeros(wanted.size, np.int32), np.zeros(wanted.size, bool)
    at = np.minimum(np.searchsorted(known, wanted), known.size - 1).astype(np.int32)
    return at, known[at] == wanted


def _numbered(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """As `sales.places`, for small whole numbers: counted instead of sorted."""
    if most > 64 * (values.size + 1):  # ids of products, not kinds
        return places(values)
    there = np.zeros(most, bool)
    there[values] = True
    number = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(there), number[values]


def _whose(buyers: np.ndarray, living: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The members who bought, ascending, and of each order its member's place; NOBODY: a guest, or who is no member any more."""
    turn = np.argsort(
        buyers
    )  # in their order they are found beside one another: a third of looking for each in a million
    at, there = np.empty(buyers.size, np.int32), np.empty(buyers.size, bool)
    at[turn], there[turn] = found(living, buyers[turn])
    there &= buyers != 0
    members, place = _numbered(at[there], living.size)
    whose = np.full(buyers.size, NOBODY, np.int32)
    whose[there] = place
    return living[members], whose
