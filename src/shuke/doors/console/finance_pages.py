"""The pieces of the finance pages: what was asked for, cells ready to show, the form of how points are booked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.core.cache import cache
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuke.doors.console import words
from shuke.doors.console.access import StaffRequest
from shuke.engine.finance import months, tables, wording
from shuke.engine.finance.policy import CHARTS, METHODS, Policy
from shuke.flows import finance_report
from shuke.flows.finance_report import Report
from shuke.loyalty.queries import timing

TABS: list[tuple[str, str, str | Promise]] = [
    ("liability", "console:finance", gettext_lazy("Liability")),
    ("movements", "console:finance-movements", gettext_lazy("Movements")),
    ("breakage", "console:finance-breakage", gettext_lazy("Breakage")),
    ("deferral", "console:finance-deferral", gettext_lazy("Deferral")),
    ("lapsing", "console:finance-lapsing", gettext_lazy("What will lapse")),
    ("entries", "console:finance-entries", gettext_lazy("Entries")),
    ("costs", "console:finance-costs", gettext_lazy("Costs")),
    ("coalition", "console:finance-coalition", gettext_lazy("Coalition")),
    ("partner-cards", "console:finance-partner-cards", gettext_lazy("Co-branded cards")),
]
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "hledger": "text/plain; charset=utf-8",
}
KEPT_SECONDS = 600


class Cell(NamedTuple):
    text: str
    number: bool
    label: str = ""  # of its column, where a phone shows rows as cards


class Shown(NamedTuple):
    """A table as the template walks it."""

    key: str
    title: str
    columns: list[Cell]
    rows: list[list[Cell]]
    total: list[Cell] | None


def shown(report: Report, currency: str) -> list[Shown]:
    found = []
    for full in report.tables:
        table = tables.shortened(full)
        kinds = [column.kind for column in table.columns]
        numbers = [kind not in ("text", "day") for kind in kinds]
        names = [column.name for column in table.columns]
        rows = [
            [
                Cell(tables.shown(v, k, currency), n, name)
                for v, k, n, name in zip(row, kinds, numbers, names, strict=True)
            ]
            for row in table.rows
        ]
        total = rows.pop() if table.total and rows else None
        columns = [Cell(column.name, n) for column, n in zip(table.columns, numbers, strict=True)]
        found.append(Shown(table.key, table.title, columns, rows, total))
    return found


def figures(report: Report, currency: str) -> list[tuple[str, str]]:
    return [(f.name, tables.shown(f.value, f.kind, currency)) for f in report.figures]


def kept(request: StaffRequest, name: str, make: Callable[[], Report]) -> Report:
    """A report changes only with the books; asked twice in ten minutes it is worked out once."""
    mark = timing.mark(request.merchant)
    key = f"console:finance:{request.merchant.pk}:{words.language()}:{mark}:{name}"
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found  # type: ignore[no-any-return]


def download(request: StaffRequest, report: Report, name: str) -> HttpResponse | None:
    """The file asked for with ?file=…, or nothing."""
    kind = request.GET.get("file", "")
    if kind not in TYPES or (kind == "hledger" and report.key != "entries"):
        return None
    table = request.GET.get("table", "")
    currency = request.merchant.currency
    body = finance_report.as_file(report, kind, currency, words.language(), table=table)
    part = f"-{table}" if table in [one.key for one in report.tables] and len(report.tables) > 1 else ""
    answer = HttpResponse(body, content_type=TYPES[kind])
    answer["Content-Disposition"] = f'attachment; filename="shuke-{report.key}-{name}{part}.{kind}"'
    return answer


def day_of(text: str, otherwise: date, *, latest: date) -> date:
    """A day as typed, or the usual one where it is none; never later than `latest`."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return min(day, latest) if day.year > 1970 else otherwise


def month_of(text: str, otherwise: int) -> int:
    try:
        return months.read(text)
    except months.NotAMonth:
        return otherwise


class Choice(NamedTuple):
    value: str
    label: str
    chosen: bool


def policy_form(chosen: Policy, boxes: Mapping[str, str]) -> dict[str, Any]:
    """The form's boxes: as typed where something was, else as they are in force."""
    language = words.language()

    def choices(name: str, values: tuple[str, ...], table: Mapping[str, Any]) -> list[Choice]:
        now = boxes.get(name, getattr(chosen, name))
        return [Choice(value, wording.named(table, value, language), value == now) for value in values]

    percent = "" if chosen.expected_percent is None else f"{chosen.expected_percent.normalize():f}"
    return {
        "methods": choices("method", METHODS, wording.METHODS),
        "charts": choices("chart", CHARTS, wording.CHARTS),
        "expected": boxes.get("expected", percent),
        "tax": boxes.get("tax", f"{chosen.tax_permille / 10:g}"),
        "per": [
            Choice(value, label, value == boxes.get("per", chosen.per))
            for value, label in (("month", _("one a month")), ("day", _("one a day")))
        ],
        "prefix": boxes.get("prefix", chosen.prefix),
        "accounts": [
            {
                "role": role,
                "name": name,
                "own": boxes.get(role, dict(chosen.accounts)[role].code if role in chosen.accounts else ""),  # type: ignore[index]
                "usual": f"{chosen.account(role).code} {chosen.account(role).name}",
            }
            for role, name in finance_report.roles(language)
        ],
    }


def read_policy(boxes: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as plain values; what it may be is the engine's to say."""
    expected, tax = boxes.get("expected", "").strip().rstrip("%％"), boxes.get("tax", "").strip().rstrip("%％")
    return {
        "method": boxes.get("method", ""),
        "chart": boxes.get("chart", ""),
        "per": boxes.get("per", ""),
        "prefix": boxes.get("prefix", "").strip(),
        "expected_percent": expected or None,
        "tax_permille": _permille(tax),
        "accounts": {
            role: {"code": code} for role, _name in finance_report.roles("en") if (code := boxes.get(role, "").strip())
        },
    }


def _permille(text: str) -> Any:
    """13 → 130; what is no number goes on as it is, to be refused with its field."""
    try:
        return round(float(text or 0) * 10, 3)
    except ValueError:
        return text


def complaint(field: str) -> str:
    """What to do about a box that cannot be read."""
    first = field.split(".")[0]
    if first == "expected_percent":
        return _("The share expected is a percentage from 0 to 100, or empty to have it estimated.")
    if first == "tax_permille":
        return _("Value-added tax is a percentage from 0 to 50, with at most one decimal.")
    if first == "prefix":
        return _("The beginning of a number has at most 8 letters or digits.")
    if first == "accounts":
        return _("An account code begins with a letter or digit and has at most 30 characters.")
    return _("Choose one of the values offered.")
