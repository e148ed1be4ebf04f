"""E10: on every insight page each figure opens to members, and says what it counts and as of when. A page that is added to the
tabs is walked here without being named."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from shuke.doors.console import goods_pages, insight_tabs
from shuke.insight import actions
from shuke.insight.queries.goods_sales import LEVELS
from shuke.loyalty import actions as loyalty
from shuke.orders.models import Order
from shuke.shops import queries as shops
from tests.insight.shelves import DAY, stock
from tests.insight.till import night
from tests.loyalty import books

pytestmark = pytest.mark.django_db
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Numbers that are no figures of members: bounds and measures, forms, the way through pages.
NO_FIGURES = {"c-cuts", "c-tip", "c-tip-body", "c-pager", "c-axis", "c-went-filters", "c-preview", "c-digits"}


class Walk(HTMLParser):
    """Cells, tiles and cards of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, set[str], dict]] = []
        self.cells: list[dict] = []  # td.c-num and the like
        self.cards: list[dict] = []
        self.inside: list[dict] = []

    def handle_starttag(self, tag, attrs):
        told = {name: value or "" for name, value in attrs}
        classes = set(told.get("class", "").split())
        here: dict = {
            "tag": tag,
            "classes": classes,
            "text": "",
            "link": False,
            "time": False,
            "tip": "",
            "plain": told.get("data-plain", ""),
        }
        if tag == "a":
            for one in self.inside:
                one["link"] = True
            here["link"] = True
        if tag == "time":
            for one in self.inside:
                one["time"] = True
        if tag in VOID:
            return
        self.open.append((tag, classes, here))
        if not self._measured() and (
            (tag == "td" and "c-num" in classes) or "c-tile-value" in classes or "c-big" in classes
        ):
            here["link"] = any(one["tag"] == "a" for one in self.inside)
            self.cells.append(here)
        if "c-tile" in classes or (tag == "section" and "card" in classes):
            self.cards.append(here)
        self.inside.append(here)

    def handle_endtag(self, tag):
        while self.open:
            opened, _classes, here = self.open.pop()
            self.inside.remove(here)
            if opened == tag:
                break

    def handle_data(self, data):
        tip = any("c-tip-body" in classes for _tag, classes, _here in self.open)
        for one in self.inside:
            one["tip" if tip else "text"] += data

    def _measured(self) -> bool:
        return any(classes & NO_FIGURES for _tag, classes, _here in self.open)


def walked(page: str) -> Walk:
    walk = Walk()
    walk.feed(page)
    return walk


def said(text: str) -> bool:
    """Whether it says some number of something: not 0, no dash, no empty cell."""
    return bool(re.search(r"[1-9]", text))


@pytest.fixture(scope="module")
def paths() -> list[str]:
    pages = ["/", *(reverse(tab.view) for tab in insight_tabs.tabs())]
    pages += [f"/insight/goods?view={view}" for view in goods_pages.VIEWS]
    pages += ["/insight/goods?view=hot&group=layer:target", "/insight/goods?view=slow&group=layer:target"]
    pages += [f"/insight/movement?what={what}" for what in ("layer", "stage")]
    pages += [f"/insight/growth?by={by}" for by in ("store", "channel", "acquisition")]
    return [*pages, "/insight/cohorts?by=channel", "/insight/cohorts?show=orders", "/insight/cohorts?show=spend"]


@pytest.fixture
def open_shop(lan, monkeypatch):
    stock(lan)
    books.publish(lan.merchant)
    moment = night(lan, str(DAY))
    monkeypatch.setattr(shops, "now", lambda merchant: moment)
    paid = list(Order.objects.filter(merchant=lan.merchant, member__isnull=False).values_list("pk", flat=True))
    loyalty.settle(merchant=lan.merchant, order_ids=paid, now=moment, actor="test")
    for day in (DAY.replace(day=1), DAY):
        actions.snapshot(merchant=lan.merchant, day=day, now=night(lan, day.isoformat()))
    actions.goods_report(merchant=lan.merchant, day=DAY, now=moment, levels=LEVELS)
    return lan


def test_every_figure_has_members_a_definition_and_a_time(see, open_shop, paths):
    client = see(open_shop.owner)
    wrong, seen = [], 0
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        walk = walked(answer.content.decode())
        for cell in walk.cells:
            tile = "c-tile-value" in cell["classes"]
            if not said(cell["text"]) or tile:  # the head of a tile is its link: looked at below
                continue
            seen += 1
            if not cell["link"] and not cell["plain"]:
                wrong.append((path, "opens nothing", cell["text"].strip()))
        for card in walk.cards:
            if not card_of_figures(card, walk):
                continue
            if not card["time"] or not card["tip"].strip():
                wrong.append((path, "no time or definition", card["text"].split()[:6]))
            if "c-tile" in card["classes"] and not card["link"]:
                wrong.append((path, "the tile opens nothing", card["text"].split()[:6]))
    assert wrong == [], "\n".join(map(str, wrong))
    assert seen > 250


def card_of_figures(card: dict, walk: Walk) -> bool:
    """A tile that says a number, or a card with such cells."""
    if "c-tile" in card["classes"]:
        return said(card["text"])
    return any(said(cell["text"]) and cell["text"] in card["text"] for cell in walk.cells)


def test_the_walk_sees_what_is_missing():
    bare = walked('<section class="card"><h2>Sales</h2><table><tr><td class="c-num">12</td></tr></table></section>')
    assert [(cell["text"], cell["link"]) for cell in bare.cells] == [("12", False)]
    assert (bare.cards[0]["time"], bare.cards[0]["tip"]) == (False, "")
    whole = walked(
        '<section class="card"><details class="c-tip"><div class="c-tip-body">All of 3<time>now</time></div></details>'
        '<table class="x"><tr><td class="c-num"><a href="/members">12</a></td></tr></table><table class="c-cuts"><tr><td class="c-num">7</td></tr></table></section>'
    )
    assert [(cell["text"], cell["link"]) for cell in whole.cells] == [("12", True)]
    assert (whole.cards[0]["time"], whole.cards[0]["tip"]) == (True, "All of 3now")
