"""Many at once, each in its own process: no budget, limit or coupon is used more than it is there."""

import multiprocessing
from collections import Counter

import pytest

from shuke.loyalty import queries
from shuke.loyalty.actions import coupons
from shuke.loyalty.models import Checkout, Coupon, CouponTally
from tests.loyalty.books import NOW, member
from tests.loyalty.till import basket, give, open_till, template


def _work(merchant_id: int, name: str, jobs: list[tuple], answers) -> None:
    from django.db import connections

    connections.close_all()  # a connection does not survive the fork
    from shuke.flows import checkout
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for kind, key, who, more in jobs:
        try:
            if kind == "hold":
                engine, told = basket(100, **more)
                held = checkout.hold(
                    merchant=merchant, key=key, basket=engine, told=told, member_id=who, now=NOW, actor=name
                )
                answers.put((key, [x["ref"] for x in held.priced["applied"] if x["step"] == "coupons"]))
            elif kind == "capture":
                answers.put(
                    (key, checkout.capture(merchant=merchant, key=key, order_event=more, now=NOW, actor=name).replayed)
                )
            elif kind == "back":
                told = checkout.give_back(
                    merchant=merchant, key=key, return_key=more[0], quantities=more[1], now=NOW, actor=name
                )
                answers.put((key, told.back["points"]))
            else:
                (told,) = coupons.issue(
                    merchant=merchant, issues=[coupons.Issue("ten", who, "hand", more or "")], now=NOW, actor=name
                )
                answers.put((key, "again" if told.again else told.code))
        except (checkout.CheckoutRefused, coupons.CouponRefused) as refused:
            answers.put((key, refused.code))
    connections.close_all()


def at_once(merchant, work: list[list[tuple]]) -> list[tuple]:
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [fork.Process(target=_work, args=(merchant.pk, f"till {i}", jobs, answers)) for i, jobs in enumerate(work)]
    for person in people:
        person.start()
    told = [answers.get(timeout=120) for jobs in work for _ in jobs]
    for person in people:
        person.join(timeout=60)
        assert person.exitcode == 0
    return told


@pytest.fixture
def shop(transactional_db):
    from tests import cast

    merchant = cast.lan().merchant
    open_till(merchant)
    return merchant


def sound(merchant):
    assert queries.verify(merchant).findings == []


def test_one_coupon_goes_to_one_basket(shop):
    template(shop)
    ann = member(shop)
    (coupon,) = give(shop, ann)
    told = at_once(shop, [[("hold", f"k{i}-{n}", ann, {"coupons": [str(coupon)]}) for n in range(4)] for i in range(4)])
    assert sum(isinstance(refs, list) and bool(refs) for _, refs in told) == 1
    assert Coupon.objects.get(pk=coupon).state == "held"
    sound(shop)


def test_a_budget_of_seven_coupons_gives_seven(shop):
    template(shop, limits={"budget": 70})
    work = []
    for i in range(4):
        who = member(shop, i + 1)
        work.append(
            [("hold", f"k{i}-{n}", who, {"coupons": [str(c)]}) for n, c in enumerate(give(shop, who, number=5))]
        )
    told = at_once(shop, work)
    assert sum(isinstance(refs, list) and bool(refs) for _, refs in told) == 7
    tally = CouponTally.objects.get()
    assert (tally.held, tally.held_minor) == (7, 7000)
    sound(shop)


def test_limits_of_issuing_hold_for_all_and_for_one_member(shop):
    template(shop, limits={"issued": 9, "per_member": 3})
    everybody = [member(shop, n) for n in range(1, 5)]
    told = at_once(shop, [[("issue", f"{i}-{n}", everybody[n % 4], None) for n in range(8)] for i in range(4)])
    given = Counter(code for _, code in told)
    assert given[""] == 9
    assert set(given) <= {"", "all_issued", "member_has_enough"}
    assert max(Counter(Coupon.objects.values_list("member_id", flat=True)).values()) <= 3
    sound(shop)


def test_for_one_thing_a_coupon_is_given_once_however_many_ask(shop):
    template(shop)
    ann = member(shop)
    told = at_once(shop, [[("issue", f"{i}-{n}", ann, f"complaint:{n}") for n in range(8)] for i in range(4)])
    assert Counter(code for _, code in told) == {"": 8, "again": 24}
    assert CouponTally.objects.get().issued == Coupon.objects.count() == 8
    sound(shop)


def test_a_code_that_many_share_stops_at_its_limit(shop):
    template(shop, codes="shared", limits={"issued": 5})
    coupons.make_shared_code(merchant=shop, key="ten", code="SPRING20", now=NOW, actor="t")
    told = at_once(shop, [[("hold", f"k{i}-{n}", None, {"coupons": ["SPRING20"]}) for n in range(3)] for i in range(4)])
    assert sum(isinstance(refs, list) and bool(refs) for _, refs in told) == 5
    sound(shop)


def test_one_key_holds_once_and_one_basket_is_captured_and_returned_once(shop):
    ann = member(shop)
    from tests.loyalty.books import order, take

    take(shop, ann, order("a", 490, 90), order("b", 491, 300), now=NOW)
    at_once(shop, [[("hold", "k", ann, {"points": 10})] for _ in range(4)])
    assert Checkout.objects.count() == 1
    told = at_once(shop, [[("capture", "k", ann, "order:pos:XH:1")] for _ in range(4)])
    assert Counter(replayed for _, replayed in told) == {True: 3, False: 1}
    points = Checkout.objects.get().points
    assert points > 0
    told = at_once(shop, [[("back", "k", ann, (f"r{i}", {"a": 400}))] for i in range(4)])
    given = [n for _, n in told if isinstance(n, int)]
    assert [code for _, code in told if isinstance(code, str)] == ["return_refused"] * 2
    assert sum(given) == Checkout.objects.get().returned_points <= points
    sound(shop)
