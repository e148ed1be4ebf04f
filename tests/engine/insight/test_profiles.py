"""Profiles: shares by the member, an index with an interval, and refusals. Worked table: docs/algorithms/profiles.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.insight import profile_words, profiles
from tests.engine.insight.worked import table


def counted(on: int, of: int, others_on: int, others: int, bars: int) -> profiles.Bar:
    """One option of a trait with two, in a profile of so many bars."""
    code = np.repeat([0, 1, 0, 1], [on, of - on, others_on, others - others_on])
    group = np.repeat([True, False], [of, others])
    fill = [profiles.codes(f"f{i}", ["a", "b"], np.arange(of + others) % 2) for i in range((bars - 2) // 2)]
    return profiles.profile([profiles.codes("x", ["this", "that"], code), *fill], group).facets[0].bars[0]


@pytest.mark.parametrize(
    "row", table("profiles", "group"), ids=lambda row: f"{row['on it']} of {row['group']}, {row['bars']}"
)
def test_the_worked_table(row):
    bar = counted(*(int(row[name]) for name in ("on it", "group", "on it too", "others", "bars")))
    assert (f"{bar.share:.3f}", f"{bar.of_all:.3f}", f"{bar.index:.0f}") == (row["share"], row["of all"], row["index"])
    assert ["–" if bound is None else f"{bound:.0f}" for bound in (bar.low, bar.high)] == [row["from"], row["to"]]
    assert bar.surely == {"more": 1, "less": -1, "": 0}[row["surely"]]


def test_the_bounds_of_a_ratio_are_those_of_a_search_over_all_shares():
    low, high = profiles.ratio_bounds(12, 40, 30, 300, 1.96)
    p, q = np.meshgrid(np.linspace(0.0005, 0.9995, 900), np.linspace(0.0005, 0.9995, 900))
    fit = 12 * np.log(p) + 28 * np.log(1 - p) + 30 * np.log(q) + 270 * np.log(1 - q)
    good = (p / q)[fit > fit.max() - 1.96**2 / 2]
    assert low == pytest.approx(good.min(), rel=0.02)
    assert high == pytest.approx(good.max(), rel=0.02)


def test_groups_drawn_by_lot_are_seldom_called_different():
    draw = np.random.default_rng(7)
    wrong = 0
    for _ in range(80):
        traits = [
            profiles.codes(str(k), [str(i) for i in range(k)], draw.choice(k, 1_500, p=draw.dirichlet(np.ones(k))))
            for k in (3, 8, 12)
        ]
        traits.append(profiles.split("w", list("abcdefg"), draw.multinomial(4, np.ones(7) / 7, 1_500)))
        told = profiles.profile(traits, draw.random(1_500) < 0.05)
        wrong += bool(told.telling())
    assert wrong <= 9  # 4 expected; ten or more in one of a hundred such tests


def test_a_difference_that_is_there_is_found():
    draw = np.random.default_rng(3)
    group = draw.random(3_000) < 0.2
    code = np.where(draw.random(3_000) < np.where(group, 0.45, 0.25), 0, 1 + draw.integers(0, 3, 3_000))
    [[facet, bar], *_rest] = profiles.profile([profiles.codes("age", list("abcd"), code)], group).telling()
    assert (facet.key, bar.option, bar.surely) == ("age", "a", 1)
    assert bar.low < 100 * 0.45 / 0.29 < bar.high


@settings(max_examples=40)
@given(st.data())
def test_laws(data):
    size = data.draw(st.integers(1, 90))
    cell = st.integers(-1, 3)
    code = np.array(data.draw(st.lists(cell, min_size=size, max_size=size)))
    amount = np.array(
        data.draw(st.lists(st.lists(st.integers(-2, 5), min_size=3, max_size=3), min_size=size, max_size=size))
    )
    group = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    told = profiles.profile([profiles.codes("a", list("wxyz"), code), profiles.split("b", list("pqr"), amount)], group)
    assert (told.of, told.all) == (group.sum(), size)
    for facet, known in zip(told.facets, (code >= 0, (amount > 0).any(axis=1)), strict=True):
        assert (facet.known, facet.all_known) == ((known & group).sum(), known.sum())
        if facet.known:
            assert sum(bar.share for bar in facet.bars) == pytest.approx(1, abs=1e-5)
        for bar in facet.bars:
            assert bar.low is None or 0 <= bar.low <= bar.index <= bar.high
            assert bool(facet.refused) <= (bar.low is None and bar.surely == 0)


def test_a_wholesaler_is_one_member():
    amount = np.zeros((101, 2))
    amount[:100, 1] = 1
    amount[100, 0] = 10_000
    told = profiles.profile([profiles.split("weekday", ["1", "2"], amount)], np.ones(101, bool))
    assert told.facets[0].bars[0].share == pytest.approx(1 / 101)


def test_several_answers_need_not_add_up():
    has = np.zeros((80, 2))
    has[:60] = 1
    told = profiles.profile([profiles.several("needs", ["a", "b"], has)], np.arange(80) < 40)
    assert [bar.share for bar in told.facets[0].bars] == [1, 1]
    assert (told.facets[0].known, told.facets[0].all_known) == (40, 60)


@pytest.mark.parametrize(("size", "refused"), [(12, "few"), (500, "everybody"), (480, "few_others"), (100, "")])
def test_what_cannot_be_compared_is_refused_with_a_reason(size, refused):
    told = profiles.profile([profiles.codes("a", ["x", "y"], np.arange(500) % 2)], np.arange(500) < size)
    assert told.facets[0].refused == refused
    assert (told.judged == 0) == bool(refused)


def test_nobody_at_all():
    told = profiles.profile(
        [profiles.codes("a", ["x"], np.empty(0)), profiles.split("b", ["p"], np.empty((0, 1)))], np.empty(0)
    )
    assert [(f.of, f.known, f.unknown, f.refused) for f in told.facets] == [(0, 0, 0.0, "everybody")] * 2


def test_bands():
    assert profiles.fifths(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, np.nan])) == [3, 5, 7, 9]
    assert profiles.fifths(np.array([5.0] * 20)) == []
    assert list(profiles.bands(np.array([2.0, 3, 10, np.nan]), [3, 5])) == [0, 1, 2, -1]


def test_words_for_bands_and_days():
    named = [
        ("age", "25..35", "25–34"), ("age", "..18", "< 18"), ("frequency", "53..", "≥ 53"), ("frequency", "1..2", "1"), ("hour", "6..10", "6:00–10:00"),
        ("basket", "1600..2300", "¥16.00–¥23.00"), ("weekday", "7", "星期日"), ("gender", "f", "女"), ("kinds", "*", "其他"), ("platform", "taobao", "淘宝"), ("platform", "mall", "mall"),
    ]  # fmt: skip
    for key, code, shown in named:
        told, bar = {"key": key, "label": None}, {"option": code, "name": ""}
        assert profile_words.option(told, bar, "zh-hans", "CNY") == shown
