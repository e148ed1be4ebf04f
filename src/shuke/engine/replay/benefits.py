"""Benefits while the list runs: handed out within their quota, steps of plans claimed, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shuke.engine.benefits import Done, Given, Someone, progress, right
from shuke.engine.benefits.counting import Kept, Part, counted
from shuke.engine.benefits.progress import plan_span
from shuke.engine.charter.rights import Plan, Step
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.replay.fields import Goods, Line
from shuke.engine.replay.member import Ask, Member
from shuke.engine.replay.outcome import Answer, Names

# Codes that mean something else elsewhere in a list.
REFUSED = {"too_late": "too_late_to_undo", "no_birthday": "birthday_unknown"}


@dataclass(slots=True)
class Use:
    id: str
    number: str
    member: str
    benefit: str
    at: datetime
    points: int
    cost: int
    undone: bool = False


class Benefits:
    def __init__(
        self, versions: Versions, members: Mapping[str, Member], goods: Mapping[str, tuple[Goods, ...]], names: Names
    ) -> None:
        """`goods`: of an order's event its lines as they were sold."""
        self.versions, self.members, self.goods, self.names = versions, members, goods, names
        self.uses: dict[str, Use] = {}

    def hand_out(self, line: Line) -> Answer:
        terms, member, at, key = self.versions.at(line.at), self.members[line.member], line.at, line.ref
        who = self._someone(member, terms, at)
        rights = terms.charter.rights
        benefit = next((b for b in rights.benefits if b.key == key), None)
        points, left = 0, None
        if benefit is not None:
            one = right(terms, benefit, who, at, line.store)
            if one.code:
                shown = {"used": one.used, "allowed": one.allowed, "next": one.next_on or "–"}
                return refused(one.code, key, shown)
            cost, left = one.cost, None if one.left is None else one.left - 1
        else:
            step = _step(rights.plans, key)
            if step is None:
                return refused("unknown_benefit", key, {})
            number, gives = step
            due = self._due(member, terms, who, key, number, at)
            if not due:
                return refused("not_reached", key, {})
            cost, points, left = terms.minor(gives.cost), gives.points, due - 1
        use = Use(line.id, f"{len(self.uses) + 1:019d}", line.member, key, at, points, cost)
        self.uses[line.id] = use
        self.names.benefits[use.number] = line.id
        answer = Answer(True, did=[handed(key, cost, left)])
        if points:
            answer.events = self._called(member.ask(Ask(f"benefit:{use.number}", "adjust", points), at))
        return answer

    def take_back(self, line: Line) -> Answer:
        use, at = self.uses.get(line.ref), line.at
        if use is None:
            return Answer(False, "not_handed_out", {"handed": line.ref})
        if use.undone:
            return Answer(True)
        minutes = self.versions.at(at).charter.rights.undo_minutes
        if not line.late and at - use.at > timedelta(minutes=minutes):
            return Answer(False, "too_late_to_undo", {"handed": line.ref, "minutes": minutes})
        answer = Answer(True)
        if use.points:
            key = f"benefit:{use.number}:undo:{at.timestamp():.0f}"
            answer = self.members[use.member].ask(Ask(key, "adjust", -use.points), at)
            if not answer.done:
                return Answer(False, "points_spent", {"handed": line.ref, "points": use.points})
        use.undone = True
        return Answer(True, did=[undone(use.benefit)], events=self._called(answer))

    def _called(self, answer: Answer) -> list[tuple[str, str]]:
        return [(who, self.names.event(event)) for who, event in answer.events]

    def _someone(self, member: Member, terms: Terms, at: datetime) -> Someone:
        fold = member.advance(at)
        return Someone(
            terms.day(member.joined_at),
            member.versions.as_called([(move.at, move.after) for move in fold.moves if move.at <= at], at),
            member.birthday,
            member.days,
            [Given(use.benefit, use.at) for use in self.uses.values() if use.member == member.name and not use.undone],
        )

    def _due(self, member: Member, terms: Terms, who: Someone, key: str, number: int, at: datetime) -> int:
        """How often this step can be claimed now."""
        plans, day = terms.charter.rights.plans, terms.day(at)
        so_far, claimed = {}, dict[str, int]()
        for plan in plans:
            span = plan_span(terms, plan, day, who.joined)
            orders = [
                Kept(net, refunded, self._lines(bought.event))
                for bought, back in member.bought()
                if span.holds(bought.at)
                and (not plan.stores or bought.store in plan.stores)
                and (net := bought.net - (refunded := sum(r.amount for r in back))) > 0
            ]
            so_far[plan.key] = counted(plan, orders)
            for one in who.given:
                if one.benefit.partition(".")[0] == plan.key and span.holds(one.at):
                    claimed[one.benefit] = claimed.get(one.benefit, 0) + 1
        close = progress(terms, Done(who.joined, who.tiers[-1][1], so_far, claimed, {}), at)
        mine = next((c for c in close if c.key == key.partition(".")[0]), None)
        return next((n for i, _, n in mine.due if i == number), 0) if mine is not None else 0

    def _lines(self, order: str) -> tuple[Part, ...]:
        return tuple(
            Part(g.amount, g.refunded, g.pieces_milli, g.category, g.product, g.brand)
            for g in self.goods.get(order, ())
        )

    def end(self, member: str) -> list[dict[str, Any]]:
        return [
            told(u.id, u.benefit, u.at, "undone" if u.undone else "done", u.points, u.cost)
            for u in self.uses.values()
            if u.member == member
        ]


def _step(plans: tuple[Plan, ...], key: str) -> tuple[int, Step] | None:
    name, _, number = key.partition(".")
    plan = next((p for p in plans if p.key == name), None)
    if plan is None or not number.isdecimal() or int(number) >= len(plan.steps) or plan.honour:
        return None
    return int(number), plan.steps[int(number)]


def refused(code: str, benefit: str, figures: Mapping[str, Any]) -> Answer:
    shown = {"used_up": ("used", "allowed"), "not_now": ("next",)}.get(code, ())
    told_ = {name: str(figures[name]) if name == "next" else figures[name] for name in shown}
    return Answer(False, REFUSED.get(code, code), {"benefit": benefit, **told_})


def handed(benefit: str, cost: int, left: int | None) -> dict[str, Any]:
    entry = {"kind": "benefit", "benefit": benefit, "cost_minor": cost}
    return entry if left is None else entry | {"left": left}


def undone(benefit: str) -> dict[str, Any]:
    return {"kind": "benefit_undo", "benefit": benefit}


def told(name: str, benefit: str, at: datetime, state: str, points: int, cost: int) -> dict[str, Any]:
    """A benefit handed out, as it is printed at the end."""
    return {"id": name, "benefit": benefit, "at": at.isoformat(), "state": state, "points": points, "cost_minor": cost}
