from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight import rfm, wording

DAY = date(2026, 11, 1)
amounts = st.integers(0, 50)
shops = st.lists(st.tuples(amounts, st.integers(1, 20), st.integers(0, 9_000)), min_size=1, max_size=60)


def columns(members):
    return [np.array(column, dtype=np.int64) for column in zip(*members, strict=True)]


def test_ten_members_fall_into_fifths_of_two():
    # days since, order days, net: the first came yesterday, ten times, and spent the most
    members = [(i, 11 - i, 1_100 - 100 * i) for i in range(1, 11)]
    cuts = rfm.cut_points(*columns(members), fixed_on=DAY)
    scores = rfm.score(*columns(members), cuts)
    assert scores.r5.tolist() == scores.f5.tolist() == scores.m5.tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores.classes.tolist() == [222] * 5 + [111] * 5  # the means are 5.5 days, 5.5 order days and 550
    assert cuts.to_json() == {
        "fixed_on": "2026-11-01",
        "r": [8, 6, 4, 2],
        "f": [3, 5, 7, 9],
        "m": [300, 500, 700, 900],
        "two": {"r": 5.5, "f": 5.5, "m": 550.0},
        "own": False,
    }


def test_each_digit_of_a_class_is_one_question():
    cuts = rfm.RfmCuts(DAY, rfm.Cuts((9, 7, 5, 3), 5), rfm.Cuts((2, 3, 4, 5), 3), rfm.Cuts((10, 20, 30, 40), 25))
    lately, often, much = (1, 9), (5, 1), (40, 5)
    asked = {
        (r, f, m): int(rfm.score(*(np.array([v]) for v in (lately[2 - r], often[2 - f], much[2 - m])), cuts).classes[0])
        for r in (1, 2)
        for f in (1, 2)
        for m in (1, 2)
    }
    assert asked == {(r, f, m): r * 100 + f * 10 + m for r, f, m in asked}


@given(shops)
def test_every_member_is_in_exactly_one_of_the_eight_classes(members):
    cuts = rfm.cut_points(*columns(members), fixed_on=DAY)
    scores = rfm.score(*columns(members), cuts)
    assert {str(code) for code in scores.classes} <= set(rfm.CLASSES)
    for fifths in scores[:3]:
        assert fifths.size == len(members)
        assert set(fifths.tolist()) <= {1, 2, 3, 4, 5}


@given(shops)
def test_whoever_is_better_never_scores_lower_and_equals_score_alike(members):
    cuts = rfm.cut_points(*columns(members), fixed_on=DAY)
    scores = rfm.score(*columns(members), cuts)
    for column, fifths, sign in ((0, scores.r5, -1), (1, scores.f5, 1), (2, scores.m5, 1)):
        ranked = sorted(zip([sign * row[column] for row in members], fifths.tolist(), strict=True))
        assert [score for _, score in ranked] == sorted(score for _, score in ranked)
        assert len({value for value, _ in ranked}) == len(set(ranked))


@given(shops)
def test_the_score_counts_whole_fifths_of_members_that_are_worse(members):
    cuts = rfm.cut_points(*columns(members), fixed_on=DAY)
    got = rfm.score(*columns(members), cuts)
    for column, fifths, sign in ((0, got.r5, -1), (1, got.f5, 1), (2, got.m5, 1)):
        values = [sign * row[column] for row in members]
        if len(set(values)) == 1:
            assert fifths.tolist() == [3] * len(values)
        else:
            assert fifths.tolist() == [1 + 5 * sum(w < v for w in values) // len(values) for v in values]


@given(shops, shops)
def test_nobody_moves_because_others_came(members, newcomers):
    cuts = rfm.cut_points(*columns(members), fixed_on=DAY)
    alone = rfm.score(*columns(members), cuts)
    together = rfm.score(*columns(members + newcomers), cuts)
    assert [column[: len(members)].tolist() for column in together] == [column.tolist() for column in alone]


@given(shops)
def test_published_cut_points_survive_being_kept(members):
    cuts = rfm.cut_points(*columns(members), fixed_on=DAY)
    assert rfm.RfmCuts.from_json(cuts.to_json()) == cuts


def test_a_shop_without_buyers_has_cut_points_that_nobody_reaches():
    nobody = np.array([], dtype=np.int64)
    cuts = rfm.cut_points(nobody, nobody, nobody, fixed_on=DAY)
    assert cuts.money == rfm.Cuts((None, None, None, None), None)
    assert [column.tolist() for column in rfm.score(nobody, nobody, nobody, cuts)] == [[], [], [], []]


def test_each_class_has_a_name_and_a_strategy_in_both_languages():
    assert set(wording.RFM_NAMES) == set(wording.RFM_STRATEGIES) == set(rfm.CLASSES)
    assert [wording.RFM_NAMES[code].zh for code in rfm.CLASSES] == [
        "重要价值", "重要发展", "重要保持", "重要挽留", "一般价值", "一般发展", "一般保持", "一般挽留",
    ]  # fmt: skip
    assert all(words.en and words.zh for words in wording.RFM_STRATEGIES.values())
