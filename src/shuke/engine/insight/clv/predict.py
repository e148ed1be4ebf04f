"""What a fitted model says of customers: the chance to buy within a time, and the purchases to expect.

Columns x, t_x, T as in `rows.Rows`, in any order and not grouped; the horizon in the same unit of time. Equal customers are
computed once. The chance that a customer is "alive" is here for comparisons with other software: do not show it, it ranks
next buyers worse than the chance to buy does, for BG/NBD worse than a coin (docs/algorithms/clv.md).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shuke.engine.insight.clv import bg, bgbb, pareto
from shuke.engine.insight.clv.fitted import Fit
from shuke.engine.insight.clv.rows import group_with_places


def chance_to_buy(fit: Fit, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float) -> np.ndarray:
    """The chance (float64) that each customer buys at least once within `horizon` after T."""
    return _by_group(x, t_x, T, lambda *row: _rows(fit, "chance_to_buy", *row, horizon))


def expected_orders(fit: Fit, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float) -> np.ndarray:
    """Days with a purchase (float64) to expect of each customer within `horizon` after T."""
    return _by_group(x, t_x, T, lambda *row: _rows(fit, "expected_orders", *row, horizon))


def p_alive(fit: Fit, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """The chance (float64) that each customer has not left at T; for bg_bb, at the occasion after T. Not for showing."""
    return _by_group(x, t_x, T, lambda *row: _rows(fit, "p_alive", *row))


def expected_of_new(fit: Fit, times: np.ndarray) -> np.ndarray:
    """Repeat purchases (float64) to expect of a customer within each of `times` after the first purchase."""
    none = np.zeros(1)
    return np.array([float(_rows(fit, "expected_orders", none, none, none, float(t))[0]) for t in np.asarray(times)])


def expected_in_all(fit: Fit, ages: np.ndarray, n: np.ndarray | None = None) -> float:
    """Repeat purchases a model expects up to now of customers of these ages, n of each: to lay beside those that came."""
    ages = np.asarray(ages, np.float64)
    seen, where = np.unique(ages, return_inverse=True)
    counts = np.bincount(where, weights=np.ones(ages.size) if n is None else n)
    return float(counts @ expected_of_new(fit, seen))


def _by_group(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, of: Callable[..., np.ndarray]) -> np.ndarray:
    if np.asarray(x).size == 0:
        return np.zeros(0)
    rows, places = group_with_places(x, t_x, T)
    return of(rows.x, rows.t_x, rows.T)[places]


def _rows(fit: Fit, asked: str, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, *horizon: float) -> np.ndarray:
    if horizon and horizon[0] <= 0:
        return np.zeros(x.size)
    if fit.model == "pareto_nbd":
        return getattr(pareto, asked)(fit.params, x, t_x, T, *horizon)
    if fit.model == "bg_bb":
        return getattr(bgbb, asked)(fit.params, x, t_x, T, *horizon)
    return getattr(bg, asked)(fit.params, x, t_x, T, *horizon, modified=fit.model != "bg_nbd", k=fit.k)
