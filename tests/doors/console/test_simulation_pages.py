"""Simulating a draft in the console: begun as a job, watched, read beside today's charter, one member explained."""

from __future__ import annotations

import pytest

from shuke.flows import simulate_charter
from shuke.kit import clock, jobs
from shuke.kit.models import Job
from shuke.loyalty import actions
from shuke.loyalty.models import CharterDraft
from shuke.orders.actions import record
from tests.loyalty.books import CHARTER, NOW, member, order, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(see, lan, monkeypatch, settings, tmp_path):
    settings.SHUKE_HOME = tmp_path
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: NOW)
    publish(lan.merchant)
    rich, poor = member(lan.merchant, 7), member(lan.merchant, 8)
    orders = [order("1", 500, 900), order("2", 505, 100), order("3", 505, 100)]
    record(merchant=lan.merchant, orders=orders, member_ids=[rich, rich, poor], now=NOW)
    actions.settle(merchant=lan.merchant, order_ids=[], also_members=[rich, poor], now=NOW, actor="test")
    client = see(lan.owner)
    client.post("/charter/drafts", {"from": "version:1"})
    draft = CharterDraft.objects.get()
    CharterDraft.objects.update(text=draft.text.replace("'800'", "'5000'").replace("'5'", "'50'"))
    client.draft = draft
    return client


def work() -> str:
    running = jobs.claim(worker="test", now=clock.utc_now())
    assert running is not None
    return jobs.run(running)


def begin(client, **sent):
    answer = client.post(f"/charter/drafts/{client.draft.pk}/simulate", {"when": "all"} | sent)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_it_runs_in_the_background_and_its_address_keeps_the_result(client):
    url = begin(client)
    assert "Waiting" in client.get(url).content.decode()
    state = client.get(url, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in state.headers
    assert work() == "done"
    assert client.get(url, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    shown = client.get(url).content.decode()
    assert "0 members would stand higher, 1 lower." in shown
    assert "会员7" in shown
    assert "会员8" not in shown
    assert "What the discounts rest on" not in shown  # neither charter takes anything off
    assert url in client.get(f"/charter/drafts/{client.draft.pk}/simulate").content.decode()


def test_discounts_are_shown_with_what_they_rest_on(client):
    text = CharterDraft.objects.get().text + (
        "selling:\n  prices:\n    - {key: everyone, name: {zh: 会员价, en: Member price}, percent: 10}\n"
    )
    CharterDraft.objects.update(text=text)
    url = begin(client)
    assert work() == "done"
    shown = client.get(url).content.decode()
    assert "Taken off by tier prices" in shown
    assert "What the discounts rest on" in shown
    assert "is taken for the list price" in shown


def test_one_member_is_explained_on_both_sides(client, lan):
    url = begin(client)
    work()
    (mover,) = simulate_charter.result(lan.merchant.pk, int(url.rsplit("/", 1)[1]))["movers"]
    shown = client.get(f"{url}/members/{mover['member_id']}").content.decode()
    assert "会员7 under both charters" in shown
    assert "reached by purchases" in shown
    assert "Order 1" in shown
    assert client.get(f"{url}/members/1").status_code == 404


def test_from_a_day_to_come_last_years_trade_is_said_to_be_repeated(client):
    url = begin(client, when="from", day="2026-07-01")
    work()
    assert "the trade of a year before is repeated" in client.get(url).content.decode()


@pytest.mark.parametrize(("language", "words"), [("en", "too far ahead"), ("zh-hans", "太远")])
def test_a_day_too_far_ahead_is_refused_at_once_with_its_reason(client, language, words):
    client.cookies["django_language"] = language
    url = begin(client, when="from", day="2031-07-01")
    assert words in client.get(url).content.decode()
    assert Job.objects.count() == 0


def test_a_draft_with_faults_is_mended_before_it_is_simulated(client):
    CharterDraft.objects.update(text="name: {zh: 一, en: One}\n")
    page = f"/charter/drafts/{client.draft.pk}/simulate"
    assert "not a charter yet" in client.get(page).content.decode()
    assert client.post(page, {"when": "all"}).headers["Location"] == f"/charter/drafts/{client.draft.pk}"
    assert Job.objects.count() == 0


def test_a_result_that_was_cleared_away_says_so(client, lan):
    url = begin(client)
    work()
    simulate_charter.result_file(lan.merchant.pk, int(url.rsplit("/", 1)[1])).unlink()
    assert "older than a week" in client.get(url).content.decode()


def test_the_charter_is_that_of_the_moment_it_was_begun(client):
    url = begin(client)
    CharterDraft.objects.update(text="tiers: []", revision=9)
    work()
    assert "1 lower" in client.get(url).content.decode()
    assert "an earlier state" in client.get(f"/charter/drafts/{client.draft.pk}/simulate").content.decode()


def test_the_charter_of_the_tests_has_the_figures_that_are_replaced():
    assert CHARTER["tiers"][1]["reach"]["any"][0]["at_least"] == 800
