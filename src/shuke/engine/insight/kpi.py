"""Key figures by day and month from spans and sums. Definitions: docs/algorithms/kpi.md.

Days are integers counted from 1970-01-01 in the merchant's zone, months are year * 12 + month - 1.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

EPOCH = date(1970, 1, 1)
WINDOW_DAYS = 365
ACTIVE_DAYS = 90


class Daily(NamedTuple):
    """Counts of living members for each day from `first` on (int64, equally long)."""

    first: int
    active: np.ndarray  # bought within ACTIVE_DAYS
    gone: np.ndarray  # bought in the ACTIVE_DAYS before those, and not since
    buyers: np.ndarray  # bought within WINDOW_DAYS
    repeaters: np.ndarray  # on at least two days of the window

    def at(self, day: int) -> tuple[int, int, int, int] | None:
        """active, gone, buyers, repeaters at the end of `day`; None before the first order."""
        i = day - self.first
        if not 0 <= i < self.active.size:
            return None
        return int(self.active[i]), int(self.gone[i]), int(self.buyers[i]), int(self.repeaters[i])


def daily(kind: np.ndarray, from_day: np.ndarray, to_day: np.ndarray, spans: np.ndarray, *, last: int) -> Daily:
    """Turn counted spans (analysis `spans`) into counts for each day up to `last`."""
    first = int(from_day.min()) if from_day.size else last
    length = last - first + 1
    series = []
    for wanted in (1, 2, 3, 4):
        rows = kind == wanted
        steps = np.zeros(length + 1, dtype=np.int64)
        np.add.at(steps, np.clip(from_day[rows] - first, 0, length), spans[rows])
        np.subtract.at(steps, np.clip(to_day[rows] - first, 0, length), spans[rows])
        series.append(np.cumsum(steps)[:length])
    return Daily(first, *series)


def rate(part: int, whole: int) -> float | None:
    """part / whole to four places; None when there is no whole."""
    return round(part / whole, 4) if whole else None


def per(total: int, count: int) -> int | None:
    """A mean in whole units, half up; None when nothing was counted."""
    return (2 * total + count) // (2 * count) if count else None


def day_number(day: date) -> int:
    return (day - EPOCH).days


def day_of_number(number: int) -> date:
    return EPOCH + timedelta(days=number)


def month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def month_text(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def month_end(number: int) -> date:
    """The last day of a month."""
    year, month = divmod(number + 1, 12)
    return date(year, month + 1, 1) - timedelta(days=1)
