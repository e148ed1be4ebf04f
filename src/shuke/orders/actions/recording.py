"""Take statements about orders into the archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.facts import Order as OrderFact
from shuke.engine.facts import OrderStatus
from shuke.kit import bulk, ids
from shuke.orders import merging
from shuke.orders.actions import products, rows
from shuke.orders.actions.rows import AT, BOOKKEEPING, Stored, Write
from shuke.orders.models import Order, Refund
from shuke.shops.actions import ensure_stores
from shuke.shops.models import Merchant, Store

MANY = 50  # from here on a PostgreSQL batch locks the merchant's orders as a whole instead of order by order


class Outcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


class News(NamedTuple):
    """A real change worth a line on the member's timeline."""

    kind: str  # order.placed | order.paid | order.shipped | order.finished | order.refunded | order.closed
    at: datetime | None  # when it happened, as far as the order tells
    body: dict[str, Any]


class Recorded(NamedTuple):
    """What became of one order."""

    order_id: int
    outcome: Outcome
    member_id: int | None
    former_member_id: int | None  # differs when a statement showed another buyer: both must be settled
    oddities: tuple[str, ...]  # codes of connect/importers/problems.py
    key: str  # order:<platform>:<store code>:<number>, the order's event key
    news: tuple[News, ...]


class _Asked(NamedTuple):
    """One order as this call states it."""

    store: Store
    number: str
    known: merging.Known
    digests: tuple[bytes, ...]

    def digest(self) -> bytes:
        one = sorted(set(self.digests))
        return one[0] if len(one) == 1 else blake2b(b"".join(one), digest_size=16).digest()


def record(
    *,
    merchant: Merchant,
    orders: Sequence[OrderFact],
    member_ids: Sequence[int | None],
    now: datetime,
    batch_id: int | None = None,
) -> list[Recorded]:
    """Take in statements about orders; one answer per order, in the order of first mention.

    Statements about the same order are put together before anything is written. Then, in a handful of statements and
    one transaction: stores that are not known yet are made; orders already known are read (those whose digest says
    "the same again" no further); goods are added to the catalogue; new orders and changed ones are written, with
    refund documents that were waiting for them; lines are replaced where a statement had lines. With `batch_id` the
    former values of changed orders are kept for the undo. `now` is not written anywhere: an order's row follows from
    the statements alone (docs/algorithms/orders.md), so the order of their arrival does not matter.
    """
    assert len(orders) == len(member_ids), "one member id (or None) per order"
    if not orders:
        return []
    with transaction.atomic():
        _lock(merchant.id, orders)
        asked = _put_together(merchant, orders, member_ids)
        known = _look_up(merchant.id, asked)
        again = [known[key][0] for key, ask in asked.items() if key in known and known[key][1] != ask.digest()]
        stored = rows.load(merchant.id, again)
        documents = refunds_of(
            merchant.id, [key for key in asked if key not in known or known[key][0] in stored]
        )
        answers: list[Recorded] = []
        new: list[Write] = []
        changed: list[Write] = []
        before: list[Stored] = []
        fresh = iter(ids.take(len(asked) - len(known)) if len(asked) > len(known) else [])
        for key, ask in asked.items():
            event = order_key(ask.store.platform, ask.store.code, ask.number)
            if key not in known:
                drawn = merging.drawn(ask.known, *documents.get(key, (0, None)))
                body = rows.laid_out(ask.known, drawn, ask.digest())
                write = Write(next(fresh), ask.store.id, ask.number, body, ask.known.line_facts)
                new.append(write)
                news = news_of(ask.number, None, body)
                answers.append(
                    Recorded(write.id, Outcome.NEW, body[0], None, drawn.oddities, event, news)
                )
                continue
            order_id, _, member_id = known[key]
            row = stored.get(order_id)
            if row is None:
                answers.append(Recorded(order_id, Outcome.SAME, member_id, member_id, (), event, ()))
                continue
            both = merging.merged(row.known, ask.known)
            drawn = merging.drawn(both, *documents.get(key, (0, None)))
            body = rows.laid_out(both, drawn, ask.digest())
            outcome = compared(row.body, body)
            if moved(row.body, body):
                lines = both.line_facts if body[AT["lines_digest"]] != row.body[AT["lines_digest"]] else None
                changed.append(Write(order_id, row.store_id, row.number, body, lines))
                before.append(row)
            news = news_of(ask.number, row.body, body) if outcome is Outcome.CHANGED else ()
            odd = drawn.oddities if outcome is Outcome.CHANGED else ()
            answers.append(Recorded(order_id, outcome, body[0], row.body[0], odd, event, news))
        write_orders(merchant.id, new, changed, before, batch_id)
    return answers


def write_orders(
    merchant_id: int, new: Sequence[Write], changed: Sequence[Write], before: Iterable[Stored], batch_id: int | None
) -> None:
    """Write new and changed orders with their lines; the former values first, if a batch is to be undoable."""
    relined = [w for w in changed if w.lines is not None]
    if changed:
        if batch_id is not None:
            former = rows.former_lines(merchant_id, [w.id for w in relined])
            rows.remember(merchant_id, batch_id, before, former)
        rows.update(changed, batch_id)
    if relined:
        rows.delete_lines(merchant_id, [w.id for w in relined])
    if new:
        rows.insert(merchant_id, new, batch_id)
        attach_refunds(merchant_id, new)
    with_lines = [*new, *relined]
    if any(w.lines for w in with_lines):
        goods = products.products_of(merchant_id, (line for w in with_lines for line in w.lines or ()))
        rows.replace_lines(merchant_id, with_lines, goods)


def compared(before: Sequence[Any], after: Sequence[Any]) -> Outcome:
    """Whether a reader of the order would see a difference."""
    differs = any(a != b for i, (a, b) in enumerate(zip(before, after, strict=True)) if i not in BOOKKEEPING)
    return Outcome.CHANGED if differs else Outcome.SAME


def moved(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Whether the row must be written: also where only the moment of a statement is news. The digest alone is not."""
    digest = AT["digest"]
    return any(a != b for i, (a, b) in enumerate(zip(before, after, strict=True)) if i != digest)


def order_key(platform: str, store_code: str, number: str) -> str:
    """The order's name in the books and on the timeline."""
    return f"order:{platform}:{store_code}:{number}"


def store_keys(orders: Iterable[OrderFact]) -> dict[tuple[str, str], str]:
    """The stores these orders speak of, with a name to give them if they are new.

    An order's number belongs to the shop of its platform; a till's to its street store. `store_code` names the street
    store where it was sold, whatever system wrote the file.
    """
    found: dict[tuple[str, str], str] = {}
    for order in orders:
        found[numbering_store(order.platform, order.shop, order.store_code)] = order.shop or order.store_code
        if order.store_code:
            found[("pos", order.store_code[:60])] = order.store_code
    return found


def numbering_store(platform: str, shop: str, store_code: str = "") -> tuple[str, str]:
    """Whose numbering an order number belongs to, as (platform, code)."""
    if platform == "pos" and not shop:
        shop = store_code
    return platform[:20], shop[:60]


def ensure(merchant: Merchant, wanted: dict[tuple[str, str], str]) -> dict[tuple[str, str], Store]:
    return ensure_stores(
        merchant=merchant,
        stores=[(platform, code, name or code or platform) for (platform, code), name in wanted.items()],
    )


def _put_together(
    merchant: Merchant, orders: Sequence[OrderFact], member_ids: Sequence[int | None]
) -> dict[tuple[int, str], _Asked]:
    """Each order once, with all this call states about it, by store id and number."""
    stores = ensure(merchant, store_keys(orders))
    asked: dict[tuple[int, str], _Asked] = {}
    for order, member_id in zip(orders, member_ids, strict=True):
        store = stores[numbering_store(order.platform, order.shop, order.store_code)]
        sold_at = stores["pos", order.store_code[:60]].id if order.store_code else None
        digest, lines_digest = merging.digest_of(order)
        known = merging.stated(order, lines_digest, sold_at, member_id)
        key = (store.id, order.number[:60])
        if key in asked:
            first = asked[key]
            asked[key] = _Asked(
                store, key[1], merging.merged(first.known, known), (*first.digests, digest)
            )
        else:
            asked[key] = _Asked(store, key[1], known, (digest,))
    return asked


def _look_up(
    merchant_id: int, asked: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], tuple[int, bytes, int | None]]:
    """Id, digest and member of the orders that are known already."""
    wanted = set(asked)
    condition, values = bulk.among("number", {number for _, number in wanted})
    found = bulk.select(
        f"SELECT store_id, number, id, digest, member_id FROM {Order._meta.db_table} "
        f"WHERE merchant_id = %s AND {condition}",
        [merchant_id, values],
    )
    return {(r[0], r[1]): (r[2], bytes(r[3]), r[4]) for r in found if (r[0], r[1]) in wanted}


def refunds_of(
    merchant_id: int, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], tuple[int, datetime | None]]:
    """Sum and last moment of finished refund documents, by store id and order number."""
    by_store: dict[int, list[str]] = {}
    for store_id, number in keys:
        by_store.setdefault(store_id, []).append(number)
    found: dict[tuple[int, str], tuple[int, datetime | None]] = {}
    for store_id, numbers in by_store.items():
        condition, values = bulk.among("order_number", numbers)
        for number, total, last in bulk.select(
            f"SELECT order_number, SUM(amount_minor), MAX(finished_at) FROM {Refund._meta.db_table} "
            f"WHERE merchant_id = %s AND store_id = %s AND done AND {condition} GROUP BY order_number",
            [merchant_id, store_id, values],
        ):
            found[store_id, number] = (int(total), bulk.read_moment(last))
    return found


def attach_refunds(merchant_id: int, new: Sequence[Write]) -> None:
    """Tie refund documents that came before their order to it."""
    ids_of = {(w.store_id, w.number): w.id for w in new}
    waiting: list[tuple[int, int]] = []
    for store_id in {w.store_id for w in new}:
        condition, values = bulk.among("order_number", [w.number for w in new if w.store_id == store_id])
        found = bulk.select(
            f"SELECT order_number, id FROM {Refund._meta.db_table} "
            f"WHERE merchant_id = %s AND store_id = %s AND order_id IS NULL AND {condition}",
            [merchant_id, store_id, values],
        )
        waiting.extend((ids_of[store_id, number], refund_id) for number, refund_id in found)
    if waiting:
        bulk.update(Refund._meta.db_table, ("order_id",), waiting)


_STAGES = (
    # the status from which on the stage is reached, what to call it, whose moment it is
    (OrderStatus.PAID, "order.paid", "paid_at"),
    (OrderStatus.SHIPPED, "order.shipped", "shipped_at"),
    (OrderStatus.FINISHED, "order.finished", "finished_at"),
)


def news_of(number: str, before: Sequence[Any] | None, after: Sequence[Any]) -> tuple[News, ...]:
    """What happened to an order between two of its states. A purchase long past brings one line, not its whole life."""
    status, was = after[AT["status"]], before[AT["status"]] if before else 0
    body = {
        "number": number,
        "net_minor": after[AT["net_minor"]],
        "paid_minor": after[AT["paid_minor"]],
        "currency": after[AT["currency"]],
    }
    found = []
    if status == OrderStatus.CLOSED_UNPAID:
        if was != status:
            found.append(News("order.closed", after[AT["closed_at"]] or after[AT["created_at"]], body))
        return tuple(found)
    if status == OrderStatus.UNPAID:
        if not before:
            found.append(News("order.placed", after[AT["created_at"]], body))
        return tuple(found)
    bought_before = was not in (0, OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
    if not bought_before:
        found.append(News("order.paid", after[AT["paid_at"]], body))
    elif status < OrderStatus.CLOSED_UNPAID:
        for rank, kind, column in _STAGES[1:]:
            if was < rank <= status:
                found.append(News(kind, after[AT[column]], body))
    refunded = after[AT["refunded_minor"]] - (before[AT["refunded_minor"]] if before else 0)
    if refunded > 0:
        found.append(News("order.refunded", after[AT["refunded_at"]], {**body, "refunded_minor": refunded}))
    return tuple(found)


def _lock(merchant_id: int, orders: Sequence[OrderFact]) -> None:
    """Let nobody else write these orders meanwhile. SQLite has one writer at a time anyway."""
    if not bulk.is_postgres():
        return
    if len(orders) > MANY:
        bulk.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"orders:{merchant_id}"])
        return
    bulk.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [f"orders:{merchant_id}"])
    for number in sorted({o.number[:60] for o in orders}):
        bulk.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"order:{merchant_id}:{number}"])
