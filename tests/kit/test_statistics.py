"""After much was written at once, the database knows what its tables hold before anybody asks them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from shuke.kit import bulk
from shuke.kit.models import Job
from shuke.shops.models import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def believed(table: str) -> int:
    """How many rows the planner reckons with; 0 if nobody has looked."""
    if connection.vendor == "postgresql":
        [(rows,)] = bulk.select("SELECT reltuples::int FROM pg_class WHERE relname = %s", [table])
        return max(rows, 0)
    if not bulk.select("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'", ()):
        return 0
    return max(
        (int(told.split()[0]) for (told,) in bulk.select("SELECT stat FROM sqlite_stat1 WHERE tbl = %s", [table])),
        default=0,
    )


@pytest.mark.django_db(transaction=True)
def test_a_table_just_filled_is_not_taken_for_empty():
    table = Job._meta.db_table
    if connection.vendor == "postgresql":
        bulk.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)", ())  # it might look before we do
    before = believed(table)
    Job.objects.bulk_create(
        [Job(name="nothing", state="done", due_at=NOW, made_at=NOW) for _ in range(2_500)], batch_size=500
    )
    if connection.vendor == "postgresql":
        bulk.select("SELECT pg_stat_force_next_flush()", ())
        bulk.select("SELECT 1", ())
    assert believed(table) == before
    bulk.learn_statistics()
    assert believed(table) == pytest.approx(before + 2_500, abs=100)
    assert believed(Store._meta.db_table) < 100, "nothing came to this one"
    if connection.vendor == "postgresql":
        bulk.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)", ())
