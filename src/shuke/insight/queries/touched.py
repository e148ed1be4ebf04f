"""Which members' place in lists may have changed since somebody looked: the log that triggers write (migration insight/0010).

A log row is written in the transaction that changed the member or the account. Rows of SQLite are committed in the order of their
ids. On PostgreSQL a transaction may commit after one with a higher number, so one reads on from the oldest that was still open.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.insight.queries.order_columns import fetch
from shuke.kit import bulk
from shuke.shops.models import Merchant

TABLE = "insight_touched"
KEPT = 200_000  # rows; whoever looked before these reads everybody anew


class Seen(NamedTuple):
    """How far the log was read. `row` stands for its place: when it is gone, so is what came after it."""

    row: int
    horizon: int  # of transactions; 0 on SQLite


def now() -> Seen | None:
    """The end of the log. None: it has no row to stand for the place."""
    if bulk.is_postgres():
        # The horizon first: what commits between the two statements is read once more, and nothing is left out.
        horizon = int(bulk.select("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])[0][0])
    else:
        horizon = 0
    row = bulk.select(f"SELECT MAX(id) FROM {TABLE}", [])[0][0]
    return None if row is None else Seen(row, horizon)


def stands(seen: Seen) -> bool:
    """Whether all that was written since is still there."""
    return bulk.select(f"SELECT COUNT(*) FROM {TABLE} WHERE id = %s", [seen.row])[0][0] == 1


def since(merchant: Merchant, seen: Seen) -> np.ndarray:
    """Ids of members, ascending, each once."""
    place, bound = ("xid >= %s", seen.horizon) if bulk.is_postgres() else ("id > %s", seen.row)
    rows = fetch(f"SELECT member_id FROM {TABLE} WHERE merchant_id = %s AND {place}", [merchant.pk, bound], ("member",))
    return np.unique(rows["member"])
