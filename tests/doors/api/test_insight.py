"""Insight over the wire: figures with their day and meaning, growth and cohorts by parts of the shop."""

from __future__ import annotations

from datetime import date

import pytest

from shuke.engine.insight.port import Engine, EngineFailed, EngineStopped
from shuke.insight import actions
from shuke.shops import actions as shop_actions
from tests.cast import NOON
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client, lan):
    def call(path: str, language: str = "en"):
        _row, text = shop_actions.make_token(merchant=lan.merchant, name="books", may_write=False, now=NOON)
        return client.get(
            f"/api/v1/insight/{path}", headers={"Authorization": f"Bearer {text}", "Accept-Language": language}
        )

    return call


@pytest.fixture
def shop(lan):
    """Two members and a guest over four months, two nights."""
    mei = member(lan, "梅", home_store=lan.street, acquired_by="朋友")
    hong = member(lan, "红", "2026-03-01")
    for day in ("2026-02-01", "2026-03-01", "2026-04-17"):
        sell(lan, mei, day, 40_000)
    sell(lan, hong, "2026-03-05", 8_000, store=lan.online)
    sell(lan, None, "2026-04-01", 2_000)
    for day in ("2026-03-31", "2026-04-18"):
        actions.snapshot(merchant=lan.merchant, day=date.fromisoformat(day), now=night(lan, day))
    return lan


@pytest.mark.parametrize("name", ["summary", "rfm", "pyramid", "movement", "growth", "cohorts"])
def test_each_answer_says_its_day_and_what_its_figures_mean(ask, shop, name):
    told = ask(name).json()
    assert told["as_of"] == "2026-04-18"
    assert all(told["definitions"].values())


NIGHTLY = [
    "summary",
    "rfm",
    "pyramid",
    "movement",
    "growth",
    "cohorts",
    "value",
    "value/test",
    "profit",
    "goods",
    "profiles",
    "word-of-mouth",
]


@pytest.mark.parametrize("name", NIGHTLY)
def test_before_the_first_night_there_is_a_code_and_a_reason(ask, lan, name):
    answer = ask(name)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_figures")
    assert "还没有数据" in ask(name, language="zh").json()["error"]


def test_a_day_before_the_first_night_is_told_from_no_night_at_all(ask, shop):
    answer = ask("pyramid?date=2001-01-01")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_figures_then")
    assert "2001-01-01 及以前没有数据" in ask("pyramid?date=2001-01-01", language="zh").json()["error"]


def test_cut_points_say_since_when_by_whom_and_until_when(ask, shop):
    told = ask("rfm").json()
    assert (told["published"]["since"], told["published"]["by"]) == ("2026-04-18", "night")  # a new month had begun
    assert told["cuts"]["next_on"] == "2026-05-01"
    assert sum(row["count"] for row in told["classes"]) == 2
    before = ask("rfm?date=2026-04-01").json()
    assert (before["as_of"], before["published"]["since"]) == ("2026-03-31", "2026-03-31")


def test_growth_by_part_with_newcomers_apart(ask, shop):
    told = ask("growth?since=2026-03-01&until=2026-04-30&by=store").json()
    by_name = {part["name"]: part for part in told["parts"]}
    street = by_name[shop.street.name]
    assert [row["period"] for row in street["periods"]] == ["2026-03", "2026-04"]
    assert (street["whole"]["buyers"], street["whole"]["newcomers"], street["whole"]["net_minor"]) == (1, 0, 82_000)
    assert (by_name[shop.online.name]["whole"]["newcomers"], street["periods"][1]["partial"]) == (1, True)
    ways = {part["key"]: part for part in ask("growth?by=acquisition").json()["parts"]}
    assert (ways["guests"]["guests"], ways["朋友"]["whole"]["orders"], ways["-"]["whole"]["orders"]) == (True, 3, 1)


def test_cells_of_cohorts_that_nobody_can_know_are_null(ask, shop):
    told = ask("cohorts").json()
    assert [(row["period"], row["size"], row["buyers"]) for row in told["cohorts"]] == [
        ("2026-02", 1, [1, 1, None]), ("2026-03", 1, [1, None, None]),
    ]  # fmt: skip
    assert told["together"][1] == {"whole": 1, "came": 1, "rate": 1.0}
    assert ask("cohorts?by=channel&part=pos").json()["cohorts"][0]["size"] == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("growth?since=2026-04-01&until=2026-03-01", "days"),
        ("growth?grain=day&since=2024-01-01", "too_many_periods"),
        ("cohorts?by=store&part=nowhere", "part"),
    ],
)
def test_questions_that_make_no_sense_are_refused_with_a_code(ask, shop, path, code):
    sell(shop, None, "2024-01-05", 100)
    actions.snapshot(merchant=shop.merchant, day=date(2026, 4, 18), now=night(shop, "2026-04-18"))
    answer = ask(path)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("failure", "code", "english", "chinese"),
    [
        (EngineFailed("no answer"), "engine", "no answer", "分析引擎没有给出结果"),
        (EngineStopped("growth"), "too_long", "Ask for fewer days", "请缩短天数"),
    ],
)
def test_an_engine_that_cannot_is_told_apart_from_a_question_that_cannot(
    ask, shop, monkeypatch, failure, code, english, chinese
):
    def fails(*_asked, **_parameters):
        raise failure

    monkeypatch.setattr(Engine, "run", fails)
    for spoken, sentence in (("en", english), ("zh", chinese)):
        answer = ask("growth?since=2026-01-01", language=spoken)  # not what the night stored
        assert (answer.status_code, answer.json()["code"]) == (503, code)
        assert sentence in answer.json()["error"]
