"""Co-branded cards while the list runs: what was agreed with a partner, whose card it is, what was spent with it and came back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.partner_cards import judging
from shuke.engine.partner_cards.judging import Card, Spending, State, Verdict
from shuke.engine.partner_cards.terms import Terms
from shuke.engine.replay.fields import Line
from shuke.engine.replay.member import Member
from shuke.engine.replay.outcome import Answer, Names
from shuke.kit.clock import day_of


class Partners:
    def __init__(self, versions: Versions, members: Mapping[str, Member], names: Names) -> None:
        self.versions, self.members, self.names = versions, members, names
        self.states: dict[str, State] = {}
        self.rows = 0

    def do(self, line: Line) -> Answer:
        if line.event == "partner":
            self.states[line.ref] = State([agreed(line, self.versions.last.zone)], None, line.at.date())
            return Answer(True)
        state = self.states[line.partner]
        state.today = day_of(line.at, self.versions.last.zone)
        return self._bind(state, line) if line.event == "partner_card" else self._row(state, line)

    def _bind(self, state: State, line: Line) -> Answer:
        """As `loyalty.actions.partner_cards.bind`: what waited for the card earns, from this day on."""
        card, number = line.ref.encode(), self.members[line.member].number
        there = state.cards.setdefault(card, [])
        if there and there[0].member != number:
            return Answer(False, "token_taken", {"card": line.ref})
        if not there:
            there.append(Card(number, state.today, None))
        answer = Answer(True)
        for one in state.of_card.get(card, ()):
            if one.member is None and judging.whose(there, one.day)[0] == number:
                points = judging.settle(state, one, number)
                self._post(answer, Verdict("earned", line=one, points=points), one.id, line.at)
        return answer

    def _row(self, state: State, line: Line) -> Answer:
        """A row of the partner's file."""
        self.rows += 1
        row, back = self.rows, line.event == "partner_return"
        told = Spending(
            row, line.id.encode(), line.ref.encode(), line.paid, state.today, line.category, back, about(line)
        )  # fmt: skip
        verdict = judging.judge(state, told, lambda: row)
        self.names.rows[f"{row:019d}"] = line.id
        if verdict.state == "rejected":
            return Answer(False, verdict.code, {"card": line.ref})
        answer = Answer(True, did=[taken(line.event, verdict.state)])
        self._post(answer, verdict, row, line.at)
        return answer

    def _post(self, answer: Answer, verdict: Verdict, row: int, at: datetime) -> None:
        one, points = verdict.line, verdict.points
        if one is None or one.member is None or not points:
            return
        member = next(m for m in self.members.values() if m.number == one.member)
        member.advance(at)
        nth = member.place(at)
        event: ev.PartnerEarned | ev.PartnerUndone
        if points > 0:
            event = ev.PartnerEarned(f"partner:{row:019d}", at, points, nth)
        else:
            event = ev.PartnerUndone(f"partner-undo:{row:019d}", at, f"partner:{one.id:019d}", -points, nth)
        member.happen(event)
        member.nth = (at, nth)
        answer.events.append((member.name, self.names.event(event.event)))


# ---- what both the engine and the books make of a line -----------------------------------------------------------------


def agreed(line: Line, zone: Any) -> Terms:
    """Points for every full amount, from this day on."""
    return Terms(day_of(line.at, zone), line.points, line.paid, month_most=line.month_most)


def about(line: Line) -> bytes | None:
    return line.spend.encode() if line.spend else None


def token(card: str) -> str:
    """A card of the list as a partner's file would name it."""
    return hashlib.sha256(card.encode()).hexdigest()


def taken(kind: str, state: str) -> dict[str, Any]:
    return {"kind": kind, "state": state}
