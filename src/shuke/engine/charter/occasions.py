"""Days and spans as a charter names them: what types cannot see in them, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from shuke.engine.calendar.festivals import FESTIVALS
from shuke.engine.charter.faults import Fault
from shuke.engine.charter.parts import Day


def check_span(where: str, start: date | None, end: date | None) -> Iterator[Fault]:
    if start and end and end < start:
        yield Fault(where, "ends_before_start", start=str(start), end=str(end))


def check_days(where: str, days: Sequence[Day]) -> Iterator[Fault]:
    """Each day is named in one way, by a festival there is, and only what has a date has days around it."""
    for i, day in enumerate(days):
        ways = (day.month_day, day.nth, day.date, day.festival)
        if sum(way is not None for way in ways) != 1 or (day.nth is None) != (day.weekday is None) or day.nth == 0:
            yield Fault(f"{where}.{i}", "one_day")
        if day.festival is not None and day.festival not in FESTIVALS:
            known = ", ".join(sorted(FESTIVALS))
            yield Fault(f"{where}.{i}.festival", "unknown_festival", name=day.festival, known=known)
        if (day.before or day.after) and day.date is None and day.festival is None:
            yield Fault(f"{where}.{i}", "days_around")
