"""What a fit is: parameters with their errors, a verdict whether they can be used, and the weak prior behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from shuke.engine.insight.clv.climb import Top, climb_to_top

# The weak prior: each logarithm of a parameter is normal, around where the climb begins, with this deviation.
PRIOR_SD = 1.0
# A curvature below this, and a parameter could be e⁴ times as large or small with next to no loss.
_FLAT = 1e-3


class Verdict(NamedTuple):
    """Whether a fit can be used. `code` is sound, edge, flat or unfinished; the first two are usable."""

    usable: bool
    code: str
    says: str


SOUND = Verdict(True, "sound", "The top was found: the gradient is nothing and the curvature points down on all sides.")
EDGE_FOUND = Verdict(
    True,
    "edge",
    "The top lies at the edge for {names}: the data show hardly any of what it measures. Predictions hold.",
)
FLAT = Verdict(
    False,
    "flat",
    "The likelihood is flat in some direction: these data cannot tell the parameters apart. Use the prior.",
)
UNFINISHED = Verdict(False, "unfinished", "The climb stopped before the top. Do not use these parameters.")


class Surface(Protocol):
    names: tuple[str, ...]

    def start(self) -> np.ndarray: ...
    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]: ...


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model. `se` are standard errors (NaN where the curvature gives none); `theta` are the logarithms of `params`.

    `log_likelihood` is that of the data alone, without the prior. `hessian` is of what was maximised, by `theta`.
    `rise_left` is what a further step would still add: the gradient measured in the unit that matters.
    """

    model: str
    k: int
    names: tuple[str, ...]
    params: tuple[float, ...]
    se: tuple[float, ...]
    log_likelihood: float
    verdict: Verdict
    prior: bool
    customers: float
    rows: int
    theta: tuple[float, ...]
    centre: tuple[float, ...]
    hessian: tuple[tuple[float, ...], ...]
    rise_left: float
    evaluations: int

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "k": self.k,
            "params": dict(zip(self.names, self.params, strict=True)),
            "se": {n: (None if math.isnan(v) else v) for n, v in zip(self.names, self.se, strict=True)},
            "log_likelihood": self.log_likelihood,
            "verdict": {"usable": self.verdict.usable, "code": self.verdict.code, "says": self.verdict.says},
            "prior": self.prior,
            "customers": self.customers,
            "rows": self.rows,
            "rise_left": self.rise_left,
            "evaluations": self.evaluations,
        }


class Believed:
    """A likelihood with the weak prior on it."""

    def __init__(self, surface: Surface, centre: np.ndarray, sd: float) -> None:
        self.surface, self.centre, self.sd = surface, centre, sd

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.surface(theta)
        off = (theta - self.centre) / self.sd
        return value - 0.5 * float(off @ off), gradient - off / self.sd


def fitted(
    model: str,
    surface: Surface,
    *,
    prior: bool,
    customers: float,
    rows: int,
    k: int = 1,
    centre: np.ndarray | None = None,
    start: np.ndarray | None = None,
    hessian: np.ndarray | None = None,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
    floors: tuple[float, ...] = (),
) -> Fit:
    """Climb to the top and tell what was found. A parameter is exp(θ) plus its floor."""
    centre = surface.start() if centre is None else centre
    low, high = bounds if bounds is not None else (None, None)
    climbable = Believed(surface, centre, PRIOR_SD) if prior else surface
    top = climb_to_top(climbable, centre if start is None else start, hessian=hessian, low=low, high=high)
    return of_top(
        top, model, surface.names, prior=prior, customers=customers, rows=rows, k=k, centre=centre, floors=floors
    )


def of_top(
    top: Top,
    model: str,
    names: tuple[str, ...],
    *,
    prior: bool,
    customers: float,
    rows: int,
    k: int,
    centre: np.ndarray,
    floors: tuple[float, ...] = (),
    labels: tuple[str, ...] = (),
) -> Fit:
    """What was found at a top whose first θ are the logarithms of `names`. labels: of all θ, where there are more."""
    size = len(names)
    log_likelihood = top.value
    if prior:
        off = (top.theta - centre) / PRIOR_SD
        log_likelihood += 0.5 * float(off @ off)
    over = np.exp(top.theta[:size])
    return Fit(
        model,
        k,
        names,
        tuple(map(float, over + (np.array(floors) if floors else 0.0))),
        tuple(map(float, over * errors_of(top)[:size])),
        float(log_likelihood),
        _judged(top, labels or names),
        prior,
        customers,
        rows,
        tuple(map(float, top.theta[:size])),
        tuple(map(float, centre[:size])),
        tuple(tuple(map(float, line)) for line in top.hessian[:size, :size]),
        top.rise_left,
        top.evaluations,
    )


def errors_of(top: Top) -> np.ndarray:
    """Standard errors of the logarithms, from the curvature of those not held at the edge; NaN where it is flat."""
    errors = np.full(top.theta.size, np.nan)
    free = np.flatnonzero(~top.at_edge)
    if not free.size:
        return errors
    values, axes = np.linalg.eigh(-top.hessian[np.ix_(free, free)])
    if values[0] < -_FLAT:
        return errors  # not a top at all
    bent = values > _FLAT
    spread = ((axes[:, bent] ** 2) / values[bent]).sum(axis=1)
    lost = (axes[:, ~bent] ** 2).sum(axis=1) > 0.02
    errors[free] = np.where(lost, np.nan, np.sqrt(spread))
    return errors


def _judged(top: Top, names: tuple[str, ...]) -> Verdict:
    if not (np.isfinite(top.value) and np.isfinite(top.theta).all()) or top.rise_left > 1e-3:
        return UNFINISHED
    free = np.flatnonzero(~top.at_edge)
    if free.size:
        values, axes = np.linalg.eigh(-top.hessian[np.ix_(free, free)])
        flat = axes[:, values < _FLAT]
        # Where nobody is seen to leave, one parameter of leaving stands at its edge and the other says nothing any more: no loss.
        leaving = np.isin(free, (2, 3)) & bool(top.at_edge[2:4].any())
        if flat.size and not ((flat[leaving] ** 2).sum(axis=0) > 0.98).all():
            return FLAT
    if top.at_edge.any():
        held = ", ".join(name for name, edge in zip(names, top.at_edge, strict=True) if edge)
        return EDGE_FOUND._replace(says=EDGE_FOUND.says.format(names=held))
    return SOUND
