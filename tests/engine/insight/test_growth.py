"""Growth over any days and by parts of the shop, and cohorts: recounted by reading every sale, and on shops with hardly any data."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import numpy as np
import pytest

from shuke.engine.insight import growth, kpi
from tests.engine.insight.shop import Person, Sale, loaded, take
from tests.engine.insight.worked import table

AS_OF = date(2026, 6, 17)
TODAY = kpi.day_number(AS_OF)
DIVISIONS = {
    "none": ({}, False),
    "store": ({1: 1, 2: 2}, False),
    "channel": ({1: 1, 2: 1, 3: 2}, False),
    "way": ({}, True),
}


def busy(seed: int) -> tuple[list[Sale], list[Person]]:
    luck = Random(seed)
    people = [Person(m, TODAY - luck.randint(-3, 500), luck.randint(0, 3)) for m in range(1, 30)]
    sales = [
        Sale(
            luck.choice((0, *range(1, 32))),  # 30 and 31 are no members (any more)
            TODAY - int(luck.triangular(-6, 420, 0)),
            net=(net := luck.choice((0, 700, luck.randint(1, 90_000)))),
            refunded=luck.choice((0, 0, 300)) if net else 300,
            items_milli=luck.randint(0, 4) * 1_000,
            store=luck.randint(1, 4),
        )
        for _ in range(400)
    ]
    return sales, people


def parts_of(people: list[Person], how: str) -> growth.Parts:
    stores, by_member = DIVISIONS[how]
    mine = [p.member % 3 if by_member else stores.get(p.home_store, 0) for p in people]
    return growth.Parts(
        np.array(list(stores), np.int64), np.array(list(stores.values()), np.int64),
        np.array([p.member for p in people], np.int64), np.array(mine, np.int64), by_member,
    )  # fmt: skip


def grown(sales, people, listed, how="none", as_of=AS_OF) -> growth.Grown:
    first = min((s.day for s in sales if s.day <= kpi.day_number(as_of)), default=None)
    with loaded(sales, people) as engine:
        joined = np.array([p.joined for p in people], np.int64)
        return growth.grown(engine, listed, parts_of(people, how), as_of=as_of, joined=joined, first_day=first)


def part_of(sale: Sale, living: set[int], how: str) -> int:
    stores, by_member = DIVISIONS[how]
    return (sale.member % 3 if sale.member in living else growth.GUESTS) if by_member else stores.get(sale.store, 0)


def recounted(sales, people, first: int, last: int, how: str, part: int) -> dict[str, int]:
    """One row by reading every sale."""
    living = {p.member for p in people if p.joined <= TODAY}
    bought = [s for s in sales if s.counted and s.day <= TODAY]
    begun: dict[int, int] = {}
    for sale in bought:
        begun[sale.member] = min(sale.day, begun.get(sale.member, sale.day))
    here = [s for s in bought if part_of(s, living, how) == part]
    rows = [s for s in here if first <= s.day <= last]
    days: dict[int, set[int]] = {}
    for sale in here:
        if sale.member in living:
            days.setdefault(sale.member, set()).add(sale.day)

    def within(start: int, end: int, least: int = 1) -> set[int]:
        return {m for m, found in days.items() if sum(start <= d <= end for d in found) >= least}

    buyers, base = within(first, last), within(last - 179, last - 90)
    newcomers = {m for m in buyers if begun[m] >= first}
    home = [p for p in people if (DIVISIONS[how][0].get(p.home_store, 0) if how != "way" else p.member % 3) == part]
    return {
        "members": sum(p.joined <= last for p in home), "new_members": sum(first <= p.joined <= last for p in home),
        "buyers": len(buyers), "newcomers": len(newcomers), "returning": len(buyers - newcomers),
        "came_again": len(within(first, last, 2)), "orders": len(rows), "net_minor": sum(s.net for s in rows),
        "new_net_minor": sum(s.net for s in rows if s.member in newcomers),
        "active": len(within(last - 89, last)), "churn_base": len(base), "churned": len(base - within(last - 89, last)),
        "year_buyers": len(within(last - 364, last)), "repeat_buyers": len(within(last - 364, last, 2)),
    }  # fmt: skip


@pytest.mark.parametrize("how", DIVISIONS)
@pytest.mark.parametrize("grain", ["week", "month", "quarter"])
def test_every_row_agrees_with_a_recount(how, grain):
    sales, people = busy(len(how) + len(grain))
    listed = growth.stretches(date(2025, 12, 10), AS_OF, grain, as_of=AS_OF)
    told = grown(sales, people, listed, how)
    assert listed[-1].partial
    parts = set(told.course) - ({growth.GUESTS} if how == "way" else set())
    assert len(parts) == {"none": 1, "store": 3, "channel": 3, "way": 3}[how]
    for part in parts:
        for row in (told.whole[part], *told.course[part]):
            first, last = kpi.day_number(row.stretch.first), kpi.day_number(row.stretch.last)
            wanted = recounted(sales, people, first, last, how, part)
            if last - min(s.day for s in sales) + 1 < growth.CHURN_NEEDS:
                wanted |= {"churn_base": None, "churned": None}
            assert {name: getattr(row, name) for name in wanted} == wanted, (part, row.stretch)


def test_guests_are_a_part_of_their_own_where_members_divide_the_shop():
    sales, people = busy(3)
    listed = growth.stretches(AS_OF - timedelta(days=90), AS_OF, "month", as_of=AS_OF)
    told, whole = grown(sales, people, listed, "way"), grown(sales, people, listed)
    guests = told.whole[growth.GUESTS]
    assert guests.orders > 0
    assert (guests.buyers, guests.members, guests.identified_rate) == (0, 0, 0)
    assert sum(row.net_minor for row in told.whole.values()) == whole.whole[0].net_minor


def test_months_of_the_whole_shop_are_those_of_the_nights_snapshot():
    sales, people = busy(7)
    night = take(sales, people, as_of=AS_OF).figures["months"]
    listed = growth.stretches(date.fromisoformat(night[0]["month"] + "-01"), AS_OF, "month", as_of=AS_OF)
    rows = grown(sales, people, listed).course[0]
    for mine, kept in zip(rows, night, strict=True):
        assert mine.stretch.label == kept["month"]
        assert {name: value for name, value in kept.items() if name not in ("month", "partial")} == {
            name: getattr(mine, name) for name in kept if name not in ("month", "partial")
        }


def test_whole_stretches_hold_the_days_asked_for():
    told = growth.stretches(date(2026, 1, 31), date(2026, 3, 1), "month", as_of=AS_OF)
    assert [(one.label, one.first.day, one.last.isoformat()) for one in told] == [
        ("2026-01", 1, "2026-01-31"), ("2026-02", 1, "2026-02-28"), ("2026-03", 1, "2026-03-31"),
    ]  # fmt: skip
    [week] = growth.stretches(date(2026, 6, 17), date(2027, 1, 1), "week", as_of=AS_OF)
    assert (week.label, week.last, week.partial) == ("2026-06-15", AS_OF, True)
    assert [one.label for one in growth.stretches(date(2025, 12, 31), AS_OF, "quarter", as_of=AS_OF)] == [
        "2025-Q4", "2026-Q1", "2026-Q2",
    ]  # fmt: skip
    assert growth.stretches(date(2027, 1, 1), date(2027, 2, 1), "day", as_of=AS_OF) == []
    with pytest.raises(growth.TooManyStretches):
        growth.stretches(date(2020, 1, 1), AS_OF, "day", as_of=AS_OF)


@pytest.mark.parametrize("how", DIVISIONS)
def test_cohorts_agree_with_a_recount_and_leave_blank_what_nobody_can_know(how):
    sales, people = busy(11)
    listed = growth.stretches(kpi.day_of_number(min(s.day for s in sales)), AS_OF, "month", as_of=AS_OF)
    with loaded(sales, people) as engine:
        told = growth.cohorts(engine, listed, parts_of(people, how), as_of=AS_OF)
    living = {p.member for p in people if p.joined <= TODAY}
    bought = sorted((s for s in sales if s.counted and s.day <= TODAY and s.member in living), key=lambda s: s.day)
    slot = {
        d: i for i, one in enumerate(listed) for d in range(kpi.day_number(one.first), kpi.day_number(one.last) + 1)
    }
    begun = {m: min(s.day for s in bought if s.member == m) for m in {s.member for s in bought}}
    for part in told.parts:
        found = told.triangle(part)
        began = {s.member for s in bought if s.day == begun[s.member] and part_of(s, living, how) == part}
        assert int(found.size.sum()) == len(began)
        for i, start in enumerate(found.months):
            cohort = next(at for at, one in enumerate(listed) if np.datetime64(one.first) == start)
            mine = {m for m in began if slot[begun[m]] == cohort}
            assert found.size[i] == len(mine)
            for since in range(len(listed)):
                rows = [s for s in bought if s.member in mine and slot[s.day] == cohort + since]
                if cohort + since >= len(listed) - 1:  # the running month, and those after it
                    assert np.isnan([found.buyers[i, since], found.orders[i, since], found.spend[i, since]]).all()
                    continue
                assert found.buyers[i, since] == len({s.member for s in rows})
                assert found.orders[i, since] == len({(s.member, s.day) for s in rows})
                assert found.spend[i, since] == sum(s.net for s in rows)
        whole, came = told.together(part, 3)
        assert whole == len(began)
        for later, one in enumerate(came):
            seen = {m for m in began if slot[begun[m]] + later < told.ended}
            again = {s.member for s in bought if s.member in seen and slot[s.day] == slot[begun[s.member]] + later}
            assert (one.whole, one.came) == (len(seen), len(again))


def test_hardly_any_data_gives_rows_without_inventing_rates():
    member = [Person(1, TODAY - 5)]
    listed = growth.stretches(AS_OF, AS_OF, "month", as_of=AS_OF)
    shops = {
        "nothing sold": [], "only refunds": [Sale(1, TODAY, net=0, refunded=500)], "only to come": [Sale(1, TODAY + 9)],
    }  # fmt: skip
    for name, sales in shops.items():
        row = grown(sales, member, listed).whole[0]
        assert (row.orders, row.buyers, row.basket_minor, row.churn_rate, row.repeat_rate) == (
            0,
            0,
            None,
            None,
            None,
        ), name
    one_day = grown([Sale(1, TODAY), Sale(1, TODAY), Sale(0, TODAY)], member, listed).whole[0]
    assert (one_day.orders, one_day.buyers, one_day.newcomers, one_day.came_again) == (3, 1, 1, 0)
    assert (one_day.active_rate, one_day.churn_rate, one_day.repeat_rate, one_day.identified_rate) == (
        1,
        None,
        None,
        0.6667,
    )
    wholesaler = grown([Sale(1, TODAY - d, net=10**12) for d in range(5)], member, listed).whole[0]
    assert (wholesaler.basket_minor, wholesaler.again_rate) == (10**12, 1)
    nobody = grown([Sale(0, TODAY)], [], listed).whole[0]
    assert (nobody.members, nobody.growth_rate, nobody.active_rate, nobody.identified_rate) == (0, None, None, 0)


def test_the_worked_tables_are_what_is_computed():
    days = {"ada": ("2026-01-05", "2026-02-09"), "ben": ("2026-02-01",), "cui": ("2026-02-10", "2026-02-20")}
    numbers = {"ada": 1, "ben": 2, "cui": 3}
    paid = {"2026-01-05": 3000, "2026-02-09": 3000, "2026-02-01": 500, "2026-02-10": 6000, "2026-02-20": 4000}
    sales = [Sale(numbers[who], kpi.day_number(date.fromisoformat(d)), paid[d]) for who, on in days.items() for d in on]
    sales.append(Sale(0, kpi.day_number(date(2026, 2, 11)), 900))
    as_of = date(2026, 3, 20)
    joined = {"ada": "2026-01-02", "ben": "2026-02-01", "cui": "2026-02-10"}
    people = [Person(numbers[who], kpi.day_number(date.fromisoformat(day))) for who, day in joined.items()]
    listed = growth.stretches(date(2026, 1, 1), as_of, "month", as_of=as_of)
    rows = grown(sales, people, listed, as_of=as_of).course[0]
    for told, row in zip(table("growth", "month"), rows, strict=True):
        said = [
            told[name] for name in ("month", "new members", "buyers", "newcomers", "returning", "came again", "orders")
        ]
        assert said == [
            row.stretch.label,
            *map(str, (row.new_members, row.buyers, row.newcomers, row.returning, row.came_again, row.orders)),
        ]
        assert told["net"] == f"{row.net_minor / 100:.2f}"
        assert told["basket"] == ("" if row.basket_minor is None else f"{row.basket_minor / 100:.2f}")
    with loaded(sales, people) as engine:
        found = growth.cohorts(engine, listed, parts_of(people, "none"), as_of=as_of).triangle()
    for told, size, cells in zip(table("growth", "first bought"), found.size, found.retention, strict=True):
        assert told["customers"] == f"{size:.0f}"
        assert [told[f"+{n}"] for n in range(3)] == ["" if np.isnan(c) else f"{c:.0%}" for c in cells]
