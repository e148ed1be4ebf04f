"""Hot and slow, against a recount by hand."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.goods import selling
from tests.engine.insight.goods.market import at, market, tastes


def test_hot_is_counted_in_buyers_and_one_wholesaler_makes_nothing_hot():
    rows = [(n, 1, 50 + n % 40, 7) for n in range(40)] + [(100 + n, 2 + n, 80, 8) for n in range(3)]
    sold = market(rows)
    told = selling.selling(sold, np.zeros(4, int), 1, as_of=90)
    assert [(sold.items[one.item], one.buyers) for one in selling.hot(told, 0)] == [(8, 3), (7, 1)]


def test_a_group_that_buys_it_surely_more_is_told_apart():
    sold = tastes()
    camp = sold.members % 2
    told = selling.selling(sold, camp, 2, as_of=239)
    marks = {int(sold.items[one.item]): one.surely for one in selling.hot(told, 1, 40)}
    assert all(marks[item] == 1 for item in range(11, 23))
    assert not any(item >= 31 for item in marks)
    assert all(marks[item] == 0 for item in (1, 2, 3))


def test_what_nobody_buys_any_more_is_slow_and_what_is_new_is_not():
    rows = [(n, n % 30 + 1, day, item) for n, (day, item) in enumerate(
        [(d, 1) for d in range(100, 280)] + [(d, 2) for d in range(100, 190)] + [(d, 3) for d in range(190, 280)]
    )]  # fmt: skip
    sold = market(rows)
    told = selling.selling(sold, np.zeros(30, int), 1, as_of=279)
    assert [int(sold.items[one.item]) for one in selling.slow(told, told.all)] == [2]
    assert selling.slow(told, told.all)[0].last_day == 189


def test_goods_given_back_whole_sell_to_nobody():
    sold = market([(1, 1, 10, 5), (2, 1, 11, 6)], refunded=[1_000, 400])
    told = selling.selling(sold, np.zeros(1, int), 1, as_of=20)
    assert [(int(sold.items[one.item]), one.net) for one in selling.hot(told, 0)] == [(6, 600)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200), st.integers(1, 4)), max_size=60))
def test_buyers_and_visits_are_what_a_recount_gives(told):
    rows = [(n + 1, member, day, item) for n, (member, day, item) in enumerate(told)]
    sold = market(rows)
    found = selling.selling(sold, np.arange(sold.members.size) % 2, 2, as_of=150)
    window = {(m or -n, d, i) for n, m, d, i in rows if 60 < d <= 150}
    visits = Counter(item for _who, _day, item in window)
    buyers = Counter(item for _who, item in {(who, item) for who, _day, item in window if who > 0})
    for item in sold.items:
        assert found.bought[-1][at(sold, item)] == visits[int(item)]
        assert found.buyers[-1][at(sold, item)] == buyers[int(item)]
    assert found.of[-1] == len({who for who, _day, _item in window if who > 0})
    assert (found.buyers[:2].sum(axis=0) == found.buyers[-1]).all()
