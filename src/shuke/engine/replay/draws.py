"""Lucky draws while the list runs: terms and seed are told, so what is drawn follows (docs/algorithms/draws.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shuke.engine import draws as engine
from shuke.engine.charter.terms import Versions
from shuke.engine.draws import asking
from shuke.engine.draws.drawing import moment_text
from shuke.engine.draws.terms import FORMAT
from shuke.engine.gifts import has_thing
from shuke.engine.replay.fields import Line
from shuke.engine.replay.member import Ask, Member
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.vouchers import Vouchers

SHOP = "Replay"  # who holds a draw stands in its terms, and so in what is drawn


@dataclass(slots=True)
class Ticket:
    id: str
    member: str
    draw: str
    number: int
    way: str
    source: str
    at: datetime
    drew: str
    won: str
    handed: bool


@dataclass(slots=True)
class Draw:
    terms: engine.DrawTerms
    plain: dict[str, Any]
    seed: bytes
    commitment: str
    since: datetime
    tickets: list[Ticket] = field(default_factory=list)
    given: dict[str, int] = field(default_factory=dict)


class Draws:
    def __init__(self, versions: Versions, members: Mapping[str, Member], vouchers: Vouchers) -> None:
        self.versions, self.members, self.vouchers = versions, members, vouchers
        self.all: dict[str, Draw] = {}
        self.activities: list[tuple[datetime, str, str, str]] = []  # at, member, kind, event

    def took_part(self, member: str, kind: str, event: str, at: datetime) -> None:
        self.activities.append((at, member, kind, event))

    def took_back(self, event: str) -> None:
        self.activities = [one for one in self.activities if one[3] != event]

    def offer(self, line: Line) -> Answer:
        plain = whole_terms(line, self.versions.last.zone.key)
        terms = engine.read_terms(plain)
        if terms.closes_at <= line.at:
            return Answer(False, "draw_over", {"draw": line.ref})
        promise = engine.commitment(engine.canonical(plain), line.seed)
        self.all[line.ref] = Draw(terms, plain, line.seed, promise, line.at.replace(microsecond=0))
        return Answer(True, did=[{"kind": "draw_offer", "draw": line.ref, "commitment": promise}])

    def draw(self, line: Line) -> Answer:
        one, at = self.all.get(line.ref), line.at
        if one is None:
            return Answer(False, "no_such_draw", {"draw": line.ref})
        way = line.way or next(iter(one.terms.ways))
        today = asking.day_begins(one.terms, at)
        mine = [t for t in one.tickets if t.member == line.member]
        seen = asking.Situation(
            running=at >= one.since,
            stopped=False,
            frozen=False,
            left=asking.left(one.terms, len(mine), sum(t.at >= today for t in mine)),
            free=lambda: self._free(one, line.member, way, at),
        )
        code, source = asking.may(one.terms, seen, way, line.word, "", at)
        if code:
            return Answer(False, REFUSED.get(code, code), {"draw": line.ref})
        member, answer = self.members[line.member], Answer(True)
        if way == "points":
            answer = member.ask(Ask(f"draw:{line.id}", "burn", int(one.terms.ways["points"])), at)
            if not answer.done:
                return Answer(False, answer.code, {"draw": line.ref, **answer.figures})
        number = len(one.tickets) + 1
        drew = engine.drawn(one.terms, one.commitment, one.seed, f"{number}:{line.word}")
        won = engine.settle(one.terms, drew, one.given)
        if won:
            one.given[won] = one.given.get(won, 0) + 1
        ticket = Ticket(line.id, line.member, line.ref, number, way, source, at, drew, won, False)
        answer.did = [{"kind": "draw", "draw": line.ref, "number": number, "drew": drew, "won": won}]
        self._give(one, ticket, member, answer)
        one.tickets.append(ticket)
        if way == "activity":
            member.drawn.add(source)
        return answer

    def _give(self, one: Draw, ticket: Ticket, member: Member, answer: Answer) -> None:
        """Points and coupons are given at once; the thing that goes with them, or is all there is, waits to be handed over."""
        prize: Mapping[str, Any] = next((p for p in one.plain["prizes"] if p["key"] == ticket.won), {})
        points, coupon = int(prize.get("points") or 0), str(prize.get("coupon") or "")
        missing = has_thing(int(prize.get("worth_minor") or 0), gives=bool(points or coupon))
        if points:
            given = member.ask(Ask(f"draw:{ticket.id}:prize", "adjust", points), ticket.at)
            answer.events += given.events
        if coupon:
            issued = self.vouchers.issue(coupon, ticket.member, 1, "draw", ticket.at)
            answer.did += issued.did
            missing = missing or not issued.done
        ticket.handed = bool(ticket.won) and not missing

    def _free(self, one: Draw, member: str, way: str, at: datetime) -> list[str]:
        """Orders or activities that have given no ticket yet, oldest first."""
        used = {t.source for t in one.tickets}
        if way == "activity":
            kind, terms = one.terms.ways["activity"], one.terms
            found = [
                event
                for when, who, what, event in self.activities
                if who == member and what == kind and terms.opens_at <= when < terms.closes_at
            ]
        else:
            span = asking.orders_between(one.terms, at)
            assert span is not None, "its way is open"
            first, end, least = span
            found = [
                bought.event
                for bought, back in self.members[member].bought()
                if first <= bought.at < end and bought.net - sum(r.amount for r in back) >= least
            ]
        return [event for event in found if event not in used]

    def end(self, member: str) -> list[dict[str, Any]]:
        return [
            told(t.id, t.draw, t.number, t.way, t.drew, t.won, t.handed)
            for one in self.all.values()
            for t in one.tickets
            if t.member == member
        ]


REFUSED = {"not_open": "draw_not_open", "limit": "draw_limit"}  # gifts and coupons have codes of these names


def whole_terms(line: Line, zone: str) -> dict[str, Any]:
    """The terms with what a shop adds, as `loyalty.actions.draws.save_draw` keeps them."""
    plain = {**(line.terms or {}), "format": FORMAT, "draw": line.ref, "shop": SHOP, "zone": zone}
    terms = engine.read_terms(plain)
    return {**plain, "opens_at": moment_text(terms.opens_at), "closes_at": moment_text(terms.closes_at)}


def told(name: str, draw: str, number: int, way: str, drew: str, won: str, handed: bool) -> dict[str, Any]:
    """A ticket as it is printed at the end."""
    return {"id": name, "draw": draw, "number": number, "way": way, "drew": drew, "won": won, "handed_over": handed}
