"""The totals of a profit report, from the rows of all members. Their shape is told in insight/queries/profit.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from shuke.engine.insight import budget, kpi, profit, traits
from shuke.engine.insight.profit import Stated
from shuke.insight.actions.profit_rows import Rows
from shuke.insight.queries.profit_bought import Bought
from shuke.insight.queries.profit_columns import NONE
from shuke.insight.queries.profit_inputs import Terms
from shuke.insight.queries.profit_people import People
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
    [(_name, whole)] = _parts(rows, np.zeros(who.member.size, np.int8), [""]) or [("", _NOBODY)]
    kept = int(bought.kept.sum())
    return {
        "as_of": day.isoformat(),
        "currency": merchant.currency,
        "window_days": kpi.WINDOW_DAYS,
        "terms": terms._asdict() | {"stated": {what: len(keys) for what, keys in told.items()}},
        "stated_share": int(bought.stated.sum()) * 1000 // kept if kept else 0,
        "whole": whole,
        "groups": [
            {"key": f"{what}:{name}"} | one
            for what in GROUPS
            for name, one in sorted(_parts(rows, who.groups[what].code, who.groups[what].names))
        ],
        "types": _every(rows, "loyalty", traits.TYPES),
        "qualities": _every(rows, "quality", traits.QUALITIES),
        "measures": measures._asdict(),
        "price": _price(bought),
        "budgets": [_budgets(rows, code) for code in range(len(budget.ADVICE))],
        "losing": int((rows["year_profit_minor"] < 0).sum()),
        "with_costs": {kind: int((rows[f"year_{kind}_minor"] != 0).sum()) for kind in profit.KINDS},
        "wallet": _wallet(who, rows),
        "recommend": int((who.recommend >= 0).sum()),
    }  # fmt: skip


_SUMMED = ("net", "margin", *profit.KINDS, "profit")


def _told(members: int, buyers: int, sums: dict[str, int]) -> dict[str, Any]:
    year = {name: sums[f"year_{name}_minor"] for name in _SUMMED}
    ever = {name: sums[f"{name}_minor"] for name in _SUMMED}
    return {"members": members, "buyers": buyers, "year": year, "ever": ever}


_NAMES = [f"{prefix}{name}_minor" for prefix in ("year_", "") for name in _SUMMED]
_NOBODY = _told(0, 0, dict.fromkeys(_NAMES, 0))


def _parts(rows: Rows, code: np.ndarray, names: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Sums by group of members, whole numbers throughout; groups without any are left out."""
    if not code.size:
        return []
    order = np.argsort(code.astype(np.int16), kind="stable")
    begins = np.flatnonzero(np.diff(code[order], prepend=-1))
    members = np.diff(np.append(begins, code.size)).tolist()

    def sums(column: np.ndarray) -> list[int]:
        return np.add.reduceat(column[order].astype(np.int64), begins).tolist()

    by_name = {name: sums(rows[name]) for name in _NAMES}
    buyers = sums(rows["year_net_minor"] > 0)
    return [
        (names[number], _told(members[i], buyers[i], {name: column[i] for name, column in by_name.items()}))
        for i, number in enumerate(code[order][begins].tolist())
    ]


def _every(rows: Rows, what: str, names: Sequence[str]) -> list[dict[str, Any]]:
    found = dict(_parts(rows, rows[what], names))
    return [{"key": name} | found.get(name, _NOBODY) for name in names]


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
