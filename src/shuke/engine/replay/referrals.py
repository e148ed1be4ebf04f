"""Members who bring friends, while the list runs. A bond is judged when something about it changes, or when its time comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.referral import watching
from shuke.engine.referral.judging import Bond, Bought, judge, told_before
from shuke.engine.referral.ranking import Case, Give, Outcome, What, fold, to_move
from shuke.engine.replay.member import Ask, Member
from shuke.engine.replay.outcome import Answer, Names
from shuke.engine.replay.vouchers import Vouchers

AGAIN = timedelta(days=1)  # what could not be given or taken back is tried again


@dataclass(slots=True)
class Reward:
    """What one side got for one bond so far."""

    amount: int = 0
    owed: int = 0
    short: str = ""
    turns: int = 0


@dataclass(slots=True)
class Bound:
    number: int
    newcomer: str
    referrer: str
    at: datetime
    look_at: datetime | None
    outcome: Outcome | None = None
    rewards: dict[What, Reward] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"referral:{self.number:019d}"


class Referrals:
    def __init__(self, versions: Versions, members: Mapping[str, Member], vouchers: Vouchers, names: Names) -> None:
        self.versions, self.members, self.vouchers, self.names = versions, members, vouchers, names
        self.bonds: dict[str, Bound] = {}  # by newcomer
        self.spent = 0  # points drawn from the charter's budget

    def bind(self, newcomer: str, referrer: str, at: datetime) -> Answer:
        """As `loyalty.actions.referral.bind`: once and for ever, a newcomer who never bought."""
        terms = self.versions.at(at)
        part = terms.charter.referral
        if part is None:
            return Answer(False, "referral_off")
        if newcomer == referrer:
            return Answer(False, "own_code")
        known = self.bonds.get(newcomer)
        if known is not None:
            return (
                Answer(True) if known.referrer == referrer else Answer(False, "already_bound", {"by": known.referrer})
            )
        member = self.members[newcomer]
        if at >= told_before(part, member.joined_at, terms.zone):
            return Answer(False, "too_late", {"days": part.join_days})
        if any(bought.at < at for bought, _ in member.bought()):
            return Answer(False, "has_bought")
        number = len(self.bonds) + 1
        self.bonds[newcomer] = bound = Bound(number, newcomer, referrer, at, at)
        self.names.bonds[f"{bound.number:019d}"] = newcomer
        return Answer(True, did=[{"kind": "referral", "by": referrer}])

    def touch(self, newcomer: str, at: datetime) -> None:
        """An order of theirs is new, or came back."""
        bound = self.bonds.get(newcomer)
        if bound is not None and (bound.look_at is None or bound.look_at > at):
            bound.look_at = at

    def settle(self, at: datetime) -> None:
        """Everything that is due, referrer by referrer in the order in which they joined."""
        due = {b.referrer for b in self.bonds.values() if b.look_at is not None and b.look_at <= at}
        for referrer in sorted(due, key=lambda name: self.members[name].number):
            self._settle(referrer, at)

    def _settle(self, referrer: str, at: datetime) -> None:
        mine = [b for b in self.bonds.values() if b.referrer == referrer]
        outcomes = self._outcomes(mine, at)
        books = _Books(self, at)
        for bound in mine:
            bound.outcome = outcome = outcomes[bound.number]
            unfinished = books.move(bound, outcome)
            again = outcome.judged.look_at
            bound.look_at = min(again or at + AGAIN, at + AGAIN) if unfinished else again
        books.write()

    def _outcomes(self, mine: list[Bound], at: datetime) -> dict[int, Outcome]:
        orders = {b.newcomer: self._orders(b.newcomer) for b in self.bonds.values()}
        bonds = {b.number: self._bond(b) for b in mine}
        bound_at = [b.at for b in mine]
        others = {bond.newcomer: orders[b.newcomer] for b, bond in zip(mine, bonds.values(), strict=True)}
        above = {self._id(b.newcomer): (self._id(b.referrer), b.at) for b in self.bonds.values()}
        cases = []
        for b in mine:
            terms, bond = self.versions.at(b.at), bonds[b.number]
            judged = judge(terms, bond, orders[b.newcomer], at)
            until = judged.due_at or at
            signals = _signals(terms, bond, bound_at, others, above, until)
            paid = any(reward.amount > 0 for reward in b.rewards.values())
            cases.append(Case(bond, terms, judged, watching.holds(signals, paid=paid, decision="")))
        return fold(cases)

    def _bond(self, b: Bound) -> Bond:
        return Bond(b.number, self._id(b.newcomer), self._id(b.referrer), b.at)

    def _id(self, name: str) -> int:
        return self.members[name].number

    def _orders(self, name: str) -> list[Bought]:
        return [
            Bought(p.event, p.at, p.net, tuple(sorted((r.at, r.amount) for r in back)), p.done_at)
            for p, back in self.members[name].bought()
        ]

    def end(self, member: str) -> dict[str, Any] | None:
        b = self.bonds.get(member)
        if b is None or b.outcome is None:
            return None
        judged = b.outcome.judged
        rewards = [
            reward(key, r.amount, r.owed, r.short)
            for key, r in sorted(b.rewards.items())
            if r.amount or r.owed or r.short
        ]
        return told(
            b.referrer, b.at, b.outcome.state, b.outcome.code, b.outcome.rank, judged.order, judged.due_at, rewards
        )


def _signals(
    terms: Terms,
    bond: Bond,
    bound_at: list[datetime],
    others: Mapping[int, list[Bought]],
    above: Mapping[int, tuple[int, datetime]],
    until: datetime,
) -> list[watching.Signal]:
    """The dated ones; nothing is known here of phones, addresses and devices."""
    part = terms.charter.referral
    if part is None:
        return []
    watch = part.watch
    found = [
        watching.ring(above, bond, until) if watch.rings else None,
        watching.rush(bound_at, bond, until, watch),
        watching.once_only(others, bond, until, watch),
    ]
    return [one for one in found if one is not None]


class _Books:
    """What is moved for one referrer's bonds: points and growth value together, when everything is known."""

    def __init__(self, referrals: Referrals, at: datetime) -> None:
        self.of, self.at = referrals, at
        self.asks: list[tuple[str, Ask]] = []
        self._left: dict[str, int] = {}

    def move(self, bound: Bound, outcome: Outcome) -> bool:
        """Bring rewards to what is due; True where something is still missing."""
        unfinished = False
        for key, give, want in to_move(outcome.gives, {k: r.amount for k, r in bound.rewards.items()}):
            known = bound.rewards.get(key)
            if known is not None and known.amount == want and not (known.owed or known.short):
                continue
            if known is None:
                if give is None:
                    continue
                known = bound.rewards[key] = Reward()
            if want > known.amount:
                self._give(bound, key, known, want - known.amount, give)
            elif want < known.amount:
                self._take(bound, key, known, known.amount - want)
            known.owed = max(0, known.amount - want)
            if known.amount >= want:
                known.short = ""
            unfinished = unfinished or bool(known.owed or known.short)
        return unfinished

    def _give(self, bound: Bound, key: What, known: Reward, count: int, give: Give | None) -> None:
        side, kind, what = key
        if kind == "points":
            part = self.of.versions.at(self.at).charter.referral
            if part is not None and part.budget is not None and self.of.spent + count > part.budget:
                known.short = "budget"
                return
            self.of.spent += count
            self._ask(bound, key, known, "adjust", count)
        elif kind == "growth":
            self._ask(bound, key, known, "growth", count)
        elif kind == "coupon":
            given = self.of.vouchers.issue(
                what, self._who(bound, side), count, "referral", self.at, ref=f"{bound.name}:{side}"
            )
            if not given.done:
                known.short = given.code[:20]
                return
        known.amount, known.turns = known.amount + count, known.turns + 1

    def _take(self, bound: Bound, key: What, known: Reward, count: int) -> None:
        side, kind, what = key
        if kind == "points":
            # What was spent meanwhile is owed, and taken from what comes later: a reward never makes a debt by itself.
            who = self._who(bound, side)
            if who not in self._left:
                self._left[who] = max(0, self.of.members[who].advance(self.at).books.available(self.at))
            count = min(count, self._left[who])
            self._left[who] -= count
            if not count:
                return
            self._ask(bound, key, known, "adjust", -count)
            self.of.spent -= count
        elif kind == "growth":
            self._ask(bound, key, known, "growth", -count)
        elif kind == "coupon":
            count = self.of.vouchers.take_away(what, f"{bound.name}:{side}", count, self.at)
        if count:
            known.amount, known.turns = known.amount - count, known.turns + 1

    def _who(self, bound: Bound, side: str) -> str:
        return bound.referrer if side == "referrer" else bound.newcomer

    def _ask(self, bound: Bound, key: What, known: Reward, kind: str, amount: int) -> None:
        name = f"{bound.name}:{key[0]}:{key[1]}:{known.turns}"
        self.asks.append((self._who(bound, key[0]), Ask(name, kind, amount)))

    def write(self) -> None:
        # What is taken comes first: what is given in the same moment must not be what is taken back.
        for who, one in sorted(self.asks, key=lambda told: told[1].amount):
            answer = self.of.members[who].ask(one, self.at)
            assert answer.done, (one, answer)


def reward(key: What, amount: int, owed: int, short: str) -> dict[str, Any]:
    side, kind, what = key
    return {"side": side, "kind": kind, "what": what, "amount": amount, "owed": owed, "short": short}


def told(
    by: str,
    at: datetime,
    state: str,
    reason: str,
    rank: int,
    order: str,
    due_at: datetime | None,
    rewards: list[dict[str, Any]],
) -> dict[str, Any]:
    """A bond as it is printed at the end, with the newcomer."""
    return {
        "by": by,
        "bound_at": at.isoformat(),
        "state": state,
        "reason": reason,
        "rank": rank,
        "order": order,
        "due_at": due_at.isoformat() if due_at else None,
        "rewards": rewards,
    }
