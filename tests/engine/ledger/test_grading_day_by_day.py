"""Tiers beside a clerk with a paper calendar, who goes through a member's life day by day: windows, reviews, protection,
grace, one step down; leap days, month ends, year ends, and the days on which clocks are changed."""

import calendar
import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import replay

ONE = timedelta(days=1)
WINDOWS = (
    {"kind": "rolling", "months": 1}, {"kind": "rolling", "months": 3}, {"kind": "rolling", "months": 12},
    {"kind": "calendar_month"}, {"kind": "calendar_quarter"}, {"kind": "calendar_year"}, {"kind": "anniversary"}, {"kind": "lifetime"},
)  # fmt: skip
REVIEWS = (
    {"kind": "after_months", "months": 1}, {"kind": "after_months", "months": 12}, {"kind": "after_days", "days": 45},
    {"kind": "yearly", "month": 1, "day": 1}, {"kind": "yearly", "month": 2, "day": 28}, {"kind": "quarterly", "month": 2, "day": 3},
    {"kind": "monthly", "day": 1}, {"kind": "join_anniversary"},
)  # fmt: skip


def shifted(day: date, months: int) -> date:
    """So many months on, or back; the 31st becomes the last of a shorter month."""
    year, month = day.year, day.month + months
    while month > 12:
        year, month = year + 1, month - 12
    while month < 1:
        year, month = year - 1, month + 12
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def in_year(joined: date, year: int) -> date:
    if joined.month == 2 and joined.day == 29 and not calendar.isleap(year):
        return date(year, 2, 28)
    return date(year, joined.month, joined.day)


def begins(window: dict, last: date, joined: date) -> date:
    kind = window["kind"]
    if kind == "rolling":
        return shifted(last + ONE, -window["months"])
    if kind == "calendar_month":
        return date(last.year, last.month, 1)
    if kind == "calendar_quarter":
        return date(last.year, {1: 1, 2: 4, 3: 7, 4: 10}[(last.month + 2) // 3], 1)
    if kind == "calendar_year":
        return date(last.year, 1, 1)
    if kind == "anniversary":
        return in_year(joined, last.year) if in_year(joined, last.year) <= last else in_year(joined, last.year - 1)
    return date(1990, 1, 1)


def next_review(rule: dict, day: date, joined: date) -> date:
    """Found by turning the leaves of the calendar."""
    if rule["kind"] == "after_months":
        return shifted(day, rule["months"])
    if rule["kind"] == "after_days":
        return day + rule["days"] * ONE
    while True:
        day += ONE
        if rule["kind"] == "yearly" and (day.month, day.day) == (rule["month"], rule["day"]):
            return day
        if rule["kind"] == "quarterly" and day.day == rule["day"] and (day.month - rule["month"]) % 3 == 0:
            return day
        if rule["kind"] == "monthly" and day.day == rule["day"]:
            return day
        if rule["kind"] == "join_anniversary" and day == in_year(joined, day.year):
            return day


class Clerk:
    def __init__(self, told: dict, joined: date) -> None:
        self.told, self.joined, self.book = told, joined, []
        self.rank, self.since, self.review, self.grace = 0, joined, None, False
        self.moves: list[tuple[date, int, int]] = []

    def spent(self, last: date) -> int:
        first = begins(self.told["window"], last, self.joined)
        return sum(amount for day, amount in self.book if first <= day <= last)

    def fits(self, last: date) -> int:
        return sum(self.spent(last) >= least for least in (1000, 3000, 6000))

    def set(self, rank: int, day: date) -> None:
        self.moves.append((day, self.rank, rank))
        self.rank, self.since, self.grace = rank, day, False
        self.review = next_review(self.told["review"], day, self.joined) if rank else None

    def morning(self, day: date) -> None:
        if self.review != day:
            return
        yesterday = day - ONE
        if self.spent(yesterday) >= (0, 500, 2000, 5000)[self.rank]:
            self.grace = False
            self.review = next_review(self.told["review"], day, self.joined)
        elif self.since + self.told["protection"] * ONE > day:
            self.review = self.since + self.told["protection"] * ONE
        elif self.told["grace"] and not self.grace:
            self.grace, self.review = True, day + self.told["grace"] * ONE
        else:
            fits = min(self.fits(yesterday), self.rank - 1)
            self.set(max(fits, self.rank - 1) if self.told["fall"] == "one_step" else fits, day)

    def sells(self, day: date, amount: int) -> None:
        self.book.append((day, amount))
        if (rank := self.fits(day)) > self.rank:
            self.set(rank, day)


def charter(told: dict, zone: ZoneInfo) -> Versions:
    def tier(n: int, least: int = 0, keep: int = 0) -> dict:
        conditions = {
            "reach": {"measure": "amount", "at_least": least},
            "keep": {"measure": "amount", "at_least": keep},
        }
        return {"key": f"t{n}", "name": {"zh": f"{n}级", "en": f"T{n}"}} | (conditions if n else {})

    plain = {
        "name": {"zh": "章程", "en": "Charter"},
        "currency": "CNY",
        "tiers": [tier(0), tier(1, 1000, 500), tier(2, 3000, 2000), tier(3, 6000, 5000)],
        "grading": {
            "window": told["window"], "review": told["review"], "protection_days": told["protection"],
            "grace_days": told["grace"], "fall": told["fall"],
        },
    }  # fmt: skip
    return Versions([(datetime(2020, 1, 1, tzinfo=UTC), Terms(document.from_plain(plain), zone, 1))])


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"])
@pytest.mark.parametrize("seed", range(40))
def test_the_clerk_and_the_engine_agree_on_every_change_of_tier(zone, seed):
    rng, place = random.Random(f"{zone}{seed}"), ZoneInfo(zone)
    told = {
        "window": rng.choice(WINDOWS), "review": rng.choice(REVIEWS), "protection": rng.choice([0, 0, 30, 100]),
        "grace": rng.choice([0, 10, 31]), "fall": rng.choice(["one_step", "to_fit"]),
    }  # fmt: skip
    joined = rng.choice([date(2020, 2, 29), date(2020, 12, 31), date(2021, 1, 31), date(2020, 3, 8), date(2020, 11, 1)])
    last = date(2024, 4, 2)
    days = [joined + ONE * rng.randrange((last - joined).days) for _ in range(35)]
    days += [
        d
        for d in (date(2021, 3, 14), date(2021, 11, 7), date(2022, 12, 31), date(2023, 1, 1), date(2024, 2, 29))
        if rng.random() < 0.5
    ]
    bought = []
    for n, day in enumerate(sorted(days)):
        hour = rng.choice([time(0, 0), time(0, 5), time(1, 30), time(2, 30), time(12, 0), time(23, 59)])
        moment = datetime.combine(day, hour, tzinfo=place).astimezone(UTC)
        bought.append((moment, n, rng.choice([200, 450, 900, 1100, 2500, 6100])))
    clerk = Clerk(told, joined)
    begun = datetime.combine(joined, time(0), tzinfo=place).astimezone(UTC)
    day = joined
    while day <= last:
        clerk.morning(day)
        for moment, _, amount in sorted(bought):
            if moment.astimezone(place).date() == day:
                clerk.sells(day, amount)
        day += ONE
    events = [ev.Purchase(f"order:{n:02}", moment, amount * 100) for moment, n, amount in bought]
    end = datetime.combine(last + ONE, time(0), tzinfo=place).astimezone(UTC) - timedelta(seconds=1)
    fold = replay(charter(told, place), events, joined_at=begun, until=end)
    found = [(m.at.astimezone(place).date(), int(m.before[1]), int(m.after[1])) for m in fold.moves[1:]]
    assert found == clerk.moves, told
