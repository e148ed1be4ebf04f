"""Whether knowing by which channel and how customers came makes a shop's forecast of orders better, tried on its own past.

    report = holdout.try_models(seen, …)
    found = tried(seen, {"channel": words, "acquisition": words}, report)   # None: everybody came alike, or hardly anybody otherwise
    orders = expected_orders(told, own, found["names"], report.model, report.k, horizon)

It has to be earned as any other form of the model: an error at least 2 % smaller, with total and best fifth as good. Chances to
buy are tested on their own and know nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shuke.engine.insight.clv import holdout, traits
from shuke.engine.insight.clv.history import Summary, Visits, Window, summary_of
from shuke.engine.insight.clv.rows import BadRows

LEAST_OF_A_CLASS = 50  # customers: fewer stand with the commonest class
MOST_CLASSES = 10  # of one column, the commonest ones
SUFFIX = "_traits"

Own = Mapping[str, np.ndarray]  # a word for each of the customers of a history, by column


def tried(seen: Visits, own: Own, report: holdout.Report) -> dict[str, Any] | None:
    """JSON-ready: {"names", "earned", "scored": as `holdout.Scored`, "on_rate", "on_leaving"} by what was known at the cut."""
    told = summary_of(seen, end=report.begin)
    known = _of(own, seen.customers, told)
    names = traits.names_in(known, least=LEAST_OF_A_CLASS, most=MOST_CLASSES)
    if not names:
        return None
    found = _fitted(told, known, names, report.model, report.k)
    if found is None:
        return None
    came = Window(seen, told.customer, begin=report.begin, end=report.end)
    horizon = (report.end - report.begin) / told.unit
    orders = traits.expected_orders(found, told.x, told.t_x, told.T, traits.values_in(names, known), horizon)
    usual = report.methods[0]
    scored = holdout.score(usual.name + SUFFIX, orders, came, None)
    return {
        "names": list(names),
        "earned": report.gate.earned and holdout.nearer(scored, usual),
        "scored": scored._asdict(),
        "on_rate": dict(zip(names, found.on_rate, strict=True)),
        "on_leaving": dict(zip(names, found.on_leaving, strict=True)),
    }


def expected_orders(
    told: Summary, customers: np.ndarray, own: Own, names: tuple[str, ...], model: str, k: int, horizon: float
) -> np.ndarray | None:
    """Days with a purchase within `horizon` of each customer of `told`, by traits; None where no such fit is usable.

    customers: whom `own` has a word for, ascending.
    """
    known = _of(own, customers, told)
    found = _fitted(told, known, names, model, k)
    if found is None:
        return None
    return traits.expected_orders(found, told.x, told.t_x, told.T, traits.values_in(names, known), horizon)


def _of(own: Own, customers: np.ndarray, told: Summary) -> dict[str, np.ndarray]:
    at = np.searchsorted(customers, told.customer)
    return {name: words[at] for name, words in own.items()}


def _fitted(
    told: Summary, known: dict[str, np.ndarray], names: tuple[str, ...], model: str, k: int
) -> traits.TraitFit | None:
    values = traits.values_in(names, known)
    try:
        found = traits.fit(told.x, told.t_x, told.T, values, names, model, k=k if model == "mbg_cnbd" else None)
    except BadRows:
        return None
    return found if found.verdict.usable else None
