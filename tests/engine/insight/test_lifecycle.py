import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight import lifecycle

rhythms = st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=12), min_size=1, max_size=25)


def sums(gaps_by_member):
    """What the analysis `gaps` gives, from plain lists of gaps."""
    return (
        np.array([len(gaps) for gaps in gaps_by_member], dtype=np.int64),
        np.array([sum(gaps) for gaps in gaps_by_member], dtype=np.int64),
        np.array([sum(math.log(gap) for gap in gaps) for gaps in gaps_by_member]),
        np.array([sum(math.log(gap) ** 2 for gap in gaps) for gaps in gaps_by_member]),
    )


def test_many_own_gaps_outweigh_the_shop_and_few_lean_on_it():
    weekly, monthly, once = [7] * 30, [30] * 30, [30]
    shop = [weekly, monthly] * 5 + [[14, 15, 13, 20, 9]] * 5 + [once]
    known = lifecycle.rhythm(*sums(shop))
    gaps, _, logs, _ = sums([weekly, monthly, once])
    usual = lifecycle.usual_gaps(np.append(gaps, 0), np.append(logs, 0.0), known)
    assert usual[0] == pytest.approx(7, abs=0.5)
    assert usual[1] == pytest.approx(30, abs=2)
    assert known.shop_gap < usual[2] < usual[1]  # one gap of 30 days is not yet a rhythm of 30 days
    assert usual[3] == pytest.approx(known.shop_gap)  # nobody knows this one yet


@given(rhythms)
def test_a_usual_gap_lies_between_the_own_and_the_shops(shop):
    known = lifecycle.rhythm(*sums(shop))
    gaps, _, logs, _ = sums(shop)
    usual = lifecycle.usual_gaps(gaps, logs, known)
    if known.shop_gap is None:
        assert int(gaps.sum()) < lifecycle.LEAST_GAPS
        assert np.isnan(usual).all()
        return
    for mine, own in zip(usual, np.exp(logs / gaps) * known.smear, strict=True):
        low, high = sorted((max(own, 1.0), max(known.shop_gap, 1.0)))
        assert low - 1e-6 <= mine <= high + 1e-6


def test_stages_go_by_order_days_until_silence_speaks():
    order_days = np.array([1, 2, 3, 4, 9, 9, 9, 1])
    silence = np.array([10, 10, 10, 10, 45, 46, 91, 91])
    stages = lifecycle.stages(order_days, silence, np.full(8, 30.0))
    assert [lifecycle.STAGES[i] for i in stages] == [
        "observing", "forming", "forming", "stable", "stable", "degrading", "lost", "lost",
    ]  # fmt: skip


def test_nobody_degrades_within_a_fortnight_or_is_lost_within_a_month():
    daily = np.full(4, 1.0)
    stages = lifecycle.stages(np.full(4, 50), np.array([14, 15, 30, 31]), daily)
    assert [lifecycle.STAGES[i] for i in stages] == ["stable", "degrading", "degrading", "lost"]


def test_while_the_rhythm_is_unknown_nobody_is_called_lost():
    stages = lifecycle.stages(np.array([1, 3, 8]), np.array([900, 900, 900]), np.full(3, np.nan))
    assert [lifecycle.STAGES[i] for i in stages] == ["observing", "forming", "stable"]


@given(st.integers(1, 30), st.floats(1, 300), st.lists(st.integers(0, 2_000), min_size=2, max_size=20))
def test_longer_silence_never_makes_a_member_look_better(order_days, usual, silences):
    silences.sort()
    many = len(silences)
    stages = lifecycle.stages(np.full(many, order_days), np.array(silences), np.full(many, usual))
    gone = [0 if stage < 3 else int(stage) for stage in stages]
    assert gone == sorted(gone)
    assert set(stages.tolist()) <= set(range(len(lifecycle.STAGES)))


def test_who_is_likely_to_be_back_is_not_lost_however_long_the_silence():
    days, silence, usual = np.array([6, 6, 6, 6]), np.array([100, 100, 100, 44]), np.array([30.0, 30.0, 30.0, 30.0])
    chance = np.array([0.49, 0.5, 0.9, 0.1])
    named = [lifecycle.STAGES[i] for i in lifecycle.stages(days, silence, usual, chance)]
    assert named == ["lost", "degrading", "degrading", "stable"]
    assert [lifecycle.STAGES[i] for i in lifecycle.stages(days, silence, usual)] == ["lost"] * 3 + ["stable"]
