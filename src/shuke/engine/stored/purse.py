"""What a member (or a gift card) holds, and how each event changes it. Every change says its legs, which add up to 0.

Money a member paid in and bonus the shop added are separate lots and separate accounts: the legs of each kind add up to
0 on their own, so bonus never becomes money. Accounts of the shop: `received` and `granted` are what came in,
`sold`/`sold_bonus` what paid for goods, `paid_out` what went back to members, `forfeited` bonus given up with it,
`lapsed` bonus that ran out, `adjusted`/`adjusted_bonus` corrections by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shuke.engine.stored.using import Part, in_turn, plan, share_back

PRINCIPAL, BONUS = "principal", "bonus"
HOLDERS = (PRINCIPAL, BONUS)  # accounts of a purse; all others are the shop's
CAME_IN = {PRINCIPAL: "received", BONUS: "granted"}
SOLD = {PRINCIPAL: "sold", BONUS: "sold_bonus"}
ADJUSTED = {PRINCIPAL: "adjusted", BONUS: "adjusted_bonus"}


class StoredValueError(ValueError):
    """Asked for what is not there; callers look first, so this is a mistake of ours."""


@dataclass(slots=True)
class Lot:
    """One credit. `source` is the top-up that brought it: principal and its bonus have the same."""

    key: str
    kind: str
    source: str
    granted: int
    remaining: int
    at: datetime
    expires_at: datetime | None = None
    held: int = 0
    purse: int = 0  # whose books it stands in, where several are read as one

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def usable(self, now: datetime) -> int:
        return 0 if self.expires_at is not None and self.expires_at <= now else self.free


@dataclass(slots=True)
class Hold:
    key: str
    times_out_at: datetime
    parts: list[Part]

    @property
    def amount(self) -> int:
        return sum(n for _, n in self.parts)


@dataclass(slots=True)
class Effect:
    """What one event did. `uses`: lot, what for, amount (> 0 takes from the lot, < 0 gives back)."""

    kind: str
    at: datetime
    ref: str = ""  # lapse: the lot; timeout: the hold
    legs: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    uses: list[tuple[str, str, int]] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)  # granted by it

    def sum(self, account: str) -> int:
        return sum(n for (_, name), n in self.legs.items() if name == account)


class Purse:
    """Lots and holds of one holder. Callers advance the clock to the moment of an event before it."""

    def __init__(self, lots: Iterable[Lot] = (), holds: Iterable[Hold] = ()) -> None:
        self.lots = {lot.key: lot for lot in lots}
        self.holds = {hold.key: hold for hold in holds}

    # ---- figures --------------------------------------------------------------------------------------------------
    def available(self, now: datetime, kind: str = "") -> int:
        return sum(lot.usable(now) for lot in self._of(now, kind))

    def balance(self, kind: str) -> int:
        return sum(lot.remaining for lot in self.lots.values() if lot.kind == kind)

    def held(self, now: datetime) -> int:
        return sum(hold.amount for hold in self.holds.values() if hold.times_out_at > now)

    def next_due(self) -> datetime | None:
        ends = [lot.expires_at for lot in self.lots.values() if lot.expires_at is not None and lot.free > 0]
        return min([*ends, *(hold.times_out_at for hold in self.holds.values())], default=None)

    def _of(self, now: datetime, kind: str = "") -> list[Lot]:
        """Lots that can be used, with what a hold that timed out unnoticed still sets aside counted as free."""
        over: dict[str, int] = defaultdict(int)
        for hold in self.holds.values():
            if hold.times_out_at <= now:
                for key, n in hold.parts:
                    over[key] += n
        found = []
        for lot in self.lots.values():
            if not kind or lot.kind == kind:
                found.append(lot if lot.key not in over else _with_held(lot, lot.held - over[lot.key]))
        return found

    # ---- the clock ------------------------------------------------------------------------------------------------
    def advance(self, now: datetime) -> list[Effect]:
        """Holds time out and bonus lapses, each at its own moment, in order; what was held when it lapsed goes with its hold."""
        done: list[Effect] = []
        while True:
            due: list[tuple[datetime, int, str]] = [
                (lot.expires_at, 1, lot.key)
                for lot in self.lots.values()
                if lot.expires_at is not None and lot.expires_at <= now and lot.free > 0
            ]
            due += [(h.times_out_at, 0, h.key) for h in self.holds.values() if h.times_out_at <= now]
            if not due:
                return done
            at, is_lot, key = min(due)
            done.append(
                self._lapse(self.lots[key], max(at, done[-1].at if done else at))
                if is_lot
                else self._let_go(key, "timeout", at)
            )

    def _lapse(self, lot: Lot, at: datetime) -> Effect:
        effect = Effect("lapse", at, lot.key)
        self._take(
            effect,
            [(lot.key, lot.free)],
            "lapse",
            {BONUS: "lapsed"},  # money paid in never lapses
        )
        return effect

    # ---- events ---------------------------------------------------------------------------------------------------
    def top_up(
        self,
        key: str,
        principal: int,
        bonus: int,
        now: datetime,
        *,
        bonus_expires_at: datetime | None = None,
        purse: int = 0,
    ) -> Effect:
        effect = Effect("top_up", now)
        self._grant(effect, PRINCIPAL, key, principal, now, None, purse)
        self._grant(effect, BONUS, key, bonus, now, bonus_expires_at, purse)
        return effect

    def spend(self, amount: int, order: str, now: datetime) -> Effect:
        effect = Effect("spend", now)
        self._take(effect, self._plan(amount, order, now), "spend", SOLD)
        return effect

    def hold(self, key: str, amount: int, order: str, now: datetime, until: datetime) -> Effect:
        parts = self._plan(amount, order, now)
        for lot, n in parts:
            self.lots[lot].held += n
        self.holds[key] = Hold(key, until, parts)
        return Effect("hold", now, key)

    def capture(self, key: str, amount: int, order: str, now: datetime) -> Effect:
        """Spend `amount` of what the hold set aside; the rest is free again, or lapses where its end is over."""
        hold = self.holds.pop(key)
        for lot, n in hold.parts:
            self.lots[lot].held -= n
        effect = Effect("capture", now, key)
        free = [(self.lots[lot], n) for lot, n in hold.parts]
        self._take(effect, plan(free, amount, order), "spend", SOLD)
        return effect

    def release(self, key: str, now: datetime) -> Effect:
        return self._let_go(key, "release", now)

    def give_back(self, key: str, left: Mapping[str, int], amount: int, now: datetime, grace_days: int) -> Effect:
        """Part of a purchase comes back to the lots it was paid from. Bonus that ran out meanwhile lives `grace_days` more."""
        if not 0 < amount <= sum(left.values()):
            raise StoredValueError("more comes back than was paid")
        effect = Effect("return", now)
        for lot_key, n in share_back(left, amount):
            lot = self.lots[lot_key]
            lot.remaining += n
            effect.uses.append((lot_key, "back", -n))
            effect.legs[lot.purse, lot.kind] += n
            effect.legs[0, SOLD[lot.kind]] -= n
            if lot.expires_at is not None and lot.expires_at <= now and grace_days:
                lot.remaining -= n
                effect.uses.append((lot_key, "moved", n))
                end = now + timedelta(days=grace_days)
                fresh = Lot(f"{key}:{lot_key}"[:300], lot.kind, lot.source, n, n, now, end, purse=lot.purse)
                self.lots[fresh.key] = fresh
                effect.lots.append(fresh)
        return effect

    def withdraw(self, amount: int, forfeit: str, now: datetime) -> Effect:
        """Pay principal back, the oldest first. Of unused bonus that came with it: none, all, or the same share is given up."""
        effect = Effect("withdraw", now)
        own = in_turn([lot for lot in self.lots.values() if lot.kind == PRINCIPAL and lot.usable(now) > 0])
        parts = plan([(lot, lot.usable(now)) for lot in own], amount, "principal_first")
        there: dict[str, int] = defaultdict(int)
        taken: dict[str, int] = defaultdict(int)
        for lot in own:
            there[lot.source] += lot.free
        for key, n in parts:
            taken[self.lots[key].source] += n
        gone: list[Part] = []
        for source, n in taken.items():
            with_it = in_turn(
                [b for b in self.lots.values() if b.kind == BONUS and b.source == source and b.usable(now) > 0]
            )
            bonus = sum(b.free for b in with_it)
            wanted = {"none": 0, "all": bonus}.get(forfeit, (2 * bonus * n + there[source]) // (2 * there[source]))
            gone += plan([(b, b.free) for b in with_it], min(wanted, bonus), "bonus_first")
        self._take(effect, parts, "withdraw", {PRINCIPAL: "paid_out"})
        self._take(effect, gone, "forfeit", {BONUS: "forfeited"})
        return effect

    def adjust(self, key: str, kind: str, amount: int, now: datetime, *, purse: int = 0) -> Effect:
        """By hand: more of a kind (a lot of its own), or less (the soonest to lapse and oldest first)."""
        effect = Effect("adjust", now)
        if amount > 0:
            self._grant(effect, kind, key, amount, now, None, purse, ADJUSTED)
        else:
            free = [(lot, lot.usable(now)) for lot in self.lots.values() if lot.kind == kind]
            self._take(effect, plan(free, -amount, f"{kind}_first"), "adjust", ADJUSTED)
        return effect

    def empty(self, now: datetime, account: str) -> Effect:
        """Everything free goes: money to `account` (voided, paid_out), bonus is given up. For gift cards."""
        effect = Effect("void", now)
        parts = [(lot.key, lot.usable(now)) for lot in self.lots.values() if lot.usable(now) > 0]
        self._take(effect, parts, "void", {PRINCIPAL: account, BONUS: "forfeited"})
        return effect

    def take_over(self, key: str, other: Purse, now: datetime, *, purse: int) -> Effect:
        """All that is free in another purse becomes this one's, kind and end kept: a gift card is redeemed."""
        effect = Effect("redeem", now)
        for lot in in_turn([lot for lot in other.lots.values() if lot.usable(now) > 0]):
            n = lot.free
            lot.remaining -= n
            effect.uses.append((lot.key, "moved", n))
            effect.legs[lot.purse, lot.kind] -= n
            fresh = Lot(f"{key}:{lot.kind}", lot.kind, key, n, n, now, lot.expires_at, purse=purse)
            if fresh.key in self.lots:
                fresh.key = f"{key}:{lot.key}"
            self.lots[fresh.key] = fresh
            effect.lots.append(fresh)
            effect.legs[purse, lot.kind] += n
        return effect

    # ---- pieces ---------------------------------------------------------------------------------------------------
    def _plan(self, amount: int, order: str, now: datetime) -> list[Part]:
        if not 0 < amount <= self.available(now):
            raise StoredValueError("more is used than is there")
        return plan([(lot, lot.usable(now)) for lot in self.lots.values()], amount, order)

    def _take(self, effect: Effect, parts: Iterable[Part], what: str, to: Mapping[str, str]) -> None:
        for key, n in parts:
            if not n:
                continue
            lot = self.lots[key]
            lot.remaining -= n
            effect.uses.append((key, what, n))
            effect.legs[lot.purse, lot.kind] -= n
            effect.legs[0, to[lot.kind]] += n

    def _grant(
        self,
        effect: Effect,
        kind: str,
        source: str,
        amount: int,
        now: datetime,
        expires_at: datetime | None,
        purse: int,
        of: Mapping[str, str] = CAME_IN,
    ) -> None:
        if not amount:
            return
        lot = Lot(f"{source}:{kind}", kind, source, amount, amount, now, expires_at, purse=purse)
        self.lots[lot.key] = lot
        effect.lots.append(lot)
        effect.legs[purse, kind] += amount
        effect.legs[0, of[kind]] -= amount

    def _let_go(self, key: str, kind: str, at: datetime) -> Effect:
        for lot, n in self.holds.pop(key).parts:
            self.lots[lot].held -= n
        return Effect(kind, at, key)


def _with_held(lot: Lot, held: int) -> Lot:
    return Lot(lot.key, lot.kind, lot.source, lot.granted, lot.remaining, lot.at, lot.expires_at, held, lot.purse)
