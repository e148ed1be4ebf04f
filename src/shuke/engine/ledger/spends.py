"""Points by other events than purchases: spends and their return, adjustments, holds, reinstatement."""

from __future__ import annotations

from datetime import datetime, timedelta

from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Effect, Held, Lot
from shuke.engine.ledger.run import Run
from shuke.kit.clock import day_start
from shuke.kit.money import allocate


class Spends(Run):
    """The part of the fold that moves points without a purchase."""

    _burns: dict[str, list[list]]  # burn event → [[lot key, amount, returned]]

    def _burn(self, b: ev.Burn) -> None:
        effect = self._effect(b.event, "burn", b.at)
        self._spend(effect, b.event, [(lot, lot.free) for lot in self.books.spendable(b.at)], b.amount)
        terms = self.versions.at(b.at)
        if terms.rolling_expiry:
            self._prolong(terms, effect, b.event, b.at)

    def _spend(
        self,
        effect: Effect,
        event: str,
        lots: list[tuple[Lot, int]],
        amount: int,
        kind: str = "burn",
        account: str = "spent",
    ) -> None:
        taken: list[list] = []
        rest = amount
        for lot, most in lots:
            x = min(rest, most)
            if x:
                self._take(effect, lot, x, kind, account)
                taken.append([lot.key, x, 0])
                rest -= x
        if rest:  # only in a replay: a late refund took the ground from under a spend that was right when it was made
            owed = self._owe(effect, rest, kind, account)
            taken += [[lot.key, x, 0] for lot, x in owed]
            if short := rest - sum(x for _, x in owed):
                taken.append(["", short, 0])
        self._burns[event] = taken
        self._find_next_expiry()

    def _burn_returned(self, r: ev.BurnReturned) -> None:
        self._give_back(self._effect(r.event, "return", r.at), r.burn, r.amount, r.at)

    def _give_back(
        self, effect: Effect, burn_event: str, given: int, at: datetime, kind: str = "burn", account: str = "spent"
    ) -> None:
        """Points return to the lots that a spend took them from."""
        burn = self._burns[burn_event]
        parts = allocate(given, [amount - back for _, amount, back in burn])
        for part, share in zip(burn, parts, strict=True):
            if not share:
                continue
            part[2] += share
            effect.move(account, -share)
            lot = self.books.lots.get(part[0])
            if lot is None:  # that part had been debt
                owed = min(share, self.books.debt)
                self.books.debt -= owed
                effect.move("debt", owed)
                self._undo_repayments(effect, share - owed, at)
            else:
                self._put_back(effect, lot, share, kind, at)
        self._find_next_expiry()

    def _put_back(self, effect: Effect, lot: Lot, amount: int, kind: str, at: datetime) -> None:
        """Points return to the lot they came from; what it owes is paid first, what is past its expiry gets the grace."""
        effect.move("member", amount)
        lot.remaining += amount
        effect.uses.append((lot.key, kind, -amount))
        self._join_balance(effect, lot, at)
        if lot.expires_at is not None and lot.expires_at <= at:
            self._after_expiry(effect, lot, amount, at)
        elif self.books.debt:
            self._repay(effect, lot)

    def _undo_repayments(self, effect: Effect, amount: int, at: datetime) -> None:
        """A debt that later points have paid turns out not to be one: they get their points back, the latest first."""
        while amount:
            key, paid = self._repaid.pop()
            x = min(amount, paid)
            amount -= x
            if paid > x:
                self._repaid.append((key, paid - x))
            self._put_back(effect, self.books.lots[key], x, "debt", at)

    def _join_balance(self, effect: Effect, lot: Lot, at: datetime) -> None:
        """Where the balance lives as long as its member is active, what comes back lives on with it."""
        if not self.versions.at(at).rolling_expiry:
            return
        until = self.books.standing.rolling_until
        if until is not None and lot.expires_at is not None and lot.expires_at < until:
            lot.expires_at = until
            effect.why.append({"rule": "prolonged", "lots": 1, "until": until.isoformat()})

    def _after_expiry(self, effect: Effect, lot: Lot, share: int, at: datetime) -> None:
        """Points that come back after their expiry live on for the charter's grace, as a logged extension (I9)."""
        terms = self.versions.at(at)
        grace = terms.charter.points.returned_grace_days
        if not grace:
            self._take(effect, lot, share, "expire", "breakage")
            return
        lot.remaining -= share
        effect.uses.append((lot.key, "extend", share))
        key = f"{effect.event}/{lot.key}"[:150]
        again = self.books.lots.get(key)
        if again is not None:  # the same event gave the same lot something back before
            again.granted += share
            again.remaining += share
            self._repay(effect, again)
            return
        expires = day_start(terms.day(at) + timedelta(days=grace + 1), terms.zone)
        self._put(effect, Lot(key, share, share, at, at, expires, lot.cost_micro))

    def _reinstated(self, r: ev.Reinstated) -> None:
        """Lapsed points come back as a lot of their own: at most what lapsed within the charter's time."""
        terms = self.versions.at(r.at)
        since = r.at - timedelta(days=terms.charter.points.reinstate_days)
        lapsed = sum(e.legs.get("breakage", 0) for e in self.effects if e.at >= since)
        amount = min(r.amount, lapsed)
        effect = self._effect(r.event, "reinstate", r.at)
        if amount <= 0:
            return
        grace = max(1, terms.charter.points.returned_grace_days)
        expires = r.expires_at or day_start(terms.day(r.at) + timedelta(days=grace + 1), terms.zone)
        effect.move("breakage", -amount)
        effect.move("member", amount)
        self._put(effect, Lot(r.event, amount, amount, r.at, r.at, expires, terms.cost_micro))

    def _handed_over(self, h: ev.HandedOver) -> None:
        effect = self._effect(h.event, "handed", h.at)
        rest = h.amount
        for lot in self.books.spendable(h.at):
            x = min(rest, lot.free)
            self._take(effect, lot, x, "transfer", "transferred")
            rest -= x
            if not rest:
                break
        self._owe(effect, rest, "transfer", "transferred")  # only in a replay, as with a spend
        self._find_next_expiry()

    def _taken_over(self, t: ev.TakenOver) -> None:
        effect = self._effect(t.event, "taken", t.at)
        for n, part in enumerate(t.parcels):
            effect.move("transferred", -part.amount)
            effect.move("member", part.amount)
            key = f"{t.event}#{n}" if n else t.event
            lot = Lot(key, part.amount, part.amount, part.earned_at, t.at, part.expires_at, part.cost_micro)
            self._join_balance(effect, lot, t.at)
            self._put(effect, lot)

    def _adjusted(self, a: ev.Adjusted) -> None:
        effect = self._effect(a.event, "adjust" if a.account == "adjusted" else a.account, a.at)
        if a.amount > 0:
            terms = self.versions.at(a.at)
            self._grant(
                effect, a.event, a.amount, a.account, terms, terms.day(a.at), expires_at=a.expires_at, at_once=True
            )
            return
        rest = -a.amount
        for lot in self.books.spendable(a.at):
            x = min(rest, lot.free)
            self._take(effect, lot, x, "adjust", a.account)
            rest -= x
            if not rest:
                break
        self._owe(effect, rest, "adjust", a.account)
        self._find_next_expiry()

    # -- holds --------------------------------------------------------------------------------------------------

    def _hold_placed(self, h: ev.HoldPlaced) -> None:
        self._effect(h.event, "hold", h.at)
        lots: list[tuple[str, int]] = []
        rest = h.amount
        for lot in self.books.spendable(h.at):
            x = min(rest, lot.free)
            lot.held += x
            lots.append((lot.key, x))
            rest -= x
            if not rest:
                break
        self.books.holds[h.event] = Held(h.event, lots, h.times_out_at)
        self._find_next_expiry()

    def _hold_captured(self, c: ev.HoldCaptured) -> None:
        effect = self._effect(c.event, "capture", c.at)
        held = self.books.holds.pop(c.hold)
        lots = []
        for key, amount in held.lots:
            lot = self.books.lots[key]
            lot.held -= amount
            lots.append((lot, amount))
        self._spend(effect, c.event, lots, c.amount)
        self._set_free(effect, [lot for lot, _ in lots], c.at)

    def _hold_released(self, r: ev.HoldReleased) -> None:
        if r.hold in self.books.holds:  # else it timed out before
            self._release(r.hold, self._effect(r.event, "release", r.at), r.at)

    def _release(self, key: str, effect: Effect, at: datetime) -> None:
        held = self.books.holds.pop(key)
        lots = []
        for lot_key, amount in held.lots:
            lot = self.books.lots[lot_key]
            lot.held -= amount
            lots.append(lot)
        self._set_free(effect, lots, at)
        self._find_next_expiry()

    def _time_out(self, at: datetime) -> None:
        for key in [k for k, held in self.books.holds.items() if held.times_out_at <= at]:
            self._release(key, self._effect(f"timeout:{key}", "timeout", at), at)

    def _set_free(self, effect: Effect, lots: list[Lot], at: datetime) -> None:
        """What a hold set aside and nobody spent. What expired while it was held goes straight to expired when it comes back
        (TRUST §3.2); of the rest a debt that came about meanwhile is paid first (I7)."""
        for lot in lots:
            if lot.expires_at is not None and lot.expires_at <= at and lot.free > 0:
                self._take(effect, lot, lot.free, "expire", "breakage")
        for lot in lots:
            if self.books.debt and lot.free > 0:
                self._repay(effect, lot)
