"""Where each member stands in life, by the member's own rhythm. Definitions: docs/algorithms/lifecycle.md.

A member's usual gap is the own average gap between order days, drawn towards the shop's as strongly as the shop's own data
ask for (empirical Bayes on logarithms). Silence is then measured in usual gaps; who is lost, the chance to buy has a word in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STAGES = ("observing", "forming", "stable", "degrading", "lost")
DEGRADING_AT, LOST_AT = 1.5, 3.0  # silence in usual gaps, above which a member degrades, is lost
DEGRADING_LEAST, LOST_LEAST = 14, 30  # days: a fortnight away is no sign in anybody who usually comes every other day
STABLE_FROM = 4  # order days
LIKELY_BACK = 0.5  # who will more likely than not be back within 90 days is not lost, however long the silence
# Chance to buy within 90 days, from order days, first day, last day (arrays) and the day it is asked on.
Chance = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
LEAST_GAPS = 10  # fewer gaps in the whole shop say nothing about its rhythm
DEFAULT_PULL = 3.0  # when members' rhythms cannot be told apart yet


class Rhythm(NamedTuple):
    """The shop's rhythm. `shop_gap` in days, None when too few gaps were seen; `pull` in gaps."""

    shop_gap: float | None
    pull: float | None
    log_mean: float
    smear: float  # from the geometric to the ordinary mean, same for all members
    gaps: int


def rhythm(gaps: np.ndarray, gap_days: np.ndarray, log_sum: np.ndarray, log_squares: np.ndarray) -> Rhythm:
    """Learn the shop's rhythm from members with at least one gap between order days (one element each).

    gaps: number of gaps, ≥ 1. gap_days: their sum in days. log_sum, log_squares: sums of ln(gap) and of its square.
    """
    total = int(gaps.sum())
    if total < LEAST_GAPS:
        return Rhythm(None, None, 0.0, 1.0, total)
    mean = log_sum / gaps
    groups = gaps.size
    inside = float((log_squares - gaps * mean * mean).sum())
    within = max(inside, 0.0) / (total - groups) if total > groups else 0.0
    grand = float(log_sum.sum()) / total
    weight = total - float((gaps.astype(np.float64) ** 2).sum()) / total
    spread = float((gaps * (mean - grand) ** 2).sum()) - (groups - 1) * within
    between = spread / weight if weight > 0 else 0.0
    # Rhythms that cannot be told apart, or gaps that never vary, leave the ratio undefined: stay with a mild pull.
    pull = within / between if between > 1e-9 and within > 1e-9 else DEFAULT_PULL
    pull = float(np.clip(pull, 0.25, 50.0))
    credible = gaps / (gaps + pull)
    centre = float((credible * mean).sum() / credible.sum())
    smear = float(gap_days.sum()) / float((gaps * np.exp(mean)).sum())
    return Rhythm(float(np.exp(centre)) * smear, pull, centre, smear, total)


def usual_gaps(gaps: np.ndarray, log_sum: np.ndarray, known: Rhythm) -> np.ndarray:
    """The usual gap in days of each member (float64), also of those with no gap yet (gaps 0, log_sum 0).

    NaN for everybody while the shop's rhythm is unknown.
    """
    if known.shop_gap is None or known.pull is None:
        return np.full(gaps.size, np.nan)
    logs = (log_sum + known.pull * known.log_mean) / (gaps + known.pull)
    return np.maximum(np.exp(logs) * known.smear, 1.0)


def stages(
    order_days: np.ndarray, silence: np.ndarray, usual: np.ndarray, chance: np.ndarray | None = None
) -> np.ndarray:
    """Index into STAGES (int8) for members with at least one order day.

    silence: days since the last order day. Where the usual gap is NaN only the number of order days decides.
    chance: to buy within 90 days, where the shop's history is long enough to tell (engine.insight.clv.shop).
    """
    stage = np.where(order_days >= STABLE_FROM, 2, np.where(order_days >= 2, 1, 0)).astype(np.int8)
    known = ~np.isnan(usual)
    rhythm_of = np.where(known, usual, 0.0)
    stage[known & (silence > np.maximum(DEGRADING_AT * rhythm_of, DEGRADING_LEAST))] = 3
    gone = known & (silence > np.maximum(LOST_AT * rhythm_of, LOST_LEAST))
    if chance is not None:
        gone &= chance < LIKELY_BACK
    stage[gone] = 4
    return stage
