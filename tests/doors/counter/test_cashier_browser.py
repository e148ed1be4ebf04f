"""A cashier's day on a phone and at a desk: found by four digits, sold, paid with everything, brought back, signed in, complained."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shuke.kit import clock
from shuke.members.models import Member
from shuke.orders.models import Order
from tests.doors.counter.shop import furnish
from tests.loyalty.books import CHARTER
from tests.loyalty.stored import STORED, do
from tests.loyalty.till import give, template

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SHUKE_SHOTS", "")
SIGN_IN = {
    "key": "sign_in", "name": {"zh": "签到", "en": "Check in"}, "kind": "activity", "activity": "check_in", "points": 5,
    "limits": {"per_day": 1}, "streaks": [{"days": 7, "points": 20}],
}  # fmt: skip


def furnished(lan) -> int:
    earning = [*CHARTER["earning"], SIGN_IN]
    who = furnish(lan, stored=STORED, earning=earning, selling={"points": {"share": 50}})
    template(lan.merchant)
    template(lan.merchant, "sorry", issue=[{"on": "complaint"}])
    give(lan.merchant, who)
    do(lan.merchant, who, "top_up", 100, now=clock.utc_now())
    return who


@pytest.fixture
def shot():
    """A picture of each step, for whoever wants to look (SHUKE_SHOTS=folder)."""

    def keep(page, name):
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)

    return keep


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 360), ("en", 1440), ("en", 360), ("zh-hans", 1440)])
def test_a_day_at_the_counter(open_page, check_page, shot, lan, language, width):
    who = furnished(lan)
    zh = language == "zh-hans"

    def say(english, chinese):
        return chinese if zh else english

    page = open_page(lan.assistant, language=language, width=width)
    name = f"{language[:2]}-{width}"
    # Three touches: digits, Enter, the amount and Enter.
    page.goto("/counter")
    page.get_by_role("searchbox").fill("1234")
    page.keyboard.press("Enter")
    expect(page.locator(".c-who-name")).to_contain_text("张小明")
    shot(page, f"{name}-1-member")
    check_page(page)
    page.locator("input[name=amount]").first.fill("88.50")
    page.keyboard.press("Enter")
    status = page.get_by_role("status").first
    expect(status).to_contain_text(say("Booked: ¥88.50 in money", "已入账：收款 ¥88.50"))
    shot(page, f"{name}-2-bought")
    check_page(page)
    assert Order.objects.filter(store__code="XH", paid_minor=8_850, member_id=who).count() == 1
    # With goods, points, a coupon and stored value.
    page.get_by_role("link", name=say("With goods, points or coupons: the till", "有商品、积分或用券：收银")).click()
    page.locator("input[name=amount]").first.fill("120")
    page.locator("input[name=code]").first.fill("杯子")
    page.locator("input[name=number]").fill("0042")
    page.locator("input[name=coupon]").first.check()
    page.locator("input[name=points]").fill("200")
    page.locator("input[name=stored]").fill("50")
    page.keyboard.press("Enter")
    expect(page.locator(".c-till-due")).to_contain_text("¥58.00")
    shot(page, f"{name}-3-priced")
    check_page(page)
    page.get_by_role("button", name=re.compile("58.00")).click()
    expect(status).to_contain_text("0042")
    shot(page, f"{name}-4-paid")
    check_page(page)
    # Half of it comes back.
    page.get_by_role("link", name=say("Goods that come back", "退货")).first.click()
    page.get_by_label(say("Comes back of 杯子", "杯子 退回数量")).fill("0.5")
    page.get_by_role("button", name=say("Take these goods back", "办理退货")).first.click()
    expect(status).to_contain_text("¥29.00")
    shot(page, f"{name}-5-back")
    check_page(page)
    assert Order.objects.get(number="0042").refunded_minor == 5_400
    # Checked in, a gift, a complaint with its coupon.
    page.goto(f"/counter/m/{who}")
    page.get_by_role("button", name=re.compile(say("Check in", "签到"))).click()
    expect(status).to_contain_text(say("+5 points · 1 day in a row", "已连续 1 天"))
    shot(page, f"{name}-6-check-in")
    page.get_by_role("button", name=re.compile(say("Mug", "马克杯"))).click()
    expect(status).to_contain_text(say("Handed over", "已发放"))
    page.locator(".c-complaints summary").click()
    page.locator("textarea[name=what]").fill("杯子有裂纹")
    page.get_by_role("button", name=say("Write it down", "登记"), exact=True).click()
    expect(status).to_contain_text(say("Written down", "已登记"))
    shot(page, f"{name}-7-complaint")
    check_page(page)
    page.locator(".c-complaints input[name=note]").fill("换新")
    page.keyboard.press("Enter")
    expect(status).to_contain_text(say("The member gets a coupon for it: sorry.", "已按章程发给会员优惠券：券sorry。"))
    shot(page, f"{name}-8-settled")
    assert Member.objects.get(pk=who).coupon_set.filter(key="sorry").count() == 1


def test_in_the_console_complaints_are_read_and_settled(open_page, check_page, shot, lan):
    who = furnished(lan)
    page = open_page(lan.owner, width=360)
    page.goto(f"/members/{who}")
    page.locator("#complaints summary").first.click()
    page.locator("#complaints textarea[name=what]").fill("The jar leaked")
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("#complaints")).to_contain_text("The jar leaked")
    check_page(page)
    for language, width in (("zh-hans", 360), ("en", 1440)):
        page = open_page(lan.owner, language=language, width=width)
        page.goto("/complaints")
        shot(page, f"{language[:2]}-{width}-complaints")
        check_page(page)
        page.goto(f"/members/{who}")
        page.locator("#complaints").scroll_into_view_if_needed()
        shot(page, f"{language[:2]}-{width}-member")
        check_page(page)
    page.goto("/complaints")
    page.locator("textarea[name=note]").fill("A new jar")
    page.get_by_role("button", name="Settled").click()
    expect(page.locator("main")).to_contain_text("The member gets a coupon for it: sorry.")
