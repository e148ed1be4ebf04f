"""Tiers from one version of the charter to the next: the worked table of docs/algorithms/grading.md, executed, and its edges."""

import re
from pathlib import Path

from shuke.engine.charter.succession import heirs
from shuke.engine.charter.tiering import Tier

PAGE = Path(__file__).parents[3] / "docs" / "algorithms" / "grading.md"


def tiers(text: str) -> list[Tier]:
    """`n, x (was s, g)` → two tiers, the second taking over two."""
    found = []
    for told in re.findall(r"(\w+)(?: \(was ([^)]*)\))?", text):
        former = tuple(key.strip() for key in told[1].split(",") if key.strip())
        found.append(Tier(key=told[0], name={"zh": told[0], "en": told[0]}, was=former))
    return found


def test_the_worked_table():
    rows = PAGE.read_text().partition("## A new charter")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("|")]
    worked = [row for row in cells if "→" in row[2]]
    assert len(worked) >= 6
    for before, after, told in worked:
        got = heirs(tiers(before), tiers(after))
        said = {a: (b, how) for a, b, how in re.findall(r"(\w+) → (\w+) (\w+)", told)}
        gone = {key: tuple(heir) for key, heir in got.items() if heir.how != "same"}
        assert gone == said, (before, after)


def test_everybody_has_an_heir_whatever_changes():
    for before, after in (("a, b, c, d", "x"), ("a", "x, y"), ("a, b, c", "c, b, a"), ("a, b", "y (was a), x (was b)")):
        got = heirs(tiers(before), tiers(after))
        assert set(got) == {tier.key for tier in tiers(before)}
        assert {heir.key for heir in got.values()} <= {tier.key for tier in tiers(after)}


def test_nobody_is_lifted_because_a_tier_between_went():
    """Gold is gone: its members are silver, not diamond, which stood in gold's place afterwards."""
    assert heirs(tiers("normal, silver, gold, diamond"), tiers("normal, silver, diamond"))["gold"] == (
        "silver",
        "removed",
    )
