"""The tables of docs/algorithms/goods.md: what is printed there is what is computed."""

import numpy as np
import pytest

from shuke.engine.insight.goods import again, selling, together
from shuke.engine.insight.goods.sales import wilson
from tests.engine.insight.worked import table


@pytest.mark.parametrize("row", table("goods", "begun"), ids=lambda row: row["begun"])
def test_how_sure_a_rate_is(row):
    low, high = wilson(int(row["again"]), int(row["begun"]))
    assert f"{int(row['again']) / int(row['begun']):.3f}" == row["rate"]
    assert (f"{float(low):.3f}", f"{float(high):.3f}") == (row["from"], row["to"])


@pytest.mark.parametrize("row", table("goods", "with A"), ids=lambda row: row["with A"])
def test_what_a_pair_is_worth(row):
    a, b, both = (np.array([int(row[name])]) for name in ("with A", "with B", "with both"))
    pair = together.Pairs(np.array([0]), np.array([1]), both, a, b, 1_000)
    assert f"{pair.support[0]:.3f}" == row["support"]
    assert f"{pair.confidence[0]:.3f}" == row["confidence A→B"]
    assert f"{pair.expected[0]:.1f}" == row["expected"]
    assert f"{pair.lift[0]:.2f}" == row["lift"]
    assert f"{pair.extra[0]:.1f}" == row["extra"]
    assert (pair.errors[0] > together.SURE) == (row["with A"] != "500")


@pytest.mark.parametrize("row", table("goods", "own gaps"), ids=lambda row: row["days between"] or "none")
def test_when_an_item_is_due(row):
    gaps = [int(one) for one in row["days between"].split()]
    assert len(gaps) == int(row["own gaps"])
    own = again.Held(
        np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([len(gaps) + 1]), np.array([1_000], np.int32),
        np.array([float(np.log(gaps).sum())]), np.array([sum(gaps)]), np.ones(1),
    )  # fmt: skip
    known = again.Rhythm(
        np.array([30.0]), np.array([np.log(30.0)]), np.array([50]), np.array([100]), np.array([60]), 4.0, 30.0, 1.0
    )
    told = again.due(None, known, as_of=1_010, own=own)
    assert f"{told.gap[0]:.1f}" == row["usual gap"]
    assert told.due[0] - told.last[0] == int(row["due after"])
    assert bool(told.own[0]) == bool(gaps)


@pytest.mark.parametrize("row", table("goods", "bought before"), ids=lambda row: row["missing"])
def test_what_sells_slowly(row):
    before, bought = int(row["bought before"]), int(row["bought"])
    whole = 100_000
    told = selling.Selling(
        np.zeros((1, 2), np.int64), np.zeros(1, np.int64),
        np.array([[bought, round(float(row["group moved"]) * (before + whole)) - bought]]), np.array([[before, whole]]),
        np.zeros((1, 2), np.int64), np.zeros(2, np.int32),
    )  # fmt: skip
    found = [one for one in selling.slow(told, 0) if one.item == 0]
    assert bool(found) == (row["slow"] == "yes")
    for one in found:
        assert f"{one.expected:g}" == row["expected"]
        assert f"{one.missing:g}" == row["missing"]
