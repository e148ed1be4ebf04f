"""The facts of docs/algorithms/clv.md, computed: each answers the figures of one line of the table, in its order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from shuke.engine.insight import pyramid
from shuke.engine.insight.clv import bg, history, pareto, predict, spend, traits
from shuke.engine.insight.clv.fit import fit, from_params
from shuke.engine.insight.clv.fitted import Fit
from tests.engine.insight.clv import data

WEEKS = 39


@lru_cache(maxsize=1)
def summary() -> history.Summary:
    return history.summary_of(data.cdnow().visits(), end=data.CDNOW_END)


@lru_cache(maxsize=4)
def cdnow(model: str) -> Fit:
    return fit(summary().rows(), model, prior=False)


@lru_cache(maxsize=2)
def cdnow_later(model: str) -> Fit:
    """To the first of October: a day longer than the papers, as CLVTools splits."""
    return fit(history.summary_of(data.cdnow().visits(), end=data.CDNOW_END + 1).rows(), model, prior=False)


@lru_cache(maxsize=1)
def donors() -> Fit:
    return fit(data.donations(), "bg_bb", prior=False)


@lru_cache(maxsize=1)
def cents() -> Fit:
    repeats, mean = data.cdnow_means()
    return spend.fit(repeats, np.where(repeats > 0, mean, 0.0), prior=False)


@lru_cache(maxsize=3)
def outfitter(model: str) -> Fit:
    told = history.summary_of(data.apparel()[0].visits(), end=data.day("2006-12-31"))
    return fit(told.rows(), model, prior=False)


def concentrated(orders: data.Orders) -> list[float]:
    spend = (history.summary(*orders).spend * 100).round().astype(np.int64)
    gini, share = pyramid.concentration(spend).gini, pyramid.top_share(spend, 20)
    assert gini is not None
    assert share is not None
    return [gini, share]


def level(one: Fit) -> list[float]:
    return [one.log_likelihood]


def row(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([float(value)]) for value in values)


def ahead(model: str, *values: float) -> float:
    return float(predict.expected_orders(cdnow(model), *row(*values[:3]), values[3])[0])


def still(model: str, *values: float) -> float:
    return float(predict.p_alive(cdnow(model), *row(*values))[0])


def paradox(told: Fit) -> list[float]:
    frequent = np.array([10.0, 15.0, 20.0, 25.0])
    return predict.expected_orders(told, frequent, np.full(4, 20.0), np.full(4, 39.0), 52).tolist()


def holdout(model: str) -> tuple[np.ndarray, np.ndarray]:
    told = summary()
    came = history.Window(data.cdnow().visits(), told.customer, begin=data.CDNOW_END, end=data.CDNOW_END + 7 * WEEKS)
    return predict.expected_orders(cdnow(model), told.x, told.t_x, told.T, WEEKS), came.orders


def misses(model: str) -> list[float]:
    expected, came = holdout(model)
    return [float(np.abs(expected - came).mean()), float(np.corrcoef(expected, came)[0, 1])]


def by_frequency(values: np.ndarray) -> list[float]:
    group = np.minimum(summary().x, 7)
    return [float(values[group == i].mean()) for i in range(8)]


def donor(what: str) -> list[float]:
    one = donors()
    if what == "alive":
        x, t_x = np.array([0.0, 2.0, 6.0]), np.array([0.0, 4.0, 6.0])
        return predict.p_alive(one, x, t_x, np.full(3, 6.0)).tolist()
    x, t_x = np.array([0.0, 4.0]), np.array([0.0, 5.0])
    return predict.expected_orders(one, x, t_x, np.full(2, 6.0), 10).tolist()


def outfitter_spend() -> Fit:
    """Repeats only, as CLVTools has it: the first order of each customer set aside."""
    seen = data.apparel()[0].visits()
    upto = seen.day <= data.day("2006-12-31")
    whom, amount = seen.customer[upto], seen.amount[upto]
    repeat = np.append(False, whom[1:] == whom[:-1])
    count = np.bincount(whom[repeat], minlength=seen.customers.size)
    total = np.bincount(whom[repeat], weights=amount[repeat], minlength=seen.customers.size)
    return spend.fit(count, total / np.maximum(count, 1), prior=False)


@lru_cache(maxsize=1)
def outfitter_traits() -> traits.TraitFit:
    orders, told = data.apparel()
    seen = history.summary_of(orders.visits(), end=data.day("2006-12-31"))
    assert (seen.customer == told[:, 0]).all()
    return traits.fit(seen.x, seen.t_x, seen.T, told[:, 1:], ("Gender", "Channel"), "pareto_nbd", prior=False)


BTYD_STOP = from_params("pareto_nbd", {"r": 0.5533586, "alpha": 10.579516, "s": 0.6059007, "beta": 11.657610})
ROUNDED = (0.243, 4.414, 0.793, 2.426)
TIMES = np.array([0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0])
LEVELS = {
    "bg": lambda: level(cdnow("bg_nbd")), "pareto": lambda: level(cdnow("pareto_nbd")),
    "mbg": lambda: level(cdnow("mbg_nbd")), "bgbb": lambda: level(donors()),
}  # fmt: skip
FACTS = {
    "BG/NBD r, α, a, b": lambda: list(cdnow("bg_nbd").params),
    "BG/NBD log-likelihood": LEVELS["bg"],
    "BG/NBD standard errors": lambda: list(cdnow("bg_nbd").se),
    "Pareto/NBD r, α, s, β": lambda: list(cdnow("pareto_nbd").params),
    "Pareto/NBD log-likelihood": LEVELS["pareto"],
    "Pareto/NBD standard errors": lambda: list(cdnow("pareto_nbd").se),
    "MBG/NBD r, α, a, b": lambda: list(cdnow("mbg_nbd").params),
    "MBG/NBD log-likelihood": LEVELS["mbg"],
    "Gamma-Gamma p, q, γ": lambda: list(cents().params),
    "Gamma-Gamma mean of all": lambda: [spend.shop_mean(cents())],
    "Gamma-Gamma means, customers 1 to 10": lambda: spend.expected_order_value(
        cents(), *(column[:10] for column in data.cdnow_means())
    ).tolist(),
    "BG/NBD expected, x 2, t_x 30.43, T 38.86, 39 weeks": lambda: [ahead("bg_nbd", 2, 30.43, 38.86, 39)],
    "BG/NBD alive, the same": lambda: [still("bg_nbd", 2, 30.43, 38.86)],
    "BG/NBD E[X(t)], t .1429 1 3 31.8571 32 78": lambda: predict.expected_of_new(cdnow("bg_nbd"), TIMES).tolist(),
    "BG/NBD P(X(39) = 0)": lambda: [bg.chance_of_count(ROUNDED, 0, 39.0, modified=False)],
    "BG/NBD P(X(2) = 10)": lambda: [bg.chance_of_count(ROUNDED, 10, 2.0, modified=False)],
    "BG/NBD customer 1516, 52 weeks": lambda: [ahead("bg_nbd", 26, 216 / 7, 31, 52)],
    "BG/NBD customer 1516 alive": lambda: [still("bg_nbd", 26, 216 / 7, 31)],
    "Pareto/NBD customer 1516, 52 weeks": lambda: [ahead("pareto_nbd", 26, 216 / 7, 31, 52)],
    "Pareto/NBD customer 1516 alive": lambda: [still("pareto_nbd", 26, 216 / 7, 31)],
    "new customer, 52 weeks: BG/NBD, Pareto/NBD": lambda: [
        float(predict.expected_of_new(cdnow(model), np.array([52.0]))[0]) for model in ("bg_nbd", "pareto_nbd")
    ],
    "BG/NBD paradox, x 10 15 20 25": lambda: paradox(cdnow("bg_nbd")),
    "Pareto/NBD paradox, x 10 15 20 25": lambda: paradox(cdnow("pareto_nbd")),
    "Pareto/NBD paradox where BTYD stopped": lambda: paradox(BTYD_STOP),
    "holdout, orders that came": lambda: [float(holdout("bg_nbd")[1].sum())],
    "holdout sums: BG/NBD, Pareto/NBD, MBG/NBD": lambda: [
        float(holdout(model)[0].sum()) for model in ("bg_nbd", "pareto_nbd", "mbg_nbd")
    ],
    "holdout MAE and correlation, BG/NBD": lambda: misses("bg_nbd"),
    "holdout MAE and correlation, Pareto/NBD": lambda: misses("pareto_nbd"),
    "holdout MAE and correlation, MBG/NBD": lambda: misses("mbg_nbd"),
    "holdout by repeats 0 … 7+, came": lambda: by_frequency(holdout("bg_nbd")[1]),
    "holdout by repeats 0 … 7+, BG/NBD": lambda: by_frequency(holdout("bg_nbd")[0]),
    "BG/BB α, β, γ, δ": lambda: list(donors().params),
    "BG/BB log-likelihood": LEVELS["bgbb"],
    "BG/BB alive next year, (x, t_x) (0,0) (2,4) (6,6)": lambda: donor("alive"),
    "BG/BB 10 years ahead, (0,0) (4,5)": lambda: donor("expected"),
    "CDNOW a day longer, Pareto/NBD r, α, s, β": lambda: list(cdnow_later("pareto_nbd").params),
    "CDNOW a day longer, Pareto/NBD and BG/NBD log-likelihood": lambda: [
        cdnow_later(model).log_likelihood for model in ("pareto_nbd", "bg_nbd")
    ],
    "apparel, Pareto/NBD r, α, s, β": lambda: list(outfitter("pareto_nbd").params),
    "apparel, BG/NBD r, α, a, b": lambda: list(outfitter("bg_nbd").params),
    "apparel, Pareto/NBD and BG/NBD log-likelihood": lambda: [
        outfitter(model).log_likelihood for model in ("pareto_nbd", "bg_nbd")
    ],
    "apparel, Gamma-Gamma p, q, γ, log-likelihood": lambda: [
        *outfitter_spend().params, outfitter_spend().log_likelihood
    ],
    "apparel with Gender and Channel, Pareto/NBD, on leaving": lambda: list(outfitter_traits().on_leaving),
    "apparel with Gender and Channel, Pareto/NBD, on rate": lambda: list(outfitter_traits().on_rate),
    "apparel with Gender and Channel, Pareto/NBD log-likelihood": lambda: [outfitter_traits().log_likelihood],
    "Gini and top 20 % of spend, CDNOW": lambda: concentrated(data.cdnow_full()),
    "Gini and top 20 % of spend, Complete Journey": lambda: concentrated(data.complete_journey()),
    "Gini and top 20 % of spend, apparel": lambda: concentrated(data.apparel()[0]),
}  # fmt: skip
assert pareto.NAMES == ("r", "alpha", "s", "beta")
