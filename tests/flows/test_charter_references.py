"""A charter names what the shop does not have: said while one types, and refused by every door that publishes."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.faults import CharterInvalid
from shuke.engine.charter.selling import Coupon
from shuke.flows import publish_charter
from shuke.loyalty.actions import coupons
from tests.loyalty.books import CHARTER, NOW, publish

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
