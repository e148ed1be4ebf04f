"""The insight pages in a real browser: they fit and are accessible, bounds are tried while they are typed, keys suffice."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from shuke.insight import actions
from shuke.insight.queries import cut_points
from shuke.kit import clock
from shuke.loyalty import actions as loyalty
from shuke.orders.models import Order
from shuke.shops.models import Merchant
from tests.insight.till import member, night, sell
from tests.loyalty import books

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = list(itertools.product(("zh-hans", "en"), (360, 1440), ("light", "dark")))
PATHS = ("/insight/rfm", "/insight/movement", "/insight/points?month=2026-08")
HALF = 720  # CSS pixels that are left of 1440 at a zoom of 200 %
NIGHTS = ("2026-04-18", "2026-06-20")


@pytest.fixture
def open_shop(lan):
    """Five members, two snapshots a season apart, points that lapse; the shop's clock stands after the second night."""
    for i, days in enumerate(
        (("02-01", "03-01", "04-17"), ("02-01",), ("03-03", "06-18"), ("05-20",), ("06-01", "06-19"))
    ):
        buyer = member(lan, f"会员{i}")
        for day in days:
            sell(lan, buyer, f"2026-{day}", 12_300 * (i + 1))
    books.publish(lan.merchant)
    paid = list(Order.objects.filter(merchant=lan.merchant).values_list("pk", flat=True))
    for day in NIGHTS:
        if day == NIGHTS[-1]:
            loyalty.settle(merchant=lan.merchant, order_ids=paid, now=night(lan, day), actor="test")
        actions.snapshot(merchant=lan.merchant, day=date.fromisoformat(day), now=night(lan, day))
    shift = int((night(lan, NIGHTS[-1]) + timedelta(hours=1) - clock.utc_now()).total_seconds())
    Merchant.objects.filter(pk=lan.merchant.pk).update(clock_shift=shift)
    return lan


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_pages_are_accessible_and_fit(open_page, check_page, open_shop, language, width, theme):
    page = open_page(open_shop.owner, language=language, width=width, theme=theme)
    for path in PATHS:
        page.goto(path)
        expect(page.locator("main h1")).to_be_visible()
        check_page(page)


@pytest.mark.parametrize(("language", "width", "theme"), [("zh-hans", 360, "light"), ("en", 1440, "dark")])
def test_growth_cohorts_and_pyramid_are_accessible_and_fit(open_page, check_page, open_shop, language, width, theme):
    page = open_page(open_shop.owner, language=language, width=width, theme=theme)
    for path in ("/insight/growth", "/insight/cohorts", "/insight/pyramid", "/insight/growth?by=store"):
        page.goto(path)
        expect(page.locator("main h1")).to_be_visible()
        check_page(page)
        # The open tab is in sight, however many there are before it; the names of rows stay in sight while figures scroll.
        for tab in page.locator("main .c-tabs > [aria-current]").all():
            expect(tab).to_be_in_viewport(ratio=0.9)


def test_pages_fit_at_a_zoom_of_two(open_page, check_page, open_shop):
    page = open_page(open_shop.owner, language="zh-hans", width=HALF)
    for path in ("/", "/members", *PATHS):
        page.goto(path)
        check_page(page)


@pytest.mark.parametrize("path", ["/insight/rfm", "/insight/movement", "/insight/points"])
def test_pages_of_a_shop_without_a_night_are_accessible_and_fit(open_page, check_page, lan, path):
    page = open_page(lan.owner, width=360, theme="dark")
    page.goto(path)
    check_page(page)


def test_bounds_are_tried_while_they_are_typed_and_put_in_force_by_keyboard(open_page, check_page, open_shop):
    page = open_page(open_shop.owner)
    page.goto("/insight/rfm")
    told = page.get_by_role("region", name="What would change")
    expect(told).to_contain_text("Change a bound to see")
    five = page.get_by_role("group", name="F: frequency").get_by_label("Score 5")
    five.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("9")
    expect(told).to_contain_text("Nothing is changed yet")
    expect(told.get_by_role("row", name=re.compile("^222"))).to_be_visible()
    check_page(page)
    five.fill("0")
    expect(told).to_contain_text("Correct the bounds")
    five.fill("9")
    expect(told).to_contain_text("Nothing is changed yet")
    page.get_by_role("button", name="Put in force").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your cut points are in force.")).to_be_visible()
    expect(page.get_by_role("region", name="In force")).to_contain_text("your own")
    assert cut_points.in_force(open_shop.merchant).frequency.steps[3] == 9
    check_page(page)


def test_choosing_other_days_shows_them_at_once(open_page, open_shop):
    page = open_page(open_shop.owner, width=360)
    page.goto("/insight/movement")
    page.get_by_label("What", exact=True).select_option("stage")
    expect(page).to_have_url(re.compile("what=stage"))
    table = page.get_by_role("table")
    expect(table.get_by_role("row", name=re.compile("^Stable"))).to_be_visible()
    link = table.get_by_role("link").first
    number = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text(f"of {number} member")


def test_the_note_below_a_figure_opens_its_own_members(open_page, open_shop):
    page = open_page(open_shop.owner)
    page.goto("/")
    page.get_by_role("link", name="have bought").click()
    expect(page).to_have_url(re.compile(r"/members\?bought=ever$"))
    expect(page.get_by_role("status").first).to_contain_text("of 5 members")


def test_what_a_figure_counts_opens_by_keyboard_and_says_as_of_when(open_page, open_shop):
    page = open_page(open_shop.owner)
    page.goto("/")
    page.get_by_label("What “Repeat rate” counts").focus()
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("region", name="Key figures").get_by_text("the share that did on two days or more")
    ).to_be_visible()
    expect(page.locator("details[open] time")).to_have_text("As of 2026-06-21 02:00")
    page.keyboard.press("Escape")
    expect(
        page.get_by_role("region", name="Key figures").get_by_text("the share that did on two days or more")
    ).to_be_hidden()
