"""The worked tables of docs/algorithms/benefits.md, as they stand there."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from shuke.engine.benefits import Done, progress, right
from shuke.engine.benefits.progress import reached
from tests.engine.benefits.people import at, benefit, named, someone, terms

PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "benefits.md").read_text(encoding="utf-8")


def table(first: str) -> list[list[str]]:
    rows = PAGE[PAGE.index(f"| {first}") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize(("tiers", "day", "keep", "prorate", "now"), table("tiers | on"))
def test_quota_when_the_tier_changed(tiers, day, keep, prorate, now):
    held = [(since, tier) for tier, since in re.findall(r"(\w+) from (\S+?)(?:,|$)", tiers)]
    for policy, expected in (("keep", keep), ("prorate", prorate), ("now", now)):
        one = benefit(grants=[{"tiers": ["gold"], "times": 10}, {"times": 2}], on_tier_change=policy)
        charter = terms(one)
        told = right(charter, charter.charter.rights.benefits[0], someone(*held), at(f"{day} 12:00"))
        assert told.allowed == int(expected), policy


@pytest.mark.parametrize(("pieces", "repeat", "times", "missing", "to"), table("pieces | repeat"))
def test_steps_of_a_plan(pieces, repeat, times, missing, to):
    steps = [{"at_least": n, "name": named(f"step {i}")} for i, n in ((1, 5), (2, 10))]
    plan = {"key": "tea", "name": named("tea"), "counts": "pieces", "steps": steps, "repeat": repeat == "yes"}
    charter = terms(plans=[plan])
    counted = int(pieces) * 1000
    done = Done(someone().joined, "member", {"tea": counted}, {}, {})
    told = progress(charter, done, at("2026-06-01 12:00"))[0]
    assert reached(charter.charter.rights.plans[0], [5000, 10000], counted) == [int(n) for n in times.split(", ")]
    assert told.missing == Decimal(missing) * 1000
    assert (told.next_name.en if told.next_name else "–") == to
