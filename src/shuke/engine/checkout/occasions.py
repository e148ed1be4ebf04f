"""When somebody has reason to get a coupon by rule. Books and replay ask the same.

Each question looks back a few days, so that nights without a worker lose nothing; that an occasion gives its coupon once
is kept by what the coupon was issued for.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shuke.engine.calendar.birthdays import celebrated
from shuke.kit.clock import day_start

BACK = timedelta(days=3)
RECENT = timedelta(days=30)  # of a rise or a settled complaint: an import of old years congratulates nobody


@lru_cache(maxsize=4096)
def birthday_years(birthday: tuple[int, int, bool], days: int, today: date) -> tuple[int, ...]:
    """Years whose birthday is `days` ahead, or was so within the last days."""
    wanted = {today + timedelta(days=days - back) for back in range(BACK.days + 1)}
    return tuple(year for year in sorted({d.year for d in wanted}) if celebrated(*birthday, year) in wanted)


@lru_cache(maxsize=64)
def quiet_between(days: int, today: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Between which moments somebody bought last who has been quiet for so many days; the end is exclusive."""
    until = day_start(today - timedelta(days=days) + timedelta(days=1), zone)
    return until - BACK - timedelta(days=1), until
