import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.clv import calibrate, measures

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=40)


def columns(rows):
    return tuple(np.array(column, float) for column in zip(*rows, strict=True))


@given(pairs)
def test_auc_counts_pairs_a_tie_as_half(rows):
    predicted, actual = columns(rows)
    happened = actual > 4
    yes, no = predicted[happened], predicted[~happened]
    told = measures.auc(predicted, happened)
    if yes.size == 0 or no.size == 0:
        assert told is None
    else:
        beats = (yes[:, None] > no[None, :]).mean() + 0.5 * (yes[:, None] == no[None, :]).mean()
        assert told == pytest.approx(beats)


@given(pairs)
def test_the_order_of_what_came_finds_all_its_concentration(rows):
    _predicted, actual = columns(rows)
    told = measures.normalised_gini(actual, actual)
    assert told is None or told == pytest.approx(1.0)
    if told is not None:
        assert measures.normalised_gini(-actual, actual) == pytest.approx(-1.0)
        assert measures.normalised_gini(np.ones(actual.size), actual) == pytest.approx(0.0, abs=1e-12)


@given(pairs)
def test_a_rule_that_knows_nothing_finds_a_fifth_in_a_fifth(rows):
    _predicted, actual = columns(rows)
    told = measures.capture(np.zeros(actual.size), actual)
    assert told is None or told == pytest.approx(0.2)


def test_worked_figures():
    predicted, actual = np.array([5.0, 4, 3, 2, 1]), np.array([8.0, 0, 1, 1, 0])
    assert measures.capture(predicted, actual) == 0.8
    assert measures.spearman(predicted, actual) == pytest.approx(
        5 / 90**0.5
    )  # ranks of what came: 5, 1.5, 3.5, 3.5, 1.5
    assert measures.spearman(predicted, np.ones(5)) is None
    # Gini by the order 8 0 1 1 0: shares run 0.8 0.8 0.9 1 1; at best, 8 1 1 0 0, they run 0.8 0.9 1 1 1.
    assert measures.gini_by(predicted, actual) == pytest.approx(2 * 4.5 / 5 - 1.2)
    assert measures.normalised_gini(predicted, actual) == pytest.approx((1.8 - 1.2) / (1.88 - 1.2))


def test_tenths_count_everybody_once_and_fall():
    draw = np.random.default_rng(1)
    predicted, actual = draw.random(103), draw.random(103)
    parts = measures.tenths(predicted, actual)
    assert sum(part.customers for part in parts) == 103
    assert sum(part.customers * part.actual for part in parts) == pytest.approx(actual.sum())
    assert [part.predicted for part in parts] == sorted((part.predicted for part in parts), reverse=True)


def test_chances_that_were_too_sure_are_put_right_and_nobody_changes_places():
    draw = np.random.default_rng(2)
    truth = draw.beta(1, 1.5, 20_000)
    happened = draw.random(truth.size) < truth
    odds = np.log(truth / (1 - truth))
    stated = 1 / (1 + np.exp(-(1.6 * odds + 0.3)))
    half = stated.size // 2
    scale = calibrate.learn(
        [
            calibrate.Earlier(0, 30, stated[:half], happened[:half]),
            calibrate.Earlier(-30, 0, stated[half:], happened[half:]),
        ]
    )
    assert scale.learned_from == half
    right = scale.put_right(stated)
    assert measures.calibration(stated, happened).worst > 0.06
    assert measures.calibration(right, happened).worst < 0.03
    assert (np.diff(right[np.argsort(stated)]) >= 0).all()
    assert scale.slope == pytest.approx(1 / 1.6, rel=0.05)


def test_few_customers_teach_nothing():
    stated = np.linspace(0.1, 0.9, 500)
    assert (
        calibrate.learn([]) == calibrate.learn([calibrate.Earlier(0, 30, stated, stated > 0.5)]) == calibrate.AS_STATED
    )
    many = np.linspace(0.1, 0.9, 2_000)
    assert (
        calibrate.learn([calibrate.Earlier(0, 30, many, np.arange(2_000) < 40)]) == calibrate.AS_STATED
    )  # forty of one sort are too few
    assert calibrate.AS_STATED.put_right(stated) is stated
