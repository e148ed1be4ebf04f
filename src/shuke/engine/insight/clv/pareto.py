"""Pareto/NBD: customers buy at random and leave at a moment of their own, not only after a purchase.

Purchases are a Poisson process of rate λ ~ gamma(r, α); the life is exponential with rate μ ~ gamma(s, β).
Schmittlein, Morrison & Colombo 1987. With R = r + x the likelihood of a row is

    Γ(R)/Γ(r) · α^r · β^s · [ (α + T)^−R (β + T)^−s + s ∫ (α + y)^−R (β + y)^−(s+1) dy over t_x < y < T ]:

alive at the end, or gone at y. The usual way out is a difference of two ₂F₁, which loses its digits for frequent buyers and
has no gradient. The integral itself is positive and smooth: Gauss-Legendre points in a variable in which it falls evenly give
ten digits with 32 points, and the gradient is an average over the same points.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import exprel

from shuke.engine.insight.clv.rows import Rows
from shuke.engine.insight.clv.special import running_inverse, running_log

NAMES = ("r", "alpha", "s", "beta")
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_POINTS, _WEIGHTS = (_POINTS + 1) / 2, _WEIGHTS / 2
_FALLS = 32.0  # e-foldings after which the rest of the integral is nothing
_BLOCK = 4096


class Left(NamedTuple):
    """ln of ∫ (α + y)^−R (β + y)^−(s+1) dy, and averages under it."""

    log: np.ndarray
    log_alpha: np.ndarray  # of ln(α + y)
    log_beta: np.ndarray
    over_alpha: np.ndarray  # of 1 / (α + y)
    over_beta: np.ndarray


def _left(
    big: np.ndarray, alpha: np.ndarray | float, s: float, beta: np.ndarray | float, begin: np.ndarray, end: np.ndarray
) -> Left:
    found = np.empty((5, big.size))
    alpha, beta = np.broadcast_to(alpha, big.shape), np.broadcast_to(beta, big.shape)
    for at in range(0, big.size, _BLOCK):
        p = slice(at, at + _BLOCK)
        found[:, p] = _left_block(big[p], alpha[p], s, beta[p], begin[p], end[p])
    return Left(*found)


def _left_block(
    big: np.ndarray, alpha: np.ndarray, s: float, beta: np.ndarray, begin: np.ndarray, end: np.ndarray
) -> np.ndarray:
    a0, b0 = alpha + begin, beta + begin
    # The integrand falls like (c + y)^−(w + 1) at its beginning; in u = ln(c + y) it is all but an exponential.
    w = big + s
    c0 = (w + 1.0) / (big / a0 + (s + 1.0) / b0)
    reach = np.log1p((end - begin) / c0)
    range_ = np.minimum(reach, _FALLS / w)
    with np.errstate(divide="ignore"):
        log_range = np.log(range_)
    u = range_[:, None] * _POINTS
    y = c0[:, None] * np.expm1(u)  # counted from the beginning
    log_a, log_b = np.log1p(y / a0[:, None]), np.log1p(y / b0[:, None])
    # Never above 1: the integrand itself never rises, and c + y grows slower than it falls, at first alike.
    height = np.exp(u - big[:, None] * log_a - (s + 1.0) * log_b) * _WEIGHTS
    mass = height.sum(axis=1)
    height /= mass[:, None]
    log_a0, log_b0 = np.log(a0), np.log(b0)
    log_mass = np.log(mass) + log_range + np.log(c0) - big * log_a0 - (s + 1.0) * log_b0
    return np.array(
        [
            log_mass,
            log_a0 + (height * log_a).sum(axis=1),
            log_b0 + (height * log_b).sum(axis=1),
            (height / (a0[:, None] + y)).sum(axis=1),
            (height / (b0[:, None] + y)).sum(axis=1),
        ]
    )


class Surface:
    """The log-likelihood of grouped rows over (ln r, ln α, ln s, ln β), with its gradient.

    `by_row` gives the derivatives by ln α and ln β of each row too: covariates scale those.
    """

    names: tuple[str, ...] = NAMES

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.x = rows.x.astype(np.int64)
        self.most = int(self.x.max())

    def start(self) -> np.ndarray:
        rows = self.rows
        time = float(rows.n @ rows.T)
        rate = max(float(rows.n @ rows.x), 0.5) / time if time > 0 else 1.0
        return np.log([0.5, 0.5 / rate, 0.6, max(0.4 * time / rows.customers, 1e-3)])

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, shape, scale = self.by_row(*np.exp(theta))
        n = self.rows.n
        return float(n @ value), np.array([n @ shape[0], n @ scale[0], n @ shape[1], n @ scale[1]])

    def by_row(
        self, r: float, alpha: np.ndarray | float, s: float, beta: np.ndarray | float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-likelihood of each row; its derivatives by ln r and ln s; by ln α and ln β."""
        rows = self.rows
        big = r + rows.x
        left = _left(big, alpha, s, beta, rows.t_x, rows.T)
        log_aT, log_bT = np.log(alpha + rows.T), np.log(beta + rows.T)
        lived = -big * log_aT - s * log_bT
        gone = math.log(s) + left.log
        with np.errstate(invalid="ignore"):  # parameters beyond all bounds: the climb turns back there
            both = np.logaddexp(lived, gone)
        dead = np.exp(gone - both)
        alive = 1.0 - dead
        log_alpha, log_beta = np.log(alpha), np.log(beta)
        value = running_log(r, self.most)[self.x] + r * log_alpha + s * log_beta + both
        with np.errstate(invalid="ignore"):
            shape = np.array(
                [
                    running_inverse(r, self.most)[self.x] + log_alpha - alive * log_aT - dead * left.log_alpha,
                    log_beta - alive * log_bT + dead * (1.0 / s - left.log_beta),
                ]
            )
            scale = np.array(
                [
                    r / alpha - big * (alive / (alpha + rows.T) + dead * left.over_alpha),
                    s / beta - s * alive / (beta + rows.T) - (s + 1.0) * dead * left.over_beta,
                ]
            )
        return value, shape * np.array([[r], [s]]), np.array([scale[0] * alpha, scale[1] * beta])


# ---- what follows from the parameters --------------------------------------------------------------------------------


def p_alive(params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """The chance that the customer has not left."""
    r, alpha, s, beta = params
    big = r + x
    lived = -big * np.log(alpha + T) - s * np.log(beta + T)
    gone = math.log(s) + _left(big, alpha, s, beta, t_x, T).log
    return np.exp(lived - np.logaddexp(lived, gone))


def chance_to_buy(
    params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float
) -> np.ndarray:
    """The chance of at least one purchase in (T, T + horizon]: alive, and neither silent through nor gone while silent."""
    r, alpha, s, beta = params
    alive = p_alive(params, x, t_x, T)
    big = r + x
    silent = -big * np.log1p(horizon / (alpha + T)) - s * np.log1p(horizon / (beta + T))
    scale = big * np.log(alpha + T) + s * np.log(beta + T)
    left = math.log(s) + scale + _left(big, alpha, s, beta, T, T + horizon).log
    return alive * np.clip(-np.expm1(np.logaddexp(silent, left)), 0.0, 1.0)


def expected_orders(
    params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float
) -> np.ndarray:
    """Purchases expected in (T, T + horizon]: R (β + T) / ((α + T)(s − 1)) · [1 − ((β + T)/(β + T + horizon))^(s−1)]."""
    r, alpha, s, beta = params
    logged = np.log1p(horizon / (beta + T))
    lasting = logged * exprel(-(s - 1.0) * logged)  # the bracket over s − 1, also where s is 1
    return p_alive(params, x, t_x, T) * (r + x) * (beta + T) / (alpha + T) * lasting
