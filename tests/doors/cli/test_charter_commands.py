"""`shuke charter …` beyond showing and publishing: versions, differences, drafts, simulation."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from shuke.engine.charter import document
from shuke.loyalty import actions
from shuke.orders.actions import record
from tests.house.source import ROOT
from tests.loyalty.books import CHARTER, NOW, member, order, publish


@pytest.fixture
def shop(lan, settings, tmp_path, monkeypatch):
    settings.SHUKE_HOME = tmp_path
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: NOW)
    publish(lan.merchant)
    who = member(lan.merchant, 7)
    record(merchant=lan.merchant, orders=[order("1", 100, 500), order("2", 400, 900)], member_ids=[who, who], now=NOW)
    actions.settle(merchant=lan.merchant, order_ids=[], also_members=[who], now=NOW, actor="test")
    return lan.merchant


@pytest.fixture
def changed(tmp_path):
    file = tmp_path / "changed.yaml"
    file.write_text(
        document.to_yaml(document.from_plain(CHARTER | {"earning": CHARTER["earning"][:1]})), encoding="utf-8"
    )
    return str(file)


def test_versions_are_listed_with_what_they_are_today(shop, shuke, changed):
    assert shuke("charter", "publish", changed, "--from", "2026-07-01", "--note", "less").code == 0
    told = shuke("charter", "versions", "--json").json
    assert [(v["version"], v["state"], v["note"]) for v in told] == [(2, "coming", "less"), (1, "in_force", "")]
    assert "not yet in force" in shuke("charter", "versions").out


def test_a_coming_version_is_withdrawn_and_kept_one_in_force_is_not(shop, shuke, changed):
    shuke("charter", "publish", changed, "--from", "2026-07-01")
    told = shuke("charter", "withdraw", "2", "--json").json
    assert [v["version"] for v in shuke("charter", "versions", "--json").json] == [1]
    kept = shuke("charter", "drafts", "--show", str(told["draft"]))
    assert document.read(kept.out) == document.from_plain(CHARTER | {"earning": CHARTER["earning"][:1]})
    refused = shuke("charter", "withdraw", "1")
    assert refused.code == 1
    assert "is in force since" in refused.err


def test_the_same_charter_again_is_refused(shop, shuke, tmp_path):
    file = tmp_path / "same.yaml"
    file.write_text(document.to_yaml(document.from_plain(CHARTER)), encoding="utf-8")
    said = shuke("charter", "publish", str(file), "--from", "2026-07-01")
    assert (said.code, "exactly the same" in said.err) == (1, True)


def test_differences_are_sentences(shop, shuke, changed):
    told = shuke("charter", "diff", changed, "--json").json
    gone = [c["before"] for c in told if not c["after"]]
    assert any(s.startswith("Skin care:") for s in gone)
    assert all(c["before"] or c["after"] for c in told)
    assert "− Skin care" in shuke("charter", "diff", changed).out


def test_a_draft_may_be_half_done_and_two_people_at_once_are_told(shop, shuke, tmp_path):
    file = tmp_path / "half.yaml"
    file.write_text("name: {zh: 秋, en: Autumn}\n", encoding="utf-8")
    first = shuke("charter", "draft", str(file), "--title", "Autumn", "--json").json
    assert first["revision"] == 1
    file.write_text("name: {zh: 秋, en: Autumn}\ntiers: []\n", encoding="utf-8")
    into = ("charter", "draft", str(file), "--into", str(first["draft"]), "--revision", "1")
    assert shuke(*into, "--json").json["revision"] == 2
    file.write_text("name: {zh: 冬, en: Winter}\n", encoding="utf-8")
    late = shuke(*into)
    assert late.code == 1
    assert "after you had opened it" in late.err
    assert "tiers" in shuke("charter", "drafts", "--show", str(first["draft"])).out
    assert [d["title"] for d in shuke("charter", "drafts", "--json").json] == ["Autumn"]


def test_a_simulation_puts_both_charters_beside_each_other(shop, shuke, changed):
    told = shuke("charter", "simulate", changed, "--json").json
    assert told["before"]["issued"] > told["after"]["issued"] == 1400
    said = shuke("charter", "simulate", changed)
    assert "points issued" in said.out
    one = shuke("charter", "simulate", changed, "--member", "00000007", "--json").json
    assert set(one["sides"]) == {"before", "after"}
    assert "where the two differ" in shuke("charter", "simulate", changed, "--member", "00000007").out


def test_what_cannot_be_simulated_is_said(shop, shuke, changed, tmp_path):
    assert "too far ahead" in shuke("charter", "simulate", changed, "--from", "2030-01-01").err
    assert shuke("charter", "simulate", changed, "--member", "nobody").code == 1
    bad = tmp_path / "bad.yaml"
    bad.write_text("tiers: []", encoding="utf-8")
    assert shuke("charter", "simulate", str(bad)).code == 1


def test_the_handbook_is_written_as_a_pdf_of_a_version_or_of_a_file(shop, shuke, changed, tmp_path):
    told = shuke("charter", "handbook", str(tmp_path / "h.pdf"), "--language", "zh", "--json").json
    assert (told["version"], told["language"]) == (1, "zh")
    assert (tmp_path / "h.pdf").read_bytes().startswith(b"%PDF")
    assert shuke("charter", "handbook", str(tmp_path / "f.pdf"), "--file", changed).code == 0
    assert (tmp_path / "f.pdf").read_bytes() != (tmp_path / "h.pdf").read_bytes()
    assert shuke("charter", "handbook", str(tmp_path / "x.pdf"), "--version", "9").code == 1


def test_odd_days_numbers_and_files_are_refused_in_a_sentence(shuke, tmp_path, lan):
    """No day or number ends in a mistake of ours (4), whichever command it is told."""
    document = tmp_path / "charter.yaml"
    document.write_text("name: {zh: 甲, en: A}\nname: {zh: 乙, en: B}\n")
    far = ("0001-01-01", "9999-12-31")
    asked = [
        (1, "charter", "validate", str(document)),
        (1, "gifts", "save", "mug", "--zh", "杯", "--en", "Mug", "--points", "9" * 20),
        (1, "gifts", "save", "mug", "--zh", "杯", "--en", "Mug", "--points", "5", "--cash", "1e20"),
        *((2, "coupons", "report", "--from", day, "--to", day) for day in far),
        *((2, "benefits", "log", "--from", day) for day in far),
        *((2, "stored", "report", "--to", day) for day in far),
        *((2, "finance", "liability", "--at", day) for day in far),
    ]
    for code, *arguments in asked:
        said = shuke(*arguments)
        assert (said.code, bool(said.err or said.out)) == (code, True), (arguments, said)


def test_days_are_the_shops_and_what_the_shop_misses_is_said(shuke, shop, changed, tmp_path):
    said = shuke("charter", "publish", changed, "--from", "2026-05-31")
    assert said.code == 1
    assert "in the past (2026-05-31 00:00, now it is 2026-06-01 12:00 in the shop)" in said.err
    assert "UTC" not in said.err
    assert shuke("charter", "publish", changed, "--from", "2026-07-01").code == 0
    file = tmp_path / "more.yaml"
    file.write_text(document.to_yaml(document.from_plain(CHARTER | {"duties": [{"zh": "一", "en": "One"}]})))
    assert "begins on 2026-07-01 00:00;" in shuke("charter", "publish", str(file), "--from", "2026-06-20").err
    file.write_text(document.to_yaml(document.from_plain(CHARTER | {"referral": {"friend": {"coupon": "none"}}})))
    said = shuke("charter", "publish", str(file), "--from", "2026-08-01")
    assert (said.code, "referral.friend.coupon: there is no coupon none" in said.err) == (1, True)


def test_names_the_shop_never_heard_of_are_said_before_publishing(shop, shuke, tmp_path):
    file = tmp_path / "typo.yaml"
    typo = CHARTER["earning"][0] | {"when": {"categories": ["护肤品"]}}
    file.write_text(document.to_yaml(document.from_plain(CHARTER | {"earning": [typo]})), encoding="utf-8")
    told = shuke("charter", "validate", str(file))
    assert (told.code, "! earning.0.when.categories" in told.out, "nearest known: 护肤" in told.out) == (0, True, True)
    said = shuke("charter", "validate", str(file), "--json").json
    assert (said["valid"], len(said["warnings"])) == (True, 1)
    assert "nearest known: 护肤" in shuke("charter", "publish", str(file), "--from", "2026-07-01").out


def test_a_ready_charter_is_shown_where_nothing_is_set_up(tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "shuke", "charter", "show", "--ready", "cafe", "--yaml"], capture_output=True, text=True,
        timeout=120, env={**os.environ, "SHUKE_HOME": str(tmp_path / "none"), "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert (said.returncode, document.read(said.stdout)) == (0, document.ready("cafe")), said.stderr
    assert not list(tmp_path.rglob("*.sqlite3"))
