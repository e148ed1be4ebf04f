"""Import batches, and what an undo has to know of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from shuke.kit import bulk
from shuke.orders.actions.rows import AT, from_plain
from shuke.orders.actions.undoing import touched_by
from shuke.orders.actions.weighing import order_key
from shuke.orders.models import BatchChange, ColumnMapping, ImportBatch, Order
from shuke.orders.queries.archive import PAGE, Page, event_key
from shuke.shops.models import Merchant, Staff


class NoSuchBatch(LookupError):
    """There is no such import for the person who asks."""


def batches(merchant: Merchant, *, offset: int = 0, limit: int = PAGE) -> Page:
    """Imports, latest first."""
    rows = list(
        ImportBatch.objects.filter(merchant=merchant).order_by("-started_at", "-id")[offset : offset + limit + 1]
    )
    return Page(rows[:limit], offset + limit if len(rows) > limit else None)


def batch_of(merchant: Merchant, batch_id: int) -> ImportBatch:
    found = ImportBatch.objects.filter(merchant=merchant, pk=batch_id).first()
    if found is None:
        raise NoSuchBatch(f"There is no import {batch_id}.")
    return found


def batch_for(staff: Staff, batch_id: int) -> ImportBatch:
    """One import of the merchant this person works for."""
    found = ImportBatch.objects.filter(merchant_id=staff.merchant_id, pk=batch_id).first()
    if found is None or not staff.is_active:
        raise NoSuchBatch(f"There is no import {batch_id}.")
    return found


def same_files(merchant: Merchant, sha256s: Iterable[str], *, before: datetime) -> dict[str, ImportBatch]:
    """Finished imports that had these very files, by hash: the seller should know before importing them again."""
    wanted = set(sha256s)
    found: dict[str, ImportBatch] = {}
    done = ImportBatch.objects.filter(merchant=merchant, state=ImportBatch.State.DONE, started_at__lt=before)
    for batch in done.order_by("-started_at")[:200]:
        for file in batch.files:
            if file.get("sha256") in wanted:
                found.setdefault(file["sha256"], batch)
    return found


def mappings(merchant: Merchant) -> list[ColumnMapping]:
    return list(ColumnMapping.objects.filter(merchant=merchant).order_by("name"))


# ---- what an undo has to know --------------------------------------------------------------------------------------


def orders_made_by(merchant: Merchant, batch_id: int) -> list[tuple[int, str]]:
    """Id and event key of the orders a batch brought."""
    return _keys(Order.objects.filter(merchant=merchant, batch_id=batch_id, member__isnull=False))


def orders_touched_by(merchant: Merchant, batch_id: int) -> list[str]:
    """Event keys of the orders whose books a batch may have moved, whoever's they are."""
    return [key for _, key in _keys(touched_by(merchant.pk, batch_id))]


def orders_changed_by(merchant: Merchant, batch_id: int) -> list[tuple[int, str]]:
    """Id and event key of the older orders that a batch was the last to change, where it raised what they count for.

    Only these could have earned points through the batch; one that the batch merely finished keeps its points.
    """
    before = dict(
        BatchChange.objects.filter(merchant=merchant, batch_id=batch_id, what="order").values_list(
            "object_id", "before"
        )
    )
    found = []
    orders = Order.objects.filter(merchant=merchant, last_batch_id=batch_id, member__isnull=False)
    orders = orders.exclude(batch_id=batch_id).select_related("store")
    for order in orders.iterator(chunk_size=2000):
        was = before.get(order.pk)
        if was is not None and order.net_minor > net_before(was):
            found.append((order.pk, event_key(order)))
    return found


def net_before(change: dict[str, Any]) -> int:
    """What an order counted for before a batch changed it."""
    return int(from_plain(change["body"])[AT["net_minor"]])


def _keys(orders: QuerySet[Order]) -> list[tuple[int, str]]:
    rows = orders.values_list("id", "store__platform", "store__code", "number").iterator(chunk_size=5000)
    return [(pk, order_key(platform, code, number)) for pk, platform, code, number in rows]


class ChangedLater(NamedTuple):
    """Orders of a batch that somebody changed after it."""

    orders: int
    examples: list[str]
    batch_ids: list[int]  # later imports; empty: single recordings


def changed_after(merchant: Merchant, batch_id: int) -> ChangedLater:
    """Orders that the batch made or changed and that it was not the last to change."""
    touched = BatchChange.objects.filter(merchant=merchant, batch_id=batch_id, what="order").values("object_id")
    orders = Order.objects.filter(merchant=merchant).filter(Q(batch_id=batch_id) | Q(pk__in=touched))
    later = orders.filter(Q(last_batch_id__isnull=True) | ~Q(last_batch_id=batch_id))
    count = later.count()
    if not count:
        return ChangedLater(0, [], [])
    return ChangedLater(
        count,
        list(later.order_by("id").values_list("number", flat=True)[:3]),
        sorted(n for n in later.values_list("last_batch_id", flat=True).distinct()[:6] if n is not None)[:5],
    )


def members_made_by(merchant: Merchant, batch_id: int) -> set[int]:
    changes = BatchChange.objects.filter(merchant=merchant, batch_id=batch_id, what="member")
    return set(changes.values_list("object_id", flat=True))


def openings_by(merchant: Merchant, batch_id: int) -> list[int]:
    """Postings by which a batch took balances over."""
    changes = BatchChange.objects.filter(merchant=merchant, batch_id=batch_id, what="opening")
    return list(changes.order_by("object_id").values_list("object_id", flat=True))


def profiles_changed_by(merchant: Merchant, batch_id: int) -> dict[int, dict[str, Any]]:
    """What a batch changed about members who were known, by member."""
    changes = BatchChange.objects.filter(merchant=merchant, batch_id=batch_id, what="profile")
    return {member: before or {} for member, before in changes.values_list("object_id", "before")}


def members_with_orders(merchant: Merchant, member_ids: Iterable[int]) -> set[int]:
    """Those of these members who still have an order."""
    condition, values = bulk.among("member_id", member_ids)
    rows = bulk.select(
        f"SELECT DISTINCT member_id FROM {Order._meta.db_table} WHERE merchant_id = %s AND {condition}",
        [merchant.pk, values],
    )
    return {row[0] for row in rows}
