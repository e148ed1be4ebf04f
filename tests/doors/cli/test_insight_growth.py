"""`shuke insight growth` and `cohorts` of the shop."""

from datetime import date

import pytest

from shuke.insight import actions
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(lan):
    mei, hong = member(lan, "梅", acquired_by="朋友"), member(lan, "红", "2026-03-01")
    for day in ("2026-02-01", "2026-03-01", "2026-04-17"):
        sell(lan, mei, day, 40_000)
    sell(lan, hong, "2026-03-05", 8_000)
    actions.snapshot(merchant=lan.merchant, day=date(2026, 4, 18), now=night(lan, "2026-04-18"))
    return lan


def test_growth_is_said_by_period_and_by_part(shop, shuke):
    told = shuke("insight", "growth", "--json").json
    assert [(row["period"], row["buyers"], row["newcomers"]) for row in told["parts"][0]["periods"]] == [
        ("2026-02", 1, 1), ("2026-03", 2, 1), ("2026-04", 1, 0),
    ]  # fmt: skip
    assert "2026-04…" in shuke("insight", "growth").out
    assert "朋友" in shuke("insight", "growth", "--by", "acquisition").out
    one = shuke("insight", "growth", "--by", "acquisition", "--part", "朋友", "--json").json
    assert [(part["key"], part["whole"]["orders"]) for part in one["parts"]] == [("朋友", 3)]


def test_cohorts_without_a_file_are_the_shops(shop, shuke):
    told = shuke("insight", "cohorts", "--json").json
    assert [(row["period"], row["buyers"]) for row in told["cohorts"]] == [
        ("2026-02", [1, 1, None]),
        ("2026-03", [1, None, None]),
    ]
    assert "100%" in shuke("insight", "cohorts", "--by", "channel", "--part", "pos").out


def test_what_cannot_be_answered_says_what_can(lan, shop, shuke):
    told = shuke("insight", "growth", "--by", "store", "--part", "nowhere")
    assert told.code == 2
    assert lan.street.name in told.err
    assert shuke("insight", "growth", "--grain", "day", "--since", "2020-01-01").code in (0, 2)


def test_before_the_first_night_both_say_what_to_do(lan, shuke):
    for name in ("growth", "cohorts"):
        told = shuke("insight", name)
        assert told.code == 1
        assert "shuke night" in told.err
