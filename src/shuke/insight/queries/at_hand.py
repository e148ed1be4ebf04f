"""Tables with one row a member at hand in this process: a column is read from the night's copy (kept_rows) when it is first asked for,
laid out in the order of the crowd, and kept while the copy's mark stands.

Where there is no copy (before the first night, or since somebody was forgotten) the table is read once and stands in for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from django.db import connection

from shuke.insight.models import OfDay
from shuke.insight.queries import kept_rows
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import places
from shuke.shops.models import Merchant

_MOST = 48  # tables of merchants at once


class Told:
    """Columns of a table in the order of `members` (ids, ascending)."""

    def __init__(self, members: np.ndarray, rows: Mapping[str, np.ndarray]) -> None:
        self.members, self._rows, self._own = members, rows, rows["member"]
        self._at, self.there = places(self._own, members)
        self._known: dict[tuple[str, int], np.ndarray] = {}

    def __call__(self, name: str, nothing: int = 0) -> np.ndarray:
        """A column; `nothing` for who has no row."""
        found = self._known.get((name, nothing))
        if found is None:
            found = self._laid_out(self._rows[name], self._at, self.there, nothing)
            self._known[name, nothing] = found
        return found

    def grown(self, members: np.ndarray) -> Told:
        """The same for more members: those who came last are looked up, not everybody again."""
        if members is self.members:
            return self
        before = self.members.size
        if members.size < before or not np.array_equal(members[:before], self.members):
            return Told(members, self._rows)
        after = object.__new__(Told)
        at, there = places(self._own, members[before:])
        after.members, after._rows, after._own = members, self._rows, self._own
        after._at, after.there = np.concatenate([self._at, at]), np.concatenate([self.there, there])
        after._known = {
            (name, nothing): np.concatenate([column, self._laid_out(self._rows[name], at, there, nothing)])
            if there.any()
            else np.concatenate([column, np.full(there.size, nothing, column.dtype)])
            for (name, nothing), column in self._known.items()
        }
        return after

    def _laid_out(self, rows: np.ndarray, at: np.ndarray, there: np.ndarray, nothing: int) -> np.ndarray:
        kind = np.promote_types(rows.dtype, np.min_scalar_type(nothing))
        if not rows.size:
            return np.full(there.size, nothing, kind)
        found = rows[at].astype(kind)
        found[~there] = nothing
        return found


class _Held(NamedTuple):
    mark: str
    told: Told


_held: OrderedDict[tuple[int, str], _Held] = OrderedDict()
_lock = threading.Lock()


def at_hand(
    merchant: Merchant,
    table: str,
    latest: OfDay | None,
    members: np.ndarray,
    read: Callable[[], Mapping[str, np.ndarray]],
) -> Told:
    """A table as `latest` left it, for these members; read: `member`, ascending, and the other columns, from the table."""
    if latest is None or connection.in_atomic_block:  # what is not committed is nothing to keep
        return Told(members, read())
    key, mark = (merchant.pk, table), mark_of(latest)
    with _lock:
        found = _held.get(key)
    if found is not None and found.mark == mark:
        told = found.told.grown(members)
    else:
        copy = kept_rows.opened(merchant, table, mark)
        told = Told(members, read() if copy is None else copy)
    with _lock:
        _held[key] = _Held(mark, told)
        _held.move_to_end(key)
        while len(_held) > _MOST:
            _held.popitem(last=False)
    return told
