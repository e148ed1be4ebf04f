"""`shuke coupons`: a template from a file, issued, codes made and exported, found, voided, reported."""

import pytest

from shuke.members.models import Member
from tests import cast
from tests.loyalty.books import member
from tests.loyalty.till import open_till

SPRING = """
key: spring
name: {zh: 春季券, en: Spring}
kind: amount
amount: 10
codes: unique
limits: {per_member: 1, budget: 500}
"""


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_till(merchant)
    return merchant


@pytest.fixture
def spring(shop, shuke, tmp_path):
    file = tmp_path / "spring.yaml"
    file.write_text(SPRING, encoding="utf-8")
    assert shuke("coupons", "save", str(file), "--json").json == {"key": "spring", "version": 1}
    return file


def test_a_template_is_issued_paused_and_listed(shop, shuke, spring):
    card = Member.objects.get(pk=member(shop)).card
    assert shuke("coupons", "issue", "spring", card, "--ref", "sorry").code == 0
    again = shuke("coupons", "issue", "spring", card, "--ref", "sorry", "--json")
    assert (again.code, again.json[0]["again"]) == (0, True)
    full = shuke("coupons", "issue", "spring", card)
    assert full.code == 1
    assert "at most 1 for one member" in full.out
    shuke("coupons", "pause", "spring")
    (view,) = shuke("coupons", "list", "--json").json
    assert (view["issued"], view["paused"], view["budget_left_minor"]) == (1, True, 50000)
    assert "Spring: ¥10 off" in shuke("coupons", "list").out


def test_codes_are_made_exported_found_and_voided(shop, shuke, spring, tmp_path):
    batch = shuke("coupons", "codes", "spring", "5", "--label", "flyer", "--json").json
    assert (batch["made"], batch["state"]) == (5, "done")
    assert shuke("coupons", "codes", "--resume", batch["batch"], "--json").json["made"] == 5
    file = tmp_path / "codes.csv"
    assert shuke("coupons", "export", batch["batch"], "--output", str(file), "--json").json["codes"] == 5
    assert file.stat().st_mode & 0o077 == 0
    code = file.read_text(encoding="utf-8-sig").splitlines()[1].split(",")[0]
    found = shuke("coupons", "find", code.lower(), "--json").json
    assert (found["template"], found["state"], found["member"]) == ("spring", "open", None)
    assert shuke("coupons", "void", found["id"], "--reason", "test", "--json").json == {"void": 1}
    assert "void" in shuke("coupons", "find", code).out
    assert shuke("coupons", "void", "--batch", batch["batch"], "--reason", "leaked", "--json").json == {"void": 4}
    rows = shuke("coupons", "report", "--from", "2020-01-01", "--to", "2099-01-01", "--json").json
    assert rows == [
        {"key": "spring", "issued": 5, "redeemed": 0, "returned": 0, "void": 5, "expired": 0, "cost_minor": 0}
    ]


def test_shared_codes_and_rules(shop, shuke, tmp_path):
    file = tmp_path / "t.yaml"
    file.write_text(SPRING.replace("unique", "shared") + "issue: [{on: birthday}]\n", encoding="utf-8")
    shuke("coupons", "save", str(file))
    assert shuke("coupons", "code", "spring", "spring20").code == 0
    assert "exists already" in shuke("coupons", "code", "spring", "SPRING20").err
    assert shuke("coupons", "code", "spring", "SPRING20", "--end").code == 0
    assert shuke("coupons", "rules", "--json").json == {"issued": 0, "members": 0, "refused": {}, "expired": 0}


def test_what_cannot_be_is_said_in_a_sentence(shop, shuke, spring, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(SPRING.replace("amount: 10", "percent: 10"), encoding="utf-8")
    assert "needs amount" in shuke("coupons", "save", str(bad)).err
    bad.write_text("key: 1", encoding="utf-8")
    assert "is no coupon template" in shuke("coupons", "save", str(bad)).err
    for call in (
        ("find", "ABC"),
        ("export", "7", "--output", str(tmp_path / "x")),
        ("codes", "nothing", "5"),
        ("pause", "x"),
    ):
        told = shuke("coupons", *call)
        assert told.code == 1, call
        assert told.err
    assert shuke("coupons", "codes").code == 2
    assert shuke("coupons", "void", "--reason", "x").code == 2
