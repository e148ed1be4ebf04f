"""RFM: how lately, how often, for how much. Quintiles by fixed cut points, and the eight two-level classes.

Definitions and worked tables: docs/algorithms/rfm.md. Scoring is comparison with published cut points and nothing else, so
nobody moves because others moved; the cut points are made anew on one stated day of the month.

Everything here takes and gives numpy arrays, one element per member with at least one purchase; rows keep their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np

CLASSES = ("222", "212", "122", "112", "221", "211", "121", "111")


class Cuts(NamedTuple):
    """Cut points of one dimension. `steps` are the bounds of scores 2, 3, 4, 5; None is a score nobody can reach.

    For frequency and money a value reaches a score at or above its bound, for days since the last order at or below it.
    `two` divides high from low in the same direction; None: not enough to tell, everybody is low.
    """

    steps: tuple[float | None, float | None, float | None, float | None]
    two: float | None


@dataclass(frozen=True, slots=True)
class RfmCuts:
    """The published cut points of a shop. `own` are those the shop set by hand; they are not made anew."""

    fixed_on: date
    recency: Cuts
    frequency: Cuts
    money: Cuts
    own: bool = False

    def to_json(self) -> dict:
        return {
            "fixed_on": self.fixed_on.isoformat(),
            "r": list(self.recency.steps),
            "f": list(self.frequency.steps),
            "m": list(self.money.steps),
            "two": {"r": self.recency.two, "f": self.frequency.two, "m": self.money.two},
            "own": self.own,
        }

    @classmethod
    def from_json(cls, told: dict) -> RfmCuts:
        def one(key: str) -> Cuts:
            a, b, c, d = told[key]
            return Cuts((a, b, c, d), told["two"][key])

        return cls(date.fromisoformat(told["fixed_on"]), one("r"), one("f"), one("m"), bool(told.get("own")))


class Scores(NamedTuple):
    r5: np.ndarray  # int8, 1 (long ago) … 5 (lately)
    f5: np.ndarray  # int8, 1 (seldom) … 5 (often)
    m5: np.ndarray  # int8, 1 (little) … 5 (much)
    classes: np.ndarray  # int16: 222 … 111, R then F then M, 2 = high


def cut_points(days: np.ndarray, order_days: np.ndarray, net: np.ndarray, *, fixed_on: date) -> RfmCuts:
    """Cut points that divide these members into fifths, equal values always together.

    days: days since the last paid order, ≥ 0. order_days: days with a purchase, ≥ 1. net: net spend, minor units.
    The score of a value is 1 + whole fifths of all members that are worse; the two-level bound is the mean.
    """
    return RfmCuts(fixed_on, _cuts(days, falling=True), _cuts(order_days), _cuts(net))


def score(days: np.ndarray, order_days: np.ndarray, net: np.ndarray, cuts: RfmCuts) -> Scores:
    """Score members against published cut points. Arguments as for `cut_points`."""
    r5, r2 = _against(days, cuts.recency, falling=True)
    f5, f2 = _against(order_days, cuts.frequency)
    m5, m2 = _against(net, cuts.money)
    return Scores(r5, f5, m5, (r2 * 100 + f2 * 10 + m2).astype(np.int16))


class Tally(NamedTuple):
    """How many members fall where: per class, and per score 1 … 5 of each dimension."""

    classes: dict[str, int]
    r: tuple[int, int, int, int, int]
    f: tuple[int, int, int, int, int]
    m: tuple[int, int, int, int, int]


def tally(scores: Scores) -> Tally:
    """Count scored members: what cut points would make of them, before they are published."""

    def fifths(values: np.ndarray) -> tuple[int, int, int, int, int]:
        a, b, c, d, e = np.bincount(values, minlength=6)[1:6].tolist()
        return a, b, c, d, e

    classes = {code: int((scores.classes == int(code)).sum()) for code in CLASSES}
    return Tally(classes, fifths(scores.r5), fifths(scores.f5), fifths(scores.m5))


class BadCutPoints(ValueError):
    """Cut points that contradict themselves. `dimension` is r, f or m; `code` is incomplete or order."""

    def __init__(self, dimension: str, code: str, message: str) -> None:
        super().__init__(message)
        self.dimension, self.code = dimension, code


def check(cuts: RfmCuts) -> None:
    """Cut points a shop sets itself need all four steps and the two-level bound, and steps must not get easier.

    Raises BadCutPoints.
    """
    for dimension, one in (("r", cuts.recency), ("f", cuts.frequency), ("m", cuts.money)):
        steps = [step for step in one.steps if step is not None]
        name = dimension.upper()
        if len(steps) < 4 or one.two is None:
            raise BadCutPoints(
                dimension,
                "incomplete",
                f"{name} needs four steps, for scores 2 to 5, and the bound of high and low.",
            )
        sign = -1 if dimension == "r" else 1
        if any(sign * later < sign * earlier for earlier, later in pairwise(steps)):
            order = "fall: fewer days are better" if dimension == "r" else "rise"
            raise BadCutPoints(dimension, "order", f"The steps of {name} must {order}, and these do not: {steps}.")


def _cuts(values: np.ndarray, *, falling: bool = False) -> Cuts:
    if values.size == 0:
        return Cuts((None, None, None, None), None)
    seen, counts = np.unique(values, return_counts=True)
    mean = round(float(values.mean()), 4)
    if seen.size == 1:  # all alike: neither good nor bad, so everybody is in the middle, and low of two
        return Cuts((int(seen[0]), int(seen[0]), None, None), None)
    if falling:
        seen, counts = seen[::-1], counts[::-1]
    worse = np.cumsum(counts) - counts
    scores = worse * 5 // values.size + 1
    steps = [int(seen[i]) if (i := int(np.searchsorted(scores, s))) < seen.size else None for s in (2, 3, 4, 5)]
    return Cuts((steps[0], steps[1], steps[2], steps[3]), mean)


def _against(values: np.ndarray, cuts: Cuts, *, falling: bool = False) -> tuple[np.ndarray, np.ndarray]:
    reached = [_reaches(values, bound, falling) for bound in cuts.steps]
    fifths = np.ones(values.size, dtype=np.int8)
    for one in reached:
        fifths += one
    return fifths, _reaches(values, cuts.two, falling).astype(np.int16) + 1


def _reaches(values: np.ndarray, bound: float | None, falling: bool) -> np.ndarray:
    if bound is None:
        return np.zeros(values.size, dtype=np.int8)
    return (values <= bound if falling else values >= bound).astype(np.int8)
