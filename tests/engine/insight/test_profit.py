"""Margins, the plain formula, the retention budget, price sensitivity, types and qualities: laws, and the worked tables of the docs."""

import math
from fractions import Fraction
from statistics import correlation, mean, variance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight import budget, profit, profit_words, traits
from shuke.engine.insight.profit import Stated
from tests.engine.insight.clv import data
from tests.engine.insight.worked import table


def whole(*values: float) -> np.ndarray:
    return np.array(values, np.int64)


def number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-"))


# ---- margins and the plain formula -----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", table("profit", "line"), ids=lambda row: row["line"])
def test_worked_margin_of_one_order(row):
    kept, rate = number(row["kept"]), row["stated"]
    if rate.endswith("%"):
        told = {"weighted": kept * 10 * int(rate.rstrip(" %")), "costed": 0, "cost_milli": 0}
    else:
        told = {"weighted": 0, "costed": kept, "cost_milli": number(rate.split()[0]) * 1000}
    [margin] = profit.margins(
        whole(number(row["net"])),
        whole(kept),
        *(whole(one) for one in told.values()),
        whole(number(row["taken off"])),
        default=300,
    )
    assert margin == number(row["margin"])


lines = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(-500, 1000), st.booleans(), st.integers(0, 10**5), st.integers(1, 5)),
    max_size=6,
)


@given(net=st.integers(0, 10**7), off=st.integers(0, 10**6), told=lines)
def test_an_orders_margin_is_the_sum_of_its_lines(net, off, told):
    """Each line has the share of net, and of what was taken off, that was kept of it; its cost is by rate before that, or of its pieces."""
    kept = sum(one[0] for one in told)
    if kept:
        exact = Fraction(0)
        for left, rate, by_piece, cost, pieces in told:
            part, before = Fraction(net * left, kept), Fraction((net + off) * left, kept)
            exact += part - (cost * pieces * (left > 0) if by_piece else before * Fraction(1000 - rate, 1000))
    else:
        exact = net - (net + off) * Fraction(700, 1000)
    [margin] = profit.margins(
        whole(net), whole(kept), whole(sum(k * r for k, r, b, _c, _p in told if not b)),
        whole(sum(k for k, _r, b, _c, _p in told if b)), whole(sum(c * p * 1000 for k, _r, b, c, p in told if b and k)), whole(off),
        default=300,
    )  # fmt: skip
    assert margin == math.floor(exact + Fraction(1, 2))


def test_a_wholesalers_order_is_exact_beyond_64_bits():
    [margin] = profit.margins(
        whole(10**13), whole(10**13), whole(333 * 10**13), whole(0), whole(0), whole(0), default=300
    )
    assert margin == 333 * 10**10


def test_what_was_taken_off_comes_back_as_the_money_does():
    taken, net, back = (
        whole(0, 1_000, 1_000, 999, 1_000, 10**13),
        whole(9, 9_000, 4_500, 1, 0, 10**13),
        whole(9, 0, 4_500, 1, 0, 10**13),
    )
    assert profit.left_of(taken, net, back).tolist() == [0, 1_000, 500, 500, 1_000, 5 * 10**12]


def test_the_deepest_category_speaks_and_the_product_above_it():
    by_category = {"食品": Stated(200), "食品/茶": Stated(450)}
    goods = [(1, "T", "食品/茶/红茶"), (2, "B", "食品/饼"), (3, "K", "器皿"), (4, "X", "食品/茶"), (5, "Y", "")]
    told = profit.margin_of_products(goods, {"X": Stated(cost_minor=700)}, by_category)
    assert told == {1: Stated(450), 2: Stated(200), 4: Stated(cost_minor=700)}


@pytest.mark.parametrize("row", table("profit", "yearly margin"), ids=lambda row: row["worth"])
def test_worked_plain_formula(row):
    figures = {name: number(row[name.replace("_", " ")]) for name in ("yearly_margin", "promotion", "care", "service")}
    assert profit.plain_worth(years_tenths=round(10 * float(row["years"])), **figures) == number(row["worth"])


def test_the_best_fifth_of_those_who_earn_anything():
    assert profit.best_fifth(whole(-5, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)) == 90
    assert profit.best_fifth(whole(3)) == 3
    assert profit.best_fifth(whole(-5, 0)) is None


# ---- the retention budget ----------------------------------------------------------------------------------------------


def known(**changes) -> budget.Known:
    row = {
        "expected_orders": 6_000, "expected_spend": 60_000, "spend_low": 45_000, "spend_high": 75_000, "usual_gap": 30.0,
        "past_year": 120_000, "margin": 300, "rewards": 10, "serving": 0, "quiet": 0,
    } | changes  # fmt: skip
    return budget.Known(**{name: np.array([value]) for name, value in row.items()})


@pytest.mark.parametrize("row", table("retention_budget", "member"), ids=lambda row: row["member"])
def test_worked_budgets(row):
    gap = math.nan if row["usual gap"] == "–" else float(row["usual gap"])
    orders = -1 if row["expected orders"] == "–" else round(1000 * float(row["expected orders"]))
    names = {
        "expected_spend": "expected spend",
        "past_year": "past year",
        "margin": "margin ‰",
        "rewards": "rewards ‰",
        "serving": "care + service",
    }
    told = budget.budget(
        known(
            expected_orders=orders,
            usual_gap=gap,
            quiet=row["quiet"] == "yes",
            **{k: number(row[v]) for k, v in names.items()},
        ),
        uplift=number(row["uplift ‰"]),
    )
    found = (told.leaving[0], told.if_stays[0], told.worth[0], told.most[0], budget.ADVICE[told.advice[0]])
    assert found == (*(number(row[v]) for v in ("leaving ‰", "if stays", "worth", "budget")), row["advice"].strip("–"))


members = st.fixed_dictionaries(
    {
        "expected_orders": st.integers(-1, 60_000), "expected_spend": st.integers(0, 10**8), "usual_gap": st.floats(1, 900),
        "past_year": st.integers(0, 10**8), "margin": st.integers(-200, 900), "rewards": st.integers(0, 100),
        "serving": st.integers(0, 10**6), "quiet": st.integers(0, 1),
    }
)  # fmt: skip


@given(row=members, uplift=st.integers(0, 1000))
def test_a_budget_is_never_above_the_worth_of_a_year_and_has_its_sign(row, uplift):
    spend = row["expected_spend"]
    told = budget.budget(known(**row, spend_low=spend // 2, spend_high=spend * 2), uplift=uplift)
    worth, most = int(told.worth[0]), int(told.most[0])
    assert abs(most) <= abs(worth)
    assert most * worth >= 0
    assert told.low[0] <= most <= told.high[0]
    assert 0 <= told.leaving[0] <= 1000
    if row["expected_orders"] < 0:
        assert (budget.ADVICE[told.advice[0]], worth, most) == ("", 0, 0)
    elif worth <= 0:
        assert budget.ADVICE[told.advice[0]] == "let_go"


@given(row=members, uplift=st.integers(0, 990))
def test_a_better_measured_uplift_never_makes_a_good_member_worth_less(row, uplift):
    one, more = (budget.budget(known(**row), uplift=share) for share in (uplift, uplift + 10))
    assert (more.most[0] >= one.most[0]) == (one.worth[0] >= 0 or more.most[0] == one.most[0])


# ---- price sensitivity -------------------------------------------------------------------------------------------------

shares = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=12), min_size=2, max_size=8)


def flat(orders):
    places = [i for i, own in enumerate(orders) for _share in own]
    return np.array(places), np.array([share for own in orders for share in own])


@given(orders=shares)
def test_price_sensitivity_lies_between_the_own_mean_and_that_of_members(orders):
    found = traits.price_sensitivity(*flat(orders), len(orders))
    if found is None:
        assert max(max(own) for own in orders) == 0
        return
    for own, shrunk in zip(orders, found.shrunk, strict=True):
        low, high = sorted((mean(own), found.mean))
        assert low - 1e-9 <= shrunk <= high + 1e-9


def test_balanced_members_are_shrunk_as_analysis_of_variance_says():
    """Recounted by the textbook: same number of orders each, so the variance between is (MSB − MSW) / n."""
    orders = [[0.1, 0.3, 0.2, 0.2], [0.9, 0.7, 0.8, 1.0], [0.5, 0.6, 0.4, 0.3]]
    found = traits.price_sensitivity(*flat(orders), 3)
    within = mean(variance(own) for own in orders)
    between = (4 * variance([mean(own) for own in orders]) - within) / 4
    assert (found.within, found.between) == (pytest.approx(within), pytest.approx(between))
    centre = mean(mean(own) for own in orders)
    weight = between / (between + within / 4)
    assert found.shrunk[0] == pytest.approx(centre + weight * (mean(orders[0]) - centre))


def test_split_halves_are_first_against_second_orders():
    orders = [[0, 0, 1, 0], [1, 1, 1, 0], [0, 1, 0, 1, 1], [1, 0, 0, 0], [1]]
    first = [0, 1, 0.5, 0.5]
    second = [0.5, 0.5, 2 / 3, 0]
    r, members = traits.split_half(*flat(orders), 5)
    assert (r, members) == (pytest.approx(correlation(first, second)), 4)
    assert math.isnan(traits.split_half(*flat(orders[:2]), 2)[0])


@pytest.mark.parametrize(
    "line", table("loyalty_types", "orders in each half, at least"), ids=lambda line: " ".join(line.values())
)
def test_it_is_a_trait_also_where_coupons_count_for_the_whole_order(line):
    """Recounted from the baskets of Complete Journey: by lines as they were reduced, and with each coupon spread over its basket."""
    member, by_lines, by_baskets = data.reduced_share()
    least = int(line["orders in each half, at least"])
    for column, share in (("correlation", by_lines), ("coupons on the whole order", by_baskets)):
        r, members = traits.split_half(member, share, int(member.max()) + 1, least=least)
        assert (f"{r:.2f}".removeprefix("0"), members) == (line[column], number(line["members"]))


# ---- types and qualities -----------------------------------------------------------------------------------------------


def facts(row: dict[str, str]) -> traits.Facts:
    def one(name: str) -> np.ndarray:
        return whole(-1 if row[name] == "–" else number(row[name]))

    return traits.Facts(
        one("days"), np.array([row["in rhythm"] == "yes"]), one("price ‰"), one("friends"), one("recommends"), one("returned ‰"),
        one("orders"), one("margin"), one("profit"), one("service"),
    )  # fmt: skip


MEASURES = traits.Measures(price_mean=493, price_cut=599, price_low=386, best_fifth=80_000)


@pytest.mark.parametrize("row", table("loyalty_types", "member"), ids=lambda row: row["member"])
def test_worked_types_and_qualities(row):
    told = facts(row)
    assert traits.TYPES[traits.loyalty_type(told, MEASURES)[0]] == row["type"].strip("–")
    assert traits.QUALITIES[traits.quality(told, MEASURES)[0]] == row["quality"].strip("–")
    assert [code for code, _figures in traits.reasons(told, MEASURES)] == row["reasons"].split()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_reason_can_be_said(language):
    figures = dict.fromkeys(
        ("days", "needed", "share", "mean", "cut", "orders", "n", "profit", "from", "cost", "margin"), 10
    )
    for code in profit_words.REASONS:
        said = profit_words.reason(code, figures, language, lambda minor: f"¥{minor}")
        assert said
        assert "{" not in said


def test_the_price_a_member_pays_is_measured_only_where_there_are_promotions():
    assert traits.price_sensitivity(np.array([0, 0, 1]), np.zeros(3), 2) is None
    assert traits.Measures.of(None, None) == (-1, -1, -1, -1)
    nobody = traits.Facts(*(whole(20), np.array([True]), *(whole(-1) for _ in range(8))))
    assert traits.TYPES[traits.loyalty_type(nobody, traits.Measures.of(None, None))[0]] == "habit"
