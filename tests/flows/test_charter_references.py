"""A charter names what the shop does not have: said while one types, and refused by every door that publishes."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.faults import CharterInvalid
from shuke.engine.charter.selling import Coupon
from shuke.flows import publish_charter
from shuke.loyalty.actions import coupons
from shuke.orders.models import Product
from tests.loyalty.books import CHARTER, NOW, member, order, publish, take

pytestmark = pytest.mark.django_db
REFERRAL = {"friend": {"points": 10}, "steps": [{"coupon": "cheers"}]}
COUPON = {"key": "cheers", "name": {"zh": "谢券", "en": "Cheers"}, "kind": "amount", "amount": 5}


@pytest.fixture
def shop(lan):
    publish(lan.merchant)
    return lan.merchant


def faults(shop, **more) -> list[tuple[str, str]]:
    raw = CHARTER | more
    said = [(p.where, p.code) for p in publish_charter.problems(shop, raw, "zh")]
    day = {"effective_from": NOW + timedelta(days=1), "now": NOW, "actor": "owner"}
    with pytest.raises(CharterInvalid) if said else nullcontext() as refused:
        publish_charter.publish(merchant=shop, charter=document.from_plain(raw), **day)
    assert said == ([(f.where, f.code) for f in refused.value.faults] if refused else [])
    return said


def test_a_reward_nobody_could_get(shop):
    assert faults(shop, referral=REFERRAL) == [("referral.steps.0.coupon", "unknown_coupon")]
    friend = {"friend": {"coupon": "cheers"}}
    assert faults(shop, referral=friend) == [("referral.friend.coupon", "unknown_coupon")]
    assert faults(shop, referral=REFERRAL, selling={"coupons": [COUPON]}) == []


def test_a_coupon_of_the_shops_own_list_will_do(shop):
    coupons.save_template(merchant=shop, template=Coupon.model_validate(COUPON), now=NOW, actor="owner")
    assert faults(shop, referral=REFERRAL) == []


def test_a_store_there_is_not_wherever_it_is_named(shop):
    rule = CHARTER["earning"][0] | {"when": {"stores": ["S9"]}}
    benefit = {"key": "wrap", "name": {"zh": "包", "en": "Wrap"}, "kind": "gift_wrap", "when": {"stores": ["S9"]}}
    plan = {
        "key": "ten",
        "name": {"zh": "十", "en": "Ten"},
        "stores": ["S8"],
        "steps": [{"at_least": 10, "name": {"zh": "礼", "en": "Gift"}}],
    }
    found = faults(
        shop,
        earning=[rule],
        selling={"coupons": [COUPON | {"when": {"stores": ["S9"]}}]},
        rights={"benefits": [benefit], "plans": [plan]},
    )
    assert sorted(found) == [
        ("earning.0.when.stores", "unknown_store"),
        ("rights.benefits.0.when.stores", "unknown_store"),
        ("rights.plans.0.stores", "unknown_store"),
        ("selling.coupons.0.when.stores", "unknown_store"),
    ]
    code = shop.store_set.values_list("code", flat=True)[0]
    assert faults(shop, earning=[CHARTER["earning"][0] | {"when": {"stores": [code]}}]) == []


def test_another_currency_is_said_while_one_types(shop):
    assert faults(shop, currency="USD") == [("currency", "not_the_shops_currency")]


def test_the_sentence_names_what_there_is(shop):
    (said,) = publish_charter.problems(shop, CHARTER | {"referral": REFERRAL}, "en")
    assert said.text.startswith("there is no coupon cheers, neither in this charter nor among the shop's coupons")
    (said,) = publish_charter.problems(shop, CHARTER | {"referral": REFERRAL}, "zh")
    assert said.text.startswith("没有优惠券 cheers")


def warned(shop, language="en", **more) -> list[tuple[str, str, str]]:
    return [(p.where, p.code, p.text) for p in publish_charter.warnings(shop, CHARTER | more, language)]


def test_names_nobody_ever_heard_of_are_said_with_the_nearest(shop):
    when = {"categories": ["护肤品"], "products": ["A1"], "channels": ["wechat"], "brands": ["Nobody"]}
    rule = CHARTER["earning"][0] | {"when": when}
    assert warned(shop, earning=[rule]) == []  # nothing was ever sold: there is nothing to compare with
    buyer = member(shop)
    take(shop, buyer, order("a", 1, 100, channel="weixin"))
    found = warned(shop, earning=[rule])
    assert [(where, code) for where, code, _ in found] == [
        ("earning.0.when.categories", "unheard_category"),
        ("earning.0.when.channels", "unheard_channel"),
    ]
    assert "“护肤品”" in found[0][2]
    assert "nearest known: 护肤." in found[0][2]
    assert "最接近的已知名称：护肤" in warned(shop, "zh", earning=[rule])[0][2]
    # No reason to refuse: it is published as it is.
    assert faults(shop, earning=[rule]) == []


def test_what_is_known_and_what_lies_below_it_is_no_warning(shop):
    take(shop, member(shop), order("a", 1, 100))
    Product.objects.create(merchant=shop, code="Z9", category="食品/面包")
    rule = CHARTER["earning"][0] | {"when": {"categories": ["护肤", "食品", "食品/面包"], "products": ["Z9"]}}
    assert warned(shop, earning=[rule]) == []
    wrong = {"selling": {"coupons": [COUPON | {"when": {"without": {"categories": ["食品/面"]}}}]}}
    [(where, code, text)] = warned(shop, **wrong)
    assert (where, code) == ("selling.coupons.0.when.without.categories", "unheard_category")
    assert "食品/面包" in text
