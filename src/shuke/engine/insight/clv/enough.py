"""Whether a shop has data enough for a model, and what is missing where it has not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.clv.history import Visits

LEAST_REPEATERS = 50
LEAST_GAPS = 3.0  # median gaps the history must be long
FULL_FROM = 200  # customers; below, only totals are worth showing
YEAR = 365


class Enough(NamedTuple):
    """What these data carry: `level` is none, totals or full. `code` is enough, few_customers, few_repeaters or short_history.

    warnings: season (less than a year of history: a forecast of a year has not seen one).
    """

    level: str
    code: str
    says_en: str
    says_zh: str
    customers: int
    repeaters: int
    history_days: int
    median_gap_days: float | None
    warnings: tuple[str, ...]


def enough(seen: Visits, *, end: int | None = None) -> Enough:
    """Judge the history up to day `end` (default: its last)."""
    end = int(seen.day.max()) if end is None else end
    upto = seen.day <= end
    whom, when = seen.customer[upto], seen.day[upto]
    first = np.ones(whom.size, dtype=bool)
    first[1:] = whom[1:] != whom[:-1]
    gaps = (when[1:] - when[:-1])[~first[1:]] if whom.size else when
    customers, repeaters = int(first.sum()), int(np.unique(whom[~first]).size)
    days = int(end - when.min()) + 1 if whom.size else 0
    median = float(np.median(gaps)) if gaps.size else None
    warnings = ("season",) if days < YEAR else ()
    told = (customers, repeaters, days, median, warnings)
    if repeaters < LEAST_REPEATERS:
        return Enough(
            "none",
            "few_repeaters",
            f"Only {repeaters} customers have bought more than once; a model needs {LEAST_REPEATERS}. Until then look at how many"
            " of the first orders are followed by a second.",
            f"只有 {repeaters} 位顾客购买过一次以上，模型至少需要 {LEAST_REPEATERS} 位。在此之前请看首单之后有多少人买了第二次。",
            *told,
        )
    if median is not None and days < LEAST_GAPS * median:
        return Enough(
            "none",
            "short_history",
            f"The history is {days} days long, and half of all returns take longer than {median:g} days; a model needs three times"
            " that.",
            f"历史只有 {days} 天，而一半的回购间隔超过 {median:g} 天；模型需要其三倍的历史。",
            *told,
        )
    if customers < FULL_FROM:
        return Enough(
            "totals",
            "few_customers",
            f"With {customers} customers totals can be told, single customers not; from {FULL_FROM} on both.",
            f"有 {customers} 位顾客时只能给出总数，不能给出单个顾客的数字；满 {FULL_FROM} 位后两者都可以。",
            *told,
        )
    return Enough("full", "enough", "There is enough history for a model.", "历史数据足够建立模型。", *told)
