"""Totals with a band: what all members, or a segment, will buy, and how wrong that may be.

A bootstrap alone is too sure of itself: above some 200 customers the error is the model and the season, not the sample. So the
band also carries the miss of the shop's own holdout.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from shuke.engine.insight.clv import predict
from shuke.engine.insight.clv.fit import fit
from shuke.engine.insight.clv.fitted import Fit
from shuke.engine.insight.clv.rows import Rows, group_with_places

DRAWS = 200
_EIGHTY = 1.2816  # of a normal: four of five lie within


class Band(NamedTuple):
    """Four of five times the truth should lie between low and high."""

    low: float
    expected: float
    high: float


def refits(told: Fit, rows: Rows, *, draws: int = DRAWS, seed: int = 1) -> list[Fit]:
    """Fits of `draws` shops drawn anew from this one, customer by customer, with the same prior; unusable ones are left out."""
    draw = np.random.default_rng(seed)
    share, size = rows.n / rows.n.sum(), round(rows.customers)
    found = []
    for _one in range(draws):
        counts = draw.multinomial(size, share)
        again = fit(
            rows.weighted(counts),
            told.model,
            k=told.k if told.model == "mbg_cnbd" else None,
            prior=told.prior,
            begin=told,
        )
        if again.verdict.usable:
            found.append(again)
    return found


def drawn_orders(
    told: Fit, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float, *, draws: int = DRAWS, seed: int = 1
) -> np.ndarray:
    """Orders within `horizon` of each kind of customer (columns, as `group_with_places` orders them) by each usable refit (rows)."""
    rows, _places = group_with_places(x, t_x, T)
    fits = refits(told, rows, draws=draws, seed=seed)
    each = [predict.expected_orders(one, rows.x, rows.t_x, rows.T, horizon) for one in fits]
    return np.array(each).reshape(len(fits), rows.x.size)


def expected_orders(
    told: Fit,
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    horizon: float,
    *,
    groups: np.ndarray | None = None,
    miss: float | None = None,
    worth: np.ndarray | None = None,
    jitter: float = 0.0,
    drawn: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> list[Band]:
    """A band of orders within `horizon` for each group of customers (`groups`: whole numbers from 0; None: all are one).

    miss: predicted over actual in the holdout (1.1: a tenth too high); None: not known, and the band is the sample's alone.
    Chance itself counts too: a customer expected to buy n times varies by n + n² as gamma-mixed counts do.
    worth: what an order of each customer is worth; the band is then one of money. jitter: how single orders of a customer vary
    around that, as variance over square (1 / p of Gamma-Gamma). drawn: what `drawn_orders` gave for the same columns and horizon.
    """
    rows, places = group_with_places(x, t_x, T)
    whose = np.zeros(places.size, dtype=np.int64) if groups is None else np.asarray(groups, np.int64)
    size = int(whose.max()) + 1 if whose.size else 0
    value = np.ones(places.size) if worth is None else np.asarray(worth, np.float64)
    cell = whose * rows.x.size + places
    counts, squares = (
        np.bincount(cell, weights=by, minlength=size * rows.x.size).reshape(size, rows.x.size)
        for by in (value, value * value)
    )

    each = predict.expected_orders(told, rows.x, rows.t_x, rows.T, horizon)
    middle, chance = counts @ each, squares @ (each * (1.0 + jitter) + each * each)
    if drawn is None:
        drawn = drawn_orders(told, x, t_x, T, horizon, draws=draws, seed=seed)
    sums = drawn @ counts.T
    bands = []
    for i in range(size):
        if middle[i] <= 0:
            bands.append(Band(0.0, 0.0, 0.0))
            continue
        logs = np.log(np.maximum(sums[:, i], 1e-12)) if sums.size else np.zeros(1)
        wide = (
            float(logs.var()) + float(chance[i]) / middle[i] ** 2 + (math.log(miss) ** 2 if miss and miss > 0 else 0.0)
        )
        reach = math.exp(_EIGHTY * math.sqrt(wide))
        bands.append(Band(float(middle[i] / reach), float(middle[i]), float(middle[i] * reach)))
    return bands
