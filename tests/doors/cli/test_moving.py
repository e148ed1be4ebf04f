"""Points that move, at the terminal."""

import pytest

from shuke.engine.charter import document
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Correction
from tests import cast
from tests.loyalty.books import START, member
from tests.trust.exercise_book import CHARTER


@pytest.fixture
def shop(lan):
    merchant = lan.merchant
    plain = CHARTER | {"points": CHARTER["points"] | {"expiry": {"kind": "never"}, "second_person_above": 100}}
    actions.publish_charter(
        merchant=merchant, charter=document.from_plain(plain), effective_from=START, now=cast.OPENED, actor="t"
    )
    for n in (1, 2):
        member(merchant, n)
    return merchant


def held(shop, card):
    from shuke.members.models import Member
    from shuke.shops.queries import now

    return queries.balance(shop, Member.objects.get(card=card).pk, now(shop)).available


def test_adjust_spend_and_return(shop, shuke):
    assert shuke("points", "adjust", "00000001", "100", "--reason", "late receipt", "--key", "a").code == 0
    assert shuke("points", "spend", "00000001", "70", "--key", "s", "--json").json["available"] == 30
    assert shuke("points", "spend", "00000001", "70", "--key", "s", "--json").json["available"] == 30
    assert shuke("points", "return", "00000001", "20", "--of", "s", "--key", "r", "--json").json["available"] == 50
    refused = shuke("points", "spend", "00000001", "51", "--key", "t")
    assert refused.code == 1
    assert "available are 50" in refused.err
    assert held(shop, "00000001") == 50


def test_large_corrections_wait_and_nobody_agrees_with_themselves(shop, shuke):
    told = shuke("points", "adjust", "00000001", "500", "--reason", "lost receipts", "--key", "big", "--json").json
    assert told["state"] == "waiting"
    assert shuke("points", "corrections", "--json").json["corrections"][0]["points"] == 500
    assert told["correction"] in shuke("points", "corrections").out  # as `agree` takes it
    assert (
        "at most 1,000,000,000,000"
        in shuke("points", "adjust", "00000001", "9" * 15, "--reason", "x", "--key", "k").err
    )
    refused = shuke("points", "agree", told["correction"])
    assert refused.code == 1
    assert "cannot agree" in refused.err
    Correction.objects.update(asked_by="cli:somebody")
    assert shuke("points", "agree", told["correction"], "--json").json["state"] == "done"
    assert held(shop, "00000001") == 500
    assert "already" in shuke("points", "decline", told["correction"]).err


def test_a_family_is_made_shares_and_ends(shop, shuke):
    assert "no family" in shuke("points", "family", "00000001").out
    made = shuke("points", "family", "00000001", "--with", "00000002", "--name", "王家", "--json").json["family"]
    assert [one["card"] for one in made["members"]] == ["00000001", "00000002"]
    shuke("points", "adjust", "00000001", "100", "--reason", "x", "--key", "a")
    assert shuke("points", "give", "00000001", "00000002", "40", "--key", "g", "--json").json["available"] == 60
    assert shuke("points", "spend", "00000002", "90", "--family", "--key", "s", "--json").json["available"] == 0
    assert held(shop, "00000001") == 10
    assert shuke("points", "family", "00000001", "--leave", "--json").json["family"] is None
    assert "no family" in shuke("points", "family", "00000002", "--leave").err
    refused = shuke("points", "give", "00000001", "00000002", "5", "--key", "h")
    assert "within a family only" in refused.err
