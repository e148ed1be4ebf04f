"""The chance to buy without a model: how many members like this one came back, on how many days they bought and how lately.

Few like that: their share is drawn towards that of all who were silent as long, and this one towards the shop's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

DAYS_FROM = np.array([1, 2, 3, 5, 10, 20])  # order days: one, two, three to four, …
SILENCE_FROM = np.array([0, 8, 15, 31, 61, 121, 241])  # days since the last one
PULL = 20.0  # members: so many of the wider group stand beside those of the cell


class Habit(NamedTuple):
    """Shares who bought within the window that was learnt from, by order days and silence."""

    share: tuple[tuple[float, ...], ...]
    learned_from: int

    def chance(self, order_days: np.ndarray, silence: np.ndarray) -> np.ndarray:
        """The chance (float64) of each."""
        return np.array(self.share)[_places(DAYS_FROM, order_days), _places(SILENCE_FROM, silence)]


def learn(order_days: np.ndarray, silence: np.ndarray, bought: np.ndarray) -> Habit:
    """From members as they stood on a day, and whether each bought in the window after it. At least one element."""
    row, column = _places(DAYS_FROM, order_days), _places(SILENCE_FROM, silence)
    shape = (DAYS_FROM.size, SILENCE_FROM.size)
    all_in, came = np.zeros(shape), np.zeros(shape)
    np.add.at(all_in, (row, column), 1.0)
    np.add.at(came, (row, column), bought.astype(np.float64))
    shop = float(bought.mean())
    as_silent = (came.sum(axis=0) + PULL * shop) / (all_in.sum(axis=0) + PULL)
    share = (came + PULL * as_silent) / (all_in + PULL)
    return Habit(tuple(tuple(map(float, line)) for line in share), int(bought.size))


def _places(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(steps, values, side="right") - 1, 0, steps.size - 1)
