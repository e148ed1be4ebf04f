"""Days are the shop's own."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shuke.kit import clock

SHANGHAI, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")


def test_an_evening_in_london_is_already_tomorrow_in_shanghai():
    moment = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)
    assert clock.day_of(moment, SHANGHAI) == date(2026, 6, 2)
    assert clock.day_of(moment, LONDON) == date(2026, 6, 1)


def test_a_day_begins_at_the_shops_midnight_also_when_the_clocks_change():
    assert clock.day_start(date(2026, 6, 2), SHANGHAI) == datetime(2026, 6, 1, 16, tzinfo=UTC)
    assert clock.day_start(date(2026, 3, 29), LONDON) == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert clock.day_start(date(2026, 3, 30), LONDON) == datetime(2026, 3, 29, 23, tzinfo=UTC)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from([SHANGHAI, LONDON]))
def test_the_start_of_a_day_is_in_that_day(day, zone):
    assert clock.day_of(clock.day_start(day, zone), zone) == day


def test_the_31st_becomes_the_last_day_of_a_shorter_month():
    assert clock.add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert clock.add_months(date(2023, 1, 31), 1) == date(2023, 2, 28)
    assert clock.add_months(date(2023, 11, 30), 3) == date(2024, 2, 29)
    assert clock.add_months(date(2023, 1, 31), -2) == date(2022, 11, 30)
    assert clock.add_months(date(2023, 12, 15), 12) == date(2024, 12, 15)


def test_months_have_the_days_they_have():
    assert [clock.days_in_month(2024, month) for month in (1, 2, 4, 12)] == [31, 29, 30, 31]
