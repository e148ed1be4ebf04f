"""Which order a refund document means: the one it names, or the one with the line it names.

Platforms number an order and each of its lines out of one sequence, and refund reports name either. Only the line tells
which order a sub-order belongs to, so a document that came before the lines waits under the number it has, and is
given the order's own number as soon as lines bring it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shuke.kit import bulk
from shuke.orders.actions.rows import Write
from shuke.orders.models import Order, OrderLine, Refund

Named = tuple[int, str]  # store id, and the number a document names
_ORDERS, _LINES, _REFUNDS = (m._meta.db_table for m in (Order, OrderLine, Refund))


def orders_named(merchant_id: int, named: Iterable[Named]) -> dict[Named, tuple[int, str]]:
    """Id and number of the order that each of these numbers means, where it is known."""
    wanted = set(named)
    condition, values = bulk.among("number", sorted({number for _, number in wanted}))
    rows = bulk.select(
        f"SELECT store_id, number, id FROM {_ORDERS} WHERE merchant_id = %s AND {condition}", [merchant_id, values]
    )
    found = {(store, number): (pk, number) for store, number, pk in rows if (store, number) in wanted}
    missing = sorted({number for store, number in wanted - found.keys() if number})
    if missing:
        condition, values = bulk.among("l.sub_number", missing)
        rows = bulk.select(
            f"SELECT o.store_id, l.sub_number, o.id, o.number FROM {_LINES} l JOIN {_ORDERS} o ON o.id = l.order_id "
            f"WHERE l.merchant_id = %s AND l.sub_number > '' AND {condition}",
            [merchant_id, values],
        )
        for store, sub_number, pk, number in sorted(rows, key=lambda row: row[3]):
            if (store, sub_number) in wanted:
                found.setdefault((store, sub_number), (pk, number))
    return found


def adopt(merchant_id: int, orders: Sequence[tuple[int, str, Iterable[str]]]) -> bool:
    """Give waiting documents that name a sub-order the number of the order whose line it is; whether there were any.

    `orders`: store id, order number and sub-order numbers of the lines about to be written.
    """
    bearer: dict[Named, str] = {}
    for store_id, number, sub_numbers in orders:
        for sub_number in sub_numbers:
            if sub_number and sub_number[:60] != number:
                bearer[store_id, sub_number[:60]] = number
    adopted = []
    for store_id in {store for store, _ in bearer}:
        condition, values = bulk.among("order_number", [sub for store, sub in bearer if store == store_id])
        rows = bulk.select(
            f"SELECT id, order_number FROM {_REFUNDS} "
            f"WHERE merchant_id = %s AND store_id = %s AND order_id IS NULL AND {condition}",
            [merchant_id, store_id, values],
        )
        adopted += [(bearer[store_id, waiting_for], waiting_for, pk) for pk, waiting_for in rows]
    bulk.update(_REFUNDS, ("order_number", "named"), adopted)
    return bool(adopted)


def attach(merchant_id: int, written: Sequence[Write]) -> None:
    """Tie documents that waited for these orders to them."""
    ids_of = {(w.store_id, w.number): w.id for w in written}
    waiting: list[tuple[int, int]] = []
    for store_id in {w.store_id for w in written}:
        condition, values = bulk.among("order_number", [w.number for w in written if w.store_id == store_id])
        found = bulk.select(
            f"SELECT order_number, id FROM {_REFUNDS} "
            f"WHERE merchant_id = %s AND store_id = %s AND order_id IS NULL AND {condition}",
            [merchant_id, store_id, values],
        )
        waiting.extend((ids_of[store_id, number], refund_id) for number, refund_id in found)
    if waiting:
        bulk.update(_REFUNDS, ("order_id",), waiting)


def let_go(merchant_id: int, order_ids: Sequence[int]) -> None:
    """Documents that found these orders by a line wait again under the number they name: the line was taken out."""
    condition, values = bulk.among("order_id", order_ids)
    bulk.execute(
        f"UPDATE {_REFUNDS} SET order_number = named, named = '', order_id = NULL "
        f"WHERE +merchant_id = %s AND named <> '' AND {condition}",
        [merchant_id, values],
    )


def find_again(merchant_id: int, order_ids: Sequence[int]) -> None:
    """Once lines are put back: documents waiting for one of them find their order as before."""
    condition, values = bulk.among("l.order_id", order_ids)
    lines = bulk.select(
        f"SELECT o.store_id, o.number, o.id, l.sub_number FROM {_LINES} l JOIN {_ORDERS} o ON o.id = l.order_id "
        f"WHERE l.merchant_id = %s AND l.sub_number > '' AND {condition}",
        [merchant_id, values],
    )
    adopt(merchant_id, [(store, number, (sub_number,)) for store, number, _, sub_number in lines])
    orders = {(pk, store, number) for store, number, pk, _ in lines}
    attach(merchant_id, [Write(pk, store, number, (), None) for pk, store, number in sorted(orders)])
