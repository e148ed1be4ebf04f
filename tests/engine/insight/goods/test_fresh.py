"""The next new item, what is hidden, and the check against bestsellers."""

import numpy as np
import pytest

from shuke.engine.insight.goods import check, fresh, hiding
from tests.engine.insight.goods.market import at, market, tastes, who


def test_like_tastes_are_found_and_owned_items_are_not_named():
    sold = tastes()
    rows = (sold.member != who(sold, 1)) | (sold.item == at(sold, 11)) | (sold.item == at(sold, 12))
    sold = sold.where(rows)
    told = fresh.suggest(fresh.fit(sold), sold, np.array([who(sold, 1)]), top=10)
    named = sold.items[told.item]
    assert set(named) <= set(range(13, 23))
    assert set(sold.items[told.because]) <= {11, 12}
    assert (np.diff(told.score) <= 0).all()


@pytest.mark.parametrize("way", fresh.WAYS)
def test_a_cosine_is_what_plain_counting_gives(way):
    sold = tastes(40, 80)
    model = fresh.fit(sold, way)

    def cosine(parties):
        one, two = (set(parties[sold.item == at(sold, item)]) for item in (11, 12))
        return len(one & two) / np.sqrt(len(one) * len(two))

    known = {"customer": cosine(sold.member), "basket": cosine(sold.order)}
    known["both"] = (known["customer"] + known["basket"]) / 2
    assert model.near[at(sold, 11), at(sold, 12)] == pytest.approx(known[way], rel=1e-5)
    assert model.near[at(sold, 11), at(sold, 11)] == 0


def test_hidden_items_are_never_named():
    sold = tastes()
    hidden = np.zeros(sold.items.size, bool)
    hidden[at(sold, 13)] = True
    told = fresh.suggest(fresh.fit(sold), sold, np.arange(sold.members.size), hidden=hidden)
    assert at(sold, 13) not in told.item


def test_an_unknown_way_is_refused_by_name():
    with pytest.raises(ValueError, match="there are basket, customer, both"):
        fresh.fit(tastes(20, 40), "als")


def test_a_durable_just_bought_hides_its_kind_and_only_for_its_buyer():
    kinds = np.array([0, 0, 1, -1])
    durable = np.array([True, False])
    absent = np.array([False, False, False, True])

    def shown(day):
        return hiding.hidden(
            np.arange(4), kinds, absent=absent, durable=durable, bought_kind=np.array([0, 1]),
            bought_day=np.array([day, 990]), as_of=1_000,
        ).tolist()  # fmt: skip

    assert shown(900) == [True, True, False, True]
    assert shown(600) == [False, False, False, True]  # long ago: it may be worn out


def test_what_nobody_buys_twice_is_taken_for_durable():
    once = [(m, m, 10, 1) for m in range(1, 41)]
    often = [(1_000 + 50 * m + n, m, 10 + 30 * n, 2) for m in range(1, 41) for n in range(5)]
    sold = market(once + often + [(9_000 + m, m, 10, 3) for m in range(1, 10)])
    found = hiding.durable_kinds(sold, as_of=500)
    assert sold.items[found].tolist() == [1]  # of 3 too few are known
    assert not hiding.durable_kinds(sold, as_of=300).any()  # nobody has been seen for a year


def test_the_check_knows_nothing_of_what_comes_after_the_cut():
    sold = tastes()
    cut = 150
    later = sold.day > cut
    other = sold._replace(item=np.where(later, at(sold, 1), sold.item).astype(np.int32))
    assert check.split(sold, cut).members == check.split(other, cut).members
    one, two = fresh.fit(sold.until(cut)), fresh.fit(other.until(cut))
    assert (one.near != two.near).nnz == 0


def test_where_tastes_differ_likeness_beats_bestsellers_and_is_earned():
    sold = tastes()
    splits = check.check(sold, cuts=(0.1, 0.2))
    for one in splits:
        rates = {rate.method: rate for rate in one.new}
        assert rates["both"].rate > rates["bestsellers"].rate + 0.1
        assert rates["both"].surely == 1
    assert check.earned(splits) == ("both", 1) or check.earned(splits) == ("customer", 1)


def test_where_nobody_differs_bestsellers_are_said_to_be_enough():
    dice = np.random.default_rng(2)
    rows = [(n, n % 200 + 1, int(dice.integers(0, 200)), int(dice.geometric(0.1))) for n in range(2_000)]
    assert check.earned(check.check(market(rows))) == ("bestsellers", 0)


def test_hits_within_days_are_never_fewer_than_on_the_first_of_them():
    sold = tastes()
    first = {rate.method: rate.rate for rate in check.split(sold, 180).every}
    month = {rate.method: rate.rate for rate in check.split(sold, 180, within=59).every}
    assert all(month[name] >= first[name] for name in first)


def test_a_shop_of_one_day_is_not_judged():
    assert check.check(market([(1, 1, 10, 1), (2, 2, 10, 2)])) == []
    assert check.check(market([])) == []
    assert check.earned([]) == ("bestsellers", 0)
