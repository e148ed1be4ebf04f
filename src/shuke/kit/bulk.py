"""Rows by the thousand: one prepared INSERT (SQLite) or COPY (PostgreSQL), and look-ups by long lists of values.

An import writes millions of rows; making a model instance for each would cost more than all the rest. Callers pass
plain tuples in column order and have the database's constraints to keep them honest. Values are what the driver takes:
ints, text, bytes, None; moments go through `moment`, JSON columns get text from `json.dumps`.

Statements go to the driver itself: Django's cursor wrappers cost a till more than the statement. PostgreSQL prepares
each statement once per connection (SHUKE_PG_PREPARE=0 turns that off, for a pooler that cannot).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connections

Row = Sequence[Any]
Rows = tuple[str, tuple[str, ...], list[tuple], str]  # table, columns, rows, key
FEW = 20


@lru_cache(maxsize=1)
def is_postgres() -> bool:
    return connections["default"].vendor == "postgresql"


@lru_cache(maxsize=2000)
def _question_marks(sql: str) -> str:
    """SQLite's own marks for parameters; our statements have no other percent sign than doubled ones."""
    return re.sub("%[%s]", lambda mark: "%" if mark[0] == "%%" else "?", sql)


@lru_cache(maxsize=2000)
def _numbered(sql: str) -> str:
    """PostgreSQL's own marks: psycopg would look for its own anew in each long statement."""
    number = itertools.count(1)
    return re.sub("%[%s]", lambda mark: "%" if mark[0] == "%%" else f"${next(number)}", sql)


def _run(sql: str, parameters: Sequence[Any], *, many: bool = False) -> Any:
    """Execute on the driver's own cursor, with Django's errors. Returns the cursor."""
    django = connections["default"]
    if django.force_debug_cursor or django.execute_wrappers:  # somebody counts or guards statements: go through Django
        cursor = django.cursor()
        (cursor.executemany if many else cursor.execute)(sql, parameters)
        return cursor
    if django.needs_rollback:
        django.validate_no_broken_transaction()
    driver = django.connection
    if driver is None:
        django.ensure_connection()
        driver = django.connection
    try:
        if not is_postgres():
            return (driver.executemany if many else driver.execute)(_question_marks(sql), parameters)
        cursor = _own_cursor(driver)
        sql = _numbered(sql)
        if many:
            cursor.executemany(sql, parameters)
        else:  # a plan made for any list suits a short one
            cursor.execute(sql, parameters, prepare=not (list in map(type, parameters) and _has_long_list(parameters)))
        return cursor
    except Exception:
        with django.wrap_database_errors:  # the driver's error as Django's
            raise


def _has_long_list(parameters: Sequence[Any]) -> bool:
    return any(type(value) is list and len(value) > FEW for value in parameters)


def _own_cursor(driver: Any) -> Any:
    """One cursor a connection, kept: to make one and to teach it costs a till more than to use it. Its rows are fetched
    before the next statement runs, which is what every caller below does."""
    import psycopg
    from psycopg.types.numeric import Int8Dumper

    cursor = getattr(driver, "_shuke_cursor", None)
    if cursor is None:
        cursor = driver._shuke_cursor = psycopg.RawCursor(driver)
        # One type for all whole numbers: else each size of number makes another prepared statement.
        cursor.adapters.register_dumper(int, Int8Dumper)
        # The driver's own reading of moments; Django's, in Python, takes ten times as long for the same value in UTC.
        quick = psycopg.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT)
        assert quick is not None
        cursor.adapters.register_loader("timestamptz", quick)
        if settings.SHUKE_PG_PREPARE:  # None, as Django sets it, refuses also what asks to be prepared
            driver.prepare_threshold = 1 << 60
    return cursor


def insert(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows, all or (within the caller's transaction) none. A conflict is an error: see `insert_new` for races."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    if is_postgres() and len(rows) > FEW:
        names = ", ".join(f'"{c}"' for c in columns)
        with connections["default"].cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
    elif is_postgres():  # one round trip; COPY takes three
        _run(_insertion(table, tuple(columns), len(rows)), [value for row in rows for value in row])
    elif len(rows) == 1:
        _run(_insertion(table, tuple(columns), 1), rows[0])
    else:
        _run(_insertion(table, tuple(columns), 1), rows, many=True)


@lru_cache(maxsize=2000)
def _insertion(table: str, columns: tuple[str, ...], rows: int) -> str:
    names = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * rows)
    return f'INSERT INTO "{table}" ({names}) VALUES {marks}'


def insert_new(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert the rows that no unique constraint stands against; leave out the others without a word."""
    _run(_insertion(table, tuple(columns), 1) + " ON CONFLICT DO NOTHING", list(rows), many=True)


def update(table: str, columns: Sequence[str], rows: Iterable[Row], *, key: str = "id") -> None:
    """Set `columns` of existing rows; each tuple ends with the key's value."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    sql = _setting(table, tuple(columns), key)
    if len(rows) == 1:
        _run(sql, rows[0])
    else:
        _run(sql, rows, many=True)


@lru_cache(maxsize=500)
def _setting(table: str, columns: tuple[str, ...], key: str) -> str:
    sets = ", ".join(f'"{c}" = %s' for c in columns)
    return f'UPDATE "{table}" SET {sets} WHERE "{key}" = %s'


def write_few(inserts: Sequence[tuple], updates: Sequence[tuple]) -> None:
    """A few rows of several tables, as one statement where the database can: inserts (table, columns, rows), then updates
    (table, columns, rows, key) as `update` takes them. No row may be written twice."""
    inserts, updates = [i for i in inserts if i[2]], [u for u in updates if u[2]]
    if not is_postgres():
        for table, columns, rows in inserts:
            insert(table, columns, rows)
        for table, columns, rows, key in updates:
            update(table, columns, rows, key=key)
        return
    parts: list[str] = []
    values: list[Any] = []
    for table, columns, rows in inserts:
        parts.append(_insertion(table, tuple(columns), len(rows)))
        values += [value for row in rows for value in row]
    for table, columns, rows, key in updates:
        for row in rows:
            parts.append(_setting(table, tuple(columns), key))
            values += row
    if parts:
        _run(_as_one(tuple(parts)), values)


@lru_cache(maxsize=500)
def _as_one(parts: tuple[str, ...]) -> str:
    *first, last = parts
    named = ", ".join(f"w{n} AS ({part})" for n, part in enumerate(first))
    return f"WITH {named} {last}" if first else last


def among(column: str, values: Iterable[int] | Iterable[str]) -> tuple[str, Any]:
    """A condition `column is one of values` with its single parameter, for lists of any length."""
    listed: list[Any] = list(values)
    if len(listed) == 1:
        return f"{column} = %s", listed[0]
    if is_postgres():
        if not listed:  # of no type: PostgreSQL takes that of the column
            return f"{column} = ANY(%s)", listed
        kind = "text" if isinstance(listed[0], str) else "bigint"
        return f"{column} = ANY(%s::{kind}[])", listed
    return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(listed)


def learn_statistics() -> None:
    """Let the database look at what its tables hold, so that it finds rows by the better key. PostgreSQL would do so by itself
    within minutes; until then it takes a table that was just filled for empty and reads all of a merchant for each member."""
    if is_postgres():
        for (name,) in select(_OUTGROWN, ()):
            execute(f"ANALYZE {name}", ())
        return
    _run("PRAGMA analysis_limit = 1000", ())
    _run("ANALYZE", ())


# Tables of which more has changed since they were last looked at than PostgreSQL itself puts up with.
_OUTGROWN = (
    "SELECT quote_ident(relname) FROM pg_stat_user_tables WHERE schemaname = current_schema() "
    "AND n_mod_since_analyze > 1000 + n_live_tup / 10"
)


def select(sql: str, parameters: Sequence[Any]) -> list[tuple]:
    """All rows of a query. On SQLite moments that are worked out come back as text: see `read_moment`."""
    rows: list[tuple] = _run(sql, parameters).fetchall()
    if len(rows) > 10_000 and is_postgres():  # the cursor would keep them as long as it is kept
        connections["default"].connection._shuke_cursor = None
    return rows


def execute(sql: str, parameters: Sequence[Any]) -> int:
    """Run one statement; the number of rows it touched."""
    return _run(sql, parameters).rowcount


@lru_cache(maxsize=512)  # a sale writes the same few moments into row after row
def _moment_text(at: datetime | None) -> str | None:
    if at is None:
        return None
    return str(at if at.tzinfo is UTC else at.astimezone(UTC))[:-6]


def _moment_plain(at: datetime | None) -> datetime | None:
    return at


def moment() -> Callable[[datetime | None], Any]:
    """How to write an instant here: the text Django itself stores on SQLite, the value as it is on PostgreSQL."""
    return _moment_plain if is_postgres() else _moment_text


def read_moment(value: Any) -> datetime | None:
    """An instant as `select` gives it: of a column aware already, of SQLite's MAX, CASE or RETURNING as text."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value + "+00:00")
