"""`shuke benefits`, `gifts`, `draws`: the whole way at the command line, and a published draw checked without a database."""

import json

import pytest

from tests.engine.draws.making import run as made
from tests.loyalty.books import CHARTER, NOW, member, order, take
from tests.loyalty.books import publish as publish_charter
from tests.loyalty.test_benefits import RIGHTS


@pytest.fixture
def shop(lan, monkeypatch):
    from shuke.shops import queries

    publish_charter(lan.merchant, {**CHARTER, "rights": RIGHTS})
    monkeypatch.setattr(queries, "now", lambda merchant: NOW)
    return lan


@pytest.fixture
def buyer(shop):
    who = member(shop.merchant, birth_month=6, birth_day=9)
    take(shop.merchant, who, order("a", 500, 900))
    return "00000001"


def asked(shuke, *words, code=0):
    told = shuke(*words, "--json")
    assert told.code == code, told
    return told.json


def test_a_benefit_is_handed_out_logged_and_taken_back(shuke, buyer, tmp_path):
    left = {r["key"]: (r["code"], r["left"]) for r in asked(shuke, "benefits", "list", buyer)}
    assert left["wrap"] == ("", 2)
    done = asked(shuke, "benefits", "use", buyer, "wrap", "--key", "k1", "--store", "XH")
    assert (
        done["left"],
        asked(shuke, "benefits", "use", buyer, "wrap", "--key", "k1", "--store", "XH")["replayed"],
    ) == (
        1,
        True,
    )
    refused = shuke("benefits", "use", buyer, "nothing")
    assert (refused.code, "no benefit nothing" in refused.err) == (1, True)
    assert [row["state"] for row in asked(shuke, "benefits", "log")] == ["refused", "done"]
    assert asked(shuke, "benefits", "report")[0]["cost_minor"] == 350
    file = tmp_path / "log.csv"
    assert asked(shuke, "benefits", "log", "--csv", str(file))["lines"] == 2
    assert "礼品包装" in file.read_text(encoding="utf-8-sig")
    asked(shuke, "benefits", "undo", str(done["number"]))
    assert asked(shuke, "benefits", "list", buyer)[0]["left"] == 2
    assert shuke("benefits", "list", buyer).code == 0


def test_progress_says_what_can_be_claimed(shuke, buyer):
    told = {p["key"]: p for p in asked(shuke, "benefits", "progress", buyer)}
    assert [d["key"] for d in told["spend"]["due"]] == ["spend.0"]
    assert told["fan"]["kind"] == "honour"
    assert shuke("benefits", "progress", buyer).code == 0


def test_a_gift_from_the_shelf_to_the_member_and_back(shuke, buyer):
    saved = asked(
        shuke, "gifts", "save", "mug", "--zh", "杯", "--en", "Mug", "--points", "300", "--stock", "3", "--cash", "9.90"
    )
    assert saved["stock"] == 3
    assert asked(shuke, "gifts", "stock", "mug", "2")["stock"] == 5
    held = asked(shuke, "gifts", "take", buyer, "mug", "--hold", "--key", "w1")
    assert (held["state"], held["cash_minor"]) == ("held", 990)
    assert asked(shuke, "gifts", "done", str(held["number"]))["state"] == "done"
    assert asked(shuke, "gifts", "back", str(held["number"]), "--key", "r1")["state"] == "returned"
    other = asked(shuke, "gifts", "take", buyer, "mug", "--hold")
    assert asked(shuke, "gifts", "cancel", str(other["number"]))["state"] == "cancelled"
    assert [o["state"] for o in asked(shuke, "gifts", "orders")] == ["cancelled", "returned"]
    assert asked(shuke, "gifts", "list")[0]["stock"] == 5
    assert shuke("gifts", "take", buyer, "mug", "--count", "9").code == 1
    assert shuke("gifts", "save", "x", "--points", "0").code == 1
    for words in (("gifts", "list"), ("gifts", "orders")):
        assert "Mug" in shuke(*words).out


TERMS = """
name: {zh: 夏日抽奖, en: Summer draw}
opens_at: "2026-05-01T00:00:00+08:00"
closes_at: "2026-06-02T00:00:00+08:00"
prizes:
  - {key: cream, name: {zh: 面霜, en: Cream}, odds: "1/2", stock: 5, when_gone: points}
  - {key: points, name: {zh: 20 积分, en: 20 points}, odds: "1/4", points: 20}
ways: {points: 50, given: true}
"""


def test_a_draw_from_the_promise_to_the_check(shuke, buyer, shop, tmp_path, monkeypatch):
    from datetime import timedelta

    from shuke.shops import queries

    terms = tmp_path / "terms.yaml"
    terms.write_text(TERMS, encoding="utf-8")
    asked(shuke, "draws", "save", "summer", str(terms))
    promise = asked(shuke, "draws", "promise", "summer")
    receipts = []
    for n in range(8):
        told = asked(shuke, "draws", "ticket", "summer", buyer, "--way", "given", "--word", f"福{n}", "--key", f"k{n}")
        receipts += ["--receipt", f"{told['number']}:{told['link'][:12]}"]
    assert shuke("draws", "ticket", "summer", buyer, "--way", "order").code == 1
    assert shuke("draws", "reveal", "summer").code == 1
    monkeypatch.setattr(queries, "now", lambda merchant: NOW + timedelta(days=2))
    assert asked(shuke, "draws", "reveal", "summer")["commitment"] == promise["commitment"]
    for waiting in asked(shuke, "draws", "handover"):
        asked(shuke, "draws", "handover", waiting["number"])
    assert asked(shuke, "draws", "handover") == []
    file = tmp_path / "summer.json"
    asked(shuke, "draws", "export", "summer", str(file))
    told = asked(shuke, "draws", "verify", str(file), *receipts)
    assert (told["holds"], told["tickets"], told["findings"]) == (True, 8, [])
    assert "Everything holds" in shuke("draws", "verify", str(file)).out
    cheated = json.loads(file.read_text(encoding="utf-8"))
    cheated["tickets"][2]["who"] = "SOMEBODY"
    file.write_text(json.dumps(cheated), encoding="utf-8")
    wrong = asked(shuke, "draws", "verify", str(file), code=1)
    assert [(f["code"], f["ticket"]) for f in wrong["findings"]] == [("link", 3)]


def test_verify_asks_no_database(shuke, tmp_path):
    """No `db` fixture: pytest-django fails any query here."""
    file = tmp_path / "d.json"
    file.write_text(json.dumps(made(60)), encoding="utf-8")
    assert shuke("draws", "verify", str(file)).code == 0
    file.write_text("{", encoding="utf-8")
    assert shuke("draws", "verify", str(file)).code == 1
