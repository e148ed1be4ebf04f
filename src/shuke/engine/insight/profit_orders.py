"""The orders of one month with what their lines say about margin and price: plain arrays in and out.

`sql/profit_orders.sql` says what the rows are, on any engine. It reads and sorts the orders of all years together; a night that has
the sums of lines of most months already (`order_sums`) puts the two side by side month by month. Same rows, which
tests/insight/test_profit_nights.py demands.
"""

from __future__ import annotations

import numpy as np

from shuke.engine.insight.port import Columns

HEADS = ("order_id", "member", "day", "net", "refunded", "counted")
SUMS = {
    "kept": "kept_sum", "weighted": "weighted_sum", "costed": "costed_sum", "cost_milli": "cost_sum", "stated": "stated_sum",
    "asked": "asked_sum", "reduced": "reduced_sum",
}  # fmt: skip


def of_month(heads: Columns, sums: Columns, taken: tuple[np.ndarray, np.ndarray], *, as_of: int) -> Columns:
    """Purchases up to the day `as_of`, by day and order. `who` may be nobody (0) or no member any more: leave these out.

    heads: HEADS, sums: `order_sums`, both by ascending order. taken: ascending orders, and what was taken off each.
    """
    rows = np.flatnonzero((heads["counted"] == 1) & (heads["day"] <= as_of) & (heads["member"] > 0))
    days = heads["day"][rows]
    # Of a month: a sort of small numbers that keeps equal ones as they are takes no time.
    rows = rows[np.argsort((days - days.min(initial=as_of)).astype(np.int16), kind="stable")]
    order = heads["order_id"][rows]
    found = {
        "who": heads["member"][rows],
        "on_day": heads["day"][rows].astype(np.int64),
        "net_paid": heads["net"][rows],
    }
    found |= _looked_up(sums["of_order"], order, {name: sums[own] for name, own in SUMS.items()})
    found["given_back"] = heads["refunded"][rows]
    return found | _looked_up(taken[0], order, {"taken": taken[1]})


def _looked_up(sorted_ids: np.ndarray, wanted: np.ndarray, columns: Columns) -> Columns:
    """Of each of `wanted` what stands beside it; 0 where it is not there."""
    if not sorted_ids.size:
        return {name: np.zeros(wanted.size, np.int64) for name in columns}
    at = np.minimum(np.searchsorted(sorted_ids, wanted), sorted_ids.size - 1)
    there = sorted_ids[at] == wanted
    return {name: np.where(there, values[at], 0) for name, values in columns.items()}
