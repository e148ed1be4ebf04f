import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.clv import spend
from shuke.engine.insight.clv.rows import BadRows

means = st.lists(st.tuples(st.integers(1, 20), st.floats(0.01, 1e6)), min_size=1, max_size=30)


def test_a_shop_is_found_again():
    draw = np.random.default_rng(3)
    p, q, gamma, size = 6.0, 4.0, 15.0, 20_000
    orders = draw.integers(1, 9, size)
    level = draw.gamma(q, 1 / gamma, size)
    mean = draw.gamma(p * orders, 1 / level) / orders
    found = spend.fit(orders, mean, prior=False)
    assert found.verdict.code == "sound"
    for value, wanted, error in zip(found.params, (p, q, gamma), found.se, strict=True):
        assert abs(value - wanted) < 4 * error
    assert spend.shop_mean(found) == pytest.approx(p * gamma / (q - 1), rel=0.02)


@given(means)
def test_any_amounts_give_values_that_are_finite_and_not_negative(rows):
    orders, mean = (np.array(column, float) for column in zip(*rows, strict=True))
    found = spend.fit(orders, mean)
    told = spend.expected_order_value(found, np.append(orders, 0), np.append(mean, np.nan))
    assert np.isfinite(told).all()
    assert (told > 0).all()
    assert told[-1] == pytest.approx(spend.shop_mean(found))
    assert found.params[1] > spend.LEAST_Q


def test_more_orders_pull_the_own_mean_away_from_the_shops():
    draw = np.random.default_rng(3)
    orders = draw.integers(1, 9, 500)
    found = spend.fit(orders, draw.gamma(8.0 * orders, draw.gamma(4.0, 2.0, 500)) / orders)
    told = spend.expected_order_value(found, np.array([1, 3, 10, 100]), np.full(4, 500.0))
    assert (np.diff(told) > 0).all()
    assert told[-1] < 500


def test_amounts_that_teach_nothing_are_left_out_and_nobody_left_is_refused():
    found = spend.fit(np.array([1, 2, 3, 0]), np.array([10.0, np.nan, -5.0, 3.0]))
    assert found.customers == 1
    with pytest.raises(BadRows, match="no spend to learn"):
        spend.fit(np.array([1, 2]), np.array([0.0, np.nan]))


def test_one_wholesaler_does_not_set_the_shops_mean():
    orders, mean = np.full(1_000, 2), np.append(np.random.default_rng(1).gamma(9.0, 10.0, 999), 1e6)
    capped, plain = spend.fit(orders, mean, cap=True), spend.fit(orders, mean)
    assert mean.mean() > 1_000
    assert spend.shop_mean(capped) == pytest.approx(90, abs=1)
    assert spend.shop_mean(plain) > spend.shop_mean(capped) + 1


def test_frequency_and_order_value_are_looked_at_together():
    orders = np.arange(2, 102)
    assert spend.independence(orders, np.random.default_rng(1).random(100) + 1).fine
    assert not spend.independence(orders, orders * 3.0).fine
