import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.clv import history
from shuke.engine.insight.clv.rows import BadRows

orders = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 60), st.integers(-20, 90)), min_size=1, max_size=80)


def told(rows, **options):
    customer, day, amount = zip(*rows, strict=True)
    return history.summary(np.array(customer), np.array(day), np.array(amount, float), **options)


def test_a_day_is_one_purchase_and_what_came_back_is_none():
    found = told(
        [
            ("ada", 0, 10), ("ada", 0, 20), ("ada", 7, 5), ("ada", 7, -5), ("ada", 21, 30), ("ada", 30, -12),
            ("ben", 14, 0), ("ben", 40, 99),
        ],
        end=35,
    )  # fmt: skip
    assert found.customer.tolist() == ["ada", "ben"]
    assert found.orders.tolist() == [2, 1]  # the second visit of Ada was given back whole, Ben's next is not known yet
    assert found.x.tolist() == [1.0, 0.0]
    assert found.t_x.tolist() == [3.0, 0.0]
    assert found.T.tolist() == [5.0, 3.0]
    assert found.spend.tolist() == [48.0, 0.0]
    assert found.paid.tolist() == [2, 0]
    assert found.mean_spend[0] == 24.0
    assert np.isnan(found.mean_spend[1])


def by_hand(rows, end):
    """The same, customer by customer and day by day."""
    found = {}
    for name in sorted({name for name, day, _amount in rows if day <= end}):
        days = {}
        for whose, day, amount in rows:
            if whose == name and day <= end:
                days.setdefault(day, []).append(amount)
        bought = sorted(
            day for day, all_ in days.items() if sum(all_) > 0 or (sum(all_) == 0 and all(one >= 0 for one in all_))
        )
        if bought:
            spend = sum(sum(all_) for all_ in days.values())
            found[name] = (len(bought) - 1, bought[-1] - bought[0], end - bought[0], spend)
    return found


@given(orders, st.integers(0, 60))
def test_the_summary_is_what_counting_by_hand_gives(rows, end):
    expected = by_hand(rows, end)
    if not expected:
        with pytest.raises(BadRows):
            told(rows, end=end, unit=1.0)
        return
    found = told(rows, end=end, unit=1.0)
    assert {
        name: (x, t_x, T, spend)
        for name, x, t_x, T, spend in zip(found.customer, found.x, found.t_x, found.T, found.spend, strict=True)
    } == expected


@given(orders)
def test_what_happens_after_a_cut_is_in_the_window_and_what_before_in_the_summary(rows):
    customer, day, amount = (np.array(column) for column in zip(*rows, strict=True))
    seen = history.visits(customer, day, amount.astype(float))
    if seen.day.size == 0 or not (seen.day <= 30).any():
        return
    before = history.summary_of(seen, end=30)
    after = history.Window(seen, before.customer, begin=30, end=60)
    assert before.orders.sum() + after.orders.sum() + after.newcomer_orders == seen.day.size
    assert before.customer.size + after.newcomers == np.unique(seen.customer).size


def test_orders_without_amounts_can_be_counted():
    found = history.summary(np.array([3, 3, 1]), np.array([0, 14, 7]), unit=7.0)
    assert found.x.tolist() == [0.0, 1.0]
    assert np.isnan(found.mean_spend).all()
    assert found.log_gaps.tolist() == [0.0, pytest.approx(np.log(2))]


def test_no_orders_and_amounts_that_are_no_numbers_are_refused():
    nothing = np.array([], dtype=np.int64)
    with pytest.raises(BadRows, match="no orders"):
        history.summary(nothing, nothing)
    with pytest.raises(BadRows, match="Amounts"):
        history.summary(np.array([1]), np.array([1]), np.array([np.nan]))
