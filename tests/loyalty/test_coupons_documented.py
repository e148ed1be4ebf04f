"""docs/algorithms/coupons.md says what is so: the ways of a coupon, the invariants, the worked budget."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from shuke.flows import checkout
from shuke.loyalty.actions import coupons
from shuke.loyalty.models import CouponMove
from shuke.loyalty.queries import coupons as stored
from shuke.loyalty.queries.coupons.occasions import _ASKED, _nobody
from tests import cast
from tests.loyalty.books import NOW, member
from tests.loyalty.till import basket, give, open_till, template

PAGE = (Path(__file__).parents[2] / "docs" / "algorithms" / "coupons.md").read_text(encoding="utf-8")


def rows(head: str) -> list[list[str]]:
    table = PAGE[PAGE.index(f"| {head} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_invariants_are_those_that_verify_asks():
    assert [row[0] for row in rows("| holds")] == [code for code, *_ in stored.CHECKS]


def test_the_rules_are_those_that_issue():
    documented = {name.strip() for row in rows("rule | what for") for name in row[0].split(",")}
    assert documented == {name for name, asked in _ASKED.items() if asked is not _nobody}


@pytest.mark.django_db
def test_a_coupon_goes_the_ways_of_the_table_and_no_other():
    shop = cast.lan().merchant
    open_till(shop)
    template(shop, valid={"days": 7})
    ann = member(shop)
    one, two, three = give(shop, ann, number=3)

    def hold(key, coupon):
        engine, told = basket(100, coupons=[str(coupon)])
        checkout.hold(merchant=shop, key=key, basket=engine, told=told, member_id=ann, now=NOW, actor="t", minutes=30)

    later = NOW + timedelta(days=9)
    hold("a", one)
    checkout.release(merchant=shop, key="a", now=NOW, actor="t")
    hold("b", one)
    checkout.capture(merchant=shop, key="b", order_event="", now=NOW, actor="t")
    checkout.give_back(merchant=shop, key="b", return_key="r", quantities=None, now=NOW, actor="t")
    coupons.void(merchant=shop, coupon_ids=[one], reason="x", now=NOW, actor="t")
    hold("c", two)
    checkout.release_timed_out(merchant=shop, now=later)  # its time was over as well
    coupons.expire(merchant=shop, now=later)
    assert stored.one(shop, three).state == "expired"
    gone = {(m.before or "–", m.kind, m.after) for m in CouponMove.objects.all()}
    told = set()
    for before, by, after in rows("from | by | to"):
        kinds = {k for k in ("issue", "hold", "redeem", "release", "return", "void", "expire") if by.startswith(k)}
        states = re.findall(r"open|held|redeemed|void|expired", after)
        told |= {(before, kind, state) for kind in kinds for state in states}
    assert gone == told


@pytest.mark.django_db
def test_the_worked_budget():
    shop = cast.lan().merchant
    open_till(shop)
    template(shop, limits={"budget": 70})
    ann = member(shop)
    held = []
    for n, coupon in enumerate(give(shop, ann, number=20)):
        engine, told = basket(100, coupons=[str(coupon)])
        answer = checkout.hold(merchant=shop, key=f"k{n}", basket=engine, told=told, member_id=ann, now=NOW, actor="t")
        held.append(any(x["step"] == "coupons" for x in answer.priced["applied"]))
    assert held.count(True) == 7
    checkout.release(merchant=shop, key="k0", now=NOW, actor="t")
    engine, told = basket(100, best=True)
    again = checkout.hold(merchant=shop, key="again", basket=engine, told=told, member_id=ann, now=NOW, actor="t")
    assert [x["amount_minor"] for x in again.priced["applied"] if x["step"] == "coupons"] == [1000]


@pytest.mark.django_db
def test_thousands_of_guesses_over_two_hundred_addresses_are_hardly_looked_at():
    """T22 at CI size: 2,000 guesses in 100 seconds."""
    shop = cast.lan().merchant
    open_till(shop)
    looked = after_alarm = 0
    for n in range(2000):
        now = NOW + timedelta(seconds=n / 20)
        caller = [f"ip:{n % 200}"]
        if stored.wait_minutes(shop, caller, now):
            continue
        looked += 1
        after_alarm += n >= 300
        coupons.note_bad_code(merchant=shop, callers=caller, now=now)
    assert looked <= 312
    assert after_alarm <= 0.01 * 1700
