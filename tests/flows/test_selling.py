"""A basket becomes an order here: once, earning as any order, met again by the list of the cash register, given back in parts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.engine.checkout import document as baskets
from shuke.engine.facts import Claim, IdentityKind, Line, Order, OrderStatus, Person, Refund
from shuke.flows import checkout, selling
from shuke.flows.checkout import CheckoutRefused
from shuke.flows.merge_members import merge
from shuke.flows.take_orders import take_orders
from shuke.loyalty import queries
from shuke.loyalty.models import Checkout, Entry
from shuke.loyalty.queries import stored as books
from shuke.members.models import Member, TimelineLine
from shuke.orders.actions import Outcome
from shuke.orders.models import Order as Row
from shuke.orders.models import Refund as Document
from shuke.shops.models import Store
from tests.loyalty.books import CHARTER, NOW, member, order, publish, take
from tests.loyalty.stored import STORED, do
from tests.loyalty.till import give, template

LATER = NOW + timedelta(days=20)
# One point per yuan of what is paid; skin care one more. No freight, no points.
RULES = CHARTER | {"stored": STORED, "selling": {"points": {"share": 50}}}


@pytest.fixture
def shop(lan):
    publish(lan.merchant, RULES)
    return lan.merchant


@pytest.fixture
def ann(shop):
    """500 points and more, 100.00 of stored value, a coupon of 10.00."""
    who = member(shop)
    take(shop, who, order("a", 480, 500))
    do(shop, who, "top_up", 100)
    template(shop)
    return who


def basket(lines=None, **asks):
    lines = lines or [
        {"key": "1", "sku": "A1", "title": "面霜", "category": "护肤/面霜", "quantity": "2", "price_minor": 6_000},
        {"key": "2", "title": "口红", "quantity": "1", "price_minor": 5_000},
        {"key": "f", "price_minor": 800, "freight": True},
    ]
    told = {"store": "XH", "platform": "pos", "lines": lines, "asks": asks}
    return baskets.basket(baskets.from_plain(told), "CNY"), told


def sell(shop, who, key="k1", *, lines=None, number="S-1", now=NOW, asks=None, **more):
    engine, told = basket(lines, **(asks or {}))
    return selling.hold_and_sell(
        merchant=shop, key=key, basket=engine, told=told, member_id=who, expect_due=None, callers=["till"], now=now,
        actor="till", **{"store": "XH", "number": number, "paid_by": "wechat", **more},
    )  # fmt: skip


def holds(shop, who, now=NOW):
    one = queries.balance(shop, who, now)
    return one.available + one.pending - one.debt


def sound(shop):
    assert queries.verify(shop).findings == []


def test_what_was_priced_is_what_is_booked_and_it_earns_as_any_order(shop, ann):
    before = holds(shop, ann)
    coupon = str(give(shop, ann)[0])
    sold = sell(shop, ann, asks={"coupons": [coupon], "points": 300, "stored_value_minor": 5_000})
    row = Row.objects.get(number="S-1")
    # 120 + 50 goods, 8 freight; 10 off by the coupon, 3 by points, 50 by stored value.
    assert (row.goods_minor, row.discount_minor, row.freight_minor) == (17_000, 1_000, 800)
    assert row.paid_minor == 17_800 - 1_000 - 300
    assert dict(row.tenders) == {"points": 300, "stored_value": 5_000, "wechat": row.paid_minor - 5_000}
    assert (row.member_id, row.store.code, row.status, row.net_minor) == (ann, "XH", OrderStatus.FINISHED, 15_700)
    lines = list(row.orderline_set.order_by("position"))
    assert [(one.quantity_milli, one.price_minor, one.discount_minor) for one in lines] == [(2000, 6_000, 706), (1000, 5_000, 294)]  # fmt: skip
    assert sum(one.amount_minor for one in lines) == 16_000
    # 157 yuan of goods in money; skin care is 112.94 of 160.00 of them: 157 × 0.705875 = 110.82
    assert sold.points == 157 + 110
    assert holds(shop, ann) == before - 300 + sold.points
    assert (sold.booked, sold.place.number) == (True, "S-1")
    sound(shop)


def test_the_same_key_sells_once_and_a_number_made_stays_the_same(shop, ann):
    first = sell(shop, ann, number="")
    again = sell(shop, ann, number="", now=NOW + timedelta(hours=9))
    assert (again.place, again.replayed, again.points) == (first.place, True, first.points)
    assert first.place.number.startswith("260601-")
    assert Row.objects.filter(store__code="XH").count() == 1
    with pytest.raises(CheckoutRefused) as refused:
        sell(shop, ann, number="S-2")
    assert refused.value.code == "other_order"
    assert Row.objects.filter(store__code="XH").count() == 1


def test_two_pages_that_sell_the_same_are_asked_about(shop, ann):
    sell(shop, ann, "tab1", number="", ask_twice=True)
    with pytest.raises(CheckoutRefused) as refused:
        sell(shop, ann, "tab2", number="", ask_twice=True, now=NOW + timedelta(minutes=1))
    assert refused.value.code == "sold_just_now"
    assert Checkout.objects.get(key="tab2").state == "released"
    sell(shop, ann, "tab3", number="", now=NOW + timedelta(minutes=1))
    sell(shop, ann, "tab4", number="", ask_twice=True, now=NOW + timedelta(minutes=9))
    assert Row.objects.filter(store__code="XH").count() == 3


def test_a_receipt_is_one_basket(shop, ann):
    sell(shop, ann)
    before = holds(shop, ann)
    with pytest.raises(CheckoutRefused) as refused:
        sell(shop, ann, "k2", lines=[{"price_minor": 900}], asks={"points": 100})
    assert refused.value.code == "order_taken"
    assert holds(shop, ann) == before


def exported(number="S-1", paid=17_800, **more):
    """The line of the cash register's list, weeks later: its own goods, no buyer."""
    lines = (Line("面霜 50ml", 2000, 12_000, "A1", category="护肤/面霜"), Line("口红", 1000, 5_000, "B1"))
    told = {"status": OrderStatus.FINISHED, "created_at": NOW, "paid_at": NOW, "paid_minor": paid, "freight_minor": 800,
            "lines": lines, "store_code": "XH", "stated_at": LATER}  # fmt: skip
    return Order("pos", "XH", number, **{**told, **more})


def test_the_list_of_the_cash_register_meets_the_same_order(shop, ann):
    sold = sell(shop, ann)
    had = holds(shop, ann)
    taken = take_orders(merchant=shop, orders=[exported()], now=LATER, actor="import")
    assert [one.outcome for one in taken.orders] == [Outcome.CHANGED]  # its titles and moments
    row = Row.objects.get(number="S-1")
    assert (row.member_id, row.paid_minor) == (ann, 17_800)
    event = f"order:pos:XH:{row.number}"
    assert queries.earned_by_event(shop, [event])[event] == sold.points
    assert holds(shop, ann, NOW) == had
    assert take_orders(merchant=shop, orders=[exported()], now=LATER, actor="import").same == 1
    sound(shop)


def test_what_the_list_told_first_is_not_told_again_and_gets_its_buyer(shop, ann):
    take_orders(merchant=shop, orders=[exported(stated_at=NOW)], now=NOW, actor="import")
    before = holds(shop, ann)
    sold = sell(shop, ann)
    row = Row.objects.get(number="S-1")
    assert (sold.booked, row.member_id) == (False, ann)
    assert row.orderline_set.get(position=0).title == "面霜 50ml"
    assert holds(shop, ann) == before + sold.points
    sound(shop)


@pytest.mark.parametrize("paid", [17_800, 9_900])
def test_a_number_of_another_sale_is_refused(shop, ann, paid):
    bob = Member.objects.get(pk=member(shop, 2))
    person = Person(claims=(Claim(IdentityKind.CARD, bob.card, "", True),)) if paid == 17_800 else None
    take_orders(merchant=shop, orders=[exported(paid=paid, person=person)], now=NOW, actor="import")
    before = holds(shop, ann)
    with pytest.raises(CheckoutRefused) as refused:
        sell(shop, ann, asks={"points": 100} if person else {})
    assert refused.value.code == ("order_of_another" if person else "order_differs")
    assert Checkout.objects.get().state == "released"
    assert holds(shop, ann) == before


def test_parts_come_back_and_take_along_what_those_goods_earned(shop, ann):
    had = holds(shop, ann), books.balance(shop, ann, NOW).available
    asks = {"points": 300, "stored_value_minor": 5_000}
    sold = sell(shop, ann, asks=asks)
    one = selling.take_back(merchant=shop, key="k1", return_key="r1", quantities={"1": 1000}, now=LATER, actor="till")
    again = selling.take_back(merchant=shop, key="k1", return_key="r1", quantities={"1": 1000}, now=LATER, actor="till")
    assert (again.replayed, again.back) == (True, one.back)
    row = Row.objects.get(number="S-1")
    document = Document.objects.get()
    assert (document.number, document.amount_minor, document.finished_at) == ("S-1-R1", row.refunded_minor, LATER)
    assert row.refunded_minor == one.back["due_minor"] + one.back["stored_value_minor"]
    assert row.orderline_set.get(position=0).refunded_minor == 6_000
    assert row.orderline_set.get(position=1).refunded_minor == 0
    # What is kept is worth 60 of skin care and 50 beside; its money earns, the points that paid for the rest are back.
    kept = row.net_minor
    assert (row.paid_minor, kept) == (17_500, 17_500 - 800 - row.refunded_minor)
    earned = (kept * 11_000 + kept * 6_000) // 11_000 // 100
    assert holds(shop, ann, LATER) == had[0] - 300 + one.back["points"] + earned
    sound(shop)
    selling.take_back(merchant=shop, key="k1", return_key="r2", quantities=None, now=LATER, actor="till")
    row.refresh_from_db()
    assert (row.status, row.net_minor, row.refunded_minor) == (OrderStatus.CLOSED_REFUNDED, 0, row.paid_minor)
    assert (sold.points > 0, books.balance(shop, ann, LATER).available) == (True, had[1])
    assert holds(shop, ann, NOW) == had[0]
    sound(shop)


def test_every_return_takes_the_points_of_its_own_goods_also_those_before_the_last(shop, ann):
    """290 points: two creams at 2 × 60 + 60 for being skin care, a lipstick 50. One cream goes on one day, the lipstick on the next."""
    assert sell(shop, ann).points == 290
    for day, quantities in enumerate([{"1": 1000}, {"2": 1000}]):
        selling.take_back(
            merchant=shop,
            key="k1",
            return_key=f"r{day}",
            quantities=quantities,
            now=LATER + timedelta(days=day),
            actor="till",
        )
    legs = Entry.objects.filter(merchant=shop, member=ann, account__in=["member", "debt"])
    taken: dict[str, int] = {}
    for event, amount in legs.filter(txn__event__startswith="refund:").values_list("txn__event", "amount"):
        name = event.rpartition(":")[2]
        taken[name] = taken.get(name, 0) + amount
    assert taken == {"S-1-R1": -120, "S-1-R2": -50}
    assert [len(one.lines) for one in Document.objects.order_by("number")] == [1, 1]
    sound(shop)


def test_a_list_that_knows_of_no_refund_takes_none_away(shop, ann):
    sell(shop, ann)
    selling.take_back(merchant=shop, key="k1", return_key="r1", quantities={"2": 1000}, now=NOW, actor="till")
    take_orders(merchant=shop, orders=[exported(refunded_minor=0)], now=LATER, actor="import")
    assert Row.objects.get(number="S-1").refunded_minor == 5_000
    # The list's own lines stand there now: the next return says the money, and leaves them.
    selling.take_back(merchant=shop, key="k1", return_key="r2", quantities={"1": 1000}, now=LATER, actor="till")
    row = Row.objects.get(number="S-1")
    assert (row.refunded_minor, row.orderline_set.get(position=0).title) == (11_000, "面霜 50ml")
    sound(shop)


def test_paid_with_points_alone_it_comes_back_whole(lan):
    publish(lan.merchant, CHARTER | {"selling": {"points": {}}})
    ann = member(lan.merchant)
    take(lan.merchant, ann, order("a", 480, 500))
    had = holds(lan.merchant, ann)
    sold = sell(
        lan.merchant, ann, lines=[{"sku": "A1", "category": "护肤", "price_minor": 200}], asks={"points": "most"}
    )
    assert (sold.held.priced["totals"]["due_minor"], sold.points, holds(lan.merchant, ann)) == (0, 0, had - 200)
    selling.take_back(merchant=lan.merchant, key="k1", return_key="r", quantities=None, now=NOW, actor="till")
    assert Row.objects.get(number="S-1").status == OrderStatus.CLOSED_REFUNDED
    assert holds(lan.merchant, ann) == had
    sound(lan.merchant)


def test_nobody_known_buys_too(shop):
    sold = sell(shop, None)
    row = Row.objects.get(number="S-1")
    assert (sold.points, row.member_id, row.paid_minor) == (0, None, 17_800)


def test_who_was_merged_buys_as_who_they_live_on_in(shop, ann):
    bob = member(shop, 2)
    engine, told = basket()
    checkout.hold(merchant=shop, key="m", basket=engine, told=told, member_id=bob, now=NOW, actor="till")
    merge(merchant=shop, survivor_id=ann, absorbed_id=bob, reason="same", now=NOW, actor="x")
    sold = selling.sell(merchant=shop, key="m", store="XH", number="M-1", now=NOW, actor="till")
    assert (Row.objects.get(number="M-1").member_id, sold.points > 0) == (ann, True)
    sound(shop)


def test_a_shop_without_a_street_store_gets_one_and_one_with_stores_is_asked(shop, mingde):
    with pytest.raises(CheckoutRefused) as refused:
        sell(shop, None, store="")
    assert refused.value.code == "store_missing"
    other = mingde.merchant
    Store.objects.filter(merchant=other, platform="pos").update(platform="taobao")
    publish(other, CHARTER)
    sold = sell(other, None, store="", number="")
    assert Row.objects.get(number=sold.place.number).store.name == other.name
    assert sell(other, None, store="", number="").replayed


def test_the_timeline_says_bought_and_refunded(shop, ann):
    sell(shop, ann)
    selling.take_back(merchant=shop, key="k1", return_key="r1", quantities={"2": 1000}, now=LATER, actor="till")
    kinds = list(TimelineLine.objects.filter(member_id=ann, ref="order:pos:XH:S-1").values_list("kind", flat=True))
    assert (kinds.count("order.paid"), kinds.count("order.refunded")) == (1, 1)


def test_a_refund_list_may_tell_more(shop, ann):
    sell(shop, ann)
    told = Refund("pos", "XH", "S-1", "POS-9", 5_000, LATER)
    take_orders(merchant=shop, orders=[], refunds=[told], now=LATER, actor="import")
    assert Row.objects.get(number="S-1").refunded_minor == 5_000
    sound(shop)
