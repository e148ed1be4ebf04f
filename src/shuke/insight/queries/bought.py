"""Who bought in a stretch of days: on so many days at least, in one store, or not at all.

One walk over the orders of those days, whatever the size of the shop; what lists compare member ids with.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models.expressions import RawSQL

from shuke.engine.facts import OrderStatus
from shuke.kit import bulk, clock
from shuke.shops.models import Merchant

# Orders that count: paid, not excluded, and not given back whole. As in insight.actions.columns.
_COUNTED = (
    "merchant_id = %s AND status NOT IN (%s, %s) AND excluded = '' AND NOT (net_minor <= 0 AND refunded_minor > 0) "
    "AND member_id IS NOT NULL AND paid_at >= %s AND paid_at < %s"
)


def buyers(merchant: Merchant, start: date, end: date, *, store: int | None = None, least_days: int = 1) -> RawSQL:
    """Ids of members with purchases on at least so many days from `start` up to the day before `end`."""
    moment = bulk.moment()
    first, last = clock.day_start(start, merchant.tz), clock.day_start(end, merchant.tz)
    sql = f"SELECT member_id FROM orders_order WHERE {_COUNTED}"
    parameters: list = [merchant.pk, OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID, moment(first), moment(last)]
    if store is not None:
        sql += " AND COALESCE(sold_at_id, store_id) = %s"
        parameters.append(store)
    if least_days > 1:
        day, more = _day_number(merchant.tz, first, last)
        sql += f" GROUP BY member_id HAVING COUNT(DISTINCT {day}) >= %s"
        parameters += [*more, least_days]
    return RawSQL(sql, parameters)  # type: ignore[no-untyped-call]


def _day_number(zone: ZoneInfo, first: datetime, last: datetime) -> tuple[str, list]:
    """The shop's day of an order as SQL: seconds since 1970, moved by the zone's offset, which changes twice a year at most."""
    epoch = (
        "FLOOR(EXTRACT(EPOCH FROM paid_at))::bigint"
        if bulk.is_postgres()
        else "CAST(strftime('%%s', paid_at) AS INTEGER)"
    )
    spans = _offsets(zone, first, last)
    if len(spans) == 1:
        return f"({epoch} + %s) / 86400", [spans[0][1]]
    cases = " ".join("WHEN paid_at < %s THEN %s" for _ in spans[:-1])
    parameters: list = []
    for until, offset in spans[:-1]:
        parameters += [bulk.moment()(until), offset]
    return f"({epoch} + CASE {cases} ELSE %s END) / 86400", [*parameters, spans[-1][1]]


def _offsets(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, int]]:
    """(until, offset in seconds), oldest first: stretches of one offset, to the quarter of an hour."""
    found: list[tuple[datetime, int]] = []
    at = first
    while at < last:
        offset = _offset(at, zone)
        following = min(at + timedelta(days=1), last)
        if _offset(following, zone) != offset:
            while _offset(at, zone) == offset:
                at += timedelta(minutes=15)
            found.append((at, offset))
        else:
            at = following
    return [*found, (last, _offset(last, zone))]


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    shift = moment.astimezone(UTC).astimezone(zone).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())
