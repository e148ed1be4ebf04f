"""Word of mouth: steps, worth, comparison and the saying, as docs/algorithms/word_of_mouth.md has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight import word_of_mouth as mouth
from tests.engine.insight.worked import table


@pytest.mark.parametrize("row", table("word_of_mouth", "bonds (newcomer<referrer)"), ids=lambda row: row["steps"])
def test_steps(row):
    bonds = dict(tuple(int(one) for one in pair.split("<")) for pair in row["bonds (newcomer<referrer)"].split())
    assert mouth.levels(bonds) == dict(tuple(int(one) for one in pair.split(":")) for pair in row["steps"].split())


@pytest.mark.parametrize("row", table("word_of_mouth", "net"), ids=lambda row: row["kept"])
def test_what_a_branch_left(row):
    net, rewards, taken, margin, anyway, steps = (
        int(row[name]) for name in ("net", "rewards", "taken off", "margin %", "anyway %", "steps")
    )
    told = mouth.worth(mouth.Branch(1, 1, net, rewards, taken=taken), 10 * margin, 10 * anyway, steps)
    assert (told.profit, told.anyway, told.kept) == tuple(int(row[name]) for name in ("profit", "anyway", "kept"))
    assert told.kept == told.profit - told.anyway - rewards


@pytest.mark.parametrize(
    "row", table("word_of_mouth", "friends"), ids=lambda row: f"{row['friends']} {row['difference']}"
)
def test_friends_against_others(row):
    friends, others = int(row["friends"]), int(row["others"])
    net = [int(n) for n in row["each spent"].split()] * friends + [
        int(n) for n in row["each spent on average"].split()
    ] * others
    net = net[:friends] + net[2 * friends : 2 * friends + others]
    size = friends + others
    told = mouth.compare(np.full(size, 3), np.zeros(size), np.array(net), np.arange(size) < friends)
    shown = ["–" if one is None else f"{one:.0f}" for one in (told.difference, told.low, told.high)]
    assert [one.replace("-0", "0") if one == "-0" else one for one in shown] == [
        row["difference"],
        row["from"],
        row["to"],
    ]


@pytest.mark.parametrize("row", table("word_of_mouth", "satisfied"), ids=lambda row: row["worth"])
def test_the_saying(row):
    told = mouth.saying(*(int(row[name]) for name in ("satisfied", "hear", "want", "buy")), 6_000)
    assert told[1:] == tuple(int(row[name]) for name in ("hear of it", "would like to", "would buy", "worth"))


def test_each_friend_is_set_against_its_own_month_and_way_first():
    """Two ways in one month, one of them worth ten times as much; friends all came by the dear one."""
    month = np.zeros(60)
    channel = np.repeat([0, 1, 1], 20)
    net = np.repeat([100, 1_000, 1_000], 20)
    told = mouth.compare(month, channel, net, np.arange(60) >= 40)
    assert (told.matched, told.by_month, told.difference) == (20, 0, 0)


def test_without_others_of_the_way_the_month_stands_in_and_without_these_nobody():
    month = np.repeat([0, 0, 1], [20, 12, 12])
    channel = np.repeat([0, 1, 0], [20, 12, 12])
    brought = np.arange(44) >= 20
    told = mouth.compare(month, channel, np.full(44, 50), brought)
    assert (told.matched, told.by_month, told.unmatched, told.others) == (0, 12, 12, 20)
    with_measure, others = mouth.sides(month, channel, brought)
    assert (with_measure.sum(), others.sum()) == (12, 20)


def test_one_wholesaler_among_friends_decides_nothing():
    draw = np.random.default_rng(1)
    net = draw.integers(50, 150, 1_000)
    net[0] = 10**9
    told = mouth.compare(np.zeros(1_000), np.zeros(1_000), net, np.arange(1_000) < 100)
    assert told.capped == 1
    assert told.surely == 0


def test_friends_drawn_by_lot_are_seldom_called_better_or_worse():
    draw = np.random.default_rng(5)
    wrong = 0
    for _ in range(60):
        month, channel = draw.integers(0, 6, 900), draw.integers(0, 2, 900)
        net = (draw.gamma(1.5, 2_000, 900) * (1 + month + 3 * channel)).astype(int)
        wrong += mouth.compare(month, channel, net, draw.random(900) < 0.2).surely != 0
    assert wrong <= 9  # 3 expected


@given(st.dictionaries(st.integers(1, 12), st.integers(1, 12), max_size=12))
def test_everybody_who_was_brought_stands_on_a_step_and_below_somebody(pairs):
    bonds = {new: by for new, by in pairs.items() if new != by}
    steps = mouth.levels(bonds)
    assert steps.keys() == bonds.keys()
    for new, by in bonds.items():
        assert steps[new] == 1 or steps[new] == steps[by] + 1
        assert mouth.below(mouth.friends_of(bonds), by, 1)[new] == 1


def test_assumptions_that_cannot_be_are_refused():
    mouth.check(None, (None, None, None))
    for anyway, figures, code in (
        (1_001, (25, 8, 1), "bad_anyway"),
        (300, (5, 8, 1), "bad_saying"),
        (300, (25, 8, -1), "bad_saying"),
    ):
        with pytest.raises(mouth.BadAssumption) as refused:
            mouth.check(anyway, figures)
        assert refused.value.code == code
