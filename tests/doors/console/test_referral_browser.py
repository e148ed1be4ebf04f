"""Referral in a real browser: every page fits and is accessible; a stranger joins from the link on a phone."""

from __future__ import annotations

import itertools
import os

import pytest
from playwright.sync_api import expect

from shuke.kit import clock
from shuke.loyalty.actions import referral
from shuke.loyalty.models import Referral
from shuke.members.models import Member
from shuke.shops.models import Merchant
from tests.loyalty.books import order, publish
from tests.loyalty.friends import NOW, PART, PLAIN, bind, buy, settle, someone
from tests.loyalty.test_referral import phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = list(itertools.product(("zh-hans", "en"), (360, 1440)))


@pytest.fixture
def friends(lan):
    """Ann brought three; one was rewarded, one shares her phone, one brought another."""
    shift = round((NOW - clock.utc_now()).total_seconds())
    Merchant.objects.filter(pk=lan.merchant.pk).update(clock_shift=shift)
    mug = {"zh": "马克杯", "en": "mug"}
    steps = [{"points": 100, "gift": mug, "honour": {"zh": "引荐人", "en": "Host"}}]
    publish(lan.merchant, PLAIN | {"referral": PART | {"steps": steps}})
    people = [someone(lan.merchant, n) for n in range(1, 6)]
    ann, ben, cid, dan, eve = people
    rows = [
        bind(lan.merchant, a, b, at=10 + n / 10)
        for n, (a, b) in enumerate(((ben, ann), (cid, ann), (dan, ben), (eve, dan)))
    ]
    for who in (ann, cid):
        phone(lan.merchant, who, "+8613900000001")
    for n, who in enumerate((ben, cid, dan)):
        buy(lan.merchant, who, order(f"o{n}", 30, 150 + n))
    settle(lan.merchant)
    code = referral.code_for(merchant=lan.merchant, member_id=ann, now=NOW)
    return lan, ann, rows[1].pk, f"/r/{lan.merchant.pk:x}/{code.code}"


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_pages_are_accessible_and_fit(open_page, check_page, friends, language, width):
    lan, ann, held, invitation = friends
    page = open_page(lan.owner, language=language, width=width)
    paths = (
        "/referrals",
        f"/referrals/{held}",
        f"/referrals/tree/{ann}?depth=6",
        f"/members/{ann}/referral",
        invitation,
    )
    for n, path in enumerate(paths):
        page.goto(path)
        expect(page.locator("main h1")).to_be_visible()
        if folder := os.environ.get("LOOK"):
            page.screenshot(path=f"{folder}/referral-{n}-{language}-{width}.png", full_page=True)
        check_page(page)


def test_a_stranger_joins_from_the_link_on_a_phone(open_page, check_page, friends):
    lan, ann, _held, invitation = friends
    page = open_page(lan.owner, language="zh-hans", width=360)
    page.goto(invitation)
    page.get_by_role("textbox", name="姓名").fill("陈小红")
    page.get_by_role("textbox", name="手机号").fill("13900000077")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="入会").click()
    expect(page.get_by_role("status")).to_contain_text("谢谢")
    check_page(page)
    newcomer = Member.objects.get(name="陈小红")
    assert Referral.objects.get(newcomer=newcomer).referrer_id == ann
