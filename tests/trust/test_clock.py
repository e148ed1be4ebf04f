"""T13: what a day is, around midnights, month ends, leap days and changed clocks; and tills whose clocks differ.

The cases stand in docs/algorithms/ledger.md, with offsets written down by hand. Each is looked at a second before and at the moment
points become usable and lapse: in the engine, and in the books on either engine. Any other day of any other zone is reckoned by
leafing through a calendar.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import replay
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.models import Entry
from shuke.shops.actions import create_merchant, ensure_stores
from tests import cast
from tests.engine.insight.worked import table
from tests.loyalty.books import START, member, order, publish, take
from tests.trust import size
from tests.trust.exercise_book import CHARTER

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class Case(NamedTuple):
    zone: str
    bought: datetime
    points: dict  # of the charter
    usable: datetime
    lapses: datetime


def _cases() -> list[Case]:
    found = []
    for row in table("ledger", "zone"):
        kind, n, *to = row["expiry"].split()
        expiry = {"kind": kind, {"months": "months", "days": "days", "year_end": "years"}[kind]: int(n)}
        if to:
            expiry["to"] = to[0]
        bought = datetime.fromisoformat(row["bought"]).replace(tzinfo=ZoneInfo(row["zone"]))
        points = {"pending_days": int(row["waits"]), "expiry": expiry}
        found.append(
            Case(row["zone"], bought, points, *(datetime.fromisoformat(row[c]) for c in ("usable from", "lapse at")))
        )
    return found


CASES = _cases()


def looks(case: Case) -> list[tuple[datetime, int, int]]:
    """Moments with what is available and pending then, of 100 points."""
    waits = case.usable > case.bought
    return [
        (case.bought - DAY, 0, 0),
        (case.bought - SECOND, 0, 0),
        *([(case.usable - SECOND, 0, 100)] if waits else []),
        (case.usable, 100, 0),
        (case.lapses - SECOND, 100, 0),
        (case.lapses, 0, 0),
        (case.lapses + DAY, 0, 0),
    ]


def test_there_are_enough_cases():
    assert sum(len(looks(case)) for case in CASES) >= 40


def by_the_engine(case: Case) -> None:
    terms = Terms(document.from_plain(CHARTER | {"points": case.points}), ZoneInfo(case.zone), 1)
    bought = ev.Purchase("order:a", case.bought, 10_000)
    for now, available, pending in looks(case):
        told = [bought] if bought.at <= now else []
        books = replay(Versions([(START, terms)]), told, joined_at=START, until=now).books
        assert (books.available(now), books.pending(now)) == (available, pending), now


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.zone} {c.bought:%Y-%m-%d %H:%M}")
def test_points_live_from_and_until_the_moments_the_page_says(case):
    by_the_engine(case)


# -- any day ------------------------------------------------------------------------------------------------------

ZONES = (
    "Asia/Shanghai", "Asia/Kathmandu", "Asia/Beirut", "Africa/Cairo", "Atlantic/Azores", "Europe/Berlin", "America/Havana",
    "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Pacific/Chatham", "UTC",
)  # fmt: skip


def begins(day: date, zone: ZoneInfo) -> datetime:
    """The first second that a clock on the wall shows this day or a later one, found by halving."""
    middle = datetime.combine(day, time(), UTC)
    early, late = middle - 2 * DAY, middle + 2 * DAY
    while late - early > SECOND:
        middle = early + (late - early) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).date() >= day:
            late = middle
        else:
            early = middle
    return late


def leafed(day: date, expiry: dict) -> date:
    """The last day on which points of a day can be used, by leafing through the calendar from there."""
    months, ends = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}, expiry.get("to")
    if expiry["kind"] == "days":
        for _ in range(expiry["days"]):
            day += DAY
        return day
    if expiry["kind"] == "year_end":
        for n in range(expiry["years"] + 1):
            day += DAY if n else timedelta()
            while not ((day + DAY).day == 1 and day.month == expiry["month"]):
                day += DAY
        return day
    wanted = day.day
    for _ in range(expiry["months"]):
        day = day.replace(day=1) + timedelta(days=31)  # somewhere in the next month
    day = day.replace(day=1)
    while day.day < wanted and (day + DAY).day != 1:
        day += DAY
    while ends != "day" and not ((day + DAY).day == 1 and day.month % months[ends] == 0):
        day += DAY
    return day


expiries = st.one_of(
    st.fixed_dictionaries({"kind": st.just("days"), "days": st.integers(1, 800)}),
    st.fixed_dictionaries({"kind": st.just("year_end"), "years": st.integers(0, 3), "month": st.integers(1, 12)}),
    st.fixed_dictionaries({
        "kind": st.just("months"), "months": st.integers(0, 40),
        "to": st.sampled_from(["day", "month", "quarter", "half_year", "year"]),
    }),
)  # fmt: skip


@settings(max_examples=size(150, 40_000))
@given(
    zone=st.sampled_from(ZONES),
    bought=st.datetimes(datetime(2025, 1, 9), datetime(2034, 1, 1), timezones=st.just(UTC)),
    waits=st.integers(0, 40),
    expiry=expiries,
)
def test_points_of_any_day_live_until_the_calendar_says(zone, bought, waits, expiry):
    bought = bought.replace(microsecond=0)
    here = ZoneInfo(zone)
    day = bought.astimezone(here).date()
    usable = begins(day + waits * DAY, here) if waits else bought
    lapses = begins(leafed(day, expiry) + DAY, here)
    if lapses > usable + SECOND:  # points that lapse before they can be used are another matter
        by_the_engine(Case(zone, bought, {"pending_days": waits, "expiry": expiry}, usable, lapses))


@pytest.mark.django_db
def test_the_books_live_by_the_same_moments():
    for n, case in zip(count(1), CASES, strict=False):
        merchant = create_merchant(name=f"shop {n}", zone=case.zone, currency="CNY", now=cast.OPENED)
        ensure_stores(merchant=merchant, stores=[("taobao", "兰记护肤", "兰记护肤")])
        publish(merchant, CHARTER | {"points": case.points})
        buyer = member(merchant)
        sold = order("a", 0, 100, created_at=case.bought, paid_at=case.bought, finished_at=None, stated_at=case.bought)
        take(merchant, buyer, sold, now=case.bought)
        for now, available, pending in looks(case)[2:]:
            told = queries.balance(merchant, buyer, now)
            assert (told.available, told.pending) == (available, pending), (case, now)
            with transaction.atomic():
                [answer] = actions.ask(merchant=merchant, asks=[Ask("all", "burn", buyer, 100)], now=now, actor="till")
                assert answer.done == (available == 100), (case, now)
                transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["fast", "slow"])
def test_tills_whose_clocks_differ_by_five_minutes_agree_on_the_books(lan, first):
    """Around the moment 100 points lapse: one till has passed it, the other not. Each goes by its own clock, the books by both."""
    publish(lan.merchant, CHARTER | {"points": {"pending_days": 0, "expiry": {"kind": "days", "days": 1}}})
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 100), now=START + DAY)
    lapses = queries.balance(lan.merchant, buyer, START + DAY).next_expiry[0][0]
    fast, slow = lapses + timedelta(minutes=2), lapses - timedelta(minutes=3)
    keys = count(1)

    def spend(now: datetime, points: int) -> bool:
        ask = Ask(f"k{next(keys)}", "burn", buyer, points)
        return actions.ask(merchant=lan.merchant, asks=[ask], now=now, actor="till")[0].done

    if first == "slow":
        assert spend(slow, 30)
        assert not spend(fast, 1)
        assert not spend(slow, 1)  # they have lapsed by now, and are not given twice
    else:
        assert not spend(fast, 1)
        assert not spend(slow, 1)
    actions.run_clock(merchant=lan.merchant, now=slow)
    actions.run_clock(merchant=lan.merchant, now=fast)
    take(lan.merchant, buyer, order("b", 2.9, 50), now=slow)
    assert queries.verify(lan.merchant).findings == []
    numbers = list(Entry.objects.filter(member_id=buyer).order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    spent = sum(Entry.objects.filter(account="spent").values_list("amount", flat=True))
    lapsed = sum(Entry.objects.filter(account="breakage").values_list("amount", flat=True))
    assert (spent, lapsed) == ((30, 70) if first == "slow" else (0, 100))


def test_the_cases_show_a_charter_that_reckons_in_another_zone():
    """The planted fault: days of Greenwich instead of days of the shop."""
    wrong = 0
    for case in CASES:
        terms = Terms(document.from_plain(CHARTER | {"points": case.points}), ZoneInfo("UTC"), 1)
        for now, available, pending in looks(case)[2:]:
            books = replay(
                Versions([(START, terms)]), [ev.Purchase("order:a", case.bought, 10_000)], joined_at=START, until=now
            ).books
            wrong += (books.available(now), books.pending(now)) != (available, pending)
    assert wrong > len(CASES)
