"""Pages of stored value and gift cards in a browser: accessible, nothing scrolls sideways, in both languages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse

from shuke.kit import clock
from shuke.loyalty.actions import stored
from shuke.loyalty.models import GiftCard
from shuke.loyalty.queries import stored as books
from tests.doors.console import people
from tests.doors.console.conftest import LANGUAGES, WIDTHS
from tests.loyalty.stored import open_stored

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(lan):
    merchant, now = lan.merchant, clock.utc_now()
    open_stored(merchant, cards={"months": 36})
    ann = people.make(merchant, 1, now, [lan.street], tiers=["gold"])[0]

    def ask(key, kind, amount, **more):
        one = stored.Ask(key, kind, ann.pk, amount, **more)
        stored.ask(merchant=merchant, asks=[one], now=now, actor="lan.assistant")

    ask("t1", "top_up", 100_000, paid_by="wechat")
    ask("s1", "spend", 3_990)
    ask("r1", "return", 990, ref="s1")
    ask("h1", "hold", 2_000)
    for key, amount in (("c1", 60_00), ("c2", 90_00)):
        stored.correct(
            merchant=merchant, key=key, member_id=ann.pk, amount=amount, account="bonus", reason="少找了零钱", now=now,
            actor="lan.manager",
        )  # fmt: skip
    batch = stored.begin_cards(
        merchant=merchant, count=30, value=20_000, label="春节 Spring", now=now, actor="lan.owner"
    )
    stored.make_cards(batch_id=batch.pk)
    cards = [card.pk for card in books.cards_of_batch(merchant, batch.pk, 1, 3)]
    stored.sell_cards(merchant=merchant, cards=cards, key="g", paid_by="cash", now=now, actor="lan.owner")
    return lan, ann, batch


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit(open_page, check_page, shop, language, width):
    lan, ann, batch = shop
    page = open_page(lan.owner, language=language, width=width, theme="dark" if width == 360 else "light")
    for name, view, arguments in (
        ("member", "member-stored", [ann.pk]),
        ("overview", "stored", []),
        ("cards", "stored-cards", []),
        ("card", "stored-card", [GiftCard.objects.get(number=1).pk]),
        ("sheet", "stored-batch-sheet", [batch.pk]),
    ):
        page.goto(reverse(f"console:{view}", args=arguments))
        if folder := os.environ.get("LOOK"):
            page.screenshot(path=Path(folder) / f"stored-{name}-{language}-{width}.png", full_page=True)
        check_page(page)


def test_a_top_up_at_the_counter_is_three_touches(open_page, shop):
    lan, ann, _ = shop
    page = open_page(lan.assistant, width=360)
    page.goto(reverse("console:member-stored", args=[ann.pk]))
    page.fill("form:has(button[value=top_up]) [name=amount]", "500")
    page.select_option("form:has(button[value=top_up]) [name=paid_by]", "cash")
    page.click("button[value=top_up]")
    assert "¥500.00" in page.inner_text("main")
    assert books.balance(lan.merchant, ann.pk, clock.utc_now()).principal == 150_000 - 3_000
