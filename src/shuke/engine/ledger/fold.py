"""The fold: one member's events in time order → effects on the books.

Between two events the clock acts: lots expire, holds time out, manual grades end, reviews fall due. The same functions
serve the counter (one event onto the stored books) and the replay of a whole history (all events onto empty books), so
both end in the same state; tests/engine/ledger proves it. docs/algorithms/ledger.md argues the order of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from shuke.engine.charter import grade
from shuke.engine.charter.earn import Basket, Earned, Slice, earn
from shuke.engine.charter.standing import AMOUNT, GROWTH, ORDERS, POINTS, SINGLE, Standing
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import FAR, LONG_AGO, Books, Effect, Held, Lot, TierMove
from shuke.kit.clock import day_start
from shuke.kit.money import allocate


@dataclass(slots=True)
class _Sale:
    """What is remembered of a purchase while its refunds are folded."""

    purchase: ev.Purchase
    terms: Terms
    basket: Basket
    room: dict[str, int]
    points: int
    counted: dict[str, int]
    growth: int
    net: int
    refunded: int = 0


# A member's birthday (month, day, lunar) and since when the books know it; None: it holds for all of history.
Birthdays = Sequence[tuple[datetime | None, tuple[int, int, bool]]]


class MissingLots(AssertionError):
    """Our own mistake: an event touched lots that were not loaded."""


class Fold:
    """One run over one member's events. Read `effects`, `moves` and `books` afterwards."""

    def __init__(
        self,
        versions: Versions,
        books: Books,
        *,
        birthdays: Birthdays = (),
    ) -> None:
        self.versions, self.books, self.birthdays = versions, books, birthdays
        self.effects: list[Effect] = []
        self.moves: list[TierMove] = []
        self.last_at: datetime | None = None  # of the last thing that happened, the clock's acts included
        self._sales: dict[str, _Sale] = {}
        self._day_sales: dict[int, list[_Sale]] = {}
        self._burns: dict[str, list[list]] = {}  # burn event → [[lot key, amount, returned]]

    # -- entering and the clock ---------------------------------------------------------------------------------

    def join(self, at: datetime) -> None:
        """The first thing that happens to a member: the lowest grade."""
        terms = self.versions.at(at)
        standing = self.books.standing
        standing.tier, standing.rank, standing.since = terms.tiers[0].key, 0, at
        self.moves.append(TierMove(at, "", standing.tier, "joined", "joined", terms.version))

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
        if until < self.books.quiet_until:
            return
        books, standing = self.books, self.books.standing
        while True:
            due: datetime = books.next_expiry
            act: Callable[[datetime], None] = self._expire
            for held in books.holds.values():
                if held.times_out_at <= due:
                    due, act = held.times_out_at, self._time_out
            for _, end in standing.floors:
                if end is not None and end < due:
                    due, act = end, self._end_floor
            if standing.review_at is not None and standing.review_at < due:
                due, act = standing.review_at, self._review
            if due > until:
                return
            act(due)
            self.last_at = due

    def _expire(self, at: datetime) -> None:
        books = self.books
        if not books.complete:
            raise MissingLots(f"Lots expire at {at} but were not loaded.")
        lapsed = [
            lot for lot in books.lots.values() if lot.expires_at is not None and lot.expires_at <= at and lot.free > 0
        ]
        if lapsed:
            effect = self._effect(f"expire:{at:%Y-%m-%dT%H:%M}", "expire", at)
            for lot in sorted(lapsed, key=Lot.oldest_first):
                self._take(effect, lot, lot.free, "expire", "breakage")
        self._find_next_expiry()

    def _find_next_expiry(self) -> None:
        self.books.next_expiry = min(
            (lot.expires_at for lot in self.books.lots.values() if lot.expires_at is not None and lot.free > 0),
            default=FAR,
        )

    def _time_out(self, at: datetime) -> None:
        for key in [k for k, held in self.books.holds.items() if held.times_out_at <= at]:
            self._release(key, self._effect(f"timeout:{key}", "timeout", at), at)

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

    # -- purchases and their refunds ----------------------------------------------------------------------------

    def _purchase(self, p: ev.Purchase) -> None:
        terms = self.versions.at(p.at)
        standing = self.books.standing
        day = terms.day(p.at)
        slices: tuple[Slice, ...] = ()
        if terms.needs_lines and p.lines:
            slices = _slices(terms, p, p.net, refunded=False)
        basket = Basket(
            p.net,
            day,
            self.tier_at(terms),
            slices,
            p.store,
            p.platform,
            p.channel,
            standing.purchases == 0,
            self._birthday(p.at),
        )
        room = self._room(terms, day)
        earned = earn(terms, basket, room)
        growth = p.net // terms.growth_per
        sale = _Sale(p, terms, basket, room, earned.points, earned.counted, growth, p.net)
        self._sales[p.event] = sale
        self._day_sales.setdefault(day.toordinal(), []).append(sale)
        if p.net > 0:
            standing.purchases += 1
        self._count(terms, day, earned.counted, 1)
        self._add_to_day(day, p.net, 1 if p.net > 0 else 0, growth, earned.points)
        if earned.points:
            effect = self._effect(p.event, "earn", p.at, terms)
            effect.why = earned.why
            self._grant(effect, p.event, earned.points, "issued", terms, day)
        if p.net > 0:
            self._grade_up(terms, p.at, day, p.event)

    def _refunded(self, r: ev.Refunded) -> None:
        sale = self._sales.get(r.order)
        if sale is None:
            raise AssertionError(f"Refund {r.event} was folded without its order {r.order}.")
        sale.refunded += r.amount
        net = max(0, sale.purchase.net - sale.refunded)
        slices: tuple[Slice, ...] = ()
        if sale.terms.needs_lines and sale.purchase.lines:
            slices = _slices(sale.terms, sale.purchase, net, refunded=True)
        left = earn(sale.terms, sale.basket._replace(net=net, slices=slices), sale.room)
        if left.points > sale.points:  # a refund never gives points
            left = Earned(sale.points, left.why, sale.counted)
        growth = net // sale.terms.growth_per
        lost = sale.points - left.points
        self._count(
            sale.terms, sale.basket.day, {k: sale.counted[k] - left.counted.get(k, 0) for k in sale.counted}, -1
        )
        gone_order = 1 if sale.net > 0 and net == 0 else 0
        self._take_from_day(sale, sale.net - net, gone_order, sale.growth - growth, lost, net)
        sale.points, sale.counted, sale.growth, sale.net = left.points, left.counted, growth, net
        if lost:
            effect = self._effect(r.event, "refund", r.at, sale.terms)
            effect.why = [{"order": r.order, "net": net, "earned": left.points, "taken_back": lost}, *left.why]
            self._claw_back(effect, r.order, lost)

    def _claw_back(self, effect: Effect, key: str, amount: int) -> None:
        """Take back what an order earned: its own lot, what of it lapsed, other lots, then debt (TRUST §3.3)."""
        if not self.books.complete:
            raise MissingLots(f"{effect.event} takes points back but old lots were not loaded.")
        own = self.books.lots.get(key)
        rest = amount
        if own is not None:
            x = min(rest, own.free)
            if x:
                self._take(effect, own, x, "claw", "issued")
                rest -= x
            lapsed = min(rest, self._lapsed(own))
            if lapsed:  # they expired unused: the member never had the good of them, nothing more is taken
                effect.uses += [(key, "expire", -lapsed), (key, "claw", lapsed)]
                effect.move("breakage", -lapsed)
                effect.move("issued", lapsed)
                rest -= lapsed
        self._owe(effect, rest, "claw", "issued")
        self._find_next_expiry()

    def _owe(self, effect: Effect, amount: int, kind: str, account: str) -> list[tuple[Lot, int]]:
        """Take points from whatever is free, pending lots too; what nothing covers becomes debt (I7)."""
        taken: list[tuple[Lot, int]] = []
        for lot in self.books.open_lots() if amount else ():
            x = min(amount, lot.free)
            self._take(effect, lot, x, kind, account)
            taken.append((lot, x))
            amount -= x
            if not amount:
                break
        if amount:
            self.books.debt += amount
            effect.move("debt", -amount)
            effect.move(account, amount)
        return taken

    def _lapsed(self, lot: Lot) -> int:
        return sum(n for e in self.effects for k, kind, n in e.uses if k == lot.key and kind == "expire")

    # -- points by other events ---------------------------------------------------------------------------------

    def _burn(self, b: ev.Burn) -> None:
        effect = self._effect(b.event, "burn", b.at)
        self._spend(effect, b.event, [(lot, lot.free) for lot in self.books.spendable(b.at)], b.amount)

    def _spend(self, effect: Effect, event: str, lots: list[tuple[Lot, int]], amount: int) -> None:
        taken: list[list] = []
        rest = amount
        for lot, most in lots:
            x = min(rest, most)
            if x:
                self._take(effect, lot, x, "burn", "spent")
                taken.append([lot.key, x, 0])
                rest -= x
        if rest:  # only in a replay: a late refund took the ground from under a spend that was right when it was made
            owed = self._owe(effect, rest, "burn", "spent")
            taken += [[lot.key, x, 0] for lot, x in owed]
            if short := rest - sum(x for _, x in owed):
                taken.append(["", short, 0])
        self._burns[event] = taken
        self._find_next_expiry()

    def _burn_returned(self, r: ev.BurnReturned) -> None:
        effect = self._effect(r.event, "return", r.at)
        burn = self._burns[r.burn]
        parts = allocate(r.amount, [amount - back for _, amount, back in burn])
        for part, share in zip(burn, parts, strict=True):
            if not share:
                continue
            part[2] += share
            effect.move("spent", -share)
            lot = self.books.lots.get(part[0])
            if lot is None:  # that part had been debt
                self.books.debt -= share
                effect.move("debt", share)
                continue
            effect.move("member", share)
            lot.remaining += share
            effect.uses.append((lot.key, "burn", -share))
            if lot.expires_at is not None and lot.expires_at <= r.at:
                self._after_expiry(effect, lot, share, r.at)
            elif self.books.debt:
                self._repay(effect, lot)
        self._find_next_expiry()

    def _after_expiry(self, effect: Effect, lot: Lot, share: int, at: datetime) -> None:
        """Points that come back after their expiry live on for the charter's grace, as a logged extension (I9)."""
        terms = self.versions.at(at)
        grace = terms.charter.points.returned_grace_days
        if not grace:
            self._take(effect, lot, share, "expire", "breakage")
            return
        lot.remaining -= share
        effect.uses.append((lot.key, "extend", share))
        expires = day_start(terms.day(at) + timedelta(days=grace + 1), terms.zone)
        again = Lot(f"{effect.event}/{lot.key}"[:150], share, share, at, at, expires, lot.cost_micro)
        self._put(effect, again)

    def _adjusted(self, a: ev.Adjusted) -> None:
        effect = self._effect(a.event, "adjust" if a.account == "adjusted" else a.account, a.at)
        if a.amount > 0:
            terms = self.versions.at(a.at)
            self._grant(effect, a.event, a.amount, a.account, terms, terms.day(a.at), a.expires_at, at_once=True)
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
        self._lapse_late(effect, [lot for lot, _ in lots], c.at)

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
        self._lapse_late(effect, lots, at)
        self._find_next_expiry()

    def _lapse_late(self, effect: Effect, lots: list[Lot], at: datetime) -> None:
        """What expired while it was held goes straight to expired when it comes back (TRUST §3.2)."""
        for lot in lots:
            if lot.expires_at is not None and lot.expires_at <= at and lot.free > 0:
                self._take(effect, lot, lot.free, "expire", "breakage")

    # -- lots ---------------------------------------------------------------------------------------------------

    def _grant(
        self,
        effect: Effect,
        key: str,
        amount: int,
        account: str,
        terms: Terms,
        day: date,
        expires_at: datetime | None = None,
        at_once: bool = False,
    ) -> None:
        expires, available = terms.lot_times(effect.at, day)
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
        if lot.expires_at is not None and lot.free > 0 and lot.expires_at < self.books.next_expiry:
            self.books.next_expiry = lot.expires_at

    def _repay(self, effect: Effect, lot: Lot) -> None:
        """Debt is taken from the next points that come in."""
        x = min(self.books.debt, lot.free)
        if x:
            self.books.debt -= x
            self._take(effect, lot, x, "debt", "debt")

    def _take(self, effect: Effect, lot: Lot, amount: int, kind: str, account: str) -> None:
        assert 0 < amount <= lot.free, (effect.event, lot, amount)
        lot.remaining -= amount
        effect.uses.append((lot.key, kind, amount))
        effect.move("member", -amount)
        effect.move(account, amount)

    # -- caps and daily figures ---------------------------------------------------------------------------------

    def _room(self, terms: Terms, day: date) -> dict[str, int]:
        room: dict[str, int] = {}
        for rule in terms.rules:
            _, per_day, _, per_month, per_member = rule.caps
            if per_day is None and per_month is None and per_member is None:
                continue
            used = self.books.standing.counters.get(rule.key, [0, 0, 0, 0, 0])
            left = []
            if per_day is not None:
                left.append(per_day - (used[1] if used[0] == day.toordinal() else 0))
            if per_month is not None:
                left.append(per_month - (used[3] if used[2] == day.year * 12 + day.month else 0))
            if per_member is not None:
                left.append(per_member - used[4])
            room[rule.key] = max(0, min(left))
        return room

    def _count(self, terms: Terms, day: date, points: dict[str, int], sign: int) -> None:
        for key, n in points.items():
            if not n:
                continue
            used = self.books.standing.counters.setdefault(key, [0, 0, 0, 0, 0])
            month = day.year * 12 + day.month
            if sign > 0 and used[0] != day.toordinal():
                used[0], used[1] = day.toordinal(), 0
            if sign > 0 and used[2] != month:
                used[2], used[3] = month, 0
            if used[0] == day.toordinal():
                used[1] += sign * n
            if used[2] == month:
                used[3] += sign * n
            used[4] += sign * n

    def _add_to_day(self, day: date, net: int, orders: int, growth: int, points: int) -> None:
        standing = self.books.standing
        self._forget_old_days(day)
        bucket = standing.days.setdefault(day.toordinal(), [0, 0, 0, 0, 0])
        for into in (bucket, standing.totals):
            into[AMOUNT] += net
            into[ORDERS] += orders
            into[SINGLE] = max(into[SINGLE], net)
            into[GROWTH] += growth
            into[POINTS] += points

    def _forget_old_days(self, day: date) -> None:
        """Daily figures older than any window live on in the totals only. Days are in time order."""
        days = self.books.standing.days
        low = day.toordinal() - self.versions.longest_window_days
        while days and (first := next(iter(days))) < low:
            del days[first]

    def _take_from_day(self, sale: _Sale, net: int, orders: int, growth: int, points: int, left: int) -> None:
        """A refund lowers the day of its order, so that both leave the window together."""
        standing = self.books.standing
        day = sale.basket.day.toordinal()
        bucket = standing.days.get(day)
        for into in (bucket, standing.totals):
            if into is not None:
                into[AMOUNT] -= net
                into[ORDERS] -= orders
                into[GROWTH] -= growth
                into[POINTS] -= points
        sale.net = left
        if bucket is not None:
            bucket[SINGLE] = max(s.net for s in self._day_sales[day])
        standing.totals[SINGLE] = max(s.net for s in self._sales.values())

    # -- grading ------------------------------------------------------------------------------------------------

    def tier_at(self, terms: Terms) -> str:
        """The tier that counts: by the rules, or a higher floor given by hand."""
        standing = self.books.standing
        rank = self._rank(terms)
        for key, _ in standing.floors:
            rank = max(rank, terms.rank.get(key, 0))
        return terms.tiers[rank].key

    def _rank(self, terms: Terms) -> int:
        standing = self.books.standing
        known = terms.rank.get(standing.tier)
        return min(standing.rank, len(terms.tiers) - 1) if known is None else known

    def _grade_up(self, terms: Terms, at: datetime, day: date, event: str) -> None:
        """Upgrades come at once."""
        now = self._rank(terms)
        if now == len(terms.tiers) - 1:
            return
        figures = grade.Figures(self.books.standing, terms, day)
        rank = grade.reached(terms, figures, now)
        if rank > now:
            test = terms.tiers[rank].reach
            why = {"reach": grade.explain(test, figures, terms.tiers[rank].key)}
            self._set_tier(terms, rank, at, "reached", event, why)

    def _set_tier(self, terms: Terms, rank: int, at: datetime, cause: str, event: str, why: dict) -> None:
        standing = self.books.standing
        before = self.tier_at(terms)
        standing.tier, standing.rank, standing.since, standing.in_grace = terms.tiers[rank].key, rank, at, False
        self._plan_review(terms, at)
        after = self.tier_at(terms)
        if after != before:
            self.moves.append(TierMove(at, before, after, cause, event, terms.version, why))

    def _plan_review(self, terms: Terms, at: datetime) -> None:
        standing = self.books.standing
        day = terms.review_day(terms.day(at), standing.joined) if standing.rank else None
        standing.review_at = None if day is None else terms.start(day)

    def _review(self, at: datetime) -> None:
        """A review looks at the window that ended the day before. Keep, wait out the grace, or fall softly."""
        terms = self.versions.at(at)
        standing = self.books.standing
        rank = self._rank(terms)
        figures = grade.Figures(standing, terms, terms.day(at) - timedelta(days=1))
        tier = terms.tiers[rank]
        event = f"review:{terms.day(at)}"
        if grade.meets(tier.keep, figures, tier.key):
            standing.in_grace = False
            self._plan_review(terms, at)
            return
        grace = terms.charter.grading.grace_days
        if grace and not standing.in_grace:
            standing.in_grace = True
            standing.review_at = terms.start(terms.day(at) + timedelta(days=grace))
            return
        why = {"keep": grade.explain(tier.keep, figures, tier.key)}
        fits = grade.reached(terms, figures, 0)
        if terms.charter.grading.fall == "one_step":
            fits = max(fits, rank - 1)
        self._set_tier(terms, min(fits, rank - 1) if rank else 0, at, "review", event, why)

    def _tier_given(self, g: ev.TierGiven) -> None:
        terms = self.versions.at(g.at)
        standing = self.books.standing
        if g.cause == "invited":  # an invitation is one way to reach a tier; the charter says which
            if g.tier not in standing.invited:
                standing.invited.append(g.tier)
            self._grade_up(terms, g.at, terms.day(g.at), g.event)
            return
        before = self.tier_at(terms)
        standing.floors = [(g.tier, g.until)]
        after = self.tier_at(terms)
        if after != before:
            self.moves.append(TierMove(g.at, before, after, "manual", g.event, terms.version))

    def _end_floor(self, at: datetime) -> None:
        terms = self.versions.at(at)
        before = self.tier_at(terms)
        standing = self.books.standing
        standing.floors = [f for f in standing.floors if f[1] is None or f[1] > at]
        after = self.tier_at(terms)
        if after != before:
            self.moves.append(TierMove(at, before, after, "floor_end", f"floor_end:{terms.day(at)}", terms.version))


_OTHERS: dict[type, Callable[[Fold, Any], None]] = {
    ev.Burn: Fold._burn,
    ev.BurnReturned: Fold._burn_returned,
    ev.Adjusted: Fold._adjusted,
    ev.HoldPlaced: Fold._hold_placed,
    ev.HoldCaptured: Fold._hold_captured,
    ev.HoldReleased: Fold._hold_released,
    ev.TierGiven: Fold._tier_given,
}


def _slices(terms: Terms, p: ev.Purchase, net: int, *, refunded: bool) -> tuple[Slice, ...]:
    """The order's net over its goods by largest remainder; after a refund by what is left of each line.

    Lines that all rules treat alike are one slice: a basket of thirty lines is two or three to the engine.
    """
    classes: dict[frozenset[str], list] = {}
    for line in p.lines:
        key = terms.chosen_by(line.category, line.product, line.brand)
        left = line.amount - line.refunded if refunded else line.amount
        found = classes.get(key)
        if found is None:
            classes[key] = [max(0, left), max(0, line.amount), line]
        else:
            found[0] += max(0, left)
            found[1] += max(0, line.amount)
    weights = [c[0] for c in classes.values()]
    if not any(weights):
        weights = [c[1] for c in classes.values()]
    shares = allocate(net, weights)
    return tuple(
        Slice(share, line.category, line.product, line.brand)
        for share, (_, _, line) in zip(shares, classes.values(), strict=True)
    )


def begin(versions: Versions, *, joined_at: datetime, birthdays: Birthdays = ()) -> Fold:
    """The books of a member to whom nothing has happened but joining."""
    fold = Fold(versions, Books(Standing(joined=versions.at(joined_at).day(joined_at))), birthdays=birthdays)
    fold.join(joined_at)
    return fold


def replay(
    versions: Versions,
    happenings: Iterable[ev.Event],
    *,
    joined_at: datetime,
    birthdays: Birthdays = (),
    until: datetime | None = None,
) -> Fold:
    """A member's whole history from nothing. Sorts the events; `until` lets the clock run on after the last one."""
    told = sorted(happenings, key=ev.order_of)
    fold = begin(versions, joined_at=min(joined_at, told[0].at) if told else joined_at, birthdays=birthdays)
    fold.run(told)
    if until is not None:
        fold.advance(until)
    return fold
