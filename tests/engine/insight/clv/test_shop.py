"""A shop's value as a whole: the rule its past has earned, and the figures of each customer by it."""

import numpy as np
import pytest

from shuke.engine.insight.clv import plain, shop, spend
from shuke.engine.insight.clv.history import Visits, visits
from tests.engine.insight.worked import table

END = 700


def history(size: int = 400, seed: int = 3, amount: float = 5_000.0) -> Visits:
    """Customers who buy at rates of their own and leave after some purchase, over 700 days."""
    draw = np.random.default_rng(seed)
    rows = []
    for customer in range(size):
        day, gap = draw.uniform(1, 600), draw.gamma(2.0, 20.0) + 3
        own = amount * draw.gamma(4.0, 0.25)
        leaves = draw.beta(1.0, 8.0)
        while day <= END:
            rows.append((customer, int(day), own * draw.gamma(6.0, 1 / 6)))
            if draw.random() < leaves:
                break
            day += draw.exponential(gap) + 1
    who, when, paid = zip(*rows, strict=True)
    return visits(np.array(who), np.array(when), np.array(paid))


@pytest.fixture(scope="module")
def seen() -> Visits:
    return history()


@pytest.fixture(scope="module")
def checked(seen):
    return shop.check(seen, end=END, groups=np.arange(seen.customers.size) % 3)


@pytest.fixture(scope="module")
def told(seen, checked):
    found = shop.outlook(seen, checked, end=END, groups=np.arange(seen.customers.size) % 3)
    assert found is not None
    return found


def test_where_customers_leave_the_model_is_earned_and_the_past_rate_is_not(checked):
    assert (checked["level"], checked["rule"]) == ("full", "model")
    rate = next(one for one in checked["tests"][0]["methods"] if one["name"] == "past_rate")
    assert rate["ratio"] > 1.2


def test_what_is_foreseen_of_all_is_near_what_such_a_shop_does(seen, checked):
    """The figures as of day 500 beside what the same customers did in the 200 days after, counted by hand."""
    early = shop.outlook(seen, shop.check(seen, end=500), end=500)
    assert early is not None
    came = np.zeros(seen.customers.size)
    for who, day in zip(seen.customer.tolist(), seen.day.tolist(), strict=True):
        came[who] += 500 < day <= 530
    came = came[np.isin(seen.customers, early.customer)]
    likely = early.chance[30] >= 0.5
    assert abs(early.chance[30].sum() - (came > 0).sum()) < 0.25 * (came > 0).sum()
    assert (came > 0)[likely].mean() > 2 * (came > 0)[~likely].mean()


def test_every_figure_stays_within_its_bounds(seen, told):
    assert told.customer.tolist() == sorted(set(seen.customers[seen.customer].tolist()))
    for one in told.chance.values():
        assert ((one >= 0) & (one <= 1)).all()
    assert (told.chance[90] >= told.chance[30]).all()
    assert (told.low <= told.high).all()
    assert (told.low >= 0).all()
    for band in (told.whole["orders"], told.whole["spend"], *(one["spend"] for one in told.whole["groups"])):
        assert band["low"] <= band["expected"] <= band["high"]
    assert sum(one["spend"]["expected"] for one in told.whole["groups"]) == pytest.approx(told.spend.sum())
    assert sum(one["customers"] for one in told.whole["groups"]) == told.customer.size


def test_the_chance_of_any_day_is_that_of_the_night(seen, checked, told):
    chance = shop.chance_of(checked, told.fit)
    assert chance is not None
    again = chance(told.order_days, told.first_day, told.last_day, END)
    assert np.maximum(again, told.chance[30]) == pytest.approx(told.chance[90])
    later = chance(told.order_days, told.first_day, told.last_day, END + 60)
    assert (later <= again + 1e-9).all()  # who stays silent is ever less likely to be back


def test_the_next_night_begins_where_this_one_ended(seen, checked, told):
    warm = shop.outlook(seen, checked, end=END, begin=told.fit)
    assert warm is not None
    assert warm.orders == pytest.approx(told.orders, rel=1e-3)


def test_by_a_plain_rule_the_figures_are_those_of_paper_and_pencil(seen, checked):
    by_rate = shop.outlook(seen, checked | {"rule": "plain", "shown": "past_rate"}, end=END)
    by_year = shop.outlook(seen, checked | {"rule": "plain", "shown": "last_year"}, end=END)
    assert by_rate is not None
    assert by_year is not None
    for i in range(0, by_rate.customer.size, 37):
        own = seen.customers[seen.customer] == by_rate.customer[i]
        days = seen.day[own]
        age = max(END - days.min(), 1)
        assert by_rate.orders[i] == pytest.approx(min((days.size - 1) / age * 365, 365.25))
        assert by_rate.spend[i] == pytest.approx(seen.amount[own].sum() / age * 365)
        assert by_year.orders[i] == ((days > END - 364) & (days <= END + 1)).sum()
    assert by_rate.rule == "plain"


def test_plain_shares_are_those_of_the_page():
    """Sixty silent for three days, of two sorts, and forty for fifty."""
    days, silence = np.array([1] * 30 + [2] * 30 + [5] * 40), np.array([3] * 60 + [50] * 40)
    bought = np.array([1] * 6 + [0] * 24 + [1] * 24 + [0] * 6 + [1] * 10 + [0] * 30)
    assert bought.sum() == 40
    habit = plain.learn(days, silence, bought)
    rows = table("clv", "members alike")
    asked = habit.chance(np.array([1, 2, 3, 1]), np.array([7, 7, 7, 400]))
    assert [f"{one:.3f}" for one in asked] == [row["plain share"] for row in rows]


def test_a_giant_wholesaler_is_counted_as_one_and_moves_nobody_else(seen, checked, told):
    extra = [END - 10 * step for step in range(40)]
    who = np.append(seen.customers[seen.customer], [10_000] * len(extra))
    with_giant = visits(who, np.append(seen.day, extra), np.append(seen.amount, [9e8] * len(extra)))
    found = shop.outlook(with_giant, shop.check(with_giant, end=END), end=END)
    assert found is not None
    assert found.customer[found.wholesale].tolist() == [10_000]
    assert found.spend[found.wholesale][0] < 60 * found.wholesale_from
    assert found.spend[~found.wholesale].sum() == pytest.approx(told.spend.sum(), rel=0.1)


def test_nobody_is_a_wholesaler_in_an_even_shop():
    assert spend.wholesale_from(np.array([100.0] * 50 + [300.0])) == float("inf")
    assert spend.wholesale_from(np.array([])) == float("inf")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "no_purchases"),
        ([(1, 10, -5.0), (2, 11, -1.0)], "no_purchases"),
        ([(n, 10, 100.0) for n in range(300)], "few_repeaters"),
        ([(n, day, 100.0) for n in range(12) for day in range(0, 300, 30)], "few_repeaters"),
        ([(n, day, 100.0) for n in range(80) for day in (690, 695)], "short_history"),
        ([(n, day, 100.0) for n in range(80) for day in (0, 690, 695, 700)] + [(n, 0, 1.0) for n in range(80)], "few_customers"),
    ],
)  # fmt: skip
def test_too_thin_a_shop_is_refused_with_the_reason(rows, code):
    if rows:
        told = visits(*map(np.array, zip(*rows, strict=True)))
    else:
        none = np.empty(0, np.int64)
        told = Visits(none, none, none, none.astype(float), none, none, none.astype(float))
    found = shop.check(told, end=END)
    assert found["code"] == code
    if found["level"] == "none":
        assert shop.outlook(told, found, end=END) is None
        assert shop.chance_of(found, None) is None
    else:  # totals, no money of single ones
        outlook = shop.outlook(told, found, end=END)
        assert outlook is not None
        assert outlook.spend is None
        assert outlook.whole["spend"]["expected"] > 0
