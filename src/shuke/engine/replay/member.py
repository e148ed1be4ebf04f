"""One member while the list runs: the fold over their events, and what requests are judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, begin
from shuke.engine.ledger.judging import Told, Verdict, judge, judge_fact, judge_undo
from shuke.engine.ledger.purse import Purse
from shuke.engine.replay.outcome import Answer, Booked, LotEnd, MemberEnd, Names

BY_EFFECT = ("activity", "growth", "reinstate", "membership", "membership_end")


class Ask(NamedTuple):
    """A request of points."""

    key: str
    kind: str
    amount: int = 0
    ref: str = ""
    until: datetime | None = None
    expires_at: datetime | None = None


class Member:
    """Events happen in the order of the list; one that belongs before another that happened folds everything anew."""

    def __init__(
        self,
        name: str,
        number: int,
        versions: Versions,
        joined_at: datetime,
        birthday: tuple[int, int, bool] | None,
        purse: Purse | None,
    ) -> None:
        self.name, self.number, self.versions = name, number, versions
        self.joined_at, self.birthday, self.purse = joined_at, birthday, purse
        self.days: tuple[tuple[str, int, int, bool], ...] = ()  # special ones, which earn nothing by themselves
        self.events: list[ev.Event] = []
        self.burns: dict[str, tuple[str, int]] = {}  # key of a spend → event, what can be given back
        self.did: set[str] = set()  # events of activities, those taken back too
        self.drawn: set[str] = set()  # activities for which a ticket was drawn
        self.handed: list[tuple[datetime, int]] = []
        self.nth: tuple[datetime | None, int] = (None, 0)  # the last moment something was granted, and its place
        self.fold = self._begin()

    def _begin(self) -> Fold:
        birthdays = [(None, self.birthday)] if self.birthday else []
        fold = begin(self.versions, joined_at=self.joined_at, birthdays=birthdays, purse=self.purse)
        fold.last_at = self.joined_at if fold.effects else None
        return fold

    def advance(self, at: datetime) -> Fold:
        self.fold.advance(at)
        return self.fold

    def happen(self, event: ev.Event) -> None:
        late = bool(self.events) and ev.order_of(event) < ev.order_of(self.events[-1])
        late = late or isinstance(event, ev.ActivityUndone)
        self.events.append(event)
        if not late:
            self.fold.run([event])
            return
        self.events = sorted(ev.without_undone(self.events), key=ev.order_of)
        self.fold = self._begin()
        self.fold.run(self.events)

    def happen_instead(self, before: Sequence[ev.Event], now: Sequence[ev.Event]) -> None:
        """What followed from other events is another now that one more of those is known."""
        if list(now[: len(before)]) == list(before):
            for event in now[len(before) :]:
                self.happen(event)
            return
        gone = set(before)
        self.events = sorted([*(e for e in self.events if e not in gone), *now], key=ev.order_of)
        self.fold = self._begin()
        self.fold.run(self.events)

    def place(self, at: datetime) -> int:
        """The place among what was granted at the same moment: as `loyalty.queries.facts.next_at` counts."""
        if self.fold.last_at != at:
            return 0
        return 1 + (self.nth[1] if self.nth[0] == at else 0)

    # ---- requests ---------------------------------------------------------------------------------------------------

    def judged(self, one: Ask, at: datetime) -> Verdict:
        fold = self.advance(at)
        if one.kind == "activity_undo":
            return judge_undo(one, self._told(f"activity:{one.ref}"), at)
        if one.kind in BY_EFFECT:
            return judge_fact(self.versions.at(at), one, fold.books.standing, self._lapsed_since, at)
        return judge(one, fold.books, self.burns.get(one.ref) if one.kind == "return" else None, at)

    def _told(self, event: str) -> Told | None:
        """What this member did under a name; None where there was nothing."""
        if event not in self.did:
            return None
        effect = next((e for e in self.fold.effects if e.event == event), None)
        if effect is None:
            return Told(event, 0, 0, True, False)
        points = effect.legs.get("member", 0) + effect.legs.get("debt", 0)
        return Told(event, points, effect.growth, False, event in self.drawn)

    def _lapsed_since(self, since: datetime) -> int:
        return sum(e.legs.get("breakage", 0) for e in self.fold.effects if e.at >= since)

    def ask(self, one: Ask, at: datetime) -> Answer:
        return self.grant(one, self.judged(one, at), at)

    def grant(self, one: Ask, verdict: Verdict, at: datetime) -> Answer:
        if verdict.event is None:
            return Answer(False, verdict.code, verdict.figures | ({"ref": one.ref} if one.ref else {}))
        nth = self.place(at)
        event = verdict.event._replace(nth=nth)  # type: ignore[call-arg]
        self.happen(event)
        self.nth = (at, nth)
        if one.kind == "activity":
            self.did.add(event.event)
        if one.kind in ("burn", "capture"):
            self.burns[one.key] = (event.event, one.amount)
        elif one.kind == "return":
            named, left = self.burns[one.ref]
            self.burns[one.ref] = (named, left - one.amount)
        return Answer(True, figures=verdict.figures, events=[(self.name, event.event)])

    # ---- figures ----------------------------------------------------------------------------------------------------

    def tier(self, at: datetime) -> str:
        return self.advance(at).tier_at(self.versions.at(at))

    def bought(self) -> list[tuple[ev.Purchase, list[ev.Refunded]]]:
        """Purchases with what came back of them, in the order of their names at one moment."""
        back: dict[str, list[ev.Refunded]] = {}
        for e in self.events:
            if isinstance(e, ev.Refunded):
                back.setdefault(e.order, []).append(e)
        return [(e, back.get(e.event, [])) for e in self.events if isinstance(e, ev.Purchase)]

    def end(self, until: datetime, names: Names, more: Callable[[str], dict[str, Any]]) -> MemberEnd:
        fold = self.advance(until)
        books = fold.books
        return MemberEnd(
            available=books.available(until),
            pending=books.pending(until),
            held=books.held(),
            debt=books.debt,
            growth=books.standing.totals[3],
            tier=fold.tier_at(self.versions.at(until)),
            review_at=books.standing.review_at,
            lots=[
                names.lot(LotEnd(x.key, x.granted, x.remaining, x.held, x.earned_at, x.available_at, x.expires_at))
                for x in books.lots.values()
                if x.granted
            ],
            history=[(m.at, m.before, m.after, m.cause) for m in fold.moves],
            booked=[names.booked(Booked(e.event, e.kind, e.at, dict(e.legs), e.growth, e.why)) for e in fold.effects],
            **more(self.name),
        )
