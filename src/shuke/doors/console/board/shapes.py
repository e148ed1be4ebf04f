"""What the dashboard's pieces are made of, and how their numbers are written."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from shuke.doors.console import words


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
