"""Several tenders on one basket: who pays what, in which order, and to whom goods that come back are refunded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.charter.document import CharterInvalid
from shuke.engine.charter.selling import TENDERS, every
from shuke.engine.checkout import PricedLine
from shuke.engine.checkout.returning import Back, by_money, returned
from tests.engine.checkout.till import line, off, reasons, ring, terms


def test_cards_pay_one_after_the_other_then_stored_value_then_money():
    priced = ring(
        terms(),
        line("a", 100),
        line("f", 10, freight=True),
        gift_cards=[("G1", 30), ("G2", 50)],
        member={"stored_value_minor": 2000},
        stored_value_minor="most",
    )
    assert off(priced) == {"G1": 3000, "G2": 5000, "stored_value": 2000}
    assert (priced.gift_cards, priced.discount, priced.due) == (8000, 0, 1000)
    assert [dict(one.gift_cards) for one in priced.lines] == [{"G1": 2727, "G2": 4546}, {"G1": 273, "G2": 454}]
    assert (
        priced.applied[0].reason.say(priced.applied[0].name, "CNY") == "Gift card G1 pays ¥30.00; ¥0.00 are left on it."
    )


def test_nothing_is_taken_from_a_card_once_all_is_paid():
    priced = ring(terms(), line("a", 20), gift_cards=[("G1", 30), ("G2", 50)])
    assert off(priced) == {"G1": 2000}
    assert reasons(priced) == {"G2": "nothing_to_pay"}


def test_a_card_that_is_empty_or_not_known_says_so():
    priced = ring(terms(), line("a", 20), gift_cards=[("G1", 0)], ask_cards=["G1", "G9"])
    assert reasons(priced) == {"G1": "card_empty", "G9": "card_refused"}
    assert priced.due == 2000


def test_the_charter_says_the_order_of_the_tenders_and_may_leave_one_out():
    asked = {"gift_cards": [("G1", 50)], "member": {"stored_value_minor": 8000}, "stored_value_minor": "most"}
    turned = ring(terms(order=["points", "stored_value", "gift_cards"]), line("a", 100), **asked)
    assert off(turned) == {"stored_value": 8000, "G1": 2000}
    without = ring(terms(order=["points", "stored_value"]), line("a", 100), **asked)
    assert off(without) == {"stored_value": 8000}
    assert reasons(without) == {"G1": "step_off"}


@pytest.mark.parametrize("order", [["gift_cards", "points"], ["stored_value", "coupons", "gift_cards"]])
def test_means_of_payment_come_last(order):
    with pytest.raises(CharterInvalid) as error:
        terms(order=order)
    assert [fault.code for fault in error.value.faults] == ["tender_last"]


def test_back_to_names_each_tender_once():
    with pytest.raises(CharterInvalid):
        terms(back_to=["cash", "cash"])


FIGURE = st.integers(0, 50_000)
LINES = st.lists(st.tuples(st.integers(1, 7000), FIGURE, FIGURE, FIGURE, FIGURE, FIGURE), min_size=1, max_size=4)
BACK_TO = st.lists(st.sampled_from(TENDERS), unique=True, max_size=4).map(tuple)


def basket(figures):
    return tuple(
        PricedLine(str(i), q, due + money + stored + a + b, (), money, money * 3, stored, due, (("A", a), ("B", b)))
        for i, (q, due, money, stored, a, b) in enumerate(figures)
    )


def tenders(back: Back) -> list[int]:
    cards = dict(back.gift_cards)
    return [back.due, back.points, back.points_amount, back.stored_value, cards.get("A", 0), cards.get("B", 0)]


@settings(max_examples=300, deadline=None)
@given(LINES, BACK_TO, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3000)), max_size=12), st.randoms())
def test_parts_in_any_order_add_up_to_what_each_tender_paid(figures, back_to, steps, shuffle):
    lines = basket(figures)
    rest = [(one.key, one.quantity) for one in lines]
    shuffle.shuffle(rest)
    cumulative = dict.fromkeys((one.key for one in lines), 0)
    before, total = Back(), [0] * 6
    for key, quantity in [(str(i % len(lines)), q) for i, q in steps] + rest:
        bought = next(one.quantity for one in lines if one.key == key)
        cumulative[key] = min(bought, cumulative[key] + quantity)
        after = returned(lines, cumulative, back_to)
        step = tenders(after.minus(before))
        assert min(step) >= 0
        total = [t + s for t, s in zip(total, step, strict=True)]
        before = after
    assert total == [sum(f) for f in zip(*[(d, 3 * m, m, s, a, b) for _, d, m, s, a, b in figures], strict=True)]


@given(LINES, BACK_TO.filter(bool), st.integers(0, 200_000))
def test_a_refund_known_in_money_is_that_much_money(figures, back_to, refunded):
    lines = basket(figures)
    paid = sum(one.due for one in lines)
    back = by_money(lines, refunded, back_to)
    assert back.due == min(refunded, paid)
    whole = returned(lines, {one.key: one.quantity for one in lines}, back_to)
    for tender, (got, most) in zip(
        ("points", "stored_value"),
        ((back.points_amount, whole.points_amount), (back.stored_value, whole.stored_value)),
        strict=True,
    ):
        before_cash = every(back_to).index(tender) < every(back_to).index("cash")
        assert got == (most if before_cash and back.due else 0)
