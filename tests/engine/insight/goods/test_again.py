"""What is bought again, and when it is due."""

import numpy as np
import pytest

from shuke.engine.insight.goods import again
from tests.engine.insight.goods.market import at, market, who


def refills(gaps: dict[int, int], times: int = 8, item: int = 1, start: int = 100):
    """Members who buy an item every so many days."""
    return [(member * 100 + n, member, start + n * gap, item) for member, gap in gaps.items() for n in range(times)]


def test_own_rhythm_speaks_where_there_is_one_and_the_items_where_not():
    rows = refills(dict.fromkeys(range(1, 11), 20)) + refills(dict.fromkeys(range(11, 21), 60))
    sold = market([*rows, (9_999, 50, 400, 1)])
    known = again.rhythm(sold)
    told = again.due(sold, known, as_of=410)
    gap = {int(sold.members[m]): float(g) for m, g in zip(told.member, told.gap, strict=True)}
    assert gap[1] < 28 < 45 < gap[15]
    assert gap[1] < gap[50] < gap[15]
    newcomer = told.member == who(sold, 50)
    assert not told.own[newcomer][0]
    assert told.due[newcomer][0] == 400 + round(known.gap[at(sold, 1)])


def test_what_people_buy_once_is_not_promised_again():
    rows = refills(dict.fromkeys(range(1, 11), 20)) + [(5_000 + m, m, 150, 2) for m in range(1, 40)]
    sold = market(rows)
    told = again.due(sold, again.rhythm(sold), as_of=300)
    assert {int(one) for one in sold.items[told.item]} == {1}


def test_too_few_gaps_promise_nothing():
    sold = market(refills({1: 10}, times=3))
    known = again.rhythm(sold)
    assert np.isnan(known.shop_gap)
    assert again.due(sold, known, as_of=200).member.size == 0


def test_a_rare_item_bought_again_leans_on_the_shop():
    sold = market(refills(dict.fromkeys(range(1, 11), 30)) + refills({99: 28}, times=3, item=7))
    told = again.due(sold, again.rhythm(sold), as_of=180)
    rare = told.item == at(sold, 7)
    assert told.own[rare].all()
    assert told.gap[rare][0] == pytest.approx(30, abs=2)


def test_several_orders_of_one_day_are_one_visit():
    sold = market([(n, 1, 100 + n // 2 * 10, 1) for n in range(40)])
    own = again.held(sold)
    assert (own.days[0], own.gaps_days[0]) == (20, 190)


def test_states_by_silence():
    gap = np.full(5, 10.0)
    found = again.state(np.array([0, 7.4, 7.5, 15.1, 31]), gap)
    assert [again.STATES[i] for i in found] == ["not_yet", "not_yet", "due", "overdue", "given_up"]


def test_members_asked_for_get_what_all_get():
    sold = market(refills({m: 10 + m for m in range(1, 21)}))
    known = again.rhythm(sold)
    every = again.due(sold, known, as_of=260)
    one = again.due(sold, known, as_of=260, members=np.array([who(sold, 4)]))
    rows = every.member == who(sold, 4)
    assert all((a[rows] == b).all() for a, b in zip(every, one, strict=True))


def test_the_pull_learns_whether_members_differ():
    dice = np.random.default_rng(1)

    def shop(spread):
        rows = []
        for member in range(1, 161):
            own = 20 * np.exp(spread * dice.normal())
            day = 100.0
            for n in range(int(dice.choice([3, 12]))):
                rows.append((member * 100 + n, member, round(day), 1))
                day += max(1.0, own * np.exp(0.5 * dice.normal()))
        return again.rhythm(market(rows)).pull

    assert shop(1.0) < 1.5 < shop(0.05)
