"""What becomes of one bond, given the friend's orders: waiting, pending, due or missed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shuke.engine.charter.referring import Referring
from shuke.engine.charter.terms import Terms
from shuke.kit.clock import day_of, day_start


class Bought(NamedTuple):
    """One paid order of the friend. `net`: paid for goods before any refund; refunds as (when, how much)."""

    event: str
    at: datetime
    net: int
    refunds: tuple[tuple[datetime, int], ...] = ()
    done_at: datetime | None = None

    def kept(self, until: datetime | None = None) -> int:
        """What is left of it after refunds before `until`; None: after all."""
        return self.net - sum(amount for at, amount in self.refunds if until is None or at < until)


class Bond(NamedTuple):
    """A friend and who brought them. `void`: why it counts for nothing whatever is bought."""

    key: int
    newcomer: int
    referrer: int
    bound_at: datetime
    decision: str = ""  # approved | declined, by a person
    void: str = ""  # same_person | brought_before | left


class Judged(NamedTuple):
    """`state`: waiting for an order | pending its return window | due | missed (`code` says why).

    `back_at`: when so much of a due order came back that it no longer counts. `look_at`: when the clock alone may change this.
    """

    state: str
    code: str = ""
    order: str = ""
    paid_at: datetime | None = None
    due_at: datetime | None = None
    net: int = 0
    back_at: datetime | None = None
    look_at: datetime | None = None


def told_before(part: Referring, joined_at: datetime, zone: ZoneInfo) -> datetime:
    """The end of the days after joining in which a code can be told."""
    return day_start(day_of(joined_at, zone) + timedelta(days=part.join_days + 1), zone)


def judge(terms: Terms, bond: Bond, orders: Sequence[Bought], now: datetime) -> Judged:
    """By the charter in force when the friend was bound: that is what both were promised."""
    part = terms.charter.referral
    if bond.void or part is None:
        return Judged("missed", bond.void or "not_offered")
    if any(one.at < bond.bound_at for one in orders):
        return Judged("missed", "not_new")
    last = _last(terms, part, bond)
    missed, again = Judged("missed", "too_late"), last
    for n, one in enumerate(sorted(orders, key=lambda o: (o.at, o.event))):
        if last is not None and one.at >= last:
            break
        if one.at > now:  # a till's clock runs ahead of ours: the order counts when its time has come
            again = one.at
            break
        found = _judge_order(terms, part, one, now)
        if found.state != "missed" or part.order == "first":
            return found
        missed = found if n == 0 or missed.code != "refunded" else missed
    if last is not None and now >= last:
        return missed
    return Judged("waiting", look_at=again)


def _last(terms: Terms, part: Referring, bond: Bond) -> datetime | None:
    """The end of the days in which the order must be paid."""
    if not part.order_days:
        return None
    return day_start(terms.day(bond.bound_at) + timedelta(days=part.order_days + 1), terms.zone)


def due_at(terms: Terms, part: Referring, one: Bought) -> datetime:
    """The end of the return window: so many whole days after payment, or after completion where points wait for that."""
    points = terms.charter.points
    days = points.pending_days if part.pending_days is None else part.pending_days
    since = one.at
    if terms.waits_for_completion:
        if one.done_at is None:
            days = points.pending_most_days
        else:
            since = max(one.at, one.done_at)
    return max(since, day_start(terms.day(since) + timedelta(days=days), terms.zone)) if days else since


def _judge_order(terms: Terms, part: Referring, one: Bought, now: datetime) -> Judged:
    due, least = due_at(terms, part, one), max(terms.minor(part.min_amount), 1)
    net = one.kept(due)
    told = Judged("due", "", one.event, one.at, due, net)
    if net < least:
        code = "refunded" if any(at < due for at, _ in one.refunds) and one.net >= least else "too_little"
        return told._replace(state="missed", code=code)
    if now < due:
        return told._replace(state="pending", look_at=due)
    left = net
    for at, amount in sorted(r for r in one.refunds if r[0] >= due):
        left -= amount
        if left < least:
            return told._replace(back_at=at)
    return told
