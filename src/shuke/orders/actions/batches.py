"""Import batches: their row from upload to undo, and the column mappings people saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shuke.kit import bulk
from shuke.orders.models import BatchChange, ColumnMapping, ImportBatch
from shuke.shops.models import Merchant


def open_batch(
    *,
    merchant: Merchant,
    batch_id: int,
    files: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    now: datetime,
    actor: str,
    error: str = "",
) -> ImportBatch:
    """A new batch, ready to be previewed and run; FAILED from the start when its files cannot be used."""
    batch = ImportBatch(
        id=batch_id,
        merchant=merchant,
        state=ImportBatch.State.FAILED if error else ImportBatch.State.PREVIEWED,
        files=list(files),
        options=dict(options),
        started_at=now,
        finished_at=now if error else None,
        actor=actor[:60],
        error=error,
    )
    ImportBatch.objects.bulk_create([batch])
    return batch


def choose_mapping(*, batch: ImportBatch, place: int, mapping: Mapping[str, Any], name: str) -> bool:
    """Say what the columns of the batch's file at `place` mean; False when the batch is no longer only previewed."""
    files = [dict(file) for file in batch.files]
    files[place].update(mapping=dict(mapping), mapping_name=name)
    chosen = ImportBatch.objects.filter(
        merchant_id=batch.merchant_id, pk=batch.pk, state=ImportBatch.State.PREVIEWED
    ).update(files=files)
    if chosen:
        batch.files = files
    return bool(chosen)


def begin_batch(*, batch: ImportBatch) -> bool:
    """Take a batch into work; False when it is done or undone already. RUNNING ones may be begun again: their worker
    was killed."""
    State = ImportBatch.State
    begun = ImportBatch.objects.filter(
        merchant_id=batch.merchant_id, pk=batch.pk, state__in=[State.PREVIEWED, State.RUNNING, State.FAILED]
    ).update(state=State.RUNNING, error="", finished_at=None)
    if begun:
        batch.state, batch.error, batch.finished_at = State.RUNNING, "", None
    return bool(begun)


def advance_batch(*, batch: ImportBatch, from_offset: int, offset: int, counts: Mapping[str, Any]) -> bool:
    """Move the batch on, in the transaction of the chunk; False when somebody else has moved it meanwhile."""
    moved = ImportBatch.objects.filter(
        merchant_id=batch.merchant_id, pk=batch.pk, state=ImportBatch.State.RUNNING, offset=from_offset
    ).update(offset=offset, counts=dict(counts))
    if moved:
        batch.offset, batch.counts = offset, dict(counts)
    return bool(moved)


def end_batch(
    *, batch: ImportBatch, state: str, now: datetime, error: str = "", rejects_path: str | None = None
) -> None:
    """Write down how it ended."""
    batch.state, batch.finished_at, batch.error = ImportBatch.State(state), now, error
    if rejects_path is not None:
        batch.rejects_path = rejects_path
    ImportBatch.objects.filter(merchant_id=batch.merchant_id, pk=batch.pk).update(
        state=batch.state, finished_at=now, error=error, rejects_path=batch.rejects_path
    )


def clear_batch(*, batch: ImportBatch, counts: Mapping[str, Any]) -> None:
    """Back to the beginning: what it brought was taken out again."""
    batch.offset, batch.counts = 0, dict(counts)
    ImportBatch.objects.filter(merchant_id=batch.merchant_id, pk=batch.pk).update(offset=0, counts=batch.counts)


def note_total(*, batch: ImportBatch, total: int) -> None:
    """How many rows there are, as far as one can tell."""
    batch.total = total
    ImportBatch.objects.filter(merchant_id=batch.merchant_id, pk=batch.pk).update(total=total)


def remember_made_members(*, merchant: Merchant, batch_id: int, member_ids: Iterable[int]) -> None:
    """Members who exist because of this batch, for its undo."""
    changes = [
        BatchChange(merchant=merchant, batch_id=batch_id, what="member", object_id=member, before=None)
        for member in dict.fromkeys(member_ids)
    ]
    if changes:
        BatchChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=2000)


def remember_openings(*, merchant: Merchant, batch_id: int, txn_ids: Iterable[int]) -> None:
    """Postings by which a batch took balances of another system over, for its undo."""
    changes = [
        BatchChange(merchant=merchant, batch_id=batch_id, what="opening", object_id=txn, before=None) for txn in txn_ids
    ]
    BatchChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=2000)


def remember_profiles(
    *,
    merchant: Merchant,
    batch_id: int,
    changes: Mapping[int, Mapping[str, Any]],
    together: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]],
) -> None:
    """What a batch changed about members who were known, for its undo; `together` joins it with what it did before."""
    known = BatchChange.objects.filter(
        merchant=merchant, batch_id=batch_id, what="profile", object_id__in=list(changes)
    )
    former = {change.object_id: change for change in known}
    for member, change in former.items():
        change.before = dict(together(change.before or {}, changes[member]))
    BatchChange.objects.bulk_update(former.values(), ["before"], batch_size=500)
    new = [
        BatchChange(merchant=merchant, batch_id=batch_id, what="profile", object_id=member, before=dict(change))
        for member, change in changes.items()
        if member not in former
    ]
    BatchChange.objects.bulk_create(new, batch_size=1000)


def save_mapping(
    *, merchant: Merchant, name: str, header_digest: str, mapping: Mapping[str, Any], now: datetime
) -> ColumnMapping:
    """Keep an answer of the mapping wizard; the next file with this header is known by it. Same name: replaced."""
    saved, _ = ColumnMapping.objects.update_or_create(
        merchant=merchant,
        name=name[:60],
        defaults={"header_digest": header_digest, "mapping": dict(mapping), "saved_at": now},
    )
    return saved


def forget_batch_changes(*, batch: ImportBatch) -> None:
    """After an undo nothing is left to be undone."""
    bulk.execute(
        f"DELETE FROM {BatchChange._meta.db_table} WHERE merchant_id = %s AND batch_id = %s",
        [batch.merchant_id, batch.pk],
    )
