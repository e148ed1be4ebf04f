"""Profiles, word of mouth and goods in Chromium: a group is chosen and opened on a phone, goods are marked, a member's card fills."""

import pytest

from shuke.insight import actions
from shuke.insight.models import GoodsMark
from tests.insight.crowd import crowd
from tests.insight.mouths import talk
from tests.insight.shelves import DAY, stock
from tests.insight.till import night

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_a_group_is_chosen_on_a_phone_and_opened_down_to_a_member(open_page, check_page, lan):
    crowd(lan)
    page = open_page(lan.owner, width=360)
    page.goto("/insight/profiles")
    check_page(page)
    page.locator("select[name=group]").select_option("layer=target")
    page.wait_for_url("**/insight/profiles?layer=target")
    page.get_by_role("heading", name="This group in words").wait_for()
    check_page(page)
    page.locator(".c-prof a[data-figure]").first.click()
    page.wait_for_url("**/insight/profiles/members?**")
    check_page(page)
    page.locator("tbody a").first.click()
    page.wait_for_url("**/members/*")


def test_assumptions_are_changed_and_named(open_page, check_page, lan):
    talk(lan)
    page = open_page(lan.owner, width=360)
    page.goto("/insight/word-of-mouth")
    check_page(page)
    page.get_by_label("Of friends brought, would have come anyway").fill("10")
    page.get_by_role("button", name="Assume this").click()
    page.get_by_text("They stay assumptions").wait_for()
    assert "10 % of the friends would have come anyway" in page.inner_text("main")
    check_page(page)


def test_a_product_is_marked_on_a_phone_and_the_card_of_a_member_knows(open_page, check_page, lan):
    shop = stock(lan)
    actions.goods_report(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    page = open_page(lan.owner, width=1440)
    page.goto(f"/members/{shop.people[8].pk}")
    page.get_by_text("a bestseller").wait_for()
    page.goto("/insight/goods/marks")
    page.set_viewport_size({"width": 360, "height": 740})
    check_page(page)
    page.get_by_label("杯 is out of stock").check()
    page.get_by_role("button", name="Keep these marks").click()
    page.get_by_text("1 product was marked").wait_for()
    assert GoodsMark.objects.get().out_of_stock
    page.goto(f"/members/{shop.people[8].pk}")
    page.get_by_text("Nothing to suggest yet.").wait_for()
