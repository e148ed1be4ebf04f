"""★ The retention budget: what it is worth at most to keep or win back a member, and whom to let go.

    most = uplift × chance to leave × worth of a year with the member
    worth = spend of a year if the member stays × (margin − rewards) − care and service of a year

Everything it takes is stated: spend and orders expected (insight's value), the member's own rhythm, the margin and the costs that
were booked, and the uplift: which share of those who would leave an effort keeps. Control groups measure it; until they have, it
is an assumption of the shop, and named so wherever a budget is shown. Worked table: docs/algorithms/retention_budget.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

UNKNOWN, AT_EASE, KEEP, WIN_BACK, LET_GO = range(5)
ADVICE = ("", "at_ease", "keep", "win_back", "let_go")
EASE_BELOW = 50  # thousandths: below this chance to leave an effort has nearly nobody to keep
ASSUMED_UPLIFT = 100  # thousandths, until the shop states its own or a control group has measured one


class Known(NamedTuple):
    """One value per member (int64 unless said). Money in minor units, shares in thousandths."""

    expected_orders: np.ndarray  # thousandths of an order in the next twelve months; -1: not foretold
    expected_spend: np.ndarray  # net, in the next twelve months
    spend_low: np.ndarray
    spend_high: np.ndarray
    usual_gap: np.ndarray  # float64 days between purchases; nan: not known
    past_year: np.ndarray  # net spend per year of the relation so far, its first year counted whole
    margin: np.ndarray  # of what the member buys
    rewards: np.ndarray  # points, coupons, gifts … given for what was bought
    serving: np.ndarray  # care and service of the last twelve months
    quiet: np.ndarray  # bool: degrading or lost by their own rhythm


class Budget(NamedTuple):
    """One value per member; what is not known is 0 with the advice UNKNOWN."""

    leaving: np.ndarray  # chance to leave within the year, thousandths
    if_stays: np.ndarray  # spend of a year if the member stays, minor units
    worth: np.ndarray  # what such a year leaves the shop; below 0 the member costs more than they bring
    most: np.ndarray  # the budget
    low: np.ndarray
    high: np.ndarray
    advice: np.ndarray  # place in ADVICE


def budget(known: Known, *, uplift: int) -> Budget:
    """What to spend at most, per member.

    chance to leave: how far the orders expected fall short of the member's own rhythm (365 days ÷ usual gap).
    if the member stays: the rhythm × the expected value of an order; never more than what is expected anyway or what a year of
    the relation has brought so far, whichever is larger: a single purchase is no rhythm.
    """
    foretold = (known.expected_orders >= 0) & np.isfinite(known.usual_gap) & (known.usual_gap > 0)
    gap = np.where(foretold, known.usual_gap, 365.0)
    rhythm = 365.0 / gap
    orders = np.maximum(known.expected_orders, 0) / 1000.0
    stay = np.clip(orders / rhythm, 0.0, 1.0)
    leaving = np.where(foretold, _whole(1000.0 * (1.0 - stay)), 0)
    each = known.expected_spend / np.maximum(orders, 1e-9)
    by_rhythm = np.where(orders > 0, each * rhythm, known.past_year)
    if_stays = _whole(np.minimum(by_rhythm, np.maximum(known.expected_spend, known.past_year)))
    if_stays = np.where(foretold, if_stays, 0)
    left = known.margin - known.rewards
    worth = np.where(foretold, _whole(if_stays * (left / 1000.0)) - known.serving, 0)
    share = (uplift / 1000.0) * (leaving / 1000.0)
    spread_low = known.spend_low / np.maximum(known.expected_spend, 1)
    spread_high = known.spend_high / np.maximum(known.expected_spend, 1)
    low = _whole((if_stays * spread_low * (left / 1000.0) - known.serving) * share)
    high = _whole((if_stays * spread_high * (left / 1000.0) - known.serving) * share)
    most = _whole(worth * share)
    advice = np.where(known.quiet, WIN_BACK, KEEP)
    advice = np.where(leaving < EASE_BELOW, AT_EASE, advice)
    advice = np.where(worth <= 0, LET_GO, advice)
    advice = np.where(foretold, advice, UNKNOWN)
    nothing = np.zeros_like(most)
    return Budget(
        leaving,
        if_stays,
        worth,
        most,
        np.where(foretold, np.minimum(low, most), nothing),
        np.where(foretold, np.maximum(high, most), nothing),
        advice,
    )


def _whole(value: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves up."""
    return np.floor(value + 0.5).astype(np.int64)
