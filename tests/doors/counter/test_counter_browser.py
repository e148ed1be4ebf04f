"""The counter in a real browser: keyboard, scanner, fingers, phone and tablet."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import expect

from shuke.loyalty.models import BenefitUse
from shuke.members.models import Member
from tests.doors.counter.shop import furnish

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("language", "width", "theme"), list(itertools.product(("zh-hans", "en"), (360, 820, 1440), ("light", "dark")))
)
def test_the_counter_is_accessible_and_fits(open_page, check_page, lan, language, width, theme):
    who = furnish(lan)
    page = open_page(lan.assistant, language=language, width=width, theme=theme)
    page.goto("/counter")
    check_page(page)
    page.goto(f"/counter/m/{who}")
    check_page(page)


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 360), ("en", 1440)])
def test_the_till_is_accessible_and_fits_and_enter_prices(open_page, check_page, lan, language, width):
    page = open_page(lan.assistant, language=language, width=width)
    page.goto(f"/counter/m/{furnish(lan)}/till")
    page.locator("input[name=amount]").first.fill("88")
    page.keyboard.press("Enter")
    expect(page.locator(".c-till-due")).to_contain_text("¥88.00")
    check_page(page)


def test_two_touches_find_and_hand_out(open_page, check_page, lan):
    """Type four digits and Enter; tap the benefit. Two interactions, and a third takes it back."""
    furnish(lan)
    page = open_page(lan.assistant)
    page.goto("/counter")
    expect(page.get_by_role("searchbox", name="Who stands here?")).to_be_focused()
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("礼品包装")).click()
    expect(page.get_by_role("status").first).to_contain_text("Handed out: 礼品包装")
    check_page(page)
    page.get_by_role("status").get_by_role("button", name="Take back").click()
    expect(page.get_by_role("status").first).to_contain_text("Taken back: 礼品包装")
    assert BenefitUse.objects.get().state == "undone"


def test_two_quick_taps_are_one_hand_out(open_page, lan):
    who = furnish(lan)
    page = open_page(lan.assistant, width=360)
    page.goto(f"/counter/m/{who}")
    page.get_by_role("button", name=re.compile("礼品包装")).dblclick()
    expect(page.get_by_role("status").first).to_contain_text("Handed out")
    expect(page.locator("#c-panel")).to_contain_text("1 of 2 left this month")
    assert BenefitUse.objects.filter(state="done").count() == 1


def test_a_scanner_types_from_anywhere_and_escape_comes_back(open_page, lan):
    who = furnish(lan)
    card = Member.objects.get(pk=who).card
    other = Member.objects.create(merchant=lan.merchant, card="10000009", joined_at="2025-02-01T00:00Z", name="别人")
    page = open_page(lan.assistant)
    page.goto(f"/counter/m/{other.pk}")
    page.locator("h2").first.click()
    page.keyboard.type(card)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/counter/m/{who}$"))
    page.get_by_label("Points to redeem").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox", name="Who stands here?")).to_be_focused()


def test_points_are_redeemed_by_keyboard_alone(open_page, lan):
    who = furnish(lan)
    page = open_page(lan.assistant)
    page.goto(f"/counter/m/{who}")
    page.get_by_label("Points to redeem").fill("500")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("500 points redeemed, 730 are left")


def test_targets_are_large_enough_for_a_finger(open_page, lan):
    who = furnish(lan)
    page = open_page(lan.assistant, width=360)
    page.goto(f"/counter/m/{who}")
    small = page.evaluate(
        """() => [...document.querySelectorAll('main .btn, main input, .c-top summary')]
        .filter(e => e.offsetParent !== null && e.type !== 'hidden' && e.getBoundingClientRect().height < 44)
        .map(e => e.outerHTML.slice(0, 90))"""
    )
    assert small == []
