"""Made-up shops: customers who buy and leave just as a model says, so that the truth is known."""

from __future__ import annotations

import numpy as np

from shuke.engine.insight.clv.rows import Rows, group

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def flow(
    size: int,
    params: tuple[float, ...],
    *,
    modified: bool,
    k: int = 1,
    longest: float = 104.0,
    seed: int = 1,
    ahead: float = 0.0,
) -> tuple[Columns, np.ndarray]:
    """x, t_x, T of a BG-family shop at day grain, and each customer's purchases within `ahead` after T."""
    r, alpha, a, b = params
    draw = np.random.default_rng(seed)
    rate, leave = draw.gamma(r, 1 / alpha, size), draw.beta(a, b, size)
    T = np.ceil(draw.uniform(1.0, longest, size) * 7) / 7
    x, t_x, later, time = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    here = np.arange(size)
    if modified:
        here = here[draw.random(size) >= leave]
    while here.size:
        time[here] += draw.gamma(k, 1.0, here.size) / np.maximum(rate[here], 1e-300)
        here = here[time[here] <= T[here] + ahead]
        before = time[here] <= T[here]
        x[here[before]] += 1
        t_x[here[before]] = time[here[before]]
        later[here[~before]] += 1
        here = here[draw.random(here.size) >= leave[here]]
    return (x, np.minimum(np.maximum(np.ceil(t_x * 7) / 7, 0), T), T), later


def shop(size: int, params: tuple[float, ...], *, modified: bool = True, k: int = 1, seed: int = 1) -> Rows:
    return group(*flow(size, params, modified=modified, k=k, seed=seed)[0])


def pareto(
    size: int, params: tuple[float, ...], *, longest: float = 104.0, seed: int = 1, ahead: float = 0.0
) -> tuple[Columns, np.ndarray]:
    """As `flow`, for Pareto/NBD."""
    r, alpha, s, beta = params
    draw = np.random.default_rng(seed)
    rate, life = draw.gamma(r, 1 / alpha, size), draw.exponential(1.0, size) / draw.gamma(s, 1 / beta, size)
    T = np.ceil(draw.uniform(1.0, longest, size) * 7) / 7
    x = draw.poisson(rate * np.minimum(life, T))
    # The last of x moments spread evenly over the time lived.
    t_x = np.where(x > 0, np.minimum(life, T) * draw.random(size) ** (1 / np.maximum(x, 1)), 0.0)
    later = draw.poisson(rate * np.clip(life - T, 0.0, ahead))
    return (x.astype(np.float64), np.where(x > 0, np.minimum(np.ceil(t_x * 7) / 7, T), 0.0), T), later
