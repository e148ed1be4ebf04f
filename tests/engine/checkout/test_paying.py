"""Points as money with all their caps, stored value, and what comes back with returned goods."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.checkout import PricedLine
from shuke.engine.checkout.returning import Back, ReturnRefused, by_money, returned
from tests.engine.checkout.till import line, off, reasons, ring, terms


@pytest.mark.parametrize(
    ("pay", "ask", "points", "money", "cap"),
    [
        ({}, 500, 500, 500, ""),
        ({}, "most", 3000, 3000, ""),
        ({}, 9000, 3000, 3000, "available"),
        ({"most": 800}, 1000, 800, 800, "most"),
        ({"share": 5}, 1000, 500, 500, "share"),
        ({"step": 100}, 550, 500, 500, "step"),
        ({"worth": "0.003"}, 1000, 1000, 300, ""),
        ({"worth": "0.003"}, 1001, 1000, 300, ""),  # the last point would buy nothing
        ({"worth": "1"}, "most", 100, 10000, ""),  # never more than is due
    ],
)
def test_points_pay_up_to_their_caps(pay, ask, points, money, cap):
    priced = ring(terms(points=pay), line("a", 60), line("b", 40), member={"points": 3000}, points=ask)
    assert (priced.points, priced.points_amount) == (points, money)
    assert priced.due == 10000 - money
    assert sum(x.points for x in priced.lines) == points
    (applied,) = priced.applied
    assert dict(applied.reason.figures).get("cap", "") == cap


@pytest.mark.parametrize(
    ("selling", "member", "code"),
    [
        ({}, {"points": 500}, "points_off"),
        ({"points": {"least": 1000}}, {"points": 999}, "no_points"),
        ({"points": {"min_order": 100.01}}, {"points": 999}, "order_too_small"),
        ({"points": {"without": {"products": ["A"]}}}, {"points": 999}, "nothing_to_pay"),
        ({"points": {"not_with": ["offers"]}, "offers": [{"key": "o", "kind": "amount", "amount": 1}]}, {"points": 9}, "excluded_by"),
        ({"points": {"worth": "0.003"}}, {"points": 3}, "no_points"),
    ],
)  # fmt: skip
def test_why_points_do_not_pay(selling, member, code):
    priced = ring(terms(**selling), line("a", 100, sku="A"), member=member, points="most")
    assert reasons(priced) == {"points": code}
    assert priced.points == 0


def test_freight_is_paid_with_points_only_where_the_charter_says_so():
    goods = [line("a", 10), line("f", 5, freight=True)]
    member = {"points": 5000}
    assert ring(terms(points={}), *goods, member=member, points="most").due == 500
    assert ring(terms(points={"freight": True}), *goods, member=member, points="most").due == 0


def test_stored_value_pays_last_and_is_no_discount():
    priced = ring(
        terms(offers=[{"key": "o", "kind": "percent", "percent": 10}]),
        line("a", 100),
        line("f", 10, freight=True),
        member={"stored_value_minor": 5000},
        stored_value_minor=9000,
    )
    assert off(priced) == {"o": 1000, "stored_value": 5000}
    assert priced.discount == 1000
    assert priced.due == 5000
    assert priced.applied[-1].reason.code == "stored_value_capped"


# ---- returns ---------------------------------------------------------------------------------------------------------

BASKET = (
    PricedLine("a", 3000, 10000, (("o", 1000), ("c1", 777)), 223, 301, 1000, 7000),
    PricedLine("b", 1000, 999, (("o", 99),), 0, 0, 0, 900),
    PricedLine("f", 1000, 1000, (), 0, 0, 0, 1000),
)


def test_the_worked_return_of_the_handbook():
    """One of three pieces, then another, then the last."""
    parts = [returned(BASKET, {"a": n}) for n in (1000, 2000, 3000)]
    assert [(p.due, p.points, p.points_amount, p.stored_value) for p in parts] == [
        (2333, 100, 74, 333),
        (4667, 201, 149, 667),
        (7000, 301, 223, 1000),
    ]
    assert parts[2].minus(parts[1]) == Back(2333, 100, 74, 333, (("c1", 259), ("o", 333)))


def test_more_than_was_bought_or_something_else_is_refused():
    with pytest.raises(ReturnRefused, match=r"3 were bought; 3\.001 cannot come back"):
        returned(BASKET, {"a": 3001})
    with pytest.raises(ReturnRefused, match="no line z"):
        returned(BASKET, {"z": 1})


FIGURE = st.integers(0, 100_000)
PRICED = st.lists(
    st.builds(
        lambda q, due, points, money, stored, offs: (q, due, points, money, stored, offs),
        st.integers(1, 7000), FIGURE, FIGURE, FIGURE, FIGURE, st.lists(FIGURE, max_size=3),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PRICED, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3000)), max_size=15), st.randoms())
def test_any_sequence_of_partial_returns_adds_up_to_the_cent(figures, steps, shuffle):
    lines = tuple(
        PricedLine(str(i), q, due + money + stored + sum(offs), tuple((f"d{n}", o) for n, o in enumerate(offs)), money, points, stored, due)
        for i, (q, due, points, money, stored, offs) in enumerate(figures)
    )  # fmt: skip
    cumulative = dict.fromkeys((x.key for x in lines), 0)
    before, total = Back(), [0, 0, 0, 0]
    rest = [(x.key, x.quantity) for x in lines]
    shuffle.shuffle(rest)
    for key, quantity in [(str(i % len(lines)), q) for i, q in steps] + rest:  # at the end everything is back
        bought = next(x.quantity for x in lines if x.key == key)
        cumulative[key] = min(bought, cumulative[key] + quantity)
        after = returned(lines, cumulative)
        step = after.minus(before)
        assert (
            min(step.due, step.points, step.points_amount, step.stored_value, 0, *(d for _, d in step.discounts)) == 0
        )
        total = [
            t + s for t, s in zip(total, (step.due, step.points, step.points_amount, step.stored_value), strict=True)
        ]
        before = after
    assert total == [
        sum(x.due for x in lines), sum(x.points for x in lines), sum(x.points_amount for x in lines), sum(x.stored_value for x in lines),
    ]  # fmt: skip
    assert dict(before.discounts) == {
        ref: amount
        for ref in {r for x in lines for r, _ in x.discounts}
        if (amount := sum(dict(x.discounts).get(ref, 0) for x in lines))
    } | {r: 0 for x in lines for r, a in x.discounts if not sum(dict(y.discounts).get(r, 0) for y in lines)}


@given(st.lists(st.integers(0, 9000), max_size=6))
def test_refunds_known_only_in_money_give_back_in_proportion_and_end_whole(refunds):
    back = Back()
    for refunded in [*refunds, 8900]:
        step = by_money(BASKET, max(refunded, back.due)).minus(back)
        assert min(step.points, step.points_amount, step.stored_value, 0) == 0
        back = by_money(BASKET, max(refunded, back.due))
    assert (back.points, back.points_amount, back.stored_value) == (301, 223, 1000)
