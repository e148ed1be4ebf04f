"""Every figure of the dashboard opens a list of exactly as many members. Over a real snapshot, not a made-up one."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qsl

import pytest

from shuke.doors.console import board
from shuke.insight.queries import figures as insight
from shuke.insight.queries.directory import count
from shuke.insight.queries.filters import parse
from tests.insight.test_members_behind import busy  # noqa: F401 - a shop with fourteen months of all sorts of habits
from tests.insight.till import night

pytestmark = pytest.mark.django_db


def test_every_figure_agrees_with_the_list_it_opens(busy):  # noqa: F811
    figures = insight.latest(busy.merchant)
    assert figures is not None
    day = date.fromisoformat(figures["as_of"])
    since = day - timedelta(days=board.MOVED_DAYS)
    kpi, tiles = figures["kpi"], {tile.key: tile for tile in board.tiles(figures)}
    flows = {
        what: insight.movement(busy.merchant, what=what, since=since, until=day) for what in ("stage", "layer", "rfm")
    }
    told = [
        ("new members", kpi["new_members"], tiles["new_members"].url),
        ("active", kpi["active"], tiles["active"].url),
        ("degrading", kpi["degrading"], tiles["degrading"].url),
        ("came back", kpi["repeat_buyers"], tiles["repeat_rate"].url),
        ("churned", kpi["churned"], tiles["churn_rate"].url),
        *((layer.code, layer.members, layer.url) for layer in board.pyramid(figures)["layers"]),
        *((bond["code"], bond["count"], bond["url"]) for bond in board.pyramid(figures)["bonds"]),
        *((f"{c.r}-{c.f}", c.members, c.url) for row in board.rfm(figures)["rows"] for c in row.cells),
        *((one["code"], one["count"], one["url"]) for one in board.rfm(figures)["classes"]),
        *((one["code"], one["count"], one["url"]) for one in board.lifecycle(figures)["stages"]),
        *((month["month"], month["new_members"], month["url"]) for month in board.months(figures)["rows"]),
        *((store["name"], store["buyers"], store["url"]) for store in board.stores(figures)["rows"]),
        *((row["label"], row["count"], row["url"]) for kind in board.movement(flows, since) for row in kind["rows"]),
    ]
    listed = []
    for name, _figure, url in told:
        filters = parse([pair for pair in parse_qsl(url.partition("?")[2]) if pair[0] != "sort"])
        listed.append((name, count(busy.merchant, filters, now=night(busy, str(day))), url))
    assert listed == told
    assert sum(figure for _name, figure, _url in told if figure) > 100
    assert any(row["rows"] for row in board.movement(flows, since))
