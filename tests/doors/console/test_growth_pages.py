"""Growth and cohorts: every figure opens to as many members as it says, whatever days, grain and part of the shop are chosen."""

from __future__ import annotations

import copy
import csv
import io
import re
from datetime import date
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shuke.engine.insight.port import Engine, EngineFailed, EngineStopped
from shuke.insight import actions
from shuke.insight.models import StoredReport
from shuke.insight.queries import analytics, growth, transitions
from shuke.members.models import Member
from shuke.shops import queries as shops
from tests import cast
from tests.doors.console.claims import claims, without_figure
from tests.insight.test_members_behind import DAY, open_busy
from tests.insight.till import night

pytestmark = pytest.mark.django_db


def build() -> cast.Shop:
    """Some have a home store and a way of acquisition, some have neither."""
    busy = open_busy(cast.lan())
    people = list(Member.objects.filter(merchant=busy.merchant).order_by("pk"))
    for i, one in enumerate(people):
        home = (busy.street, busy.online, None)[i % 3]
        Member.objects.filter(pk=one.pk).update(home_store=home, acquired_by=("", "朋友", "路过 & co")[i % 3])
    actions.snapshot(merchant=busy.merchant, day=DAY, now=night(busy, DAY.isoformat()))
    return busy


@pytest.fixture(scope="module")
def opened(kept):
    return kept(build)


@pytest.fixture
def open_shop(db, opened, monkeypatch):
    """It is two days after the last night."""
    monkeypatch.setattr(shops, "now", lambda merchant: night(opened, "2026-12-01"))
    return copy.deepcopy(opened)


PATHS = [
    ("/insight/growth", 60),
    ("/insight/growth?grain=week&since=2026-10-01&show=again_rate", 30),
    ("/insight/growth?by=store", 20),
    ("/insight/growth?by=channel&since=2026-03-10&until=2026-08-20", 10),
    ("/insight/growth?by=acquisition", 20),
    ("/insight/growth?by=acquisition&part=-&grain=quarter&show=churn_rate", 20),
    ("/insight/cohorts", 30),
    ("/insight/cohorts?by=channel", 2),
    ("/insight/cohorts?by=acquisition&part=朋友&show=orders&grain=quarter", 4),
    ("/insight/cohorts?show=spend", 30),
]


def test_every_figure_opens_as_many_members_as_it_says(see, open_shop):
    client = see(open_shop.owner)
    for path, least in PATHS:
        page = client.get(path).content.decode()
        told = claims(page, open_shop.merchant, night(open_shop, "2026-12-01"))
        assert [claim for claim in told if claim.claimed != claim.found] == [], path
        assert sum(claim.claimed > 0 for claim in told) >= least, path
        assert without_figure(page) == [], path


def test_each_part_has_a_page_whose_figures_open(see, open_shop):
    client = see(open_shop.owner)
    for path, parts in (
        ("/insight/growth?by=store&part=", [open_shop.street.pk, open_shop.second.pk, "-"]),
        ("/insight/growth?by=channel&part=", ["pos", open_shop.online.platform]),
        ("/insight/cohorts?by=store&part=", [open_shop.street.pk, open_shop.second.pk]),
        ("/insight/cohorts?by=channel&part=", [open_shop.online.platform]),
    ):
        for part in parts:
            page = client.get(f"{path}{part}").content.decode()
            told = claims(page, open_shop.merchant, night(open_shop, "2026-12-01"))
            assert [claim for claim in told if claim.claimed != claim.found] == [], (path, part)
            assert told, (path, part)


def test_a_table_is_taken_along_as_it_stands(see, open_shop):
    answer = see(open_shop.owner).get("/insight/growth?file=csv&since=2026-09-01&until=2026-11-30")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    report = growth.growth(open_shop.merchant, since=date(2026, 9, 1), until=date(2026, 11, 30))
    assert [row[0] for row in rows] == ["Period", "2026-11", "2026-10", "2026-09", "All days"]
    said = dict(zip(rows[0], rows[-1], strict=True))
    whole = report.whole[0]
    assert float(said["Net revenue"]) == whole.net_minor / 100
    assert (int(said["Buyers"]), int(said["Orders"])) == (whole.buyers, whole.orders)
    assert float(said["Repeat rate"]) == whole.repeat_rate
    sheet = see(open_shop.owner).get("/insight/cohorts?file=xlsx")
    assert sheet.content[:2] == b"PK"
    assert sheet["Content-Disposition"] == 'attachment; filename="shuke-cohorts-triangle.xlsx"'


def test_what_cannot_be_asked_is_said_and_something_shown(see, open_shop):
    client = see(open_shop.owner)
    page = client.get("/insight/growth?grain=day&since=2025-10-01").content.decode()
    assert "Choose a coarser grain or fewer days" in page
    assert "Side by side" not in page
    backwards = client.get("/insight/growth?since=2026-11-30&until=2026-09-01&grain=hour&by=moon&part=x&show=y")
    assert "The first day lies after the last" in backwards.content.decode()
    assert client.get("/insight/growth?by=store&part=no-such").status_code == 200
    assert see(open_shop.assistant).get("/insight/growth").status_code == 403
    assert see(open_shop.assistant).get("/insight/cohorts").status_code == 403


def test_before_the_first_night_the_pages_say_what_to_do(see, mingde):
    for path in ("/insight/growth", "/insight/cohorts"):
        assert "Nothing to compare yet" in see(mingde.owner).get(path).content.decode()


CHOICES = [
    *(f"growth?grain={grain}&by={by}" for grain in growth.GRAINS for by in ("", "acquisition")),
    "growth?by=store&part=-&show=orders", "cohorts", "cohorts?grain=week&by=channel", "cohorts?grain=year&show=spend",
    "movement", "movement?what=layer", "movement?what=stage", "pyramid",
]  # fmt: skip


def test_what_the_pages_offer_was_stored_by_the_night(see, open_shop, monkeypatch):
    opened, counted = Mock(side_effect=AssertionError), Mock(side_effect=AssertionError)
    monkeypatch.setattr(analytics, "opened", opened)
    monkeypatch.setattr(transitions, "counted", counted)
    client = see(open_shop.owner)
    for asked in CHOICES:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/insight/{asked}").status_code == 200
        read = " ".join(query["sql"] for query in queries)
        assert "insight_member_score" not in read, asked
        assert "insight_movement" not in read, asked
    assert not opened.called
    assert not counted.called


def test_another_grain_keeps_the_usual_days_and_chosen_days_stay_chosen(see, open_shop, monkeypatch):
    client = see(open_shop.owner)
    form = dict(
        re.findall(r'name="(since|until|usual)" value="([^"]+)"', client.get("/insight/growth").content.decode())
    )
    assert form == {"since": "2025-12-01", "until": "2026-11-30", "usual": "2025-12-01..2026-11-30"}
    with monkeypatch.context() as closed:
        closed.setattr(analytics, "opened", Mock(side_effect=AssertionError))
        days = client.get("/insight/growth", form | {"grain": "day"}).content.decode()
        assert 'value="2026-11-01..2026-11-30"' in days
        quarters = client.get("/insight/growth", form | {"grain": "quarter", "by": "store"}).content.decode()
        assert 'value="2025-10-01..2026-11-30"' in quarters
        assert "usual=2025-12-01..2026-11-30" in quarters.replace("%3A", ":")
    chosen = client.get("/insight/growth", form | {"since": "2026-02-03"}).content.decode()
    assert 'name="since" value="2026-02-01"' in chosen
    assert 'name="usual"' not in chosen


def test_an_engine_that_cannot_is_no_fault_of_the_page(see, open_shop, monkeypatch):
    client = see(open_shop.owner)
    for raised, says in (
        (EngineFailed("no"), "does not answer"),
        (EngineStopped("growth"), "longer than 100 seconds"),
    ):
        monkeypatch.setattr(Engine, "run", Mock(side_effect=raised))
        for path in ("/insight/growth?since=2026-09-01", "/insight/cohorts"):
            StoredReport.objects.filter(question__startswith="cohorts").delete()
            answer = client.get(path)
            assert (answer.status_code, says in answer.content.decode()) == (503, True)
