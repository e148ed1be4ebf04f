"""What the counter sells becomes an order: with goods at the till, by its amount alone, once, and given back in parts."""

from __future__ import annotations

import pytest

from shuke.loyalty import queries
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import stored
from shuke.orders.models import Order, Refund
from shuke.shops import queries as shops
from tests.loyalty.books import CHARTER, member, order, publish, take
from tests.loyalty.stored import STORED, do

HTMX = {"HX-Request": "true"}
GOODS = {"amount": ["60", "20.50", ""], "quantity": ["1", "2", ""], "code": ["A1", "竹蜻蜓", ""], "freight": "8"}


@pytest.fixture
def shop(lan):
    publish(lan.merchant, CHARTER | {"stored": STORED, "selling": {"points": {"share": 50}}})
    return lan


@pytest.fixture
def now(shop):
    return shops.now(shop.merchant)


@pytest.fixture
def ann(shop, now):
    """Some 500 points and 100.00 of stored value."""
    who = member(shop.merchant)
    days = (now - now.replace(year=2025, month=1, day=1)).days
    take(shop.merchant, who, order("a", days - 10, 500), now=now)
    do(shop.merchant, who, "top_up", 100, now=now)
    return who


@pytest.fixture
def at(see, shop, client):
    see(shop.assistant)

    def post(who, deed, language="en", **told):
        client.cookies["django_language"] = language
        return client.post(f"/counter/m/{who}/{deed}", {"token": "t1", **told}, headers=HTMX)

    return post


def holds(shop, who, now):
    one = queries.balance(shop.merchant, who, now)
    return one.available + one.pending - one.debt


def sold_here():
    return Order.objects.filter(store__code="XH")


def test_a_basket_is_booked_with_goods_freight_and_what_paid(at, shop, ann, now):
    asks = {**GOODS, "points": "100", "stored": "50", "paid_by": "wechat", "book": "1", "number": "0007"}
    due = at(ann, "till/price", **asks).context["priced"]["due"]
    assert due == 6_000 + 4_100 + 800 - 100 - 5_000
    done = [at(ann, "till/take", due=str(due), **asks) for _twice in range(2)]
    row = sold_here().get()
    assert (row.number, row.freight_minor, row.paid_minor, row.member_id) == ("0007", 800, due + 5_000, ann)
    assert dict(row.tenders) == {"wechat": due, "stored_value": 5_000, "points": 100}
    assert [(one.product and one.product.code, one.title) for one in row.orderline_set.order_by("position")] == [("A1", ""), (None, "竹蜻蜓")]  # fmt: skip
    earned = queries.earned_by_event(shop.merchant, ["order:pos:XH:0007"])["order:pos:XH:0007"]
    assert (
        earned == (row.net_minor * 10_100 + row.net_minor * 6_000) // 10_100 // 100
    )  # A1 is skin care to the catalogue
    for page in done:
        assert f"Booked: ¥58.00 in money, order 0007, {earned} points earned." in page.content.decode()
    # What was chosen last is chosen next time.
    assert at(ann, "till/price", do="lines", **GOODS).status_code == 200
    page = at(ann, "till/price", **{**GOODS, "book": "1", "paid_by": "wechat"}).content.decode()
    assert '<option value="wechat" selected>' in page


def test_unticked_the_order_is_left_to_the_cash_register(at, client, ann):
    at(ann, "till/take", **GOODS, due="10900", number="0008")
    assert (Checkout.objects.get().order_event, sold_here().count()) == ("order:pos:XH:0008", 0)
    assert 'name="book" value="1">' in client.get(f"/counter/m/{ann}/till").content.decode()  # and stays so


def test_an_amount_is_enough(at, shop, ann, now):
    before = holds(shop, ann, now)
    told = {"amount": "88.50", "paid_by": "alipay"}
    done = [at(ann, "purchase", **told).content.decode() for _twice in range(2)]
    row = sold_here().get()
    assert (row.paid_minor, row.line_count, row.tenders) == (8_850, 0, [["alipay", 8_850]])
    assert holds(shop, ann, now) == before + 88
    assert all(f"Booked: ¥88.50 in money, order {row.number}, 88 points earned." in page for page in done)
    assert "已入账" in at(ann, "purchase", "zh-hans", **told).content.decode()
    assert 'value="alipay" selected' in done[1]


def test_a_second_tab_is_asked_before_it_books_the_same(at, shop, ann):
    at(ann, "purchase", amount="88.50")
    page = at(ann, "purchase", amount="88.50", token="t2")
    assert (page.status_code, sold_here().count()) == (422, 1)
    assert "The same was booked for this member a moment ago" in page.content.decode()
    assert 'name="again"' in page.content.decode()
    at(ann, "purchase", amount="88.50", token="t3", again="1")
    assert sold_here().count() == 2
    at(ann, "till/take", **GOODS, due="10900", book="1", token="u1")
    page = at(ann, "till/take", **GOODS, due="10900", book="1", token="u2")
    assert (page.status_code, 'name="again"' in page.content.decode(), sold_here().count()) == (422, True, 3)


def test_part_of_an_amount_comes_back_to_the_cent(at, client, shop, ann, now):
    before = holds(shop, ann, now)
    at(ann, "purchase", amount="88.50")
    key = Checkout.objects.get().key
    assert "Amount that comes back" in client.get(f"/counter/m/{ann}/returns").content.decode()
    page = at(ann, "returns/take", basket=key, token="r1", **{"line:amount": "20.01"}).content.decode()
    assert "give ¥20.01 of money back" in page
    assert "¥68.49 of ¥88.50 left" in page
    assert at(ann, "returns/take", basket=key, token="r2", **{"line:amount": "68.50"}).status_code == 422
    assert at(ann, "returns/take", basket=key, token="r2", **{"line:amount": "much"}).status_code == 422
    row = sold_here().get()
    assert (row.refunded_minor, row.net_minor, Refund.objects.get().amount_minor) == (2_001, 6_849, 2_001)
    assert holds(shop, ann, now) == before + 68
    at(ann, "returns/take", basket=key, token="r3", **{"line:amount": "68.49"})
    assert holds(shop, ann, now) == before


def test_the_purchase_just_booked_is_taken_back(at, shop, ann, now):
    before = holds(shop, ann, now), stored.balance(shop.merchant, ann, now).available
    at(ann, "purchase", amount="88.50")
    key = Checkout.objects.get().key
    for _twice in range(2):
        assert "Taken back: give ¥88.50 of money back." in at(ann, "purchase/back", basket=key).content.decode()
    assert (holds(shop, ann, now), stored.balance(shop.merchant, ann, now).available) == before
    assert sold_here().get().net_minor == 0
    assert queries.verify(shop.merchant).findings == []


@pytest.mark.parametrize("odd", ["", "0", "-1", "abc", "99999999999", "1e3"])
def test_an_amount_that_is_none_is_said_and_stays(at, ann, odd):
    page = at(ann, "purchase", amount=odd)
    assert (page.status_code, "write an amount of money" in page.content.decode()) == (422, True)
    assert f'value="{odd}"' in page.content.decode()
    assert sold_here().count() == 0


def test_whoever_belongs_to_no_store_chooses_one_and_a_taken_receipt_is_said(see, shop, ann):
    client = see(shop.owner)
    page = client.post(f"/counter/m/{ann}/purchase", {"token": "t", "amount": "9"}, headers=HTMX)
    assert (page.status_code, "Choose the store" in page.content.decode()) == (422, True)
    told = {"amount": "9", "store": "JA", "number": "1"}
    assert client.post(f"/counter/m/{ann}/purchase", {"token": "t", **told}, headers=HTMX).status_code == 200
    told["amount"] = "10"
    page = client.post(f"/counter/m/{ann}/purchase", {"token": "u", **told}, headers=HTMX)
    assert (page.status_code, "has a basket already" in page.content.decode()) == (422, True)


def test_two_tills_spend_the_same_points_once_and_the_second_is_told_the_new_price(at, shop, ann, now):
    have = queries.balance(shop.merchant, ann, now).available
    asks = {"amount": ["900"], "quantity": [""], "code": [""], "points": str(have), "book": "1"}
    due = at(ann, "till/price", **asks).context["priced"]["due"]
    assert at(ann, "till/take", due=str(due), token="a", number="1", **asks).status_code == 200
    second = at(ann, "till/take", due=str(due), token="b", number="2", **asks)
    assert second.status_code == 422
    assert "The basket now costs ¥900.00" in second.content.decode()
    assert second.context["priced"]["due"] == 90_000  # and is shown, to be taken at once
    assert queries.balance(shop.merchant, ann, now).available == 0


def test_who_goes_back_in_the_browser_and_changes_the_basket_is_told_so_and_can_go_on(at, shop, ann):
    at(ann, "till/take", **GOODS, due="10900", book="1", token="t1")
    changed = {**GOODS, "amount": ["70", "20.50", ""]}
    page = at(ann, "till/take", **changed, due="10900", book="1", token="t1")
    assert (page.status_code, "This form was sent before" in page.content.decode()) == (422, True)
    assert (page.context["priced"]["due"], page.context["token"] != "t1") == (11_900, True)
    at(ann, "till/take", **changed, due="11900", book="1", token=page.context["token"])
    assert sold_here().count() == 2
