"""The worked table of docs/algorithms/simulation.md: a day to come, and last year's trade once more."""

from datetime import date

import pytest

from shuke.engine.charter import document
from shuke.flows.simulate_charter import simulate
from tests.engine.insight.worked import table
from tests.loyalty.books import NOW, START, member, order, publish, take

pytestmark = pytest.mark.django_db
TODAY = {
    "name": {"zh": "章程", "en": "Charter"},
    "currency": "CNY",
    "points": {"pending_days": 0, "expiry": {"kind": "never"}},
    "tiers": [{"key": "member", "name": {"zh": "会员", "en": "Member"}}],
    "earning": [{"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"}],
}


def test_last_years_purchase_earns_once_more_by_either_charter(lan, tmp_path, settings):
    settings.SHUKE_HOME = tmp_path
    publish(lan.merchant, TODAY)
    august = (date(2025, 8, 3) - START.date()).days + 0.3
    take(lan.merchant, member(lan.merchant), order("a", august, 100))
    draft = document.from_plain(TODAY | {"earning": [TODAY["earning"][0] | {"points": 2}]})
    seen = simulate(merchant=lan.merchant, charter=draft, since=date(2026, 7, 1), now=NOW)
    assert NOW.date() == date(2026, 6, 1)
    assert f"{seen.until.astimezone(lan.merchant.tz):%Y-%m-%d}" == "2026-10-01"
    booked, repeated, end = table("simulation", "| today's charter")
    for column, side in (("today's charter", seen.before), ("the draft", seen.after)):
        issued = {m["month"]: m["issued"] for m in side["months"] if m["issued"]}
        assert issued == {"2025-08": int(booked[column]), "2026-08": int(repeated[column])}
        assert side["available"] == int(end[column].strip("*"))


def test_what_is_taken_off_prices_is_as_the_table_says(lan, tmp_path, settings):
    settings.SHUKE_HOME = tmp_path
    gold = {"key": "gold", "name": {"zh": "金", "en": "Gold"}, "reach": {"measure": "amount", "at_least": 800}}
    ladder = TODAY | {"tiers": [*TODAY["tiers"], gold]}
    publish(lan.merchant, ladder)
    take(lan.merchant, member(lan.merchant), order("a", 1, 900), order("b", 2, 100))
    selling = {
        "prices": [{"key": "p", "name": {"zh": "金", "en": "Gold"}, "percent": 10, "when": {"tiers": ["gold"]}}],
        "offers": [
            {"key": "o", "name": {"zh": "减", "en": "Off"}, "kind": "ladder", "rungs": [{"at_least": 300, "off": 30}]}
        ],
    }
    seen = simulate(merchant=lan.merchant, charter=document.from_plain(ladder | {"selling": selling}), now=NOW)
    *_, end = table("simulation", "sold")
    wanted = [round(float(end[name].strip("*")) * 100) for name in ("tier prices", "offers")]
    assert [seen.after["tier_price_minor"], seen.after["offers_minor"]] == wanted
    assert seen.after["discounts_minor"] == sum(wanted)
    assert seen.before["discounts_minor"] == 0
