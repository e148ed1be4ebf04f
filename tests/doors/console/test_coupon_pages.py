"""Coupons in the console: templates made and changed, issued, codes ordered and taken out, one coupon looked up."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shuke.flows import coupons as flow
from shuke.kit import clock, jobs
from shuke.kit.models import AuditLine
from shuke.loyalty.actions import coupons
from shuke.loyalty.models import Coupon, CouponTemplate
from shuke.loyalty.queries import coupons as stored
from tests.doors.console import people
from tests.loyalty.till import open_till, template

FORM = {
    "key": "spring", "name_zh": "春季券", "name_en": "Spring", "kind": "amount", "amount": "10", "min_amount": "100",
    "categories": "护肤，彩妆", "days": "30", "codes": "none", "rule": "birthday", "rule_days": "7", "returned": "give_back",
    "per_member": "2", "full_price": "1",
}  # fmt: skip


@pytest.fixture
def shop(lan):
    open_till(lan.merchant)
    return lan


@pytest.fixture
def ann(shop):
    return people.make(shop.merchant, 1, clock.utc_now(), [shop.street], tiers=["gold"])[0]


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def act(client, what, key="ten", **more):
    return client.post(reverse("console:coupon-act", args=[key]), {"do": what, **more}, follow=True)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_shop_without_coupons_is_told_what_to_do(see, shop, language):
    said = text(see(shop.owner, language).get(reverse("console:coupons")))
    assert ("No coupons yet" in said) == (language == "en")


def test_a_template_is_made_and_changed_with_what_the_form_does_not_know_kept(see, shop):
    client = see(shop.owner)
    said = text(client.post(reverse("console:coupon-new"), FORM, follow=True))
    assert "Spring: ¥10 off, for 护肤, 彩妆, from ¥100, valid 30 days, at most 2 per member" in said
    document = CouponTemplate.objects.get().document
    assert document["on_discounted"] is False
    assert document["issue"] == [{"on": "birthday", "days": 7}]
    row = CouponTemplate.objects.get()
    CouponTemplate.objects.filter(pk=row.pk).update(document=document | {"when": document["when"] | {"weekdays": [1]}})
    stored.looking_up._parsed.cache_clear()
    client.post(reverse("console:coupon-edit", args=["spring"]), FORM | {"amount": "12", "full_price": ""})
    latest = stored.latest(shop.merchant, "spring")
    assert latest.version == 2
    assert latest.document["when"]["weekdays"] == [1]
    assert stored.terms_of(latest).amount == 12
    assert stored.terms_of(latest).on_discounted


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(see, shop):
    answer = see(shop.owner).post(reverse("console:coupon-new"), FORM | {"key": "Spring!", "amount": "-3"})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "Key:" in said
    assert "Money off:" in said
    assert 'value="Spring!"' in said
    answer = see(shop.owner).post(reverse("console:coupon-new"), FORM | {"kind": "percent"})
    assert "needs percent" in text(answer)
    assert not CouponTemplate.objects.exists()


def test_tiers_are_written_by_their_names_and_faults_are_said_in_chinese(see, shop):
    new = reverse("console:coupon-new")
    answer = text(see(shop.owner, "zh-hans").post(new, FORM | {"tiers": "白金", "amount": "10"}))
    assert "等级: 没有等级“白金”，已有：普通, 金卡" in answer
    assert "键: 应符合" in text(see(shop.owner, "zh-hans").post(new, FORM | {"key": "Spring!"}))
    see(shop.owner, "zh-hans").post(new, FORM | {"tiers": "金卡"})
    assert CouponTemplate.objects.get().document["when"]["tiers"] == ["gold"]
    page = see(shop.owner, "zh-hans").get(reverse("console:coupon-edit", args=["spring"])).content.decode()
    assert 'value="金卡"' in page


def test_issuing_pausing_and_who_was_not_found(see, shop, ann):
    template(shop.merchant, limits={"per_member": 2})
    client = see(shop.specialist)
    said = text(act(client, "issue", members=f"{ann.card}\n999", count="2", ref="sorry"))
    assert "2 coupons issued." in said
    assert "Nobody is known by: 999" in said
    assert "got nothing more" in text(act(client, "issue", members=ann.card, ref="sorry"))
    assert "at most 2 for one member" in text(act(client, "issue", members=ann.card))
    assert "Issue again" in text(act(client, "pause"))
    assert "is paused" in text(act(client, "issue", members=ann.card))
    act(client, "resume")
    assert Coupon.objects.count() == 2
    assert act(client, "nonsense").status_code == 404


def test_codes_are_ordered_made_exported_printed_and_voided(see, shop):
    template(shop.merchant, codes="unique")
    client = see(shop.owner)
    assert "30 codes are being made" in text(act(client, "codes", count="30", label="flyer"))
    while running := jobs.claim(worker="w", now=clock.utc_now()):
        assert jobs.run(running) == "done"
    batch = stored.batches(shop.merchant)[0]
    answer = client.get(reverse("console:coupon-codes", args=[batch.pk]))
    told = b"".join(answer.streaming_content).decode()
    assert told.count("\r\n") == 31
    code = told.splitlines()[5].split(",")[0]
    sheet = client.get(reverse("console:coupon-sheet", args=[batch.pk])).content.decode()
    assert sheet.count("k-slip-code") == 30
    assert code in sheet
    assert {a.verb for a in AuditLine.objects.all()} >= {"coupon.codes_exported", "coupon.codes_printed"}
    found = client.get(reverse("console:coupon-find"), {"q": code.lower()}, follow=True)
    assert f"Code ends in {code[-4:]}" in text(found)
    client.post(reverse("console:coupon-batch-void", args=[batch.pk]), {"reason": "leaked"})
    assert Coupon.objects.filter(state="void").count() == 30


def test_a_coupon_shows_what_happened_and_can_be_voided_with_a_reason(see, shop, ann):
    template(shop.merchant)
    (given,) = coupons.issue(
        merchant=shop.merchant,
        issues=[coupons.Issue("ten", ann.pk, "hand")],
        now=clock.utc_now(),
        actor="boss",
    )
    pk = given.coupons[0]
    client = see(shop.owner)
    said = text(client.get(reverse("console:coupon", args=[pk])))
    assert "issued boss" in said
    assert "by hand" in said
    client.post(reverse("console:coupon-void", args=[pk]), {"reason": ""})
    assert Coupon.objects.get().state == "open"
    client.post(reverse("console:coupon-void", args=[pk]), {"reason": "mistake"})
    said = text(client.get(reverse("console:coupon", args=[pk])))
    assert "made void lan.owner · mistake" in said
    assert "1 former coupon" in text(client.get(reverse("console:member-coupons", args=[ann.pk])))


def test_a_shared_code_is_added_found_and_ended(see, shop):
    template(shop.merchant, codes="shared")
    client = see(shop.owner)
    assert "SPRING20" in text(act(client, "code", code="spring 20"))
    assert "exists already" in text(act(client, "code", code="SPRING20"))
    found = client.get(reverse("console:coupon-find"), {"q": "spring20"})
    assert found.url == reverse("console:coupon-template", args=["ten"])
    assert "ended" in text(act(client, "end-code", code="SPRING20"))
    assert "No coupon has the code" in text(client.get(reverse("console:coupon-find"), {"q": "spring20"}, follow=True))


def test_templates_of_the_charter_are_changed_there(see, lan):
    told = {"key": "gift", "name": {"zh": "礼", "en": "gift"}, "kind": "amount", "amount": "5"}
    open_till(lan.merchant, coupons=[told])
    client = see(lan.owner)
    client.get(reverse("console:coupons"))
    answer = client.get(reverse("console:coupon-edit", args=["gift"]), follow=True)
    assert "stands in the charter" in text(answer)


def test_who_may_what(see, shop):
    template(shop.merchant, codes="unique")
    batch = flow.order_codes(merchant=shop.merchant, key="ten", count=1, label="", now=clock.utc_now(), actor="t").batch
    for staff in (shop.assistant, shop.auditor):
        client = see(staff)
        assert client.get(reverse("console:coupons")).status_code == 200
        assert client.get(reverse("console:coupon-new")).status_code == 403
        assert act(client, "pause").status_code == 403
        assert client.get(reverse("console:coupon-codes", args=[batch.pk])).status_code == 403


def test_another_shop_sees_none_of_it(see, shop, ann):
    from tests import cast

    template(shop.merchant, codes="unique")
    given = coupons.issue(
        merchant=shop.merchant,
        issues=[coupons.Issue("ten", ann.pk, "hand")],
        now=clock.utc_now(),
        actor="t",
    )
    client = see(cast.mingde().owner)
    assert client.get(reverse("console:coupon-template", args=["ten"])).status_code == 404
    assert client.get(reverse("console:coupon", args=[given[0].coupons[0]])).status_code == 404
