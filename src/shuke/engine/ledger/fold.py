"""The fold: one member's events in time order → effects on the books.

Between two events the clock acts: lots expire, holds time out, manual grades end, reviews fall due. The same functions
serve the counter (one event onto the stored books) and the replay of a whole history (all events onto empty books), so
both end in the same state; tests/engine/ledger proves it. docs/algorithms/ledger.md argues the order of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from shuke.engine.charter.standing import Standing
from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import LONG_AGO, Books, TierMove
from shuke.engine.ledger.pooling import Pooling
from shuke.engine.ledger.purse import Purse
from shuke.engine.ledger.run import Birthdays, MissingLots

__all__ = ["Birthdays", "Fold", "MissingLots", "begin", "replay"]


class Fold(Pooling):
    """One run over one member's events. Read `effects`, `moves`, `notices` and `books` afterwards."""

    def __init__(
        self, versions: Versions, books: Books, *, birthdays: Birthdays = (), purse: Purse | None = None
    ) -> None:
        super().__init__(versions, books, birthdays=birthdays, purse=purse)
        self._sales = {}
        self._day_sales = {}
        self._burns = {}
        self.undone = set()
        self._next_charter = versions.next_regrading(books.reached)

    def join(self, at: datetime) -> None:
        """The first thing that happens to a member: the lowest grade, and what the charter gives for joining."""
        terms = self.versions.at(at)
        self._next_charter = self.versions.next_regrading(at)
        standing = self.books.standing
        standing.tier, standing.rank, standing.since = terms.tiers[0].key, 0, at
        self.moves.append(TierMove(at, "", standing.tier, "joined", "joined", terms.version))
        if terms.reviews_all:
            self._plan_review(terms, at)
        if "join" in terms.activities:
            self._activity(ev.Activity("joined", at, "join"))

    def run(self, happenings: Iterable[ev.Event]) -> None:
        """Fold events that are sorted by `events.order_of`."""
        for event in happenings:
            self.advance(event.at)
            self.books.quiet_until = LONG_AGO
            if type(event) is ev.Purchase:
                self._purchase(event)
            elif type(event) is ev.Refunded:
                self._refunded(event)
            else:
                _OTHERS[type(event)](self, event)
            self.last_at = event.at

    def advance(self, until: datetime) -> None:
        """Let the clock act up to and including `until`, each act at its own due time."""
        books = self.books
        if until < books.quiet_until:
            return
        while True:
            due: datetime = books.next_expiry
            act: Callable[[datetime], None] = self._expire
            for held in books.holds.values():
                if held.times_out_at <= due:
                    due, act = held.times_out_at, self._time_out
            graded = self._next_grading(due)
            if graded is not None:
                due, act = graded
            if (
                self._next_charter is not None and self._next_charter.start <= due
            ):  # what is due at that moment goes by the new one
                due, act = self._next_charter.start, self._charter_begins
            if due > until:
                return
            act(due)
            self.last_at = due


_OTHERS: dict[type, Callable[[Fold, Any], None]] = {
    ev.Burn: Fold._burn,
    ev.BurnReturned: Fold._burn_returned,
    ev.Adjusted: Fold._adjusted,
    ev.HoldPlaced: Fold._hold_placed,
    ev.HoldCaptured: Fold._hold_captured,
    ev.HoldReleased: Fold._hold_released,
    ev.TierGiven: Fold._tier_given,
    ev.Activity: Fold._activity,
    ev.ActivityUndone: Fold._activity_undone,
    ev.GrowthAdjusted: Fold._growth_adjusted,
    ev.Reinstated: Fold._reinstated,
    ev.MembershipBought: Fold._membership_bought,
    ev.MembershipEnded: Fold._membership_ended,
    ev.HandedOver: Fold._handed_over,
    ev.TakenOver: Fold._taken_over,
    ev.PooledOut: Fold._pooled_out,
    ev.PooledBack: Fold._pooled_back,
    ev.PooledSpent: Fold._pooled_spent,
    ev.PooledReturned: Fold._pooled_returned,
    ev.PartnerEarned: Fold._partner_earned,
    ev.PartnerUndone: Fold._partner_undone,
}


def begin(versions: Versions, *, joined_at: datetime, birthdays: Birthdays = (), purse: Purse | None = None) -> Fold:
    """The books of a member to whom nothing has happened but joining."""
    books = Books(Standing(joined=versions.at(joined_at).day(joined_at)))
    fold = Fold(versions, books, birthdays=birthdays, purse=purse)
    fold.join(joined_at)
    return fold


def replay(
    versions: Versions,
    happenings: Iterable[ev.Event],
    *,
    joined_at: datetime,
    birthdays: Birthdays = (),
    until: datetime | None = None,
    purse: Purse | None = None,
    tells: bool = True,
) -> Fold:
    """A member's whole history from nothing. Sorts the events; `until` lets the clock run on after the last one.

    Without `tells` effects do not say why, which takes a tenth of the time."""
    told = sorted(ev.without_undone(happenings), key=ev.order_of)
    fold = begin(
        versions, joined_at=min(joined_at, told[0].at) if told else joined_at, birthdays=birthdays, purse=purse
    )
    fold.tells = tells
    fold.run(told)
    if until is not None:
        fold.advance(until)
    return fold
