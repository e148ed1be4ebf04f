"""Members and imports in a real browser: searching, filtering and going back, opening, revealing, importing, undoing."""

from __future__ import annotations

import itertools
import re
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from shuke.connect.samples import layouts
from shuke.flows import timetable
from shuke.kit import clock, jobs
from shuke.kit.models import AuditLine
from shuke.orders.models import ImportBatch, Order
from tests.doors.console import people
from tests.doors.console.test_browser import publish

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = list(itertools.product(("zh-hans", "en"), (360, 1440), ("light", "dark")))


@pytest.fixture
def sixty(lan):
    """Enough members for two pages, and a charter."""
    publish(lan.merchant)
    return people.make(
        lan.merchant, 60, clock.utc_now(), [lan.street, lan.second, lan.online], tiers=["member", "silver", "gold"]
    )


def work() -> None:
    """Do what is due, as the worker would."""
    timetable.install()
    while running := jobs.claim(worker="test", now=clock.utc_now()):
        assert jobs.run(running) == "done"


def names(page: Page) -> list[str]:
    return page.locator("tbody th a").all_inner_texts()


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_list_and_member_are_accessible_and_fit(open_page, check_page, sixty, lan, language, width, theme):
    page = open_page(lan.owner, language=language, width=width, theme=theme)
    page.goto("/members?view=active&tier=gold&tier=silver&rfm=999")
    check_page(page)
    page.goto(f"/members/{sixty[0].pk}?sort=-spent")
    check_page(page)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", ["/members?q=nobody", "/members?tier=none", "points", "orders", "/imports"])
def test_further_pages_are_accessible_and_fit(open_page, check_page, sixty, lan, width, path):
    page = open_page(lan.owner, width=width, theme="dark" if width == 360 else "light")
    page.goto(path if path.startswith("/") else f"/members/{sixty[0].pk}/{path}")
    check_page(page)


@pytest.mark.parametrize("width", [360, 1440])
def test_open_menus_and_the_bulk_bar_are_accessible_and_fit(open_page, check_page, sixty, lan, width):
    page = open_page(lan.owner, width=width)
    page.goto("/members")
    for name in ("Tier", "More", "Columns", "Export"):
        page.locator("main summary", has_text=re.compile(f"^{name}")).click()
        check_page(page)
        page.keyboard.press("Escape")
    page.locator("tbody input[type=checkbox]").first.check()
    expect(page.get_by_text("Ticked:")).to_be_visible()
    check_page(page)


def test_a_member_is_found_by_four_digits_from_any_page(open_page, sixty, lan):
    who = sixty[7]
    page = open_page(lan.assistant)
    page.goto("/charter")
    page.keyboard.press("/")
    page.keyboard.type(who.phone_hint[-4:])
    hit = page.locator(f"#c-hits a[href='/members/{who.pk}']")
    expect(hit).to_contain_text(who.phone_hint[-4:])
    page.keyboard.press("ArrowDown")
    expect(page.locator("#c-hits a").first).to_be_focused()
    hit.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(who.name)


def test_a_filter_is_in_the_address_and_the_back_button_takes_it_off(open_page, sixty, lan):
    page = open_page(lan.owner)
    page.goto("/members")
    before = names(page)
    assert len(before) == 50
    page.locator("main summary", has_text=re.compile("^Stage")).click()
    page.locator("input[name=stage][value=lost]").check()
    expect(page).to_have_url(re.compile(r"/members\?stage=lost$"))
    expect(page.locator("a.c-chip")).to_have_text(re.compile("Stage: Lost"))
    lost = names(page)
    assert 0 < len(lost) < 50
    page.reload()
    assert names(page) == lost
    page.go_back()
    expect(page).to_have_url(re.compile(r"/members$"))
    expect(page.locator("tbody tr")).to_have_count(50)
    assert names(page) == before


def test_typing_keeps_the_focus_and_leaves_a_clean_address(open_page, sixty, lan):
    page = open_page(lan.owner)
    page.goto("/members")
    box = page.get_by_label("Search in the list")
    box.click()
    page.keyboard.type(sixty[3].nickname)
    expect(page).to_have_url(re.compile(rf"/members\?q={sixty[3].nickname}$"))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(box).to_be_focused()
    expect(box).to_have_value(sixty[3].nickname)
    page.get_by_role("link", name=re.compile("remove this filter")).click()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_pages_and_sorting_work_by_links(open_page, sixty, lan):
    page = open_page(lan.owner)
    page.goto("/members")
    page.get_by_role("link", name="Net spend").click()
    expect(page).to_have_url(re.compile(r"sort=-spent"))
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Net spend")
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(page.locator("tbody tr")).to_have_count(10)
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Previous member").click()
    expect(page.get_by_role("link", name="Next member")).to_be_visible()


def test_ticked_members_leave_as_a_file(open_page, sixty, lan):
    page = open_page(lan.owner)
    page.goto("/members")
    page.locator("tbody input[type=checkbox]").nth(0).check()
    page.locator("tbody input[type=checkbox]").nth(2).check()
    expect(page.locator("[data-bulk-count]")).to_have_text("2")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").last.click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 3
    assert AuditLine.objects.get(verb="members.exported").detail["rows"] == 2


def test_a_tag_is_put_on_by_keyboard(open_page, sixty, lan):
    page = open_page(lan.owner)
    page.goto("/members?sort=joined")
    page.locator("tbody input[type=checkbox]").nth(0).check()
    page.get_by_label("Tag", exact=True).fill("call in June")
    page.keyboard.press("Enter")
    expect(page.locator(".alert-success")).to_contain_text("1 member was tagged")
    expect(page).to_have_url(re.compile(r"/members\?sort=joined$"))


def test_a_contact_is_shown_only_after_a_reason_and_that_is_noted(open_page, check_page, sixty, lan):
    page = open_page(lan.owner, width=360)
    page.goto(f"/members/{sixty[0].pk}")
    page.get_by_role("region", name="Profile").or_(page.locator("main")).first.wait_for()
    contact = page.locator(".c-contact", has_text=re.compile(r"\*\*\*\* \d{4}")).first
    contact.locator("summary", has_text="Show").click()
    check_page(page)
    contact.get_by_label("To call or write to the member").check()
    contact.get_by_role("button", name="Show in full").click()
    expect(page.get_by_text(re.compile(r"\+86190\d{8}"))).to_be_visible()
    assert AuditLine.objects.get(verb="contact.revealed").detail["reason"] == "call"
    page.reload()
    expect(page.get_by_text(re.compile(r"\+86190\d{8}"))).to_have_count(0)


def test_a_note_appears_on_the_timeline_at_once(open_page, sixty, lan):
    page = open_page(lan.assistant)
    page.goto(f"/members/{sixty[0].pk}")
    page.get_by_label("Note", exact=True).fill("Wants the refill, call on Friday")
    page.keyboard.press("Enter")
    expect(page.locator("#c-timeline li").first).to_contain_text("Wants the refill, call on Friday")
    page.locator("#c-timeline").get_by_role("link", name="Purchases").click()
    expect(page.locator("#c-timeline")).not_to_contain_text("Wants the refill")


@pytest.mark.parametrize(("width", "language"), [(360, "en"), (1440, "zh-hans")])
def test_a_sample_file_goes_in_and_out_again(open_page, check_page, lan, tmp_path, width, language):
    publish(lan.merchant)
    made = layouts.write(tmp_path, "taobao-orders-g4", at=datetime(2026, 1, 15, 9, 0))
    page = open_page(lan.owner, width=width, language=language)
    page.goto("/imports")
    page.set_input_files("#files", str(made.path))
    expect(page.locator("[data-drop-names]")).to_have_text(made.path.name)
    page.locator("form[data-drop] button").click()
    expect(page.locator(".c-file")).to_contain_text("淘宝" if language == "zh-hans" else "Taobao")
    run = page.locator("#c-preview form button")
    expect(run).to_be_visible()
    check_page(page)
    assert not Order.objects.exists()
    run.click()
    expect(page.locator("#c-import progress")).to_be_visible()
    check_page(page)
    work()
    undo = page.locator("details.c-undo")
    expect(undo).to_be_visible()  # without a reload: the page asks until it has ended
    expect(page.locator("#c-import progress")).to_have_count(0)
    check_page(page)
    assert Order.objects.count() == len(made.numbers)
    undo.locator("summary").click()
    undo.get_by_role("button").click()
    expect(page.locator(".alert-success")).to_be_visible()
    assert not Order.objects.exists()
    assert ImportBatch.objects.get().state == "undone"


@pytest.mark.parametrize("width", [360, 1440])
def test_the_column_step_fits_and_its_answer_leads_on(open_page, check_page, lan, tmp_path, width):
    file = tmp_path / "fremd.csv"
    file.write_text(
        "eins,zwei,drei,vier\n" + "".join(f"Q{i},2026-02-{i:02d},190123400{i:02d},{i}.50\n" for i in range(1, 6))
    )
    page = open_page(lan.owner, width=width)
    page.goto("/imports")
    page.set_input_files("#files", str(file))
    page.get_by_role("button", name="Look at the files").click()
    expect(page.get_by_text("This is no export of a platform we know.")).to_be_visible()
    check_page(page)
    for column, meaning in (
        ("eins", "Order number"),
        ("zwei", "Order time"),
        ("drei", "Phone"),
        ("vier", "Amount paid"),
    ):
        page.get_by_label(f"What “{column}” means").select_option(label=meaning)
    page.get_by_role("button", name="Use these columns").click()
    expect(page.locator("#c-preview dd").first).to_have_text("5")
