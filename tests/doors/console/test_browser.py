"""The console in a real browser: both languages, both themes, phone and desktop."""

from __future__ import annotations

import gzip
import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from shuke.engine.charter import document
from shuke.loyalty.models import PublishedCharter
from shuke.shops.models import Merchant
from tests import cast
from tests.doors.console import sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = list(itertools.product(("zh-hans", "en"), (360, 1440), ("light", "dark")))
FIRST_LOAD = 60 * 1024


def furnish(shop: cast.Shop) -> None:
    """A snapshot and a charter, so that every part of a page is drawn."""
    sample.store(shop.merchant, [(s.pk, s.name) for s in (shop.street, shop.second, shop.online)])
    publish(shop.merchant)


def publish(merchant: Merchant) -> None:
    text = document.ready("beauty")
    PublishedCharter.objects.create(
        merchant=merchant,
        version=1,
        effective_from=cast.OPENED,
        published_at=cast.OPENED,
        document=document.to_plain(text),
        note="First charter",
    )


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
@pytest.mark.parametrize("path", ["/", "/charter"])
def test_pages_are_accessible_and_fit(open_page, check_page, lan, path, language, width, theme):
    furnish(lan)
    page = open_page(lan.owner, language=language, width=width, theme=theme)
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans" if language == "zh-hans" else "en")
    check_page(page)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", ["/sign-in", "/", "/charter", "/no-such-page"])
def test_pages_of_an_empty_shop_and_errors_are_accessible_and_fit(open_page, check_page, lan, path, width):
    page = open_page(None if path == "/sign-in" else lan.owner, width=width, theme="dark")
    page.goto(path)
    check_page(page)


def test_signing_in_by_keyboard_leads_to_the_dashboard(open_page, check_page, lan):
    furnish(lan)
    page = open_page(None)
    page.goto("/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("lan.owner")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    check_page(page)
    expect(page.get_by_label("User name")).to_have_value("lan.owner")
    page.get_by_label("Password").fill(cast.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


def test_the_menu_switches_language_and_theme_and_signs_out(open_page, lan):
    furnish(lan)
    page = open_page(lan.owner, language="zh-hans")
    page.goto("/charter")
    menu = page.locator(".c-top details[data-menu]")
    menu.locator("summary").click()
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(re.compile("/charter$"))
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    menu.locator("summary").click()
    page.get_by_role("button", name="Dark or light").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_a_figure_explains_itself_and_opens_its_members(open_page, lan):
    furnish(lan)
    page = open_page(lan.owner)
    page.goto("/")
    tile = page.locator(".c-tile", has_text="Degrading")
    tile.locator("summary").click()
    expect(tile.locator(".c-tip-body")).to_contain_text("As of 2018-01-01")
    page.keyboard.press("Escape")
    expect(tile.locator(".c-tip-body")).to_be_hidden()
    tile.get_by_role("link", name="Degrading", exact=True).click()
    expect(page).to_have_url(re.compile(r"/members\?view=at_risk$"))


def test_slash_reaches_the_search_and_the_skip_link_the_content(open_page, lan):
    page = open_page(lan.owner)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find a member")).to_be_focused()


def test_paper_is_light_even_where_the_screen_is_dark(open_page, lan):
    furnish(lan)
    page = open_page(lan.owner, theme="dark")
    page.goto("/charter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(media="print")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page.get_by_role("navigation", name="Main menu")).to_be_hidden()
    page.emulate_media(media="screen")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_touch_targets_are_large_enough_on_a_phone(open_page, lan):
    furnish(lan)
    page = open_page(lan.owner, width=360)
    page.goto("/")
    small = page.evaluate(
        """() => [...document.querySelectorAll('.c-bottom a, .c-top summary, .c-top input, main .btn')]
        .filter(e => e.offsetParent !== null && e.getBoundingClientRect().height < 44)
        .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


@pytest.mark.parametrize("path", ["/", "/charter", "/members", "/insight/rfm", "/insight/points"])
def test_the_first_load_is_light(open_page, lan, path):
    furnish(lan)
    page = open_page(lan.owner, language="zh-hans")
    bodies: dict[str, bytes] = {}
    page.on("response", lambda answer: bodies.setdefault(answer.url, answer.body()) if answer.status == 200 else None)
    page.goto(path)
    page.wait_for_load_state("load")
    assert len(bodies) <= 12
    weight = {url: len(gzip.compress(body, 6)) for url, body in bodies.items()}
    assert sum(weight.values()) <= FIRST_LOAD, weight


def test_chinese_is_drawn_with_real_glyphs(open_page, lan):
    page = open_page(lan.owner)
    page.goto("/charter")

    def picture(page: Page, sign: str) -> bytes:
        page.evaluate("s => { document.querySelector('h1').textContent = s }", sign)
        return page.locator("h1").screenshot()

    assert picture(page, "会") != picture(page, "员"), "no CJK font on this machine: install fonts-noto-cjk"
