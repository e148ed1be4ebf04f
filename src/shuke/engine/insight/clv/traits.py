"""Static covariates: how a channel, an acquisition or another lasting trait moves rate and leaving of customers.

A trait z changes the scales of the models (after Fader & Hardie 2007): α by e^(−γ z), so that γ > 0 buys more often; β of
Pareto/NBD by e^(−δ z), a of the BG family by e^(δ z), so that δ > 0 leaves sooner. Customers with equal traits are one segment,
and a segment is an ordinary fit with other scales.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shuke.engine.insight.clv import predict
from shuke.engine.insight.clv.climb import EDGE, climb_to_top
from shuke.engine.insight.clv.fit import checked_k, from_params, surface_of
from shuke.engine.insight.clv.fitted import PRIOR_SD, Believed, Fit, Surface, Verdict, errors_of, of_top
from shuke.engine.insight.clv.rows import BadRows, group

MOST_SEGMENTS = 500
MODELS = ("mbg_nbd", "bg_nbd", "pareto_nbd", "mbg_cnbd")


@dataclass(frozen=True, slots=True)
class TraitFit:
    """A fit with traits. `base` holds for customers whose traits are all 0.

    on_rate, on_leaving: one coefficient per trait in `names`, with standard errors (NaN where the curvature gives none).
    `base.se` are those of the joint fit.
    """

    base: Fit
    names: tuple[str, ...]
    on_rate: tuple[float, ...]
    on_leaving: tuple[float, ...]
    rate_se: tuple[float, ...]
    leaving_se: tuple[float, ...]
    log_likelihood: float
    verdict: Verdict

    def at(self, values: np.ndarray) -> Fit:
        """The fit of customers with these traits (one value each), good for predictions."""
        theta = _moved(
            np.array(self.base.theta), values, np.array(self.on_rate), np.array(self.on_leaving), self.base.model
        )
        params = dict(zip(self.base.names, np.exp(theta).tolist(), strict=True))
        return from_params(self.base.model, params, k=self.base.k if self.base.model == "mbg_cnbd" else None)

    def to_json(self) -> dict[str, Any]:
        parts = {name: getattr(self, name) for name in ("on_rate", "on_leaving", "rate_se", "leaving_se")}
        return self.base.to_json() | {
            name: {trait: None if value != value else value for trait, value in zip(self.names, one, strict=True)}
            for name, one in parts.items()
        }


def from_json(told: dict[str, Any]) -> TraitFit:
    """What `to_json` gave, good for predictions."""
    base = from_params(told["model"], told["params"], k=told["k"] if told["model"] == "mbg_cnbd" else None)
    names, unknown = tuple(told["on_rate"]), tuple([math.nan] * len(told["on_rate"]))
    rate, leaving = (tuple(float(told[part][name]) for name in names) for part in ("on_rate", "on_leaving"))
    return TraitFit(base, names, rate, leaving, unknown, unknown, told["log_likelihood"], base.verdict)


def names_in(columns: dict[str, np.ndarray], *, least: int = 1, most: int | None = None) -> tuple[str, ...]:
    """The traits that lie in columns: a column of numbers is one itself; of words, each but the commonest is one, as column=word.

    Customers of the commonest word have 0 in all of them: the others are told against these. So have those of a word that fewer
    than `least` have, or that is not among the `most` commonest.
    """
    found: list[str] = []
    for name, column in columns.items():
        if column.dtype.kind in "fiub":
            found.append(name)
            continue
        words, counts = np.unique(column, return_counts=True)
        order = np.argsort(-counts, kind="stable")[1:most]
        found += [f"{name}={words[i]}" for i in sorted(order.tolist()) if counts[i] >= least]
    return tuple(found)


def columns_of(names: tuple[str, ...]) -> list[str]:
    """The columns in which traits lie, each once."""
    return list(dict.fromkeys(name.partition("=")[0] for name in names))


def values_in(names: tuple[str, ...], columns: dict[str, np.ndarray]) -> np.ndarray:
    """One value (float64) per customer and trait. A word that is not among the names counts as the commonest one."""
    found = [
        np.asarray(columns[column] == word if parted else columns[column], np.float64)
        for column, parted, word in (name.partition("=") for name in names)
    ]
    return np.column_stack(found) if found else np.zeros((len(next(iter(columns.values()))), 0))


class _Joint:
    """The log-likelihood of all segments over (parameters, γ, δ), with its gradient."""

    def __init__(self, segments: list[tuple[np.ndarray, Surface]], model: str, traits: int) -> None:
        self.segments, self.model, self.traits = segments, model, traits
        self.names: tuple[str, ...] = segments[0][1].names

    def start(self) -> np.ndarray:
        weights = np.zeros(4)
        for _values, surface in self.segments:
            weights += surface.start()
        return np.concatenate((weights / len(self.segments), np.zeros(2 * self.traits)))

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        m = self.traits
        rate, leaving = theta[4 : 4 + m], theta[4 + m :]
        value, gradient = 0.0, np.zeros(theta.size)
        for values, surface in self.segments:
            one, slope = surface(_moved(theta[:4], values, rate, leaving, self.model))
            value += one
            gradient[:4] += slope
            gradient[4 : 4 + m] -= values * slope[1]
            gradient[4 + m :] += values * (-slope[3] if self.model == "pareto_nbd" else slope[2])
        return value, gradient


def _moved(theta: np.ndarray, values: np.ndarray, rate: np.ndarray, leaving: np.ndarray, model: str) -> np.ndarray:
    """The logarithms of a segment's parameters."""
    moved = theta.copy()
    moved[1] -= float(rate @ values)
    off = float(leaving @ values)
    if model == "pareto_nbd":
        moved[3] -= off
    else:
        moved[2] += off
    return moved


def fit(
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    values: np.ndarray,
    names: tuple[str, ...],
    model: str = "mbg_nbd",
    *,
    k: int | None = None,
    prior: bool = True,
) -> TraitFit:
    """Fit with traits: `values` has a row per customer and a column per name (0 and 1 for yes and no).

    Raises BadRows for more than 500 different combinations: a trait is a class of customers, not a measurement.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or values.shape != (np.size(x), len(names)) or not np.isfinite(values).all():
        raise BadRows("number", "Traits must be one number per customer and trait, none of them missing.")
    if model not in MODELS:
        raise BadRows("length", "BG/BB takes no traits; fit each group on its own.")
    k = checked_k(model, k)
    kinds, whose = np.unique(values, axis=0, return_inverse=True)
    whose = whose.ravel()
    if len(kinds) > MOST_SEGMENTS:
        raise BadRows(
            "length", "There are more than 500 different combinations of traits; put values into classes first."
        )
    segments: list[tuple[np.ndarray, Surface]] = []
    rows = 0
    for i, kind in enumerate(kinds):
        some = whose == i
        alike = group(x[some], t_x[some], T[some])
        rows += alike.x.size
        segments.append((kind, surface_of(alike, model, k)))
    joint = _Joint(segments, model, len(names))
    plain = surface_of(group(x, t_x, T), model, k)
    start = np.concatenate((plain.start(), np.zeros(2 * len(names))))
    climbable = Believed(joint, start, PRIOR_SD) if prior else joint
    top = climb_to_top(climbable, start, low=start - EDGE, high=start + EDGE)
    labels = (*plain.names, *(f"rate.{name}" for name in names), *(f"leaving.{name}" for name in names))
    base = of_top(
        top, model, plain.names, prior=prior, customers=float(np.size(x)), rows=rows, k=k, centre=start, labels=labels
    )
    errors, m = errors_of(top), len(names)
    return TraitFit(
        base,
        tuple(names),
        tuple(map(float, top.theta[4 : 4 + m])),
        tuple(map(float, top.theta[4 + m :])),
        tuple(map(float, errors[4 : 4 + m])),
        tuple(map(float, errors[4 + m :])),
        base.log_likelihood,
        base.verdict,
    )


def chance_to_buy(
    told: TraitFit, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, values: np.ndarray, horizon: float
) -> np.ndarray:
    """As `predict.chance_to_buy`, each customer by the own traits."""
    return _by_kind(told, values, lambda one, some: predict.chance_to_buy(one, x[some], t_x[some], T[some], horizon))


def expected_orders(
    told: TraitFit, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, values: np.ndarray, horizon: float
) -> np.ndarray:
    """As `predict.expected_orders`, each customer by the own traits."""
    return _by_kind(told, values, lambda one, some: predict.expected_orders(one, x[some], t_x[some], T[some], horizon))


def _by_kind(told: TraitFit, values: np.ndarray, of: Callable[[Fit, np.ndarray], np.ndarray]) -> np.ndarray:
    values = np.asarray(values, np.float64)
    kinds, whose = np.unique(values, axis=0, return_inverse=True)
    whose, found = whose.ravel(), np.zeros(len(values))
    for i, kind in enumerate(kinds):
        some = whose == i
        found[some] = of(told.at(kind), some)
    return found
