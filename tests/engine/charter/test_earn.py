"""Worked tables of docs/algorithms/earning.md, as tests."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.charter import document
from shuke.engine.charter.earn import Basket, Slice, earn
from shuke.engine.charter.terms import Terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 6, 1)


def terms(*rules: dict, tiers: list[dict] | None = None, **points) -> Terms:
    return Terms(
        document.from_plain(
            {
                "name": {"zh": "章程", "en": "Charter"},
                "currency": "CNY",
                "points": points,
                "tiers": tiers or [{"key": "member", "name": {"zh": "普通", "en": "Member"}}],
                "earning": [{"name": {"zh": r["key"], "en": r["key"]}, **r} for r in rules],
            }
        ),
        SHANGHAI,
        1,
    )


BASE = {"key": "base", "kind": "per_amount", "points": 1, "per": "1"}


def test_the_fraction_of_a_point_is_dropped_once_per_order():
    earned = earn(terms(BASE), Basket(1999, MONDAY, "member"), {})
    assert earned.points == 19
    assert earned.why == [
        {"rule": "base", "base": 1999, "points": "19.99"},
        {"rule": "rounding", "points": "-0.99"},
    ]


def test_multipliers_apply_to_purchase_points_and_not_to_fixed_bonuses():
    rules = terms(
        BASE,
        {"key": "day", "kind": "multiply", "times": "2", "when": {"month_days": [1]}},
        {"key": "gift", "kind": "fixed", "points": 30},
        tiers=[{"key": "gold", "name": {"zh": "金", "en": "Gold"}, "multiplier": "1.5"}],
    )
    earned = earn(rules, Basket(10000, MONDAY, "gold"), {})
    assert earned.points == 330
    assert earned.why == [
        {"rule": "base", "base": 10000, "points": "100"},
        {"rule": "tier:gold", "times": "1.5", "points": "50"},
        {"rule": "day", "times": "2", "points": "150"},
        {"rule": "gift", "points": "30"},
    ]


def test_with_best_only_the_largest_multiplier_counts():
    rules = terms(
        BASE,
        {"key": "day", "kind": "multiply", "times": "2", "when": {"month_days": [1]}},
        tiers=[{"key": "gold", "name": {"zh": "金", "en": "Gold"}, "multiplier": "1.5"}],
        multipliers="best",
    )
    assert earn(rules, Basket(10000, MONDAY, "gold"), {}).points == 200


def test_goods_rules_see_only_their_lines():
    rules = terms(
        BASE, {"key": "care", "kind": "per_amount", "points": 2, "per": "1", "when": {"categories": ["护肤"]}}
    )
    basket = Basket(3000, MONDAY, "member", (Slice(1000, "护肤/面霜"), Slice(2000, "护肤品盒")))
    assert earn(rules, basket, {}).points == 30 + 20  # "护肤品盒" is another category, not below 护肤


def test_an_exclusive_rule_keeps_other_amount_rules_off_its_lines():
    rules = terms(
        BASE,
        {"key": "sale", "kind": "per_amount", "points": 1, "per": "10", "when": {"brands": ["A"]}, "exclusive": True},
    )
    basket = Basket(3000, MONDAY, "member", (Slice(1000, brand="A"), Slice(2000, brand="B")))
    assert earn(rules, basket, {}).points == 1 + 20


@pytest.mark.parametrize(
    ("when", "basket", "applies"),
    [
        ({"weekdays": [1]}, Basket(100, MONDAY, "member"), True),
        ({"weekdays": [2]}, Basket(100, MONDAY, "member"), False),
        ({"first_purchase": True}, Basket(100, MONDAY, "member", first=True), True),
        ({"first_purchase": True}, Basket(100, MONDAY, "member"), False),
        ({"stores": ["XH"]}, Basket(100, MONDAY, "member", store="XH"), True),
        ({"stores": ["XH"]}, Basket(100, MONDAY, "member", store="JA"), False),
        ({"min_amount": "1"}, Basket(100, MONDAY, "member"), True),
        ({"min_amount": "1.01"}, Basket(100, MONDAY, "member"), False),
        ({"until_date": "2026-06-01"}, Basket(100, MONDAY, "member"), True),
        ({"from_date": "2026-06-02"}, Basket(100, MONDAY, "member"), False),
        ({"birthday": "month"}, Basket(100, MONDAY, "member", birthday=(6, 30, False)), True),
        ({"birthday": "day"}, Basket(100, MONDAY, "member", birthday=(6, 30, False)), False),
        ({"birthday": "day"}, Basket(100, MONDAY, "member"), False),
        # Lunar 4-16 of 2026 is 1 June.
        ({"birthday": "day"}, Basket(100, MONDAY, "member", birthday=(4, 16, True)), True),
    ],
)
def test_a_rule_applies_when_all_it_names_holds(when, basket, applies):
    rules = terms({"key": "gift", "kind": "fixed", "points": 7, "when": when})
    assert earn(rules, basket, {}).points == (7 if applies else 0)


def test_caps_limit_what_a_rule_gives():
    rules = terms(
        BASE | {"caps": {"per_order": 50}}, {"key": "gift", "kind": "fixed", "points": 30, "caps": {"per_month": 40}}
    )
    assert earn(rules, Basket(10000, MONDAY, "member"), {"gift": 10}).points == 60
    assert earn(rules, Basket(10000, MONDAY, "member"), {"gift": 0}).points == 50


def test_nothing_is_earned_on_nothing():
    rules = terms(BASE, {"key": "gift", "kind": "fixed", "points": 30})
    assert earn(rules, Basket(0, MONDAY, "member"), {}).points == 0


@given(
    net=st.integers(1, 10**9),
    cut=st.integers(0, 10**9),
    times=st.decimals("0.1", "9", places=2),
    per=st.integers(1, 999),
)
def test_the_explanation_adds_up_and_less_net_never_earns_more(net, cut, times, per):
    rules = terms(
        BASE | {"per": str(Decimal(per).scaleb(-2))},
        {"key": "x", "kind": "multiply", "times": str(times)},
        {"key": "gift", "kind": "fixed", "points": 5, "when": {"min_amount": "10"}},
    )
    whole = earn(rules, Basket(net, MONDAY, "member"), {})
    part = earn(rules, Basket(min(net, cut), MONDAY, "member"), {})
    assert part.points <= whole.points
    assert abs(sum(Decimal(row["points"]) for row in whole.why) - whole.points) < Decimal("0.00001")
