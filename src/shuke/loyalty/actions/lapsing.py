"""Points lapse: the night books it for whole sets of members, where nothing else falls due with it.

For one member out of a thousand a night does more than let lots end: a review, a hold that times out, debt. Those are folded one by
one (clock.py). For all others these statements write what the fold would write, row by row the same
(tests/loyalty/test_lapsing.py), without bringing the lots here. Why: docs/decisions/0014-expiry-in-sets.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.engine.charter.terms import Versions
from shuke.kit import bulk, ids
from shuke.kit.turns import Turns
from shuke.loyalty.queries import charters
from shuke.members.actions import note_found
from shuke.shops.models import Merchant

_TURN = {"first": 50, "fewest": 20, "most": 2000}  # members a transaction


def lapse(*, merchant: Merchant, now: datetime, progress: Callable[[int], None] | None = None) -> tuple[int, int]:
    """Book the lots that ended up to `now` of all members for whom nothing else is due: (members, postings).

    Batches in the order of members' ids, each a transaction of its own: killed between two, run twice or in parallel, every lot
    lapses once. Who is not simple is left to the fold.
    """
    try:
        versions = charters.versions(merchant)
    except charters.NoCharter:
        return 0, 0
    simple, conditions = _simple(versions, now)
    due = [
        member
        for (member,) in bulk.select(
            f"SELECT member_id FROM loyalty_wallet w WHERE w.merchant_id = %s AND {simple} ORDER BY member_id",
            [merchant.pk, *conditions],
        )
    ]
    members = postings = begin = 0
    with Turns(**_TURN) as turns:
        while begin < len(due):
            batch = due[begin : begin + turns.size]
            begin += len(batch)
            with turns.one():
                lapsed, posted = _lapse_some(merchant, versions, batch, now)
            members, postings = members + lapsed, postings + posted
            if progress is not None:
                progress(lapsed)
    return members, postings


def _simple(versions: Versions, now: datetime) -> tuple[str, list[Any]]:
    """The condition on a wallet (`w`) under which the clock does nothing but let lots end. (Who owes has none: I7.)"""
    at = bulk.moment()
    sql = "w.next_expiry_at <= %s AND (w.next_review_at IS NULL OR w.next_review_at > %s) AND w.held = 0"
    values: list[Any] = [at(now), at(now)]
    # A version that grades otherwise has begun meanwhile: the fold sees to that first.
    if (begun := versions.last_regrading(now)) is not None:
        sql += " AND w.settled_to >= %s"
        values.append(at(begun))
    return sql, values


@transaction.atomic
def _lapse_some(merchant: Merchant, versions: Versions, due: Sequence[int], now: datetime) -> tuple[int, int]:
    """Lock these members' wallets, see who is still simple, and book; one statement for each table."""
    members = _lock(merchant, versions, due, now)
    if not members:
        return 0, 0
    count, lots = _gather(merchant, members, now)
    _post(merchant, versions, count, now)
    _take_from_lots(merchant, lots)
    _tell(merchant, count, now)
    _close(merchant)
    return len(members), count


def _lock(merchant: Merchant, versions: Versions, due: Sequence[int], now: datetime) -> list[int]:
    """Those who are simple now that nobody else can change them. The fold starts from the moment the wallet has noted:
    where that is not the first end of a lot, the fold shall see to it."""
    simple, conditions = _simple(versions, now)
    where, values = bulk.among("w.member_id", due)
    lock = " FOR NO KEY UPDATE" if bulk.is_postgres() else ""
    rows = bulk.select(
        f"SELECT w.member_id FROM loyalty_wallet w WHERE +w.merchant_id = %s AND {where} AND {simple} "
        f"AND w.next_expiry_at = ({_FIRST_END}) ORDER BY w.member_id{lock}",
        [merchant.pk, values, *conditions],
    )
    return [member for (member,) in rows]


_FIRST_END = (
    "SELECT MIN(l.expires_at) FROM loyalty_lot l WHERE l.merchant_id = w.merchant_id AND l.member_id = w.member_id "
    "AND l.remaining > 0"
)


def _gather(merchant: Merchant, members: Sequence[int], now: datetime) -> tuple[int, int]:
    """One row for each posting to be, a member and a moment at which lots ended, `nth` and `gone` running up within the member;
    then one for each of their lots. (postings, lots)

    Both are read in the order of the index, so that nothing is sorted, and SQLite numbers rows by itself as they come: a window
    costs it three times as much.
    """
    postgres = bulk.is_postgres()
    _make_tables(postgres)
    where, values = bulk.among("l.member_id", members)
    rows = bulk.execute(
        f"INSERT INTO loyalty_lapse (n, member_id, at, event, points) SELECT {_number('member_id, at')}, member_id, at, "
        f"'expire:' || {_MOMENT[postgres]}, points FROM (SELECT l.member_id, l.expires_at AS at, SUM(l.remaining) AS points "
        f"FROM loyalty_lot l WHERE l.merchant_id = %s AND {where} AND l.remaining > 0 AND l.expires_at <= %s "
        "GROUP BY l.member_id, l.expires_at ORDER BY l.member_id, l.expires_at) AS ended",
        [merchant.pk, values, bulk.moment()(now)],
    )
    fresh, numbers = ids.numbering("n - 1", rows)
    so_far = "FROM loyalty_lapse y WHERE y.member_id = x.member_id AND y.at <= x.at"
    bulk.execute(
        f"UPDATE loyalty_lapse AS x SET txn_id = {fresh}, nth = (SELECT COUNT(*) {so_far}), gone = (SELECT SUM(y.points) {so_far})",
        numbers,
    )
    # PostgreSQL is told again whose lots; SQLite, that the postings are few: it takes a table it knows nothing of for a large
    # one and would look through all lots beforehand.
    few, told = (where, [values]) if postgres else ("likelihood(x.n > 0, 0.0005)", [])
    lots = bulk.execute(
        f"INSERT INTO loyalty_ended (n, txn_id, lot_id, points) SELECT {_number('l.id')}, x.txn_id, l.id, l.remaining "
        f"FROM loyalty_lapse x CROSS JOIN loyalty_lot l WHERE l.merchant_id = %s AND {few} AND l.member_id = x.member_id "
        "AND l.remaining > 0 AND l.expires_at = x.at",
        [merchant.pk, *told],
    )
    return rows, lots


def _make_tables(postgres: bool) -> None:
    """They live as long as the connection, their rows as long as the transaction."""
    moment, number, kept = (
        ("timestamptz", "bigint", " ON COMMIT DELETE ROWS") if postgres else ("text", "INTEGER PRIMARY KEY", "")
    )
    bulk.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS loyalty_lapse (n {number}, txn_id bigint, member_id bigint, at {moment}, event text, "
        f"points bigint, nth bigint, gone bigint, UNIQUE (member_id, at)){kept}",
        [],
    )
    bulk.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS loyalty_ended (n {number}, txn_id bigint, lot_id bigint, points bigint){kept}",
        [],
    )


def _number(order: str) -> str:
    """The number of a row in a temporary table, from 1."""
    return f"row_number() OVER (ORDER BY {order})" if bulk.is_postgres() else "NULL"


_MOMENT = {  # of a moment, as the fold names its events: to the minute where it is a whole one
    True: "to_char(at AT TIME ZONE 'UTC', CASE WHEN date_trunc('minute', at) = at THEN 'YYYY-MM-DD\"T\"HH24:MI' "
    "ELSE 'YYYY-MM-DD\"T\"HH24:MI:SS.US' END)",
    False: "substr(at, 1, 10) || 'T' || CASE WHEN substr(at, 17) = ':00' THEN substr(at, 12, 5) "
    "ELSE substr(at, 12, 8) || '.' || substr(substr(at, 21) || '000000', 1, 6) END",
}


def _post(merchant: Merchant, versions: Versions, count: int, now: datetime) -> None:
    """The postings, and their legs in one statement, so that the database can check that they add up."""
    (_, first), *later = versions.begun
    at = bulk.moment()
    version = "".join(" WHEN x.at >= %s THEN %s" for _ in later)
    bulk.execute(
        "INSERT INTO loyalty_txn (id, merchant_id, key, payload, member_id, event, kind, at, posted_at, actor, charter_version, why) "
        f"SELECT x.txn_id, %s, CAST(x.member_id AS text) || '|' || x.event || '#1', {_NOTHING[bulk.is_postgres()]}, x.member_id, "
        f"x.event, 'expire', x.at, %s, 'clock', {'CASE' + version + ' ELSE %s END' if later else '%s'}, '[]' FROM loyalty_lapse x",
        [
            merchant.pk,
            at(now),
            *(value for begun, terms in reversed(later) for value in (at(begun), terms.version)),
            first.version,
        ],
    )
    fresh, numbers = ids.numbering("x.n - 1", count)
    second, next_numbers = ids.numbering("x.n - 1", count)
    bulk.execute(
        "INSERT INTO loyalty_entry (id, merchant_id, txn_id, account, member_id, amount, seq, balance_after) "
        f"SELECT {fresh}, %s, x.txn_id, 'breakage', NULL, x.points, NULL, NULL FROM loyalty_lapse x UNION ALL "
        f"SELECT {second}, %s, x.txn_id, 'member', x.member_id, -x.points, w.seq + x.nth, w.balance - x.gone "
        "FROM loyalty_lapse x CROSS JOIN loyalty_wallet w WHERE w.member_id = x.member_id",
        [*numbers, merchant.pk, *next_numbers, merchant.pk],
    )


_NOTHING = {True: "''::bytea", False: "x''"}


def _take_from_lots(merchant: Merchant, lots: int) -> None:
    """What each lot had left is used up by the posting of its moment. Nothing of these members' lots is held."""
    fresh, numbers = ids.numbering("e.n - 1", lots)
    bulk.execute(
        "INSERT INTO loyalty_use (id, merchant_id, txn_id, lot_id, kind, amount) "
        f"SELECT {fresh}, %s, e.txn_id, e.lot_id, 'expire', e.points FROM loyalty_ended e",
        [*numbers, merchant.pk],
    )
    bulk.execute("UPDATE loyalty_lot SET remaining = 0 WHERE id IN (SELECT lot_id FROM loyalty_ended)", [])


def _tell(merchant: Merchant, count: int, now: datetime) -> None:
    note_found(
        merchant=merchant,
        kind="points.expired",
        found="SELECT n - 1 AS n, member_id, at, event AS ref, '{\"points\":' || CAST(points AS text) || '}' AS body FROM loyalty_lapse",
        parameters=[],
        count=count,
        now=now,
    )


def _close(merchant: Merchant) -> None:
    """The wallets as they stand after it."""
    bulk.execute(
        "UPDATE loyalty_wallet AS w SET balance = w.balance - x.points, seq = w.seq + x.postings, settled_to = x.at, "
        f"next_expiry_at = ({_FIRST_END}) FROM (SELECT member_id, SUM(points) AS points, COUNT(*) AS postings, MAX(at) AS at "
        "FROM loyalty_lapse GROUP BY member_id) AS x WHERE +w.merchant_id = %s AND w.member_id = x.member_id",
        [merchant.pk],
    )
    bulk.execute("DELETE FROM loyalty_lapse", [])
    bulk.execute("DELETE FROM loyalty_ended", [])
