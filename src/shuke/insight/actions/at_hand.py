"""What lists have at hand in memory (queries/crowd.py): left as a file by the night, so that no process has to read everybody itself."""

from __future__ import annotations

import numpy as np

from shuke.insight.actions.kept_rows import put, shortest
from shuke.insight.queries import kept_rows, touched
from shuke.insight.queries.crowd import TABLE, crowd
from shuke.kit import bulk
from shuke.shops.models import Merchant

_AT_ONCE = 20_000  # ids


def leave_crowd(merchant: Merchant, mark: str) -> None:
    """mark: of the snapshot that this belongs to. The beginning of the log that nobody reads any more is cut off."""
    seen = touched.now()
    if seen is not None:
        columns = crowd(merchant).columns()
        for name, values in columns.items():
            if values.dtype.kind == "i":
                columns[name] = shortest(values)
        put(kept_rows.path(merchant, TABLE), f"{kept_rows.FORMAT} {mark}", columns | {"seen": np.array(seen)})
        _cut(seen.row - touched.KEPT)


def _cut(last: int) -> None:
    """Rows up to this id go, some thousand at a time: after a large import there are millions, and a till does not wait for them."""
    first = bulk.select(f"SELECT MIN(id) FROM {touched.TABLE}", [])[0][0]
    while first is not None and first <= last:
        first += _AT_ONCE
        bulk.execute(f"DELETE FROM {touched.TABLE} WHERE id < %s", [min(first, last + 1)])
