"""Points that change hands while the list runs: given to somebody, or spent from a family's pool; and who is a family."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.replay.fields import Line
from shuke.engine.replay.member import Ask, Member
from shuke.engine.replay.outcome import Answer

MOST = 12  # members of one family


class Sharing:
    def __init__(self, versions: Versions, members: Mapping[str, Member]) -> None:
        self.versions, self.members = versions, members
        self.families: dict[str, list[str]] = {}  # who joined first first

    # ---- families ---------------------------------------------------------------------------------------------------

    def family_of(self, member: str) -> str:
        return next((name for name, there in self.families.items() if member in there), "")

    def family(self, line: Line) -> Answer:
        """As `loyalty.actions.families`: at least two, at most twelve, and nobody in two."""
        if line.event == "family_leave":
            return self._leave(line.member)
        found = line.event == "family"
        wanted = list(dict.fromkeys(line.members)) if found else [line.member]
        there = [] if found else self.families.get(line.ref)
        if found and len(wanted) < 2:
            return Answer(False, "empty_family")
        if there is None:
            return Answer(False, "no_such_family", {"family": line.ref})
        if len(there) + len(wanted) > MOST:
            return Answer(False, "too_many", {"family": line.ref, "most": MOST})
        wanted.sort(key=lambda name: self.members[name].number)
        if taken := next((name for name in wanted if self.family_of(name)), ""):
            return Answer(False, "in_another", {"member": taken})
        self.families[line.ref] = [*there, *wanted]
        return Answer(True, did=[joined(line.event, line.ref)])

    def _leave(self, member: str) -> Answer:
        name = self.family_of(member)
        if not name:
            return Answer(False, "in_no_family", {"member": member})
        left = [one for one in self.families[name] if one != member]
        if len(left) < 2:
            del self.families[name]
        else:
            self.families[name] = left
        return Answer(True, did=[joined("family_leave", name)])

    # ---- points that change hands -----------------------------------------------------------------------------------

    def transfer(self, line: Line) -> Answer:
        giver, receiver, at = self.members[line.member], self.members[line.ref], line.at
        for one in {id(m): m for m in (giver, receiver)}.values():
            one.advance(at)
        available = giver.fold.books.available(at)
        told: dict[str, Any] = {"amount": line.points, "available": available}
        code, figures = self._why_not(giver, receiver, line.points, at)
        if code:
            return Answer(False, code, told | figures)
        events = self._hand_over(giver, receiver, line.id, line.points, at)
        return Answer(True, figures=told | {"available": available - line.points}, events=events)

    def _why_not(self, giver: Member, receiver: Member, amount: int, at: datetime) -> tuple[str, dict[str, Any]]:
        terms = self.versions.at(at)
        points = terms.charter.points
        if amount <= 0:
            return "not_positive", {}
        if giver is receiver:
            return "same_member", {}
        if points.transfer == "no":
            return "no_transfers", {}
        kin = self.family_of(giver.name)
        if points.transfer == "family" and (not kin or kin != self.family_of(receiver.name)):
            return "not_family", {}
        if amount > giver.fold.books.available(at):
            return "not_enough", {}
        start = terms.start(terms.day(at))
        given = sum(n for when, n in giver.handed if when >= start)
        most = points.transfer_most_per_day
        if most is not None and given + amount > most:
            return "too_much_today", {"most": most, "given": given}
        return "", {}

    def _hand_over(self, giver: Member, receiver: Member, key: str, amount: int, at: datetime) -> list[tuple[str, str]]:
        """Both clocks are at this moment. What is given keeps its age and its end."""
        handed = ev.HandedOver(f"handed:{key}", at, amount, giver.place(at))
        giver.happen(handed)
        effect = next(e for e in reversed(giver.fold.effects) if e.event == handed.event)
        lots = giver.fold.books.lots
        parcels = tuple(
            ev.Parcel(n, lots[lot].earned_at, lots[lot].expires_at, lots[lot].cost_micro)
            for lot, kind, n in effect.uses
            if kind == "transfer"
        )
        taken = ev.TakenOver(f"taken:{key}", at, parcels, receiver.place(at))
        receiver.happen(taken)
        giver.nth, receiver.nth = (at, handed.nth), (at, taken.nth)
        giver.handed.append((at, amount))
        return [(giver.name, handed.event), (receiver.name, taken.event)]

    def spend(self, line: Line) -> Answer:
        """Points of a member and, where they do not reach, of the family: who joined first gives first, or nobody."""
        who, at = self.members[line.member], line.at
        pool = [self.members[m] for m in self.families.get(self.family_of(line.member), ()) if m != line.member]
        held = {one.name: one.advance(at).books.available(at) for one in (who, *pool)}
        missing, moves = line.points - held[who.name], []
        if 0 < missing <= sum(held[one.name] for one in pool):
            for n, giver in enumerate(pool):
                if part := min(missing, held[giver.name]):
                    moves.append((giver, f"{line.id}|family{n}", part))
                    missing -= part
        if any(self._why_not(giver, who, part, at)[0] for giver, _, part in moves):
            moves = []
        events = [one for giver, key, part in moves for one in self._hand_over(giver, who, key, part, at)]
        answer = who.ask(Ask(line.id, "burn", line.points), at)
        answer.events = events + answer.events
        return answer

    def end(self, member: str) -> list[str]:
        return list(self.families.get(self.family_of(member), ()))


def joined(kind: str, family: str) -> dict[str, Any]:
    return {"kind": kind, "family": family}
