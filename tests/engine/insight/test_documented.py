"""The worked tables of docs/algorithms/lifecycle.md and rfm.md (fifths), as they stand there."""

import math
from datetime import date

import numpy as np
import pytest

from shuke.engine.insight import lifecycle, rfm
from tests.engine.insight.worked import table


def test_a_usual_gap_leans_on_the_shop_as_the_page_says():
    shop = lifecycle.Rhythm(shop_gap=22.0, pull=2.0, log_mean=math.log(20), smear=1.1, gaps=500)
    for row in table("lifecycle", "own gaps"):
        n = int(row["n"])
        own = 0.0 if row["exp(m)"] == "–" else n * math.log(float(row["exp(m)"]))
        [usual] = lifecycle.usual_gaps(np.array([n]), np.array([own]), shop)
        said = row["usual gap"].split("=")[-1].strip()
        assert usual == pytest.approx(float(said), abs=0.5 if "." not in said else 0.05), row


def test_ten_buyers_of_whom_most_came_once():
    rows = table("rfm", "F | buyers")
    came = [f for row in rows for f in [int(row["F"])] * int(row["buyers"])]
    columns = np.arange(1, 11), np.array(came), np.full(10, 100)
    scores = rfm.score(*columns, rfm.cut_points(*columns, fixed_on=date(2026, 11, 1))).f5
    assert [int(scores[came.index(int(row["F"]))]) for row in rows] == [int(row["score"]) for row in rows]
    for row in rows:
        worse = sum(f < int(row["F"]) for f in came)
        assert row["buyers that are worse"].split()[0] == str(worse)
