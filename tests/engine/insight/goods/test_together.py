"""Pairs, against a recount with plain sets."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.goods import together
from tests.engine.insight.goods.market import market, tastes

baskets = st.lists(st.sets(st.integers(1, 6), min_size=1, max_size=5), min_size=1, max_size=40)


@given(baskets)
def test_counts_are_those_of_the_baskets(held):
    sold = market([(n + 1, n % 3, 10, item) for n, basket in enumerate(held) for item in sorted(basket)])
    told = together.pairs(sold, least=1, surely=False)
    seen = {}
    for i in range(told.both.size):
        pair = tuple(sorted((int(sold.items[told.first[i]]), int(sold.items[told.second[i]]))))
        seen[pair] = int(told.both[i])
        with_first = sum(int(sold.items[told.first[i]]) in basket for basket in held)
        assert told.with_first[i] == with_first >= told.with_second[i]
    expected = {
        pair: sum(set(pair) <= basket for basket in held) for pair in combinations(range(1, 7), 2)
    }  # fmt: skip
    assert seen == {pair: n for pair, n in expected.items() if n}
    assert told.orders == len(held)


def test_the_list_is_not_ranked_by_lift():
    rows = []
    for n in range(1_000):
        items = [1] if n < 200 else [9]
        items += [2] if n < 60 or 900 <= n < 940 else []
        items += [3, 4] if 500 <= n < 512 else []  # rare, always together
        rows += [(n + 1, 0, 5, item) for item in items]
    sold = market(rows)
    told = together.pairs(sold)
    pairs = [(int(sold.items[a]), int(sold.items[b])) for a, b in zip(told.first, told.second, strict=True)]
    assert pairs[0] == (1, 2)
    assert (3, 4) in pairs
    assert told.lift[0] < told.lift[pairs.index((3, 4))]


def test_the_same_item_twice_in_an_order_is_one():
    sold = market([(n, 1, n, item) for n in range(20) for item in (1, 1, 2)])
    told = together.pairs(sold, surely=False)
    assert (told.both[0], told.with_first[0], told.lift[0]) == (20, 20, pytest.approx(1.0))


def test_chance_is_not_shown():
    sold = tastes()
    told = together.pairs(sold)
    for a, b in zip(sold.items[told.first], sold.items[told.second], strict=True):
        assert (11 <= a < 23) == (11 <= b < 23)
