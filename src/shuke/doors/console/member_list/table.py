"""The rows of a list page: headings, cells, and the way to the next page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.member_list.asked import HEADINGS, NUMBERS, SORTED_BY, Asked
from shuke.doors.console.templatetags.console import masked_phone, money
from shuke.engine.insight import profit_words
from shuke.engine.insight.chances import band
from shuke.insight.queries.directory import Page, Row
from shuke.members.queries import Hit

DASH = "–"


class Head(NamedTuple):
    key: str
    label: str
    number: bool
    url: str  # "" where the list cannot be sorted by it
    direction: str  # ascending | descending | ""


class Cell(NamedTuple):
    key: str
    label: str
    number: bool
    shown: str


class TableRow(NamedTuple):
    id: int
    name: str
    url: str
    cells: list[Cell]


def heads(asked: Asked, shown: list[str]) -> list[Head]:
    found = []
    for key in ["name", *shown]:
        sort = SORTED_BY.get(key, "")
        current = sort != "" and asked.sort.removeprefix("-") == sort
        down = asked.sort.startswith("-")
        turned = sort if current and down else f"-{sort}"
        found.append(
            Head(
                key,
                str(HEADINGS[key]),
                key in NUMBERS,
                Asked(asked.filters, turned, 1).url() if sort else "",
                ("descending" if down else "ascending") if current else "",
            )
        )
    return found


def table(
    request: StaffRequest, rows: list[Row], shown: list[str], asked: Asked, hits: Mapping[int, Hit]
) -> list[TableRow]:
    """The rows as they are shown; of a phone found by digits, those typed stand open in it (`hits`).

    Built here and not in the template: fifty rows of seven choices each would be slow."""
    query = asked.query()
    tail = f"?{query}" if query else ""
    labels = {key: (str(HEADINGS[key]), key in NUMBERS) for key in shown}
    show = _Shower(request, hits)
    found = []
    for row in rows:
        cells = [Cell(key, *labels[key], getattr(show, key)(row)) for key in shown]
        name = row.name or row.nickname or row.card
        found.append(TableRow(row.id, name, reverse("console:member", args=[row.id]) + tail, cells))
    return found


class _Shower:
    """How each column shows its figure; one method per column, a dash where nothing is known."""

    def __init__(self, request: StaffRequest, hits: Mapping[int, Hit]) -> None:
        self._hits = hits
        self._request, self._zone, self._currency = request, request.merchant.tz, request.merchant.currency

    def _day(self, moment: datetime | None) -> str:
        return DASH if moment is None else f"{moment.astimezone(self._zone):%Y-%m-%d}"

    def phone(self, row: Row) -> str:
        hit = self._hits.get(row.id)
        return masked_phone(hit.phone_shown if hit else row.phone_hint) or DASH

    def tier(self, row: Row) -> str:
        if not row.tier:
            return DASH
        name, shade = tiers.look(self._request, row.tier)
        return format_html('<span class="c-tier c-tier-{}">{}</span>', shade, name)

    def stage(self, row: Row) -> str:
        if not row.stage:
            return DASH
        return format_html('<span class="c-stage c-stage-{}">{}</span>', row.stage, words.stage(row.stage))

    def rfm(self, row: Row) -> str:
        if not row.rfm:
            return DASH
        return format_html('{} <span class="c-quiet c-small">{}</span>', words.rfm_class(row.rfm), row.rfm)

    def tags(self, row: Row) -> str:
        return format_html_join(" ", '<span class="c-tag">{}</span>', ((tag,) for tag in row.tags[:4])) or DASH

    def gap(self, row: Row) -> str:
        return DASH if row.usual_gap_days is None else f"{row.usual_gap_days:.0f}"

    def chance(self, row: Row) -> str:
        if row.chance_30 is None:
            return DASH
        told = words.percent_of(row.chance_30)
        return format_html('<span title="{}">{}</span>', told, words.chance(band(row.chance_30)))

    def expects(self, row: Row) -> str:
        return money(row.expected_spend, self._currency)

    def profit(self, row: Row) -> str:
        return money(row.year_profit_minor, self._currency)

    def budget(self, row: Row) -> str:
        if not row.advice:
            return DASH
        advised = words.said(profit_words.ADVICE[row.advice])
        return format_html('<span title="{}">{}</span>', advised, money(row.budget_minor, self._currency))

    def loyalty(self, row: Row) -> str:
        return words.said(profit_words.TYPES[row.loyalty]) if row.loyalty else DASH

    def quality(self, row: Row) -> str:
        return words.said(profit_words.QUALITIES[row.quality]) if row.quality else DASH

    def scores(self, row: Row) -> str:
        return DASH if row.r5 is None else f"{row.r5}-{row.f5}-{row.m5}"

    def layer(self, row: Row) -> str:
        return words.layer(row.layer) or DASH

    def bond(self, row: Row) -> str:
        return words.bond(row.bond) or DASH

    def gender(self, row: Row) -> str:
        return {"f": _("female"), "m": _("male")}.get(row.gender, DASH)

    def last(self, row: Row) -> str:
        return self._day(row.last_paid_at)

    def first(self, row: Row) -> str:
        return self._day(row.first_paid_at)

    def joined(self, row: Row) -> str:
        return self._day(row.joined_at)

    def spent(self, row: Row) -> str:
        return money(row.net_minor, self._currency)

    def year(self, row: Row) -> str:
        return money(row.year_net_minor, self._currency)

    def points(self, row: Row) -> str:
        return DASH if row.points is None else f"{row.points:,}"

    def orders(self, row: Row) -> str:
        return DASH if row.orders is None else f"{row.orders:,}"

    def card(self, row: Row) -> str:
        return row.card

    def nickname(self, row: Row) -> str:
        return row.nickname or DASH

    def store(self, row: Row) -> str:
        return row.store or DASH

    def by(self, row: Row) -> str:
        return row.acquired_by or DASH

    def city(self, row: Row) -> str:
        return row.city or DASH


def pager(asked: Asked, page: Page) -> dict[str, Any]:
    """Which rows of how many, and the way to the others."""
    return {
        "first": page.first,
        "last": page.first + len(page.rows) - 1 if page.rows else 0,
        "total": page.total,
        "previous": asked.url(page=page.number - 1 if page.number > 2 else "") if page.number > 1 else "",
        "next": asked.url(page=page.number + 1) if page.has_next else "",
    }
