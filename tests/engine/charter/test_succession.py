"""Tiers from one version of the charter to the next: the worked table of docs/algorithms/grading.md, executed, and its edges."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shuke.engine.charter import document
from shuke.engine.charter.succession import heirs
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.charter.tiering import Tier

UTC_ZONE = ZoneInfo("UTC")
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


def test_a_tier_is_known_by_all_its_names_but_not_by_those_of_tiers_that_went():
    ladders = (
        "normal, silver, gold, diamond",
        "normal, silver, star (was gold), diamond",
        "normal, star, gold (was diamond)",
    )
    charter = document.to_plain(document.ready("general")) | {"earning": []}
    versions = Versions(
        [
            (
                datetime(2026, 1 + n, 1, tzinfo=UTC),
                Terms(document.from_plain(charter | {"tiers": climbing(told)}), UTC_ZONE, n + 1),
            )
            for n, told in enumerate(ladders)
        ]
    )
    in_force = [datetime(2026, month, 2, tzinfo=UTC) for month in (1, 2, 3)]
    assert [versions.named("gold", at) for at in in_force] == [{"gold"}, {"gold"}, {"gold", "diamond"}]
    assert [versions.named("star", at) for at in in_force[1:]] == [
        {"star", "gold"},
        {"star"},
    ]  # gold is another tier by now
    assert versions.named("normal", in_force[2]) == {"normal"}  # silver went; what was for silver is for nobody


def climbing(text: str) -> list[dict]:
    """Each tier above the lowest from 100 yuan more."""
    found = [tier.model_dump(mode="json", exclude_defaults=True) for tier in tiers(text)]
    return [tier | ({"reach": {"measure": "amount", "at_least": 100 * n}} if n else {}) for n, tier in enumerate(found)]
