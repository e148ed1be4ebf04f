"""What changes: months, movement between classes, points that will lapse, stores."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from shuke.doors.console import charts, words
from shuke.doors.console.board.groups import STAGES_UP
from shuke.doors.console.board.shapes import compact, last, members_url, rate, span
from shuke.engine.insight import wording
from shuke.engine.insight.pyramid import LAYERS
from shuke.engine.insight.rfm import CLASSES
from shuke.insight.queries.figures import Flow
from shuke.kit import clock
from shuke.kit import money as kit_money
from shuke.loyalty.queries import expiring
from shuke.loyalty.queries.liability import Liability
from shuke.shops.models import Merchant

MONTHS_SHOWN = 18
EXPIRY_MONTHS = 13
MOVED_DAYS = 30
STORES_SHOWN = 10
FLOWS_SHOWN = 6
GROWTH = charts.Frame(width=560, height=258, left=52, right=8, top=14, bottom=30)
RATES = charts.Frame(width=560, height=230, left=52, right=8, top=14, bottom=30)
EXPIRY = charts.Frame(width=560, height=200, left=64, right=8, top=22, bottom=30)


def months(figures: dict[str, Any]) -> dict[str, Any]:
    """Growth and churn by month: bars of new members, lines of rates, and the figures as a table."""
    shown = figures["months"][-MONTHS_SHOWN:]
    top, step = charts.nice_top(max((m["new_members"] or 0 for m in shown), default=0))
    bars = charts.bars([m["new_members"] for m in shown], top, GROWTH)
    nth = charts.every(len(shown), 6)
    rates = [m[name] for m in shown for name in ("active_rate", "repeat_rate", "churn_rate") if m[name] is not None]
    rate_top, rate_step = charts.nice_top(max(rates, default=0))
    rate_top = min(rate_top, 1.0) if rate_top else 1.0
    return {
        "rows": [_month(m, figures) for m in shown],
        "now": _month(shown[-1], figures) if shown else None,
        "growth": {
            "frame": GROWTH,
            "ticks": [(t.at, compact(t.value)) for t in charts.ticks(top, step, GROWTH)],
            "bars": [(bar, m, _month(m, figures)["joined"]) for bar, m in zip(bars, shown, strict=True)],
            "labelled": len(shown) <= 12,
            "nth": nth,
            "end": charts.one(GROWTH.width - GROWTH.right),
            "label_y": charts.one(GROWTH.height - 8),
        },
        "rates": {
            "frame": RATES,
            "ticks": [(t.at, rate(t.value, 0)) for t in charts.ticks(rate_top, rate_step, RATES)],
            "lines": [
                (
                    code,
                    words.said(wording.FIGURES[code][0]),
                    charts.lines([m[code] for m in shown], rate_top, RATES),
                    last(shown, code),
                )
                for code in ("active_rate", "repeat_rate", "churn_rate")
            ],
            "months": [(bar.middle, m["month"]) for bar, m in zip(bars, shown, strict=True)],
            "nth": nth,
            "end": charts.one(RATES.width - RATES.right),
            "label_y": charts.one(RATES.height - 8),
        },
        "growth_definition": words.definition("new_members", figures),
        "rates_definition": words.definitions(("active_rate", "repeat_rate", "churn_rate"), figures),
        "definition": words.definitions(
            ("members", "orders", "net_minor", "basket_minor", "items_milli", "identified_rate"), figures
        ),
        "reason": words.why_missing(figures).get("churn_rate", ""),
    }


def _month(m: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """A month's figures with the lists behind them. The month of the snapshot ends with its day, not with today."""
    first = date.fromisoformat(f"{m['month']}-01")
    last = min(clock.add_months(first, 1) - timedelta(days=1), date.fromisoformat(figures["as_of"]))
    active, window = figures["active_days"], figures["window_days"]
    days = f"{first}..{last}" if m["partial"] else m["month"]
    gone, now = span(last, 2 * active, active), span(last, active)
    return m | {
        "all": members_url(joined=f"..{last}"),
        "joined": members_url(joined=days),
        "bought": members_url(paid=days, sort="-spent"),
        "active_url": members_url(paid=now),
        "repeat_url": members_url(paid=span(last, window), paid_days=2),
        "churn_url": members_url(paid=gone, unpaid=now),
        "churned": m.get("churned"),
        "repeat_buyers": m.get("repeat_buyers"),
    }


def liability(owed: Liability, merchant: Merchant, holders: dict[str, int]) -> dict[str, Any]:
    """What the shop owes in points, and when it lapses."""
    shown = owed.by_month[:EXPIRY_MONTHS]
    later = owed.by_month[EXPIRY_MONTHS:]
    rows = list(shown)
    if later:
        rows.append(("later", sum(r[1] for r in later), sum(r[2] for r in later)))
    top, step = charts.nice_top(max((points for _, points, _ in rows), default=0))
    names = {"": _("never"), "later": _("later")}
    return {
        "owed": owed,
        "url": members_url(points_from=1, sort="-points"),
        "pending_url": members_url(holding="pending"),
        "held_url": members_url(holding="held"),
        "debt_url": members_url(holding="debt"),
        "rows": [(names.get(month, month), points, money) for month, points, money in rows],
        "bars": [
            (
                bar,
                names.get(month, month[2:]),
                names.get(month, month),
                points,
                kit_money.show(money, merchant.currency),
                members_url(expires=month or expiring.NEVER, sort="-points") if month != "later" else "",
                holders.get(month),
            )
            for bar, (month, points, money) in zip(charts.bars([r[1] for r in rows], top, EXPIRY), rows, strict=True)
        ],
        "ticks": [(t.at, compact(t.value)) for t in charts.ticks(top, step, EXPIRY)],
        "frame": EXPIRY,
        "nth": charts.every(len(rows), 6),
        "end": charts.one(EXPIRY.width - EXPIRY.right),
        "label_y": charts.one(EXPIRY.height - 8),
    }


def movement(flows: dict[str, list[Flow]], since: date, until: date) -> list[dict[str, Any]]:
    """Who changed stage, layer or class, the largest flows first; newcomers are growth and stand elsewhere."""
    names = {"stage": "lifecycle", "layer": "pyramid", "rfm": "rfm"}
    ranks: dict[str, tuple[str, ...]] = {
        "stage": STAGES_UP,
        "layer": tuple(reversed(LAYERS)),
        "rfm": tuple(reversed(CLASSES)),
    }
    told = []
    for what, name in names.items():
        moved = [f for f in flows[what] if f.before and f.after]
        rank = ranks[what]
        told.append(
            {
                "name": words.said(wording.FIGURES[name][0]),
                "url": reverse("console:insight-movement")
                + "?"
                + urlencode({"what": what, "since": since, "until": until}),
                "rows": [
                    {
                        "label": words.flow(what, f.before, f.after),
                        "count": f.members,
                        "up": rank.index(f.after) > rank.index(f.before),
                        "url": members_url(moved=f"{what}:{f.before}:{f.after}:{since}:{until}"),
                    }
                    for f in moved[:FLOWS_SHOWN]
                ],
                "up": sum(f.members for f in moved if rank.index(f.after) > rank.index(f.before)),
                "down": sum(f.members for f in moved if rank.index(f.after) < rank.index(f.before)),
            }
        )
    return told


def stores(figures: dict[str, Any]) -> dict[str, Any]:
    """The per-store table."""
    day = date.fromisoformat(figures["as_of"])
    rows = [
        s
        | {
            "url": members_url(bought_in=s["store"], sort="-spent"),
            "active_url": members_url(bought_in=s["store"], paid=span(day, figures["active_days"])),
            "repeat_url": members_url(bought_in=s["store"], paid_days=2),
            "repeat_buyers": s.get("repeat_buyers"),
            "new_url": members_url(store=s["store"], joined=f"{day.replace(day=1)}..{day}"),
        }
        for s in figures["stores"]
    ]
    return {
        "rows": rows[:STORES_SHOWN],
        "more": rows[STORES_SHOWN:],
        "left_out": figures["stores_left_out"],
        "definition": words.definitions(
            ("net_minor", "orders", "basket_minor", "items_milli", "repeat_rate", "active"), figures
        ),
        "most": max((s["net_minor"] for s in figures["stores"]), default=0),
    }
