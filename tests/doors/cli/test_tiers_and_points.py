"""Tiers, growth value, activities, memberships and statements at the command line."""

import pytest

from tests.loyalty.books import START, member, order, publish, take
from tests.loyalty.test_rich_charter import RICH

CARD = "00000001"


@pytest.fixture
def buyer(lan):
    publish(lan.merchant, RICH)
    pk = member(lan.merchant)
    take(lan.merchant, pk, order("a", 10, 700), order("b", 12, 700))
    return pk


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    from datetime import timedelta

    monkeypatch.setattr("shuke.doors.cli.desk.Desk.now", property(lambda self: START + timedelta(days=20)))


def test_an_activity_is_told_once(lan, buyer, shuke):
    first = shuke("points", "activity", CARD, "check_in", "--key", "k1", "--json")
    assert (first.code, first.json["points"]) == (0, 2)
    assert shuke("points", "activity", CARD, "check_in", "--key", "k1", "--json").json["points"] == 2
    refused = shuke("points", "activity", CARD, "dancing", "--key", "k2")
    assert refused.code == 1
    assert "gives nothing for the activity dancing" in refused.err
    taken = shuke("points", "activity", CARD, "referral", "--key", "k1")
    assert taken.code == 1  # another request with the same key


def test_growth_value_has_a_ledger_and_tiers_a_history(lan, buyer, shuke):
    shuke("points", "activity", CARD, "referral", "--key", "k1")
    told = shuke("tiers", "growth", CARD, "--json").json["lines"]
    # Of 700 a third is skin care; the lipstick is the membership and counts for nothing.
    assert [(line["kind"], line["amount"]) for line in told] == [("activity", 150), ("earn", 233), ("earn", 233)]
    shuke("tiers", "give", CARD, "gold", "--until", "2025-03-31", "--reason", "partner")
    history = shuke("tiers", "history", CARD, "--json").json["history"]
    assert [line["cause"] for line in history] == ["bought", "joined"]  # silver lies below what was bought
    assert shuke("tiers", "why", CARD, "--json").json["growth"] == 616
    assert "金" in shuke("tiers", "why", CARD).out  # as the charter names it


def test_the_terminal_calls_tiers_by_name_and_misses_nothing_that_is_met(lan, shuke):
    """Kept by the amount: that there are too few orders is nothing that is missing. A tier of a former charter has its name."""
    from datetime import timedelta

    from shuke.engine.charter import document
    from shuke.flows import publish_charter
    from tests.loyalty.books import CHARTER

    publish(lan.merchant)
    who = member(lan.merchant)
    take(lan.merchant, who, order("a", 10, 900))
    told = shuke("tiers", "why", CARD).out
    assert "needed to keep it" in told
    assert "still missing to keep it" not in told
    star = CHARTER["tiers"][1] | {"key": "star", "name": {"zh": "星卡", "en": "Star"}}
    day, begins = START + timedelta(days=15), START + timedelta(days=18)
    charter = document.from_plain(CHARTER | {"tiers": [CHARTER["tiers"][0], star]})
    publish_charter.publish(merchant=lan.merchant, charter=charter, effective_from=begins, now=day, actor="owner")
    rows = [line.split() for line in shuke("tiers", "history", CARD).out.splitlines()]
    assert ["Gold", "Star", "renamed", "by", "the", "charter"] in [row[2:8] for row in rows]
    assert ["Member", "Gold", "reached", "the", "condition"] in [row[2:7] for row in rows]


def test_a_membership_begins_and_ends(lan, shuke):
    publish(lan.merchant, RICH)
    member(lan.merchant)
    begun = shuke("tiers", "membership", CARD, "--buy", "plus", "--key", "m1", "--json").json["memberships"]
    assert [(m["key"], m["tier"]) for m in begun] == [("plus", "gold")]
    assert shuke("tiers", "membership", CARD, "--end", "m1", "--key", "m2", "--json").json["memberships"] == []
    refused = shuke("tiers", "membership", CARD, "--end", "m1", "--key", "m3")
    assert (refused.code, "no membership m1" in refused.err) == (1, True)
    assert shuke("tiers", "membership", CARD, "--key", "m4").code == 2


def test_a_statement_opens_where_it_closed_before(lan, buyer, shuke):
    first = shuke("points", "statement", CARD, "--from", "2025-01-01", "--to", "2025-01-11", "--json").json
    second = shuke("points", "statement", CARD, "--from", "2025-01-12", "--to", "2025-01-20", "--json").json
    assert first["closing"] == second["opening"] > 0
    assert second["closing"] == second["opening"] + sum(line["amount"] for line in second["lines"])
    assert "opening balance" in shuke("points", "statement", CARD).out
    assert shuke("points", "statement", CARD, "--from", "2025-02-01", "--to", "2025-01-01").code == 2


def test_budgets_say_what_is_left(lan, buyer, shuke):
    (told,) = shuke("points", "budgets", "--json").json["budgets"]
    assert told == {"rule": "big", "points": 100_000, "taken": 100, "left": 99_900, "short": 0}


def test_nothing_is_reinstated_that_has_not_lapsed(lan, buyer, shuke):
    refused = shuke("points", "reinstate", CARD, "5", "--reason", "kind", "--key", "r1")
    assert (refused.code, "0 have lapsed" in refused.err) == (1, True)


def test_an_activity_noted_by_mistake_is_taken_back(lan, buyer, shuke):
    shuke("points", "activity", CARD, "check_in", "--key", "k1")
    taken = shuke("points", "undo", CARD, "k1", "--json")
    assert (taken.code, taken.json["points"]) == (0, 2)
    assert shuke("points", "undo", CARD, "k1", "--json").json["points"] == 2  # the same call again
    refused = shuke("points", "undo", CARD, "k1", "--key", "other")
    assert (refused.code, "taken back before" in refused.err) == (1, True)
    [one] = shuke("points", "activities", CARD, "--json").json["activities"]
    assert (one["key"], one["points"], one["undone_by"] != "") == ("k1", 2, True)
    assert "k1" in shuke("points", "activities", CARD).out
