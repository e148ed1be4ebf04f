"""A made-up shop as plain rows, its columns for the engine, and the same figures counted the slow way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import kpi, snapshot
from shuke.engine.insight.port import Engine
from shuke.engine.insight.standing import Published


class Sale(NamedTuple):
    member: int  # 0: a guest
    day: int  # day number
    net: int = 1_000
    refunded: int = 0
    items_milli: int = 1_000
    store: int = 1

    @property
    def counted(self) -> bool:
        return not (self.net <= 0 and self.refunded > 0)


class Person(NamedTuple):
    member: int
    joined: int
    home_store: int = 0


def month(day: int) -> int:
    return kpi.month_number(kpi.day_of_number(day))


def take(sales: list[Sale], people: list[Person], *, as_of: date, former: Published | None = None) -> snapshot.Taken:
    with loaded(sales, people) as engine:
        return snapshot.take(engine, as_of=as_of, former=former, stores={1: "First", 2: "Second"})


@contextmanager
def loaded(sales: list[Sale], people: list[Person]) -> Iterator[Engine]:
    """The engine with these rows in it."""

    def column(values, kind=np.int64) -> np.ndarray:
        return np.array(list(values), dtype=kind)

    heads = {
        "order_id": column(range(1, len(sales) + 1)),
        "member": column(s.member for s in sales),
        "store": column(s.store for s in sales),
        "day": column((s.day for s in sales), np.int32),
        "month": column((month(s.day) for s in sales), np.int32),
        "paid_s": column(s.day * 86_400 + 3_600 for s in sales),
        "net": column(s.net for s in sales),
        "refunded": column(s.refunded for s in sales),
        "items_milli": column(s.items_milli for s in sales),
        "line_count": column((1 for _ in sales), np.int32),
        "counted": column((int(s.counted) for s in sales), np.int32),
    }
    with Engine(threads=1) as engine:
        engine.table("heads", heads)
        engine.table(
            "members",
            {
                "member": column(p.member for p in people),
                "joined": column((p.joined for p in people), np.int32),
                "home_store": column(p.home_store for p in people),
            },
        )
        yield engine


def counted_slowly(sales: list[Sale], people: list[Person], as_of: date) -> dict:
    """Members, active, gone, buyers and repeat buyers of the window, sales by month and store: by reading every sale."""
    today = kpi.day_number(as_of)
    living = {p.member for p in people if p.joined <= today}
    bought = [s for s in sales if s.counted and s.day <= today]
    days: dict[int, set[int]] = defaultdict(set)
    for sale in bought:
        if sale.member in living:
            days[sale.member].add(sale.day)

    def between(member_days: set[int], back: int, upto: int = 0, end: int = today) -> list[int]:
        return [d for d in member_days if end - back < d <= end - upto]

    window = [s for s in bought if s.day > today - kpi.WINDOW_DAYS]
    by_month: dict[str, list[Sale]] = defaultdict(list)
    for sale in bought:
        by_month[kpi.month_text(month(sale.day))].append(sale)
    stores: dict[int, list[Sale]] = defaultdict(list)
    for sale in window:
        stores[sale.store].append(sale)
    return {
        "members": len(living),
        "buyers": len(days),
        "active": sum(bool(between(d, kpi.ACTIVE_DAYS)) for d in days.values()),
        "churn_base": sum(bool(between(d, 2 * kpi.ACTIVE_DAYS, kpi.ACTIVE_DAYS)) for d in days.values()),
        "churned": sum(
            bool(between(d, 2 * kpi.ACTIVE_DAYS, kpi.ACTIVE_DAYS)) and not between(d, kpi.ACTIVE_DAYS)
            for d in days.values()
        ),
        "window_buyers": sum(bool(between(d, kpi.WINDOW_DAYS)) for d in days.values()),
        "repeat_buyers": sum(len(between(d, kpi.WINDOW_DAYS)) >= 2 for d in days.values()),
        "orders": len(window),
        "net_minor": sum(s.net for s in window),
        "known_net": sum(s.net for s in window if s.member in living),
        "items": sum(s.items_milli for s in window),
        "itemed": sum(s.items_milli > 0 for s in window),
        "months": {
            name: (len(rows), sum(s.net for s in rows), len({s.member for s in rows} & living))
            for name, rows in by_month.items()
        },
        "stores": {
            store: (len(rows), sum(s.net for s in rows), len({s.member for s in rows} & living))
            for store, rows in stores.items()
        },
        "days": days,
    }
