"""A member's statement for any time: opening, every event with its reason, closing, and the lots that are then left.

One line an event: what a later statement corrected shows as it is now known to have been, with what it was before. So the
closing of a statement is what the member had at that moment, as `as_of` has it for everybody.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from shuke.loyalty.models import Entry, Lot, Txn, Use
from shuke.loyalty.queries.member import reason_of
from shuke.loyalty.queries.timing import number_of
from shuke.shops.models import Merchant

ALSO_WITHOUT_POINTS = ("hold", "release", "timeout", "cancelled")


class Line(NamedTuple):
    """`was`: what was first booked, where that was something else. `kind` cancelled: the event turned out never to have been."""

    at: datetime
    kind: str
    event: str
    amount: int
    balance: int  # after it, less what is owed
    was: int | None
    why: list[dict[str, Any]]
    actor: str
    reason: str  # of points by hand: what somebody wrote for the member to read


class OpenLot(NamedTuple):
    """What was left of a lot at the end."""

    event: str
    earned_at: datetime
    available_at: datetime
    expires_at: datetime | None
    granted: int
    left: int


class MemberStatement(NamedTuple):
    """opening + Σ lines = closing = Σ lots − owed."""

    first: datetime
    last: datetime  # exclusive
    opening: int
    lines: list[Line]
    closing: int
    owed: int
    lots: list[OpenLot]
    totals: dict[str, int]  # by kind


class _Event(NamedTuple):
    at: datetime
    by_clock: bool
    line: Line
    owed: int


def member_statement(merchant: Merchant, member_id: int, first: datetime, last: datetime) -> MemberStatement:
    lots = list(Lot.objects.filter(merchant=merchant, member_id=member_id))
    appeared = {
        lot.key: lot.available_at if lot.key.startswith("taken:") else lot.earned_at for lot in lots if lot.granted
    }
    events, txn_events = _events(merchant, member_id, appeared)
    marks = [first, last]
    opening = running = owed = 0
    lines: list[Line] = []
    totals: dict[str, int] = defaultdict(int)
    place: dict[str, int] = {}
    for name, one in sorted(events.items(), key=lambda item: (item[1].at, not item[1].by_clock, item[1].line.event)):
        place[name] = number_of(marks, one.at, by_clock=one.by_clock)
        if place[name] == 2:
            continue
        running += one.line.amount
        owed += one.owed
        if place[name] == 0:
            opening = running
        elif one.line.amount or one.line.kind in ALSO_WITHOUT_POINTS:
            totals[one.line.kind] += one.line.amount
            lines.append(one.line._replace(balance=running))
    back: dict[int, int] = defaultdict(int)
    for lot_id, txn, amount in Use.objects.filter(merchant=merchant, lot_id__in=[lot.pk for lot in lots]).values_list(
        "lot_id", "txn_id", "amount"
    ):
        if place.get(txn_events.get(txn, ""), 0) == 2:
            back[lot_id] += amount
    left = [
        OpenLot(lot.key, lot.earned_at, lot.available_at, lot.expires_at, lot.granted, lot.remaining + back[lot.pk])
        for lot in lots
        if lot.granted and appeared[lot.key] < last and lot.remaining + back[lot.pk] > 0
    ]
    left.sort(key=lambda lot: (lot.expires_at is None, lot.expires_at, lot.earned_at, lot.event))
    return MemberStatement(first, last, opening, lines, running, owed, left, dict(totals))


def _events(
    merchant: Merchant, member_id: int, appeared: dict[str, datetime]
) -> tuple[dict[str, _Event], dict[int, str]]:
    """Every event once, at the time it is now known to have had; and which event each posting is of."""
    points: dict[int, int] = defaultdict(int)
    debts: dict[int, int] = defaultdict(int)
    for txn, account, amount in Entry.objects.filter(
        merchant=merchant, member_id=member_id, seq__isnull=False
    ).values_list("txn_id", "account", "amount"):
        points[txn] += amount
        if account == "debt":
            debts[txn] -= amount
    postings: dict[str, list[Txn]] = defaultdict(list)
    for posting in Txn.objects.filter(merchant=merchant, member_id=member_id).exclude(kind="refused").order_by("id"):
        postings[posting.event].append(posting)
    events: dict[str, _Event] = {}
    for name, told in postings.items():
        begun, latest = next((t for t in told if t.kind != "correct"), told[0]), told[-1]
        gone = latest.kind == "correct" and not latest.charter_version
        at = begun.at if gone else appeared.get(name, latest.at)
        amount = sum(points[t.pk] for t in told)
        before = points[begun.pk]
        why: list[dict[str, Any]] = next((t.why for t in reversed(told) if t.why), []) if gone else latest.why
        kind = "cancelled" if gone else next((t.kind for t in told if t.kind != "correct"), "correct")
        line = Line(
            at, kind, name, amount, 0, before if before != amount else None, why, latest.actor, reason_of(begun.outcome)
        )
        events[name] = _Event(at, name.startswith(("expire:", "timeout:")), line, sum(debts[t.pk] for t in told))
    return events, {t.pk: name for name, told in postings.items() for t in told}
