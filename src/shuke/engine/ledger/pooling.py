"""Points that cross between merchants of a coalition, and points that a card partner's file gives."""

from __future__ import annotations

from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Lot
from shuke.engine.ledger.sales import Sales
from shuke.engine.ledger.spends import Spends


class Pooling(Sales, Spends):
    """The part of the fold that other merchants and card partners have a hand in."""

    def _pooled_out(self, p: ev.PooledOut) -> None:
        effect = self._effect(p.event, "pool_out", p.at)
        lots = [(lot, lot.free) for lot in self.books.spendable(p.at)]
        self._spend(effect, p.event, lots, p.amount, "transfer", "settlement")
        terms = self.versions.at(p.at)
        if terms.rolling_expiry:
            self._prolong(terms, effect, p.event, p.at)

    def _pooled_back(self, p: ev.PooledBack) -> None:
        effect = self._effect(p.event, "pool_back", p.at)
        self._give_back(effect, p.out, p.amount, p.at, "transfer", "settlement")

    def _pooled_spent(self, p: ev.PooledSpent) -> None:
        """The partners' part never mingles with the member's own points: it comes as lots that are used up at once, so
        that a debt here takes nothing of it and every spent point still knows who issued it."""
        effect = self._effect(p.event, "pool_spent", p.at)
        self._spend(effect, p.event, [(lot, lot.free) for lot in self.books.spendable(p.at)], p.own)
        for n, part in enumerate(p.parcels):
            key = _lot_key(p.event, n)
            lot = Lot(key, part.amount, 0, part.earned_at, p.at, part.expires_at, part.cost_micro, 0, part.funder)
            self.books.lots[key] = lot
            effect.lots.append(lot)
            effect.uses.append((key, "burn", part.amount))
            effect.move("settlement", -part.amount)
            effect.move("spent", part.amount)
        terms = self.versions.at(p.at)
        if terms.rolling_expiry:
            self._prolong(terms, effect, p.event, p.at)

    def _pooled_returned(self, p: ev.PooledReturned) -> None:
        effect = self._effect(p.event, "pool_returned", p.at)
        if p.own:
            self._give_back(effect, p.spent, p.own, p.at)
        for n, amount in enumerate(p.parcels):
            if amount:
                effect.uses += [(_lot_key(p.spent, n), "burn", -amount), (_lot_key(p.spent, n), "transfer", amount)]
                effect.move("spent", -amount)
                effect.move("settlement", amount)

    def _partner_earned(self, p: ev.PartnerEarned) -> None:
        terms = self.versions.at(p.at)
        effect = self._effect(p.event, "partner", p.at, terms)
        self._grant(effect, p.event, p.amount, "issued", terms, terms.day(p.at), at_once=True)
        self.books.lots[p.event].funder = p.funder

    def _partner_undone(self, p: ev.PartnerUndone) -> None:
        """As with goods that come back: of its own lot first, then of others, then owed."""
        self._claw_back(self._effect(p.event, "partner_undo", p.at), p.earned, p.amount, "debt")


def _lot_key(event: str, n: int) -> str:
    """Of the n-th parcel; the same shape as of points received from another member, whom the reports know."""
    return f"{event}#{n}" if n else event
