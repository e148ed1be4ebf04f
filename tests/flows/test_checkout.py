"""The till: the dry run and the real thing, hold, capture, release, time-out, and what comes back."""

from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.flows import checkout
from shuke.flows.checkout import CheckoutRefused
from shuke.flows.take_orders import take_orders
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.coupons import batches
from shuke.loyalty.models import Checkout, Coupon, CouponTally
from shuke.loyalty.queries import coupons as stored
from tests import cast
from tests.loyalty.books import CHARTER, START, member, order, take
from tests.loyalty.till import SELLING, basket, give, open_till, template

pytestmark = pytest.mark.django_db
NOW = START + timedelta(days=20)


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_till(merchant)
    return merchant


@pytest.fixture
def ann(shop):
    """A gold member with 1,230 points."""
    who = member(shop)
    take(shop, who, order("a", 1, 900))
    return who


def price(shop, who, *yuan, at=None, now=NOW, **asks):
    return checkout.price(merchant=shop, basket=basket(*yuan, **asks)[0], member_id=who, now=now, at=at)


def hold(shop, who, key, *yuan, now=NOW, minutes=15, expect_due=None, **asks):
    engine, told = basket(*yuan, **asks)
    return checkout.hold(
        merchant=shop, key=key, basket=engine, told=told, member_id=who, minutes=minutes, expect_due=expect_due, now=now, actor="till",
    )  # fmt: skip


def capture(shop, key, event="order:pos:XH:1", now=NOW):
    return checkout.capture(merchant=shop, key=key, order_event=event, now=now, actor="till")


def back(shop, key, return_key, quantities=None, now=NOW):
    told = checkout.give_back(
        merchant=shop, key=key, return_key=return_key, quantities=quantities, now=now, actor="till"
    )
    return told.back


def points(shop, who, now=NOW):
    told = queries.balance(shop, who, now)
    return told.available, told.held


def refused(code, call, *arguments, **more):
    with pytest.raises(CheckoutRefused) as caught:
        call(*arguments, **more)
    assert caught.value.code == code


def sound(shop):
    assert queries.verify(shop).findings == []


def test_the_dry_run_and_the_real_thing_say_the_same(shop, ann):
    template(shop)
    (coupon,) = give(shop, ann)
    asks = {"coupons": [str(coupon)], "points": 1000}
    tried = price(shop, ann, 100, 50, **asks)
    assert points(shop, ann) == (1230, 0)
    held = hold(shop, ann, "k1", 100, 50, **asks)
    assert {k: v for k, v in held.priced.items() if k != "search"} == {
        k: v for k, v in tried.to_plain().items() if k != "search"
    }
    # 150.00, gold price 7.50 off, coupon 10.00 off, 1,000 points pay 10.00.
    assert held.priced["totals"]["due_minor"] == 12250
    assert points(shop, ann) == (230, 1000)
    assert stored.one(shop, coupon).state == "held"
    sound(shop)


def test_what_is_held_is_not_there_for_another_basket(shop, ann):
    template(shop)
    (coupon,) = give(shop, ann)
    hold(shop, ann, "k1", 100, coupons=[str(coupon)], points=1000)
    other = price(shop, ann, 100, coupons=[str(coupon)], points=1000)
    assert other.points == 230
    assert [(x.ref, x.reason.code) for x in other.inapplicable] == [(str(coupon), "not_open")]


def test_capture_spends_and_names_the_order(shop, ann):
    template(shop)
    (coupon,) = give(shop, ann)
    hold(shop, ann, "k1", 100, coupons=[str(coupon)], points=1000)
    done = capture(shop, "k1")
    assert (done.state, done.order_event) == ("captured", "order:pos:XH:1")
    assert points(shop, ann) == (230, 0)
    assert stored.one(shop, coupon).state == "redeemed"
    assert capture(shop, "k1").replayed
    refused("other_order", capture, shop, "k1", "order:pos:XH:2")
    refused("checkout_over", checkout.release, merchant=shop, key="k1", now=NOW, actor="till")
    hold(shop, ann, "k2", 10)
    refused("order_taken", capture, shop, "k2")
    sound(shop)


def test_release_and_time_out_give_everything_free_again(shop, ann):
    template(shop)
    (coupon,) = give(shop, ann)
    asks = {"coupons": [str(coupon)], "points": 1000}
    hold(shop, ann, "k1", 100, **asks)
    checkout.release(merchant=shop, key="k1", now=NOW, actor="till")
    assert checkout.release(merchant=shop, key="k1", now=NOW, actor="till").replayed
    assert points(shop, ann) == (1230, 0)
    hold(shop, ann, "k2", 100, **asks, minutes=5)
    later = NOW + timedelta(minutes=5)
    refused("checkout_over", capture, shop, "k2", now=later)
    assert checkout.release_timed_out(merchant=shop, now=later) == 1
    assert checkout.release_timed_out(merchant=shop, now=later) == 0
    assert points(shop, ann, later) == (1230, 0)
    assert stored.one(shop, coupon).state == "open"
    assert Checkout.objects.get(key="k2").state == "timed_out"
    refused("checkout_over", capture, shop, "k2", now=later)
    sound(shop)


def test_a_key_means_one_basket_for_ever(shop, ann):
    first = hold(shop, ann, "k1", 100, points=100)
    again = hold(shop, ann, "k1", 100, points=100)
    assert again.replayed
    assert again.priced == first.priced
    refused("key_reused", hold, shop, ann, "k1", 101, points=100)
    assert points(shop, ann) == (1130, 100)
    capture(shop, "k1")
    assert hold(shop, ann, "k1", 100, points=100).state == "captured"


def test_at_another_price_than_expected_nothing_is_held(shop, ann):
    refused("price_changed", hold, shop, ann, "k1", 100, points=100, expect_due=9999)
    assert points(shop, ann) == (1230, 0)
    assert not Checkout.objects.exists()
    hold(shop, ann, "k1", 100, points=100, expect_due=9400)


def test_a_dry_run_at_any_date_uses_the_charter_and_the_coupons_of_that_date(shop, ann):
    template(shop, valid={"days": 7})
    (coupon,) = give(shop, ann)
    from tests.loyalty.books import NOW as ISSUED

    week = price(shop, ann, 100, now=ISSUED, at=ISSUED + timedelta(days=7), coupons=[str(coupon)])
    month = price(shop, ann, 100, now=ISSUED, at=ISSUED + timedelta(days=30), coupons=[str(coupon)])
    assert [x.ref for x in week.applied if x.step == "coupons"] == [str(coupon)]
    assert [x.reason.code for x in month.inapplicable if x.step == "coupons"] == ["expired"]


def prices(priced):
    return [x.ref for x in priced.applied if x.step == "tier_price"]


def test_the_tier_is_that_of_the_charter_in_force_and_of_the_moment(shop, ann):
    """The books keep the tier they were last written with: a charter since may call it otherwise, its time may be over."""
    bob = member(shop, 2)
    until = NOW + timedelta(days=5)
    actions.give_tier(merchant=shop, member_id=bob, tier="gold", until=until, reason="opening", now=NOW, actor="boss")
    assert prices(price(shop, ann, 100)) == prices(price(shop, bob, 100)) == ["gold_price"]
    assert prices(price(shop, bob, 100, now=until)) == []  # no night has run since
    tiers = [CHARTER["tiers"][0] | {"key": "basic"}, CHARTER["tiers"][1] | {"key": "sun"}]
    sun = SELLING | {"prices": [SELLING["prices"][0] | {"key": "sun_price", "when": {"tiers": ["sun"]}}]}
    actions.publish_charter(
        merchant=shop,
        charter=document.from_plain(CHARTER | {"tiers": tiers, "selling": sun}),
        effective_from=until,
        now=NOW,
        actor="boss",
    )
    assert prices(price(shop, ann, 100)) == ["gold_price"]
    assert prices(price(shop, ann, 100, now=until)) == ["sun_price"]
    assert queries.why_tier(shop, ann, until).tier == "sun"


def test_partial_returns_give_points_back_and_the_last_one_the_coupon(shop, ann):
    template(shop)
    (coupon,) = give(shop, ann)
    hold(shop, ann, "k1", 100, 50, coupons=[str(coupon)], points=1000)
    refused("not_captured", back, shop, "k1", "r0", {"a": 1000})
    capture(shop, "k1")
    one = back(shop, "k1", "r1", {"a": 500})
    two = back(shop, "k1", "r2", {"a": 500})
    assert [one["points"], two["points"]] == [334, 333]
    assert back(shop, "k1", "r1", {"a": 500}) == one  # told again: the same, once
    refused("key_reused", back, shop, "k1", "r1", {"a": 400})
    refused("return_refused", back, shop, "k1", "r3", {"a": 1})
    assert stored.one(shop, coupon).state == "redeemed"
    last = back(shop, "k1", "r3")
    assert last["coupons"] == [str(coupon)]
    assert one["due_minor"] + two["due_minor"] + last["due_minor"] == 12250
    assert points(shop, ann) == (1230, 0)
    assert stored.one(shop, coupon).state == "open"
    assert CouponTally.objects.get().spent_minor == 0
    sound(shop)


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        ({"returned": "keep"}, "redeemed"),
        ({"returned_grace_days": 0}, "redeemed"),
        ({"returned_grace_days": 7}, "open"),
    ],
)
def test_what_a_coupon_that_ran_out_meanwhile_becomes(shop, ann, policy, state):
    from tests.loyalty.books import NOW as ISSUED

    template(shop, valid={"days": 7}, **policy)
    (coupon,) = give(shop, ann)
    hold(shop, ann, "k1", 100, coupons=[str(coupon)], now=ISSUED)
    capture(shop, "k1", now=ISSUED)
    back(shop, "k1", "r", now=ISSUED + timedelta(days=20))
    again = stored.one(shop, coupon)
    assert again.state == state
    if state == "open":
        assert again.valid_until > ISSUED + timedelta(days=27)
    sound(shop)


def test_refunds_of_the_archive_give_back_in_proportion_whatever_their_order(shop, ann):
    template(shop)
    (coupon,) = give(shop, ann)
    hold(shop, ann, "k1", 100, coupons=[str(coupon)], points=1000)
    capture(shop, "k1", "order:taobao:兰记护肤:s")  # 75.00 are due

    def refunded(minor, minutes):
        told = order(
            "s", 20, 75, lines=None, person=None, refunded_minor=minor, stated_at=NOW + timedelta(minutes=minutes)
        )
        return take_orders(merchant=shop, orders=[told], now=NOW, actor="x").returns

    assert [one.back["points"] for one in refunded(2500, 2)] == [333]
    assert refunded(2500, 3) == ()
    assert refunded(1000, 1) == ()  # late news of less
    assert [one.back["points"] for one in refunded(7500, 4)] == [667]
    assert refunded(7500, 5) == ()
    assert points(shop, ann) == (1230, 0)
    assert stored.one(shop, coupon).state == "open"
    sound(shop)


def test_codes_work_for_bearers_and_bad_ones_all_get_the_same_answer(shop, ann):
    bob = member(shop, 2)
    template(shop, "flyer", codes="unique")
    template(shop, "spring", codes="shared", limits={"per_member": 1})
    coupons.make_shared_code(merchant=shop, key="spring", code="SPRING20", now=NOW, actor="t")
    batch = coupons.begin_batch(merchant=shop, key="flyer", count=2, label="", now=NOW, actor="t")
    coupons.make_codes(batch_id=batch.pk, now=NOW)
    batch.refresh_from_db()
    free, taken = batches.codes_of(batch)
    coupons.claim(merchant=shop, member_id=bob, now=NOW, actor="t", found=stored.find_code(shop, taken))
    priced = price(shop, ann, 100, coupons=[free, taken, "SPRING20", "WRONG123"])
    assert {x.ref: x.amount for x in priced.applied if x.step == "coupons"} == {free: 1000, "SPRING20": 1000}
    assert {(x.ref, x.reason.code) for x in priced.inapplicable} == {
        (taken, "code_refused"),
        ("WRONG123", "code_refused"),
    }
    hold(shop, None, "anonymous", 100, coupons=[free])
    capture(shop, "anonymous", "")
    used = price(shop, ann, 100, coupons=[free])
    assert [x.reason.code for x in used.inapplicable] == ["code_refused"]
    hold(shop, ann, "k", 100, coupons=["SPRING20"])
    assert [x.reason.code for x in price(shop, ann, 100, coupons=["SPRING20"]).inapplicable] == ["code_refused"]
    assert Coupon.objects.filter(member_id=ann, key="spring", state="held").count() == 1
    sound(shop)


def test_a_code_told_twice_is_one_coupon_however_it_is_typed(shop, ann):
    template(shop, "flyer", codes="unique", limits={"per_order": 2})
    template(shop, "spring", codes="shared", limits={"per_order": 2})
    coupons.make_shared_code(merchant=shop, key="spring", code="SPRING20", now=NOW, actor="t")
    batch = coupons.begin_batch(merchant=shop, key="flyer", count=1, label="", now=NOW, actor="t")
    coupons.make_codes(batch_id=batch.pk, now=NOW)
    batch.refresh_from_db()
    (code,) = batches.codes_of(batch)
    for told in ([code, code.lower()], ["SPRING20", "spring-20"]):
        priced = price(shop, ann, 100, coupons=told)
        assert [(x.ref, x.amount) for x in priced.applied if x.step == "coupons"] == [(told[0], 1000)]
        assert [(x.ref, x.reason.code) for x in priced.inapplicable] == [(told[1], "not_held")]


def test_after_ten_bad_codes_good_ones_are_not_looked_at_either(shop, ann):
    template(shop, "spring", codes="shared")
    coupons.make_shared_code(merchant=shop, key="spring", code="SPRING20", now=NOW, actor="t")

    def ask(*told, caller="ip:1"):
        engine = basket(100, coupons=list(told))[0]
        return checkout.price(merchant=shop, basket=engine, member_id=ann, now=NOW, callers=[caller])

    ask(*(f"WRONG{n:03}" for n in range(10)))
    assert [x.reason.code for x in ask("SPRING20").inapplicable] == ["try_later"]
    assert [x.step for x in ask("SPRING20", caller="ip:2").applied] == ["tier_price", "coupons"]


def test_a_budget_stops_hard(shop, ann):
    template(shop, limits={"budget": 25})
    held = give(shop, ann, number=3)
    for n, coupon in enumerate(held[:2]):
        hold(shop, ann, f"k{n}", 100, coupons=[str(coupon)])
    left = price(shop, ann, 100, coupons=[str(held[2])])
    assert [x.reason.code for x in left.inapplicable] == ["budget_exhausted"]
    checkout.release(merchant=shop, key="k0", now=NOW, actor="t")
    assert price(shop, ann, 100, coupons=[str(held[2])]).discount == 1500
    sound(shop)


def test_the_refund_of_an_order_gives_back_what_its_basket_used(shop, ann):
    """Through the very path of a file: the order comes, then the refund, then the same file again."""
    from shuke.flows.take_orders import take_orders
    from tests.loyalty.books import refund

    template(shop)
    (coupon,) = give(shop, ann)
    hold(shop, ann, "k1", 100, coupons=[str(coupon)], points=1000)
    bought = order("b", 20, 75)
    event = f"order:{bought.platform}:{bought.shop}:{bought.number}"
    capture(shop, "k1", event)

    def arrive(*refunds):
        take_orders(merchant=shop, orders=[bought], refunds=refunds, now=NOW + timedelta(days=9), actor="import")

    arrive()
    assert points(shop, ann) == (230, 0)
    arrive(refund("r1", "b", 25, 25))
    assert Checkout.objects.get(key="k1").returned_points == 333
    arrive(refund("r1", "b", 25, 25))
    arrive(refund("r2", "b", 26, 50))
    row = Checkout.objects.get(key="k1")
    assert (row.returned_points, row.returned_due_minor) == (1000, 7500)
    assert stored.one(shop, coupon).state == "open"
    sound(shop)


@pytest.mark.parametrize("first", ["order", "capture"])
def test_a_charter_may_count_what_points_and_coupons_paid(db, first):
    """Whichever comes first, the order or the till's word how it was paid."""
    from tests.loyalty.books import CHARTER, publish
    from tests.loyalty.till import SELLING

    shop = cast.lan().merchant
    base = {**CHARTER["points"], "base": {"points": True, "coupons": True, "discounts": True}}
    publish(shop, CHARTER | {"selling": SELLING | {"points": {"share": 50}}, "points": base})
    who = member(shop)
    take(shop, who, order("a", 1, 900))
    template(shop)
    (coupon,) = give(shop, who)
    hold(shop, who, "k1", 100, coupons=[str(coupon)], points=1000)
    bought = order("b", 20, 75)  # 5 off for gold, 10 by the coupon, 10 with points: 75 of 100 in money
    event = f"order:{bought.platform}:{bought.shop}:{bought.number}"
    if first == "order":
        take(shop, who, bought, now=NOW + timedelta(days=1))
    capture(shop, "k1", event)
    take(shop, who, bought, now=NOW + timedelta(days=1))
    # 100 and 33 for skin care, each × 1.5 for gold
    assert queries.earned_by_event(shop, [event]) == {event: 199}
    sound(shop)
