"""Returns, whole: what was paid with points or a coupon, a gift, a friend's first order; in part, late, repeated, out of order.

Each story is told in several orders of arrival and must end in one and the same state.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction

from shuke.flows import checkout
from shuke.flows.take_orders import take_orders
from shuke.loyalty import queries
from shuke.loyalty.actions import gifts
from shuke.loyalty.models import Checkout, Coupon, CouponTally, Gift, GiftOrder
from shuke.orders.queries.archive import by_event
from tests.loyalty.books import CHARTER, NOW, member, order, publish, refund, take
from tests.loyalty.friends import bind, buy, day, got, have, open_shop, settle, someone
from tests.loyalty.till import basket, give, template

LATER = NOW + timedelta(hours=2)
EVENT = "order:taobao:兰记护肤:s"
Step = Callable[[], object]


class _Again(Exception):
    """What one telling did is taken back before the next."""


def told_in_every_order(tell: Callable[[tuple[str, ...]], object], names: tuple[str, ...]) -> set:
    """The states that the tellings end in: one, if arrival does not matter. Each begins where the shop stands now."""
    ends = set()
    for turn in permutations(names):
        try:
            with transaction.atomic():
                ends.add(tell(turn))
                raise _Again
        except _Again:
            pass
    return ends


def everything(shop) -> tuple:
    """The books' fingerprint, and what stands beside them: coupons, stock, baskets."""
    assert queries.verify(shop).findings == []
    return (
        queries.state_hash(shop),
        tuple(Coupon.objects.filter(merchant=shop).order_by("id").values_list("key", "state", "amount_minor")),
        tuple(CouponTally.objects.filter(merchant=shop).values_list("key", "held", "redeemed", "spent_minor")),
        tuple(Gift.objects.filter(merchant=shop).values_list("code", "stock")),
        tuple(GiftOrder.objects.filter(merchant=shop).order_by("key").values_list("key", "state", "returned")),
        tuple(
            Checkout.objects.filter(merchant=shop).values_list("key", "state", "returned_due_minor", "returned_points")
        ),
    )


# ---- a purchase paid with points and a coupon ------------------------------------------------------------------------


@pytest.fixture
def shop(lan):
    publish(lan.merchant, CHARTER | {"selling": {"points": {"share": 50}, "most_coupons": 2}})
    template(lan.merchant)
    return lan.merchant


def till(shop) -> tuple[int, Step]:
    """Ann with points and a coupon; 100.00 held for 10.00 by coupon and 5.00 by points: 85.00 are due."""
    ann = member(shop)
    take(shop, ann, order("a", 510, 900))
    (coupon,) = give(shop, ann)
    engine, told = basket(100, coupons=[str(coupon)], points=500)
    checkout.hold(merchant=shop, key="b", basket=engine, told=told, member_id=ann, now=NOW, actor="t", minutes=1440)
    return ann, lambda: checkout.capture(merchant=shop, key="b", order_event=EVENT, now=LATER, actor="t")


@pytest.mark.parametrize(
    ("second", "points", "coupon"),
    [(55, 500, "open"), (30, 353, "redeemed")],  # everything came back; 60.00 of 85.00 did
)
def test_points_and_coupon_of_a_refunded_purchase(shop, second, points, coupon):
    ann, capture = till(shop)

    def tell(turn):
        sold = order("s", 516, 85, lines=None)
        steps = {
            "capture": capture,
            "order": lambda: take(shop, ann, sold, now=LATER),
            "R1": lambda: take(shop, ann, refund("R1", "s", 516.18, 30), now=LATER),
            "R2": lambda: take(shop, ann, refund("R2", "s", 516.2, second), now=LATER),
        }
        for name in turn:
            steps[name]()
            follow(shop)
        for name in ("R2", "order", "R1"):  # an export that tells it all again
            steps[name]()
            follow(shop)
        row = Checkout.objects.get(merchant=shop)
        assert (row.returned_points, Coupon.objects.get(merchant=shop).state) == (points, coupon)
        return everything(shop)

    assert len(told_in_every_order(tell, ("capture", "order", "R1", "R2"))) == 1


def follow(shop) -> None:
    """What `take_orders` does after each chunk (books.take records and settles only)."""
    pk = by_event(shop, EVENT)
    ids = {EVENT: pk} if pk is not None else {}
    checkout.follow_orders(merchant=shop, orders=ids, now=LATER, actor="t")


def test_a_refund_told_before_the_till_says_whose_order_it_was(shop):
    """The platform is quicker than the till: order and refund are there, then the basket is captured."""
    _ann, capture = till(shop)
    take_orders(
        merchant=shop,
        orders=[order("s", 516, 85, person=None)],
        refunds=[refund("R", "s", 516.2, 85)],
        now=LATER,
        actor="t",
    )
    capture()
    row = Checkout.objects.get()
    assert (row.returned_points, row.returned_due_minor) == (500, 8500)
    assert Coupon.objects.get().state == "open"
    assert queries.verify(shop).findings == []


# ---- a gift ------------------------------------------------------------------------------------------------------------


def test_a_gift_that_comes_back_while_its_points_order_is_refunded(shop):
    ann = member(shop)
    take(shop, ann, order("a", 510, 900), order("b", 511, 200))
    same = {"merchant": shop, "now": NOW, "actor": "t"}
    gifts.save_gift(code="cup", values={"name_zh": "杯", "name_en": "Mug", "points": 300, "stock": 5}, **same)
    taken = gifts.order(member_id=ann, gift="cup", key="g", count=3, at_once=True, **same).order.pk

    def tell(turn):
        back = {"merchant": shop, "order_id": taken, "now": LATER, "actor": "t"}
        steps = {
            "one piece": lambda: gifts.give_back(key="g1", count=1, **back),
            "two pieces": lambda: gifts.give_back(key="g2", count=2, **back),
            "refund": lambda: take(shop, ann, refund("R", "a", 512, 900), now=LATER),
            "a late order": lambda: take(shop, ann, order("c", 505, 90), now=LATER),
        }
        for name in (*turn, *turn):  # everything is told twice
            steps[name]()
        assert Gift.objects.get(merchant=shop).stock == 5
        return everything(shop)

    assert len(told_in_every_order(tell, ("one piece", "two pieces", "refund", "a late order"))) == 1


def test_no_more_pieces_come_back_than_were_taken(shop):
    ann = member(shop)
    take(shop, ann, order("a", 510, 900))
    same = {"merchant": shop, "now": NOW, "actor": "t"}
    gifts.save_gift(code="cup", values={"name_zh": "杯", "name_en": "Mug", "points": 300, "stock": 5}, **same)
    taken = gifts.order(member_id=ann, gift="cup", key="g", at_once=True, **same).order
    assert gifts.give_back(order_id=taken.pk, key="g1", **same).done
    again = gifts.give_back(order_id=taken.pk, key="g1", **same)
    assert (again.done, again.replayed) == (True, True)
    more = gifts.give_back(order_id=taken.pk, key="g2", **same)
    assert (more.done, more.code) == (False, "not_handed_over")
    assert Gift.objects.get().stock == 5


# ---- the first order of a friend ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "reward"), [(150, 0), (20, 100), (60, 0)])  # all; little of it; below the least
def test_a_friends_first_order_refunded_before_the_reward(lan, amount, reward):
    open_shop(lan.merchant)
    ann, bob = someone(lan.merchant, 1), someone(lan.merchant, 2)
    bind(lan.merchant, bob, ann)

    def tell(turn):
        steps = {
            "order": lambda: buy(lan.merchant, bob, order("f", 40, 150)),
            "part": lambda: buy(lan.merchant, bob, refund("R1", "f", 41, amount / 2)),
            "rest": lambda: buy(lan.merchant, bob, refund("R2", "f", 42, amount / 2)),
        }
        for name in (*turn, turn[0]):
            steps[name]()
        settle(lan.merchant)
        settle(lan.merchant)
        assert have(lan.merchant, ann) == reward
        return everything(lan.merchant), tuple(sorted(kind for _, *kind in got(lan.merchant)) and ["paid"])

    assert len(told_in_every_order(tell, ("order", "part", "rest"))) == 1


def test_a_friends_first_order_refunded_after_the_reward_in_any_order(lan):
    open_shop(lan.merchant)
    ann, bob = someone(lan.merchant, 1), someone(lan.merchant, 2)
    bind(lan.merchant, bob, ann)
    buy(lan.merchant, bob, order("f", 40, 150), now=day(41))
    settle(lan.merchant, day(60))
    assert have(lan.merchant, ann, day(60)) == 100

    def tell(turn):
        steps = {
            "part": lambda: buy(lan.merchant, bob, refund("R1", "f", 70, 30)),
            "rest": lambda: buy(lan.merchant, bob, refund("R2", "f", 71, 120)),
            "another order": lambda: buy(lan.merchant, bob, order("g", 45, 10)),
        }
        for name in (*turn, *turn):
            steps[name]()
        settle(lan.merchant)
        assert got(lan.merchant) == {}
        assert have(lan.merchant, ann) == 0
        return everything(lan.merchant)

    assert len(told_in_every_order(tell, ("part", "rest", "another order"))) == 1
