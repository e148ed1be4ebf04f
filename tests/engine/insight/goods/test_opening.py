"""First baskets and who came again."""

import numpy as np

from shuke.engine.insight.goods import opening
from tests.engine.insight.goods.market import market


def rows(members, day, items, again=None):
    found = []
    for member in members:
        order = day * 10_000 + member
        found += [(order, member, day, item) for item in items]
        if again is not None:
            found.append((order + 5_000, member, day + again, 99))
    return found


def test_the_rate_is_of_those_who_began_with_it_and_can_be_judged():
    sold = market(
        rows(range(1, 31), 100, [1], again=20)
        + rows(range(31, 61), 100, [2])
        + rows(range(61, 81), 100, [2], again=120)  # came, but too late
        + rows(range(81, 91), 290, [2])  # too new to be judged
        + rows(range(91, 96), 3, [1], again=10)  # were there when the history begins
    )
    told = opening.opening(sold, as_of=300, lead=30)
    assert (told.judged, told.again, told.too_new, told.unseen) == (80, 30, 10, 5)
    one = {int(sold.items[o.item]): o for o in told.items}
    assert (one[1].begun, one[1].again, one[1].rate, one[1].others) == (30, 30, 1.0, 0.0)
    assert (one[2].begun, one[2].again, one[2].surely, one[1].surely) == (50, 0, -1, 1)
    assert one[1].low < one[1].rate <= one[1].high


def test_what_is_in_every_basket_shows_that_it_opens_nothing():
    found = []
    for member in range(1, 41):
        found += rows([member], 100 + member, [1, 5])
        found += [(90_000 + member * 10 + n, member, 150 + member + n, 1) for n in range(3)]
    sold = market(found)
    told = opening.opening(sold, as_of=400)
    one = {int(sold.items[o.item]): o for o in told.items}
    assert (one[1].share, one[1].share_later) == (1.0, 1.0)
    assert (one[5].share, one[5].share_later) == (1.0, 0.0)
    assert one[1].others is None
    assert one[1].surely == 0


def test_chance_alone_is_not_called_sure():
    """Twenty items, all alike: at 95 % each one would be called special by chance now and then."""
    dice = np.random.default_rng(0)
    special = 0
    for _shop in range(20):
        found = []
        for member in range(1, 801):
            found += rows([member], 100, [int(dice.integers(1, 21))], again=9 if dice.random() < 0.4 else None)
        told = opening.opening(market(found), as_of=400)
        special += sum(bool(one.surely) for one in told.items)
    assert special <= 4  # judged one by one some 20 would be


def test_an_empty_history_opens_nothing():
    assert opening.opening(market([]), as_of=10).judged == 0
