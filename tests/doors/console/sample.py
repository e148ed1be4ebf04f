"""A made-up snapshot in the shape of `insight.queries.figures`: what the dashboard's tests look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shuke.insight.models import Snapshot
from shuke.shops.models import Merchant

DAY = "2017-12-31"
CODES = ("222", "212", "122", "112", "221", "211", "121", "111")


def figures(stores: list[tuple[int, str]]) -> dict[str, Any]:
    """2,469 members of a grocer over one year; every figure fits the others."""
    months = []
    for i in range(12):
        joined = (600, 420, 310, 260, 210, 180, 150, 120, 95, 70, 42, 12)[i]
        months.append(
            {
                "month": f"2017-{i + 1:02d}",
                "partial": False,
                "members": (600, 1020, 1330, 1590, 1800, 1980, 2130, 2250, 2345, 2415, 2457, 2469)[i],
                "new_members": joined,
                "buyers": 1500 + 60 * i,
                "orders": 11_000 + 210 * i,
                "net_minor": 52_000_000 + 1_700_000 * i,
                "basket_minor": 4_600 + 12 * i,
                "items_milli": 9_100 + 31 * i,
                "active": 600 + 155 * i,
                "active_rate": round(0.98 - 0.006 * i, 4),
                "churn_rate": None if i < 6 else round(0.031 + 0.002 * (i - 6), 4),
                "repeat_rate": None if i < 3 else round(0.81 + 0.015 * (i - 3), 4),
                "identified_rate": 0.98,
            }
        )
    counts = (700, 180, 240, 95, 420, 360, 210, 261)
    spend = (520_000_000, 60_000_000, 70_000_000, 20_000_000, 30_000_000, 15_000_000, 10_000_000, 5_000_000)
    cells = [(r, f) for r in range(5, 0, -1) for f in range(1, 6)]
    # Who comes often came lately: cells along the diagonal are full.
    sizes = [max(0, 210 - 52 * abs(r - f) + 3 * r) for r, f in cells]
    sizes[-1] = 0
    return {
        "as_of": DAY,
        "made_at": "2018-01-01T02:00:00+00:00",
        "currency": "CNY",
        "window_days": 365,
        "active_days": 90,
        "history": {"first_day": "2017-01-01", "last_day": DAY, "days": 365, "orders": 155_848, "lines": 1_469_307},
        "missing": [],
        "kpi": {
            "members": 2469,
            "buyers": 2466,
            "new_members": 12,
            "active": 2305,
            "active_rate": 0.9336,
            "churn_base": 2400,
            "churned": 103,
            "churn_rate": 0.0429,
            "window_buyers": 2466,
            "repeat_buyers": 2330,
            "repeat_rate": 0.9448,
            "orders": 155_848,
            "net_minor": 730_000_000,
            "basket_minor": 4684,
            "items_milli": 9428,
            "identified_rate": 0.98,
            "month_orders": 13_310,
            "month_net_minor": 70_700_000,
            "degrading": 164,
            "lost": 73,
        },
        "months": months,
        "stores": [
            {
                "store": pk,
                "name": name,
                "orders": 60_000 // (i + 1),
                "buyers": 1_900 // (i + 1),
                "net_minor": 300_000_000 // (i + 1),
                "basket_minor": 4_700 - 200 * i,
                "items_milli": 9_500 - 400 * i,
                "active": 1_500 // (i + 1),
                "new_members": 6 - i,
                "repeat_rate": 0.93 - 0.04 * i,
            }
            for i, (pk, name) in enumerate(stores)
        ],
        "stores_left_out": 0,
        "store_months": {"months": [], "rows": []},
        "rfm": {
            "classes": [
                {"code": code, "count": count, "net_minor": money}
                for code, count, money in zip(CODES, counts, spend, strict=True)
            ],
            "map": [
                {"r": r, "f": f, "count": size, "net_minor": size * 290_000}
                for (r, f), size in zip(cells, sizes, strict=True)
            ],
            "monetary": [{"m": m, "count": 493, "net_minor": 146_000_000} for m in range(5, 0, -1)],
            "none": 3,
            "cuts": {
                "fixed_on": "2017-12-01",
                "next_on": "2018-01-01",
                "r": [32, 11, 5, 2],
                "f": [12, 26, 48, 83],
                "m": [40_000, 120_000, 260_000, 480_000],
                "two": {"r": 21.4, "f": 50.2, "m": 295_000.0},
                "own": False,
            },
        },
        "pyramid": {
            "layers": [
                {"layer": "key", "count": 25, "net_minor": 43_000_000, "from_minor": 1_420_000},
                {"layer": "main", "count": 99, "net_minor": 128_000_000, "from_minor": 910_000},
                {"layer": "potential", "count": 370, "net_minor": 227_000_000, "from_minor": 480_000},
                {"layer": "target", "count": 1975, "net_minor": 332_000_000, "from_minor": None},
            ],
            "bonds": [
                {"bond": "loyal", "count": 1978, "net_minor": 650_000_000},
                {"bond": "drifting", "count": 405, "net_minor": 76_000_000},
                {"bond": "potential", "count": 86, "net_minor": 4_000_000},
            ],
            "without_purchase": 3,
            "shares": [0.01, 0.04, 0.15, 0.80],
            "fixed_on": "2017-12-01",
            "curve": [[0, 0], [0.05, 0.23], [0.1, 0.36], [0.2, 0.545], [0.35, 0.72], [0.5, 0.85], [0.75, 0.97], [1, 1]],
            "gini": 0.5247,
            "top20_share": 0.5457,
            "top20": {"from_minor": 480_000, "count": 494},
            "members_for_80_rate": 0.4402,
            "for_80": {"from_minor": 210_000, "count": 1086},
            "identified_rate": 0.98,
        },
        "lifecycle": {
            "stages": [
                {"stage": "observing", "count": 61, "net_minor": 2_000_000},
                {"stage": "forming", "count": 190, "net_minor": 14_000_000},
                {"stage": "stable", "count": 1978, "net_minor": 650_000_000},
                {"stage": "degrading", "count": 164, "net_minor": 44_000_000},
                {"stage": "lost", "count": 73, "net_minor": 20_000_000},
            ],
            "none": 3,
            "shop_gap_days": 6.8,
            "pull": 1.9,
            "gaps": 140_000,
        },
        "movement": {"since": None, "rfm": [], "layer": [], "stage": []},
    }


def store(merchant: Merchant, stores: list[tuple[int, str]]) -> Snapshot:
    """Keep the made-up snapshot for a merchant."""
    told = figures(stores)
    return Snapshot.objects.create(
        merchant=merchant,
        day=DAY,
        made_at=datetime(2018, 1, 1, 2, tzinfo=UTC),
        figures=told,
        cuts={"rfm": told["rfm"]["cuts"]},
    )
