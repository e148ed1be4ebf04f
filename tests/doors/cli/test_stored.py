"""`shuke stored`: paid in, spent, given back, paid out, by hand, reported; gift cards from making to void."""

import pytest

from tests import cast
from tests.loyalty.books import member, publish
from tests.loyalty.stored import open_stored


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_stored(merchant)
    member(merchant)
    return merchant


ANN = "00000001"


def test_without_it_in_the_charter_every_command_says_what_to_do(db, shuke):
    merchant = cast.lan().merchant
    publish(merchant)
    member(merchant)
    told = shuke("stored", "topup", ANN, "100", "--key", "a")
    assert told.code == 1
    assert "the charter in force says nothing of them" in told.err
    assert shuke("stored", "cards", "make", "1", "--value", "10").code == 1


def test_in_out_back_and_paid_out(shop, shuke):
    told = shuke("stored", "topup", ANN, "1,000", "--by", "wechat", "--key", "t1", "--json").json
    assert (told["principal_minor"], told["bonus_minor"], told["available_minor"]) == (100_000, 10_000, 110_000)
    assert shuke("stored", "topup", ANN, "1000", "--by", "wechat", "--key", "t1", "--json").json["replayed"]
    assert "¥39.90" in shuke("stored", "spend", ANN, "39.90", "--key", "s1").out
    assert (
        shuke("stored", "return", ANN, "9.90", "--of", "s1", "--key", "r1", "--json").json["available_minor"] == 107_000
    )
    poor = shuke("stored", "spend", ANN, "9999", "--key", "s2")
    assert poor.code == 1
    assert "¥1,070.00 are there" in poor.err
    assert shuke("stored", "spend", ANN, "much", "--key", "s3").code == 2
    told = shuke("stored", "refund", ANN, "485", "--by", "cash", "--key", "w1", "--json").json
    assert (told["principal_minor"], told["forfeited_minor"]) == (48_500, 5_000)
    assert "¥485.00" in shuke("stored", "balance", ANN).out
    assert shuke("stored", "balance", ANN, "--json").json["bonus"] == 5_000
    kinds = [line["kind"] for line in shuke("stored", "statement", ANN, "--json").json["lines"]]
    assert kinds == ["withdraw", "return", "spend", "top_up"]
    assert "topped up" in shuke("stored", "statement", ANN).out
    assert shuke("stored", "statement", ANN, "--from", "2030-01-01", "--to", "2029-01-01").code == 2
    report = shuke("stored", "report", "--json").json
    assert report["adds_up"]
    assert report["money"]["closing"] == 48_500
    assert "All of it adds up." in shuke("stored", "report").out
    assert shuke("ledger", "verify").code == 0


def test_by_hand_with_a_second_person(shop, shuke, monkeypatch):
    assert shuke("stored", "adjust", ANN, "50", "--reason", "sorry", "--key", "a1").code == 0
    wait = shuke("stored", "adjust", ANN, "60", "--bonus", "--reason", "sorry", "--key", "a2", "--json").json
    assert wait["state"] == "waiting"
    assert "waiting" in shuke("stored", "corrections").out
    alone = shuke("stored", "agree", wait["correction"])
    assert (alone.code, "cannot agree to it" in alone.err) == (1, True)
    monkeypatch.setattr("shuke.doors.cli.desk.Desk.actor", "cli:boss")
    assert shuke("stored", "agree", wait["correction"], "--json").json["state"] == "done"
    assert shuke("stored", "decline", wait["correction"]).code == 1
    assert shuke("stored", "balance", ANN, "--json").json["available"] == 11_000


def test_gift_cards_from_making_to_void(shop, shuke, tmp_path):
    batch = shuke("stored", "cards", "make", "4", "--value", "100", "--price", "95", "--label", "春节", "--json").json[
        "batch"
    ]
    file = tmp_path / "cards.csv"
    shuke("stored", "cards", "export", batch, "--output", str(file))
    assert file.stat().st_mode & 0o077 == 0
    rows = [line.split(",") for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]]
    (_, one, _), (_, two, _) = rows[:2]
    assert shuke("stored", "cards", "show", one).code == 1
    told = shuke("stored", "cards", "sell", f"{batch}/1", "--to", "3", "--by", "cash", "--key", "g1", "--json").json
    assert told == {"cards": 3, "amount_minor": 28_500, "replayed": False}
    assert shuke("stored", "cards", "show", one, "--json").json["available_minor"] == 10_000
    assert shuke("stored", "cards", "spend", one, "30", "--key", "g2", "--json").json["available_minor"] == 7_000
    assert (
        shuke("stored", "cards", "return", one, "5", "--of", "g2", "--key", "g3", "--json").json["available_minor"]
        == 7_500
    )
    told = shuke("stored", "cards", "redeem", two, ANN, "--key", "g4", "--json").json
    assert (told["principal_minor"], told["bonus_minor"]) == (9_500, 500)
    assert shuke("stored", "cards", "renew", f"{batch}/1", "2040-01-31").code == 0
    assert "2040-02-01" in shuke("stored", "cards", "show", f"{batch}/1").out
    assert (
        shuke("stored", "cards", "void", one, "--reason", "lost", "--paid-out", "--json").json["amount_minor"] == 7_500
    )
    assert shuke("stored", "cards", "void", "1/1", "--reason", "lost").code == 1
    [listed] = shuke("stored", "cards", "list", "--json").json
    assert listed["states"] == {"made": 1, "active": 1, "redeemed": 1, "void": 1}
    assert "春节" in shuke("stored", "cards", "list").out
    assert shuke("stored", "report", "--json").json["adds_up"]
