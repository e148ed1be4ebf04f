"""What every part of the fold works with: the books, the charter's versions, effects, and points going in and out of lots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from shuke.engine.charter.terms import Regrading, Terms, Versions
from shuke.engine.ledger.books import FAR, Books, Effect, Lot, Notice, TierMove
from shuke.engine.ledger.purse import Purse

# A member's birthday (month, day, lunar) and since when the books know it; None: it holds for all of history.
Birthdays = Sequence[tuple[datetime | None, tuple[int, int, bool]]]


class MissingLots(AssertionError):
    """Our own mistake: an event touched lots that were not loaded."""


class Run:
    """One run over one member's events. Read `effects`, `moves`, `notices` and `books` afterwards."""

    tells = True  # why a purchase gave its points or a grade, for who will read it

    def __init__(
        self, versions: Versions, books: Books, *, birthdays: Birthdays = (), purse: Purse | None = None
    ) -> None:
        self.versions, self.books, self.birthdays = versions, books, birthdays
        self.purse = purse if purse is not None else Purse()
        self.effects: list[Effect] = []
        self.moves: list[TierMove] = []
        self.notices: list[Notice] = []
        self._next_charter: Regrading | None = None  # that changes tiers or how they are graded
        self.last_at: datetime | None = None  # of the last thing that happened, the clock's acts included
        self._repaid: list[tuple[str, int]] = []  # lots that paid a debt, and what each paid

    def _effect(self, event: str, kind: str, at: datetime, terms: Terms | None = None) -> Effect:
        effect = Effect(event, kind, at, (terms or self.versions.at(at)).version)
        self.effects.append(effect)
        return effect

    def _birthday(self, at: datetime) -> tuple[int, int, bool] | None:
        """The birthday that was known at a moment: told anew later, it does not change what was earned before."""
        found = None
        for since, birthday in self.birthdays:
            if since is None or since <= at:
                found = birthday
        return found

    # -- lots ---------------------------------------------------------------------------------------------------

    def _grant(
        self,
        effect: Effect,
        key: str,
        amount: int,
        account: str,
        terms: Terms,
        day: date,
        *,
        expires_at: datetime | None = None,
        at_once: bool = False,
        done_at: datetime | None = None,
    ) -> None:
        expires, available = terms.lot_times(effect.at, day, done_at)
        if terms.rolling_expiry:  # the balance lives as long as the member is active
            rolling = self.books.standing.rolling_until
            if rolling is None or rolling <= effect.at:  # all of it has lapsed: with these points a new life begins
                self.books.standing.rolling_until = rolling = expires
            expires = rolling or expires
        lot = Lot(
            key, amount, amount, effect.at, effect.at if at_once else available, expires_at or expires, terms.cost_micro
        )
        effect.move(account, -amount)
        effect.move("member", amount)
        self._put(effect, lot)

    def _put(self, effect: Effect, lot: Lot) -> None:
        self.books.lots[lot.key] = lot
        effect.lots.append(lot)
        if self.books.debt:
            self._repay(effect, lot)
        if lot.expires_at is not None and lot.remaining > lot.held and lot.expires_at < self.books.next_expiry:
            self.books.next_expiry = lot.expires_at

    def _repay(self, effect: Effect, lot: Lot) -> None:
        """Debt is taken from the next points that come in."""
        x = min(self.books.debt, lot.free)
        if x:
            self.books.debt -= x
            self._take(effect, lot, x, "debt", "debt")
            self._repaid.append((lot.key, x))

    def _take(self, effect: Effect, lot: Lot, amount: int, kind: str, account: str) -> None:
        assert 0 < amount <= lot.free, (effect.event, lot, amount)
        lot.remaining -= amount
        effect.uses.append((lot.key, kind, amount))
        effect.move("member", -amount)
        effect.move(account, amount)

    def _owe(self, effect: Effect, amount: int, kind: str, account: str) -> list[tuple[Lot, int]]:
        """Take points from whatever is free, pending lots too; what nothing covers becomes debt (I7)."""
        taken, short = self._take_free(effect, amount, kind, account)
        if short:
            self.books.debt += short
            effect.move("debt", -short)
            effect.move(account, short)
        return taken

    def _take_free(self, effect: Effect, amount: int, kind: str, account: str) -> tuple[list[tuple[Lot, int]], int]:
        """Take up to `amount` from open lots; what each gave, and what is still missing."""
        taken: list[tuple[Lot, int]] = []
        for lot in self.books.open_lots() if amount else ():
            x = min(amount, lot.free)
            self._take(effect, lot, x, kind, account)
            taken.append((lot, x))
            amount -= x
            if not amount:
                break
        return taken, amount

    def _find_next_expiry(self) -> None:
        self.books.next_expiry = min(
            (
                lot.expires_at
                for lot in self.books.lots.values()
                if lot.expires_at is not None and lot.remaining > lot.held
            ),
            default=FAR,
        )

    def _lapsed(self, lot: Lot) -> int:
        return sum(n for e in self.effects for k, kind, n in e.uses if k == lot.key and kind == "expire")

    def _expire(self, at: datetime) -> None:
        books = self.books
        if not books.complete:
            raise MissingLots(f"Lots expire at {at} but were not loaded.")
        lapsed = [
            lot
            for lot in books.lots.values()
            if lot.expires_at is not None and lot.expires_at <= at and lot.remaining > lot.held
        ]
        if lapsed:
            moment = "%Y-%m-%dT%H:%M:%S.%f" if at.second or at.microsecond else "%Y-%m-%dT%H:%M"  # mostly midnights
            effect = self._effect(f"expire:{at:{moment}}", "expire", at)
            for lot in sorted(lapsed, key=Lot.oldest_first):
                self._take(effect, lot, lot.free, "expire", "breakage")
        self._find_next_expiry()

    def _prolong(self, terms: Terms, effect: Effect | None, event: str, at: datetime) -> None:
        """Where points live as long as their member is active: an activity moves the end of the whole balance."""
        standing, books = self.books.standing, self.books
        until = terms.lot_times(at, terms.day(at))[0]
        before = standing.rolling_until
        if until is None or (before is not None and until <= before):
            return
        standing.rolling_until = until
        moved = [
            lot for lot in books.lots.values() if before is not None and lot.expires_at == before and lot.remaining > 0
        ]
        if not moved:
            return
        if not books.complete:
            raise MissingLots(f"{event} prolongs old lots but they were not loaded.")
        for lot in moved:
            lot.expires_at = until
        if effect is not None:
            effect.why.append({"rule": "prolonged", "lots": len(moved), "until": until.isoformat()})
        self._find_next_expiry()
