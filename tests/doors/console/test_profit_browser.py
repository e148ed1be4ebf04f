"""Profit in Chromium, on a phone: a list of costs is taken with its faults told, terms are stated, and the pages say what is assumed."""

import pytest
from playwright.sync_api import expect

from shuke.insight import actions
from tests.insight import profits
from tests.insight.till import night

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LIST = "商品编码,毛利率\nK,35%\nK,四成\n"


def test_costs_are_taken_by_file_and_terms_by_form(open_page, check_page, lan, monkeypatch):
    now = night(lan, "2026-12-31")
    monkeypatch.setattr("shuke.shops.queries.now", lambda merchant: now)
    profits.shop(lan)
    actions.profit_report(merchant=lan.merchant, day=profits.DAY, now=now)
    page = open_page(lan.owner, width=360)
    page.goto("/insight/profit")
    check_page(page)
    told = page.locator(
        ".c-scroll:has(table.c-told)"
    ).first  # members with a sentence each: read without scrolling sideways
    assert told.evaluate("box => box.scrollWidth <= box.clientWidth")
    expect(told.locator("td[data-head]").first).to_have_attribute("data-head", "Profit, 365 days")
    page.get_by_role("link", name="State your margins").click()
    page.locator("#file").set_input_files({"name": "成本.csv", "mimeType": "text/csv", "buffer": LIST.encode()})
    expect(page.locator("[data-drop-names]")).to_contain_text("成本.csv")
    page.get_by_role("button", name="Take the list").click()
    expect(page.get_by_text("1 row of the last list was not taken")).to_be_visible()
    expect(page.get_by_role("row", name="K Product")).to_contain_text("35")
    check_page(page)
    with page.expect_download() as loaded:
        page.get_by_role("link", name="Take them along as a file").click()
    assert "四成" in loaded.value.path().read_text("utf-8-sig")
    page.get_by_label("Margin of all other goods").fill("25 %")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="For all members")).to_contain_text("25 %")
    check_page(page)


def test_a_list_chosen_before_the_script_came_is_named_too(open_page, lan):
    page = open_page(lan.owner, width=360, patient=False)
    scripts = []
    page.route("**/console/app*.js", lambda script: scripts.append(script))
    page.goto("/insight/costs", wait_until="commit")
    page.locator("#file").set_input_files({"name": "成本.csv", "mimeType": "text/csv", "buffer": LIST.encode()})
    expect(page.locator("[data-drop-names]")).to_be_empty()
    for script in scripts:
        script.continue_()
    expect(page.locator("[data-drop-names]")).to_contain_text("成本.csv")
