"""Reading without being able to write: for work that looks at everything and must change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from shuke.kit import bulk


@contextmanager
def read_only() -> Iterator[None]:
    """Everything within sees one state of the database, and an attempt to write is an error of the database itself.

    SQLite: a deferred transaction on the same connection with `query_only`, so that writers go on meanwhile. PostgreSQL:
    a repeatable-read, read-only transaction. Within somebody else's transaction (tests) that one's state is read, on
    PostgreSQL without the guard.
    """
    inside = connection.in_atomic_block
    if bulk.is_postgres():
        with transaction.atomic():
            if not inside:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        if not inside:
            cursor.execute("BEGIN DEFERRED")  # Django's own would be IMMEDIATE and hold up every till
        cursor.execute("PRAGMA query_only = ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA query_only = OFF")
            if not inside:
                cursor.execute("ROLLBACK")
