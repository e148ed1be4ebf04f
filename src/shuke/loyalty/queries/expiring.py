"""Whose points lapse in a month: the members and the lots behind each figure of the liability."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import F, Q, QuerySet, Sum

from shuke.kit import clock
from shuke.loyalty.models import Lot
from shuke.loyalty.queries.liability import day_before
from shuke.shops.models import Merchant

NEVER = "never"


class OpenLot(NamedTuple):
    """One credit of points that is not used up. Money in minor units at the lot's own cost."""

    member_id: int
    member: str
    earned_at: datetime
    available_at: datetime
    last_day: date | None  # on which they can still be used
    granted: int
    remaining: int
    money_minor: int


def open_lots(merchant: Merchant, month: str, now: datetime) -> QuerySet[Lot]:
    """Lots with points left whose last day is in the month ("2018-03", or "never")."""
    kept = Lot.objects.filter(merchant=merchant, remaining__gt=0)
    if month == NEVER:
        return kept.filter(expires_at__isnull=True)
    start, end = _bounds(merchant, month)
    # Expiry is the midnight after the last day, so the first instant of a month belongs to the month before.
    return kept.filter(expires_at__gt=max(start, now), expires_at__lte=end)


def pending_lots(merchant: Merchant, now: datetime) -> QuerySet[Lot]:
    """Lots that wait for the end of their return window."""
    return Lot.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        merchant=merchant,
        remaining__gt=F("held"),
        available_at__gt=now,
    )


def holders(merchant: Merchant, months: list[str], now: datetime) -> dict[str, int]:
    """Month → how many members hold points that lapse in it; "" stands for never, as in the liability."""
    return {
        month: open_lots(merchant, month or NEVER, now).order_by().values("member").distinct().count()
        for month in months
    }


def lots(merchant: Merchant, month: str, now: datetime, *, offset: int = 0, size: int = 50) -> list[OpenLot]:
    """The lots themselves, largest first."""
    rows = open_lots(merchant, month, now).select_related("member").order_by("-remaining", "pk")[offset : offset + size]
    return [
        OpenLot(
            lot.member_id,
            lot.member.name or lot.member.nickname or lot.member.card,
            lot.earned_at,
            lot.available_at,
            day_before(lot.expires_at, merchant) if lot.expires_at else None,
            lot.granted,
            lot.remaining,
            lot.remaining * lot.cost_micro // 1_000_000,
        )
        for lot in rows
    ]


def totals(merchant: Merchant, month: str, now: datetime) -> tuple[int, int]:
    """(lots, points) of the month."""
    found = open_lots(merchant, month, now)
    return found.count(), found.aggregate(points=Sum("remaining"))["points"] or 0


def _bounds(merchant: Merchant, month: str) -> tuple[datetime, datetime]:
    first = date.fromisoformat(f"{month}-01")
    return clock.day_start(first, merchant.tz), clock.day_start(clock.add_months(first, 1), merchant.tz)
