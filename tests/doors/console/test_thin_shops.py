"""Shops of which little is known: every insight page opens, says what is missing, and shows what can be shown."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.urls import reverse

from shuke.doors.console import insight_tabs
from shuke.flows.night import night_run
from shuke.insight import actions as insight
from shuke.members.models import Member
from shuke.shops import queries as shops
from tests.cast import Shop
from tests.doors.console.claims import claims
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 20)  # the day the night is about
NO_FIGURE = re.compile(r"\b(?:nan|inf|None(?! yet)|Infinity|undefined)\b")
TOO_FEW = "50 are needed before anything can be foreseen."
ROUGH = "fifths and layers are rough"
ASSUMED = "The margin is an assumption, so profits are too."
NO_COSTS = "No cost of winning, care, service or recovery is known yet"
NO_BUDGET = "No budget can be told yet"
NO_GOODS = "No purchase that was kept says which goods were bought."
NO_DISCOUNTS = "No order shows reduced goods"
NO_PERIOD = "No period after a first purchase is over yet"
NO_NIGHT = "Movement shows from the second night on"
NO_PURCHASE = "No member has bought anything yet; refunds and unpaid orders are no purchases."
NOT_SCORED = "once they have bought and kept something"
NOTHING_KEPT = "Members kept nothing of what they bought"
ALIKE = "Members who spent the same cannot be parted into layers."


def back(days: int) -> str:
    return (DAY - timedelta(days=days)).isoformat()


def people(shop: Shop, count: int) -> list[Member]:
    return [member(shop, f"客{i}", back(400)) for i in range(count)]


def twelve(shop: Shop) -> None:
    """Twelve customers of two months, one to three orders each."""
    for i, one in enumerate(people(shop, 12)):
        for n in range(1 + i % 3):
            sell(shop, one, back(2 + 5 * i - n), 8_000 + 900 * i)


def one_day(shop: Shop) -> None:
    """Opened this morning."""
    for i, one in enumerate(people(shop, 6)):
        sell(shop, one, back(0), 5_000 + 100 * i, time=f"{10 + i}:00")


def only_refunds(shop: Shop) -> None:
    """Whatever was sold came back."""
    for i, one in enumerate(people(shop, 6)):
        sell(shop, one, back(10 * i), 0, refunded=9_900)


def wholesaler(shop: Shop) -> None:
    """Eight who come for a jar, and one who takes the pallet."""
    *jars, pallet = people(shop, 9)
    for i, one in enumerate(jars):
        sell(shop, one, back(9 * i), 6_000)
    for n in range(12):
        sell(shop, pallet, back(7 * n), 90_000_000, quantities=(900_000,))


def one_date(shop: Shop) -> None:
    """All of it on one day, two months ago."""
    for i, one in enumerate(people(shop, 10)):
        sell(shop, one, back(60), 7_000 + i)
        sell(shop, one, back(60), 7_000 + i)


def ahead(shop: Shop) -> None:
    """A till whose clock ran a year ahead, beside a few right days."""
    for i, one in enumerate(people(shop, 6)):
        sell(shop, one, back(-365 + i), 7_000)
        if i < 3:
            sell(shop, one, back(20 * i), 7_000)


def costless(shop: Shop) -> None:
    """Half a year of regular trade, and not a word on what anything costs."""
    for i, one in enumerate(people(shop, 20)):
        for n in range(6):
            sell(shop, one, back(5 + i + 40 * n), 9_000 + 100 * i)


AHEAD = "6 orders are dated in the future and do not count."
SHOPS: list[tuple[Callable[[Shop], None], dict[str, str]]] = [
    (twelve, {"rfm": ROUGH, "pyramid": ROUGH, "value": TOO_FEW, "value-test": TOO_FEW, "budget": NO_BUDGET, "loyalty": NO_DISCOUNTS, "goods": NO_GOODS}),
    (one_day, {"rfm": ROUGH, "pyramid": "Days of history: 1;", "movement": NO_NIGHT, "cohorts": NO_PERIOD, "value": TOO_FEW}),
    (only_refunds, {"rfm": NOT_SCORED, "pyramid": NOT_SCORED, "value": NO_PURCHASE, "value-test": NO_PURCHASE, "profit": NOTHING_KEPT, "cohorts": NO_PERIOD}),
    (wholesaler, {"pyramid": ROUGH, "value": TOO_FEW, "budget": NO_BUDGET, "profit": ASSUMED}),
    (one_date, {"rfm": ROUGH, "pyramid": ROUGH, "value": TOO_FEW, "growth": "needed"}),
    (ahead, {tab.key: AHEAD for tab in insight_tabs.tabs() if tab.key not in ("costs", "points")} | {"pyramid": ALIKE}),
    (costless, {"profit": ASSUMED, "budget": NO_BUDGET, "costs": "30 % (assumption)"}),
]  # fmt: skip


@pytest.mark.parametrize(("make", "said"), SHOPS, ids=lambda one: getattr(one, "__name__", ""))
def test_every_insight_page_says_what_is_missing(see, lan, monkeypatch, make, said):
    make(lan)
    now = night(lan, DAY.isoformat())
    monkeypatch.setattr(shops, "now", lambda merchant: now)
    night_run(merchant=lan.merchant, day=DAY, now=now)
    insight.goods_report(merchant=lan.merchant, day=DAY, now=now)
    insight.profit_report(merchant=lan.merchant, day=DAY, now=now)
    client = see(lan.owner)
    silent = []
    for tab in insight_tabs.tabs():
        answer = client.get(reverse(tab.view))
        assert answer.status_code == 200, tab.key
        page = answer.content.decode()
        main = page[page.index("<main") : page.index("</main>")]
        words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())
        assert not NO_FIGURE.findall(words), tab.key
        assert [told for told in claims(page, lan.merchant, now) if told.claimed != told.found] == [], tab.key
        if said.get(tab.key, "") not in words:
            silent.append((tab.key, said[tab.key]))
    assert silent == []
