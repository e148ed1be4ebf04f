"""When what is booked happened: the books as of any moment, though they were written in another order.

A posting carries the time of its event. Two kinds of facts arrive that a posting already written cannot know: an event
turns out to have happened at another time, or never. Postings are not changed; so here each posting of such an event is
given the time the event is now known to have had. With that, sums over postings up to a moment are what the engine's
replay up to it gives, to the point (tests/loyalty/test_finance_as_of.py).

A period ends at a midnight, and what the clock does at that very midnight (points lapse with their last day) still belongs
to it; what people do at that instant belongs to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.kit import bulk
from shuke.shops.models import Merchant

# When a lot came into its member's hands: one received from somebody keeps the age it had there.
APPEARS = "CASE WHEN substr(l.key, 1, 6) = 'taken:' THEN l.available_at ELSE l.earned_at END"
CLOCK = "(t.event LIKE 'expire:%%' OR t.event LIKE 'timeout:%%')"


class Moved(NamedTuple):
    """A posting whose event is known to have happened at another time than it says."""

    txn: int
    at: datetime
    by_clock: bool


# A correction of growth value alone moves no points.
_CORRECTED = """
SELECT c.member_id, c.event FROM loyalty_txn c WHERE c.merchant_id = %s AND c.kind = 'correct' AND (
  EXISTS (SELECT 1 FROM loyalty_entry e WHERE e.merchant_id = c.merchant_id AND e.txn_id = c.id)
  OR EXISTS (SELECT 1 FROM loyalty_use u WHERE u.merchant_id = c.merchant_id AND u.txn_id = c.id))"""


def moved(merchant: Merchant) -> list[Moved]:
    """Postings to be read at another time than their own; those of an event that never was all at one time, so that
    they cancel. Few, unless late facts are many."""
    true: dict[tuple[int, str], datetime] = {}
    alone: dict[int, tuple[datetime, str]] = {}
    for txn, member, key, earned in bulk.select(
        "SELECT l.txn_id, l.member_id, l.key, l.earned_at FROM loyalty_lot l JOIN loyalty_txn t ON t.id = l.txn_id "
        f"WHERE l.merchant_id = %s AND l.granted > 0 AND {APPEARS} <> t.at",
        [merchant.pk],
    ):
        moment = bulk.read_moment(earned)
        assert moment is not None
        true[member, key] = moment
        alone[txn] = moment, key
    again = set(bulk.select(_CORRECTED, [merchant.pk])) | set(true)
    told: dict[tuple[int, str], dict[int, tuple[datetime, bool]]] = {}
    if again:
        where, values = bulk.among("t.event", {event for _, event in again})
        for pk, member, event, at, kind, version in bulk.select(
            "SELECT t.id, t.member_id, t.event, t.at, t.kind, t.charter_version FROM loyalty_txn t "
            f"WHERE t.merchant_id = %s AND {where} ORDER BY t.id",
            [merchant.pk, values],
        ):
            if (member, event) in again:
                moment = bulk.read_moment(at)
                assert moment is not None
                told.setdefault((member, event), {})[pk] = (moment, kind == "correct" and not version)
    found = [Moved(txn, at, _by_clock(key)) for txn, (at, key) in alone.items()]
    for (member, event), postings in told.items():
        times = list(postings.values())
        last_at, gone = times[-1]
        at = times[0][0] if gone else true.get((member, event), last_at)
        found += [
            Moved(pk, at, _by_clock(event))
            for pk, (booked_at, _) in postings.items()
            if booked_at != at and pk not in alone
        ]
    return found


def _by_clock(event: str) -> bool:
    return event.startswith(("expire:", "timeout:"))


def number_of(marks: Sequence[datetime], at: datetime, *, by_clock: bool) -> int:
    """How many of the marks an instant lies behind; the clock's own acts at a mark still lie before it."""
    return sum(1 for mark in marks if (mark < at if by_clock else mark <= at))


def bucket(column: str, marks: Sequence[datetime], *, ends_with: str = "") -> tuple[str, list[Any]]:
    """SQL for `number_of` by bisection, with its parameters. `ends_with`: a condition under which an instant at a mark
    still lies before it; it is looked at only there."""
    at = bulk.moment()
    less = f"({column} < %s OR ({column} = %s AND {ends_with}))" if ends_with else f"{column} < %s"

    def part(low: int, high: int) -> tuple[str, list[Any]]:
        if low == high:
            return str(low), []
        middle = (low + high) // 2
        left, told_left = part(low, middle)
        right, told_right = part(middle + 1, high)
        mark = [at(marks[middle])] * (2 if ends_with else 1)
        return f"CASE WHEN {less} THEN {left} ELSE {right} END", [*mark, *told_left, *told_right]

    return part(0, len(marks))


def posting_bucket(marks: Sequence[datetime]) -> tuple[str, list[Any]]:
    """SQL for `number_of` over postings `t`."""
    return bucket("t.at", marks, ends_with=CLOCK)


def without(found: Iterable[Moved]) -> tuple[str, list[Any]]:
    """A condition that leaves out those postings, with its parameters."""
    listed = [one.txn for one in found]
    if not listed:
        return "", []
    where, values = bulk.among("t.id", listed)
    return f" AND NOT ({where})", [values]


def all_before(merchant: Merchant, at: datetime) -> bool:
    """Whether everything that is booked happened before a moment: then the books as of it are the books as they are."""
    (last,) = bulk.select("SELECT MAX(settled_to) FROM loyalty_wallet WHERE merchant_id = %s", [merchant.pk])[0]
    moment = bulk.read_moment(last)
    return moment is None or moment < at


def totals(merchant: Merchant) -> dict[str, int]:
    """Sums of every account as the books are."""
    return dict(
        bulk.select(
            "SELECT account, CAST(SUM(amount) AS BIGINT) FROM loyalty_entry WHERE +merchant_id = %s GROUP BY account",
            [merchant.pk],
        )
    )


def account_sums(merchant: Merchant, marks: Sequence[datetime], odd: Sequence[Moved]) -> list[dict[str, int]]:
    """Sums of every account of the double entry at each mark (rising)."""
    first, last = bulk.moment()(marks[0]), bulk.moment()(marks[-1])
    every, after = bulk.select(
        "SELECT COUNT(*), COUNT(CASE WHEN at >= %s THEN 1 END) FROM loyalty_txn WHERE merchant_id = %s",
        [first, merchant.pk],
    )[0]
    # Of a late mark what came after it is less to read than what came before: all of it less that.
    backwards = after * 3 < every
    number, told = posting_bucket(marks)
    rest, values = without(odd)
    # From the postings to their legs: their index is in order of time within a member, that of legs in no order of use.
    rows = bulk.select(
        f"SELECT e.account, {number} AS number, CAST(SUM(e.amount) AS BIGINT) FROM loyalty_txn t CROSS JOIN loyalty_entry e "
        "WHERE e.txn_id = t.id AND e.merchant_id = t.merchant_id AND t.merchant_id = %s "
        f"AND t.at {'>=' if backwards else '<='} %s{rest} GROUP BY e.account, number",
        [*told, merchant.pk, first if backwards else last, *values],
    )
    place = {one.txn: number_of(marks, one.at, by_clock=one.by_clock) for one in odd}
    if place:
        where, values_ = bulk.among("txn_id", place)
        rows += [
            (account, place[txn], amount)
            for account, txn, amount in bulk.select(
                f"SELECT account, txn_id, amount FROM loyalty_entry WHERE merchant_id = %s AND {where}",
                [merchant.pk, values_],
            )
        ]
    whole = totals(merchant) if backwards else {}
    sums = [dict(whole) for _ in marks]
    for account, behind, amount in rows:
        for i, one in enumerate(sums):
            if backwards and behind > i:
                one[account] = one.get(account, 0) - amount
            elif not backwards and behind <= i:
                one[account] = one.get(account, 0) + amount
    return [{account: amount for account, amount in one.items() if amount} for one in sums]


def mark(merchant: Merchant) -> str:
    """Changes whenever anything is posted or closed, or points are booked another way: what a cache hangs on."""
    (txn,) = bulk.select("SELECT MAX(id) FROM loyalty_txn", [])[0]
    (closed,) = bulk.select("SELECT MAX(month) FROM loyalty_closed_month WHERE merchant_id = %s", [merchant.pk])[0]
    chosen = bulk.select("SELECT set_at FROM loyalty_finance_policy WHERE merchant_id = %s", [merchant.pk])
    return f"{txn}.{closed}.{chosen[0][0] if chosen else ''}".replace(" ", "_")
