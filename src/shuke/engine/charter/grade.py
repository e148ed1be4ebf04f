"""Grading: which tier the figures reach, whether they keep it, and what is missing.

Figures are daily buckets of amount, orders, largest single order, growth value and points earned, added up over the window
of each condition. docs/algorithms/grading.md has worked tables.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from shuke.engine.charter.standing import GROWTH, SINGLE, Standing
from shuke.engine.charter.terms import MEASURES, Group, Leaf, Terms, Test
from shuke.engine.charter.tiering import Window

INVITED = 5  # Leaf.measure


def invitable(terms: Terms) -> list[str]:
    """Tiers that an invitation can lead to."""

    def asks(test: Test) -> bool:
        return any(map(asks, test.parts)) if isinstance(test, Group) else test.measure == INVITED

    return [tier.key for tier in terms.tiers if tier.reach is not None and asks(tier.reach)]


class Figures:
    """The figures of a member up to and including one day; each window is added up once."""

    def __init__(self, standing: Standing, terms: Terms, last: date) -> None:
        self._standing, self._terms, self.last = standing, terms, last
        self._memo: dict[int, list[int]] = {}  # by the window's identity: the charter holds each

    def over(self, window: Window) -> list[int]:
        found = self._memo.get(id(window))
        if found is None:
            found = self._memo[id(window)] = self._add_up(window)
        return found

    def may_reach(self, leaf: Leaf) -> bool:
        """No window holds more than all of time does; only growth value fades."""
        return leaf.measure in (GROWTH, INVITED) or self._standing.totals[leaf.measure] >= leaf.at_least

    def start(self, window: Window) -> date | None:
        return self._terms.window_start(window, self.last, self._standing.joined)

    def until(self, window: Window) -> date | None:
        """How long something can still be done for this figure; None where the window rolls on."""
        return self._terms.window_end(window, self.last, self._standing.joined)

    def of(self, leaf: Leaf, tier: str) -> int:
        if leaf.measure == INVITED:
            return int(tier in self._standing.invited)
        return self.over(leaf.window)[leaf.measure]

    def _add_up(self, window: Window) -> list[int]:
        start = self.start(window)
        if start is None:
            return list(self._standing.totals)
        low, high = start.toordinal(), self.last.toordinal()
        amount = orders = single = growth = points = 0
        for day, bucket in self._standing.days.items():
            if low <= day <= high:
                amount += bucket[0]
                orders += bucket[1]
                if bucket[SINGLE] > single:
                    single = bucket[SINGLE]
                growth += bucket[3]
                points += bucket[4]
        return [amount, orders, single, growth, points]


def meets(test: Test | None, figures: Figures, tier: str) -> bool:
    if test is None:
        return True
    if isinstance(test, Leaf):
        return figures.may_reach(test) and figures.of(test, tier) >= test.at_least
    for part in test.parts:
        if meets(part, figures, tier) is not test.every:
            return not test.every
    return test.every


def reached(terms: Terms, figures: Figures, above: int = 0) -> int:
    """Rank of the highest tier whose `reach` holds, looking only above rank `above`; `above` if none does."""
    for rank in range(len(terms.tiers) - 1, above, -1):
        tier = terms.tiers[rank]
        if tier.reachable and meets(tier.reach, figures, tier.key):
            return rank
    return above


def explain(test: Test | None, figures: Figures, tier: str) -> dict[str, Any]:
    """The tree of a condition with each figure beside its threshold: what `tiers why` prints and pages show."""
    if test is None:
        return {"met": True}
    if isinstance(test, Group):
        return {
            "met": meets(test, figures, tier),
            "all" if test.every else "any": [explain(p, figures, tier) for p in test.parts],
        }
    figure = figures.of(test, tier)
    start = until = None
    if test.measure != 5:
        start, until = figures.start(test.window), figures.until(test.window)
    told = {
        "met": figure >= test.at_least,
        "measure": "invited" if test.measure == 5 else MEASURES[test.measure],
        "figure": figure,
        "at_least": test.at_least,
        "missing": max(0, test.at_least - figure),
        "from": None if start is None else start.isoformat(),
        "to": figures.last.isoformat(),
    }
    return told | {"until": until.isoformat()} if until is not None else told


def ways(tree: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What is still missing, as alternatives: each a list of figures that must all be reached. Fewest first.

    `tree` is what `explain` gave. Nothing missing: no ways.
    """
    if tree.get("met"):
        return []
    if "any" in tree:
        found = [way for part in tree["any"] for way in ways(part)]
    elif "all" in tree:
        found = [[]]
        for part in tree["all"]:
            if not part["met"]:
                found = [had + way for had in found for way in ways(part)]
    else:
        return [[tree]]
    return sorted(found, key=len)
