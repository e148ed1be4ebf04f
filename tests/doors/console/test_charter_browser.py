"""The charter's pages in a real browser: checked while typed, nothing lost, readable at every width and for everybody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from shuke.doors.console.views.handbook import address_of
from shuke.loyalty.actions import drafts
from shuke.loyalty.models import CharterDraft
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.loyalty.books import CHARTER, NOW, publish

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def draft(lan):
    from shuke.engine.charter import document

    publish(lan.merchant)
    text = document.to_yaml(document.from_plain(CHARTER))
    return drafts.begin_draft(merchant=lan.merchant, title="Autumn", text=text, based_on=1, now=NOW, actor="lan.owner")


def test_a_fault_stands_beside_its_field_while_one_types_and_goes_when_it_is_mended(lan, draft, open_page):
    page = open_page(lan.owner)
    page.goto(f"/charter/drafts/{draft.pk}?part=tiers")
    field = page.locator('[name="tiers.1.multiplier"]')
    field.fill("-2")
    fault = page.locator('[data-fault="tiers.1.multiplier"]')
    expect(fault).to_contain_text("must be more than 0")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator('[data-count="tiers"]')).to_have_text("1")
    field.fill("2")
    expect(fault).to_be_hidden()
    expect(page.locator("[data-changes] ins")).to_contain_text("× 2")
    assert CharterDraft.objects.get().revision == 1  # looked at, not saved
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator('[name="revision"]').first).to_have_value("2")
    assert "'2'" in CharterDraft.objects.get().text


def test_a_fault_in_what_is_folded_away_opens_it(lan, draft, open_page):
    page = open_page(lan.owner)
    page.goto(f"/charter/drafts/{draft.pk}?part=points")
    field = page.locator('[name="points.returned_grace_days"]')
    fold = page.locator("details.c-more", has=field).last
    fold.locator("> summary").click()
    field.fill("soon")
    fold.evaluate("fold => { fold.open = false }")
    expect(page.locator('[data-fault="points.returned_grace_days"]')).to_be_visible()


def test_two_people_at_once(lan, draft, open_page):
    one, other = open_page(lan.owner), open_page(lan.owner)
    for page in (one, other):
        page.goto(f"/charter/drafts/{draft.pk}?part=points")
    one.locator('[name="points.pending_days"]').fill("8")
    one.get_by_role("button", name="Save", exact=True).click()
    expect(one.locator('[name="revision"]').first).to_have_value("2")
    other.locator('[name="points.pending_days"]').fill("9")
    other.get_by_role("button", name="Save", exact=True).click()
    expect(other.get_by_text(re.compile("after you had opened it"))).to_be_visible()
    expect(other.locator('[name="points.pending_days"]')).to_have_value("9")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_in_order(lan, draft, open_page, check_page, language, width):
    page = open_page(lan.owner, language=language, width=width)
    one = f"/charter/drafts/{draft.pk}"
    parts = [f"{one}?part={part}" for part in ("basics", "points", "tiers", "earning", "selling", "yaml")]
    for address in (
        "/charter",
        "/charter/drafts",
        *parts,
        f"{one}/publish",
        f"{one}/simulate",
        address_of(lan.merchant),
    ):
        page.goto(address)
        check_page(page)
