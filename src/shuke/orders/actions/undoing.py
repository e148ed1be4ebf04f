"""Take out of the archive what one import batch brought."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet

from shuke.kit import bulk, ids
from shuke.orders.actions import naming, rows
from shuke.orders.actions.rows import AT
from shuke.orders.models import BatchChange, ImportBatch, Order, OrderLine, Refund
from shuke.shops.models import Merchant

_ORDERS, _LINES, _REFUNDS = (m._meta.db_table for m in (Order, OrderLine, Refund))
_PART = 2_000


class TakenOut(NamedTuple):
    """What was taken out, and whose books are concerned."""

    counts: tuple[int, int, int, int]  # orders removed, restored, refund documents removed, restored
    member_ids: set[int]


def take_out_batch(*, merchant: Merchant, batch: ImportBatch) -> TakenOut:
    """Remove orders, lines and refund documents the batch made, and put back what it changed.

    Refund documents of others that had found their order by this batch wait again. Goods stay in the catalogue. The
    caller has made sure that nobody changed the same orders later.
    """
    with transaction.atomic():
        members = _owners(merchant.id, batch.pk)
        changed = [order_id for order_id, _ in _changes(merchant.id, batch.pk, "order")]
        naming.let_go(merchant.id, [*changed, *_made(merchant.id, batch.pk)])
        restored = _restore_orders(merchant.id, batch.pk, members)
        refunds_back = _restore_refunds(merchant.id, batch.pk)
        refunds_gone = bulk.execute(
            f"DELETE FROM {_REFUNDS} WHERE merchant_id = %s AND batch_id = %s", [merchant.id, batch.pk]
        )
        made = f"SELECT id FROM {_ORDERS} WHERE merchant_id = %s AND batch_id = %s"
        whose = [merchant.id, merchant.id, batch.pk]
        bulk.execute(f"UPDATE {_REFUNDS} SET order_id = NULL WHERE merchant_id = %s AND order_id IN ({made})", whose)
        bulk.execute(f"DELETE FROM {_LINES} WHERE merchant_id = %s AND order_id IN ({made})", whose)
        gone = bulk.execute(f"DELETE FROM {_ORDERS} WHERE merchant_id = %s AND batch_id = %s", [merchant.id, batch.pk])
        naming.find_again(merchant.id, changed)
    return TakenOut((gone, restored, refunds_gone, refunds_back), members)


def _made(merchant_id: int, batch_id: int) -> list[int]:
    rows_ = bulk.select(f"SELECT id FROM {_ORDERS} WHERE merchant_id = %s AND batch_id = %s", [merchant_id, batch_id])
    return [row[0] for row in rows_]


def touched_by(merchant_id: int, batch_id: int) -> QuerySet[Order]:
    """Orders that a batch made or was the last to change, or of which it told a refund document that changed no figure of theirs."""
    changed = BatchChange.objects.filter(merchant_id=merchant_id, batch_id=batch_id, what="refund").values("object_id")
    told = Refund.objects.filter(Q(batch_id=batch_id) | Q(pk__in=changed), merchant_id=merchant_id)
    ours = (
        Q(batch_id=batch_id) | Q(last_batch_id=batch_id) | Q(pk__in=told.filter(order__isnull=False).values("order_id"))
    )
    return Order.objects.filter(ours, merchant_id=merchant_id)


def _owners(merchant_id: int, batch_id: int) -> set[int]:
    touched = touched_by(merchant_id, batch_id).filter(member__isnull=False)
    return {member for member in touched.values_list("member_id", flat=True).distinct() if member is not None}


def _changes(merchant_id: int, batch_id: int, what: str) -> list[tuple[int, Any]]:
    return list(
        BatchChange.objects.filter(merchant_id=merchant_id, batch_id=batch_id, what=what)
        .order_by("id")
        .values_list("object_id", "before")
    )


def _restore_orders(merchant_id: int, batch_id: int, members: set[int]) -> int:
    changes = _changes(merchant_id, batch_id, "order")
    for start in range(0, len(changes), _PART):
        part = changes[start : start + _PART]
        bodies = [(order_id, rows.from_plain(b["body"]), b["last_batch_id"], b["lines"]) for order_id, b in part]
        members.update(body[AT["member_id"]] for _, body, _, _ in bodies if body[AT["member_id"]] is not None)
        rows.put_back([(body, last_batch_id, order_id) for order_id, body, last_batch_id, _ in bodies])
        _put_lines_back(merchant_id, [(order_id, lines) for order_id, _, _, lines in bodies if lines is not None])
    return len(changes)


def _put_lines_back(merchant_id: int, orders: Sequence[tuple[int, list[list[Any]]]]) -> None:
    if not orders:
        return
    rows.delete_lines(merchant_id, [order_id for order_id, _ in orders])
    fresh = iter(ids.take(sum(len(lines) for _, lines in orders)))
    bulk.insert(
        _LINES,
        rows.LINE_COLUMNS,
        [(next(fresh), merchant_id, order_id, *line) for order_id, lines in orders for line in lines],
    )


def _restore_refunds(merchant_id: int, batch_id: int) -> int:
    changes = _changes(merchant_id, batch_id, "refund")
    if changes:
        # What an older version kept of a document knows no lines; what it said was said at once.
        names = list(dict.fromkeys([*changes[-1][1], "older"]))
        moment = bulk.moment()

        def value(name: str, kept: Any) -> Any:
            if name in ("lines", "older"):
                return json.dumps(kept, ensure_ascii=False) if kept else None
            return moment(datetime.fromisoformat(kept)) if kept is not None and name.endswith("_at") else kept

        bulk.update(
            _REFUNDS, names, [(*(value(n, before.get(n)) for n in names), refund_id) for refund_id, before in changes]
        )
    return len(changes)
