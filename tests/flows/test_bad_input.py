"""What must never go through: a stable code and a sentence in both languages each, nothing lost, nothing half done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.engine.charter.document import CharterInvalid
from shuke.flows import checkout
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, gifts
from shuke.loyalty.actions.gifts import GiftWrong
from shuke.loyalty.queries import stored as money
from tests.loyalty.books import CHARTER, NOW, member, order, publish, refund, take
from tests.loyalty.stored import STORED, do
from tests.loyalty.till import basket

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(lan):
    publish(lan.merchant, CHARTER | {"stored": STORED, "selling": {"points": {"share": 50}}})
    return lan.merchant


@pytest.fixture
def ann(shop):
    who = member(shop)
    take(shop, who, order("a", 500, 3000))
    do(shop, who, "top_up", 1000)
    return who


def sound(shop):
    assert queries.verify(shop).findings == []


def hold(shop, who, key, yuan, now=NOW, **asks):
    engine, told = basket(yuan, **asks)
    return checkout.hold(merchant=shop, key=key, basket=engine, told=told, member_id=who, now=now, actor="t")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"points": 0}, "points"),
        ({"points": -5}, "points"),
        ({"cost_minor": -1}, "money"),
        ({"cash_minor": -1}, "money"),
    ],
)
def test_a_gift_that_costs_less_than_nothing(shop, values, code):
    with pytest.raises(GiftWrong) as wrong:
        gifts.save_gift(
            merchant=shop,
            code="x",
            values={"name_zh": "杯", "name_en": "Mug", "points": 1} | values,
            now=NOW,
            actor="t",
        )
    assert wrong.value.code == code
    assert wrong.value.say("zh") != wrong.value.say("en")


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"coupons": [{"key": "c", "kind": "amount", "amount": 20, "when": {"min_amount": 10}}]}, "selling.coupons.0.amount"),
        ({"offers": [{"key": "o", "kind": "ladder", "rungs": [{"at_least": 10, "off": 11}]}]}, "selling.offers.0.rungs.0.off"),
        ({"offers": [{"key": "o", "kind": "percent", "percent": 101}]}, "selling.offers.0.percent"),
        ({"prices": [{"key": "p", "price": -1}]}, "selling.prices.0.price"),
    ],
)  # fmt: skip
def test_a_charter_that_would_pay_for_buying(lan, part, place):
    named = {"name": {"zh": "规则", "en": "Rule"}}
    told = {k: [named | rule for rule in rules] for k, rules in part.items()}
    with pytest.raises(CharterInvalid) as error:
        publish(lan.merchant, CHARTER | {"selling": told})
    (fault,) = [f for f in error.value.faults if f.where == place]
    assert fault.code
    assert fault.say("zh") != fault.say("en")


def test_a_refund_larger_than_the_order_takes_no_more_than_the_order_gave(shop, ann):
    before = queries.balance(shop, ann, NOW).balance
    take(shop, ann, order("b", 505, 100))
    take(shop, ann, refund("R", "b", 506, 100_000))
    assert queries.balance(shop, ann, NOW).balance == before
    sound(shop)


@pytest.mark.parametrize("amount", [100.01, 1e6])
def test_more_cannot_come_back_than_was_paid_with(shop, ann, amount):
    paid = do(shop, ann, "spend", 100)
    answer = do(shop, ann, "return", amount, ref=paid.key)
    assert (answer.done, answer.code) == (False, "more_than_spent")
    held = hold(shop, ann, "b", 50, stored_value_minor="most")
    assert held.state == "open"
    checkout.capture(merchant=shop, key="b", order_event="", now=NOW, actor="t")
    with pytest.raises(checkout.CheckoutRefused) as refused:
        checkout.give_back(merchant=shop, key="b", return_key="r", quantities={"a": 1001}, now=NOW, actor="t")
    assert refused.value.code == "return_refused"
    sound(shop)


def test_a_hold_that_timed_out_pays_nothing_and_holds_nothing(shop, ann):
    before = (queries.balance(shop, ann, NOW).available, money.balance(shop, ann, NOW).available)
    hold(shop, ann, "b", 500, points=1000, stored_value_minor="most")
    late = NOW + HOUR
    with pytest.raises(checkout.CheckoutRefused) as over:
        checkout.capture(merchant=shop, key="b", order_event="", now=late, actor="t")
    assert (over.value.code, over.value.figures["state"]) == ("checkout_over", "timed_out")
    assert over.value.say("zh") != over.value.say("en")
    checkout.release_timed_out(merchant=shop, now=late)
    assert (queries.balance(shop, ann, late).available, money.balance(shop, ann, late).available) == before
    sound(shop)


def test_a_key_used_with_another_body_changes_nothing(shop, ann):
    hold(shop, ann, "b", 50, points=100)
    with pytest.raises(checkout.CheckoutRefused) as reused:
        hold(shop, ann, "b", 51, points=100)
    assert reused.value.code == "key_reused"
    actions.ask(merchant=shop, asks=[Ask("k", "burn", ann, 10)], now=NOW, actor="t")
    with pytest.raises(actions.KeyReused):
        actions.ask(merchant=shop, asks=[Ask("k", "burn", ann, 11)], now=NOW, actor="t")
    assert queries.balance(shop, ann, NOW).held == 100
    sound(shop)


@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(days=1), timedelta(days=400)])
def test_a_clock_set_back_loses_nothing(shop, ann, back):
    """A till, or the server, whose clock was put right: everything still adds up, and what was held is still held."""
    early = NOW - back
    held = hold(shop, ann, "b", 500, points=1000, stored_value_minor=20_000)
    assert held.state == "open"
    paid = do(shop, ann, "spend", 10, now=early)
    assert paid.done
    do(shop, ann, "top_up", 500, now=early)
    do(shop, ann, "return", 10, ref=paid.key, now=early)
    checkout.capture(merchant=shop, key="b", order_event="", now=early, actor="t")
    checkout.give_back(merchant=shop, key="b", return_key="r", quantities=None, now=early, actor="t")
    sound(shop)
    assert money.balance(shop, ann, NOW).principal == 150_000
    bonus = 13_000 if back < timedelta(days=365) else 10_000  # topped up so long ago, it has lapsed by now
    assert money.balance(shop, ann, NOW).bonus == bonus
    assert queries.balance(shop, ann, NOW).held == 0
