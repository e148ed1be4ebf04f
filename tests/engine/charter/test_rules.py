"""Every setting of an earning rule, each by an example one can compute by hand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.charter.activity import reward
from shuke.engine.charter.earn import Basket, Slice, earn
from tests.engine.charter.test_earn import BASE, terms

MONDAY = date(2026, 6, 1)


def points(rules, basket: Basket, room: dict | None = None) -> int:
    return earn(rules, basket, room or {}).points


def test_only_whole_amounts_count_where_the_rule_says_so():
    rules = terms({"key": "base", "kind": "per_amount", "points": 5, "per": "10", "whole": True})
    assert [points(rules, Basket(n, MONDAY, "member")) for n in (999, 1000, 1999, 2000)] == [0, 5, 5, 10]


def test_whole_amounts_are_of_all_chosen_goods_together():
    rule = {"key": "a", "kind": "per_amount", "points": 1, "per": "10", "whole": True, "when": {"brands": ["A"]}}
    basket = Basket(2500, MONDAY, "member", (Slice(700, brand="A"), Slice(1000, brand="B"), Slice(800, brand="A")))
    assert points(terms(rule), basket) == 1


def test_a_piece_is_worth_points_whatever_it_costs():
    rule = {"key": "bag", "kind": "per_item", "points": 5, "when": {"categories": ["豆"]}}
    basket = Basket(9000, MONDAY, "member", (Slice(6000, "豆/拼配", pieces=2), Slice(3000, "杯", pieces=1)))
    assert points(terms(rule), basket) == 10
    gold = [{"key": "gold", "name": {"zh": "金", "en": "Gold"}, "multiplier": "1.5"}]
    assert points(terms(rule, tiers=gold), basket._replace(tier="gold")) == 15


@pytest.mark.parametrize(("mode", "per", "given"), [
    ("floor", "order", 3), ("half_up", "order", 4), ("ceil", "order", 4),
    ("floor", "line", 2), ("half_up", "line", 4), ("ceil", "line", 4),
])  # fmt: skip
def test_rounding_is_a_setting(mode, per, given):
    rules = terms(BASE, rounding=mode, round_per=per)
    assert points(rules, Basket(360, MONDAY, "member", (Slice(180, product="a"), Slice(180, product="b")))) == given


MEMBER_DAY = {"key": "day", "kind": "multiply", "times": "2", "when": {"month_days": [1]}}
SALE = {"key": "sale", "kind": "multiply", "times": "3", "when": {"weekdays": [1]}}
GOLD = [{"key": "gold", "name": {"zh": "金", "en": "Gold"}, "multiplier": "1.5"}]


@pytest.mark.parametrize(("how", "given"), [("multiply", 900), ("best", 300), ("add", 450)])
def test_several_multipliers_multiply_or_add_or_the_best_counts(how, given):
    rules = terms(BASE, MEMBER_DAY, SALE, tiers=GOLD, multipliers=how)
    assert points(rules, Basket(10000, MONDAY, "gold")) == given


def test_of_a_group_the_best_counts_or_the_first():
    for take, expected in (("best", 300), ("first", 200)):
        rules = terms(
            BASE, MEMBER_DAY | {"group": "festive", "priority": 5}, SALE | {"group": "festive"},
            groups=[{"key": "festive", "take": take}],
        )  # fmt: skip
        assert points(rules, Basket(10000, MONDAY, "member")) == expected


def test_a_rule_of_a_group_that_gives_nothing_leaves_the_place_to_another():
    rules = terms(
        BASE,
        MEMBER_DAY | {"group": "festive", "priority": 5, "when": {"brands": ["A"]}},
        SALE | {"group": "festive"},
        groups=[{"key": "festive", "take": "first"}],
    )
    basket = Basket(10000, MONDAY, "member", (Slice(10000, brand="B"),))
    assert points(rules, basket) == 300


@pytest.mark.parametrize(("stacking", "given"), [("add", 100 + 50 + 70), ("best", 100), ("first", 70)])
def test_rules_that_match_together_add_up_or_one_of_them_counts(stacking, given):
    rules = terms(
        BASE, {"key": "half", "kind": "per_amount", "per": "2"}, {"key": "gift", "kind": "fixed", "points": 70, "priority": 1},
        stacking=stacking,
    )  # fmt: skip
    assert points(rules, Basket(10000, MONDAY, "member")) == given


def test_caps_of_all_rules_together():
    rules = terms(BASE, {"key": "gift", "kind": "fixed", "points": 30}, caps={"per_order": 100, "per_day": 150})
    earned = earn(rules, Basket(10000, MONDAY, "member"), {"*": 90})
    assert earned.points == 90
    assert earned.why[-1] == {"rule": "cap", "points": "-40"}
    assert earned.counted == {"*": 90}


def test_a_limited_rule_gives_so_often_and_no_more():
    rules = terms({"key": "gift", "kind": "fixed", "points": 30, "limits": {"per_month": 2}})
    assert points(rules, Basket(100, MONDAY, "member"), {"gift#": 1}) == 30
    assert points(rules, Basket(100, MONDAY, "member"), {"gift#": 0}) == 0


@pytest.mark.parametrize(
    ("when", "basket", "applies"),
    [
        ({"days": [{"nth": 1, "weekday": 1}]}, Basket(100, MONDAY, "member"), True),
        ({"days": [{"nth": 2, "weekday": 1}]}, Basket(100, MONDAY, "member"), False),
        ({"days": [{"nth": -1, "weekday": 1}]}, Basket(100, date(2026, 6, 29), "member"), True),
        ({"days": [{"nth": -1, "weekday": 1}]}, Basket(100, date(2026, 6, 22), "member"), False),
        ({"days": [{"date": "2026-06-03"}, {"festival": "childrens_day"}]}, Basket(100, MONDAY, "member"), True),
        ({"days": [{"date": "2026-06-03", "before": 1}]}, Basket(100, MONDAY, "member"), False),
        ({"days": [{"date": "2026-06-03", "before": 2}]}, Basket(100, MONDAY, "member"), True),
        ({"days": [{"festival": "mid_autumn"}]}, Basket(100, date(2026, 9, 25), "member"), True),
        ({"days": [{"festival": "new_years_eve", "after": 1}]}, Basket(100, date(2026, 2, 17), "member"), True),
        ({"days": [{"festival": "new_year", "before": 2}]}, Basket(100, date(2026, 12, 30), "member"), True),
        ({"hours": [14, 15]}, Basket(100, MONDAY, "member", hour=15), True),
        ({"hours": [14, 15]}, Basket(100, MONDAY, "member", hour=16), False),
        ({"nth_purchases": [2]}, Basket(100, MONDAY, "member", number=2), True),
        ({"nth_purchases": [2]}, Basket(100, MONDAY, "member", number=3), False),
        ({"birthday": "week"}, Basket(100, MONDAY, "member", birthday=(6, 7, False)), True),
        ({"birthday": "week"}, Basket(100, MONDAY, "member", birthday=(5, 31, False)), False),
        ({"min_amount": "2", "min_amount_of": "paid"}, Basket(100, MONDAY, "member", paid=200), True),
        ({"min_amount": "2", "min_amount_of": "before_discounts"}, Basket(100, MONDAY, "member", gross=199), False),
        ({"min_amount": "0.6", "min_amount_of": "goods", "brands": ["A"]},
         Basket(100, MONDAY, "member", (Slice(59, brand="A"), Slice(41, brand="B"))), False),
        ({"min_amount": "0.5", "min_amount_of": "goods", "brands": ["A"]},
         Basket(100, MONDAY, "member", (Slice(59, brand="A"), Slice(41, brand="B"))), True),
        ({"min_pieces": 3}, Basket(100, MONDAY, "member", (Slice(59, pieces=2), Slice(41, product="b", pieces=1))), True),
        ({"min_pieces": 4}, Basket(100, MONDAY, "member", (Slice(59, pieces=2), Slice(41, product="b", pieces=1))), False),
    ],
)  # fmt: skip
def test_a_rule_applies_when_all_it_names_holds(when, basket, applies):
    rules = terms({"key": "gift", "kind": "fixed", "points": 7, "when": when})
    assert points(rules, basket) == (7 if applies else 0)


def test_a_budget_gives_what_it_has():
    rules = terms(BASE | {"budget": {"points": 1000}}, MEMBER_DAY)
    earned = earn(rules, Basket(10000, MONDAY, "member"), {}, draw=lambda rule, wanted: min(wanted, 30))
    assert earned.points == 60  # what the budget gives is multiplied like any other
    assert earned.drawn == {"base": 30}


SIGN_IN = {
    "key": "sign", "kind": "activity", "activity": "check_in", "points": 2, "limits": {"per_day": 1},
    "streaks": [{"days": 3, "points": 5}, {"days": 7, "points": 20}],
}  # fmt: skip


@pytest.mark.parametrize(("streak", "given"), [(1, 2), (2, 2), (3, 7), (6, 7), (7, 22), (21, 22)])
def test_streaks_add_on_each_full_row(streak, given):
    assert reward(terms(SIGN_IN), "check_in", Basket(0, MONDAY, "member"), {}, streak, None).points == given


def test_an_activity_past_its_limit_gives_nothing_and_says_so():
    told = reward(terms(SIGN_IN), "check_in", Basket(0, MONDAY, "member"), {"sign#": 0}, 0, None)
    assert (told.points, told.why) == (0, [{"rule": "sign", "points": "0", "code": "limit"}])


@st.composite
def charters(draw) -> list[dict]:
    """Rules of every kind, with caps, groups and goods."""
    found = []
    for i in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["per_amount", "per_item", "fixed", "multiply"]))
        rule = {"key": f"r{i}", "kind": kind, "points": draw(st.integers(0, 50))}
        if kind == "per_amount":
            rule |= {"per": str(draw(st.integers(1, 30))), "whole": draw(st.booleans())}
        if kind == "multiply":
            rule |= {"times": str(draw(st.sampled_from(["0.5", "1.5", "2", "3.33"])))}
        when = {}
        if draw(st.booleans()):
            when["brands"] = [draw(st.sampled_from("AB"))]
        if draw(st.booleans()):
            when["min_amount"] = str(draw(st.integers(0, 80)))
        rule["when"] = when
        if draw(st.booleans()):
            rule["caps"] = {"per_order": draw(st.integers(0, 60))}
        if draw(st.booleans()):
            rule |= {"group": "g", "priority": draw(st.integers(-2, 2))}
        found.append(rule)
    return found


@given(
    rules=charters(),
    how=st.tuples(st.sampled_from(["floor", "half_up", "ceil"]), st.sampled_from(["order", "line"]),
                  st.sampled_from(["multiply", "best", "add"]), st.sampled_from(["add", "best", "first"]),
                  st.sampled_from(["best", "first"])),
    amounts=st.lists(st.integers(0, 9000), min_size=1, max_size=4),
)  # fmt: skip
def test_what_is_said_adds_up_to_what_is_given_under_any_charter(rules, how, amounts):
    from decimal import Decimal

    rounding, per, multipliers, stacking, take = how
    grouped = sum("group" in r for r in rules) > 1
    made = terms(
        *[r if grouped else {k: v for k, v in r.items() if k != "group"} for r in rules],
        rounding=rounding, round_per=per, multipliers=multipliers, stacking=stacking,
        groups=[{"key": "g", "take": take}] if grouped else [],
    )  # fmt: skip
    slices = tuple(Slice(n, product=str(i), brand="ABC"[i % 3], pieces=i + 1) for i, n in enumerate(amounts))
    earned = earn(made, Basket(sum(amounts), MONDAY, "member", slices), {})
    assert earned.points >= 0
    assert abs(sum(Decimal(row["points"]) for row in earned.why) - earned.points) < Decimal("0.0001")
