"""The one place that reads the wall clock. Everything below a door gets `now` as an argument."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

UTC = timezone.utc  # noqa: UP017 - the name every module imports


def utc_now() -> datetime:
    """The real time, aware, in UTC. Doors and the worker call it; nobody else does."""
    return datetime.now(UTC)


def told(text: str, zone: ZoneInfo) -> datetime:
    """A day (its noon) or a moment as somebody wrote it, in the shop's zone where it names none. Raises ValueError, also for
    one so near the ends of the calendar that it is no date in another zone or some years on."""
    found = datetime.fromisoformat(text)
    if not 2 <= found.year <= 9990:
        raise ValueError(f"year {found.year}")
    if len(text) <= 10:
        found = found.replace(hour=12)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The shop's calendar day of an instant."""
    return moment.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a shop's day begins, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=4096)  # all members of a shop are looked at on the same days
def add_months(day: date, months: int) -> date:
    """Calendar months later; the 31st becomes the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, days_in_month(year, month + 1)))


def days_in_month(year: int, month: int) -> int:
    return (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
