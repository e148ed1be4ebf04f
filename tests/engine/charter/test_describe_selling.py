"""The till's part of the handbook: every kind of rule says what it gives, in both languages."""

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.describe import describe
from tests.engine.checkout.till import named, terms

KINDS = {
    "percent": {"percent": 12, "cap": 50},
    "amount": {"amount": 20, "when": {"min_amount": 100, "stores": ["XH"], "channels": ["app"]}},
    "price": {"amount": 9.9, "when": {"products": ["A1"], "without": {"brands": ["B"]}}},
    "off_each": {"amount": 1, "when": {"min_pieces": 2, "tiers": ["gold"]}},
    "ladder": {"rungs": [{"at_least": 100, "off": 10}], "repeat": True},
    "buy_get": {"buy": 2, "get": 1},
    "freight": {"when": {"from_date": "2026-01-01", "until_date": "2026-02-01"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_offer_is_said_in_both_languages(kind):
    charter = terms(offers=[{"key": "o", "kind": kind, **KINDS[kind]}]).charter
    told = {}
    for language in ("zh", "en"):
        (section,) = [s for s in describe(charter, language) if s.key == "selling"]
        told[language] = section.sentences[0]
        assert "None" not in told[language]
    assert told["zh"] != told["en"]


def test_a_coupon_says_all_a_member_must_know():
    charter = terms(
        coupons=[
            {
                "key": "c", "kind": "amount", "amount": 20, "when": {"min_amount": 150}, "valid": {"days": 30}, "alone": True,
                "limits": {"per_member": 2}, "issue": [{"on": "birthday"}],
            }
        ],
        points={"share": 50, "step": 100},
    ).charter  # fmt: skip
    (section,) = [s for s in describe(charter, "zh") if s.key == "selling"]
    assert section.sentences == [
        "规则c：减 ¥20，满 ¥150 可用，有效 30 天，每人最多 2 张，生日发放 1 张，不与其他优惠同享。",
        "积分抵现：100 积分抵 ¥1，须为 100 的整数倍，最多抵扣应付的 50%，运费不可抵扣。",
        "门槛金额按前面各步优惠之后的金额计算。",
        "整单退货时，用掉的券退回；已过期的可再用 7 天。",
        "计算顺序：会员价 → 优惠活动 → 优惠券 → 积分抵扣 → 礼品卡 → 储值。",
    ]
    (section,) = [s for s in describe(charter, "en") if s.key == "selling"]
    assert section.sentences[0] == (
        "rule c: ¥20 off, from ¥150, valid 30 days, at most 2 per member, 1 issued on the birthday, with no other offer."
    )


WHENS = [
    ({"month_days": [8, 18]}, "每月 8、18 日", "on day 8, 18 of the month"),
    ({"weekdays": [3]}, "周三", "on Wednesday"),
    ({"hours": [14, 15]}, "14:00 至 16:00", "between 14:00 and 16:00"),
    ({"birthday": "month"}, "生日当月", "in the month of your birthday"),
    ({"nth_purchases": [2]}, "第 2 次购买", "on your 2nd purchase"),
    ({"min_amount": 99, "min_amount_of": "before_discounts"}, "优惠前满 ¥99 可用", "from ¥99 before discounts"),
]


@pytest.mark.parametrize(("when", "chinese", "english"), WHENS, ids=lambda told: str(told)[:20])
def test_when_an_offer_holds_is_said(when, chinese, english):
    """A member day that does not say its day would promise its discount every day."""
    charter = terms(offers=[{"key": "day", "kind": "percent", "percent": 10, "when": when}]).charter
    for language, told in (("zh", f"规则day：9 折，{chinese}。"), ("en", f"rule day: 10% off, {english}.")):
        (section,) = [s for s in describe(charter, language) if s.key == "selling"]
        assert section.sentences[0] == told


def test_rules_are_told_by_their_names_and_whom_a_coupon_is_issued_to():
    charter = terms(
        offers=[
            {"key": "day", "kind": "percent", "percent": 10, "group": "sale", "when": {"month_days": [18]}},
            {"key": "year", "kind": "percent", "percent": 8, "group": "sale"},
            {"key": "tea", "kind": "buy_get", "buy": 2, "get": 1, "most_times": 3},
        ],
        coupons=[
            {"key": "up", "kind": "amount", "amount": 5, "not_with": ["tea", "sale"], "limits": {"issued": 100},
             "issue": [{"on": "tier_up", "tiers": ["gold"]}, {"on": "win_back", "days": 60}, {"on": "birthday", "days": 7}]},
        ],
    ).charter  # fmt: skip
    (section,) = [s for s in describe(charter, "en") if s.key == "selling"]
    assert section.sentences[2:6] == [
        "rule tea: of every 3 the cheapest free, at most 3 times.",
        "rule up: ¥5 off, 100 in all, while they last, 1 issued on rising to rule gold, 1 issued after 60 days without a purchase, "
        "1 issued 7 days before the birthday, not with rule tea, rule day, rule year.",
        "rule day, rule year: only one of them on an order.",
        "Of all this what saves you most together is taken; what would make it dearer is left out.",
    ]


HEAD = {"name": {"zh": "章", "en": "c"}, "currency": "CNY", "tiers": [named("member")]}


def faults(**selling):
    with pytest.raises(document.CharterInvalid) as caught:
        document.from_plain(HEAD | {"selling": selling})
    for fault in caught.value.faults:
        assert fault.say("zh") != fault.say("en")
    return [(f.where, f.code) for f in caught.value.faults]


def test_contradictions_are_told_with_their_place():
    assert faults(order=["stored_value", "points"]) == [("selling.order", "tender_last")]
    assert faults(order=["points", "points"]) == [("selling.order", "step_twice")]
    offers = [
        named("a") | {"kind": "ladder", "rungs": [{"at_least": 100, "off": 10}, {"at_least": 50, "off": 60}]},
        named("a") | {"kind": "amount"},
        named("b") | {"kind": "buy_get"},
        named("c") | {"kind": "amount", "amount": 1, "not_with": ["nothing"], "when": {"tiers": ["gold"]}},
        named("offers") | {"kind": "freight"},
    ]
    assert faults(offers=offers) == [
        ("selling.offers.1.key", "key_twice"),
        ("selling.offers.4.key", "key_twice"),
        ("selling.offers.3.not_with", "unknown_rule"),
        ("selling.offers.0.rungs.1.at_least", "rungs_rise"),
        ("selling.offers.0.rungs.1.off", "less_than_nothing"),
        ("selling.offers.1.amount", "rule_needs"),
        ("selling.offers.2.buy", "buys_nothing"),
        ("selling.offers.3.when.tiers", "unknown_tier"),
    ]
    coupons = [
        named("c") | {"kind": "amount", "amount": 20, "when": {"min_amount": 10}, "limits": {"budget": 5}},
        named("d") | {"kind": "percent", "percent": 5, "issue": [{"on": "win_back"}]},
    ]
    assert faults(coupons=coupons) == [
        ("selling.coupons.0.amount", "less_than_nothing"),
        ("selling.coupons.0.limits.budget", "budget_below_one"),
        ("selling.coupons.1.issue.0.days", "quiet_days"),
    ]
    assert faults(prices=[named("p")]) == [("selling.prices.0", "one_price")]
