"""The totals of a profit report, from the rows of all members. Their shape is told in insight/queries/profit.py."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from shuke.engine.insight import budget, kpi, profit, traits
from shuke.engine.insight.profit import Stated
from shuke.insight.actions.profit_rows import NONE, Rows
from shuke.insight.queries.profit_bought import Bought
from shuke.insight.queries.profit_inputs import Terms
from shuke.insight.queries.profit_people import Named, People
from shuke.shops.models import Merchant

GROUPS = ("tier", "layer", "rfm")


def figures(
    merchant: Merchant,
    day: date,
    who: People,
    rows: Rows,
    bought: Bought,
    measures: traits.Measures,
    terms: Terms,
    told: dict[str, dict[str, Stated]],
) -> dict[str, Any]:
    everybody = np.ones(who.member.size, bool)
    kept = int(bought.kept.sum())
    return {
        "as_of": day.isoformat(),
        "currency": merchant.currency,
        "window_days": kpi.WINDOW_DAYS,
        "terms": terms._asdict() | {"stated": {what: len(keys) for what, keys in told.items()}},
        "stated_share": int(bought.stated.sum()) * 1000 // kept if kept else 0,
        "whole": _sums(rows, everybody),
        "groups": [
            {"key": f"{what}:{name}"} | _sums(rows, here)
            for what in GROUPS
            for name, here in _parts(who.groups[what])
        ],
        "types": [{"key": name} | _sums(rows, rows["loyalty"] == code) for code, name in enumerate(traits.TYPES)],
        "qualities": [{"key": name} | _sums(rows, rows["quality"] == code) for code, name in enumerate(traits.QUALITIES)],
        "measures": measures._asdict(),
        "price": _price(bought),
        "budgets": [_budgets(rows, code) for code in range(len(budget.ADVICE))],
        "losing": int((rows["year_profit_minor"] < 0).sum()),
        "with_costs": {kind: int((rows[f"year_{kind}_minor"] != 0).sum()) for kind in profit.KINDS},
        "wallet": _wallet(who, rows),
        "recommend": int((who.recommend >= 0).sum()),
    }  # fmt: skip


def _parts(who: Named) -> list[tuple[str, np.ndarray]]:
    """In the order of their names; those in none and those of nobody are left out."""
    seen = np.bincount(who.code, minlength=len(who.names)) > 0
    listed = sorted((name, code) for code, name in enumerate(who.names) if name and seen[code])
    return [(name, who.code == code) for name, code in listed]


def _sums(rows: Rows, here: np.ndarray) -> dict[str, Any]:
    def told(prefix: str) -> dict[str, int]:
        wanted = ("net", "margin", *profit.KINDS, "profit")
        return {name: int(rows[f"{prefix}{name}_minor"][here].sum()) for name in wanted}

    bought = rows["year_net_minor"][here] > 0
    return {"members": int(here.sum()), "buyers": int(bought.sum()), "year": told("year_"), "ever": told("")}


def _price(bought: Bought) -> dict[str, Any] | None:
    price = bought.price
    if price is None:
        return None
    return {
        "mean": round(price.mean, 4),
        "between": round(price.between, 6),
        "within": round(price.within, 6),
        "published": int((price.orders >= traits.ORDERS_NEEDED).sum()),
        "halves": {
            least: {"r": None if np.isnan(r) else round(r, 3), "members": members}
            for least, (r, members) in bought.halves.items()
        },
    }


def _budgets(rows: Rows, advice: int) -> dict[str, Any]:
    here = rows["advice"] == advice

    def total(name: str) -> int:
        return int(rows[name][here & (rows[name] != NONE)].sum())

    return {"key": budget.ADVICE[advice], "members": int(here.sum()), "stays": total("stays_minor"), "worth": total("worth_minor")} | {
        "budget": total("budget_minor"), "low": total("budget_low"), "high": total("budget_high"),
    }  # fmt: skip


def _wallet(who: People, rows: Rows) -> dict[str, int]:
    known = (who.wallet > 0) & (rows["year_net_minor"] > 0)
    here = rows["year_net_minor"][known]
    elsewhere = here * 1000 // who.wallet[known] - here if known.any() else np.zeros(0, np.int64)
    return {"members": int(known.sum()), "net": int(here.sum()), "elsewhere": int(elsewhere.sum())}
