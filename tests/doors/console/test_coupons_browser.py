"""Coupon pages in a browser: nothing scrolls sideways, the form shows the fields of the chosen kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse

from shuke.flows import coupons as flow
from shuke.kit import clock, jobs
from shuke.loyalty.actions import coupons
from shuke.loyalty.queries import coupons as stored
from tests.doors.console import people
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.loyalty.till import open_till, template

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(lan):
    merchant = lan.merchant
    now = clock.utc_now()
    told = {
        "key": "gift",
        "name": {"zh": "入会礼", "en": "Welcome"},
        "kind": "amount",
        "amount": "5",
        "issue": [{"on": "joined"}],
    }
    open_till(merchant, coupons=[told])
    ann = people.make(merchant, 1, now, [lan.street], tiers=["gold"])[0]
    template(
        merchant,
        "spring",
        name={"zh": "春季护肤券", "en": "Spring skin care"},
        when={"min_amount": 100, "categories": ["护肤", "彩妆"]},
        valid={"days": 30},
        limits={"per_member": 2, "budget": 5000},
        codes="unique",
    )
    template(
        merchant,
        "sale",
        name={"zh": "周年庆", "en": "Anniversary"},
        kind="percent",
        percent="12",
        amount=None,
        cap="50",
        codes="shared",
    )
    flow.adopt_charter(merchant=merchant, now=now)
    coupons.make_shared_code(merchant=merchant, key="sale", code="SPRING20", now=now, actor="lan.owner")
    flow.order_codes(merchant=merchant, key="spring", count=40, label="传单 flyer", now=now, actor="lan.owner")
    while running := jobs.claim(worker="w", now=clock.utc_now()):
        jobs.run(running)
    coupons.issue(
        merchant=merchant, issues=[coupons.Issue("spring", ann.pk, "hand", "sorry", 2)], now=now, actor="lan.owner"
    )
    first, second = (c.pk for c in stored.of_member(merchant, ann.pk))
    coupons.void(merchant=merchant, coupon_ids=[first], reason="wrong member", now=now, actor="lan.owner")
    return lan, ann, first, second


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit(open_page, check_page, shop, language, width, theme):
    lan, ann, first, second = shop
    batch = stored.batches(lan.merchant)[0]
    page = open_page(lan.owner, language=language, width=width, theme=theme)
    for name, view, arguments in (
        ("list", "coupons", []),
        ("unique", "coupon-template", ["spring"]),
        ("shared", "coupon-template", ["sale"]),
        ("charter", "coupon-template", ["gift"]),
        ("new", "coupon-new", []),
        ("edit", "coupon-edit", ["spring"]),
        ("one", "coupon", [first]),
        ("open", "coupon", [second]),
        ("member", "member-coupons", [ann.pk]),
        ("sheet", "coupon-sheet", [batch.pk]),
    ):
        page.goto(reverse(f"console:{view}", args=arguments))
        if folder := os.environ.get("LOOK"):
            page.screenshot(path=Path(folder) / f"{name}-{language}-{width}-{theme}.png", full_page=True)
        if name != "member":  # a part of another page
            check_page(page)


def test_the_form_shows_the_fields_of_its_kind(open_page, shop):
    lan, *_ = shop
    page = open_page(lan.owner)
    page.goto(reverse("console:coupon-new"))
    assert page.locator("[name=amount]").is_visible()
    assert not page.locator("[name=percent]").is_visible()
    page.select_option("[name=kind]", "percent")
    assert page.locator("[name=percent]").is_visible()
    assert page.locator("[name=cap]").is_visible()
    assert not page.locator("[name=amount]").is_visible()
    page.fill("[name=key]", "twelve")
    page.fill("[name=name_zh]", "八八折")
    page.fill("[name=name_en]", "Twelve off")
    page.fill("[name=percent]", "12")
    page.click("main button.btn-primary")
    assert "Twelve off: 12% off" in page.inner_text("main")
