"""The row of every member in a profit report: brought to what the report found, touching only what differs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from django.db import transaction

from shuke.insight.actions import kept_rows
from shuke.insight.actions.differing import alike
from shuke.insight.models import ProfitReport
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.profit_columns import NAMES, NONE, NOT_KNOWN, OF_MAYBE, TABLE, before
from shuke.kit import bulk
from shuke.shops.models import Merchant

Rows = dict[str, np.ndarray]  # whole numbers by column of the table, as queries/profit_columns.py has them
_CHUNK = 20_000
_Update = tuple[np.ndarray, list[str]]  # places of rows, and the columns that differ


def write(merchant: Merchant, member: np.ndarray, rows: Rows, day: date) -> None:
    """member: ascending. Some thousand rows at a time, so that a till does not wait for a million; rows of who is no member go away."""
    kept = before(merchant, tuple(rows))
    kept_rows.remove(merchant, TABLE)
    at, there = places(kept["member"], member)
    fresh, old = np.flatnonzero(~there), np.flatnonzero(there)
    names = list(rows)
    for low in range(0, fresh.size, _CHUNK):
        part = fresh[low : low + _CHUNK]
        values = zip(member[part].tolist(), *(_texts(name, rows[name][part]) for name in names), strict=True)
        with transaction.atomic():
            columns = ("member_id", "merchant_id", "day", *names)
            bulk.insert(TABLE, columns, [(pk, merchant.pk, day.isoformat(), *row) for pk, *row in values])
    differs = [rows[name][old] != kept[name][at[old]] for name in names]
    touched = np.flatnonzero(np.logical_or.reduce(differs)) if old.size else old
    chosen = np.stack([column[touched] for column in differs], axis=1)
    updates = []
    for same, listed in alike(chosen):
        for low in range(0, same.size, _CHUNK):
            updates.append((old[touched[same[low : low + _CHUNK]]], [names[column] for column in listed]))
    for together in _batches(updates):
        with transaction.atomic():
            for part, listed_names in together:
                _update(member, rows, day, part, listed_names)
    bulk.execute(
        f"DELETE FROM {TABLE} WHERE merchant_id = %s AND member_id IN "
        "(SELECT id FROM members_member WHERE merchant_id = %s AND state <> 'active')",
        [merchant.pk, merchant.pk],
    )


def leave_copy(merchant: Merchant, member: np.ndarray, rows: Rows, report: ProfitReport) -> None:
    """All rows are as `rows` has them: the next report need not read them."""
    kept_rows.leave(merchant, TABLE, mark_of(report), {"member": member} | rows)


def _batches(updates: list[_Update]) -> Iterator[list[_Update]]:
    """Some thousand rows each: of many columns that differ together there are few rows."""
    batch: list[_Update] = []
    for one in updates:
        if batch and sum(part.size for part, _names in (*batch, one)) > _CHUNK:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _update(member: np.ndarray, rows: Rows, day: date, part: np.ndarray, names: list[str]) -> None:
    values = zip(*(_texts(name, rows[name][part]) for name in names), member[part].tolist(), strict=True)
    bulk.update(TABLE, ("day", *names), [(day.isoformat(), *row) for row in values], key="member_id")


def _texts(name: str, codes: np.ndarray) -> list[Any]:
    """A column as the table has it."""
    values = codes.tolist()
    if name in NAMES:
        return [NAMES[name][code] for code in values]
    if name in OF_MAYBE:
        nothing = NOT_KNOWN.get(name, NONE)
        return [None if value == nothing else value for value in values]
    return values
