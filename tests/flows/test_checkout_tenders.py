"""One basket paid with points, two gift cards, stored value and money: held, captured, let go, and refunded to each."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations

import pytest

from shuke.connect.importers import sentence
from shuke.flows import checkout
from shuke.flows import stored as flow
from shuke.flows.imports.tally import problem_of
from shuke.flows.take_orders import take_orders
from shuke.loyalty import queries
from shuke.loyalty.actions import stored as actions
from shuke.loyalty.actions.stored import StoredRefused
from shuke.loyalty.models import Checkout, CodeTry
from shuke.loyalty.queries import stored as books
from shuke.members.models import TimelineLine
from shuke.orders.models import Order
from tests.flows.test_gift_cards import made, sell
from tests.flows.test_imports import report
from tests.flows.test_imports import take as imported
from tests.loyalty.books import CHARTER, NOW, member, order, publish, refund, take
from tests.loyalty.stored import STORED, do
from tests.loyalty.till import basket

LATER = NOW + timedelta(days=2)


@pytest.fixture
def shop(lan):
    publish(lan.merchant, CHARTER | {"stored": STORED, "selling": {"points": {"share": 50}}})
    return lan.merchant


@pytest.fixture
def ann(shop):
    who = member(shop)
    take(shop, who, order("a", 500, 300))
    do(shop, who, "top_up", 100)
    return who


@pytest.fixture
def cards(shop):
    """Two cards of 50.00, sold."""
    batch, told = made(shop, value=5_000)
    sell(shop, batch, 1, 2)
    return told


def hold(shop, who, key, *yuan, now=NOW, **asks):
    engine, told = basket(*yuan, **asks)
    return checkout.hold(
        merchant=shop, key=key, basket=engine, told=told, member_id=who, now=now, actor="till", callers=["till"]
    )


def capture(shop, key, event="", now=NOW):
    return checkout.capture(merchant=shop, key=key, order_event=event, now=now, actor="till")


def give_back(shop, key, return_key, lines, now=NOW):
    return checkout.give_back(
        merchant=shop, key=key, return_key=return_key, quantities=lines, now=now, actor="till"
    ).back


def on_card(shop, code):
    return flow.card_balance(merchant=shop, code=code, callers=["till"], now=NOW).balance.available


def everything(shop, who, cards):
    money = books.balance(shop, who, NOW)
    return (
        queries.balance(shop, who, NOW).available,
        on_card(shop, cards[0]),
        on_card(shop, cards[1]),
        money.available,
    )


def sound(shop):
    assert queries.verify(shop).findings == []


ALL = {"points": 400, "stored_value_minor": "most"}


def test_held_captured_and_refunded_in_parts_to_the_cent(shop, ann, cards):
    before = everything(shop, ann, cards)
    held = hold(shop, ann, "b1", 99.99, 200.01, gift_cards=cards[:2], **ALL)
    totals = held.priced["totals"]
    assert (totals["points_minor"], totals["gift_cards_minor"], totals["stored_value_minor"]) == (400, 10_000, 10_000)
    assert totals["due_minor"] == 9_600
    assert everything(shop, ann, cards) == (before[0] - 400, 0, 0, 0)
    sound(shop)
    capture(shop, "b1")
    sound(shop)
    back = {"points": 0, "cards": 0, "stored": 0, "due": 0}
    for i, lines in enumerate([{"a": 1000}, {"b": 333}, {"b": 333}, {"b": 334}]):
        told = give_back(shop, "b1", f"r{i}", lines)
        back["points"] += told["points"]
        back["cards"] += sum(card["amount_minor"] for card in told["gift_cards"])
        back["stored"] += told["stored_value_minor"]
        back["due"] += told["due_minor"]
        sound(shop)
    assert back == {"points": 400, "cards": 10_000, "stored": 10_000, "due": 9_600}
    assert everything(shop, ann, cards) == before


def test_the_charter_may_say_to_whom_first(lan):
    selling = {"points": {"share": 50}, "back_to": ["stored_value", "gift_cards", "points"]}
    publish(lan.merchant, CHARTER | {"stored": STORED, "selling": selling})
    batch, cards = made(lan.merchant, value=5_000)
    sell(lan.merchant, batch, 1, 2)
    who = member(lan.merchant)
    take(lan.merchant, who, order("a", 500, 300))
    do(lan.merchant, who, "top_up", 100)
    hold(lan.merchant, who, "b1", 120, 180, gift_cards=cards[:2], **ALL)
    capture(lan.merchant, "b1")
    first = give_back(lan.merchant, "b1", "r1", {"a": 1000})
    assert (first["stored_value_minor"], first["points"], first["due_minor"]) == (10_000, 0, 0)
    assert [card["amount_minor"] for card in first["gift_cards"]] == [2_000]
    last = give_back(lan.merchant, "b1", "r2", None)
    assert (last["stored_value_minor"], last["points"], last["due_minor"]) == (0, 400, 9_600)
    assert [card["amount_minor"] for card in last["gift_cards"]] == [3_000, 5_000]
    sound(lan.merchant)


@pytest.mark.parametrize("turn", list(permutations(range(3)))[::2])
def test_parts_in_any_order_end_alike(shop, ann, cards, turn):
    before = everything(shop, ann, cards)
    hold(shop, ann, "b1", 70, 80, gift_cards=cards[:2], points=400, stored_value_minor="most")
    capture(shop, "b1")
    parts = [{"a": 333}, {"b": 1000}, {"a": 667}]
    for place in turn:
        give_back(shop, "b1", f"r{place}", parts[place])
    assert everything(shop, ann, cards) == before
    sound(shop)


def test_let_go_or_forgotten_all_of_it_is_free_again(shop, ann, cards):
    before = everything(shop, ann, cards)
    hold(shop, ann, "b1", 300, gift_cards=cards[:2], **ALL)
    with pytest.raises(StoredRefused):  # the card cannot be emptied under the basket's feet
        flow.redeem_code(merchant=shop, code=cards[0], member_id=ann, key="x", callers=["t"], now=NOW, actor="t")
    checkout.release(merchant=shop, key="b1", now=NOW, actor="till")
    assert everything(shop, ann, cards) == before
    hold(shop, ann, "b2", 300, gift_cards=cards[:2], **ALL)
    assert checkout.release_timed_out(merchant=shop, now=NOW + timedelta(minutes=16)) == 1
    assert everything(shop, ann, cards) == before
    with pytest.raises(checkout.CheckoutRefused) as over:
        capture(shop, "b2", now=NOW + timedelta(minutes=17))
    assert over.value.code == "checkout_over"
    sound(shop)


def test_a_stranger_pays_with_a_card(shop, cards):
    held = hold(shop, None, "b1", 30, gift_cards=[cards[0]])
    assert held.priced["totals"]["due_minor"] == 0
    capture(shop, "b1")
    assert on_card(shop, cards[0]) == 2_000
    second = hold(shop, None, "b2", 30, gift_cards=[cards[0], cards[1]])
    assert [one["amount_minor"] for one in second.priced["applied"]] == [2_000, 1_000]
    sound(shop)


def test_no_code_is_kept_and_wrong_ones_count(shop, cards):
    held = hold(shop, None, "b1", 30, gift_cards=[cards[0], "K7QD-2222-3333-4444"])
    assert [one["reason"] for one in held.priced["inapplicable"]] == ["card_refused"]
    row = Checkout.objects.get(key="b1")
    kept = json.dumps([row.basket, row.priced, row.gift_cards], ensure_ascii=False)
    assert cards[0].replace("-", "")[:8] not in kept.replace("-", "")
    assert "…4444" in kept
    assert CodeTry.objects.count() == 1
    again = hold(shop, None, "b1", 30, gift_cards=[cards[0], "K7QD-2222-3333-4444"])
    assert again.replayed
    with pytest.raises(checkout.CheckoutRefused) as reused:  # another card is another basket
        hold(shop, None, "b1", 30, gift_cards=[cards[1]])
    assert reused.value.code == "key_reused"


def test_a_card_made_void_meanwhile_takes_nothing_back_and_says_so(shop, cards):
    hold(shop, None, "b1", 80, gift_cards=[cards[0]])
    capture(shop, "b1")
    card = books.find_card(shop, cards[0])
    actions.void_card(merchant=shop, card_id=card.pk, reason="lost", now=NOW, actor="t")
    with pytest.raises(checkout.CheckoutRefused) as refused:
        give_back(shop, "b1", "r1", None)
    assert refused.value.code == "return_refused"
    assert Checkout.objects.get(key="b1").returned_cards_minor == 0
    sound(shop)


REFUNDS = ["订单编号", "退款编号", "买家退款金额", "退款状态", "退款完结时间", "退款的申请时间", "宝贝标题"]
NUMBERS = ("700000000000000001", "700000000000000002")


def test_a_file_goes_on_past_a_refund_to_a_void_card(lan, shop, ann, cards, tmp_path):
    """The buyer has the money: the refund is booked, points and coupons come back, and the file says what the card cannot take."""
    before = queries.balance(shop, ann, LATER).available
    hold(shop, ann, "b1", 100, gift_cards=cards[:1], points=100)
    capture(shop, "b1", f"order:taobao:兰记护肤:{NUMBERS[0]}")
    take_orders(merchant=shop, orders=[order(n, 516, 99, person=None) for n in NUMBERS], now=LATER, actor="t")
    card = books.find_card(shop, cards[0])
    actions.void_card(merchant=shop, card_id=card.pk, reason="lost", now=NOW, actor="t")
    rows = [
        [number, f"R{n}", "99.00", "退款成功", "2026-06-03 10:00:00", "2026-06-02 10:00:00", "面霜"]
        for n, number in enumerate(NUMBERS)
    ]
    done = imported(lan, report(tmp_path / "refunds20260605.csv", rows, REFUNDS), now=LATER)
    assert (done.state, done.counts["refunds_new"], done.counts["rejected"]) == ("done", 2, 0)
    assert done.counts["odd"] == {"void_card": 1}
    (told,) = done.counts["examples"]["void_card"]
    said = sentence(problem_of(told), "en")
    assert NUMBERS[0] in said
    assert "50.00" in said
    assert cards[0][-4:] in said
    row = Checkout.objects.get(key="b1")
    assert (row.returned_cards_minor, row.returned_points) == (0, 100)
    assert queries.balance(shop, ann, LATER).available == before
    assert [o.refunded_minor for o in Order.objects.filter(number__in=NUMBERS)] == [9_900, 9_900]
    (line,) = TimelineLine.objects.filter(member_id=ann, kind="refund.not_given_back")
    assert (line.body["number"], line.body["amount_minor"]) == (NUMBERS[0], 5_000)
    assert "已作废" in line.body["why"]["zh"]
    sound(shop)
    again = imported(lan, report(tmp_path / "again20260606.csv", rows, REFUNDS), now=LATER)
    assert (again.counts["refunds_same"], again.counts["odd"]) == (2, {})


@pytest.mark.parametrize("documents", [["R1", "R2"], ["R2", "R1"], ["R2", "R1", "R2", "R1"]])
def test_refunds_of_the_archive_reach_every_tender_in_any_order(shop, ann, cards, documents):
    """The platform's order says 296.00 were paid: what was paid in advance is money there too."""
    before = everything(shop, ann, cards)
    hold(shop, ann, "b1", 300, gift_cards=cards[:2], **ALL)
    capture(shop, "b1", "order:taobao:兰记护肤:s")
    take_orders(merchant=shop, orders=[order("s", 516, 296, person=None)], now=LATER, actor="t")
    told = {"R1": refund("R1", "s", 517, 60), "R2": refund("R2", "s", 517.5, 236)}
    for name in documents:
        take_orders(merchant=shop, orders=[], refunds=[told[name]], now=LATER, actor="t")
    assert everything(shop, ann, cards) == before
    assert Checkout.objects.get(key="b1").returned_due_minor == 9_600
    sound(shop)
