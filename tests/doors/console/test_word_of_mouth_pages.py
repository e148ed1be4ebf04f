"""Word of mouth at the doors: page, assumptions, members behind, API, and what is shown where nobody was brought."""

import re
from html import unescape

import pytest

from shuke.insight.queries import word_of_mouth as mouth
from tests.doors.api.test_points import Till
from tests.insight.mouths import DAY, talk
from tests.insight.till import night

pytestmark = pytest.mark.django_db
PATH = "/insight/word-of-mouth"


@pytest.fixture
def shop(lan, monkeypatch):
    now = night(lan, DAY.isoformat())
    monkeypatch.setattr("shuke.doors.console.access.shops.now", lambda merchant: now)
    monkeypatch.setattr("shuke.doors.api.word_of_mouth.shop_now", lambda merchant: now)
    talk(lan)
    return lan


def page(client, path=PATH, status=200):
    answer = client.get(path)
    assert answer.status_code == status
    return unescape(answer.content.decode())


def test_every_figure_opens_to_as_many_members(see, shop):
    client = see(shop.owner)
    text = page(client)
    assert "Friends surely spend more." in text
    assert "assumed, not measured" in text
    links = re.findall(r'href="(/insight/word-of-mouth/members\?[^"]+)" data-figure="(\d+)"', text)
    assert len(links) == 5
    for link, members in links:
        assert f'data-figure="{members}"' in page(client, link)


def test_assumptions_are_stated_refused_and_given_up(see, shop):
    client = see(shop.manager)
    refused = client.post(PATH, {"anyway": "20", "hear": "5", "want": "8", "buy": "1"})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()
    assert client.post(PATH, {"anyway": "abc"}).status_code == 422
    assert client.post(PATH, {"anyway": "12.5", "hear": "", "want": "", "buy": ""}).status_code == 302
    assert mouth.terms(shop.merchant)[:2] == (125, shop.merchant.margin_permille)
    assert mouth.terms(shop.merchant).own == ("anyway_permille",)
    client.post(PATH, {})
    assert mouth.terms(shop.merchant).own == ()


def test_who_may_look_and_who_may_assume(see, shop):
    assert see(shop.assistant).get(PATH).status_code == 403
    assert see(shop.specialist).post(PATH, {"anyway": "1"}).status_code == 403
    assert "Assume this" not in page(see(shop.specialist))
    for wrong in ("", "?figure=rumours", "?figure=step&step=9", "?figure=brought&step=1"):
        assert see(shop.owner).get(f"{PATH}/members{wrong}").status_code == 404


def test_before_the_first_night(see, mingde):
    assert "c-empty" in page(see(mingde.owner))


def test_over_the_wire(shop):
    client = Till(shop.merchant).client
    told = client.get("/api/v1/insight/word-of-mouth").json()
    assert (told["bonds"], told["compared"]["surely"], told["terms"]["own"]) == (15, 1, [])
    assert client.get("/api/v1/insight/word-of-mouth/members?figure=step&step=2").json()["count"] == 3
    assert client.get("/api/v1/insight/word-of-mouth/members?figure=x").status_code == 404
