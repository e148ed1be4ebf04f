"""The filters that ask orders and lots: who bought when and where, where a member began, whose points lapse."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from shuke.engine.insight.kpi import WINDOW_DAYS
from shuke.insight.queries import figures as stored
from shuke.insight.queries.bought import ANYWHERE, Place, begun, buyers
from shuke.insight.queries.filters import Filters, period
from shuke.kit import clock
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries import expiring
from shuke.shops.models import Merchant

FIRST_DAY = date(1971, 1, 1)  # no order is older


def by_history(query: QuerySet, merchant: Merchant, filters: Filters, now: datetime) -> QuerySet:
    """A query of members, narrowed by these."""
    there = Place(filters.bought_in, filters.bought_on)
    if filters.paid or filters.paid_days or there != ANYWHERE:
        start, end = _closed(filters.paid) or window(merchant, now)
        query = query.filter(pk__in=buyers(merchant, start, end, place=there, least_days=filters.paid_days or 1))
    if unpaid := _closed(filters.unpaid):
        query = query.exclude(pk__in=buyers(merchant, *unpaid, place=there))
    if (began := Place(filters.first_in, filters.first_on)) != ANYWHERE:
        start, end = _closed(filters.first) or (FIRST_DAY, window(merchant, now)[1])
        query = query.filter(pk__in=begun(merchant, start, end, began))
    if filters.expires:
        query = query.filter(pk__in=expiring.open_lots(merchant, filters.expires, now).order_by().values("member"))
    if filters.holding == "pending":
        query = query.filter(pk__in=expiring.pending_lots(merchant, now).order_by().values("member"))
    elif filters.holding:
        owing = Wallet.objects.filter(merchant=merchant, **{f"{filters.holding}__gt": 0})
        query = query.filter(pk__in=owing.order_by().values("member"))
    return query


def _closed(text: str) -> tuple[date, date] | None:
    """A period with both ends; None for any other."""
    start, end = period(text) or (None, None)
    return None if start is None or end is None else (start, end)


def window(merchant: Merchant, now: datetime) -> tuple[date, date]:
    """The days that the figures of the last year are of: those of the latest snapshot, else the ones up to yesterday."""
    last = stored.last_day(merchant) or clock.day_of(now, merchant.tz) - timedelta(days=1)
    return last - timedelta(days=WINDOW_DAYS - 1), last + timedelta(days=1)
