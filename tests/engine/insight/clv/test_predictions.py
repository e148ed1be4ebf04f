"""What is expected is what comes about: closed forms, sums and made-up shops agree; extreme customers stay finite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.clv import predict, special
from shuke.engine.insight.clv.fit import MODELS, fit, from_params, names_of
from shuke.engine.insight.clv.rows import group
from tests.engine.insight.clv import made

CDNOW = {
    "mbg_nbd": (0.5248, 6.183, 0.8914, 1.614),
    "bg_nbd": (0.2426, 4.4136, 0.7929, 2.4259),
    "pareto_nbd": (0.5533, 10.578, 0.6062, 11.67),
    "mbg_cnbd": (0.58, 2.288, 1.134, 1.585),
    "bg_bb": (1.204, 0.75, 0.657, 2.783),
}


def known(model, params=None, k=None):
    values = dict(zip(names_of(model), params or CDNOW[model], strict=True))
    return from_params(model, values, k=k or (2 if model == "mbg_cnbd" else 1))


@pytest.mark.parametrize(("model", "k"), [("bg_nbd", 1), ("mbg_nbd", 1), ("mbg_cnbd", 2), ("mbg_cnbd", 3)])
def test_a_shop_of_customers_as_the_model_has_them_does_what_the_model_expects(model, k):
    params = (0.9, 5.0 / k, 0.7, 2.2)
    columns, later = made.flow(60_000, params, modified=model != "bg_nbd", k=k, seed=5, ahead=26.0)
    told = known(model, params, k)
    expected = predict.expected_orders(told, *columns, 26.0)
    bought = predict.chance_to_buy(told, *columns, 26.0)
    room = 4 * later.std() / np.sqrt(later.size) + 0.005  # days are whole in the made-up shop
    assert expected.mean() == pytest.approx(later.mean(), abs=room)
    assert bought.mean() == pytest.approx((later > 0).mean(), abs=0.01)
    for x in (0, 1, 4):
        some = columns[0] == x
        assert expected[some].mean() == pytest.approx(later[some].mean(), rel=0.08, abs=0.02)


def test_a_pareto_shop_does_what_the_model_expects():
    params = (0.9, 8.0, 0.9, 14.0)
    columns, later = made.pareto(60_000, params, seed=6, ahead=26.0)
    told = known("pareto_nbd", params)
    assert predict.expected_orders(told, *columns, 26.0).mean() == pytest.approx(later.mean(), rel=0.03)
    assert predict.chance_to_buy(told, *columns, 26.0).mean() == pytest.approx((later > 0).mean(), abs=0.01)


@pytest.mark.parametrize(("model", "k"), [("bg_nbd", 1), ("mbg_nbd", 1), ("mbg_cnbd", 2), ("pareto_nbd", 1)])
def test_a_fit_finds_the_shop_it_came_from(model, k):
    params = (0.9, 5.0 / k, 0.7, 2.2) if model != "pareto_nbd" else (0.9, 8.0, 0.9, 14.0)
    if model == "pareto_nbd":
        columns, _later = made.pareto(20_000, params, seed=3)
    else:
        columns, _later = made.flow(20_000, params, modified=model != "bg_nbd", k=k, seed=3)
    found = fit(group(*columns), model, k=k, prior=False)
    assert found.verdict.code == "sound"
    # Days are whole, times were not: a shop of days differs from the model's by a little more than chance.
    for value, wanted, error in zip(found.params, params, found.se, strict=True):
        assert abs(value - wanted) < 5 * error + 0.05 * wanted


def test_the_closed_form_and_the_sum_of_positive_terms_agree():
    draw = np.random.default_rng(4)
    stayed, size = draw.uniform(0.2, 200, 300), draw.uniform(0.05, 75, 300)
    z = draw.uniform(1e-3, 0.95, 300)
    for a in (1e-4, 0.3, 0.8, 1.5, 6.0, 40.0):
        summed = special.series_sum(a, stayed, size, z)
        assert special.still_buying(a, stayed, size, z) == pytest.approx(summed, rel=1e-6)


@pytest.mark.parametrize("a", [1 - 1e-3, 1 - 1e-6, 1 - 1e-12, 1.0, 1 + 1e-12, 1 + 1e-6, 1 + 1e-3])
def test_nothing_happens_where_a_passes_one(a):
    x, t_x, T = np.array([0.0, 3, 30]), np.array([0.0, 12, 38]), np.array([39.0, 39, 39])
    near = [
        predict.expected_orders(known("mbg_nbd", (0.5, 6.0, other, 1.6)), x, t_x, T, 39) for other in (a, 1.01, 0.99)
    ]
    assert near[0] == pytest.approx((near[1] + near[2]) / 2, rel=2e-3)


EXTREME = [
    (254, 299.9, 300.0), (254, 300.0, 300.0), (221, 103.9, 104.0), (161, 51.0, 52.0), (204, 1.0, 104.0),
    (1000, 500.0, 520.0), (0, 0.0, 0.0), (0, 0.0, 1500.0), (1, 0.14, 0.14), (1, 0.142857, 1040.0), (3, 0.43, 0.43),
]  # fmt: skip
BORDERS = [
    None, (0.02, 0.05, 1e-5, 1e4), (5.0, 300.0, 1e-4, 1e4), (0.5, 6.0, 1.0, 1.0), (0.5, 6.0, 1 + 1e-9, 2.0),
    (0.01, 1e-3, 30.0, 0.01), (2.0, 0.02, 0.01, 50.0),
]  # fmt: skip


@pytest.mark.parametrize("params", BORDERS)
@pytest.mark.parametrize("model", MODELS)
def test_extreme_customers_have_figures_that_make_sense(model, params):
    x, t_x, T = (np.array(column) for column in zip(*EXTREME, strict=True))
    if model == "bg_bb":
        T = np.ceil(T)
        t_x = np.where(x > 0, np.clip(np.ceil(t_x), x, np.maximum(T, x)), 0)
        T = np.maximum(T, t_x)
    told = known(model, params)
    for horizon in (1e-3, 4.0, 52.0, 260.0):
        horizon = max(1.0, horizon) if model == "bg_bb" else horizon
        alive = predict.p_alive(told, x, t_x, T)
        chance = predict.chance_to_buy(told, x, t_x, T, horizon)
        orders = predict.expected_orders(told, x, t_x, T, horizon)
        for figures in (alive, chance, orders):
            assert np.isfinite(figures).all()
            assert (figures >= 0).all()
        assert (alive <= 1 + 1e-12).all()
        assert (chance <= 1 + 1e-12).all()
        # Whoever is expected to buy n times buys at least once with at most that chance.
        assert (chance <= orders * (1 + 1e-6) + 1e-9).all()


@pytest.mark.parametrize("model", MODELS)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 30), st.integers(1, 40), st.integers(1, 40))
def test_more_time_brings_more_and_more_silence_less(model, x, late, silent, horizon, more):
    told, t_x = known(model), (x + late if x else 0)
    row = [np.array([float(x)] * 2), np.array([float(t_x)] * 2), np.array([float(t_x + silent + 1)] * 2)]
    assert predict.expected_orders(told, *row, horizon + more)[0] >= predict.expected_orders(told, *row, horizon)[0]
    assert predict.chance_to_buy(told, *row, horizon + more)[0] >= predict.chance_to_buy(told, *row, horizon)[0] - 1e-12
    if x:
        quieter = [row[0], row[1], row[2] + np.array([0.0, more])]
        alive = predict.p_alive(told, *quieter)
        assert alive[1] <= alive[0] + 1e-12


def test_customers_may_stand_in_any_order_and_be_many():
    draw = np.random.default_rng(2)
    T = draw.integers(5, 60, 5_000).astype(float)
    x = draw.integers(0, 4, 5_000).astype(float)
    t_x = np.where(x > 0, np.minimum(T, 1 + draw.integers(0, 60, 5_000)), 0.0)
    told = known("mbg_nbd")
    at_once = predict.expected_orders(told, x, t_x, T, 20)
    some = draw.permutation(5_000)[:200]
    assert at_once[some] == pytest.approx(predict.expected_orders(told, x[some], t_x[some], T[some], 20))
