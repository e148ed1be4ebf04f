"""Who bought in a stretch of days: on so many days at least, in one store, or not at all.

One walk over the orders of those days, whatever the size of the shop; what lists compare member ids with.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
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


class Place(NamedTuple):
    """Where something was bought: in one store, or through one platform; in neither: anywhere."""

    store: int | None = None
    platform: str = ""


ANYWHERE = Place()


def buyers(merchant: Merchant, start: date, end: date, *, place: Place = ANYWHERE, least_days: int = 1) -> RawSQL:
    """Ids of members with purchases on at least so many days from `start` up to the day before `end`."""
    first, last = clock.day_start(start, merchant.tz), clock.day_start(end, merchant.tz)
    where, parameters = _counted(merchant, first, last, place)
    sql = f"SELECT member_id FROM orders_order WHERE {where}"
    if least_days > 1:
        day, more = _day_sql("paid_at", merchant.tz, first, last)
        sql += f" GROUP BY member_id HAVING COUNT(DISTINCT {day}) >= %s"
        parameters += [*more, least_days]
    return RawSQL(sql, parameters)  # type: ignore[no-untyped-call]


def begun(merchant: Merchant, start: date, end: date, place: Place) -> RawSQL:
    """Ids of members who bought for the first time of all in these days, and there."""
    where, parameters = _counted(
        merchant, clock.day_start(start, merchant.tz), clock.day_start(end, merchant.tz), place
    )
    began = (
        f"SELECT {_epoch('first_paid_at')} FROM insight_member_score AS s WHERE s.member_id = orders_order.member_id"
    )
    sql = f"SELECT member_id FROM orders_order WHERE {where} AND {_epoch('paid_at')} = ({began})"
    return RawSQL(sql, parameters)  # type: ignore[no-untyped-call]


def _counted(merchant: Merchant, first: datetime, last: datetime, place: Place) -> tuple[str, list]:
    moment = bulk.moment()
    parameters: list = [merchant.pk, OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID, moment(first), moment(last)]
    if place.store is not None:
        return f"{_COUNTED} AND COALESCE(sold_at_id, store_id) = %s", [*parameters, place.store]
    if place.platform:
        own = "SELECT id FROM shops_store WHERE merchant_id = %s AND platform = %s"
        return f"{_COUNTED} AND COALESCE(sold_at_id, store_id) IN ({own})", [*parameters, merchant.pk, place.platform]
    return _COUNTED, parameters


def day_number(merchant: Merchant, table: str, column: str, where: str, among: list) -> tuple[str, list]:
    """The shop's day of an instant in a table as SQL, from 1970-01-01 on, for the rows of `where`."""
    row = bulk.select(f"SELECT MIN({column}), MAX({column}) FROM {table} WHERE {where}", among)[0]
    first, last = bulk.read_moment(row[0]), bulk.read_moment(row[1])
    if first is None or last is None:
        return "0", []
    return _day_sql(column, merchant.tz, first, last + timedelta(days=1))


def _epoch(column: str) -> str:
    if bulk.is_postgres():
        return f"FLOOR(EXTRACT(EPOCH FROM {column}))::bigint"
    return f"CAST(strftime('%%s', {column}) AS INTEGER)"


def _day_sql(column: str, zone: ZoneInfo, first: datetime, last: datetime) -> tuple[str, list]:
    """Seconds since 1970, moved by the zone's offset, which changes twice a year at most."""
    spans = _offsets(zone, first, last)
    if len(spans) == 1:
        return f"({_epoch(column)} + %s) / 86400", [spans[0][1]]
    cases = " ".join(f"WHEN {column} < %s THEN %s" for _ in spans[:-1])
    parameters: list = []
    for until, offset in spans[:-1]:
        parameters += [bulk.moment()(until), offset]
    return f"({_epoch(column)} + CASE {cases} ELSE %s END) / 86400", [*parameters, spans[-1][1]]


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
