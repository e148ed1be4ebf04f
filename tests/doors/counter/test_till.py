"""The till at the counter: priced first, taken at that price, refused in words, taken back whole or part by part."""

from __future__ import annotations

import pytest

from shuke.loyalty import queries
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import stored
from shuke.loyalty.queries.coupons import held_by_member
from shuke.shops import queries as shops
from tests.flows.test_gift_cards import made, sell
from tests.loyalty import partners
from tests.loyalty.books import CHARTER, member, order, publish, take
from tests.loyalty.stored import STORED, do
from tests.loyalty.till import give, template

GOODS = {"amount": ["60", "20.50", ""], "quantity": ["1", "2", ""], "code": ["", "", ""]}  # 101.00

ODD_QUANTITIES = [
    "many",
    "-1",
    "0",
    "0.000",
    "1.2345",
    "1e3",
    "NaN",
    "Infinity",
    "٣",
    "9" * 30,
    "1000000",
    "1_0",
    "+1",
    ".5",
]


@pytest.fixture
def shop(lan):
    publish(lan.merchant, CHARTER | {"stored": STORED, "selling": {"points": {"share": 50}}})
    return lan


@pytest.fixture
def now(shop):
    return shops.now(shop.merchant)


@pytest.fixture
def ann(shop, now):
    """500 points, 100.00 of stored value, a coupon of 10.00."""
    who = member(shop.merchant)
    days = (now - now.replace(year=2025, month=1, day=1)).days
    take(shop.merchant, who, order("a", days - 100, 500), now=now)
    do(shop.merchant, who, "top_up", 100, now=now)
    template(shop.merchant)
    give(shop.merchant, who)
    return who


@pytest.fixture
def cards(shop):
    """Two cards of 50.00, sold."""
    batch, told = made(shop.merchant, value=5_000)
    sell(shop.merchant, batch, 1, 2)
    return told


@pytest.fixture
def at(see, shop, client):
    see(shop.assistant)

    def post(who, deed, language="en", **told):
        client.cookies["django_language"] = language
        return client.post(f"/counter/m/{who}/till/{deed}", {"token": "t1", **GOODS, **told})

    return post


def have(shop, who, now):
    merchant = shop.merchant
    return queries.balance(merchant, who, now).available, stored.balance(merchant, who, now).available


def test_all_that_pays_is_shown_first_taken_once_and_comes_back_whole(at, shop, ann, cards, now):
    coupon = held_by_member(shop.merchant, ann, now)[0].pk
    before = have(shop, ann, now)
    asks = {"coupon": [str(coupon)], "points": "100", "cards": " ".join(cards[:2]), "stored_most": "1", "number": "S-9"}
    shown = at(ann, "price", **asks)
    page = shown.content.decode()
    assert (shown.status_code, shown["Cache-Control"].count("no-store")) == (200, 1)
    assert (have(shop, ann, now), Checkout.objects.count()) == (before, 0)
    due = shown.context["priced"]["due"]
    assert page.index("100 points pay") < page.index("Gift card …") < page.index("¥0.00 received")
    for _twice in range(2):
        done = at(ann, "take", due=str(due), **asks)
        assert (done.status_code, "Done: ¥0.00 in money" in done.content.decode()) == (200, True)
    row = Checkout.objects.get()
    assert (row.state, row.order_event, row.points, row.gift_cards_minor) == ("captured", "order:pos:XH:S-9", 100, 9000)
    assert cards[0] not in done.content.decode()  # what is as good as money does not stay on the screen
    back = at(ann, "back", basket=row.key)
    assert "Taken back: give ¥0.00 of money back" in back.content.decode()
    assert have(shop, ann, now) == before
    assert "已退回" in at(ann, "back", language="zh-hans", basket=row.key).content.decode()


def test_whoever_is_not_known_pays_with_gift_cards_and_a_wrong_code_is_said(at, cards, now):
    page = at(0, "price", cards=f"{cards[0]} NOSUCHCARD").content.decode()
    assert "pays ¥50.00" in page
    assert "…CARD cannot be used" in page
    assert "不可用" in at(0, "price", language="zh-hans", cards="NOSUCHCARD").content.decode()
    done = at(0, "take", cards=cards[0], due="5100")
    assert "Done: ¥51.00 in money" in done.content.decode()


def test_at_another_price_nothing_is_taken(at, ann):
    told = at(ann, "take", points="100", due="10100")
    assert (told.status_code, "costs ¥100.00, not ¥101.00" in told.content.decode()) == (422, True)
    assert Checkout.objects.count() == 0


def test_what_cannot_be_read_is_named_and_what_was_written_stays(at):
    for told, said in [
        ({"amount": ["", "", ""]}, "Write what is bought"),
        ({"amount": ["abc", "", ""]}, "line 1: write an amount of money"),
        ({"amount": ["-5", "", ""]}, "line 1: write an amount of money"),
        ({"amount": ["9" * 20, "", ""]}, "line 1: write an amount of money"),
        ({"amount": ["9" * 40, "", ""]}, "line 1: write an amount of money"),
        *(({"quantity": [odd, "7", ""]}, "line 1: write a quantity above zero") for odd in ODD_QUANTITIES),
        (
            {"quantity": ["999999", "7", ""], "amount": ["9999999999", "1", ""]},
            "line 1: quantity × amount is more than",
        ),
        ({"points": "some"}, "Points: write a whole number"),
        ({"points": "٣"}, "Points: write a whole number"),
        ({"stored": "1e9x"}, "stored value: write an amount of money"),
    ]:
        page = at(0, "price", **told)
        assert (page.status_code, said in page.content.decode()) == (422, True), said
        assert 'value="20.50"' in page.content.decode() or "amount" in told


def test_a_receipt_belongs_to_a_store(see, shop, cards):
    page = see(shop.owner).post("/counter/m/0/till/take", {**GOODS, "cards": cards[0], "number": "S-1", "token": "t"})
    assert (page.status_code, "Choose the store" in page.content.decode()) == (422, True)


def test_more_lines_and_somebody_who_may_only_look(at, see, shop, ann):
    assert at(ann, "price", do="lines").content.decode().count('name="amount"') == 6
    client = see(shop.auditor)
    assert "You may look" in client.get(f"/counter/m/{ann}/till").content.decode()
    assert client.post(f"/counter/m/{ann}/till/take").status_code == 403


def test_points_of_the_coalition_pay_at_the_counter(at, shop, now):
    there = partners.merchants(1)[0]
    partners.together([shop.merchant, there], now=now)
    mine, theirs = partners.person([shop.merchant, there], 5, now=now)
    days = (now - now.replace(year=2025, month=1, day=1)).days
    take(there, theirs, order("b", days - 50, 300), now=now)
    page = at(mine, "price", points_most="1", coalition="1").content.decode()
    assert "300 in the whole coalition" in page
    assert "300 points pay" in page
    assert "Coalition" not in at(mine, "price", points_most="1").content.decode()
    at(mine, "take", points_most="1", coalition="1", token="t2")
    assert queries.balance(there, theirs, now).available == 0


# ---- goods that come back ----------------------------------------------------------------------------------------


@pytest.fixture
def take_back(see, shop, client):
    see(shop.assistant)

    def post(who, language="en", **told):
        client.cookies["django_language"] = language
        key = Checkout.objects.get().key
        told = {"basket": key, "token": "r1", **{k.replace("_", ":"): v for k, v in told.items()}}
        return client.post(f"/counter/m/{who}/returns/take", told)

    return post


@pytest.fixture
def taken(at, shop, ann, cards, now):
    """1 × 60.00 and 2 × 20.50, paid with 100 points, a card of 50.00, and money."""
    asks = {"points": "100", "cards": cards[0], "number": "S-9"}
    had = have(shop, ann, now)
    due = at(ann, "price", **asks).context["priced"]["due"]
    assert at(ann, "take", due=str(due), **asks).status_code == 200
    return due, had


def test_parts_come_back_one_after_the_other_to_the_cent(take_back, client, shop, ann, taken, now):
    page = client.get(f"/counter/m/{ann}/returns").content.decode()
    assert "receipt S-9" in page
    assert "2 of 2 left" in page
    first = take_back(ann, line_2="1").content.decode()
    assert "Taken back: give" in first
    assert "went back to gift cards" in first
    assert "1 of 2 left" in first
    assert "已退货" in take_back(ann, language="zh-hans", token="r2", line_1="1").content.decode()
    last = take_back(ann, token="r3", line_2="1").content.decode()
    assert "has taken no basket" in last
    row = Checkout.objects.get()
    assert (row.returned_due_minor, row.returned_points, row.returned_cards_minor) == (taken[0], 100, 5_000)
    assert have(shop, ann, now) == taken[1]


def test_a_button_pressed_twice_takes_back_once(take_back, ann, taken):
    once, twice = (take_back(ann, line_2="1") for _ in range(2))
    assert (once.status_code, twice.status_code) == (200, 200)
    assert Checkout.objects.get().returned == {"2": 1000}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "write how much of which line"),
        ({"line_1": "0"}, "write how much of which line"),
        ({"line_1": "two"}, "such as 1 or 0.350"),
        ({"line_1": "-1"}, "such as 1 or 0.350"),
        ({"line_1": "2"}, "Of line 1 1 were bought; 2 cannot come back."),
    ],
)
def test_what_cannot_come_back_is_said_and_nothing_does(take_back, ann, taken, told, said):
    answer = take_back(ann, **told)
    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert Checkout.objects.get().returned == {}


def test_a_basket_is_found_by_its_receipt_and_by_nobody_elses_page(take_back, see, client, shop, ann, taken, mingde):
    other = member(shop.merchant, 2)
    assert "receipt S-9" in client.get("/counter/m/0/returns?number=S-9").content.decode()
    assert "No basket of this till has the receipt" in client.get("/counter/m/0/returns?number=S-8").content.decode()
    assert (
        "No basket of this till has the receipt"
        in client.get(f"/counter/m/{other}/returns?number=S-9").content.decode()
    )
    assert take_back(other, line_1="1").status_code == 404
    see(mingde.owner)
    assert take_back(0, line_1="1").status_code == 404
    assert Checkout.objects.get().returned == {}


def test_the_best_coupons_of_the_member_are_found(at, ann):
    assert at(ann, "price", best="1").context["priced"]["due"] == at(ann, "price").context["priced"]["due"] - 1_000
