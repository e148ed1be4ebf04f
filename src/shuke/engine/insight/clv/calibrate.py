"""Chances put right by the shop's own past: what was stated on days of the year before, beside what came.

The models' chances are a little too sure on real shops (customers differ in more than a rate). With enough customers two
numbers on the log-odds put that right without changing anybody's rank; with few they would only copy noise, and from the last
window alone they would copy its season onto the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEAST_CUSTOMERS = 1_000
LEAST_EACH = 50  # of those who bought, and of those who did not: two numbers are learnt from them
_NEAR = 1e-9


class Earlier(NamedTuple):
    """What was stated at the end of day `begin` of the days up to `end`, and whether it came. One element per customer known then."""

    begin: int
    end: int
    chance: np.ndarray
    bought: np.ndarray  # true and false, or 1 and 0


class Scale(NamedTuple):
    """log-odds → shift + slope · log-odds. `learned_from` customers of the latest window; 0: chances stay as they are."""

    shift: float = 0.0
    slope: float = 1.0
    learned_from: int = 0

    def put_right(self, chance: np.ndarray) -> np.ndarray:
        """The chances (float64) after correction; 0 and 1 stay."""
        if self.learned_from == 0:
            return chance
        right = 1.0 / (1.0 + np.exp(-(self.shift + self.slope * _log_odds(chance))))
        return np.where((chance <= _NEAR) | (chance >= 1 - _NEAR), chance, right)


AS_STATED = Scale()


def learn(windows: Sequence[Earlier]) -> Scale:
    """Learn from windows, the latest first; `AS_STATED` where that one has too few customers."""
    if not windows:
        return AS_STATED
    latest = windows[0].bought
    yes = float(latest.sum())
    if latest.size < LEAST_CUSTOMERS or min(yes, latest.size - yes) < LEAST_EACH:
        return AS_STATED
    chance = np.concatenate([one.chance for one in windows])
    happened = np.concatenate([one.bought for one in windows]).astype(np.float64)
    odds = _log_odds(chance)
    columns = np.column_stack((np.ones(odds.size), odds))
    told, middle = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    for _step in range(50):  # Newton; the mild pull to (0, 1) keeps the top unique
        p = 1.0 / (1.0 + np.exp(-columns @ told))
        slope = columns.T @ (happened - p) - (told - middle)
        bend = (columns * (p * (1 - p))[:, None]).T @ columns + np.eye(2)
        step = np.linalg.solve(bend, slope)
        told = told + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    if told[1] <= 0:  # it would turn everybody's rank around: the window was no ordinary one
        return AS_STATED
    return Scale(float(told[0]), float(told[1]), latest.size)


def _log_odds(chance: np.ndarray) -> np.ndarray:
    kept = np.clip(chance, _NEAR, 1 - _NEAR)
    return np.log(kept / (1 - kept))
