"""Leave and remove the copies that insight/queries/kept_rows.py reads."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from shuke.engine.insight.port import Columns
from shuke.insight.queries.kept_rows import FORMAT, path
from shuke.shops.models import Merchant


def remove(merchant: Merchant, table: str) -> None:
    """Before the first row is written: whatever happens then, nobody takes the copy for the table."""
    path(merchant, table).unlink(missing_ok=True)


def leave(merchant: Merchant, table: str, mark: str, columns: Columns) -> None:
    """After the last row is written. columns: whole numbers of all rows, `member` ascending."""
    to = path(merchant, table)
    to.parent.mkdir(parents=True, exist_ok=True)
    put(to, f"{FORMAT} {mark}", {name: shortest(values) for name, values in columns.items()})


def leave_out(merchant: Merchant, table: str, members: list[int]) -> None:
    """After rows of these members were deleted: the copy is that of the others."""
    file = path(merchant, table)
    try:
        with np.load(file, allow_pickle=False) as found:
            columns = dict(found)
    except FileNotFoundError:
        return
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # cut off: nobody takes it for the table
        remove(merchant, table)
        return
    if "member" in columns:
        mark, others = str(columns.pop("mark")), ~np.isin(columns["member"], members)
        put(file, mark, {name: values[others] for name, values in columns.items()})


def put(to: Path, mark: str, columns: Columns) -> None:
    """A file of columns and its mark, in one step."""
    part = to.with_suffix(".part")
    written: dict[str, Any] = columns | {"mark": np.array(mark)}
    with part.open("wb") as out:
        np.savez(out, **written)
    part.replace(to)


def shortest(values: np.ndarray) -> np.ndarray:
    """In as few bytes as hold them all."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.int64)
