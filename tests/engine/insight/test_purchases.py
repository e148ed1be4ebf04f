"""The night's many answers from one reading are those of the texts, to the last cell; the texts are recounted in test_growth.py."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shuke.engine.insight import growth, kpi
from shuke.engine.insight.port import Engine
from shuke.engine.insight.purchases import COLUMNS, Purchases
from tests.engine.insight.shop import Sale, loaded
from tests.engine.insight.test_growth import AS_OF, DIVISIONS, TODAY, busy, parts_of

FIRST = date(2025, 4, 1)
ROWS = ("in_part", "cohort", "since", "buyers", "days_sum", "net_sum")


def held(engine: Engine, parts: growth.Parts, joined: np.ndarray) -> Purchases:
    # Orders reach the night in the order of their months' files, which says nothing of who bought or where.
    heads = engine._connection.execute(f"SELECT {', '.join(COLUMNS)} FROM heads ORDER BY month, order_id").fetchnumpy()
    return Purchases(heads, parts.member, joined, as_of=TODAY)


@pytest.mark.parametrize("how", DIVISIONS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_growth_and_cohorts_are_those_of_the_texts(how, seed):
    sales, people = busy(seed)
    people = people[::-1]  # members come in no order
    parts, joined = parts_of(people, how), np.array([p.joined for p in people], np.int64)
    first = min(s.day for s in sales)
    with loaded(sales, people) as engine:
        here = held(engine, parts, joined)
        for grain in ("week", "month", "quarter", "year"):
            listed = growth.stretches(date(2025, 12, 10), AS_OF, grain, as_of=AS_OF)
            told, again = (
                growth.grown(one, listed, parts, as_of=AS_OF, joined=joined, first_day=first) for one in (engine, here)
            )
            assert again == told
            assert sum(row.came_again for row in told.whole.values()) > 0
            listed = growth.stretches(FIRST, AS_OF, grain, as_of=AS_OF)
            before, after = (growth.cohorts(one, listed, parts, as_of=AS_OF).rows for one in (engine, here))
            assert {name: after[name].tolist() for name in ROWS} == {name: before[name].tolist() for name in ROWS}
            assert before["buyers"].size


def test_divisions_that_part_nobody_are_told_in_their_own_parts():
    """One channel is the whole shop under another number; among ways of acquisition guests stand apart even when nobody told one."""
    sales, people = busy(4)
    parts, joined = parts_of(people, "store"), np.array([p.joined for p in people], np.int64)
    nothing = np.zeros(0, np.int64)
    kinds = (
        parts._replace(store=nothing, store_part=nothing),
        parts,
        parts._replace(store_part=np.full(parts.store.size, 3)),
        parts._replace(store=nothing, store_part=nothing, member_part=np.zeros(joined.size, np.int64), by_member=True),
    )
    with loaded(sales, people) as engine:
        here = held(engine, parts, joined)
        for listed in (
            growth.stretches(date(2025, 12, 10), AS_OF, grain, as_of=AS_OF) for grain in ("month", "quarter")
        ):
            for one in kinds:
                told, again = (
                    growth.grown(asked, listed, one, as_of=AS_OF, joined=joined, first_day=min(s.day for s in sales))
                    for asked in (engine, here)
                )
                assert again == told
        listed = growth.stretches(FIRST, AS_OF, "month", as_of=AS_OF)
        for one in kinds:
            before, after = (growth.cohorts(asked, listed, one, as_of=AS_OF).rows for asked in (engine, here))
            assert {name: after[name].tolist() for name in ROWS} == {name: before[name].tolist() for name in ROWS}


def test_hardly_any_data():
    nobody = growth.Parts(*(np.zeros(0, np.int64) for _ in range(4)), False)
    listed = growth.stretches(date(2026, 5, 1), AS_OF, "month", as_of=AS_OF)
    none = np.zeros(0, np.int64)
    for sales in ([], [Sale(0, TODAY)], [Sale(5, TODAY, net=0, refunded=9)], [Sale(5, TODAY + 1)]):
        with loaded(sales, []) as engine:
            here = held(engine, nobody, none)
            for parts in (nobody, nobody._replace(by_member=True)):
                first = kpi.day_number(FIRST)
                told, again = (
                    growth.grown(one, listed, parts, as_of=AS_OF, joined=none, first_day=first)
                    for one in (engine, here)
                )
                assert again == told
                assert growth.cohorts(here, listed, parts, as_of=AS_OF).together(0, 1)[0] == 0
