"""Gifts while the list runs: a shelf with its stock, and what members took of it for points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.gifts import waits_until, why_not
from shuke.engine.replay.fields import Line, Offered
from shuke.engine.replay.member import Ask, Member
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.vouchers import Vouchers

TAKEN = ("held", "done", "returned")


@dataclass(slots=True)
class Taken:
    id: str
    member: str
    gift: str
    count: int
    points: int
    state: str  # held | done | cancelled | timed_out | returned
    until: datetime | None
    returned: int = 0


class Gifts:
    def __init__(self, versions: Versions, members: Mapping[str, Member], vouchers: Vouchers) -> None:
        self.versions, self.members, self.vouchers = versions, members, vouchers
        self.shelf: dict[str, Offered] = {}
        self.stock: dict[str, int] = {}
        self.taken: dict[str, Taken] = {}

    def offer(self, line: Line) -> Answer:
        assert line.offered is not None
        self.shelf[line.ref] = line.offered
        if line.offered.stock is not None and line.offered.kind == "goods":
            self.stock[line.ref] = line.offered.stock
        return Answer(True)

    def do(self, line: Line) -> Answer:
        if line.event == "gift":
            return self._take(line)
        one = self.taken.get(line.ref)
        if one is None:
            return Answer(False, "no_such_gift_taken", {"taken": line.ref})
        if line.event == "gift_hand_over":
            return self._hand_over(one, line.at)
        if line.event == "gift_cancel":
            return self._cancel(one, line.at)
        return self._return(one, line)

    def _take(self, line: Line) -> Answer:
        what, member, at = self.shelf[line.ref], self.members[line.member], line.at
        fold = member.advance(at)
        tier = self.versions.named(fold.moves[-1].after, at)
        had = sum(
            t.count - t.returned
            for t in self.taken.values()
            if (t.member, t.gift) == (line.member, line.ref) and t.state in TAKEN
        )
        if code := why_not(what, tier, had, line.copies, at):
            return Answer(False, code, {"gift": line.ref})
        if line.ref in self.stock and self.stock[line.ref] < line.copies:
            return Answer(False, "out_of_stock", {"gift": line.ref, "left": self.stock[line.ref]})
        wait = line.wait and what.kind == "goods"
        until = waits_until(at, what.hold_days, self.versions.last.zone) if wait else None
        one = Ask(f"gift:{line.id}", "hold" if wait else "burn", what.points * line.copies, until=until)
        verdict = member.judged(one, at)
        if verdict.code:
            return Answer(False, verdict.code, {"gift": line.ref, **verdict.figures})
        did: list[dict[str, Any]] = []
        if what.kind == "coupon":
            given = self.vouchers.issue(what.template, line.member, line.copies, "gift", at)
            if not given.done:
                return Answer(False, "no_coupon", {"gift": line.ref, "why": given.code})
            did = given.did
        answer = member.grant(one, verdict, at)
        if line.ref in self.stock:
            self.stock[line.ref] -= line.copies
        state = "held" if wait else "done"
        self.taken[line.id] = Taken(line.id, line.member, line.ref, line.copies, one.amount, state, until)
        answer.did = [moved("gift", line.ref, line.copies), *did]
        return answer

    def _hand_over(self, one: Taken, at: datetime) -> Answer:
        if one.state == "done":
            return Answer(True)
        if one.state == "held" and one.until is not None and one.until <= at:
            self._lapse(one)
        if one.state != "held":
            return Answer(False, "not_waiting", {"taken": one.id, "state": one.state})
        ask = Ask(f"gift:{one.id}:done", "capture", one.points, f"gift:{one.id}")
        answer = self.members[one.member].ask(ask, at)
        one.state = "done"
        answer.did = [moved("gift_hand_over", one.gift, one.count)]
        return answer

    def _cancel(self, one: Taken, at: datetime) -> Answer:
        if one.state in ("cancelled", "timed_out"):
            return Answer(True)
        if one.state != "held":
            return Answer(False, "not_waiting", {"taken": one.id, "state": one.state})
        answer = self.members[one.member].ask(Ask(f"gift:{one.id}:release", "release", 0, f"gift:{one.id}"), at)
        self._restock(one, one.count)
        one.state = "cancelled"
        return Answer(True, did=[moved("gift_cancel", one.gift, one.count)], events=answer.events)

    def _return(self, one: Taken, line: Line) -> Answer:
        left = one.count - one.returned if one.state == "done" else 0
        if not 0 < line.copies <= left:
            return Answer(False, "not_handed_over", {"taken": one.id, "left": left})
        burn = f"gift:{one.id}" if one.until is None else f"gift:{one.id}:done"
        ask = Ask(f"gift:back:{line.id}", "return", one.points // one.count * line.copies, burn)
        answer = self.members[one.member].ask(ask, line.at)
        one.returned += line.copies
        if one.returned == one.count:
            one.state = "returned"
        self._restock(one, line.copies)
        answer.did = [moved("gift_return", one.gift, line.copies)]
        return answer

    def lapse(self, at: datetime) -> None:
        for one in self.taken.values():
            if one.state == "held" and one.until is not None and one.until <= at:
                self._lapse(one)

    def _lapse(self, one: Taken) -> None:
        one.state = "timed_out"
        self._restock(one, one.count)

    def _restock(self, one: Taken, count: int) -> None:
        if one.gift in self.stock:
            self.stock[one.gift] += count

    def end(self, member: str) -> list[dict[str, Any]]:
        return [
            told(t.id, t.gift, t.count, t.points, t.state, t.returned)
            for t in self.taken.values()
            if t.member == member
        ]


def moved(kind: str, gift: str, count: int) -> dict[str, Any]:
    return {"kind": kind, "gift": gift, "count": count}


def told(name: str, gift: str, count: int, points: int, state: str, returned: int) -> dict[str, Any]:
    """A gift taken, as it is printed at the end."""
    return {"id": name, "gift": gift, "count": count, "points": points, "state": state, "returned": returned}
