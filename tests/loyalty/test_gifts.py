"""Points for gifts: price, stock, limits; held, handed over, cancelled, forgotten, returned; once per key."""

from datetime import timedelta

import pytest

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import KeyReused, gifts
from shuke.loyalty.actions.gifts import REFUSALS, GiftWrong
from shuke.loyalty.models import Gift, GiftOrder
from shuke.loyalty.queries import gifts as shown
from tests.loyalty.books import START, member, order, publish, refund, take

NOW = START + timedelta(days=20)
CUP = {"name_zh": "马克杯", "name_en": "Mug", "points": 300, "cash_minor": 990, "cost_minor": 1500, "stock": 5}


@pytest.fixture
def shop(lan):
    publish(lan.merchant)
    save(lan, "cup", CUP)
    return lan


@pytest.fixture
def buyer(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("a", 1, 900), now=NOW)  # 1,230 points
    return who


def save(shop, code, values):
    return gifts.save_gift(merchant=shop.merchant, code=code, values=values, now=START, actor="lan.owner")


def ordered(shop, who, key="k1", gift="cup", now=NOW, **more):
    return gifts.order(
        merchant=shop.merchant, member_id=who, gift=gift, key=key, now=now, actor="lan.assistant", **more
    )


def points(shop, who, now=NOW):
    held = queries.balance(shop.merchant, who, now)
    return held.available, held.held


def stock(code="cup"):
    return Gift.objects.get(code=code).stock


def sound(shop):
    assert shown.stock_that_does_not_add_up(shop.merchant) == []
    assert queries.verify(shop.merchant).findings == []


def test_held_then_handed_over(shop, buyer):
    told = ordered(shop, buyer, count=2)
    assert (told.done, told.order.state, told.order.points, told.order.cash_minor) == (True, "held", 600, 1980)
    assert (points(shop, buyer), stock()) == ((630, 600), 3)
    done = gifts.hand_over(
        merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="lan.assistant", store=shop.street
    )
    assert (done.order.state, points(shop, buyer), stock()) == ("done", (630, 0), 3)
    assert gifts.hand_over(merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="x").replayed
    assert gifts.cancel(merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="x").code == "not_waiting"
    sound(shop)


def test_cancelled_both_come_back(shop, buyer):
    told = ordered(shop, buyer)
    gifts.cancel(merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="lan.assistant", because="改主意")
    assert (points(shop, buyer), stock()) == ((1230, 0), 5)
    assert gifts.cancel(merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="x").replayed
    assert stock() == 5
    assert gifts.hand_over(merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="x").code == "not_waiting"
    sound(shop)


def test_forgotten_both_come_back_at_the_end_of_the_last_day(shop, buyer):
    told = ordered(shop, buyer)
    last, after = told.order.until - timedelta(seconds=1), told.order.until
    assert f"{after.astimezone(shop.merchant.tz):%m-%d %H:%M}" == "01-29 00:00"
    assert gifts.lapse_orders(merchant=shop.merchant, now=last) == 0
    assert gifts.lapse_orders(merchant=shop.merchant, now=after) == 1
    assert gifts.lapse_orders(merchant=shop.merchant, now=after) == 0
    assert (points(shop, buyer, after), stock()) == ((1230, 0), 5)
    actions.run_clock(merchant=shop.merchant, now=after)
    assert gifts.cancel(merchant=shop.merchant, order_id=told.order.pk, now=after, actor="x").replayed
    sound(shop)


def test_too_late_at_the_counter_is_the_same_as_forgotten(shop, buyer):
    told = ordered(shop, buyer)
    late = gifts.hand_over(merchant=shop.merchant, order_id=told.order.pk, now=told.order.until, actor="x")
    assert (late.code, late.order.state, stock()) == ("not_waiting", "timed_out", 5)
    sound(shop)


def test_at_once_and_returned_piece_by_piece(shop, buyer):
    told = ordered(shop, buyer, count=3, at_once=True)
    assert (told.order.state, points(shop, buyer), stock()) == ("done", (330, 0), 2)
    back = gifts.give_back(merchant=shop.merchant, order_id=told.order.pk, key="r1", now=NOW, actor="x")
    assert (back.order.returned, back.order.state, points(shop, buyer), stock()) == (1, "done", (630, 0), 3)
    assert gifts.give_back(merchant=shop.merchant, order_id=told.order.pk, key="r1", now=NOW, actor="x").replayed
    assert points(shop, buyer) == (630, 0)
    broken = gifts.give_back(
        merchant=shop.merchant, order_id=told.order.pk, key="r2", count=2, restock=False, now=NOW, actor="x"
    )
    assert (broken.order.state, points(shop, buyer), stock()) == ("returned", (1230, 0), 3)
    assert gifts.give_back(
        merchant=shop.merchant, order_id=told.order.pk, key="r2", count=2, now=NOW, actor="x"
    ).replayed
    assert (
        gifts.give_back(merchant=shop.merchant, order_id=told.order.pk, key="r3", now=NOW, actor="x").code
        == "not_handed_over"
    )
    sound(shop)


def test_what_was_picked_up_can_come_back_too(shop, buyer):
    told = ordered(shop, buyer)
    gifts.hand_over(merchant=shop.merchant, order_id=told.order.pk, now=NOW, actor="x")
    assert gifts.give_back(merchant=shop.merchant, order_id=told.order.pk, key="r", now=NOW, actor="x").done
    assert (points(shop, buyer), stock()) == ((1230, 0), 5)
    sound(shop)


def test_a_key_is_one_order_for_ever(shop, buyer):
    first = ordered(shop, buyer)
    assert ordered(shop, buyer).order == first.order
    assert GiftOrder.objects.count() == 1
    with pytest.raises(KeyReused):
        ordered(shop, buyer, count=2)
    with pytest.raises(KeyReused):
        ordered(shop, member(shop.merchant, 2))
    refused = ordered(shop, buyer, "k2", count=9)
    assert refused.code == "out_of_stock"
    gifts.add_stock(merchant=shop.merchant, code="cup", amount=20, now=NOW, actor="x")
    again = ordered(shop, buyer, "k2", count=9)
    assert (again.code, again.say("en"), stock()) == ("out_of_stock", refused.say("en"), 24)


def test_every_refusal_leaves_stock_and_points_alone(shop, buyer):
    save(shop, "gold", {**CUP, "tiers": ["platinum"]})
    save(shop, "one", {**CUP, "per_member": 1})
    save(shop, "past", {**CUP, "until_at": NOW})
    save(shop, "soon", {**CUP, "from_at": NOW + timedelta(seconds=1)})
    save(shop, "off", {**CUP, "active": False})
    save(shop, "car", {**CUP, "points": 5000})
    ordered(shop, buyer, "first", "one")
    told = {
        code: ordered(shop, buyer, f"k{n}", gift, **more)
        for n, (code, gift, more) in enumerate(
            [
                ("not_this_tier", "gold", {}),
                ("limit", "one", {}),
                ("over", "past", {}),
                ("not_begun", "soon", {}),
                ("inactive", "off", {}),
                ("not_enough", "car", {}),
                ("out_of_stock", "cup", {"count": 6}),
                ("no_shipping", "cup", {"way": "ship"}),
                ("no_such_gift", "nothing", {}),
            ]
        )
    }
    for code, answer in told.items():
        assert (answer.done, answer.code) == (False, code)
        assert REFUSALS[code]
        assert answer.say("en") != answer.say("zh") != ""
    assert (points(shop, buyer), stock(), stock("car")) == ((930, 300), 5, 5)
    sound(shop)


def test_what_is_shown_says_why_not_before_anybody_asks(shop, buyer):
    save(shop, "car", {**CUP, "points": 5000})
    save(shop, "gone", {**CUP, "stock": 0})
    told = {o.gift.code: (o.code, o.missing) for o in shown.offers(shop.merchant, buyer, "gold", NOW)}
    assert told == {"cup": ("", 0), "gone": ("out_of_stock", 0), "car": ("not_enough", 3770)}


def test_a_donation_has_no_stock_and_says_who_it_goes_to(shop, buyer):
    with pytest.raises(GiftWrong, match="who"):
        save(shop, "school", {"kind": "donation", "name_zh": "捐赠", "name_en": "Donation", "points": 100})
    about = {"about_zh": "山区小学图书角", "about_en": "Books for a village school"}
    save(shop, "school", {"kind": "donation", "name_zh": "捐赠", "name_en": "Donation", "points": 100, **about})
    told = ordered(shop, buyer, gift="school", count=4)
    assert (told.order.state, points(shop, buyer)) == ("done", (830, 0))
    total = next(t for t in shown.totals(shop.merchant) if t.gift.code == "school")
    assert (total.done, total.points, total.members, total.gift.stock) == (4, 400, 1, None)


def test_stock_comes_in_is_corrected_and_never_below_nothing(shop):
    gifts.add_stock(merchant=shop.merchant, code="cup", amount=3, now=NOW, actor="x")
    gifts.add_stock(merchant=shop.merchant, code="cup", amount=-2, corrected=True, now=NOW, actor="x", remark="摔坏")
    assert stock() == 6
    for amount, corrected in ((-7, True), (0, True), (-1, False)):
        with pytest.raises(GiftWrong):
            gifts.add_stock(merchant=shop.merchant, code="cup", amount=amount, corrected=corrected, now=NOW, actor="x")
    sound(shop)


def test_stock_changed_behind_our_back_is_found(shop):
    Gift.objects.filter(code="cup").update(stock=99)
    assert shown.stock_that_does_not_add_up(shop.merchant) == [(Gift.objects.get(code="cup"), 5)]


def test_points_that_a_late_refund_takes_away_never_unmake_a_gift(shop, buyer):
    told = ordered(shop, buyer, count=4, at_once=True)
    take(shop.merchant, buyer, refund("r", "a", 21, 900), now=NOW + timedelta(days=2))
    assert told.order.state == "done"
    held = queries.balance(shop.merchant, buyer, NOW + timedelta(days=2))
    assert (held.available, held.debt) == (0, 1200)
    sound(shop)


def test_a_picture_is_told_by_its_bytes(shop):
    def put(body):
        gifts.set_picture(merchant=shop.merchant, code="cup", body=body, now=NOW, actor="x")

    put(b"\x89PNG\r\n\x1a\n" + b"0" * 100)
    for wrong in (b"<svg onload=alert(1)>", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"0" * 500_000):
        with pytest.raises(GiftWrong):
            put(wrong)
