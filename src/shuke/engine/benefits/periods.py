"""The stretch of time a quota or a plan counts over, in the shop's own days. Ends are exclusive, None = no end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shuke.kit.clock import add_months, day_start

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """From `start` on, before `end`."""

    start: datetime
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


def days_of(per: str, day: date, joined: date) -> tuple[date, date] | None:
    """First day of the period that `day` is in, and the first day after it; None where it has no calendar."""
    if per == "day":
        return day, day + timedelta(days=1)
    if per == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    if per in ("month", "quarter", "year"):
        months = {"month": 1, "quarter": 3, "year": 12}[per]
        first = date(day.year, (day.month - 1) // months * months + 1, 1)
        return first, add_months(first, months)
    if per == "member_year":
        years = day.year - joined.year
        if add_months(joined, 12 * years) > day:
            years -= 1
        return add_months(joined, 12 * years), add_months(joined, 12 * years + 12)
    return None


def span(per: str, day: date, joined: date, zone: ZoneInfo, tier_since: datetime = LONG_AGO) -> Span:
    found = days_of(per, day, joined)
    if found is not None:
        return Span(day_start(found[0], zone), day_start(found[1], zone))
    return Span(tier_since if per == "tier" else LONG_AGO, None)
