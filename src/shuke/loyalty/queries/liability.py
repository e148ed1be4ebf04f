"""What the shop owes in points: by state, by month of expiry, in points and money."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shuke.kit import bulk
from shuke.kit.clock import day_of
from shuke.shops.models import Merchant


class Liability(NamedTuple):
    """Points outstanding at `now`; money in minor units at each lot's own cost."""

    now: datetime
    points: int
    money_minor: int
    available: int
    pending: int
    held: int
    debt: int
    members: int
    by_month: list[tuple[str, int, int]]  # expiry month "2018-03" or "" = never, points, money in minor units
    issued: int  # ever, less taken back
    spent: int
    expired: int


_OPEN = """
SELECT CASE WHEN available_at > %s THEN 1 ELSE 0 END AS pending, expires_at, cost_micro, CAST(SUM(remaining) AS BIGINT),
       CAST(SUM(held) AS BIGINT)
FROM loyalty_lot WHERE merchant_id = %s AND remaining > 0 AND (expires_at IS NULL OR expires_at > %s)
GROUP BY 1, 2, 3
"""


def liability(merchant: Merchant, now: datetime) -> Liability:
    at = bulk.moment()(now)
    months: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    points = micro = waiting = on_hold = 0
    for pending, expires, cost, remaining, held in bulk.select(_OPEN, [at, merchant.pk, at]):
        points += remaining
        micro += remaining * cost
        on_hold += held
        if pending:
            waiting += remaining - held
        moment = bulk.read_moment(expires)
        # The last day points can be used names the month; expiry itself is the midnight after it.
        month = "" if moment is None else f"{day_before(moment, merchant):%Y-%m}"
        months[month][0] += remaining
        months[month][1] += remaining * cost
    members, debt = bulk.select(
        "SELECT COUNT(CASE WHEN balance > 0 THEN 1 END), CAST(COALESCE(SUM(debt), 0) AS BIGINT) "
        "FROM loyalty_wallet WHERE merchant_id = %s",
        [merchant.pk],
    )[0]
    books = dict(
        bulk.select(
            "SELECT account, CAST(SUM(amount) AS BIGINT) FROM loyalty_entry WHERE merchant_id = %s GROUP BY account",
            [merchant.pk],
        )
    )
    return Liability(
        now=now,
        points=points,
        money_minor=micro // 1_000_000,
        available=points - waiting - on_hold,
        pending=waiting,
        held=on_hold,
        debt=debt,
        members=members,
        by_month=[(m, n, cost // 1_000_000) for m, (n, cost) in sorted(months.items(), key=lambda x: x[0] or "9999")],
        issued=-books.get("issued", 0),
        spent=books.get("spent", 0),
        expired=books.get("breakage", 0),
    )


def day_before(moment: datetime, merchant: Merchant) -> date:
    return day_of(moment - timedelta(microseconds=1), merchant.tz)
