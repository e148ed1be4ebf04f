"""Who writes orders waits for whoever writes the same ones. PostgreSQL only: SQLite has one writer at a time anyway."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from shuke.engine.facts import Order as OrderFact
from shuke.engine.facts import Refund as RefundFact
from shuke.kit import bulk
from shuke.orders.actions.weighing import numbering_store
from shuke.orders.models import Order, OrderLine, Refund
from shuke.shops.models import Merchant, Store

MANY = 50  # numbers from which on the merchant's orders are locked as a whole instead of one by one


def hold_still(merchant: Merchant, orders: Sequence[OrderFact], refunds: Sequence[RefundFact] = ()) -> None:
    """Nobody else writes these orders, the lines they name, or what these documents mean until the transaction ends.

    Everything a transaction will write is held in one go and in one order, so that two never wait for each other.
    """
    if not bulk.is_postgres() or not (orders or refunds):
        return
    if len(orders) + len(refunds) > MANY:
        _hold(merchant, None)
        return
    told = [one.number for one in orders]
    told += [line.sub_number for one in orders for line in one.lines or () if line.sub_number]
    told += [one.order_number for one in refunds]
    numbers = {number[:60] for number in told}
    _hold(merchant, numbers | (_meant(merchant, refunds) if refunds else set()))


def hold_event_still(merchant: Merchant, event: str) -> None:
    """The same for the order of that name in the books, whether or not the archive has it. Codes and numbers may have
    colons in them: every way to part them is held."""
    if bulk.is_postgres():
        parts = event.split(":")
        _hold(merchant, {":".join(parts[place:])[:60] for place in range(3, len(parts))})


def hold_all_still(merchant: Merchant) -> None:
    """Nobody else writes any order of the merchant until the transaction ends."""
    if bulk.is_postgres():
        _hold(merchant, None)


def _hold(merchant: Merchant, numbers: set[str] | None) -> None:
    """None, or too many to name: all orders of the merchant."""
    whole = f"orders:{merchant.pk}"
    if numbers is None or len(numbers) > MANY:
        bulk.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [whole])
        return
    each = [whole, *(f"order:{merchant.pk}:{number}" for number in sorted(numbers))]
    bulk.execute(_EACH, [each])


# One after the other, as listed: the merchant's orders with everybody else who names some, then each of these alone.
_EACH = (
    "SELECT CASE nth WHEN 1 THEN pg_advisory_xact_lock_shared(hashtextextended(named, 0))::text "
    "ELSE pg_advisory_xact_lock(hashtextextended(named, 0))::text END "
    "FROM unnest(%s::text[]) WITH ORDINALITY AS one (named, nth)"
)


def _meant(merchant: Merchant, refunds: Sequence[RefundFact]) -> set[str]:
    """Numbers of the orders that have a line these documents name, and of those the documents belonged to before."""
    named = sorted({one.order_number[:60] for one in refunds})
    known = sorted({one.number[:60] for one in refunds})
    by_line, lines = bulk.among("l.sub_number", named)
    by_document, documents = bulk.among("r.number", known)
    codes = sorted({numbering_store(one.platform, one.shop)[1] for one in refunds})
    by_store, stores = bulk.among("s.code", codes)
    rows = bulk.select(
        f"SELECT o.number FROM {OrderLine._meta.db_table} l JOIN {Order._meta.db_table} o ON o.id = l.order_id "
        f"WHERE l.merchant_id = %s AND l.sub_number > '' AND {by_line} "
        f"UNION SELECT r.order_number FROM {Refund._meta.db_table} r JOIN {Store._meta.db_table} s ON s.id = r.store_id "
        f"WHERE r.merchant_id = %s AND s.merchant_id = %s AND {by_store} AND {by_document}",
        [merchant.pk, lines, merchant.pk, merchant.pk, stores, documents],
    )
    return set(chain.from_iterable(rows))
