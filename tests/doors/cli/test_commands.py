"""The command line on a small shop: what it answers, to people and to programs."""

from __future__ import annotations

import pytest

from shuke.engine.facts import Claim, IdentityKind, Person, Phone
from shuke.flows.open_shop import open_shop
from shuke.kit.models import Job
from shuke.loyalty.models import PublishedCharter, Verification
from shuke.members.actions import Definition, define_attributes, recognise
from shuke.members.models import Member
from shuke.shops import queries
from shuke.shops.models import Merchant, Staff
from tests import cast
from tests.loyalty.books import member

GOOD = """
shuke_charter: 1
name: {zh: 测试章程, en: A test charter}
currency: CNY
tiers:
  - {key: member, name: {zh: 会员, en: Member}}
earning:
  - {key: base, name: {zh: 消费积分, en: Points on purchases}, kind: per_amount, points: 1, per: 1}
"""


@pytest.fixture
def shop(db):
    return open_shop(name="兰记", now=cast.OPENED).merchant


def test_init_sets_up_a_shop_once_and_then_changes_nothing(db, shuke):
    first = shuke("init", "--name", "兰记", "--store", "徐汇店", "--store", "静安店", "--json")
    assert first.code == 0
    assert {k: v for k, v in first.json.items() if k != "password"} == {
        "made": True,
        "merchants": ["兰记"],
        "owner": "owner",
    }
    merchant = queries.sole_merchant()
    assert Staff.objects.get(username="owner").check_password(first.json["password"])
    assert [store.name for store in queries.stores(merchant)] == ["徐汇店", "静安店"]
    assert PublishedCharter.objects.filter(merchant=merchant).count() == 1
    assert shuke("init", "--name", "兰记", "--json").json == {
        "made": False, "merchants": ["兰记"], "owner": "owner", "password": None,
    }  # fmt: skip
    assert shuke("init", "--json").json["made"] is False


def test_init_takes_a_password_from_the_input_and_never_repeats_it(db, shuke):
    said = shuke("init", "--name", "兰记", "--password-stdin", input="a long enough secret\n")
    assert said.code == 0
    assert "secret" not in said.out
    assert Staff.objects.get().check_password("a long enough secret")


def test_init_refuses_a_weak_password_and_leaves_nothing_half_done(db, shuke):
    said = shuke("init", "--name", "兰记", "--password-stdin", input="1234\n")
    assert said.code == 1
    assert "too short" in said.err
    assert not Merchant.objects.exists()


def test_a_second_business_must_be_asked_for(shop, shuke):
    said = shuke("init", "--name", "二号店")
    assert (said.code, "--another" in said.err) == (1, True)
    assert (
        shuke(
            "init", "--name", "二号店", "--another", "--owner", "second", "--zone", "Europe/London", "--currency", "gbp"
        ).code
        == 0
    )
    second = queries.merchant_by_name("二号店")
    assert (second.zone, second.currency) == ("Europe/London", "GBP")
    ambiguous = shuke("stats")
    assert (ambiguous.code, "--merchant" in ambiguous.err) == (1, True)
    assert shuke("stats", "--merchant", "二号店", "--json").json["merchant"] == "二号店"


def test_an_unknown_zone_is_refused_with_a_way_out(db, shuke):
    said = shuke("init", "--name", "x", "--zone", "Shanghai", "--since", "2026-01-01")
    assert said.code == 1
    assert "Asia/Shanghai" in said.err


def test_stats_of_an_empty_shop(shop, shuke):
    assert shuke("stats", "--json").json == {
        "merchant": "兰记", "currency": "CNY", "stores": 1, "members": 0, "orders": 0, "purchases": 0, "lines": 0,
        "refunds": 0, "refund_documents": 0, "net_minor": 0, "postings": 0, "entries": 0, "lots": 0, "points": 0,
    }  # fmt: skip
    assert "net amount" in shuke("stats").out


def test_a_charter_is_checked_published_and_shown_again(shop, shuke, tmp_path):
    file = tmp_path / "charter.yaml"
    file.write_text(GOOD)
    assert shuke("charter", "validate", str(file), "--json").json == {"valid": True, "faults": [], "warnings": []}
    refused = shuke("charter", "publish", str(file), "--from", "2020-01-01", "--json")
    assert (refused.code, refused.json["exit"]) == (1, 1)
    assert "cannot begin in the past" in refused.json["error"]
    assert shuke("charter", "publish", str(file), "--from", "2099-01-01").code == 0
    assert shuke("charter", "show", "--json").json["name"]["en"] != "A test charter"
    assert shuke("charter", "show", "--version", "2", "--json").json["name"]["en"] == "A test charter"
    assert "2099" in shuke("charter", "show", "--version", "2").out
    assert shuke("charter", "show", "--version", "9").code == 1


def test_every_fault_of_a_charter_is_named_at_once(db, shuke, tmp_path):
    file = tmp_path / "charter.yaml"
    file.write_text(GOOD.replace("points: 1, per: 1", "points: -1, per: x"))
    said = shuke("charter", "validate", str(file), "--json")
    assert said.code == 1
    assert len(said.json["faults"]) == 2


@pytest.mark.parametrize(
    "bad", [b"\xff\xfe\x00", b"", b"just words", b"{"], ids=["not utf-8", "empty", "words", "half"]
)
def test_a_file_that_is_no_charter_is_refused_in_a_sentence(db, shuke, tmp_path, bad):
    file = tmp_path / "charter.yaml"
    file.write_bytes(bad)
    said = shuke("charter", "validate", str(file))
    assert said.code == 1
    assert "Traceback" not in said.out + said.err


def test_a_missing_file_and_a_folder_are_told_apart(db, shuke, tmp_path):
    missing = shuke("charter", "validate", str(tmp_path / "no.yaml"))
    assert (missing.code, "There is no file" in missing.err) == (3, True)
    folder = shuke("charter", "validate", str(tmp_path))
    assert (folder.code, "is a folder" in folder.err) == (3, True)


def test_nobody_found_is_not_success(shop, shuke):
    assert shuke("members", "find", "5678", "--json").json == []
    assert shuke("members", "find", "5678").code == 1
    assert shuke("members", "show", "5678").code == 1


def test_figures_are_made_at_night(shop, shuke):
    early = shuke("insight", "kpi")
    assert (early.code, "shuke night" in early.err) == (1, True)
    assert shuke("night", "--json").json["snapshots"] >= 1
    assert shuke("insight", "kpi", "--json").json["kpi"]["members"] == 0
    assert {c["code"] for c in shuke("insight", "rfm", "--json").json["classes"]} == {
        "222", "212", "122", "112", "221", "211", "121", "111",
    }  # fmt: skip
    assert [x["layer"] for x in shuke("insight", "pyramid", "--json").json["layers"]] == [
        "key",
        "main",
        "potential",
        "target",
    ]
    assert [x["bond"] for x in shuke("insight", "pyramid", "--json").json["bonds"]] == [
        "loyal",
        "drifting",
        "potential",
    ]
    assert len(shuke("insight", "lifecycle", "--json").json["stages"]) == 5
    for what in ("kpi", "rfm", "pyramid", "lifecycle"):
        assert shuke("insight", what).code == 0
    assert shuke("insight", "rfm", "--date", "yesterday").code == 2
    assert Job.objects.get().key.startswith(f"night:{shop.pk}:")  # so the worker does not run it again


def test_cut_points_are_tried_then_published_then_given_up(shop, shuke):
    assert shuke("insight", "cuts").code == 1
    shuke("night")
    assert shuke("insight", "moved").code == 1
    bounds = ["--r", "7,30,60,90/30", "--f", "10,5,3,2/3", "--m", "5000,1000,500,100/1000.50"]
    tried = shuke("insight", "cuts", *bounds, "--json").json
    assert (tried["in_force"]["own"], tried["preview"]["classes"]["222"]) == (False, 0)
    assert shuke("insight", "cuts", *bounds).code == 0
    done = shuke("insight", "cuts", *bounds, "--publish", "--json").json
    assert (done["in_force"]["own"], done["in_force"]["r"], done["in_force"]["two"]["m"]) == (
        True,
        [90, 60, 30, 7],
        100050,
    )
    assert [one["own"] for one in done["history"]] == [True, False]
    assert done["history"][0]["by"].startswith("cli:")
    assert shuke("insight", "cuts", "--learn", "--json").json["in_force"]["own"] is False
    assert shuke("insight", "cuts", "--f", "1,2,3,4/3", "--m", "4,3,2,1/1", "--r", "1,2,3,4/1").code == 1
    for wrong in (["--publish"], ["--learn", "--f", "10,5,3,2/3"], ["--f", "10,5"], ["--r", "a,b,c,d/e"]):
        assert shuke("insight", "cuts", *wrong).code == 2, wrong


def test_a_night_that_is_not_over_is_refused(shop, shuke):
    said = shuke("night", "--date", queries.today(shop).isoformat())
    assert (said.code, "not over yet" in said.err) == (1, True)


def test_the_books_of_an_empty_shop_are_right(shop, shuke):
    said = shuke("ledger", "verify", "--json")
    assert said.code == 0
    assert said.json["ok"] is True
    assert said.json["findings"] == []
    assert "The books are right." in shuke("ledger", "verify").out


def test_the_doctor_looks_at_everything(shop, shuke):
    said = shuke("doctor", "--json")
    states = {finding["what"]: finding["state"] for finding in said.json["findings"]}
    assert states["tables"] == states["master key"] == states["merchants"] == states["Python"] == "ok"
    assert "兰记" in shuke("doctor").out


def test_the_doctor_tells_what_was_last_found_in_the_books(shop, shuke):
    def books() -> tuple[str, str, int]:
        said = shuke("doctor", "--json")
        return next((f["state"], f["detail"], said.code) for f in said.json["findings"] if f["what"] == "books of 兰记")

    assert books()[0] == "look"
    assert shuke("ledger", "verify").code == 0
    state, detail, _ = books()
    assert (state, "everything was looked at on" in detail) == ("ok", True)
    recent = shuke("ledger", "verify", "--recent", "--json").json
    assert (recent["ok"], recent["whole"], recent["figures"]) == (True, False, {"members": 0, "seal": 0})
    Verification.objects.update(ok=False, count=2)
    state, detail, code = books()
    assert (state, code) == ("wrong", 3)
    assert "2" in detail


def test_the_doctor_finds_out_that_the_key_is_another_one(shop, shuke, settings):
    buyer = Person(
        claims=(Claim(IdentityKind.CARD, "8001", "", True),), phones=(Phone("+8613800001234"),), name="张小明"
    )
    recognise(merchant=shop, people=[buyer], now=cast.NOON)
    key = {f["what"]: f["state"] for f in shuke("doctor", "--json").json["findings"]}["master key"]
    assert key == "ok"
    settings.SHUKE_MASTER_KEY = "00" * 32
    said = shuke("doctor", "--json")
    assert (said.code, said.json["healthy"]) == (3, False)
    assert {f["what"]: f["state"] for f in said.json["findings"]}["master key"] == "wrong"


def test_the_worker_ends_when_nothing_is_due(shop, shuke):
    assert shuke("worker", "--once", "--json").code == 0


def test_what_is_written_wrongly_ends_with_2(shop, shuke):
    assert shuke("nonsense").code == 2
    assert shuke("stats", "--nonsense").code == 2
    assert shuke("charter", "publish").code == 2


def test_a_token_is_shown_once_and_can_be_shut_out(shop, shuke):
    made = shuke("tokens", "make", "till-1", "--write", "--json").json
    assert queries.token_of(made["token"]).merchant == shop
    listed = shuke("tokens", "list", "--json")
    assert [(t["name"], t["writes"], t["revoked_at"]) for t in listed.json] == [("till-1", True, None)]
    assert made["token"] not in listed.out + shuke("tokens", "list").out
    assert shuke("tokens", "revoke", made["id"]).code == 0
    assert queries.token_of(made["token"]) is None
    assert shuke("tokens", "revoke", made["id"]).code == 1


def test_custom_attributes_are_named_by_their_labels(lan, shuke):
    who = member(lan.merchant)
    kinds = [
        Definition("skin", "choice", "肤质", "Skin", ("干性", "油性")),
        Definition("chat", "yes_no", "已加微信", "On WeChat"),
    ]
    define_attributes(merchant=lan.merchant, definitions=kinds)
    Member.objects.filter(pk=who).update(attributes={"skin": "油性", "chat": True, "old": "x"})
    told = shuke("members", "show", "00000001").out
    assert [word in told for word in ("Skin", "On WeChat", "yes", "old", "skin")] == [True, True, True, True, False]
    assert shuke("members", "show", "00000001", "--json").json["attributes"] == {
        "skin": "油性",
        "chat": True,
        "old": "x",
    }
