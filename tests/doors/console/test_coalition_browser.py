"""Coalition pages in a browser: nothing scrolls sideways, nothing is unreadable, in both languages at both widths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shuke.loyalty.actions import coalition
from shuke.shops import queries as shops
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.loyalty.books import member, order, publish, take
from tests.loyalty.partners import DAY, NOW, PLAIN, close, link, prices, spend, together

pytestmark = pytest.mark.browser


@pytest.fixture
def street(lan, mingde, monkeypatch):
    monkeypatch.setattr(shops, "now", lambda merchant: NOW + 20 * DAY)
    partners = [lan.merchant, mingde.merchant]
    for merchant in partners:
        publish(merchant, PLAIN)
    made = together(partners, [prices(), prices(prepaid=True, warn_below=5000)])
    people = [member(merchant, 1) for merchant in partners]
    link(partners[0], people[0])
    code, _ = coalition.make_code(merchant=partners[0], member_id=people[0], now=NOW, actor="till")
    link(partners[1], people[1], code=code)
    coalition.buy_pack(merchant=partners[0], coalition_id=made.pk, partner=partners[1], key="p", points=900, now=NOW, actor="o")  # fmt: skip
    for merchant, who in zip(partners, people, strict=True):
        take(merchant, who, order("a", 5, 1234), now=NOW)
    spend(partners[1], "k", people[1], 1500)
    close(made, NOW + DAY)
    spend(partners[0], "k", people[0], 500, now=NOW + 15 * DAY)
    coalition.propose(merchant=partners[0], coalition_id=made.pk, partner=partners[1], prices=prices("0.7", since=NOW + 30 * DAY), now=NOW + 20 * DAY, actor="o")  # fmt: skip
    return lan, mingde, people


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit(open_page, check_page, street, language, width):
    lan, mingde, people = street
    folder = os.environ.get("SHOTS_FOLDER")
    for staff, who in ((lan.owner, people[0]), (mingde.owner, people[1])):
        page = open_page(staff, language=language, width=width)
        for name, path in (
            ("home", "/coalition"),
            ("period", "/coalition/periods/1"),
            ("member", f"/members/{who}/coalition"),
        ):
            page.goto(path)
            for part in page.locator("details.card > summary").all():
                part.click()
            check_page(page)
            if folder:
                page.screenshot(path=Path(folder) / f"{name}-{staff.username}-{language}-{width}.png", full_page=True)
