"""The key figures on top, each with its definition, its course and the members behind it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from shuke.doors.console import words
from shuke.doors.console.board.shapes import NOTHING, Note, Tile, grouped, members_url, rate, span
from shuke.engine.insight import wording


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


def concentration(figures: dict[str, Any]) -> list[Tile]:
    """How much of the revenue has a name at all, first; then how unequally those who have one spend."""
    told, kpi, day = figures["pyramid"], figures["kpi"], date.fromisoformat(figures["as_of"])
    reasons = words.why_missing(figures)
    year = members_url(paid=span(day, figures["window_days"]), sort="-spent")
    top, for_80 = told.get("top20") or {}, told.get("for_80") or {}

    def spenders(one: dict[str, int]) -> tuple[str, int | None]:
        return (members_url(year_from=one["from_minor"], sort="-spent"), one["count"]) if one else ("", None)

    rows: list[tuple[str, float | None, str, str, int | None, str]] = [
        ("identified_rate", told["identified_rate"], "rate", year, kpi["window_buyers"], "users"),
        ("gini", told["gini"], "index", year, kpi["window_buyers"], "chart-dots"),
        ("top20_share", told["top20_share"], "rate", *spenders(top), "coins"),
        ("members_for_80_rate", told["members_for_80_rate"], "rate", *spenders(for_80), "coins"),
    ]
    return [
        Tile(key, words.said(wording.FIGURES[key][0]), value, kind, NOTHING, url, members, words.definition(key, figures), [], icon, reasons.get("pyramid", ""))
        for key, value, kind, url, members, icon in rows
    ]  # fmt: skip
