"""Value at the doors: both pages with every figure's list, the member's card, the command line, the API, and a thin shop."""

import csv
import re
from html import unescape
from io import StringIO

import pytest

from shuke.insight import actions
from shuke.insight.queries import value
from tests.doors.api.test_points import Till
from tests.insight.regulars import DAY, regulars
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db
PAGES = ("/insight/value", "/insight/value/test")


@pytest.fixture
def shop(lan, monkeypatch):
    now = night(lan, DAY.isoformat())
    monkeypatch.setattr("shuke.doors.console.access.shops.now", lambda merchant: now)
    monkeypatch.setattr("shuke.doors.api.value.shop_now", lambda merchant: now)
    return lan


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


def test_every_figure_opens_to_as_many_members_and_the_tests_are_in_words(see, shop):
    regulars(shop)
    client = see(shop.owner)
    text = page(client, PAGES[0])
    assert "four times of five between" in text
    assert "Taken for wholesalers" in text
    links = re.findall(r'href="(/members\?[^"]+)" data-figure="(\d+)"', text)
    assert len(links) > 10
    for link, members in links[::3]:
        shown = page(client, link)
        assert f"{int(members):,} member" in shown or f"of {int(members):,}" in shown, (link, members)
    rows = list(csv.reader(StringIO(client.get(f"{PAGES[0]}?file=csv&table=chances").content.decode("utf-8-sig"))))
    bands = value.bands(shop.merchant, 30)
    assert [int(row[1]) for row in rows[1:]] == [bands["likely"], bands["possible"], bands["unlikely"]]
    tested = page(client, PAGES[1])
    assert "Tested on the last" in tested
    assert "Everybody goes on at their past rate" in tested
    assert tested.count("<circle") == 20  # ten tenths of two chances
    assert "alpha" not in tested + text
    first = value.top(shop.merchant, 1)[0].member
    card = page(client, f"/members/{first}")
    assert "What to expect" in card
    assert re.search(r'title="[^"]*%">likely', card)
    # The same at the other doors.
    client = Till(shop.merchant).client
    assert client.get("/api/v1/insight/value").json()["bands"]["30"] == bands
    assert client.get("/api/v1/insight/value/test").json()["says"] in tested
    stored = value.of_member(shop.merchant, first)
    assert stored is not None
    assert client.get(f"/api/v1/members/{first}").json()["value"]["chance_30"] == stored.chance_30


def test_a_shop_of_twelve_is_told_what_is_missing(see, shop):
    client = see(shop.owner)
    assert "Nothing to compare yet" in page(client, PAGES[0])
    for n in range(12):
        sell(shop, member(shop, f"会员{n}"), "2026-06-01")
    actions.snapshot(merchant=shop.merchant, day=DAY, now=night(shop, DAY.isoformat()))
    for path in PAGES:
        assert "Members who bought on more than one day: 0; 50 are needed" in page(client, path)
    assert "12 members have bought, 0 of them on more than one day" in page(client, PAGES[0])
    assert "c-light-red" in page(client, PAGES[1])
