"""Rows by the thousand: one prepared INSERT (SQLite) or COPY (PostgreSQL), and look-ups by long lists of values.

An import writes millions of rows; making a model instance for each would cost more than all the rest. Callers pass
plain tuples in column order and have the database's constraints to keep them honest. Values are what the driver takes:
ints, text, bytes, None; moments go through `moment`, JSON columns get text from `json.dumps`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection

Row = Sequence[Any]
FEW = 20


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


@contextmanager
def together() -> Iterator[None]:
    """Send the writes within as one round trip where the driver can (PostgreSQL's pipeline); errors come at its end."""
    if not is_postgres():
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def insert(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows, all or (within the caller's transaction) none. A conflict is an error: see `insert_new` for races."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    names = ", ".join(f'"{c}"' for c in columns)
    with connection.cursor() as cursor:
        if is_postgres() and len(rows) <= FEW:  # one round trip; COPY takes three
            marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * len(rows))
            cursor.execute(f'INSERT INTO "{table}" ({names}) VALUES {marks}', [value for row in rows for value in row])
        elif is_postgres():
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)


def insert_new(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert the rows that no unique constraint stands against; leave out the others without a word."""
    names = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING', list(rows))


def update(table: str, columns: Sequence[str], rows: Iterable[Row], *, key: str = "id") -> None:
    """Set `columns` of existing rows; each tuple ends with the key's value."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    sets = ", ".join(f'"{c}" = %s' for c in columns)
    with connection.cursor() as cursor:
        cursor.executemany(f'UPDATE "{table}" SET {sets} WHERE "{key}" = %s', rows)


def among(column: str, values: Iterable[int] | Iterable[str]) -> tuple[str, Any]:
    """A condition `column is one of values` with its single parameter, for lists of any length."""
    listed: list[Any] = list(values)
    if is_postgres():
        if not listed:  # of no type: PostgreSQL takes that of the column
            return f"{column} = ANY(%s)", listed
        kind = "text" if isinstance(listed[0], str) else "bigint"
        return f"{column} = ANY(%s::{kind}[])", listed
    return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(listed)


def learn_statistics() -> None:
    """Let SQLite look at what its tables hold, so that it finds rows by the better key. PostgreSQL does so by itself."""
    if not is_postgres():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA analysis_limit = 1000")
            cursor.execute("ANALYZE")


def select(sql: str, parameters: Sequence[Any]) -> list[tuple]:
    """All rows of a query. On SQLite moments come back as text: see `read_moment`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def execute(sql: str, parameters: Sequence[Any]) -> int:
    """Run one statement; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


def _moment_text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(" ")[:-6]


def _moment_plain(at: datetime | None) -> datetime | None:
    return at


def moment() -> Callable[[datetime | None], Any]:
    """How to write an instant here: the text Django itself stores on SQLite, the value as it is on PostgreSQL."""
    return _moment_plain if is_postgres() else _moment_text


def read_moment(value: Any) -> datetime | None:
    """An instant as `select` gives it, on either engine: aware, naive (a SQLite column) or text (SQLite RETURNING)."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
