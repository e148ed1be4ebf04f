"""The goods pages: every view, every figure that opens, what one member needs next, and who may look."""

import copy
import re
from html import unescape

import pytest

from shuke.insight import actions
from shuke.insight.models import GoodsMark
from shuke.insight.queries import goods
from tests import cast
from tests.insight.shelves import DAY, stock
from tests.insight.till import night

pytestmark = pytest.mark.django_db
VIEWS = ["hot", "slow", "opening", "together", "again", "ladder", "check"]


@pytest.fixture(scope="module")
def stocked(kept):
    def build():
        shop = stock(cast.lan())
        actions.goods_report(merchant=shop.merchant, day=DAY, now=night(shop, "2026-06-30"))
        return shop

    return kept(build)


@pytest.fixture
def shelves(db, stocked):
    return copy.deepcopy(stocked)


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("level", ["product", "kind"])
def test_every_view_shows_and_every_figure_opens_to_as_many(see, shelves, view, level):
    client = see(shelves.owner)
    text = page(client, f"/insight/goods?view={view}&level={level}")
    links = re.findall(r'href="(/insight/goods/members\?[^"]+)"[^>]*data-figure="(\d+)"', text)
    assert bool(links) == (view in ("hot", "again"))
    assert ("2026-06-30，每四周重新检验" in text or "on 2026-06-30, and anew every four weeks" in text) == (
        view == "check"
    )
    for link, figure in links:
        held = int(re.search(r'data-figure="(\d+)"', page(client, link))[1])
        assert held == int(figure)


def test_a_group_has_its_own_table(see, shelves):
    group = goods.report(shelves.merchant)["groups"][1]["key"]
    assert "茶" in page(see(shelves.owner), f"/insight/goods?view=hot&group={group}")


def test_what_a_member_needs_next(see, shelves):
    text = page(see(shelves.owner), f"/insight/goods/member/{shelves.people[8].pk}")
    assert "2026-06-29" in text
    assert "杯" in text


def test_before_the_first_report_the_page_says_what_is_missing(see, mingde):
    assert "c-empty" in page(see(mingde.owner), "/insight/goods")


def test_wrong_addresses_are_not_found_and_not_errors(see, shelves):
    client = see(shelves.owner)
    assert client.get("/insight/goods/members?figure=liked&level=product&item=1").status_code == 404
    assert client.get("/insight/goods/members").status_code == 404
    assert client.get("/insight/goods/member/1").status_code == 404
    assert page(client, "/insight/goods?view=x&level=y&group=z")


def test_who_may_not_see_insight_may_not_see_goods(see, shelves):
    client = see(shelves.assistant)
    for path in ("", "/members?figure=bought&level=product&item=1", f"/member/{shelves.people[0].pk}"):
        assert client.get(f"/insight/goods{path}").status_code == 403


def test_the_members_page_has_a_card_of_what_is_needed_next(see, shelves, monkeypatch):
    monkeypatch.setattr("shuke.doors.console.access.shops.now", lambda merchant: night(shelves, "2026-06-30"))
    client = see(shelves.owner)
    who = shelves.people[8].pk
    assert f'hx-get="/insight/goods/member/{who}/card"' in page(client, f"/members/{who}")
    text = page(client, f"/insight/goods/member/{who}/card")
    assert "due 2026-06-29; bought 8 times, about every 20 days" in text
    assert "a bestseller" in text
    assert 'hx-get="/insight/goods' not in page(see(shelves.assistant), f"/members/{who}")


def test_marks_are_kept_from_the_page_and_hide_at_once(see, shelves):
    client = see(shelves.specialist)
    rows = page(client, "/insight/goods/marks?q=%E6%9D%AF")
    assert "杯" in rows
    assert "壶" not in rows
    answer = client.post(
        "/insight/goods/marks", {"q": "杯", "code-0": "C", "need-0": " 待客 ", "durable-0": "yes", "gone-0": "1"}, follow=True
    )  # fmt: skip
    assert "1 product was marked" in answer.content.decode()
    mark = GoodsMark.objects.get(product=shelves.goods["C"])
    assert (mark.need, mark.durable, mark.out_of_stock, mark.actor) == ("待客", True, True, "lan.specialist")
    assert "杯" not in page(client, f"/insight/goods/member/{shelves.people[8].pk}/card")
    assert "待客" in page(client, "/insight/goods/marks?only=1")


def test_a_list_that_moved_marks_nothing_else(see, shelves):
    client = see(shelves.owner)
    client.post("/insight/goods/marks", {"code-0": "X", "need-0": "待客", "durable-0": "often"})
    client.post("/insight/goods/marks", {"code-0": "B", "need-0": "", "durable-0": "often"})
    assert not GoodsMark.objects.exists()
    assert see(shelves.auditor).post("/insight/goods/marks", {"code-0": "B", "gone-0": "1"}).status_code == 403
    assert "disabled" in page(see(shelves.auditor), "/insight/goods/marks")
    assert see(shelves.assistant).get("/insight/goods/marks").status_code == 403


def test_members_behind_a_figure_are_those_of_the_group_and_are_taken_along(see, shelves):
    client = see(shelves.owner)
    text = page(client, "/insight/goods?view=hot&group=layer:target")
    link, claimed = re.findall(r'href="(/insight/goods/members\?[^"]+group=layer[^"]+)"[^>]*data-figure="(\d+)"', text)[
        0
    ]
    assert f'data-figure="{claimed}"' in page(client, unescape(link))
    answer = client.post(unescape(link), {"form": "csv"})
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert len(body.decode("utf-8-sig").strip().splitlines()) == int(claimed) + 1
    assert see(shelves.assistant).post(unescape(link), {"form": "csv"}).status_code == 403
