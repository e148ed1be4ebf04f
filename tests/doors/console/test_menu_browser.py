"""The menu on a phone and at twice the size: every page within two touches, nothing wider than the screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shuke.shops import queries as shops
from tests.doors.console.conftest import LANGUAGES
from tests.loyalty.books import publish
from tests.loyalty.partners import NOW, PLAIN

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(lan, monkeypatch):
    monkeypatch.setattr(shops, "now", lambda merchant: NOW)
    publish(lan.merchant, PLAIN)
    return lan


def test_any_page_is_two_touches_away_on_a_phone(open_page, shop):
    page = open_page(shop.owner, width=360)
    page.goto("/members")
    page.locator(".c-all > summary").click()
    page.locator(".c-sheet").get_by_role("link", name="Lucky draws").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.endswith("/rewards/draws")
    expect(page.locator(".c-sheet")).to_be_hidden()
    # Where one is stands under “More”, and Escape closes the sheet.
    page.locator(".c-all > summary[data-current]").click()
    expect(page.locator(".c-sheet a[aria-current]", has_text="Lucky draws")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".c-sheet")).to_be_hidden()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [320, 360, 720, 1440])  # 720: a screen of 1440 at 200 %
def test_the_menu_fits_and_is_read_aloud(open_page, check_page, shop, language, width):
    page = open_page(shop.owner, language=language, width=width)
    page.goto("/partner-cards")
    narrow = width < 992
    if narrow:
        page.locator(".c-all > summary").click()
        small = page.evaluate(
            "() => [...document.querySelectorAll('.c-sheet a, .c-bottom > a, .c-all > summary')]"
            ".filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == []
    check_page(page)
    if folder := os.environ.get("SHOTS_FOLDER"):
        page.screenshot(path=Path(folder) / f"menu-{language}-{width}.png")
