"""Cohorts: who bought first in a month, and what became of them month by month. Cells nobody can know yet are blank, not 0.

Definitions and a worked table: docs/algorithms/cohorts.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shuke.engine.insight.clv.history import Visits


@dataclass(frozen=True, slots=True)
class Triangle:
    """One row per month of first purchases, one column per month since (0: the month itself).

    months: first day of each cohort's month as datetime64[M]. size: customers. buyers: how many bought in that month. orders: days
    with a purchase. spend: net of what was given back. float64, NaN where the month was not over at `end`.
    """

    months: np.ndarray
    size: np.ndarray
    buyers: np.ndarray
    orders: np.ndarray
    spend: np.ndarray

    @property
    def retention(self) -> np.ndarray:
        """The share of each cohort that bought in each month."""
        return self.buyers / self.size[:, None]

    @property
    def orders_per_head(self) -> np.ndarray:
        return self.orders / self.size[:, None]

    @property
    def spend_per_head(self) -> np.ndarray:
        """Spend so far per customer of the cohort, those who bought once counted too."""
        return np.cumsum(self.spend, axis=1) / self.size[:, None]


def triangle(seen: Visits, *, end: int | None = None) -> Triangle:
    """The triangle of a history up to day `end` inclusive (default: its last day). Days count from 1970-01-01."""
    end = int(max(seen.day.max(), seen.returned_day.max(initial=0))) if end is None else end
    upto = seen.day <= end
    whom, day, amount = seen.customer[upto], seen.day[upto], seen.amount[upto]
    if whom.size == 0:
        nothing = np.zeros((0, 0))
        return Triangle(np.zeros(0, dtype="datetime64[M]"), np.zeros(0), nothing, nothing, nothing)
    month = _month(day)
    first_of = np.full(seen.customers.size, -1, dtype=np.int64)
    heads = np.append(True, whom[1:] != whom[:-1])
    first_of[whom[heads]] = month[heads]
    begin, last = int(month.min()), int(_month(np.array([end]))[0])
    size = last - begin + 1
    cohort, since = first_of[whom] - begin, month - first_of[whom]
    cell = cohort * size + since
    members = np.bincount(first_of[whom[heads]] - begin, minlength=size).astype(np.float64)
    pairs = np.unique(whom * size + since)  # a customer who comes twice in a month is one buyer
    who, when = np.divmod(pairs, size)
    buyers = np.bincount((first_of[who] - begin) * size + when, minlength=size * size)
    orders = np.bincount(cell, minlength=size * size)
    spend = np.bincount(cell, weights=amount, minlength=size * size).astype(np.float64)
    back = (seen.returned_day <= end) & (first_of[seen.returned_customer] >= 0)
    given = seen.returned_customer[back]
    later = np.maximum(_month(seen.returned_day[back]) - first_of[given], 0)
    spend += np.bincount((first_of[given] - begin) * size + later, weights=seen.returned[back], minlength=size * size)
    over = _month(np.array([end + 1]))[0] > last  # the last month counts only when it is over
    known = np.add.outer(np.arange(size), np.arange(size)) < (size if over else size - 1)
    alive = members > 0

    def cells(values: np.ndarray) -> np.ndarray:
        return np.where(known, values.reshape(size, size).astype(np.float64), np.nan)[alive]

    months = (begin + np.flatnonzero(alive)).astype("datetime64[M]")
    return Triangle(months, members[alive], cells(buyers), cells(orders), cells(spend))


def _month(day: np.ndarray) -> np.ndarray:
    """Months since 1970-01 of days since 1970-01-01."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
