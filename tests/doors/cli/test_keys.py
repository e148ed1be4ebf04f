"""`shuke keys show|new|rotate`, and what doctor says meanwhile."""

from __future__ import annotations

from shuke.flows.open_shop import open_shop
from shuke.loyalty.actions import stored
from shuke.members.actions import recognise
from shuke.members.actions.rekeying import rewrap
from shuke.members.queries import find
from tests import cast
from tests.loyalty.books import NOW
from tests.loyalty.stored import open_stored
from tests.members.people import nick, person


def test_a_new_key_is_appended_and_members_come_under_it(db, shuke, settings, monkeypatch, tmp_path):
    monkeypatch.delenv("SHUKE_MASTER_KEY", raising=False)
    merchant = open_shop(name="兰记", now=cast.OPENED).merchant
    settings.SHUKE_HOME, settings.SHUKE_MASTER_KEY = tmp_path, "11" * 32
    file = tmp_path / "keys" / "shuke_master_key"
    file.parent.mkdir()
    file.write_text(settings.SHUKE_MASTER_KEY)
    recognise(merchant=merchant, people=[person(nick("a"), phones=("+8613800138000",))], now=cast.NOON)
    assert shuke("keys", "new", "--json").json == {"keys": 2}
    assert file.read_text().startswith("11" * 32 + ",")
    assert file.stat().st_mode & 0o777 == 0o600
    settings.SHUKE_MASTER_KEY = file.read_text()  # the restart
    assert shuke("keys", "show", "--json").json == {
        "newest": 2, "wrapped_by": {"1": 1}, "left": 1,
        "indexes": {"lowest": 1, "newest": 1, "left": {"identities": 1, "contacts": 1}},
        "in_use": [],
    }  # fmt: skip
    assert "1 identities and 1 contacts" in shuke("keys", "show").out
    assert "shuke keys rotate" in shuke("keys", "retire").err
    assert "shuke keys rotate" in shuke("doctor").out
    rewrap()
    assert "search indexes" in shuke("doctor").out
    rotated = shuke("keys", "rotate", "--json").json
    assert (rotated["members"], rotated["rows"] > 2) == (0, True)
    assert shuke("keys", "rotate", "--json").json == {"members": 0, "rows": 0}
    assert shuke("keys", "show", "--json").json["left"] == 0
    assert "11" * 32 not in shuke("keys", "show").out
    assert "rotate" not in shuke("doctor").out
    newest = settings.SHUKE_MASTER_KEY.rpartition(",")[2]
    assert shuke("keys", "retire", "--json").json == {"retired": 1, "file_written": True}
    assert file.read_text() == "," + newest
    settings.SHUKE_MASTER_KEY = file.read_text()  # the restart
    assert find(merchant, "8000")
    assert "opens this database" in shuke("doctor").out


def test_a_key_from_the_environment_is_not_written_to_a_file(db, shuke, monkeypatch):
    open_shop(name="兰记", now=cast.OPENED)
    monkeypatch.setenv("SHUKE_MASTER_KEY", "11" * 32)
    answer = shuke("keys", "new")
    assert answer.code == 1
    assert "SHUKE_MASTER_KEY" in answer.err


def test_retiring_says_which_codes_still_need_the_key(lan, shuke, settings, monkeypatch):
    monkeypatch.setenv("SHUKE_MASTER_KEY", "11" * 32)
    settings.SHUKE_MASTER_KEY = "11" * 32
    open_stored(lan.merchant)
    batch = stored.begin_cards(merchant=lan.merchant, count=3, value=5000, label="spring", now=NOW, actor="t")
    stored.make_cards(batch_id=batch.pk)
    settings.SHUKE_MASTER_KEY += "," + "22" * 32
    shuke("keys", "rotate")
    refused = shuke("keys", "retire")
    assert refused.code == 1
    assert "3 gift cards (spring) stand under key 1" in refused.err
    assert "--even-so" in refused.err
    assert "3 gift cards (spring)" in shuke("keys", "show").out
    (one,) = shuke("keys", "show", "--json").json["in_use"]
    assert (one["what"], one["left"], one["until"]) == ("gift_cards", 3, None)
    assert shuke("keys", "retire", "--even-so", "--json").json["retired"] == 1
