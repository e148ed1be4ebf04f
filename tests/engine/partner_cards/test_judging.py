"""What rows of a spend file come to: sums do not depend on the order of files; the month's limit holds; nobody is guessed."""

from datetime import date
from itertools import count, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.partner_cards import terms as agreement
from shuke.engine.partner_cards.charging import Moved, statement
from shuke.engine.partner_cards.judging import Card, Spending, State, judge, reduce, restore
from shuke.engine.partner_cards.terms import BadTerms, Rule, Terms, points_of, rules_of, rules_text

JAN, FEB = date(2025, 1, 1), date(2025, 2, 1)
PLAIN = Terms(JAN, points=1, per_minor=100, price_micro=500_000)
ANN = b"ann"


def state(terms=(PLAIN,), **more):
    told = {"ends": None, "today": date(2025, 12, 31), "cards": {ANN: [Card(1, JAN, None)]}}
    return State(list(terms), **told | more)


def spent(n, amount, day=10, **more):
    told = {"card": ANN, "day": date(2025, 1, day)} | more
    return Spending(n, b"k%d" % n, amount=amount, **told)


def back(n, amount, of=None, day=20, **more):
    return spent(n, amount, day, gives_back=True, original=None if of is None else b"k%d" % of, **more)


def run(rows, told=None):
    told = told or state()
    ids = count(1)
    return [judge(told, row, lambda: next(ids)) for row in rows], told


def test_what_was_given_goes_with_what_comes_back():
    verdicts, _ = run([spent(1, 999), back(2, 500, of=1), back(3, 499, of=1), back(4, 1, of=1)])
    assert [(v.state, v.code, v.points) for v in verdicts] == [
        ("earned", "", 9), ("reversed", "", -5), ("reversed", "", -4), ("rejected", "too_much", 0),
    ]  # fmt: skip


def test_without_a_reference_the_latest_of_just_this_amount_came_back():
    verdicts, told = run([spent(1, 300, 1), spent(2, 500, 2), spent(3, 300, 3), spent(4, 900, 4), back(5, 300, day=5)])
    assert verdicts[-1].line is told.lines[b"k3"]
    # None is of this amount, so the latest large enough; what was spent later cannot have come back earlier.
    verdicts, told = run([spent(1, 300, 1), spent(2, 500, 2), spent(4, 900, 8), back(5, 400, day=5)])
    assert verdicts[-1].line is told.lines[b"k2"]
    assert run([spent(1, 300, 8), back(2, 300, day=5)])[0][-1].code == "no_original"


def test_a_return_may_bear_the_reference_of_what_it_returns():
    assert run([spent(1, 300), back(9, 300, perhaps=b"k1", card=b"other")])[0][-1].code == "other_card"
    assert run([spent(1, 300), back(9, 100, perhaps=b"k1")])[0][-1].points == -1


def test_the_same_row_again_is_no_other_and_a_changed_one_is_told():
    again = spent(1, 300)
    verdicts, _ = run([again, again, again._replace(amount=400), back(2, 100, of=1), back(2, 100, of=1)])
    assert [(v.state, v.code) for v in verdicts] == [
        ("earned", ""), ("same", ""), ("rejected", "other_before"), ("reversed", ""), ("same", ""),
    ]  # fmt: skip


def test_whose_card_it_was_that_day():
    cards = {
        b"old": [Card(1, JAN, date(2025, 1, 15)), Card(2, date(2025, 1, 15), None)],
        b"two": [Card(1, JAN, None), Card(2, date(2025, 1, 10), None)],
    }
    told = [
        spent(1, 100, 14, card=b"old"), spent(2, 100, 15, card=b"old"), spent(3, 100, 9, card=b"two"),
        spent(4, 100, 10, card=b"two"), spent(5, 100, card=b"nobody"), spent(6, 100, 1, card=b"old"),
    ]  # fmt: skip
    told[5] = told[5]._replace(day=date(2024, 12, 31))
    early = Terms(date(2024, 1, 1), 1, 100)
    verdicts, kept = run(told, state([early], cards=cards))
    assert [(v.state, v.code, v.line and v.line.member) for v in verdicts] == [
        ("earned", "", 1), ("earned", "", 2), ("earned", "", 1), ("unmatched", "ambiguous", None),
        ("unmatched", "not_enrolled", None), ("rejected", "before_enrolment", None),
    ]  # fmt: skip
    # What waits can come back too.
    assert run([back(7, 40, of=5, card=b"nobody")], kept)[0][0].state == "reversed"
    assert kept.lines[b"k5"].left == 60


def test_terms_hold_by_the_day_of_spending():
    told = state([PLAIN, Terms(FEB, 3, 100)], ends=date(2025, 3, 1))
    rows = [spent(n, 100)._replace(day=day) for n, day in enumerate((date(2024, 12, 31), date(2025, 1, 31), FEB, date(2025, 3, 1), date(2026, 1, 1)))]  # fmt: skip
    assert [(v.code, v.points) for v in run(rows, told)[0]] == [
        ("no_agreement", 0), ("", 1), ("", 3), ("no_agreement", 0), ("in_future", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("category", "points"),
    [("", 10), ("5411", 20), ("5813", 20), ("5815", 10), ("6011", 0), (" Fuel ", 50), ("58", 10)],
)
def test_categories(category, points):
    terms = Terms(JAN, 1, 100, rules=rules_of("5411,5812-5814=2；6011=0; fuel = 5"))
    assert points_of(terms, 1099, category) == points


def test_rules_as_text_and_back_and_what_they_cannot_be():
    rules = (Rule(("5411", "5812-5814"), 2), Rule(("6011",), 0))
    assert rules_of(rules_text(rules)) == rules
    for text in ("5411", "5411=x", "5411=-1", "5411=12345678"):
        with pytest.raises(BadTerms):
            rules_of(text)
    for wrong in (
        PLAIN._replace(points=0), PLAIN._replace(per_minor=0), PLAIN._replace(price_micro=-1), PLAIN._replace(month_most=0),
        PLAIN._replace(rules=(Rule((), 1),)), PLAIN._replace(rules=(Rule(("5411",), 1), Rule(("5411",), 2))),
        PLAIN._replace(rules=(Rule(("5814-5812",), 1),)),
    ):  # fmt: skip
        with pytest.raises(BadTerms):
            agreement.check(wrong)
    agreement.check(PLAIN._replace(points=0, rules=(Rule(("5411",), 1),)))


def test_the_month_gives_no_more_than_its_limit_in_whatever_order():
    rows = [spent(1, 700), spent(2, 800), back(3, 600, of=1), spent(4, 250)]
    for order in permutations(rows):
        if order.index(rows[0]) > order.index(rows[2]):
            continue  # what comes back needs what was spent
        verdicts, told = run(order, state([PLAIN._replace(month_most=10)]))
        assert sum(v.points for v in verdicts) == 10
        verdicts, told = run([back(5, 250, of=4), back(6, 800, of=2)], told)
        assert [m.posted for m in told.months.values()] == [1]


MOVES = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 900), st.integers(0, 1)), max_size=25)


@given(MOVES, st.none() | st.integers(1, 30), st.randoms(use_true_random=False))
def test_points_of_a_month_are_those_of_what_is_left_within_the_limit(moves, most, random):
    terms = PLAIN._replace(month_most=most, rules=(Rule(("double",), 2),))
    told, ids = state([terms]), count(1)
    total = 0
    keys = []
    for n, (which, amount, double) in enumerate(moves):
        if which < 2 or not keys:
            keys.append(n)
            row = spent(n, amount, category="double" if double else "")
        else:
            row = back(n, amount, of=random.choice(keys))
        total += judge(told, row, lambda: next(ids)).points
        full = sum(points_of(terms, line.left, line.category) for line in told.lines.values())
        assert total == (full if most is None else min(most, full))
    # Taken back and restored: the same sum again, never below 0.
    lines = list(told.lines.values())
    was = [line.left for line in lines]
    gone = sum(reduce(told, line, line.left) for line in lines)
    assert gone == total
    assert sum(restore(told, line, left) for line, left in zip(lines, was, strict=True)) == total


@given(
    st.lists(st.tuples(st.integers(-500, 900), st.integers(0, 3_000_000)), max_size=12), st.integers(-(10**6), 10**6)
)
def test_a_statement_says_what_is_owed_to_the_unit_and_carries_the_rest(told, carried):
    moved = [Moved("given", 24300, price, 1, points) for points, price in told]
    made = statement(moved, carried)
    assert made.due == sum(minor for _, minor in made.lines)
    assert made.due * 10**6 + made.carry_micro == sum(p * c for p, c in told) + carried
    assert abs(made.carry_micro) <= 500_000
