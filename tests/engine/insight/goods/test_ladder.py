"""What satisfied members took up next, against a slow recount."""

from collections import defaultdict
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.goods import ladder
from tests.engine.insight.goods.market import market


def climbers(seed=4):
    """200 members buy 1 twice and then 2; 200 buy 5 once or twice and then any of 1 … 9 but 2 seldom."""
    dice = np.random.default_rng(seed)
    rows, order = [], 0
    for member in range(1, 401):
        bought = [(0, 1), (20, 1), (40, 2)] if member <= 120 else [(0, int(dice.integers(3, 10)))]
        if member > 120:
            bought += [(20, bought[0][1]), (50, int(dice.integers(1, 10)))]
        for day, item in bought:
            order += 1
            rows.append((order, member, day + member % 7, item))
    return market(rows)


def test_the_way_that_is_there_is_found_and_others_are_not():
    sold = climbers()
    found = [(int(sold.items[s.from_item]), int(sold.items[s.to_item])) for s in ladder.ladder(sold, as_of=300)]
    assert found == [(1, 2)]
    step = ladder.ladder(sold, as_of=300)[0]
    assert step.went == 120
    assert step.days == 20
    assert step.expected < 60


def test_who_bought_once_or_gave_it_back_is_not_satisfied():
    sold = climbers()
    once = sold.where(~((sold.item == 0) & (sold.day >= 20)))  # of the first kind only the first purchase
    assert ladder.ladder(once, as_of=300) == []
    back = sold._replace(kept=~((sold.item == 0) & (sold.day >= 20)))
    assert ladder.ladder(back, as_of=300) == []


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 60), st.integers(1, 4)), min_size=1, max_size=50),
    st.sampled_from([10, 30, 180]),
)
def test_counts_are_those_of_a_recount(told, step_days):
    rows = [(n + 1, member, day, item) for n, (member, day, item) in enumerate(told)]
    sold = market(rows)
    days = defaultdict(lambda: defaultdict(set))
    for _order, member, day, item in rows:
        days[member][item].add(day)
    went, steppers, satisfied, could = (defaultdict(int) for _ in range(4))
    for bought in days.values():
        begun = {item: min(on) for item, on in bought.items()}
        for kind, on in bought.items():
            if len(on) < 2:
                continue
            satisfied[kind] += 1
            since = sorted(on)[1]
            next_days = [day for day in begun.values() if since < day <= since + step_days]
            if not next_days:
                continue
            step = min(next_days)
            steppers[kind] += 1
            for item in (int(i) for i in sold.items):
                if begun.get(item, 10_000) >= step:
                    could[kind, item] += 1
                if begun.get(item) == step:
                    went[kind, item] += 1
    took = defaultdict(int)
    able = defaultdict(int)
    for (_kind, item), n in went.items():
        took[item] += n
    for (_kind, item), n in could.items():
        able[item] += n
    with mock.patch.object(ladder, "SURE", -1e9):  # every way, likely or not
        found = ladder.ladder(sold, as_of=100, step_days=step_days, least=1)
    seen = {(int(sold.items[s.from_item]), int(sold.items[s.to_item])): s for s in found}
    assert {pair: s.went for pair, s in seen.items()} == dict(went)
    for (kind, item), s in seen.items():
        assert (s.satisfied, s.steppers) == (satisfied[kind], steppers[kind])
        assert abs(s.expected - could[kind, item] * took[item] / max(able[item], 1)) < 1e-9
