"""Copies of tables with one row a member, as files of columns: a million rows take seconds through a driver, a file a tenth of one.

Only a copy, never the truth. It is taken for what the table says where it bears the mark of the report that wrote the rows last and
counts as many of them; whoever writes rows removes it first and leaves it anew when all of them are there
(insight/actions/kept_rows.py). Without it the table is read.
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from django.conf import settings

from shuke.engine.insight.port import Columns
from shuke.kit import bulk
from shuke.shops.models import Merchant

FORMAT = "1"


def path(merchant: Merchant, table: str) -> Path:
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / f"{table}.npz"


def kept(merchant: Merchant, table: str, mark: str) -> Columns | None:
    """The columns of the copy, `member` among them, ascending. None where there is none of this mark."""
    found = taken(path(merchant, table), f"{FORMAT} {mark}")
    return found if found is not None and found["member"].size == _count(merchant, table) else None


class Opened(Mapping[str, np.ndarray]):
    """A file of columns, each read when it is asked for. Another may take its place meanwhile: this is the one that was opened."""

    def __init__(self, file: np.lib.npyio.NpzFile) -> None:
        self._file, self._reading = file, threading.Lock()

    def __getitem__(self, name: str) -> np.ndarray:
        with self._reading:
            found: np.ndarray = self._file[name]
            return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)


def opened(merchant: Merchant, table: str, mark: str) -> Opened | None:
    """The same copy, its columns still unread."""
    try:
        found = Opened(np.load(path(merchant, table), allow_pickle=False))
        if str(found["mark"]) == f"{FORMAT} {mark}" and found["member"].size == _count(merchant, table):
            return found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    return None


def taken(file: Path, mark: str) -> Columns | None:
    """The columns of a file that bears this mark."""
    try:
        with np.load(file, allow_pickle=False) as found:
            return {name: found[name] for name in found.files if name != "mark"} if str(found["mark"]) == mark else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # not there, or cut off


def places(sorted_ids: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where ids stand among ascending ones, and whether they are there at all (elsewhere the place means nothing)."""
    at = np.minimum(np.searchsorted(sorted_ids, wanted), max(sorted_ids.size - 1, 0))
    there = sorted_ids[at] == wanted if sorted_ids.size else np.zeros(wanted.size, dtype=bool)
    return at, there


def _count(merchant: Merchant, table: str) -> int:
    return int(bulk.select(f"SELECT COUNT(*) FROM {table} WHERE merchant_id = %s", [merchant.pk])[0][0])
