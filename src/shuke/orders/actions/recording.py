"""Take statements about orders into the archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from shuke.engine.facts import Order as OrderFact
from shuke.kit import ids
from shuke.orders.actions import naming, products, rows
from shuke.orders.actions.locking import hold_still
from shuke.orders.actions.rows import AT, Stored, Write
from shuke.orders.actions.weighing import (
    Digests,
    Outcome,
    Recorded,
    Weighed,
    look_up,
    news_of,
    order_key,
    put_together,
    refunds_of,
    store_keys,
    weigh,
)
from shuke.shops.actions import ensure_stores
from shuke.shops.models import Merchant, Store


def record(
    *,
    merchant: Merchant,
    orders: Sequence[OrderFact],
    member_ids: Sequence[int | None],
    now: datetime,
    batch_id: int | None = None,
    digests: Sequence[Digests] | None = None,
) -> list[Recorded]:
    """Take in statements about orders; one answer per order, in the order of first mention.

    Statements about the same order are put together before anything is written. Then, in a handful of statements and
    one transaction: stores that are not known yet are made; orders already known are read (those whose digest says
    "the same again" no further); goods are added to the catalogue; new orders and changed ones are written, with
    refund documents that were waiting for them; lines are replaced where a statement had lines. With `batch_id` the
    former values of changed orders are kept for the undo. `now` is not written anywhere: an order's row follows from
    the statements alone (docs/algorithms/orders.md), so the order of their arrival does not matter. `digests` saves
    computing them again (`weighing.said_before`).
    """
    assert len(orders) == len(member_ids), "one member id (or None) per order"
    if not orders:
        return []
    with transaction.atomic(savepoint=False):
        hold_still(merchant, orders)
        asked = put_together(orders, member_ids, ensure(merchant, store_keys(orders)), digests)
        known = look_up(merchant.id, asked)
        again = [known[key].id for key, ask in asked.items() if key in known and known[key].digest != ask.digest()]
        stored = rows.load(merchant.id, again)
        open_keys = [key for key in asked if key not in known or known[key].id in stored]
        weighed = weigh(asked, known, stored, refunds_of(merchant.id, open_keys))
        if naming.adopt(merchant.id, _sub_orders(weighed)):
            weighed = weigh(asked, known, stored, refunds_of(merchant.id, open_keys))
        fresh = iter(ids.take(sum(w.order_id is None for w in weighed)))
        answers, new, changed, before = [], [], [], []
        for one in weighed:
            ask, former = one.ask, one.before
            order_id = next(fresh) if one.order_id is None else one.order_id
            if one.body is not None and one.known is not None:
                write = Write(order_id, ask.store.id, ask.number, one.body, one.known.line_facts)
                if former is None:
                    new.append(write)
                elif one.moved:
                    same_lines = one.body[AT["lines_digest"]] == former.body[AT["lines_digest"]]
                    changed.append(write._replace(lines=None) if same_lines else write)
                    before.append(former)
            real = one.outcome is not Outcome.SAME and one.body is not None
            answers.append(
                Recorded(
                    order_id,
                    one.outcome,
                    one.member_id,
                    former.body[0] if former else (None if one.order_id is None else one.member_id),
                    one.oddities,
                    order_key(ask.store.platform, ask.store.code, ask.number),
                    news_of(ask.number, former.body if former else None, one.body or ()) if real else (),
                    batch_id is not None and former is not None and former.last_batch_id == batch_id,
                )
            )
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
    with_lines = [*new, *relined]
    if with_lines:
        naming.attach(merchant_id, with_lines)
    if any(w.lines for w in with_lines):
        goods = products.products_of(merchant_id, (line for w in with_lines for line in w.lines or ()))
        rows.replace_lines(merchant_id, with_lines, goods)


def ensure(merchant: Merchant, wanted: dict[tuple[str, str], str]) -> dict[tuple[str, str], Store]:
    return ensure_stores(
        merchant=merchant,
        stores=[(platform, code, name or code or platform) for (platform, code), name in wanted.items()],
    )


def _sub_orders(weighed: Iterable[Weighed]) -> list[tuple[int, str, list[str]]]:
    """Store, number and sub-order numbers of the orders whose lines are about to be written."""
    found = []
    for one in weighed:
        lines = one.known.line_facts if one.known is not None and (one.before is None or one.moved) else None
        if sub_numbers := [line.sub_number for line in lines or () if line.sub_number]:
            found.append((*one.key, sub_numbers))
    return found
