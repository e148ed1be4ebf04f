"""What is owed, counted anew with pencil and paper: rows of the tables, plain sums, nothing of the engine. Whatever a year
brings (earning, spending, lapsing, refunds, holds, debt, handing on, merging), each figure of the report is that sum."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from shuke.flows.merge_members import merge
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.queries import as_of
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")


def back(day: date, count: int) -> date:
    """So many months earlier, the 31st as the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def moment(told) -> datetime | None:
    """SQLite keeps text, PostgreSQL moments."""
    found = datetime.fromisoformat(told) if isinstance(told, str) else told
    return found.replace(tzinfo=ZoneInfo("UTC")) if found is not None and found.tzinfo is None else found


def recounted(at: datetime) -> dict:
    told: dict = {"available": 0, "pending": 0, "held": 0, "micro": 0}
    ages, ends, tiers, people = Counter(), Counter(), Counter(), set()
    today = at.astimezone(SHANGHAI).date()
    for left, held, earned, usable, expires, cost, tier, who in rows(
        "SELECT l.remaining, l.held, l.earned_at, l.available_at, l.expires_at, l.cost_micro, w.tier, l.member_id "
        "FROM loyalty_lot l JOIN loyalty_wallet w ON w.member_id = l.member_id WHERE l.remaining > 0"
    ):
        end = moment(expires)
        assert end is None or end > at, "the clock has booked what lapsed"
        told["held"] += held
        told["available" if moment(usable) <= at else "pending"] += left - held
        told["micro"] += left * cost
        ends[None if end is None else (end - timedelta(microseconds=1)).astimezone(SHANGHAI).strftime("%Y-%m")] += left
        born = moment(earned).astimezone(SHANGHAI).date()
        ages[next((n for n in (1, 3, 6, 12, 24) if born >= back(today, n)), None)] += left
        tiers[tier] += left
        people.add(who)
    [(debt,)] = rows("SELECT sum(debt) FROM loyalty_wallet")
    return told | {"debt": debt, "members": len(people), "by_age": ages, "by_expiry": ends, "by_tier": tiers}


def lived(merchant) -> None:
    publish(merchant, CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone"}})
    ann, bo, cy, di = (member(merchant, n) for n in (1, 2, 3, 4))
    ago = (NOW - START).days

    def ask(key: str, kind: str, who: int, amount: int, days: float, **more) -> None:
        one = Ask(key, kind, who, amount, **more)
        (answer,) = actions.ask(merchant=merchant, asks=[one], now=NOW - timedelta(days=days), actor="till")
        assert answer.done, answer

    for who, name in ((ann, "a"), (bo, "b"), (cy, "c"), (di, "d")):
        old = [order(f"{name}0", ago - 300, 500), order(f"{name}1", ago - 100, 300)]
        take(merchant, who, *old, order(f"{name}2", ago - 40, 200), order(f"{name}3", ago - 2, 90))
    actions.run_clock(merchant=merchant, now=NOW - timedelta(days=32))
    ask("spent", "burn", ann, 120, 30)
    ask("back", "return", ann, 20, 29, ref="spent")
    ask("kept", "hold", bo, 50, 0.01, until=NOW + timedelta(hours=1))
    handed = actions.Transfer("gift", bo, ann, 40)
    assert actions.transfer(merchant=merchant, transfers=[handed], now=NOW - timedelta(days=20), actor="t")[0].done
    left = queries.balance(merchant, cy, NOW - timedelta(days=10)).available
    ask("all", "burn", cy, left, 10)
    take(merchant, cy, refund("R", "c2", ago - 5, 200))  # what it gave is spent: a debt
    take(merchant, ann, refund("S", "a1", ago - 6, 100))
    merge(merchant=merchant, survivor_id=ann, absorbed_id=di, reason="one person", now=NOW, actor="lan.owner")
    actions.run_clock(merchant=merchant, now=NOW)


def test_what_is_owed_is_what_the_rows_add_up_to(lan):
    lived(lan.merchant)
    told, counted = as_of.as_of(lan.merchant, NOW), recounted(NOW)
    for name in ("available", "pending", "held", "debt", "members"):
        assert getattr(told, name) == counted[name], name
    assert 0 not in (told.available, told.pending, told.held, told.debt), "the year has something of everything"
    assert told.points == told.available + told.pending + told.held
    assert told.money_minor == round(counted["micro"] / 10**6)
    for name in ("by_age", "by_expiry", "by_tier"):
        assert {part.key: part.points for part in getattr(told, name)} == dict(counted[name]), name
    entries = dict(rows("SELECT account, sum(amount) FROM loyalty_entry GROUP BY account"))
    assert (entries["member"], sum(entries.values())) == (told.points, 0), "the double entry says so too"
    assert queries.verify(lan.merchant).findings == []
