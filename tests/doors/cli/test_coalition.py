"""`shuke coalition …`: from founding to a closed period whose files are the same bytes again."""

from pathlib import Path

import pytest

from tests.loyalty.books import member, order, take
from tests.loyalty.partners import DAY, NOW, merchants


@pytest.fixture
def shops(db, monkeypatch):
    from shuke.shops import queries

    partners = merchants(2)
    for merchant in partners:
        take(merchant, member(merchant, 1), order("a", 5, 100), now=NOW)
    moment = {"now": NOW}
    monkeypatch.setattr(queries, "now", lambda merchant: moment["now"])
    return moment


@pytest.fixture
def ask(shuke, shops):
    def call(merchant, *words, code=0):
        told = shuke("coalition", *words, "--merchant", f"商家{merchant}", "--json")
        assert told.code == code, told
        return told.json

    return call


PRICES = ("--issue", "0.005", "--redeem", "0.004")


def test_from_founding_to_settlement(ask, shops, shuke, tmp_path):
    ask(0, "found", "街区联盟", *PRICES)
    ask(0, "invite", "商家1", *PRICES, "--prepaid", "--warn-below", "1000")
    assert ask(1, "accept")["state"] == "in"
    number = ask(0, "link", "00000001", "--evidence", "form 7")["number"]
    code = ask(0, "code", "00000001")["code"]
    assert ask(1, "link", "00000001", "--evidence", "form 8", "--code", code)["number"] == number
    assert ask(0, "pack", "商家1", "300", "--key", "p1") == {"partner": "商家1", "points": 300, "paid_minor": 150}
    assert ask(1, "spend", "00000001", "150", "--key", "k")["own"] == 100
    assert ask(1, "return", "30", "--of", "k", "--key", "r")["own"] == 20
    refused = shuke("coalition", "spend", "00000001", "500", "--key", "big", "--merchant", "商家1")
    assert (refused.code, "available are 80" in refused.err) == (1, True)

    shown = ask(0, "show")
    assert [p["members"] for p in shown["partners"]] == [1, 1]
    assert shown["warnings"] == [{"code": "low_pack", "partner": "商家1"}]
    new = ask(0, "prices", "商家1", "--issue", "0.006", "--redeem", "0.004")
    assert (new["version"], new["agreed"]) == (2, False)
    ask(1, "agree", "2")

    shops["now"] = NOW + 20 * DAY
    closed = ask(0, "close")
    assert (closed["period"], closed["replayed"]) == (1, False)
    assert ask(0, "close")["replayed"] is True
    first = ask(0, "statement", "1", "--out", str(tmp_path / "a"))
    ask(0, "statement", "1", "--out", str(tmp_path / "b"))
    stem = "街区联盟_001_2025-01-21_2025-01-31_"
    assert [Path(name).name for name in first["files"]] == [
        f"{stem}settlement.json",
        *(f"{stem}商家{n}_{kind}" for n in (0, 1) for kind in ("statement.json", "movements.csv")),
    ]
    for name in (tmp_path / "a").iterdir():
        assert name.read_bytes() == (tmp_path / "b" / name.name).read_bytes()
    assert len(ask(1, "statement", "1", "--out", str(tmp_path / "c"))["files"]) == 3  # not the others' statements
    month = ask(0, "strength")[-2]
    assert month["fairness_permille"] == 0
    assert [(p["used_elsewhere"], p["taken"]) for p in month["partners"]] == [(40, 0), (0, 40)]

    for words in (["show"], ["statement", "1"], ["strength"]):
        assert shuke("coalition", *words, "--merchant", "商家0").code == 0
    assert ask(1, "unlink", "00000001", "--reason", "asked")["left"]
    assert "on" in ask(1, "quit", "--on", "2025-04-01")
    assert "on" in ask(0, "quit", "--end", "--on", "2025-06-01")


def test_refusals_are_sentences(ask, shuke):
    told = ask(0, "show", code=1)
    assert "is in no coalition" in told["error"]
    ask(0, "found", "x", *PRICES)
    assert "A price is 0 or more" in ask(0, "found", "x", "--issue", "cheap", "--redeem", "1", code=1)["error"]
    ask(0, "invite", "商家1", *PRICES)
    assert ask(1, "accept", "--decline")["state"] == "declined"
    assert "没有" not in ask(0, "statement", "7", code=1)["error"]
