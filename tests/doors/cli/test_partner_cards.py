"""`shuke partner-cards …`: from the agreement to a statement whose files are the same bytes again."""

import csv

import pytest

from tests.flows.test_partner_card import HASHES, HEADER, ROWS
from tests.loyalty.books import member, publish
from tests.loyalty.partners import DAY, NOW, PLAIN


@pytest.fixture
def ask(shuke, lan, monkeypatch):
    from shuke.shops import queries

    publish(lan.merchant, PLAIN)
    for n in (1, 2):
        member(lan.merchant, n)
    moment = {"now": NOW}
    monkeypatch.setattr(queries, "now", lambda merchant: moment["now"])

    def call(*words, code=0):
        told = shuke("partner-cards", *words, "--json")
        assert told.code == code, told
        return told.json if code == 0 else told

    call.moment = moment
    call.plain = lambda *words: shuke("partner-cards", *words)
    return call


def file_of(path, rows):
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([HEADER, *rows])
    return str(path)


def test_from_the_agreement_to_the_statement(ask, tmp_path):
    ask("save", "bank", "--name", "联名卡", "--issuer", "某银行", "--token", "hash")
    told = ask("terms", "bank", "--from", "2025-01-01", "--points", "1", "--per", "10", "--pays", "0.008", "--categories", "6011=0")  # fmt: skip
    assert (told["per_minor"], told["price_micro"], told["rules"]) == (1000, 800_000, [{"categories": ["6011"], "points": 0}])  # fmt: skip
    for n in (0, 1):
        bound = ask("bind", "bank", f"0000000{n + 1}", HASHES[n], "--since", "2025-01-01")
        assert bound["shown"] == HASHES[n][-4:]
    jan = file_of(tmp_path / "jan.csv", ROWS)
    seen = ask("preview", "bank", jan)
    assert (seen["earned"], seen["reversed"], seen["unmatched"], seen["rejected"], seen["points"]) == (2, 1, 1, 7, 112)
    assert {"row": 7, "state": "rejected", "code": "clear_number"} in seen["reasons"]
    taken = ask("take", "bank", jan, "--rejects", str(tmp_path / "bad.csv"))
    assert (taken["rejected"], taken["replayed"], ask("take", "bank", jan)["replayed"]) == (7, False, True)
    assert "Nothing was written" in ask.plain("preview", "bank", jan).out
    assert ask("rejects", taken["number"], str(tmp_path / "again.csv"))["rows"] == 7
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "bad.csv").read_bytes()
    (waiting,) = ask("waiting")
    assert (waiting["shown"], waiting["amount_minor"]) == (HASHES[3][-4:], 5000)
    assert ask("match", waiting["number"], "00000002")["rows"] == 1
    shown = ask("list")
    assert (shown["programmes"][0]["cards"], shown["waiting"], shown["files"][0]["state"]) == (3, 0, "done")
    assert "联名卡" in ask.plain("list").out
    ask.moment["now"] = NOW + 20 * DAY
    closed = ask("close", "bank")
    assert (closed["statement"], closed["due_minor"], closed["replayed"]) == (1, 92, False)
    first = ask("statement", "bank", "1", "--out", str(tmp_path / "a"))
    ask("statement", "bank", "1", "--out", str(tmp_path / "b"))
    for name in ("bank-001.json", "bank-001.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert len(first["files"]) == 2
    assert "某银行" in ask.plain("statement", "bank", "1").out
    assert ask("unbind", "00000001", HASHES[0][-4:])["ended"] == 1
    assert ask("undo", taken["number"])["lines"] == 5


def test_refusals_are_sentences(ask, tmp_path):
    assert "no card programme none" in ask("preview", "none", file_of(tmp_path / "a.csv", []), code=1).err
    ask("save", "bank", "--name", "联名卡", "--token", "hash")
    assert "in clear" in ask("bind", "bank", "00000001", "4111111111111111", code=1).err
    wrong = ("terms", "bank", "--from", "2025-01-01", "--points", "1", "--per", "10", "--categories", "5411=x")
    assert "terms cannot be: rules" in ask(*wrong, code=1).err
    assert "no such card" in ask("unbind", "00000001", "1234", code=1).err
    assert "no statement 4" in ask("statement", "bank", "4", code=1).err
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    assert "no column was found for token, amount, spent_on" in ask("take", "bank", str(tmp_path / "b.csv"), code=1).err
    (tmp_path / "c.csv").write_text("")
    assert ask("take", "bank", str(tmp_path / "c.csv"), code=1).err
    assert "no spend file 5" in ask("rejects", "5", str(tmp_path / "x"), code=1).err
