"""Festivals fall on the days the almanac says, also where the lunar year is awkward."""

from datetime import date

import pytest

from shuke.engine.calendar.festivals import FESTIVALS, falls


@pytest.mark.parametrize(("name", "day"), [
    ("spring_festival", date(2026, 2, 17)), ("new_years_eve", date(2026, 2, 16)), ("new_years_eve", date(2025, 1, 28)),
    ("lantern", date(2024, 2, 24)), ("qingming", date(2024, 4, 4)), ("qingming", date(2026, 4, 5)),
    ("dragon_boat", date(2025, 5, 31)), ("qixi", date(2025, 8, 29)),  # 2025 has a leap sixth month
    ("mid_autumn", date(2023, 9, 29)), ("mid_autumn", date(2025, 10, 6)), ("double_ninth", date(2025, 10, 29)),
    ("winter_solstice", date(2025, 12, 21)), ("winter_solstice", date(2024, 12, 21)),
    ("mothers_day", date(2026, 5, 10)), ("fathers_day", date(2026, 6, 21)), ("thanksgiving", date(2026, 11, 26)),
    ("childrens_day", date(2026, 6, 1)), ("double_11", date(2026, 11, 11)),
])  # fmt: skip
def test_days(name, day):
    assert falls(name, day.year) == day


def test_every_festival_falls_once_into_every_year():
    for year in range(2015, 2045):
        for name in FESTIVALS:
            assert falls(name, year).year == year, (name, year)
