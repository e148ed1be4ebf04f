"""The small port to the analytics engine: register columns, name Parquet files, run an analysis by its name.

An analysis is a SQL text in `sql/<name>.sql`, in the part of SQL that sqlglot can turn for other engines (see `ALLOWED`
and tests/engine/insight/test_sql.py). `Port` is what an engine must do; `Engine` is DuckDB in this process, `port_spark.Spark`
a cluster. `port_choice.opened`
chooses by address, and nothing else in the product knows which one answers.

Columns are numpy arrays: ids and money int64, days int32 counted from 1970-01-01 in the merchant's zone. Never NULL:
0 means "nobody" or "none" where a column says so.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import duckdb
import numpy as np

SQL = Path(__file__).parent / "sql"
Columns = dict[str, np.ndarray]

# What an analysis may read, with its types: the test qualifies every text against this.
TABLES: dict[str, dict[str, str]] = {
    # One row per paid, not excluded order. `counted` is 0 when everything was given back: then it is no purchase.
    "heads": {
        "order_id": "BIGINT",
        "member": "BIGINT",  # 0: nobody known bought
        "store": "BIGINT",
        "day": "INTEGER",
        "month": "INTEGER",  # year * 12 + month - 1
        "paid_s": "BIGINT",  # seconds since 1970, UTC
        "net": "BIGINT",
        "refunded": "BIGINT",
        "items_milli": "BIGINT",
        "line_count": "INTEGER",
        "counted": "INTEGER",
    },
    "lines": {
        "order_id": "BIGINT",
        "product": "BIGINT",  # 0: not in the catalogue
        "quantity_milli": "BIGINT",
        "amount": "BIGINT",
        "discount": "BIGINT",
        "refunded": "BIGINT",
    },
    # The living members, whoever they are; purchases of others count as a guest's.
    "members": {"member": "BIGINT", "joined": "INTEGER", "home_store": "BIGINT"},
    # These two are made by the analyses of their names (see `keep`): buyers' days with orders, and those of them with a purchase
    # beside the ones before and after.
    "days": {
        "member": "BIGINT",
        "day": "INTEGER",
        "orders": "BIGINT",  # that count
        "net": "BIGINT",
        "refunded": "BIGINT",
        "first_s": "BIGINT",
        "last_s": "BIGINT",
    },
    "steps": {"member": "BIGINT", "day": "INTEGER", "before_day": "INTEGER", "next_day": "INTEGER"},
    "chosen": {"store_id": "BIGINT"},
    # Which item of the analyses of goods a product stands for: itself, or its kind.
    "goods": {"product": "BIGINT", "item": "BIGINT"},
    # For growth and cohorts: in which stretch a day lies (days in none are not listed), which part of the shop a store
    # (0: not listed) or a member stands for.
    "buckets": {"day": "INTEGER", "bucket": "INTEGER"},
    "store_units": {"store": "BIGINT", "unit": "BIGINT"},
    "who_units": {"member": "BIGINT", "unit": "BIGINT"},
    # What the seller states of a product: margin in thousandths, or what one piece costs; -1: not that one.
    "margins": {"product": "BIGINT", "permille": "BIGINT", "cost": "BIGINT"},
    # Made by the analysis of its name, of the lines of every order; of months that did not change it is kept (actions/order_sums.py).
    "order_sums": {
        "of_order": "BIGINT",
        "kept_sum": "BIGINT",
        "weighted_sum": "BIGINT",
        "costed_sum": "BIGINT",
        "cost_sum": "BIGINT",
        "stated_sum": "BIGINT",
        "asked_sum": "BIGINT",
        "reduced_sum": "BIGINT",
    },
    # What coupons and points took off an order at the till.
    "taken_off": {"order_id": "BIGINT", "minor": "BIGINT"},
}
# Functions an analysis may call: all mean the same on DuckDB, PostgreSQL, Spark and Sail (SCALE: conformance set).
ALLOWED = {
    "SUM",
    "COUNT",
    "MIN",
    "MAX",
    "LAG",
    "LEAD",
    "COALESCE",
    "CAST",
    "LEAST",
    "GREATEST",
    "CASE",
    "LN",
    "AND",
    "OR",
    "IF",
    "EXISTS",
}


# DuckDB 2.0.0 squeezes columns into fewer bytes before sorting and joining, by bounds it has inferred; with a sum over a
# join and ORDER BY it took 128 for a signed byte and answered -128. Found by tests/engine/insight/test_snapshot.py, kept
# from coming back by test_port.py. Exact money is worth more than the few bytes.
_DISTRUSTED = "compressed_materialization,statistics_propagation"


class EngineFailed(RuntimeError):
    """An analysis could not be run. The message says which, and what the engine said."""


class EngineStopped(EngineFailed):
    """An analysis did not end before somebody called `cancel`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The analysis {name} was stopped before it ended.")


class Port(Protocol):
    """What an analytics engine must do. Close it, or use `with`."""

    def table(self, name: str, columns: Mapping[str, np.ndarray]) -> None: ...

    def files(self, name: str, paths: Sequence[Path]) -> None: ...

    def run(self, name: str, **parameters: int | float) -> Columns: ...

    def keep(self, name: str, **parameters: int | float) -> None: ...

    def cancel(self) -> None:
        """From another thread: what runs now ends with EngineStopped, and nothing runs any more. Returns when it has ended."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Engine(Port):
    """One connection to the analytics engine, to be closed (use `with`).

    `memory` and `temp_limit` are DuckDB size texts. Above `memory` it spills into `temp`, and above `temp_limit` it
    stops with a clean error instead of filling the disk. RSS overshoots `memory` by up to a quarter.
    """

    def __init__(
        self, *, temp: Path | None = None, memory: str = "256MB", temp_limit: str = "4GB", threads: int = 2
    ) -> None:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": memory,
            "disabled_optimizers": _DISTRUSTED,
        }
        if temp is not None:
            temp.mkdir(parents=True, exist_ok=True)
            settings |= {"temp_directory": str(temp), "max_temp_directory_size": temp_limit}
        self._connection = duckdb.connect(":memory:", config=settings)
        self._cancelled, self._idle = False, threading.Event()
        self._idle.set()

    def close(self) -> None:
        self._connection.close()

    def cancel(self) -> None:
        self._cancelled = True
        while not self._idle.wait(0.1):  # again and again: what has not quite begun is not interrupted
            self._connection.interrupt()

    def table(self, name: str, columns: Mapping[str, np.ndarray]) -> None:
        """Make `columns` (equally long arrays) readable as a table."""
        types = TABLES.get(name)
        self._connection.register(f"{name}_arrays", dict(columns))
        listed = ", ".join(f'CAST("{c}" AS {types[c]}) AS "{c}"' if types else f'"{c}"' for c in columns)
        # Copied: DuckDB reads Python arrays again on every scan otherwise, on one thread.
        self._connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT {listed} FROM {name}_arrays')
        self._connection.unregister(f"{name}_arrays")

    def files(self, name: str, paths: Sequence[Path]) -> None:
        """Make Parquet files readable as one table; none at all is an empty table of the right columns."""
        types = TABLES[name]
        if not paths:
            listed = ", ".join(f'CAST(0 AS {kind}) AS "{column}"' for column, kind in types.items())
            self._connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS SELECT {listed} WHERE 1 = 0')
            return
        quoted = ", ".join("'" + str(p).replace("'", "''") + "'" for p in paths)
        listed = ", ".join(f'"{column}"' for column in types)
        self._connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS SELECT {listed} FROM read_parquet([{quoted}])')

    def write(
        self, name: str, columns: Mapping[str, np.ndarray], path: Path, *, order: str = "", beside: Sequence[str] = ()
    ) -> None:
        """Write arrays as one Parquet file in the column types of table `name`, replacing `path` in one step.

        beside: further whole numbers to keep in the file, which no analysis sees.
        """
        types = TABLES[name] | dict.fromkeys(beside, "BIGINT")
        listed = ", ".join(f'CAST("{c}" AS {types[c]}) AS "{c}"' for c in types)
        self._connection.register("out_arrays", {c: columns[c] for c in types})
        part = path.with_suffix(".part")
        sorting = f" ORDER BY {order}" if order else ""
        try:
            self._connection.execute(
                f"COPY (SELECT {listed} FROM out_arrays{sorting}) TO '{str(part).replace(chr(39), chr(39) * 2)}' "
                "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            )
        finally:
            self._connection.unregister("out_arrays")
        with part.open("rb") as written:
            os.fsync(written.fileno())  # or a power cut leaves an empty file under the final name
        part.replace(path)

    def read(self, path: Path, listed: Sequence[str]) -> Columns:
        """Columns of one Parquet file, in the order of its rows."""
        names = ", ".join(f'"{column}"' for column in listed)
        rows = self._connection.execute(f"SELECT {names} FROM read_parquet(?)", [str(path)]).fetchnumpy()
        return {column: np.ma.getdata(rows[column]) for column in listed}

    def run(self, name: str, **parameters: int | float) -> Columns:
        """Run analysis `name`; its columns by name, in the order the text gives."""
        with self._running(name):
            result = self._connection.execute(text_of(name), parameters)
            return {column: np.ma.getdata(values) for column, values in result.fetchnumpy().items()}

    def keep(self, name: str, **parameters: int | float) -> None:
        """Run analysis `name` and keep its rows as the table of that name, for the analyses that read it."""
        with self._running(name):
            self._connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS {text_of(name)}', parameters)

    @contextmanager
    def _running(self, name: str) -> Iterator[None]:
        self._idle.clear()
        try:
            if self._cancelled:
                raise EngineStopped(name)
            yield
        except duckdb.Error as error:
            if self._cancelled:
                raise EngineStopped(name) from error
            raise EngineFailed(f"The analysis {name} failed: {error}") from error
        finally:
            self._idle.set()


def text_of(name: str) -> str:
    """The SQL text of an analysis."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def names() -> list[str]:
    """All analyses there are."""
    return sorted(path.stem for path in SQL.glob("*.sql"))
