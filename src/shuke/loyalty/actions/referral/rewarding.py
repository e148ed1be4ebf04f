"""Rewards are brought to what the facts say: given, added to, taken back. Paying twice is impossible, whoever runs it.

What a bond is worth is worked out anew each time (queries.referral.group); here only the difference to what was given is
moved, under the wallets' locks, in one transaction with the row that remembers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from shuke.engine.charter.terms import Versions
from shuke.engine.referral.ranking import Give, to_move
from shuke.kit import bulk
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.asking import Ask
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.actions.settling import lock_heads
from shuke.loyalty.models import Coupon, CouponState, Referral, ReferralBudget, ReferralReward
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import referral as stored
from shuke.loyalty.queries.member import balance
from shuke.members.actions.timeline import Note, note
from shuke.shops.models import Merchant

AGAIN = timedelta(days=1)  # what could not be given or taken back is tried again


class Rewarded(NamedTuple):
    """What one run did."""

    referrers: int = 0
    judged: int = 0
    given: int = 0  # movements towards members
    taken: int = 0  # and back

    def plus(self, other: Rewarded) -> Rewarded:
        return Rewarded(*(a + b for a, b in zip(self, other, strict=True)))


def settle_referrals(*, merchant: Merchant, referrer_ids: Sequence[int], now: datetime, actor: str) -> Rewarded:
    """Judge all bonds of these referrers again and move what is to be moved; each referrer in a transaction of its own.

    Without a charter nothing is done.
    """
    try:
        versions = charters.versions(merchant)
    except charters.NoCharter:
        return Rewarded()
    done = Rewarded()
    for referrer in sorted(set(referrer_ids)):
        with transaction.atomic():
            done = done.plus(_settle(merchant, versions, referrer, now, actor))
    return done


def _settle(merchant: Merchant, versions: Versions, referrer: int, now: datetime, actor: str) -> Rewarded:
    # Who will be paid is found out first, so that all wallets are locked at once and in their order; then all is read again.
    seen = stored.group(merchant, versions, referrer, now)
    locked = {referrer, *(member for pk in seen.rows for member in _moving(seen, pk))}
    lock_heads(merchant, sorted(locked))
    group = stored.group(merchant, versions, referrer, now, lock=True)
    given = taken = 0
    books = _Books(merchant, now)
    for pk, row in sorted(group.rows.items()):
        outcome = group.outcomes[pk]
        again: datetime | None = outcome.judged.look_at
        if not set(_moving(group, pk)) <= locked:
            again = now  # it came to be due between the two readings: the next run has its wallets
        else:
            moved = _Mover(merchant, row, group, books, now, actor).run()
            given, taken = given + moved.given, taken + moved.taken
            if moved.unfinished:
                again = min(again or now + AGAIN, now + AGAIN)
        _keep(row, group, again)
    books.write(actor)
    return Rewarded(1, len(group.rows), given, taken)


def _member(group: stored.Group, pk: int, side: str) -> int:
    return group.referrer if side == "referrer" else group.newcomers[pk]


def _wanted(group: stored.Group, pk: int) -> dict[tuple[str, str, str], Give]:
    return {(give.side, give.kind, give.what): give for give in group.outcomes[pk].gives}


def _moving(group: stored.Group, pk: int) -> set[int]:
    """Whose books a movement of this bond would touch."""
    wanted = _wanted(group, pk)
    have = {(r.side, r.kind, r.what): r.amount for r in group.rewards[pk]}
    return {
        _member(group, pk, side)
        for side, kind, what in {*wanted, *have}
        if (wanted[side, kind, what].amount if (side, kind, what) in wanted else 0) != have.get((side, kind, what), 0)
    }


def _keep(row: Referral, group: stored.Group, again: datetime | None) -> None:
    outcome, judged = group.outcomes[row.pk], group.outcomes[row.pk].judged
    row.state, row.reason, row.rank = outcome.state, outcome.code, outcome.rank
    row.order, row.due_at, row.net_minor = judged.order, judged.due_at, judged.net
    row.signals = [{"kind": s.kind, "members": list(s.members), "figure": s.figure} for s in group.signals[row.pk]]
    row.look_at = again
    row.save(
        update_fields=["state", "reason", "rank", "order", "due_at", "net_minor", "signals", "look_at"]
    )  # fmt: skip


class _Books:
    """Points and growth value of one referrer's bonds: asked for together, when everything is known."""

    def __init__(self, merchant: Merchant, now: datetime) -> None:
        self.merchant, self.now = merchant, now
        self.asks: list[Ask] = []
        self._left: dict[int, int] = {}

    def take(self, member: int, points: int) -> int:
        """How many of these points are there to be taken; they are gone for whoever asks next."""
        if member not in self._left:
            self._left[member] = max(0, balance(self.merchant, member, self.now).available)
        count = min(points, self._left[member])
        self._left[member] -= count
        return count

    def write(self, actor: str) -> None:
        if not self.asks:
            return
        # What is taken comes first: what is given in the same moment must not be what is taken back.
        for told in ask(
            merchant=self.merchant, asks=sorted(self.asks, key=lambda a: a.amount), now=self.now, actor=actor
        ):
            if not told.done:  # the wallets are ours and were looked at: nothing of this referrer is moved
                raise AssertionError(f"{told.key}: {told.code}")


class _Mover:
    """The movements of one bond."""

    def __init__(
        self, merchant: Merchant, row: Referral, group: stored.Group, books: _Books, now: datetime, actor: str
    ) -> None:
        self.merchant, self.row, self.group, self.now, self.actor = merchant, row, group, now, actor
        self.books = books
        self.given = self.taken = 0
        self.unfinished = False
        self.told: dict[tuple[str, str], dict[str, int]] = {}  # (side, line) → what moved

    def run(self) -> _Mover:
        have = {(r.side, r.kind, r.what): r for r in self.group.rewards[self.row.pk]}
        due = self.group.outcomes[self.row.pk].gives
        for key, give, want in to_move(due, {key: reward.amount for key, reward in have.items()}):
            reward = have.get(key)
            if reward is not None and reward.amount == want and not (reward.owed or reward.short):
                continue
            if reward is None:
                if give is None:
                    continue
                reward = self._new(give)
            if want > reward.amount:
                self._give(reward, want - reward.amount)
            elif want < reward.amount:
                self._take(reward, reward.amount - want)
            reward.owed = max(0, reward.amount - want)
            if reward.amount >= want:
                reward.short = ""
            self.unfinished = self.unfinished or bool(reward.owed or reward.short)
            reward.save()
        self._note()
        return self

    def _new(self, give: Give) -> ReferralReward:
        return ReferralReward(
            merchant=self.merchant,
            referral=self.row,
            member_id=_member(self.group, self.row.pk, give.side),
            side=give.side,
            kind=give.kind,
            what=give.what,
            name={"zh": give.name[0], "en": give.name[1]} if give.name[0] else {},
            cost_minor=give.cost,
            at=self.now,
        )

    # ---- towards the member ---------------------------------------------------------------------------------------

    def _give(self, reward: ReferralReward, count: int) -> None:
        if reward.kind == "points":
            if not self._draw(count):
                reward.short = "budget"
                return
            self._ask(reward, "adjust", count)
        elif reward.kind == "growth":
            self._ask(reward, "growth", count)
        elif reward.kind == "coupon":
            member = _member(self.group, self.row.pk, reward.side)
            ref = f"{self._coupon_ref(reward)}:{reward.turns}"
            one = coupons.Issue(reward.what, member, "referral", ref, count)
            [told] = coupons.issue(merchant=self.merchant, issues=[one], now=self.now, actor=self.actor)
            if told.code:
                reward.short = told.code[:20]
                return
        self._moved(reward, count)
        self.given += 1

    def _draw(self, points: int) -> bool:
        """Take from the charter's budget, if there is one: all of it or nothing."""
        terms = stored.part_in_force(self.merchant, self.now)
        part = terms.charter.referral if terms is not None else None
        ReferralBudget.objects.get_or_create(merchant=self.merchant)
        most = None if part is None else part.budget
        sql = "UPDATE loyalty_referral_budget SET points = points + %s WHERE merchant_id = %s"
        if most is None:
            return bool(bulk.execute(sql, [points, self.merchant.pk]))
        return bool(bulk.execute(f"{sql} AND points + %s <= %s", [points, self.merchant.pk, points, most]))

    # ---- and back -------------------------------------------------------------------------------------------------

    def _take(self, reward: ReferralReward, count: int) -> None:
        if reward.kind == "points":
            # What was spent meanwhile is owed, and taken from what comes later: a reward never makes a debt by itself.
            member = _member(self.group, self.row.pk, reward.side)
            count = self.books.take(member, count)
            if not count:
                return
            self._ask(reward, "adjust", -count)
            bulk.execute(
                "UPDATE loyalty_referral_budget SET points = points - %s WHERE merchant_id = %s",
                [count, self.merchant.pk],
            )
        elif reward.kind == "growth":
            self._ask(reward, "growth", -count)
        elif reward.kind == "coupon":
            count = self._void(reward, count)
        elif reward.kind == "gift" and reward.handed_at is not None:
            return  # it is in somebody's hands: only a person can ask for it
        if count:
            self._moved(reward, -count)
            self.taken += 1

    def _void(self, reward: ReferralReward, count: int) -> int:
        mine = Coupon.objects.filter(
            merchant=self.merchant, key=reward.what, source="referral", source_ref__startswith=self._coupon_ref(reward)
        )
        open_ones = list(
            mine.filter(state=CouponState.OPEN).order_by("-id").values_list("id", flat=True)[:count]
        )  # fmt: skip
        if not open_ones:
            return 0
        return coupons.void(
            merchant=self.merchant, coupon_ids=open_ones, reason="referral", now=self.now, actor=self.actor
        )

    # ---- both -----------------------------------------------------------------------------------------------------

    def _coupon_ref(self, reward: ReferralReward) -> str:
        return f"referral:{self.row.pk}:{reward.side}"

    def _ask(self, reward: ReferralReward, kind: str, amount: int) -> None:
        key = f"referral:{self.row.pk}:{reward.side}:{reward.kind}:{reward.turns}"
        member = _member(self.group, self.row.pk, reward.side)
        self.books.asks.append(Ask(key, kind, member, amount, reason="referral"))

    def _moved(self, reward: ReferralReward, count: int) -> None:
        reward.amount += count
        reward.turns += 1
        reward.at = self.now
        line = "referral.rewarded" if count > 0 else "referral.returned"
        kinds = self.told.setdefault((reward.side, line), {})
        kinds[reward.kind] = kinds.get(reward.kind, 0) + abs(count)

    def _note(self) -> None:
        lines = [
            Note(_member(self.group, self.row.pk, side), self.now, line, f"referral:{self.row.pk}", {"side": side, **told})
            for (side, line), told in sorted(self.told.items())
        ]  # fmt: skip
        note(merchant=self.merchant, lines=lines, now=self.now)
