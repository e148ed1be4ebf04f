"""A merchant's whole history as the columns that simulation folds, and the mark by which a kept copy is known.

Purchases, refunds and requests come from the very queries that settling reads (`facts`), so that what is simulated is what
was booked; only the goods are read by product here, because which of them a rule chooses depends on the charter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from django.db import connection

from shuke.engine.simulation.history import Gathering, History, Lines, no_lines, ticks
from shuke.kit import bulk
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import facts
from shuke.shops.models import Merchant

AT_ONCE = 500
FORMAT = 4  # of the kept file: raised when columns change their meaning


def fingerprint(merchant: Merchant) -> str:
    """Changes whenever something changed that a charter could look at. A few scans, no reading of lines."""
    asked = {
        "orders": "SELECT COUNT(*), SUM(paid_minor - freight_minor), SUM(refunded_minor), SUM(lines_minor), SUM(line_count), "
        "SUM(COALESCE(member_id, 0) %% 1000003), SUM(COALESCE(sold_at_id, 0) %% 1000003), SUM(status), SUM(discount_minor), SUM(tax_minor), COUNT(tenders), MAX(finished_at), MAX(id), "
        "COUNT(NULLIF(excluded, '')), MAX(stated_at), MAX(paid_at), MAX(refunded_at), SUM(LENGTH(channel)), MAX(last_batch_id) "
        "FROM orders_order WHERE merchant_id = %s",
        "refunds": "SELECT COUNT(*), SUM(amount_minor), MAX(id), MAX(finished_at), SUM(CASE WHEN done THEN 1 ELSE 0 END), "
        "SUM(LENGTH(CAST(lines AS TEXT))), SUM(LENGTH(sub_number)) "
        "FROM orders_refund WHERE merchant_id = %s",
        "members": "SELECT COUNT(*), MAX(id), SUM(COALESCE(birth_month, 0) * 40 + COALESCE(birth_day, 0)), MIN(joined_at), "
        "MAX(joined_at), COUNT(CASE WHEN state = 'active' THEN 1 END) FROM members_member WHERE merchant_id = %s",
        "requests": f"SELECT COUNT(*), MAX(id) FROM loyalty_txn WHERE merchant_id = %s AND kind IN ({_kinds()})",
        "books": "SELECT COUNT(*), MAX(id) FROM loyalty_txn WHERE merchant_id = %s",
        "grants": "SELECT COUNT(*), MAX(id), SUM(granted - returned) FROM loyalty_grant WHERE merchant_id = %s",
        "tiers": "SELECT COUNT(*), MAX(id) FROM loyalty_manual_tier WHERE merchant_id = %s",
    }
    mark = hashlib.sha256(str(FORMAT).encode())
    for name, sql in asked.items():
        mark.update(f"{name}{bulk.select(sql, [merchant.pk])}".encode())
    for row in bulk.select(
        "SELECT id, category, code, brand FROM orders_product WHERE merchant_id = %s ORDER BY id", [merchant.pk]
    ):
        mark.update(repr(row).encode())
    return mark.hexdigest()[:32]


def coupons_used(merchant: Merchant, least: int) -> dict[str, float]:
    """The share of its coupons that was used, of every template that issued at least so many; "" is of all together."""
    rows = bulk.select("SELECT key, issued, redeemed FROM loyalty_coupon_tally WHERE merchant_id = %s", [merchant.pk])
    told = {key: redeemed / issued for key, issued, redeemed in rows if issued >= least}
    issued, redeemed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    return told | ({"": redeemed / issued} if issued >= least else {})


def _kinds() -> str:
    return ", ".join(f"'{kind}'" for kind in facts.REQUEST_KINDS)


def history(merchant: Merchant, *, tell: Callable[[int, int], object] = lambda done, total: None) -> History:
    """Everybody's events, in the order of member ids. `tell` hears how many members of how many were read."""
    everybody = [
        pk
        for (pk,) in bulk.select(
            "SELECT id FROM members_member WHERE merchant_id = %s AND (state = 'active' OR id IN "
            "(SELECT member_id FROM loyalty_wallet WHERE merchant_id = %s AND tier <> '')) ORDER BY id",
            [merchant.pk, merchant.pk],
        )
    ]
    gathering = Gathering()
    joined: list[int] = []
    birthdays: list[list[Any]] = []
    for start in range(0, len(everybody), AT_ONCE):
        part = everybody[start : start + AT_ONCE]
        heads = stored.heads(merchant, part)
        bought = facts.purchases(
            merchant, member_ids=part, goods_rules=(), with_parts=True, with_lines_back=True
        ).events
        asked = facts.requests(merchant, part)
        profiles = {pk: row for pk, *row in _profiles(merchant, part)}
        for n, member in enumerate(part, start):
            moment, month, day, lunar = profiles[member]
            joined.append(ticks(moment))
            known = heads[member].birthdays if member in heads else ()
            if not known and month and day:
                known = ((None, (month, day, bool(lunar))),)
            birthdays.append([[None if s is None else ticks(s), *what] for s, what in known])
            gathering.add(n, bought.get(member, []))
            gathering.add(n, asked.get(member, []))
        tell(start + len(part), len(everybody))
    lines, products = _lines(merchant, gathering.purchases())
    grants = bulk.select(
        "SELECT event, rule, wanted, granted, returned FROM loyalty_grant WHERE merchant_id = %s ORDER BY event, rule",
        [merchant.pk],
    )
    return History(
        np.array(everybody, np.int64), np.array(joined, np.int64), birthdays, gathering.kinds(), lines, products, grants
    )


def _profiles(merchant: Merchant, members: list[int]) -> Iterable[tuple]:
    where, values = bulk.among("id", members)
    for pk, joined, *birthday in bulk.select(
        "SELECT id, joined_at, birth_month, birth_day, birth_lunar FROM members_member "
        f"WHERE +merchant_id = %s AND {where}",
        [merchant.pk, values],
    ):
        yield pk, bulk.read_moment(joined), *birthday


def _lines(merchant: Merchant, purchases: list[str]) -> tuple[Lines, list[tuple[str, str, str]]]:
    """Goods by purchase and product, and the catalogue they point into."""
    catalogue = bulk.select(
        "SELECT id, category, code, brand FROM orders_product WHERE merchant_id = %s ORDER BY id", [merchant.pk]
    )
    products = [("", "", ""), *((category, code, brand) for _, category, code, brand in catalogue)]
    if not purchases:
        return no_lines(), products
    product_ids = np.array([0, *(pk for pk, *_ in catalogue)], np.int64)
    order_ids, rows = _rows_by_order(merchant, purchases)
    parts: list[list[np.ndarray]] = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT order_id, COALESCE(product_id, 0), amount_minor, quantity_milli, id FROM orders_line "
            "WHERE merchant_id = %s",
            [merchant.pk],
        )
        while told := cursor.fetchmany(50_000):
            block = np.array(told, np.int64)
            at = np.searchsorted(order_ids, block[:, 0])
            at[at == len(order_ids)] = 0
            mine = order_ids[at] == block[:, 0]
            block, at = block[mine], at[mine]
            product = np.searchsorted(product_ids, block[:, 1]).astype(np.int32)
            parts.append([rows[at], product, *(block[:, n].copy() for n in range(2, 5))])
    if not parts:
        return no_lines(), products
    columns = []
    while parts[0]:  # one column after the other, so that the blocks are never there twice
        columns.append(np.concatenate([part.pop(0) for part in parts]))
    order = np.lexsort((columns.pop(), columns[0]))
    return Lines(*(columns.pop(0)[order] for _ in range(len(columns)))), products


def _rows_by_order(merchant: Merchant, purchases: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Ids of orders, ascending, and the row of each one's purchase."""
    row_of = {event: n for n, event in enumerate(purchases)}
    ids: list[int] = []
    rows: list[int] = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT o.id, s.platform, s.code, o.number FROM orders_order o JOIN shops_store s ON s.id = o.store_id "
            "WHERE o.merchant_id = %s AND o.member_id IS NOT NULL AND o.paid_at IS NOT NULL",
            [merchant.pk],
        )
        while told := cursor.fetchmany(20_000):
            for pk, *name in told:
                row = row_of.get(facts.order_event(*name))
                if row is not None:
                    ids.append(pk)
                    rows.append(row)
    order_ids = np.array(ids, np.int64)
    by_id = np.argsort(order_ids)
    return order_ids[by_id], np.array(rows, np.int32)[by_id]
