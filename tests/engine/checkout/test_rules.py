"""Each kind of price, offer and coupon by itself, and what keeps it from applying."""

from datetime import UTC, datetime

import pytest

from shuke.engine.checkout import document
from tests.engine.checkout.till import line, off, reasons, ring, terms


def one(kind: str, **more):
    return terms(offers=[{"key": "o", "kind": kind, **more}])


@pytest.mark.parametrize(
    ("offer", "lines", "saved"),
    [
        ({"kind": "percent", "percent": 12}, [line("a", 99.90)], 1199),  # 11.988, halves up
        ({"kind": "percent", "percent": 50, "cap": 20}, [line("a", 99.90)], 2000),
        ({"kind": "amount", "amount": 30}, [line("a", 20)], 2000),  # never below nothing
        ({"kind": "price", "amount": 9.9}, [line("a", 30, 2), line("b", 5)], 1020),  # b is cheaper already
        ({"kind": "off_each", "amount": 1}, [line("a", 30, "2.5")], 250),
        ({"kind": "ladder", "rungs": [{"at_least": 100, "off": 10}, {"at_least": 200, "off": 30}]}, [line("a", 199)], 1000),
        ({"kind": "ladder", "rungs": [{"at_least": 100, "off": 10}, {"at_least": 200, "off": 30}]}, [line("a", 200)], 3000),
        ({"kind": "ladder", "rungs": [{"at_least": 100, "off": 10}], "repeat": True}, [line("a", 350)], 3000),
        ({"kind": "ladder", "rungs": [{"at_least": 100, "off": 10}], "repeat": True, "most_times": 2}, [line("a", 350)], 2000),
        ({"kind": "ladder", "rungs": [{"at_least": 3, "percent": 10}], "measure": "pieces"}, [line("a", 30, 3)], 300),
        ({"kind": "buy_get", "buy": 2, "get": 1}, [line("a", 30, 1), line("b", 50, 1), line("c", 20, 1)], 2000),
        ({"kind": "buy_get", "buy": 2, "get": 1}, [line("a", 60, 6)], 2000),  # every third
        ({"kind": "buy_get", "buy": 2, "get": 1, "most_times": 1}, [line("a", 60, 6)], 1000),
        ({"kind": "buy_get", "buy": 1, "get": 1, "percent": 50}, [line("a", 80, 1), line("b", 50, 1)], 2500),
        ({"kind": "buy_get", "buy": 1, "of": {"products": ["B"]}}, [line("a", 80, 1, sku="A"), line("b", 50, 1, sku="B")], 5000),
        ({"kind": "freight"}, [line("a", 80), line("f", 12, freight=True)], 1200),
        ({"kind": "freight", "amount": 8}, [line("a", 80), line("f", 12, freight=True)], 800),
    ],
)  # fmt: skip
def test_what_an_offer_takes_off(offer, lines, saved):
    priced = ring(terms(offers=[{"key": "o", **offer}]), *lines)
    assert priced.discount == saved
    assert priced.due == priced.list - saved


@pytest.mark.parametrize(
    ("offer", "basket", "code"),
    [
        ({"when": {"min_amount": 100}}, {}, "below_threshold"),
        ({"when": {"min_pieces": 2}}, {}, "too_few_pieces"),
        ({"when": {"products": ["X"]}}, {}, "no_goods"),
        ({"when": {"without": {"products": ["A"]}}}, {}, "no_goods"),
        ({"when": {"stores": ["JA"]}}, {}, "other_store"),
        ({"when": {"channels": ["app"]}}, {}, "other_channel"),
        ({"when": {"platforms": ["jd"]}}, {}, "other_channel"),
        ({"when": {"tiers": ["gold"]}}, {}, "other_tier"),
        ({"when": {"weekdays": [2]}}, {}, "other_day"),
        ({"when": {"month_days": [9]}}, {}, "other_day"),
        ({"when": {"hours": [11]}}, {}, "other_day"),
        ({"when": {"from_date": "2026-06-09"}}, {}, "other_day"),
        ({"when": {"until_date": "2026-06-07"}}, {}, "other_day"),
        ({"when": {"days": [{"weekday": 1, "nth": 1}]}}, {}, "other_day"),
        ({"when": {"days": [{"festival": "spring_festival"}]}}, {}, "other_day"),
        ({"when": {"birthday": "day"}}, {"member": {"birthday": "06-09"}}, "not_birthday"),
        ({"when": {"first_purchase": True}}, {"member": {"purchases": 1}}, "not_first"),
        ({"when": {"nth_purchases": [3]}}, {"member": {"purchases": 1}}, "not_first"),
    ],
)
def test_why_an_offer_does_not_apply(offer, basket, code):
    priced = ring(
        terms(offers=[{"key": "o", "kind": "percent", "percent": 10, **offer}]), line("a", 50, 1, sku="A"), **basket
    )
    assert reasons(priced) == {"o": code}
    assert priced.due == 5000
    (left,) = (*priced.skipped, *priced.inapplicable)
    assert left.reason.say(left.name, "CNY", "zh") != left.reason.say(left.name, "CNY", "en")


@pytest.mark.parametrize(
    ("when", "member"),
    [
        ({"weekdays": [1], "hours": [12], "month_days": [8]}, {}),
        ({"days": [{"weekday": 1, "nth": 2}]}, {}),
        ({"days": [{"month_day": 1}, {"date": "2026-06-10", "before": 2}]}, {}),
        ({"birthday": "week"}, {"birthday": "06-14"}),
        ({"birthday": "month"}, {"birthday": "06-30"}),
        ({"birthday": "day"}, {"birthday": "L04-23"}),  # lunar 4-23 of 2026 is 8 June
        ({"first_purchase": True}, {"purchases": 0}),
        ({"tiers": ["gold"]}, {"tier": "gold"}),
    ],
)
def test_an_offer_applies_when_all_it_names_holds(when, member):
    priced = ring(
        terms(offers=[{"key": "o", "kind": "amount", "amount": 5, "when": when}]), line("a", 50), member=member
    )
    assert off(priced) == {"o": 500}


def test_a_line_takes_its_lowest_tier_price_and_they_never_add_up():
    priced = ring(
        terms(
            prices=[
                {"key": "gold", "percent": 5, "when": {"tiers": ["gold"]}},
                {"key": "item", "price": 40, "when": {"products": ["A"]}},
                {"key": "less", "off_each": 1},
            ]
        ),
        line("a", 100, 2, sku="A"),
        line("b", 100, 1, sku="B"),
        member={"tier": "gold"},
    )
    assert off(priced) == {"item": 2000, "gold": 500}
    assert [x.due for x in priced.lines] == [8000, 9500]


def test_gifts_freight_and_excluded_goods_stay_out():
    rules = terms(offers=[{"key": "o", "kind": "percent", "percent": 10}], points={})
    priced = ring(
        rules,
        line("a", 100),
        line("gift", 30, gift=True),
        line("f", 10, freight=True),
        line("x", 50, excluded=True),
        line("y", 50, excluded=["points"]),
        member={"points": 100_000},
        points="most",
    )
    assert [dict(x.discounts).get("o", 0) for x in priced.lines] == [1000, 0, 0, 0, 500]
    assert [x.points_amount for x in priced.lines] == [9000, 0, 0, 0, 0]


def test_a_threshold_is_looked_at_after_earlier_steps_or_before_all():
    rules = {
        "prices": [{"key": "p", "percent": 10}],
        "coupons": [{"key": "c", "kind": "amount", "amount": 20, "when": {"min_amount": 100}}],
    }
    assert reasons(ring(terms(**rules, choose="first"), line("a", 105), coupons=["c"])) == {"c1": "below_threshold"}
    assert off(ring(terms(**rules, thresholds="list"), line("a", 105), coupons=["c"])) == {"p": 1050, "c1": 2000}


def test_rounding_once_in_all_or_on_each_line():
    goods = [line("a", 0.15), line("b", 0.15), line("c", 0.15)]
    offer = [{"key": "o", "kind": "percent", "percent": 10}]
    assert ring(terms(offers=offer), *goods).discount == 5  # 4.5
    assert ring(terms(offers=offer, rounding="line"), *goods).discount == 6  # 1.5 three times


def test_coupons_that_cannot_be_used_say_why():
    rules = terms(coupons=[{"key": "c", "kind": "amount", "amount": 5}])
    day = datetime(2026, 6, 1, tzinfo=UTC).isoformat()
    later = datetime(2026, 7, 1, tzinfo=UTC).isoformat()
    held = [
        {"ref": "old", "template": "c", "valid_until": day},
        {"ref": "new", "template": "c", "valid_from": later},
        {"ref": "used", "template": "c", "state": "redeemed"},
        {"ref": "poor", "template": "c", "budget_left_minor": 499},
        {"ref": "gone", "template": "nothing"},
    ]
    asks = {"coupons": ["old", "new", "used", "poor", "gone", "unknown"]}
    priced = ring(rules, line("a", 50), member={"coupons": held}, asks=asks)
    assert reasons(priced) == {
        "old": "expired",
        "new": "not_yet",
        "used": "not_open",
        "poor": "budget_exhausted",
        "gone": "no_such_template",
        "unknown": "not_held",
    }


def test_what_a_coupon_lacks_is_said_in_days_of_the_shop_and_words_of_the_reader():
    rules = terms(coupons=[{"key": "c", "kind": "amount", "amount": 5}])
    midnight = datetime(2026, 6, 1, 16, tzinfo=UTC).isoformat()  # 2 June begins in Shanghai
    held = [
        {"ref": "old", "template": "c", "valid_until": midnight},
        {"ref": "new", "template": "c", "valid_from": datetime(2026, 6, 30, 16, tzinfo=UTC).isoformat()},
        {"ref": "used", "template": "c", "state": "redeemed"},
        {"ref": "poor", "template": "c", "budget_left_minor": 499},
    ]
    priced = ring(rules, line("a", 50), member={"coupons": held}, asks={"coupons": [one["ref"] for one in held]})
    said = {one["ref"]: one["say"] for one in priced.to_plain()["inapplicable"] + priced.to_plain()["skipped"]}
    assert said["old"]["en"] == "rule c could be used until 2026-06-01."
    assert said["new"]["en"] == "rule c can be used from 2026-07-01 on."
    assert said["used"] == {"zh": "规则c 不可用：已使用。", "en": "rule c cannot be used: it is used."}
    assert said["poor"]["en"] == "rule c would take ¥5.00 off, and only ¥4.99 are left of its budget."


def test_an_exchange_coupon_gives_the_dearest_of_its_goods():
    rules = terms(coupons=[{"key": "c", "kind": "item", "when": {"categories": ["茶"]}}])
    priced = ring(
        rules,
        line("a", 20, category="茶/绿茶"),
        line("b", 30, category="茶"),
        line("c", 90, category="酒"),
        coupons=["c"],
    )
    assert off(priced) == {"c1": 3000}


def test_what_a_basket_gets_wrong_is_named_by_its_field():
    with pytest.raises(document.BasketInvalid) as told:
        document.from_plain({"lines": [{"key": "a", "amount_minor": 5}], "asks": {"points": -4}})
    assert told.value.say("zh").startswith("asks.points: ")
    assert "constrained" not in told.value.say("en") + told.value.say("zh")
