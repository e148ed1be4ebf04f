"""The member pyramid (key, main, potential, target), how firmly members hold to the shop (loyal, drifting, potential), and
the 20/80 curve. Definitions: docs/algorithms/pyramid.md.

Arrays hold one element per member who bought within the window; rows keep their order. Spend is net, minor units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from shuke.engine.insight.lifecycle import STAGES

LAYERS = ("key", "main", "potential", "target")
SHARES = (0.01, 0.04, 0.15, 0.80)
BONDS = ("loyal", "drifting", "potential")
_STABLE = STAGES.index("stable")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Spend from which a member is in a layer; None: the layer is empty until the bounds are made anew."""

    fixed_on: date
    key_from: int | None
    main_from: int | None
    potential_from: int | None

    def to_json(self) -> dict:
        return {
            "fixed_on": self.fixed_on.isoformat(),
            "key_from": self.key_from,
            "main_from": self.main_from,
            "potential_from": self.potential_from,
        }

    @classmethod
    def from_json(cls, told: dict) -> Bounds:
        return cls(date.fromisoformat(told["fixed_on"]), told["key_from"], told["main_from"], told["potential_from"])


class Concentration(NamedTuple):
    """How unequal spend is. All None without spend."""

    gini: float | None
    top20_share: float | None  # of spend, by the biggest fifth of buyers (rounded up)
    members_for_80_rate: float | None  # smallest share of buyers that brings 80 % of spend
    curve: list[tuple[float, float]]  # biggest first: share of buyers, share of spend; from (0, 0) to (1, 1)
    top20_from: int | None = None  # what the last one of the biggest fifth spent
    for_80_from: int | None = None  # what the last one of those who bring 80 % spent


def bounds(spend: np.ndarray, *, fixed_on: date, shares: tuple[float, ...] = SHARES) -> Bounds:
    """Bounds such that key holds at most the first share of buyers, key and main the first two, and so on.

    Rounded up, so that a small shop has a key member too. Equal spends are never parted: a tie that would overfill a
    layer falls into the next one. Nothing spent is always target.
    """
    found: list[int | None] = []
    for upto in (sum(shares[:1]), sum(shares[:2]), sum(shares[:3])):
        found.append(_from(spend, math.ceil(round(upto * spend.size, 9))))
    return Bounds(fixed_on, found[0], found[1], found[2])


def layers(spend: np.ndarray, bound: Bounds) -> np.ndarray:
    """0 key, 1 main, 2 potential, 3 target for each spend (int8)."""
    layer = np.full(spend.size, 3, dtype=np.int8)
    for number, low in ((2, bound.potential_from), (1, bound.main_from), (0, bound.key_from)):
        if low is not None:
            layer[spend >= low] = number
    return layer


def bonds(order_days: np.ndarray, window_days: np.ndarray, stage: np.ndarray) -> np.ndarray:
    """0 loyal, 1 drifting, 2 potential for each living member (int8), from what the member did and nothing else.

    order_days: days with a purchase ever. window_days: of these, within the window. stage: index into lifecycle.STAGES, -1 for
    members who never bought.
    """
    bond = np.full(order_days.size, 2, dtype=np.int8)
    bond[(order_days >= 2) & (window_days > 0)] = 1
    bond[stage == _STABLE] = 0
    return bond


def concentration(spend: np.ndarray, *, points: int = 50) -> Concentration:
    """The 20/80 curve and its figures. Spend below 0 counts as 0 (an order's net is never below 0 anyway)."""
    values = np.sort(np.maximum(spend, 0))
    count, total = values.size, int(values.sum())
    if count == 0 or total == 0:
        return Concentration(None, None, None, [])
    rank = np.arange(1, count + 1, dtype=np.float64)
    gini = 2.0 * float((rank * values).sum()) / (count * total) - (count + 1) / count
    running = np.concatenate(([0], np.cumsum(values[::-1])))
    top = -(-count // 5)
    need = int(np.searchsorted(running * 5, total * 4))
    at = np.unique(np.round(np.linspace(0, count, min(points, count) + 1)).astype(np.int64))
    curve = [(round(int(i) / count, 4), round(int(running[i]) / total, 4)) for i in at]
    return Concentration(
        round(gini, 4),
        round(int(running[top]) / total, 4),
        round(need / count, 4),
        curve,
        int(values[-top]),
        int(values[-need]),
    )


class Top(NamedTuple):
    share: float
    least: int  # what the last one of them spent


def top(spend: np.ndarray, percent: int) -> Top | None:
    """What the biggest `percent` per cent of buyers (rounded up) bring; None without spend."""
    values = np.sort(np.maximum(spend, 0))
    total = int(values.sum())
    if total == 0:
        return None
    count = -(-values.size * percent // 100)
    return Top(round(int(values[values.size - count :].sum()) / total, 4), int(values[-count]))


def top_share(spend: np.ndarray, percent: int) -> float | None:
    """The share of spend brought by the biggest `percent` per cent of buyers (rounded up); None without spend."""
    found = top(spend, percent)
    return found.share if found else None


def _from(spend: np.ndarray, allowed: int) -> int | None:
    """The smallest positive value such that at most `allowed` members have it or more."""
    positive = spend[spend > 0]
    if positive.size == 0 or allowed == 0:
        return None
    if positive.size <= allowed:
        return int(positive.min())
    ordered = np.sort(positive)[::-1]
    limit = int(ordered[allowed])  # the first one left out: whoever equals it is left out too
    above = ordered[:allowed][ordered[:allowed] > limit]
    return int(above[-1]) if above.size else None
