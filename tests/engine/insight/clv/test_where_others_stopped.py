"""Published figures that lie further from ours than their digits: ours are the top, theirs a step before it.

The likelihood is computed here once more by the papers' own formula (a difference of two ₂F₁), which shares nothing with the
engine's integral, and climbed by SciPy.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from shuke.engine.insight.clv import history, predict
from tests.engine.insight.clv import data, published
from tests.engine.insight.worked import table

LINES = {line["stopped"]: line for line in table("clv", "stopped")}
R_STOPS_AT = 2.2e-9  # of the log-likelihood: what R's L-BFGS-B takes for standing still, unless told otherwise


def log_likelihoods(r, alpha, s, beta, x, t_x, T):
    """Pareto/NBD by customer, after Fader & Hardie's note of 2005."""
    most = np.maximum(alpha, beta)
    second = np.where(alpha >= beta, s + 1, r + x)

    def gone(t):
        return hyp2f1(r + s + x, second, r + s + x + 1, np.abs(alpha - beta) / (most + t)) / (most + t) ** (r + s + x)

    both = (alpha + T) ** -(r + x) * (beta + T) ** -s + s / (r + s + x) * (gone(t_x) - gone(T))
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(both)


def figures(line: dict[str, str], name: str) -> list[float]:
    return [float(text) for text in line[name].split()]


def test_btyd_stopped_where_the_page_says():
    """From that point all five figures of its vignette follow: four parameters cannot be chosen to fit five figures."""
    line = LINES["BTYD, CDNOW"]
    stop, top = tuple(figures(line, "at")), published.cdnow("pareto_nbd")
    assert stop == published.BTYD_STOP.params
    regular = predict.expected_orders(published.BTYD_STOP, *published.row(26, 216 / 7, 31), 52)
    told = [*published.paradox(published.BTYD_STOP), *regular]
    assert told == pytest.approx([0.7062289, 0.1442396, 0.02250658, 0.00309267, 25.45647], rel=2e-6)

    rows = published.summary().rows()
    levels = [float(rows.n @ log_likelihoods(*params, rows.x, rows.t_x, rows.T)) for params in (stop, top.params)]
    assert levels[1] == pytest.approx(top.log_likelihood, abs=1e-7)
    assert levels[1] - levels[0] == pytest.approx(figures(line, "below the top")[0], abs=1e-7)
    assert 0 < levels[1] - levels[0] < R_STOPS_AT * abs(levels[1])


def test_clvtools_stopped_where_the_page_says():
    line = LINES["CLVTools, apparel with traits"]
    orders, told = data.apparel()
    seen = history.summary_of(orders.visits(), end=data.day("2006-12-31"))
    traits, ours = told[:, 1:].astype(np.float64), published.outfitter_traits()

    def below(theta, coefficients):
        r, alpha, s, beta = np.exp(theta)
        scaled = alpha * np.exp(-traits @ coefficients[:2]), beta * np.exp(-traits @ coefficients[2:])
        return -float(log_likelihoods(r, scaled[0], s, scaled[1], seen.x, seen.t_x, seen.T).sum())

    polish = {"maxiter": 4_000, "maxfev": 4_000, "xatol": 1e-7, "fatol": 1e-10, "adaptive": True}
    rough = minimize(lambda all_: below(all_[:4], all_[4:]), np.append(np.zeros(4), np.full(4, 0.1)), method="L-BFGS-B")
    top = minimize(lambda all_: below(all_[:4], all_[4:]), rough.x, method="Nelder-Mead", options=polish)
    assert -top.fun == pytest.approx(ours.log_likelihood, abs=1e-7)
    assert top.x[4:] == pytest.approx([*ours.on_rate, *ours.on_leaving], abs=2e-5)

    theirs = np.array(figures(line, "at"))
    best = minimize(below, top.x[:4], args=(theirs,), method="Nelder-Mead", options=polish)
    assert best.fun - top.fun == pytest.approx(figures(line, "below the top")[0], abs=2e-7)
    assert 0 < best.fun - top.fun < 1e-4
