"""The people of the shop and one's own account in Chromium: no fault of access, nothing scrolls sideways, two browsers agree."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from shuke.kit.clock import utc_now
from shuke.loyalty import actions
from shuke.shops.queries import now
from tests import cast
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.doors.console.test_second_person import open_shop
from tests.shops.test_second_factor import phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_sound(open_page, check_page, lan, language, width):
    page = open_page(lan.owner, language=language, width=width)
    for address in (
        "/people",
        f"/people/{lan.manager.pk}",
        f"/people/{lan.owner.pk}",
        "/account",
        "/account/password",
        "/account/second-factor",
    ):
        page.goto(address)
        check_page(page)


def test_one_asks_in_one_browser_and_the_other_decides_in_another(open_page, check_page, lan):
    who = open_shop(lan)
    actions.correct(
        merchant=lan.merchant, key="k", member_id=who, amount=500, reason="lost receipts", now=now(lan.merchant),
        actor="lan.manager",
    )  # fmt: skip
    asks, decides = open_page(lan.manager), open_page(lan.owner, width=360)
    asks.goto("/points/corrections")
    expect(asks.get_by_role("button", name="Take it back")).to_be_visible()
    expect(asks.get_by_role("button", name="Agree")).to_have_count(0)
    decides.goto("/points/corrections")
    check_page(decides)
    decides.get_by_role("textbox", name="Why it is declined").fill("no such receipt")
    decides.get_by_role("button", name="Decline").click()
    expect(decides.get_by_text("Declined.")).to_be_visible()
    asks.get_by_role("button", name="Take it back").click()  # their page is older
    expect(asks.get_by_text("decided already")).to_be_visible()
    expect(asks.get_by_text("no such receipt")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_second_factor_from_the_picture_to_the_next_sign_in(open_page, check_page, lan, language, width):
    page = open_page(lan.owner, language=language, width=width)
    page.goto("/account/second-factor")
    page.locator("button[value=begin]").click()
    check_page(page)
    page.locator("summary").click()
    letters = page.locator(".c-letters").inner_text().replace(" ", "")
    page.locator("#code").fill(phone(letters, utc_now()))
    page.locator("#password").fill(cast.PASSWORD)
    page.locator("button[value=confirm]").click()
    expect(page.locator(".c-codes li")).to_have_count(10)
    check_page(page)
    page.goto("/account/second-factor")
    check_page(page)
    page.context.clear_cookies(name="sessionid")
    page.goto("/sign-in?next=/account")
    page.locator("#username").fill("lan.owner")
    page.locator("#password").fill(cast.PASSWORD)
    page.locator("button.btn-primary").click()
    expect(page.locator("#code")).to_be_focused()
    check_page(page)
    page.locator("#code").fill(phone(letters, utc_now() + timedelta(seconds=30)))  # the one before is spent
    page.locator("#code").press("Enter")
    expect(page).to_have_url(re.compile("/account$"))
