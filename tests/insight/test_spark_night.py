"""A whole night on a real cluster stores what the engine in this process stores, to the last cell: figures, scores, the answers of
growth, cohorts and movement, and what the jobs after it make of the same orders. Run by `make test-spark`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shuke.engine.insight.port_spark import Spark
from shuke.insight import actions
from shuke.insight.models import GoodsReport, MemberProfit, MemberScore, ProfitReport, StoredReport
from shuke.insight.queries import analytics, figures, growth, profile_traits
from tests.engine.insight import cluster as clusters
from tests.insight.test_members_behind import DAY, busy  # noqa: F401 - a shop with fourteen months of all sorts of habits
from tests.insight.test_reports import answers, ways  # noqa: F401 - its members came by three ways
from tests.insight.till import night

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.spark,
    pytest.mark.skipif(bool(clusters.missing()), reason=clusters.missing()),
]
MONTHS = [(by, "month") for by in growth.DIVISIONS]  # a cluster is asked for no finer ones ahead


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with clusters.running(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def a_night(shop) -> dict[str, Any]:
    """Everything it leaves behind, and the jobs after it."""
    merchant, now = shop.merchant, night(shop, DAY.isoformat())
    for kept in (StoredReport, MemberScore, MemberProfit, ProfitReport, GoodsReport):
        kept.objects.all().delete()
    actions.snapshot(merchant=merchant, day=DAY, now=now)
    actions.goods_report(merchant=merchant, day=DAY, now=now)
    actions.profit_report(merchant=merchant, day=DAY, now=now)
    actions.profile_columns(merchant=merchant, day=DAY, now=now)
    profiles = profile_traits.kept(merchant)
    assert profiles is not None
    return {
        "figures": figures.latest(merchant),
        "scores": list(MemberScore.objects.order_by("member").values()),
        "goods": [report.figures for report in GoodsReport.objects.order_by("level")],
        "profit": [report.figures for report in ProfitReport.objects.all()],
        "of members": list(MemberProfit.objects.order_by("member").values()),
        "net": profiles.net.tolist(),
        "traits": [(t.key, t.options, np.asarray(t.known()).tolist()) for t in profiles.traits],
    }


def test_a_night_on_a_cluster_stores_what_a_night_in_this_process_stores(
    ways,  # noqa: F811
    cluster,
    settings,
    monkeypatch,
):
    here = a_night(ways)
    told_here = answers(ways, MONTHS)
    used: list[type] = []
    opened = analytics.opened

    def watched(**asked):
        engine = opened(**asked)
        used.append(type(engine))
        return engine

    monkeypatch.setattr(analytics, "opened", watched)
    settings.SHUKE_ANALYTICS = cluster.address
    there = a_night(ways)
    assert set(used) == {Spark}
    for what, wanted in here.items():
        assert there[what] == wanted, what
    asked = len(used)
    stored = set(StoredReport.objects.values_list("question", flat=True))
    assert {f"{what}:month:{by}" for what in ("growth", "cohorts") for by in growth.DIVISIONS} <= stored
    assert answers(ways, MONTHS) == told_here
    assert len(used) == asked  # the pages read what was stored
