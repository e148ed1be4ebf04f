"""When a birthday is celebrated in a given year: solar or lunar, leap days included."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from shuke.kit.clock import days_in_month


@lru_cache(maxsize=65536)
def celebrated(month: int, day: int, lunar: bool, year: int) -> date | None:
    """The solar day of the birthday that falls into solar `year`; None if a lunar one skips that year.

    29 February is celebrated on the 28th in other years. Day 30 of a lunar month that has 29 days that year is its last
    day. A lunar date of months 11 and 12 usually falls into the next solar year, so both lunar years are looked at.
    """
    if not lunar:
        return date(year, month, min(day, days_in_month(year, month)))
    from lunar_python import Lunar, LunarMonth

    for lunar_year in (year, year - 1):
        length = LunarMonth.fromYm(lunar_year, month).getDayCount()
        solar = Lunar.fromYmd(lunar_year, month, min(day, length)).getSolar()
        found = date(solar.getYear(), solar.getMonth(), solar.getDay())
        if found.year == year:
            return found
    return None


def is_birthday(span: str, birthday: tuple[int, int, bool] | None, today: date) -> bool:
    """Is today the `day`, in the `week` (from Monday) or the `month` of somebody's birthday: month, day, lunar?"""
    if birthday is None:
        return False
    if span == "week":
        monday = today - timedelta(days=today.weekday())
        return any(celebrated(*birthday, one.year) == one for one in (monday + timedelta(days=n) for n in range(7)))
    this = celebrated(*birthday, today.year)
    return this is not None and (this == today if span == "day" else this.month == today.month)
