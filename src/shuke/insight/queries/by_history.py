"""The filters that ask orders, lots and movements: who bought when and where, where a member began, whose points lapse, who moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from shuke.engine.insight.kpi import WINDOW_DAYS
from shuke.insight.queries import figures as stored
from shuke.insight.queries.bought import ANYWHERE, Place, begun, buyers
from shuke.insight.queries.filters import Filters, flow, period, stand
from shuke.insight.queries.members_behind import members_behind
from shuke.insight.queries.order_columns import fetch
from shuke.kit import clock
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries import expiring
from shuke.members.models import Member
from shuke.shops.models import Merchant

FIRST_DAY = date(1971, 1, 1)  # no order is older


def by_history(merchant: Merchant, filters: Filters, now: datetime) -> Iterator[tuple[bool, np.ndarray]]:
    """(whether they are meant, or all others; ids of members) of each of these filters."""
    there = Place(filters.bought_in, filters.bought_on)
    if filters.paid or filters.paid_days or there != ANYWHERE:
        start, end = _closed(filters.paid) or window(merchant, now)
        yield True, _of_sql(buyers(merchant, start, end, place=there, least_days=filters.paid_days or 1))
    if unpaid := _closed(filters.unpaid):
        yield False, _of_sql(buyers(merchant, *unpaid, place=there))
    if (began := Place(filters.first_in, filters.first_on)) != ANYWHERE:
        start, end = _closed(filters.first) or (FIRST_DAY, window(merchant, now)[1])
        yield True, _of_sql(begun(merchant, start, end, began))
    if filters.expires:
        yield True, _of_query(expiring.open_lots(merchant, filters.expires, now), "member_id")
    if filters.holding == "pending":
        yield True, _of_query(expiring.pending_lots(merchant, now), "member_id")
    elif filters.holding:
        yield True, _of_query(Wallet.objects.filter(merchant=merchant, **{f"{filters.holding}__gt": 0}), "member_id")
    if moved := flow(filters.moved):
        until = moved.until or clock.day_of(now, merchant.tz)
        yield True, _of_query(members_behind(merchant, "moved", **moved._asdict() | {"until": until}), "pk")
    if place := stand(filters.stood):
        yield True, _of_query(members_behind(merchant, "stood", **place._asdict()), "pk")
    for tag in filters.tags:
        yield True, _of_query(Member.objects.filter(_tagged(tag), merchant=merchant), "pk")


def _of_sql(found: RawSQL) -> np.ndarray:
    return fetch(found.sql, list(found.params), ("member",))["member"]


def _of_query(found: QuerySet[Any], column: str) -> np.ndarray:
    return np.fromiter(found.order_by().values_list(column, flat=True), np.int64)


def _closed(text: str) -> tuple[date, date] | None:
    """A period with both ends; None for any other."""
    start, end = period(text) or (None, None)
    return None if start is None or end is None else (start, end)


def window(merchant: Merchant, now: datetime) -> tuple[date, date]:
    """The days that the figures of the last year are of: those of the latest snapshot, else the ones up to yesterday."""
    last = stored.last_day(merchant) or clock.day_of(now, merchant.tz) - timedelta(days=1)
    return last - timedelta(days=WINDOW_DAYS - 1), last + timedelta(days=1)


def _tagged(tag: str) -> RawSQL:
    """Members who carry a tag. SQLite has no JSON containment, so each database gets its own words."""
    if connection.vendor == "postgresql":
        sql = "members_member.tags @> jsonb_build_array(%s::text)"
    else:
        sql = "EXISTS (SELECT 1 FROM json_each(members_member.tags) AS t WHERE t.value = %s)"
    return RawSQL(sql, [tag], output_field=BooleanField())  # type: ignore[no-untyped-call]
