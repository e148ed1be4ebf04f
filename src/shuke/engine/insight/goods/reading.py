"""Sales straight from the columns of orders and lines: what the analysis `goods_lines` says, without joining and grouping.

In two steps. What the lines of a month say by order and item (`stood`) changes only with these lines and with what the products
are; it can be kept. Whose order it was, when, and whether it counts is asked of the heads anew each time (`taken`). On a cluster the
analysis itself is run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import NOBODY, Sales, by_day, distinct, groups_begin, places
from shuke.engine.insight.port import Columns

HEADS = ("order_id", "member", "day", "counted")
LINES = ("order_id", "product", "amount", "refunded")


class Stood(NamedTuple):
    """One element per order and item, by order and item; both by their places."""

    orders: np.ndarray  # int64, ids, ascending
    items: np.ndarray  # int64, ascending
    size: np.ndarray  # items of each order
    item: np.ndarray
    amount: np.ndarray  # net of what was given back
    kept: np.ndarray  # bool: not given back whole


def stood(lines: Columns, products: np.ndarray, item_of: np.ndarray) -> Stood:
    """lines: LINES in any order. products: ids, ascending, with the item of each; 0 is left out."""
    at, listed = found(products, lines["product"])
    what = item_of[at] if products.size else np.zeros(at.size, np.int64)
    rows = np.flatnonzero(listed & (what > 0))
    orders, order = places(lines["order_id"][rows])
    items, item = places(what[rows])
    key = order.astype(np.int64) * max(items.size, 1) + item
    by_key = np.argsort(key, kind="stable")
    begin = np.flatnonzero(groups_begin(key[by_key]))
    paid, back = (
        np.add.reduceat(column[rows][by_key], begin) if begin.size else np.empty(0, np.int64)
        for column in (lines["amount"], lines["refunded"])
    )
    first = by_key[begin]
    size = np.bincount(order[first], minlength=orders.size)
    return Stood(orders, items, size, item[first], paid - back, (paid > back) | (back == 0))


def taken(heads: Columns, told: Stood, living: np.ndarray, *, as_of: int) -> Sales:
    """The sales of one stretch up to a day. heads: HEADS by ascending order. living: ids of members, ascending; others are guests."""
    at, known = found(heads["order_id"], told.orders)
    counts = (heads["counted"] == 1) & (heads["day"] <= as_of)
    good = known & counts[at] if counts.size else known
    order = np.repeat(np.arange(told.orders.size, dtype=np.int32), told.size)
    item, amount, kept = told.item, told.amount, told.kept
    if not good.all():
        rows = good[order]
        order, item, amount, kept = (column[rows] for column in (order, item, amount, kept))
        order = (np.cumsum(good, dtype=np.int32) - np.int32(1))[order]
        at = at[good]
    there = np.bincount(item, minlength=told.items.size) > 0
    item = (np.cumsum(there, dtype=np.int32) - np.int32(1))[item]
    day = heads["day"][at].astype(np.int32)[order]
    turn = by_day(day)
    members, member = _whose(heads["member"][at], living)
    order = order[turn]
    return Sales(
        order,
        member[order],
        day[turn],
        item[turn],
        amount[turn].astype(np.int64, copy=False),
        kept[turn],
        int(at.size),
        members,
        told.items[there],
    )


def found(known: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where values stand among ascending ones (int32), and whether they are there at all; elsewhere the place means nothing."""
    if not known.size:
        return np.zeros(wanted.size, np.int32), np.zeros(wanted.size, bool)
    at = np.minimum(np.searchsorted(known, wanted), known.size - 1).astype(np.int32)
    return at, known[at] == wanted


def found_by_turn(known: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `found`, of many in any order among a million: in their own order they are found beside one another, in a third of the time."""
    turn = np.argsort(wanted)
    at, there = np.empty(wanted.size, np.int32), np.empty(wanted.size, bool)
    at[turn], there[turn] = found(known, wanted[turn])
    return at, there


def _whose(buyers: np.ndarray, living: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The members who bought, ascending, and of each order its member's place; NOBODY: a guest, or who is no member any more."""
    if not living.size:
        return living, np.full(buyers.size, NOBODY, np.int32)
    at, there = found_by_turn(living, buyers)
    there &= buyers != 0
    who = distinct(at[there])
    place = np.full(living.size, NOBODY, np.int32)
    place[who] = np.arange(who.size)
    return living[who], np.where(there, place[at], np.int32(NOBODY))
