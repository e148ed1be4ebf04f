"""Pages of co-branded cards in a browser: a file is dropped, looked at and taken; everything fits, in both languages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shuke.loyalty.actions import partner_cards as cards
from shuke.shops import queries as shops
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.flows.test_partner_card import HASHES, HEADER, ROWS, TERMS, bind, programme, rules_of, take, write
from tests.loyalty.books import member, publish
from tests.loyalty.partners import DAY, NOW, PLAIN

pytestmark = pytest.mark.browser


@pytest.fixture
def bank(lan, monkeypatch, tmp_path, settings):
    settings.SHUKE_HOME = tmp_path
    monkeypatch.setattr(shops, "now", lambda merchant: NOW + 20 * DAY)
    publish(lan.merchant, PLAIN)
    people = [member(lan.merchant, n) for n in (1, 2)]
    terms = TERMS._replace(month_most=5000, rules=rules_of("5411,5812-5814=2; 6011=0"))
    programme(lan.merchant, terms=terms)
    for who, token in zip(people, HASHES, strict=False):
        bind(lan.merchant, who, token)
    return lan, people


def test_a_file_is_dropped_looked_at_and_taken(open_page, bank, tmp_path):
    lan, _ = bank
    page = open_page(lan.owner, width=360)
    page.goto("/partner-cards")
    page.set_input_files("input[name=file]", write(tmp_path / "jan.csv", ROWS))
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("heading", name="What would happen").wait_for()
    assert page.locator(".c-count-rejected dd").inner_text() == "7"
    page.get_by_role("button", name="Take all but the rejected rows").click()
    page.get_by_role("heading", name="Result").wait_for()
    page.get_by_role("link", name="Say whose cards these are").click()
    page.get_by_label("Member", exact=True).fill("00000002")
    page.get_by_role("button", name="Theirs").click()
    page.get_by_text("No card waits").wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit(open_page, check_page, bank, tmp_path, language, width):
    lan, people = bank
    file = take(lan.merchant, write(tmp_path / "jan.csv", ROWS)).file
    cards.close(merchant=lan.merchant, programme="bank", until=NOW + DAY, now=NOW + 9 * DAY, actor="owner")
    page = open_page(lan.owner, language=language, width=width)
    folder = os.environ.get("SHOTS_FOLDER")

    def look(name):
        for part in page.locator("details.card").all():
            if part.get_attribute("open") is None:
                part.locator("summary").first.click()
        check_page(page)
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{language}-{width}.png", full_page=True)

    for name, path in (
        ("home", "/partner-cards"),
        ("programme", "/partner-cards/programmes/bank"),
        ("file", f"/partner-cards/files/{file.pk}"),
        ("waiting", "/partner-cards/waiting"),
        ("member", f"/members/{people[0]}/partner-cards"),
    ):
        page.goto(path)
        look(name)
    for name, rows, header in (("preview", [(HASHES[3], "9", "2025-01-10", "x")], HEADER), ("columns", [("a", "9", "x")], ("K", "Betrag", "Tag"))):  # fmt: skip
        page.goto("/partner-cards")
        page.set_input_files("input[name=file]", write(tmp_path / f"{name}.csv", rows, header=header))
        page.locator("form[data-drop] button.btn-primary").click()
        page.locator("select[name=field-0]" if name == "columns" else ".c-counts").wait_for()
        look(name)
