"""The likelihoods are what the models say, checked against sums over λ and p that know nothing of the closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, gammaln, roots_genlaguerre, roots_jacobi

from shuke.engine.insight.clv import bg, bgbb, pareto, predict, spend
from shuke.engine.insight.clv.fit import MODELS, from_params, names_of, surface_of
from shuke.engine.insight.clv.rows import group

HISTORIES = [(0, 0.0, 20.0), (1, 3.0, 20.0), (3, 19.0, 20.0), (12, 14.0, 30.0)]
PARAMS = (0.9, 6.0, 0.8, 2.3)
figures = st.floats(-1.5, 2.0)


def one(x, t_x, T):
    return np.array([float(x)]), np.array([float(t_x)]), np.array([float(T)])


def by_hand(params, x, t_x, T, *, modified, k):
    """∬ of one customer's likelihood over λ and p, by Gauss-Laguerre and Gauss-Jacobi points. Gaps are all t_x / x long."""
    r, alpha, a, b = params
    u, weight_u = roots_genlaguerre(120, r - 1)
    v, weight_v = roots_jacobi(60, b - 1, a - 1)
    rate, leave = u[:, None] / alpha, (1 + v[None, :]) / 2
    silent = sum(((T - t_x) * rate) ** j / math.factorial(j) for j in range(k)) * np.exp(-rate * (T - t_x))
    stayed = (1 - leave) ** (x if modified else max(x - 1, 0))
    if modified or x > 0:
        end = leave + (1 - leave) * silent
    else:
        end = silent + 0 * leave
    gap = t_x / x if x else 1.0
    density = (rate**k * gap ** (k - 1) / math.gamma(k)) ** x * np.exp(-rate * t_x) * stayed * end
    total = (weight_u[:, None] * weight_v[None, :] * density).sum()
    return math.log(total) - gammaln(r) - betaln(a, b) - (a + b - 1) * math.log(2)


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize(
    ("model", "k"), [("bg_nbd", 1), ("mbg_nbd", 1), ("mbg_cnbd", 2), ("mbg_cnbd", 3), ("mbg_cnbd", 4)]
)
def test_the_likelihood_is_the_mean_over_all_rates_and_chances_to_leave(model, k, history):
    x, t_x, T = history
    gaps = x * math.log(t_x / x) if x else 0.0
    surface = surface_of(group(*one(x, t_x, T), log_gaps=gaps), model, k)
    value, _gradient = surface(np.log(PARAMS))
    assert value == pytest.approx(by_hand(PARAMS, x, t_x, T, modified=model != "bg_nbd", k=k), abs=2e-6)


@pytest.mark.parametrize("history", [*HISTORIES, (0, 0.0, 0.0), (254, 0.5, 300.0), (40, 39.9, 40.0)])
@pytest.mark.parametrize("params", [(0.55, 10.6, 0.6, 11.7), (0.3, 40.0, 2.5, 0.3), (3.0, 0.05, 0.4, 80.0)])
def test_the_pareto_likelihood_is_the_integral_over_the_end_of_life(params, history):
    (r, alpha, s, beta), (x, t_x, T) = params, history
    base = (r + x) * math.log(alpha + t_x) + (s + 1) * math.log(beta + t_x)

    def fell(y):
        return math.exp(base - (r + x) * math.log(alpha + y) - (s + 1) * math.log(beta + y))

    width = min(alpha, beta) + t_x
    gone = pieces(fell, t_x, T, width)
    lived = math.exp(base - (r + x) * math.log(alpha + T) - s * math.log(beta + T))
    told = math.log(lived + s * gone) - base + gammaln(r + x) - gammaln(r) + r * math.log(alpha) + s * math.log(beta)
    value, _gradient = pareto.Surface(group(*one(x, t_x, T)))(np.log(params))
    assert value == pytest.approx(told, abs=1e-8, rel=1e-9)


def pieces(function, low, high, width):
    """∫ in pieces that grow from the steep end."""
    ends = np.unique(np.clip(low + width * np.array([0, 1e-3, 1e-2, 0.1, 0.5, 1, 4, 20, 100, 1e9]), low, high))
    return sum(quad(function, a, b, epsabs=0, epsrel=1e-11, limit=400)[0] for a, b in pairwise(ends))


def test_all_histories_of_bg_bb_together_are_certain():
    params, occasions = (1.2, 0.75, 0.66, 2.78), 6
    total = 0.0
    for bits in range(2**occasions):
        bought = [i + 1 for i in range(occasions) if bits >> i & 1]
        rows = group(*one(len(bought), bought[-1] if bought else 0, occasions))
        total += math.exp(bgbb.Surface(rows)(np.log(params))[0])
    assert total == pytest.approx(1.0, abs=1e-12)


def some_rows(model):
    histories = [(0, 0, 4), (0, 0, 9), (2, 3, 9), (5, 9, 9), (9, 12, 14), (1, 1, 30)]
    columns = [np.array(column, float) for column in zip(*histories, strict=True)]
    return group(*columns, np.array([40.0, 7.0, 3.0, 2.0, 1.0, 5.0]), log_gaps=3.0)


@pytest.mark.parametrize("model", MODELS)
@given(st.tuples(figures, figures, figures, figures))
def test_the_gradient_is_how_the_likelihood_changes(model, theta):
    surface, theta = surface_of(some_rows(model), model, 3 if model == "mbg_cnbd" else 1), np.array(theta)
    _value, gradient = surface(theta)
    for j in range(4):
        step = np.zeros(4)
        step[j] = 1e-5
        slope = (surface(theta + step)[0] - surface(theta - step)[0]) / 2e-5
        assert gradient[j] == pytest.approx(slope, rel=2e-5, abs=2e-4)


@given(st.tuples(figures, figures, figures))
def test_the_gradient_of_spend_is_how_its_likelihood_changes(theta):
    surface, theta = (
        spend.Surface(np.array([1.0, 3, 7]), np.array([12.0, 40, 9]), np.array([5.0, 2, 1])),
        np.array(theta),
    )
    for j in range(3):
        step = np.zeros(3)
        step[j] = 1e-5
        slope = (surface(theta + step)[0] - surface(theta - step)[0]) / 2e-5
        assert surface(theta)[1][j] == pytest.approx(slope, rel=2e-5, abs=2e-4)


@pytest.mark.parametrize("model", MODELS)
@given(
    st.tuples(figures, figures, figures, figures),
    st.integers(0, 12),
    st.integers(1, 30),
    st.integers(0, 20),
    st.integers(1, 26),
)
def test_the_chance_to_buy_is_one_less_what_more_silence_is_worth(model, theta, x, t_x, more, horizon):
    """L(x, t_x, T + h) / L(x, t_x, T) is the chance of silence: the closed form and the likelihood must agree."""
    x, k = min(x, t_x), 2 if model == "mbg_cnbd" else 1
    known = one(x, t_x if x else 0, t_x + more)
    fitted = from_params(model, dict(zip(names_of(model), np.exp(theta).tolist(), strict=True)), k=k)
    levels = [
        surface_of(group(known[0], known[1], known[2] + later), model, k)(np.array(theta))[0] for later in (0, horizon)
    ]
    told = float(predict.chance_to_buy(fitted, *known, horizon)[0])
    assert told == pytest.approx(-math.expm1(levels[1] - levels[0]), abs=1e-9)
    assert 0.0 <= told <= 1.0


def test_the_chances_of_all_counts_of_a_new_customer_are_certain():
    for modified in (False, True):
        chances = [bg.chance_of_count(PARAMS, n, 15.0, modified=modified) for n in range(400)]
        assert sum(chances) == pytest.approx(1.0, abs=1e-9)
        mean = sum(n * p for n, p in enumerate(chances))
        model = from_params("mbg_nbd" if modified else "bg_nbd", dict(zip(bg.NAMES, PARAMS, strict=True)))
        assert mean == pytest.approx(float(predict.expected_of_new(model, np.array([15.0]))[0]), rel=1e-9)
