"""To the top of a log-likelihood with a known gradient, for a handful of parameters.

A trust-region method: the curvature is measured once by differences of the gradient, learned further from each step (SR1),
and measured again at the top. All parameters are logarithms, so that one unit of step means "a factor of e" in each.
Written here because it needs 30 evaluations where general optimisers need more, and SciPy's take 0.2 s to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EDGE = (
    12.0  # logarithms of parameters stay within ± this of where they start: beyond, nothing is distinguishable any more
)
Climbable = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Top(NamedTuple):
    theta: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray  # of the value; negative definite at a true top
    rise_left: float  # how much the value would still rise by a Newton step, as far as the curvature tells
    at_edge: np.ndarray  # bool: the parameter stands at its bound and wants beyond
    evaluations: int


def curvature(climb: Climbable, theta: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Second derivatives by central differences of the gradient: twice as many evaluations as parameters."""
    size = theta.size
    found = np.empty((size, size))
    for j in range(size):
        aside = np.zeros(size)
        aside[j] = step
        found[j] = (climb(theta + aside)[1] - climb(theta - aside)[1]) / (2 * step)
    return (found + found.T) / 2


def climb_to_top(
    climb: Climbable,
    start: np.ndarray,
    *,
    hessian: np.ndarray | None = None,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    tolerance: float = 1e-9,
    most_steps: int = 250,
) -> Top:
    """Climb from `start`; `hessian` is a first guess of the curvature (from a sample), else it is measured.

    `tolerance` is the rise still possible at which the top is reached, in units of the log-likelihood.
    """
    low = start - EDGE if low is None else low
    high = start + EDGE if high is None else high
    theta = np.clip(np.asarray(start, np.float64), low, high)
    value, gradient = climb(theta)
    evaluations, radius, measured = 1, 1.0, False
    if hessian is None:
        hessian, measured = curvature(climb, theta), True
        evaluations += 2 * theta.size
    noise = 1e-13 * max(1.0, abs(value))  # below this a difference of values is rounding
    for _step in range(most_steps):
        free = ~_held(theta, gradient, low, high)
        step, expected = _within(gradient, hessian, free, radius)
        if expected < max(tolerance, noise):
            if measured:
                break
            hessian, measured = curvature(climb, theta), True
            evaluations += 2 * theta.size
            radius = max(radius, 0.5)
            continue
        tried = np.clip(theta + step, low, high)
        step = tried - theta
        tried_value, tried_gradient = climb(tried)
        evaluations += 1
        good = np.isfinite(tried_value) and np.isfinite(tried_gradient).all()
        rise = tried_value - value if good else -np.inf
        if good:
            hessian = _learned(hessian, step, tried_gradient - gradient)
            measured = False
        length = float(np.sqrt(step @ step))
        if rise > 1e-4 * expected or (rise > -noise and expected < 100 * noise):
            if rise > 0.7 * expected and length > 0.8 * radius:
                radius = min(2 * radius, 4.0)
            theta, value, gradient = tried, tried_value, tried_gradient
        else:
            radius = 0.25 * length
            if radius < 1e-9:
                if measured:
                    break
                hessian, measured, radius = curvature(climb, theta), True, 0.1
                evaluations += 2 * theta.size
    if not measured:
        hessian = curvature(climb, theta)
        evaluations += 2 * theta.size
    held = _held(theta, gradient, low, high)
    left = _rise_left(gradient, hessian, ~held)
    return Top(theta, float(value), gradient, hessian, left, held, evaluations)


def _held(theta: np.ndarray, gradient: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return ((theta <= low) & (gradient <= 0)) | ((theta >= high) & (gradient >= 0))


def _within(gradient: np.ndarray, hessian: np.ndarray, free: np.ndarray, radius: float) -> tuple[np.ndarray, float]:
    """The best step of at most `radius` on the quadratic that gradient and curvature draw, and the rise it promises."""
    step = np.zeros(gradient.size)
    if not free.any():
        return step, 0.0
    g = gradient[free]
    values, axes = np.linalg.eigh(-hessian[np.ix_(free, free)])
    along = axes.T @ g
    most = max(float(np.abs(values).max()), 1e-300)

    def taken(shift: float) -> np.ndarray:
        bent = values + shift
        return np.where(bent > 0, along / np.where(bent > 0, bent, 1.0), 0.0)  # 0: flat and level, nowhere to go

    def length(shift: float) -> float:
        return float(np.sqrt((taken(shift) ** 2).sum()))

    shift = 0.0
    if values[0] <= 1e-12 * most or length(0.0) > radius:
        below = max(0.0, -float(values[0])) + 1e-12 * most
        above = below + float(np.sqrt(along @ along)) / radius + most * 1e-12
        for _halving in range(60):
            middle = np.sqrt(below * above)
            below, above = (middle, above) if length(middle) > radius else (below, middle)
            if above - below < 1e-3 * above:
                break
        shift = above
    along_axes = taken(shift)
    step[free] = axes @ along_axes
    return step, float(along @ along_axes - 0.5 * (values * along_axes * along_axes).sum())


def _learned(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Symmetric rank-one update: the curvature that explains how the gradient changed along the step."""
    surprise = change - hessian @ step
    scale = float(surprise @ step)
    if abs(scale) < 1e-8 * float(np.sqrt((step @ step) * (surprise @ surprise))) or scale == 0.0:
        return hessian
    return hessian + np.outer(surprise, surprise) / scale


def _rise_left(gradient: np.ndarray, hessian: np.ndarray, free: np.ndarray) -> float:
    if not free.any():
        return 0.0
    g, h = gradient[free], -hessian[np.ix_(free, free)]
    values, axes = np.linalg.eigh(h)
    along = axes.T @ g
    floor = 1e-12 * max(float(np.abs(values).max()), 1e-300)
    return float(0.5 * (along * along / np.maximum(np.abs(values), floor)).sum())
