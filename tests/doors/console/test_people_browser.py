"""The people of the shop and one's own account in Chromium: no fault of access, nothing scrolls sideways, two browsers agree."""

import pytest
from playwright.sync_api import expect

from shuke.loyalty import actions
from shuke.shops.queries import now
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.doors.console.test_second_person import open_shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_sound(open_page, check_page, lan, language, width):
    page = open_page(lan.owner, language=language, width=width)
    for address in ("/people", f"/people/{lan.manager.pk}", f"/people/{lan.owner.pk}", "/account", "/account/password"):
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
