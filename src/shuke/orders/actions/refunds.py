"""Take in refund documents."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.facts import Refund as RefundFact
from shuke.kit import bulk, ids
from shuke.orders import merging, refund_merging
from shuke.orders.actions import naming, rows
from shuke.orders.actions.locking import hold_still
from shuke.orders.actions.recording import ensure, write_orders
from shuke.orders.actions.rows import Write
from shuke.orders.actions.weighing import (
    News,
    Outcome,
    compared,
    moved,
    news_of,
    numbering_store,
    order_key,
    refunds_of,
)
from shuke.orders.merging import LONG_AGO
from shuke.orders.models import BatchChange, Refund
from shuke.orders.refund_merging import Known, Mark, merged, said
from shuke.orders.told_twice import Twice, told_twice
from shuke.shops.models import Merchant

_STATED = ("amount_minor", "requested_at", "finished_at", "done", "status", "reason", "sub_number", "lines", "older")
_COLUMNS = ("id", "merchant_id", "store_id", "order_id", "order_number", "named", "number", *_STATED, "batch_id")


class Refunded(NamedTuple):
    """What became of one order by refund documents."""

    order_id: int
    member_id: int | None
    changed: bool
    key: str
    news: tuple[News, ...]
    redated: bool = (
        False  # the order says the same as before, its finished documents do not: other days, or other parts
    )


class RefundsTaken(NamedTuple):
    new: int
    changed: int
    same: int
    parked: int  # of the new ones: their order has not arrived
    orders: list[Refunded]  # each touched order once
    twice: tuple[Twice, ...] = ()  # of a batch: what may have been told before, under another number


def record_refunds(
    *, merchant: Merchant, refunds: Sequence[RefundFact], now: datetime, batch_id: int | None = None
) -> RefundsTaken:
    """Take in refund documents, and draw up anew the orders they belong to.

    A document names its order, or one of its sub-orders (orders/actions/naming.py). One whose order is not there is parked
    and found by it later. Of several statements of one document the one further on counts, and what it does not tell stays
    as it was told before (orders/refund_merging.py). Only finished documents change what the order has given back. `now` is
    not written anywhere.
    """
    if not refunds:
        return RefundsTaken(0, 0, 0, 0, [])
    with transaction.atomic():
        hold_still(merchant, (), refunds)
        stores = ensure(merchant, {numbering_store(r.platform, r.shop): r.shop for r in refunds})
        places = {s.id: (s.platform, s.code) for s in stores.values()}
        stated: dict[tuple[int, str], Known] = {}
        for refund in refunds:
            store_id = stores[numbering_store(refund.platform, refund.shop)].id
            key = (store_id, refund.number[:60])
            this = said(refund)
            stated[key] = merged(stated[key], this) if key in stated else this
        known = known_documents(merchant.id, stated)
        before = {key: known_of(row) for key, row in known.items()}
        stated |= {key: merged(was, stated[key]) for key, was in before.items()}
        meant = naming.orders_named(merchant.id, {(key[0], one.mark.number) for key, one in stated.items()})
        unknown = {
            key: (meant.get((key[0], one.mark.number), (None, one.mark.number))[1], one)
            for key, one in stated.items()
            if key not in known
        }
        twice = told_twice(merchant.id, unknown, stated) if batch_id is not None else []
        new, changed = [], []
        touched: set[int] = set()
        redated: set[int] = set()
        same = parked = 0
        for key, one in stated.items():
            number = one.mark.number
            order_id, order_number = meant.get((key[0], number), (None, number))
            named = number if order_number != number else ""
            if key not in known:
                new.append((key, order_id, order_number, named, _values(one)))
                parked += order_id is None
            elif one != before[key]:
                changed.append((known[key], order_id, order_number, named, _values(one)))
                if former_order := known[key].order_id:
                    touched.add(former_order)
                    redated |= {former_order} if known[key].done else set()
            else:
                same += 1
                continue
            if order_id:
                touched.add(order_id)
                redated |= {order_id} if one.mark.done else set()
        _write(merchant.id, new, changed, batch_id)
        told = redraw(merchant.id, sorted(touched), places, batch_id, redated)
    return RefundsTaken(len(new), len(changed), same, parked, told, tuple(twice))


def redraw(
    merchant_id: int,
    order_ids: Sequence[int],
    places: dict[int, tuple[str, str]],
    batch_id: int | None,
    redated: Collection[int] = (),
) -> list[Refunded]:
    """Draw up known orders anew after their refund documents changed. `places`: platform and code by store id; `redated`: of
    these a finished document is new or another."""
    stored = rows.load(merchant_id, order_ids)
    documents = refunds_of(merchant_id, [(s.store_id, s.number) for s in stored.values()])
    changed, before, told = [], [], []
    for row in stored.values():
        drawn = merging.drawn(row.known, *documents.get((row.store_id, row.number), (0, None)))
        body = rows.laid_out(row.known, drawn, row.body[rows.AT["digest"]])
        key = order_key(*places[row.store_id], row.number)
        if not moved(row.body, body):
            if row.id in redated:
                told.append(Refunded(row.id, body[0], False, key, (), redated=True))
            continue
        changed.append(Write(row.id, row.store_id, row.number, body, None))
        before.append(row)
        real = compared(row.body, body) is Outcome.CHANGED
        news = news_of(row.number, row.body, body) if real else ()
        told.append(Refunded(row.id, body[0], real, key, news, redated=row.id in redated))
    write_orders(merchant_id, [], changed, before, batch_id)
    return told


def _values(known: Known) -> tuple[Any, ...]:
    """The values of _STATED."""
    at = None if known.mark.at == LONG_AGO else known.mark.at
    requested, reason, sub_number, _ = known.values
    return (
        known.mark.amount, requested, at, known.mark.done, known.status, reason, sub_number,
        known.lines, refund_merging.older(known),
    )  # fmt: skip


def known_of(row: Refund) -> Known:
    mark = Mark(row.done, row.finished_at or LONG_AGO, row.amount_minor, row.named or row.order_number)
    lines = tuple(tuple(one) for one in row.lines or ())
    return refund_merging.read(mark, row.status, (row.requested_at, row.reason, row.sub_number, lines), row.older)


def known_documents(merchant_id: int, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Refund]:
    wanted = set(keys)
    found = Refund.objects.filter(
        merchant_id=merchant_id, store_id__in={s for s, _ in wanted}, number__in=[n for _, n in wanted]
    )
    return {(r.store_id, r.number): r for r in found if (r.store_id, r.number) in wanted}


def _write(merchant_id: int, new: list[tuple], changed: list[tuple], batch_id: int | None) -> None:
    moment = bulk.moment()

    def sql(values: tuple[Any, ...]) -> tuple[Any, ...]:
        plain = (json.dumps(one, ensure_ascii=False) if one else None for one in values[-2:])
        return (values[0], moment(values[1]), moment(values[2]), *values[3:-2], *plain)

    if changed and batch_id is not None:
        BatchChange.objects.bulk_create(
            [
                BatchChange(
                    merchant_id=merchant_id,
                    batch_id=batch_id,
                    what="refund",
                    object_id=row.id,
                    before=plain_refund(row),
                )
                for row, *_ in changed
                if row.batch_id != batch_id
            ],
            ignore_conflicts=True,
            batch_size=1000,
        )
    if changed:
        bulk.update(
            Refund._meta.db_table,
            ("order_id", "order_number", "named", *_STATED),
            [(order_id, number, named, *sql(values), row.id) for row, order_id, number, named, values in changed],
        )
    if new:
        fresh = ids.take(len(new))
        bulk.insert(
            Refund._meta.db_table,
            _COLUMNS,
            [
                (i, merchant_id, store_id, order_id, order_number, named, number, *sql(values), batch_id)
                for i, ((store_id, number), order_id, order_number, named, values) in zip(fresh, new, strict=True)
            ],
        )


def plain_refund(row: Refund) -> dict[str, Any]:
    """A document's stated values as JSON can hold them, for the undo."""
    kept = {name: getattr(row, name) for name in ("order_id", "order_number", "named", *_STATED)}
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in kept.items()}
