"""A member's tier, budgets, gifts and draws in a browser: forms do what they say, everything fits, in both languages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import expect

from shuke.loyalty.actions import gifts
from shuke.loyalty.models import Draw, GiftOrder, ManualTier
from shuke.shops import queries as shops
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.doors.console.test_reward_pages import FORM
from tests.doors.counter.shop import furnish

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(lan):
    who = furnish(lan)
    gifts.order(merchant=lan.merchant, member_id=who, gift="mug", key="o", now=shops.now(lan.merchant), actor="web")
    client = Client()
    client.force_login(lan.owner)
    client.post("/rewards/draws/new", FORM)
    return lan, who, Draw.objects.get(code=FORM["code"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit(open_page, check_page, shop, language, width):
    lan, who, draw = shop
    page = open_page(lan.owner, language=language, width=width)
    folder = os.environ.get("SHOTS_FOLDER")
    for name, path in (
        ("tier", f"/members/{who}/tier"), ("budgets", "/points/budgets"), ("gifts", "/rewards/gifts"),
        ("gift", "/rewards/gifts/new"), ("orders", "/rewards/orders"), ("draws", "/rewards/draws"),
        ("draw", f"/rewards/draws/{draw.pk}"), ("edit", f"/rewards/draws/{draw.pk}/edit"), ("log", "/rewards/benefits"),
    ):  # fmt: skip
        page.goto(path)
        check_page(page)
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{language}-{width}.png", full_page=True)


def test_a_draw_is_promised_and_an_order_handed_over(open_page, shop):
    lan, _, draw = shop
    page = open_page(lan.owner, width=360)
    page.goto(f"/rewards/draws/{draw.pk}")
    page.get_by_text("Publish the promise").click()
    page.locator("button[name=do][value=promise]").click()
    page.wait_for_load_state()
    draw.refresh_from_db()
    assert (draw.state, len(draw.commitment)) == ("committed", 64)
    expect(page.get_by_text(draw.commitment).first).to_be_visible()
    page.goto("/rewards/orders")
    page.get_by_role("button", name="Hand over").click()
    page.wait_for_load_state()
    assert GiftOrder.objects.get().state == "done"


def test_a_tier_is_given_by_hand(open_page, shop):
    lan, who, _ = shop
    page = open_page(lan.owner)
    page.goto(f"/members/{who}/tier")
    form = page.locator("form:has([name=tier])").first
    if not form.is_visible():
        page.locator("details:has([name=tier]) > summary").first.click()
    form.locator("[name=tier]").select_option(index=0)
    form.locator("[name=reason]").fill("a friend of the house")
    form.get_by_role("button").first.click()
    page.wait_for_load_state()
    assert ManualTier.objects.filter(member_id=who).count() == 1
