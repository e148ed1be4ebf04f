"""The dashboard's pieces: a stored snapshot in, tiles, layers, cells and charts out, each with the list behind it.

Nothing is computed live: figures are those of `insight.queries.figures` (its docstring gives their shape), so a page is as
fast at a million members as at ten.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from shuke.doors.console import charts, words
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
STAGES_UP = ("lost", "degrading", "observing", "forming", "stable")  # from the one to worry about to the one to thank
GROWTH = charts.Frame(width=560, height=258, left=52, right=8, top=14, bottom=30)
RATES = charts.Frame(width=560, height=230, left=52, right=8, top=14, bottom=30)
LORENZ = charts.Frame(width=320, height=230, left=44, right=10, top=10, bottom=34)
EXPIRY = charts.Frame(width=560, height=200, left=64, right=8, top=22, bottom=30)


class Note(NamedTuple):
    """A line below a figure. It opens its own members where it names a number of them."""

    text: str
    url: str = ""
    members: int | None = None


NOTHING = Note("")


class Tile(NamedTuple):
    """One key figure. `kind` says how to write it: count, money, rate, or thousandths."""

    key: str
    name: str
    value: float | int | None
    kind: str
    note: Note
    url: str
    members: int | None  # how many the list behind it holds
    definition: str
    spark: list[float]
    icon: str
    reason: str  # why there is no value, or a rough one


class Layer(NamedTuple):
    code: str
    name: str
    meaning: str
    members: int
    share: float | None  # of members
    money_share: float | None
    net_minor: int
    points: str
    url: str


class Cell(NamedTuple):
    r: int
    f: int
    members: int
    net_minor: int
    heat: int
    url: str


class MapRow(NamedTuple):
    r: int
    label: str
    cells: list[Cell]


def members_url(**filters: Any) -> str:
    """The member list with these filters (insight.queries.filters)."""
    asked = [(k, v) for k, v in filters.items() if v not in (None, "")]
    return reverse("console:members") + ("?" + urlencode(asked) if asked else "")


def span(day: date, back: int, upto: int = 0) -> str:
    """The days from `back` − 1 before a day to `upto` before it, as a filter's period."""
    return f"{day - timedelta(days=back - 1)}..{day - timedelta(days=upto)}"


def tiles(figures: dict[str, Any]) -> list[Tile]:
    """Key figures that need no other room; the points liability comes from the books."""
    kpi, day = figures["kpi"], date.fromisoformat(figures["as_of"])
    active_days, window = figures["active_days"], figures["window_days"]
    whole = [m for m in figures["months"] if not m["partial"]]
    before: dict[str, Any] = next((m for m in reversed(figures["months"]) if m["month"] < figures["as_of"][:7]), {})
    reasons = words.why_missing(figures)

    def tile(key: str, kind: str, url: str, members: int | None, note: Note, *, icon: str, series: str = "") -> Tile:
        spark = [m[series] for m in whole[-12:] if m.get(series) is not None] if series else []
        return Tile(
            key,
            words.said(wording.FIGURES[key][0]),
            kpi[key],
            kind,
            note,
            url,
            members,
            words.definition(key, figures),
            spark if len(spark) > 2 else [],
            icon,
            reasons.get(key, ""),
        )

    def last_month(text: str, **behind: Any) -> Note:
        if not text:
            return NOTHING
        members = behind.pop("members")
        return Note(_("%(figure)s the month before") % {"figure": text}, members_url(**behind), members)

    left = _("%(part)s of %(whole)s who were active")
    came = _("%(part)s of %(whole)s buyers came back")
    bought = members_url(bought="year", sort="-spent")
    return [
        tile(
            "members",
            "count",
            members_url(joined=f"..{day}"),
            kpi["members"],
            Note(
                _("%(figure)s have bought") % {"figure": grouped(kpi["buyers"])},
                members_url(bought="ever"),
                kpi["buyers"],
            ),
            icon="users",
            series="members",
        ),
        tile(
            "new_members",
            "count",
            members_url(joined=f"{day.replace(day=1)}..{day}"),
            kpi["new_members"],
            last_month(
                grouped(before.get("new_members")), joined=before.get("month"), members=before.get("new_members")
            ),
            icon="user-plus",
            series="new_members",
        ),
        tile(
            "active",
            "count",
            members_url(last_from=day - timedelta(days=active_days - 1)),
            kpi["active"],
            Note(_("%(figure)s of all members") % {"figure": rate(kpi["active_rate"])})
            if kpi["active_rate"] is not None
            else NOTHING,
            icon="activity",
            series="active",
        ),
        tile(
            "degrading",
            "count",
            members_url(view="at_risk"),
            kpi["degrading"],
            Note(
                _("%(figure)s more are lost") % {"figure": grouped(kpi["lost"])}, members_url(view="lost"), kpi["lost"]
            ),
            icon="alert-triangle",
        ),
        tile(
            "repeat_rate",
            "rate",
            members_url(bought="again", sort="-orders"),
            kpi["repeat_buyers"],
            Note(
                came % {"part": grouped(kpi["repeat_buyers"]), "whole": grouped(kpi["window_buyers"])},
                members_url(bought="year", sort="-orders"),
                kpi["window_buyers"],
            ),
            icon="repeat",
            series="repeat_rate",
        ),
        tile(
            "churn_rate",
            "rate",
            members_url(last_from=day - timedelta(days=2 * active_days - 1), last_to=day - timedelta(days=active_days)),
            kpi["churned"],
            Note(
                left % {"part": grouped(kpi["churned"]), "whole": grouped(kpi["churn_base"])},
                members_url(paid=span(day, 2 * active_days, active_days)),
                kpi["churn_base"],
            )
            if kpi["churned"] is not None
            else NOTHING,
            icon="user-minus",
            series="churn_rate",
        ),
        tile(
            "basket_minor",
            "money",
            bought,
            kpi["window_buyers"],
            Note(
                _("%(figure)s items per basket") % {"figure": f"{kpi['items_milli'] / 1000:,.1f}"},
                members_url(paid=span(day, window), sort="-orders"),
                kpi["window_buyers"],
            )
            if kpi["items_milli"] is not None
            else NOTHING,
            icon="shopping-bag",
            series="basket_minor",
        ),
    ]


def pyramid(figures: dict[str, Any]) -> dict[str, Any]:
    """Layers, top first, with their shapes; and the 20/80 curve."""
    told = figures["pyramid"]
    people = sum(layer["count"] for layer in told["layers"])
    money = sum(layer["net_minor"] for layer in told["layers"])
    shapes = charts.layers(len(told["layers"]), width=200, height=224)
    layers = [
        Layer(
            layer["layer"],
            words.layer(layer["layer"]),
            words.said(wording.LAYER_MEANINGS[layer["layer"]]),
            layer["count"],
            layer["count"] / people if people else None,
            layer["net_minor"] / money if money else None,
            layer["net_minor"],
            shape,
            members_url(layer=layer["layer"]),
        )
        for layer, shape in zip(told["layers"], shapes, strict=True)
    ]
    curve = told["curve"]
    drawn = None
    if curve:
        at20 = charts.curve_at(curve, 0.2)
        drawn = {
            "frame": LORENZ,
            "points": charts.curve(curve, LORENZ),
            "even": charts.curve([(0, 0), (1, 1)], LORENZ),
            "area": charts.curve([*curve, (1, 0), (0, 0)], LORENZ),
            "x20": charts.one(LORENZ.x(0.2)),
            "y20": charts.one(LORENZ.y(at20)),
            "floor": charts.one(LORENZ.y(0)),
            "ticks": [(charts.one(LORENZ.x(s)), charts.one(LORENZ.y(s)), f"{s * 100:.0f}%") for s in (0, 0.5, 1)],
        }
    return {
        "layers": layers,
        "curve": drawn,
        "top20_share": told["top20_share"],
        "top20": _spenders(told.get("top20")),
        "for_80": _spenders(told.get("for_80")),
        "members_for_80_rate": told["members_for_80_rate"],
        "gini": told["gini"],
        "bonds": _bonds(told.get("bonds", [])),
        "bonds_definition": words.definition("bonds", figures),
        "without_purchase": told["without_purchase"],
        "without_url": members_url(bought="idle"),
        "definition": words.definition("pyramid", figures),
        "curve_definition": words.definition("curve", figures),
        "reason": words.why_missing(figures).get("pyramid", ""),
    }


def _spenders(told: dict[str, int] | None) -> dict[str, Any] | None:
    """The people behind a point of the curve."""
    if not told:
        return None
    return {"url": members_url(year_from=told["from_minor"], sort="-spent"), "members": told["count"]}


def _bonds(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Loyalty layers; none from a snapshot made before there were any."""
    pieces = charts.stack([b["count"] for b in told], width=100, gap=0.4)
    return [
        {
            "code": b["bond"],
            "name": words.bond(b["bond"]),
            "meaning": words.said(wording.BOND_MEANINGS[b["bond"]]),
            "count": b["count"],
            "net_minor": b["net_minor"],
            "piece": piece,
            "url": members_url(bond=b["bond"]),
        }
        for b, piece in zip(told, pieces, strict=True)
    ]


def rfm(figures: dict[str, Any]) -> dict[str, Any]:
    """The 5×5 map with the bounds of its rows and columns, and the eight classes."""
    told = figures["rfm"]
    highest = max((cell["count"] for cell in told["map"]), default=0)
    highest_money = max((row["count"] for row in told["monetary"]), default=0)
    cells = {(c["r"], c["f"]): c for c in told["map"]}
    rows = [
        MapRow(
            r,
            _recency_label(told["cuts"]["r"], r),
            [
                Cell(
                    r,
                    f,
                    cells[r, f]["count"],
                    cells[r, f]["net_minor"],
                    charts.heat(cells[r, f]["count"], highest),
                    members_url(cell=f"{r}-{f}"),
                )
                for f in range(1, 6)
            ],
        )
        for r in range(5, 0, -1)
    ]
    people = sum(c["count"] for c in told["classes"])
    money = sum(c["net_minor"] for c in told["classes"])
    classes = [
        {
            "code": c["code"],
            "name": words.rfm_class(c["code"]),
            "strategy": words.said(wording.RFM_STRATEGIES[c["code"]]),
            "count": c["count"],
            "share": c["count"] / people if people else None,
            "net_minor": c["net_minor"],
            "money_share": c["net_minor"] / money if money else None,
            "url": members_url(rfm=c["code"]),
        }
        for c in told["classes"]
    ]
    return {
        "rows": rows,
        "monetary": [
            (row["m"], row["count"], members_url(m=row["m"]), charts.heat(row["count"], highest_money))
            for row in reversed(told["monetary"])  # rising like F above it
        ],
        "columns": [(f, _frequency_label(told["cuts"]["f"], f)) for f in range(1, 6)],
        "classes": classes,
        "people": people,
        "money": money,
        "none": told["none"],
        "none_url": members_url(joined=f"..{figures['as_of']}", bought="never"),
        "definition": words.definition("rfm", figures),
        "reason": words.why_missing(figures).get("rfm", ""),
    }


def _recency_label(steps: list[int | None], score: int) -> str:
    """Days since the last order that get this score. Steps are the bounds of scores 2 … 5, falling."""
    upper = steps[score - 2] if score > 1 else None
    lower = steps[score - 1] if score < 5 else None
    if score > 1 and upper is None:
        return "–"
    if score == 1:
        return _("over %(days)s days") % {"days": grouped(lower)} if lower is not None else "–"
    if lower is None:
        return _("up to %(days)s days") % {"days": grouped(upper)} if upper else _("that day")
    return _("%(from)s–%(to)s days") % {"from": grouped(int(lower) + 1), "to": grouped(upper)}


def _frequency_label(steps: list[int | None], score: int) -> str:
    """Order days that get this score. Steps are the bounds of scores 2 … 5, rising."""
    lower = steps[score - 2] if score > 1 else 1
    upper = steps[score - 1] if score < 5 else None
    if lower is None:
        return "–"
    if upper is None:
        return _("≥%(times)s×") % {"times": grouped(lower)}
    if upper - 1 <= lower:
        return _("%(times)s×") % {"times": grouped(lower)}
    return _("%(from)s–%(to)s×") % {"from": grouped(lower), "to": grouped(upper - 1)}


def lifecycle(figures: dict[str, Any]) -> dict[str, Any]:
    """Stages as one bar and as a list."""
    told = figures["lifecycle"]
    pieces = charts.stack([s["count"] for s in told["stages"]], width=100, gap=0.4)
    return {
        "stages": [
            {
                "code": s["stage"],
                "name": words.stage(s["stage"]),
                "meaning": words.said(wording.STAGE_MEANINGS[s["stage"]]),
                "count": s["count"],
                "piece": piece,
                "url": members_url(stage=s["stage"]),
            }
            for s, piece in zip(told["stages"], pieces, strict=True)
        ],
        "none": told["none"],
        "gap": told["shop_gap_days"],
        "definition": words.definition("lifecycle", figures),
        "reason": words.why_missing(figures).get("lifecycle", ""),
    }


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


def grades(held: dict[str, int], looks: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """Members by tier, highest first; tiers the charter no longer has come last, under their key."""
    order = [*reversed(looks), *(key for key in held if key not in looks)]
    whole = sum(held.values())
    return {
        "rows": [
            {
                "key": key,
                "name": looks.get(key, (key, 0))[0],
                "shade": looks.get(key, (key, 0))[1],
                "count": held.get(key, 0),
                "share": held.get(key, 0) / whole if whole else None,
                "url": members_url(tier=key),
            }
            for key in order
        ],
        "whole": whole,
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


def last(rows: list[dict[str, Any]], name: str) -> str:
    """The newest known rate, written."""
    known = [row[name] for row in rows if row[name] is not None]
    return rate(known[-1]) if known else "–"


def grouped(number: float | int | None) -> str:
    return "" if number is None else f"{number:,.0f}"


def compact(number: float) -> str:
    """A round figure for an axis: 800k, 80万; small ones in full."""
    if abs(number) < 10_000:
        return grouped(number)
    if words.language().startswith("zh"):
        return f"{number / 10_000:,g}万" if number < 100_000_000 else f"{number / 100_000_000:,g}亿"
    return f"{number / 1_000:,g}k" if number < 1_000_000 else f"{number / 1_000_000:,g}M"


def rate(share: float | None, decimals: int = 1) -> str:
    return "" if share is None else f"{share * 100:.{decimals}f}%"
