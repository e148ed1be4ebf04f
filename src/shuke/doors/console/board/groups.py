"""Members in groups: pyramid, RFM map, life cycle, tiers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from shuke.doors.console import charts, words
from shuke.doors.console.board.shapes import Cell, Layer, MapRow, grouped, members_url
from shuke.engine.insight import wording

STAGES_UP = ("lost", "degrading", "observing", "forming", "stable")  # from the one to worry about to the one to thank
LORENZ = charts.Frame(width=320, height=230, left=44, right=10, top=10, bottom=34)


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
    if upper is not None and int(lower) >= upper:  # so many came on one day that no day is left for this score
        return "–"
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
