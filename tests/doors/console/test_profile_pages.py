"""Profiles at the doors: the page, the members behind its bars, the file; over the wire."""

import csv
import re
from html import unescape
from io import StringIO

import pytest

from shuke.kit.models import AuditLine
from tests.doors.api.test_points import Till
from tests.insight.crowd import DAY, crowd
from tests.insight.till import night

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(lan, monkeypatch):
    now = night(lan, DAY.isoformat())
    monkeypatch.setattr("shuke.doors.console.access.shops.now", lambda merchant: now)
    monkeypatch.setattr("shuke.doors.api.profiles.shop_now", lambda merchant: now)
    crowd(lan)
    return lan


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


def test_every_bar_opens_to_as_many_members_as_it_says(see, shop):
    client = see(shop.owner)
    text = page(client, f"/insight/profiles?store={shop.online.pk}")
    assert "40 members, 44 % of all 90" in text
    assert "▲" in text
    links = re.findall(r'href="(/insight/profiles/members\?[^"]+)" data-figure="(\d+)"', text)
    assert len(links) > 8
    for link, members in links[::4]:
        assert f'data-figure="{members}"' in page(client, link)


def test_without_a_group_the_main_the_second_and_the_others_stand_beside_each_other(see, shop):
    text = page(see(shop.owner), "/insight/profiles")
    assert "The main group" in text
    assert "These are all members" in text
    chosen = see(shop.owner).get("/insight/profiles?group=layer%3Dtarget")
    assert (chosen.status_code, chosen.headers["Location"]) == (302, "/insight/profiles?layer=target")


def test_the_profile_and_the_members_behind_it_can_be_taken_out(see, shop):
    client = see(shop.owner)
    rows = list(
        csv.reader(StringIO(client.get(f"/insight/profiles/export?store={shop.online.pk}").content.decode("utf-8-sig")))
    )
    assert len(rows) > 20
    assert {len(row) for row in rows} == {10}
    answer = client.post(f"/insight/profiles/members?store={shop.online.pk}&trait=weekday&option=6", {"form": "csv"})
    assert len(b"".join(answer.streaming_content).decode("utf-8-sig").strip().splitlines()) == 41
    assert AuditLine.objects.get(verb="members.exported").detail["rows"] == 40


def test_who_may_look_and_who_may_take_out(see, shop):
    path = f"/insight/profiles/members?store={shop.online.pk}&trait=weekday&option=6"
    for one in ("/insight/profiles", "/insight/profiles/export", path):
        assert see(shop.assistant).get(one).status_code == 403
    assert see(shop.auditor).post(path, {"form": "csv"}).status_code == 403
    client = see(shop.owner)
    assert client.get("/insight/profiles/members?trait=shoe&option=42").status_code == 404
    assert client.get("/insight/profiles/members?trait=weekday&option=9").status_code == 404


def test_before_the_first_night_the_page_says_so(see, mingde):
    assert "c-empty" in page(see(mingde.owner), "/insight/profiles")


def test_over_the_wire(shop):
    client = Till(shop.merchant).client
    told = client.get(f"/api/v1/insight/profiles?store={shop.online.pk}").json()
    assert (told["of"], told["all"]) == (40, 90)
    assert any("星期六" in line for line in told["sentences"]["zh"])
    behind = client.get(
        f"/api/v1/insight/profiles/members?store={shop.online.pk}&trait=weekday&option=6&limit=3"
    ).json()
    assert (behind["count"], len(behind["members"])) == (40, 3)
    assert client.get("/api/v1/insight/profiles?shoe=42").status_code == 400
    assert client.get("/api/v1/insight/profiles/members?trait=x&option=y").status_code == 404
