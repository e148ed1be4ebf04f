"""Points by month of issue, month of expiry and month of what became of them: what breakage, deferral and forecast rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from shuke.engine.finance import months
from shuke.engine.finance.rolling import Move, RollForward, net, rolled
from shuke.kit import bulk, clock
from shuke.loyalty.queries import timing
from shuke.loyalty.queries.timing import Moved
from shuke.shops.models import Merchant

# What a use of a lot is in a roll-forward, by its kind; points given back are told apart by their sign.
USE_ROWS = {"burn": "redeemed", "expire": "expired", "claw": "taken_back", "debt": "debt", "adjust": "adjusted", "extend": "given_back", "transfer": "transferred"}  # fmt: skip
# What granted a lot, by the name of its event. Points that come back after their expiry get a lot of their own.
GRANT_ROWS = (
    ("opening:", "opened"),
    ("adjust:", "adjusted"),
    ("return:", "given_back"),
    ("reinstate:", "reinstated"),
    ("taken:", "transferred"),
)
# Points that went into a debt had been spent before: to whoever waits for them to be used they are.
# Points that changed hands are taken from one lot and given to another of the same month of issue.
FATE = {
    "burn": "used", "debt": "used", "expire": "lapsed", "claw": "taken", "adjust": "taken", "extend": "taken", "transfer": "taken",
}  # fmt: skip

_GRANT = "CASE " + " ".join(f"WHEN l.key LIKE '{p}%%' THEN '{r}'" for p, r in GRANT_ROWS) + " ELSE 'issued' END"
_RECEIVED = "substr(l.key, 1, 6) = 'taken:'"
_SALE = f"CASE WHEN substr(l.key, 1, 6) = 'order:' OR {_RECEIVED} THEN 1 ELSE 0 END"


class Grant(NamedTuple):
    """Points issued in a month with one month of expiry (None: never). `sale`: they came with a purchase."""

    earned: int
    last: int | None
    sale: bool
    points: int
    micro: int


class Fate(NamedTuple):
    """What became of such points in one month: used | lapsed | taken (taken back, or taken by hand)."""

    earned: int
    last: int | None
    sale: bool
    month: int
    kind: str
    points: int
    micro: int


class History(NamedTuple):
    """All of it, in whole months; `until` is the last month looked at and may be unfinished."""

    first: int
    until: int
    grants: list[Grant]
    fates: list[Fate]


def history(merchant: Merchant, at: datetime, odd: Sequence[Moved] | None = None) -> History | None:
    """From the first lot to a moment, as known today. None while no points were ever issued."""
    earliest, latest = bulk.select(
        "SELECT MIN(earned_at), MAX(expires_at) FROM loyalty_lot WHERE merchant_id = %s AND earned_at < %s",
        [merchant.pk, bulk.moment()(at)],
    )[0]
    begin = bulk.read_moment(earliest)
    if begin is None:
        return None
    first = months.of(clock.day_of(begin, merchant.tz))
    until = months.of(clock.day_of(at - timedelta(microseconds=1), merchant.tz))
    end = bulk.read_moment(latest)
    horizon = until if end is None else max(until, months.of(clock.day_of(end, merchant.tz)))
    ends = month_ends(merchant, first, until)[:-1]
    marks = [*ends, at]
    odd = timing.moved(merchant) if odd is None else odd
    earned, told_earned = timing.bucket("l.earned_at", ends)
    last, told_last = timing.bucket("l.expires_at", month_ends(merchant, first, horizon), ends_with="1 = 1")
    last = f"CASE WHEN l.expires_at IS NULL THEN -1 ELSE {last} END"
    grants = [
        Grant(first + e, None if x < 0 else first + x, bool(sale), points, micro)
        for e, x, sale, points, micro in bulk.select(
            f"SELECT {earned} AS earned, {last} AS last, {_SALE} AS sale, CAST(SUM(l.granted) AS BIGINT), "
            "CAST(SUM(l.granted * l.cost_micro) AS BIGINT) FROM loyalty_lot l "
            f"WHERE l.merchant_id = %s AND l.earned_at < %s AND l.granted > 0 AND NOT ({_RECEIVED}) GROUP BY 1, 2, 3",
            [*told_earned, *told_last, merchant.pk, bulk.moment()(at)],
        )
    ]
    came, told_came = timing.bucket("l.available_at", ends)
    received = bulk.select(
        f"SELECT {earned} AS earned, {last} AS last, {came} AS came, -CAST(SUM(l.granted) AS BIGINT), "
        "-CAST(SUM(l.granted * l.cost_micro) AS BIGINT) FROM loyalty_lot l "
        f"WHERE l.merchant_id = %s AND l.available_at < %s AND l.granted > 0 AND {_RECEIVED} GROUP BY 1, 2, 3",
        [*told_earned, *told_last, *told_came, merchant.pk, bulk.moment()(at)],
    )
    rows = _uses(merchant, marks, odd, f"{earned} AS a, {last} AS b, {_SALE} AS c", [*told_earned, *told_last], 3)
    fates = [
        Fate(first + e, None if x < 0 else first + x, bool(sale), first + number, FATE.get(kind, "used"), points, micro)
        for e, x, sale, kind, _back, number, points, micro in rows
        if number < len(marks)
    ] + [
        Fate(first + e, None if x < 0 else first + x, True, first + month, "taken", points, micro)
        for e, x, month, points, micro in received
    ]
    return History(first, until, grants, fates)


def month_ends(merchant: Merchant, first: int, last: int) -> list[datetime]:
    """The midnight after each month from `first` to `last`."""
    return [clock.day_start(months.first_day(m + 1), merchant.tz) for m in range(first, last + 1)]


def _uses(
    merchant: Merchant,
    marks: Sequence[datetime],
    odd: Sequence[Moved],
    more: str = "",
    told_more: Sequence[object] = (),
    width: int = 0,
) -> list[tuple]:
    """Uses of lots added up by (what `more` selects, kind, given back?, which mark), with points and cost."""
    number, told = timing.posting_bucket(marks)
    rest, values = timing.without(odd)
    chosen = f"{more}, " if more else ""
    group = ", ".join(str(n) for n in range(1, width + 4))
    figures = "CAST(SUM(u.amount) AS BIGINT), CAST(SUM(u.amount * l.cost_micro) AS BIGINT)"
    joined = "JOIN loyalty_lot l ON l.id = u.lot_id JOIN loyalty_txn t ON t.id = u.txn_id WHERE u.merchant_id = %s"
    given = "CASE WHEN u.amount < 0 THEN 1 ELSE 0 END"
    rows = bulk.select(
        f"SELECT {chosen}u.kind, {given} AS given, {number} AS number, {figures} FROM loyalty_use u "
        f"{joined}{rest} GROUP BY {group}",
        [*told_more, *told, merchant.pk, *values],
    )
    place = {one.txn: timing.number_of(marks, one.at, by_clock=one.by_clock) for one in odd}
    if place:
        where, listed = bulk.among("u.txn_id", place)
        single = bulk.select(
            f"SELECT {chosen}u.kind, {given} AS given, u.txn_id, u.amount, u.amount * l.cost_micro FROM loyalty_use u "
            f"{joined} AND {where}",
            [*told_more, merchant.pk, listed],
        )
        rows += [(*row[: width + 2], place[row[width + 2]], *row[width + 3 :]) for row in single]
    return rows


class Rolled(NamedTuple):
    """A period's movements, told by lots, beside what the double entry says; `differences` must all be 0."""

    since: datetime
    until: datetime
    table: RollForward
    accounts: dict[str, int]  # what each account moved by
    differences: dict[str, int]


def roll_forward(merchant: Merchant, since: datetime, until: datetime, odd: Sequence[Moved] | None = None) -> Rolled:
    """Opening, movements and closing of a period, to the point."""
    return roll_forwards(merchant, [since, until], odd)[0]


def roll_forwards(merchant: Merchant, marks: Sequence[datetime], odd: Sequence[Moved] | None = None) -> list[Rolled]:
    """The same for each of the periods between marks that follow on each other."""
    odd = timing.moved(merchant) if odd is None else odd
    sums = timing.account_sums(merchant, marks, odd)
    number, told = timing.bucket(f"({timing.APPEARS})", marks)
    moves: list[list[Move]] = [[] for _ in range(len(marks) + 1)]
    for row, place, points, micro in bulk.select(
        f"SELECT {_GRANT} AS row, {number} AS number, CAST(SUM(l.granted) AS BIGINT), "
        "CAST(SUM(l.granted * l.cost_micro) AS BIGINT) FROM loyalty_lot l WHERE l.merchant_id = %s AND l.granted > 0 "
        "GROUP BY 1, 2",
        [*told, merchant.pk],
    ):
        moves[place].append(Move(row, points, micro))
    for kind, back, place, points, micro in _uses(merchant, marks, odd):
        row = "given_back" if kind == "burn" and back else USE_ROWS.get(kind, kind)
        moves[place].append(Move(row, -points, -micro))
    found = []
    for i, (since, until) in enumerate(pairwise(marks)):
        earlier = [move for part in moves[: i + 1] for move in part]
        before, after = sums[i], sums[i + 1]
        table = rolled(
            opening_points=sum(m.points for m in earlier),
            opening_micro=sum(m.micro for m in earlier),
            moves=moves[i + 1],
            owed_before=-before.get("debt", 0),
            owed_after=-after.get("debt", 0),
        )
        accounts = {name: after.get(name, 0) - before.get(name, 0) for name in sorted({*before, *after})}
        differences = {
            "opening": table.opening.points - before.get("member", 0),
            "closing": table.closing.points - after.get("member", 0),
            "accounts": sum(after.values()),
            "net": table.closing.points - table.owed_after - net(after),
        }
        found.append(Rolled(since, until, table, accounts, differences))
    return found


def by_day(merchant: Merchant, month: int, odd: Sequence[Moved]) -> dict[str, dict[date, int]]:
    """Points issued with sales and points used, day by day: what a month's amounts are spread over."""
    first = months.first_day(month)
    days = [first + timedelta(days=n) for n in range(clock.days_in_month(first.year, first.month))]
    marks = [clock.day_start(day, merchant.tz) for day in [*days, months.first_day(month + 1)]]
    number, told = timing.bucket("l.earned_at", marks)
    moment = bulk.moment()
    issued = bulk.select(
        f"SELECT {number} AS number, CAST(SUM(l.granted) AS BIGINT) FROM loyalty_lot l WHERE l.merchant_id = %s "
        "AND l.earned_at >= %s AND l.earned_at < %s AND l.granted > 0 GROUP BY 1",
        [*told, merchant.pk, moment(marks[0]), moment(marks[-1])],
    )
    used: dict[int, int] = {}
    for kind, _back, place, points, _micro in _uses(merchant, marks, odd):
        if FATE.get(kind) == "used":
            used[place] = used.get(place, 0) + points
    return {
        "issued": {days[n - 1]: points for n, points in sorted(issued) if 0 < n <= len(days)},
        "used": {days[n - 1]: max(0, points) for n, points in sorted(used.items()) if 0 < n <= len(days)},
    }
