"""`shuke insight growth`, and `cohorts` of the shop: figures of chosen days, by parts of the shop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.commands.insight import command, said, shown
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _

if TYPE_CHECKING:
    from shuke.engine.insight.growth import Growth
    from shuke.insight.queries.growth import Part

FIGURES = (
    "new_members", "buyers", "newcomers", "returning", "again_rate", "orders", "net_minor", "basket_minor", "items_milli",
    "active", "churn_rate", "repeat_rate",
)  # fmt: skip
BY = click.option(
    "--by", type=click.Choice(["store", "channel", "acquisition"]), default=None, help=_("divide the shop by this")
)
PART = click.option("--part", help=_("only this part: a store's name, a platform, a way of acquisition"))


@declared(
    "growth",
    _("New members, buyers, newcomers, repeat, churn and baskets by period, of the shop or of its parts."),
    "shuke insight growth --grain quarter\n"
    "shuke insight growth --since 2026-01-01 --until 2026-06-30 --by store\n"
    "shuke insight growth --by acquisition --part 朋友介绍 --json",
    group=command,
)
@click.option("--since", type=DAY, help=_("the first day; default: a year back, by day 30 days"))
@click.option("--until", type=DAY, help=_("the last day; default: that of the latest figures"))
@click.option(
    "--grain",
    type=click.Choice(["day", "week", "month", "quarter", "year"]),
    default="month",
    show_default=True,
    help=_("how long a period is"),
)
@BY
@PART
def growth(
    desk: Desk, since: datetime | None, until: datetime | None, grain: str, by: str | None, part: str | None
) -> None:
    from shuke.engine.insight import wording
    from shuke.engine.insight.growth import TooManyStretches
    from shuke.insight.queries import growth as told

    try:
        report = told.growth(
            desk.merchant, since=since.date() if since else None, until=until.date() if until else None, grain=grain, by=by or ""
        )  # fmt: skip
    except (told.BadQuestion, TooManyStretches) as error:
        raise click.UsageError(str(error)) from error
    chosen = one_of(report.parts, part) if part else None
    if desk.as_json:
        desk.json(
            {
                "as_of": report.as_of, "since": report.since, "until": report.until, "grain": grain, "by": by,
                "parts": [
                    {"key": one.key, "name": one.name, "whole": told.row_of(report.whole[one.number]), "periods": [told.row_of(row) for row in report.course[one.number]]}
                    for one in report.parts if chosen in (None, one)
                ],
            }
        )  # fmt: skip
        return
    heads = [said(wording.GROWTH[name][0]) for name in FIGURES]
    right = range(1, len(FIGURES) + 1)

    def cells(row: Growth) -> list[str]:
        return [shown(desk, name, getattr(row, name)) for name in FIGURES]

    if by and chosen is None:
        rows = [(name_of(one), *cells(report.whole[one.number])) for one in report.parts]
        title = _("From {first} to {last}").format(first=report.since, last=report.until)
        desk.table(["", *heads], rows, title=title, right=right)
        return
    number = chosen.number if chosen else 0
    rows = [(row.stretch.label + ("…" if row.stretch.partial else ""), *cells(row)) for row in report.course[number]]
    rows.append((_("all"), *cells(report.whole[number])))
    title = _("Growth, as of {day}; {sign} is so far").format(day=report.as_of, sign="…")
    desk.table([_("period"), *heads], rows, title=title, right=right)


def cohorts_of_the_shop(desk: Desk, grain: str, by: str | None, part: str | None, show: str) -> None:
    from shuke.engine.insight.growth import TooManyStretches
    from shuke.insight.queries import figures
    from shuke.insight.queries import growth as told

    try:
        report = told.cohorts(desk.merchant, grain=grain, by=by or "")
    except (told.BadQuestion, TooManyStretches) as error:
        raise click.UsageError(str(error)) from error
    chosen = one_of(report.parts, part) if part else figures.there(next(iter(report.parts), None))
    if desk.as_json:
        rows = told.cohort_rows(report, chosen.number)
        desk.json({"as_of": report.as_of, "grain": grain, "by": by, "part": chosen.key, "cohorts": rows})
        return
    found = report.cohorts.triangle(chosen.number)
    values = {"retention": found.retention, "orders": found.orders_per_head, "spend": found.spend_per_head}[show]
    width = min(values.shape[1], 13) if values.size else 0

    def cell(value: float) -> str:
        if value != value:
            return ""
        return (
            f"{value:.0%}" if show == "retention" else f"{value:.2f}" if show == "orders" else desk.money(round(value))
        )

    labels = [str(month) for month in found.months]
    desk.table(
        [_("first bought"), _("customers"), *(f"+{i}" for i in range(width))],
        [(labels[i], int(found.size[i]), *map(cell, values[i][:width].tolist())) for i in range(len(labels))],
        title=_("Cohorts on {day}: {part}").format(
            day=report.as_of, part=name_of(chosen) if by else _("the whole shop")
        ),
        right=range(1, width + 2),
    )


def name_of(part: Part) -> str:
    if part.key == "guests":
        return _("guests")
    return part.name or _("not stated")


def one_of(parts: list[Part], asked: str) -> Any:
    for part in parts:
        if asked in (part.key, part.name):
            return part
    known = ", ".join(name_of(part) for part in parts[:20])
    raise click.UsageError(_("There is no part {name} with figures in these days. There are: {known}.").format(name=asked, known=known))  # fmt: skip
