"""Budgets: what a rule may give to all members together, while each member is folded alone.

What an event drew from a budget is a fact of its own: drawn once, when the event is first settled, in the order of posting,
and remembered. Folding a member anew finds the same grants, so it never changes what another member got
(docs/decisions/0013-budgets.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from shuke.engine.charter.rules import Rule


@dataclass(slots=True)
class Grant:
    """What one event asked of one rule's budget, what it got, and what a return gave back."""

    wanted: int
    granted: int
    returned: int = 0

    @property
    def taken(self) -> int:
        return self.granted - self.returned


class Purse:
    """Budgets in memory. The books have one that locks what it draws from."""

    def __init__(self, grants: dict[tuple[str, str], Grant] | None = None, taken: dict[str, int] | None = None) -> None:
        self.grants = grants if grants is not None else {}  # (event, rule) → grant
        self.taken = taken if taken is not None else {}  # rule → points
        self.touched: set[tuple[str, str]] = set()

    def left(self, rule: Rule) -> int:
        """Points the budget still has."""
        assert rule.budget is not None
        return max(0, rule.budget.points - self.taken.get(rule.key, 0))

    def draw(self, rule: Rule, event: str, wanted: int) -> int:
        """Points for an event. Asked again it gets what it got; only what it wants beyond that is drawn anew."""
        place = event, rule.key
        self.touched.add(place)
        grant = self.grants.get(place)
        if grant is None:
            grant = self.grants[place] = Grant(0, 0)
        if wanted > grant.wanted:
            more = min(wanted - grant.wanted, self.left(rule))
            if more:
                grant.granted += more
                self.taken[rule.key] = self.taken.get(rule.key, 0) + more
            grant.wanted = wanted
        return min(wanted, grant.granted)

    def keep(self, rule: Rule, event: str, kept: int) -> None:
        """After a return the event keeps so much of what it got; the rest can be given again, if the charter says so."""
        assert rule.budget is not None
        grant = self.grants.get((event, rule.key))
        if grant is None or not rule.budget.refunds_return:
            return
        returned = max(0, grant.granted - kept)
        self.taken[rule.key] = self.taken.get(rule.key, 0) - (returned - grant.returned)
        grant.returned = returned

    def granted(self, rule: Rule, event: str) -> int:
        grant = self.grants.get((event, rule.key))
        return grant.granted if grant else 0


class ClosedPurse(Purse):
    """Gives what was granted before and nothing more: for looking at books without changing them."""

    def left(self, rule: Rule) -> int:
        return 0
