"""What `shuke charter replay` says on the screen is what it answers to programs, in the words and hours of the shop."""

from __future__ import annotations

import json
import re

import pytest

from tests.engine.replay.test_documented import PAGE


@pytest.fixture
def said(shuke, tmp_path, monkeypatch):
    def call(part: str, *more: str, language: str = "en"):
        monkeypatch.setattr("shuke.doors.cli.commands.charter_replay_told.language", lambda: language)
        for kind in ("yaml", "jsonl"):
            text = re.search(rf"```{kind} {part}\n(.*?)```", PAGE, re.S)[1]
            (tmp_path / f"list.{kind}").write_text(text, encoding="utf-8")
        told = shuke("charter", "replay", str(tmp_path / "list.yaml"), str(tmp_path / "list.jsonl"), *more)
        assert told.code == 0, told.err
        return told.out

    return call


@pytest.mark.parametrize("part", ["counter", "house", "goods"])
def test_every_event_shows_whose_points_moved_and_by_how_many(said, part):
    shown = dict(re.findall(r"^ *(\d+)  \d{4}-\d\d-\d\d \d\d:\d\d  (.*)$", said(part), re.M))
    for one in json.loads(said(part, "--json"))["events"]:
        moved: dict[str, int] = {}
        for entry in one["applied"]:
            if "legs" in entry:
                whose = entry.get("member", one.get("member"))
                moved[whose] = moved.get(whose, 0) + entry["points"]
        mine = [f"{'' if who == one.get('member') else who + ' '}{n:+,}" for who, n in moved.items() if n]
        assert shown[str(one["line"])].split()[bool(one.get("member")) :] == " ".join([one["event"], *mine]).split()


def test_hours_are_the_shops_and_figures_have_names(said):
    out = said("counter", "--until", "2026-05-31")
    assert "5  2026-03-02 12:00  ann        top_up\n          + amount ¥100.00 · left ¥120.00 · bonus ¥20.00" in out
    assert "⏱  2026-05-01 00:00  ann        Expired -310" in out
    assert "2026-04-20 12:00  Gold → Member  end of the tier given by hand" in out
    assert "23  2026-03-10 12:00             gift_hand_over  ann -120" in out


def test_lots_that_are_left_say_when_they_lapse(said):
    assert "    50 points of order:pos:main:H2, lapse: 2027-04-01 00:00" in said("house", "--until", "2026-04-10")
