"""Stored value as a means of payment at the till: priced, held, captured, released, timed out, given back to its lots."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.flows import checkout
from shuke.loyalty import queries
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import stored as books
from tests.loyalty.books import CHARTER, NOW, member, order, publish, take
from tests.loyalty.stored import STORED, do
from tests.loyalty.till import basket


@pytest.fixture
def shop(lan):
    publish(lan.merchant, CHARTER | {"stored": STORED | {"order": "proportion"}, "selling": {"points": {"share": 50}}})
    return lan.merchant


@pytest.fixture
def ann(shop):
    who = member(shop)
    take(shop, who, order("a", 500, 300))
    do(shop, who, "top_up", 1000)
    return who


def priced(shop, who, *yuan, **asks):
    engine, _ = basket(*yuan, **asks)
    return checkout.price(merchant=shop, basket=engine, member_id=who, now=NOW)


def hold(shop, who, key, *yuan, now=NOW, **asks):
    engine, told = basket(*yuan, **asks)
    return checkout.hold(merchant=shop, key=key, basket=engine, told=told, member_id=who, now=now, actor="till")


def has(shop, who, now=NOW):
    told = books.balance(shop, who, now)
    return told.principal, told.bonus, told.available


def sound(shop):
    assert queries.verify(shop).findings == []


def test_a_dry_run_knows_what_is_there(shop, ann):
    told = priced(shop, ann, 150, stored_value_minor="most")
    assert (told.stored_value, told.due) == (15_000, 0)
    told = priced(shop, ann, 2000, stored_value_minor=150_000)
    assert (told.stored_value, told.due, told.applied[-1].reason.code) == (110_000, 90_000, "stored_value_capped")
    assert has(shop, ann) == (100_000, 10_000, 110_000)


def test_a_shop_without_it_says_so(lan):
    publish(lan.merchant)
    told = priced(lan.merchant, member(lan.merchant), 10, stored_value_minor="most")
    assert [x.reason.code for x in told.inapplicable] == ["stored_value_off"]
    assert told.due == 1000


def test_held_captured_and_given_back_in_parts(shop, ann):
    held = hold(shop, ann, "b1", 99.99, 200.01, points="most", stored_value_minor="most")
    totals = held.priced["totals"]
    assert totals["stored_value_minor"] + totals["points_minor"] == 30_000
    assert has(shop, ann)[2] == 110_000 - totals["stored_value_minor"]
    checkout.capture(merchant=shop, key="b1", order_event="", now=NOW, actor="till")
    paid = totals["stored_value_minor"]
    principal, _, available = has(shop, ann)
    assert available == 110_000 - paid
    assert principal == 100_000 - round(paid * 10 / 11)
    back = 0
    for i, lines in enumerate([{"a": 1000}, {"b": 333}, {"b": 333}, {"b": 334}]):
        told = checkout.give_back(merchant=shop, key="b1", return_key=f"r{i}", quantities=lines, now=NOW, actor="till")
        back += told.back["stored_value_minor"]
        sound(shop)
    assert back == paid
    assert has(shop, ann) == (100_000, 10_000, 110_000)
    again = checkout.give_back(merchant=shop, key="b1", return_key="r0", quantities={"a": 1000}, now=NOW, actor="till")
    assert again.replayed
    assert has(shop, ann) == (100_000, 10_000, 110_000)


def test_let_go_or_forgotten_it_is_free_again(shop, ann):
    hold(shop, ann, "b1", 100, stored_value_minor="most")
    checkout.release(merchant=shop, key="b1", now=NOW, actor="till")
    assert has(shop, ann)[2] == 110_000
    hold(shop, ann, "b2", 1100, stored_value_minor="most")
    assert priced(shop, ann, 10, stored_value_minor="most").inapplicable[0].reason.code == "no_stored_value"
    later = NOW + timedelta(minutes=16)
    assert has(shop, ann, later)[2] == 110_000
    assert checkout.release_timed_out(merchant=shop, now=later) == 1
    assert Checkout.objects.get(key="b2").state == "timed_out"
    hold(shop, ann, "b3", 1100, now=later, stored_value_minor="most")
    sound(shop)


def test_what_stored_value_paid_earns_as_money_does(shop, ann):
    """POINTS.md: stored value is a tender, not a discount."""
    hold(shop, ann, "b1", 100, stored_value_minor="most")
    checkout.capture(merchant=shop, key="b1", order_event="taobao:兰记护肤:s", now=NOW, actor="till")
    take(shop, ann, order("s", 512, 100, stated_at=NOW))
    earned = queries.explain(shop, ann, limit=20)
    [line] = [x for x in earned if x.event.endswith(":s") and x.kind == "earn"]
    assert next(part["points"] for part in line.why if part.get("rule") == "base") == "100"
    sound(shop)
