"""How near a prediction came: error, order, concentration, and whether stated chances come true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Tenth(NamedTuple):
    """One tenth of the customers, from those expected to do most to those expected to do least."""

    customers: int
    predicted: float  # mean
    actual: float  # mean


class Calibration(NamedTuple):
    """Whether chances come true. `worst` is the widest gap of a tenth with enough customers to tell."""

    auc: float | None  # how surely a buyer is ranked before a non-buyer; None where all or none bought
    brier: float
    base_brier: float  # of saying the mean to everybody
    worst: float
    tenths: tuple[Tenth, ...]


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean rank."""
    _seen, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((2 * last - counts + 1) / 2)[where]


def spearman(predicted: np.ndarray, actual: np.ndarray) -> float | None:
    """Correlation of ranks; None where one side is all alike."""
    if predicted.size < 2 or np.ptp(predicted) == 0 or np.ptp(actual) == 0:
        return None
    return float(np.corrcoef(ranks(predicted), ranks(actual))[0, 1])


def auc(predicted: np.ndarray, happened: np.ndarray) -> float | None:
    """How often somebody who did ranks before somebody who did not; a tie counts half. None where there are not both."""
    yes = int(happened.sum())
    no = happened.size - yes
    if yes == 0 or no == 0:
        return None
    return float((ranks(predicted)[happened.astype(bool)].sum() - yes * (yes + 1) / 2) / (yes * no))


def gini_by(order: np.ndarray, actual: np.ndarray) -> float:
    """Gini of `actual` with customers put in the order of another column; equal ones share what they have."""
    total = float(actual.sum())
    if total <= 0 or actual.size < 2:
        return 0.0
    _seen, where, counts = np.unique(-order, return_inverse=True, return_counts=True)
    shared = (np.bincount(where, weights=actual) / counts)[where]
    ranked = shared[np.argsort(-order, kind="stable")]
    # Area between the curve and the diagonal, over what it could be at most.
    curve = np.cumsum(ranked) / total
    return float(2 * curve.sum() / actual.size - 1 - 1 / actual.size)


def normalised_gini(predicted: np.ndarray, actual: np.ndarray) -> float | None:
    """How much of the concentration of `actual` the prediction's order finds: 1 all, 0 none, below 0 worse than chance."""
    best = gini_by(actual, actual)
    return None if best <= 0 else gini_by(predicted, actual) / best


def capture(predicted: np.ndarray, actual: np.ndarray, share: float = 0.2) -> float | None:
    """The share of `actual` brought by the best-predicted fifth; of equals at its edge as many as fit, averaged."""
    total = float(actual.sum())
    if total <= 0:
        return None
    _seen, where, counts = np.unique(-predicted, return_inverse=True, return_counts=True)
    each = np.bincount(where, weights=actual)
    room = share * predicted.size
    before = np.cumsum(counts) - counts
    taken = np.clip((room - before) / counts, 0.0, 1.0)
    return float((taken * each).sum() / total)


def tenths(predicted: np.ndarray, actual: np.ndarray) -> tuple[Tenth, ...]:
    """Ten parts by what was predicted, highest first, with the means of both; fewer where there are fewer customers."""
    order = np.argsort(-predicted, kind="stable")
    parts = [part for part in np.array_split(order, 10) if part.size]
    return tuple(Tenth(part.size, float(predicted[part].mean()), float(actual[part].mean())) for part in parts)


def calibration(chance: np.ndarray, bought: np.ndarray, *, least: int = 50) -> Calibration:
    """Lay stated chances beside what happened (0 or 1). Tenths with fewer than `least` customers do not make `worst`."""
    bought = bought.astype(np.float64)
    parts = tenths(chance, bought)
    gaps = [abs(part.predicted - part.actual) for part in parts if part.customers >= least]
    base = float(bought.mean())
    return Calibration(
        auc(chance, bought),
        float(((chance - bought) ** 2).mean()),
        base * (1 - base),
        max(gaps, default=0.0),
        parts,
    )
