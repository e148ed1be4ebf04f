"""What was given back of orders: their finished refund documents, and how much of each line by all that was told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.facts import LineBack, OrderStatus
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.came_back import Money, Sold, came_back
from shuke.kit import bulk
from shuke.orders.merging import LONG_AGO
from shuke.shops.models import Merchant


class Document(NamedTuple):
    """A finished refund document, with the lines it names."""

    number: str
    amount: int
    at: datetime | None
    lines: tuple[LineBack, ...] = ()


def documents(merchant: Merchant, order_ids: Sequence[int]) -> dict[int, list[Document]]:
    where, values = bulk.among("order_id", order_ids)
    rows = bulk.select(
        "SELECT order_id, number, amount_minor, finished_at, sub_number, named, lines, older FROM orders_refund "
        f"WHERE merchant_id = %s AND done AND amount_minor > 0 AND {where} ORDER BY number",
        [merchant.pk, values],
    )
    found: dict[int, list[Document]] = defaultdict(list)
    for order, number, amount, at, sub_number, named, lines, older in rows:
        if lines := _read(lines):
            told: tuple[LineBack, ...] = tuple(LineBack(*one) for one in lines)
        else:  # one that tells no goods may still name a sub-order, which is a line
            *_, also = (_read(older) or {}).get("also", ("",))
            told = (LineBack(line),) if (line := sub_number or named or also) else ()
        found[order].append(Document(number, amount, bulk.read_moment(at), told))
    return found


def of_order(
    event: str, since: datetime, total: int, last_at: datetime | None, documents: Sequence[Document]
) -> list[ev.Refunded]:
    """Refund documents as events, none before `since`; what the order states beyond them is one more at the order's own
    refund time."""
    told = []
    for one in documents:
        told.append(
            ev.Refunded(f"refund:{event}:{one.number}", max(one.at or last_at or since, since), event, one.amount)
        )
    rest = total - sum(one.amount for one in documents)
    if rest > 0:
        told.append(ev.Refunded(f"refund:{event}", max(last_at or since, since), event, rest))
    return told


_ORDERS = """
SELECT id, paid_at, created_at, refunded_at, paid_minor - freight_minor, refunded_minor, status FROM orders_order
WHERE +merchant_id = %s AND refunded_minor > 0 AND status NOT IN (%s, %s) AND {where}
"""


def of_lines(merchant: Merchant, order_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Of each of these orders that was refunded: how much of the amount of its lines came back, by the line's id; without those that
    stayed.

    As the points are explained (engine/ledger/came_back.py), and two things more that follow: of an order of one line whatever
    was given back is that line's, and of an order of which nothing is left all lines came back. Where nobody tells which of
    several goods it was, none is said to have come back.
    """
    asked = list(order_ids)
    if not asked:
        return {}
    where, values = bulk.among("id", asked)
    orders = bulk.select(
        _ORDERS.format(where=where), [merchant.pk, int(OrderStatus.UNPAID), int(OrderStatus.CLOSED_UNPAID), values]
    )
    if not orders:
        return {}
    papers = documents(merchant, [pk for pk, *_ in orders])
    lines = _lines(merchant, [pk for pk, *_ in orders])
    found: dict[int, dict[int, int]] = {}
    for pk, paid_at, created_at, refunded_at, paid, refunded, status in orders:
        sold = lines.get(pk, [])
        if refunded >= paid or status == OrderStatus.CLOSED_REFUNDED:
            found[pk] = {line: one.amount for line, one in sold}
            continue
        since, last = bulk.read_moment(paid_at or created_at), bulk.read_moment(refunded_at)
        told = {one.number: one.lines for one in papers.get(pk, ())}
        refunds = sorted(of_order("", since or LONG_AGO, refunded, last, papers.get(pk, [])), key=ev.order_of)
        only = (LineBack(position=1),) if len(sold) == 1 else ()
        moneys = [Money(one.amount, told.get(one.event.removeprefix("refund::"), ()) or only) for one in refunds]
        sums: dict[int, int] = defaultdict(int)
        for came in came_back([one for _, one in sold], max(0, paid), moneys):
            for back in came.back:
                sums[sold[back.line][0]] += back.amount
        found[pk] = dict(sums)
    return found


def _lines(merchant: Merchant, order_ids: Sequence[int]) -> dict[int, list[tuple[int, Sold]]]:
    where, values = bulk.among("l.order_id", order_ids)
    found: dict[int, list[tuple[int, Sold]]] = defaultdict(list)
    for order, line, amount, pieces, back, code, sub_number in bulk.select(
        "SELECT l.order_id, l.id, l.amount_minor, l.quantity_milli, l.refunded_minor, p.code, l.sub_number "
        "FROM orders_line l LEFT JOIN orders_product p ON p.id = l.product_id "
        f"WHERE l.merchant_id = %s AND {where} ORDER BY l.order_id, l.id",
        [merchant.pk, values],
    ):
        found[order].append((line, Sold(amount, pieces, back, code or "", sub_number)))
    return found


def _read(plain: Any) -> Any:
    return json.loads(plain) if isinstance(plain, str) else plain
