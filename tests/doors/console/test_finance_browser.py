"""The finance pages in a browser: nothing scrolls sideways, nothing bars a reader, and the statement prints."""

from __future__ import annotations

import pytest

from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.loyalty.books import NOW, member, order, publish, take

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ["", "/movements", "/breakage", "/deferral", "/lapsing", "/entries?month=2025-01"]


@pytest.fixture
def sold(lan, monkeypatch):
    monkeypatch.setattr("shuke.shops.queries.now", lambda merchant: NOW)
    publish(lan.merchant)
    pk = member(lan.merchant)
    take(lan.merchant, pk, *(order(f"o{n}", 5 + 30 * n, 100 + n) for n in range(8)))
    return pk


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_can_be_read(lan, sold, open_page, check_page, language, width):
    page = open_page(lan.owner, language=language, width=width)
    for path in PAGES:
        page.goto(f"/finance{path}")
        check_page(page)
    page.goto(f"/members/{sold}/statement?from=2025-01-01&to=2025-12-31")
    check_page(page)


def test_a_statement_on_paper_is_the_table_alone(lan, sold, open_page):
    page = open_page(lan.owner)
    page.goto(f"/members/{sold}/statement?from=2025-01-01&to=2025-12-31")
    page.emulate_media(media="print")
    for hidden in (".c-side", ".c-top", ".f-ask", ".c-crumbs"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert page.get_by_text("Closing balance").is_visible()
    assert page.locator(".f-from").is_visible()  # the shop's name


def test_closing_a_month_by_hand(lan, sold, open_page):
    page = open_page(lan.owner)
    page.goto("/finance/entries?month=2025-01")
    page.get_by_role("button", name="Close 2025-01").click()
    page.wait_for_url("**/finance/entries?month=2025-01")
    assert page.get_by_text("its files are the same to the byte").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    assert download.value.suggested_filename == "shuke-entries-2025-01.csv"
