import numpy as np
import pytest

from shuke.engine.insight.clv import fit, predict, traits
from shuke.engine.insight.clv.rows import BadRows, group
from tests.engine.insight.clv import made


def two_channels(model="mbg_nbd"):
    """One channel buys at rate and leaves as it does; the other buys twice as often."""
    columns, marks = [], []
    for mark, scale in ((0.0, 6.0), (1.0, 3.0)):
        one, _later = made.flow(6_000, (1.2, scale, 0.9, 2.5), modified=model != "bg_nbd", seed=3 + int(mark))
        columns.append(one)
        marks.append(np.full(6_000, mark))
    x, t_x, T = (np.concatenate(both) for both in zip(*columns, strict=True))
    return x, t_x, T, np.concatenate(marks)[:, None]


@pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
def test_a_channel_that_buys_twice_as_often_is_told(model):
    x, t_x, T, channel = two_channels(model)
    told = traits.fit(x, t_x, T, channel, ("online",), model)
    assert told.verdict.code == "sound"
    assert told.on_rate[0] == pytest.approx(np.log(2), abs=4 * told.rate_se[0])
    assert told.on_leaving[0] == pytest.approx(0.0, abs=4 * told.leaving_se[0])
    alone = fit.fit(group(x, t_x, T), model)
    assert told.log_likelihood > alone.log_likelihood + 100


def test_a_trait_everybody_has_alike_changes_nothing():
    x, t_x, T, channel = two_channels()
    told = traits.fit(x, t_x, T, channel * 0, ("none",))
    alone = fit.fit(group(x, t_x, T))
    assert told.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-3)
    assert told.at(np.zeros(1)).params == pytest.approx(alone.params, rel=1e-3)
    row = (x[:50], t_x[:50], T[:50])
    assert traits.expected_orders(told, *row, channel[:50], 20) == pytest.approx(
        predict.expected_orders(alone, *row, 20), rel=1e-3
    )


@pytest.mark.parametrize("model", traits.MODELS)
def test_the_joint_gradient_is_how_the_likelihood_changes(model):
    x, t_x, T, channel = (column[::40] for column in two_channels())
    segments = [
        (
            np.array([mark]),
            fit.surface_of(
                group(*(column[channel[:, 0] == mark] for column in (x, t_x, T))),
                model,
                2 if model == "mbg_cnbd" else 1,
            ),
        )
        for mark in (0.0, 1.0)
    ]
    joint = traits._Joint(segments, model, 1)
    theta = np.array([0.1, 1.5, -0.3, 0.8, 0.4, -0.2])
    for j in range(6):
        step = np.zeros(6)
        step[j] = 1e-5
        slope = (joint(theta + step)[0] - joint(theta - step)[0]) / 2e-5
        assert joint(theta)[1][j] == pytest.approx(slope, rel=1e-5, abs=1e-3)


def test_customers_are_predicted_by_their_own_traits():
    x, t_x, T, channel = two_channels()
    told = traits.fit(x, t_x, T, channel, ("online",))
    row = [np.array([2.0, 2.0]), np.array([29.0, 29.0]), np.array([30.0, 30.0])]
    both = traits.chance_to_buy(told, *row, np.array([[0.0], [1.0]]), 8)
    single = predict.chance_to_buy(told.at(np.array([1.0])), row[0][:1], row[1][:1], row[2][:1], 8)
    assert both[1] == pytest.approx(single[0])
    assert both[0] != pytest.approx(both[1], rel=0.02)


def test_measurements_are_no_traits():
    x, t_x, T, _channel = two_channels()
    with pytest.raises(BadRows, match="500"):
        traits.fit(x, t_x, T, np.arange(x.size)[:, None] / 7, ("age",))
    with pytest.raises(BadRows, match="one number per customer"):
        traits.fit(x, t_x, T, np.full((x.size, 1), np.nan), ("age",))
