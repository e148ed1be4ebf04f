"""Fitting a model of purchases to grouped customers."""

from __future__ import annotations

import math

import numpy as np

from shuke.engine.insight.clv import bg, bgbb, pareto
from shuke.engine.insight.clv.climb import EDGE
from shuke.engine.insight.clv.fitted import SOUND, Fit, Surface, fitted
from shuke.engine.insight.clv.rows import Rows

MODELS = ("mbg_nbd", "bg_nbd", "pareto_nbd", "mbg_cnbd", "bg_bb")
MOST_K = 4
SAMPLE = 20_000  # rows: beyond three times this, a fit of a sample says where to begin


class BadModel(ValueError):
    """A model or k that does not exist. The message says which do."""


def names_of(model: str) -> tuple[str, ...]:
    """The parameters of a model, in order."""
    if model not in MODELS:
        raise BadModel(f"There is no model {model!r}; there are {', '.join(MODELS)}.")
    return {"pareto_nbd": pareto.NAMES, "bg_bb": bgbb.NAMES}.get(model, bg.NAMES)


def checked_k(model: str, k: int | None) -> int:
    """k of a model: 2 where mbg_cnbd is asked for without one, 1 for all others."""
    if model != "mbg_cnbd":
        if k not in (None, 1):
            raise BadModel(f"k belongs to mbg_cnbd; {model} has none.")
        return 1
    k = 2 if k is None else k
    if not 1 <= k <= MOST_K:
        raise BadModel(f"k is a whole number from 1 to {MOST_K}, not {k}.")
    return k


def surface_of(rows: Rows, model: str, k: int) -> Surface:
    names_of(model)
    if model == "pareto_nbd":
        return pareto.Surface(rows)
    if model == "bg_bb":
        return bgbb.Surface(rows)
    return bg.Surface(rows, modified=model != "bg_nbd", k=k)


def fit(
    rows: Rows,
    model: str = "mbg_nbd",
    *,
    k: int | None = None,
    prior: bool = True,
    seed: int = 1,
    begin: Fit | None = None,
) -> Fit:
    """Fit `model` to grouped rows by maximum likelihood, or with the weak prior by maximum a posteriori.

    k: regularity of mbg_cnbd, 1 to 4 (default 2). begin: a fit to start from (yesterday's), with its prior's centre.
    Large inputs are fitted on a sample of rows first (`seed`), then on all of them from there.
    """
    k = checked_k(model, k)
    surface = surface_of(rows, model, k)
    centre = surface.start() if begin is None else np.array(begin.centre)
    bounds = (surface.start() - EDGE, surface.start() + EDGE)
    start, hessian = (None if begin is None else np.array(begin.theta)), None
    if begin is not None and begin.hessian:
        hessian = np.array(begin.hessian) * (rows.customers / begin.customers)
    elif begin is None and rows.x.size > 3 * SAMPLE:
        some = _sampled(rows, seed)
        first = fitted(
            model,
            surface_of(some, model, k),
            prior=prior,
            customers=some.customers,
            rows=some.x.size,
            centre=centre,
            bounds=bounds,
        )
        start, hessian = np.array(first.theta), np.array(first.hessian) * (rows.customers / some.customers)
    return fitted(
        model,
        surface,
        prior=prior,
        customers=rows.customers,
        rows=rows.x.size,
        k=k,
        centre=centre,
        start=start,
        hessian=hessian,
        bounds=bounds,
    )


def from_params(model: str, params: dict[str, float], *, k: int | None = None) -> Fit:
    """A fit as known from elsewhere (published, or kept): good for predictions, with no errors of its own."""
    names = names_of(model)
    if set(params) != set(names) or not all(math.isfinite(v) and v > 0 for v in params.values()):
        raise BadModel(f"{model} has the parameters {', '.join(names)}, all above 0.")
    values = tuple(float(params[name]) for name in names)
    theta = tuple(map(math.log, values))
    unknown = tuple([math.nan] * len(names))
    return Fit(
        model, checked_k(model, k), names, values, unknown, math.nan, SOUND, False, 0.0, 0, theta, theta, (), 0.0, 0
    )


def _sampled(rows: Rows, seed: int) -> Rows:
    """Some 20,000 rows, drawn as customers are: the common ones with their counts, the rare ones by chance."""
    draws = np.random.default_rng(seed).choice(rows.x.size, SAMPLE, p=rows.n / rows.n.sum())
    return rows.weighted(np.bincount(draws, minlength=rows.x.size).astype(np.float64))
