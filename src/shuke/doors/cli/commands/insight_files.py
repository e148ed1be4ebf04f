"""`shuke insight summary|cohorts|concentration FILE`, and `rfm FILE`: the analyses on a file, without a database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli import days
from shuke.doors.cli.commands.insight import command, figures_of, said, share
from shuke.doors.cli.commands.insight_growth import BY, PART, cohorts_of_the_shop
from shuke.doors.cli.desk import Desk, check_database, declared
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.engine.insight import files
    from shuke.engine.insight.clv import history

SHOWN = 20
FILE = click.argument("file", type=click.Path(path_type=Path), metavar=_("FILE"))
CUSTOMER = click.option("--customer", default="customer", show_default=True, help=_("the column of customers"))
DATE = click.option("--date", default="date", show_default=True, help=_("the column of order dates"))
AMOUNT = click.option("--amount", help=_("the column of amounts; default: amount, where there is one"))
END = click.option("--end", type=days.DAY, help=_("the last day that counts; default: the last there is"))


def order_rows(file: Path, customer: str, date: str, amount: str | None) -> files.Orders:
    from shuke.engine.insight import files

    with files.Table(file) as table:
        if amount is None and table.has("amount"):
            amount = "amount"
        return table.orders(customer, date, amount)


def visits_in(file: Path, customer: str, date: str, amount: str | None) -> tuple[files.Orders, history.Visits]:
    from shuke.engine.insight.clv import history

    rows = order_rows(file, customer, date, amount)
    return rows, history.visits(rows.customer, rows.day, rows.amount)


def number_of(day: datetime | None) -> int | None:
    from shuke.engine.insight import kpi

    return kpi.day_number(day.date()) if day else None


def iso(day: int) -> str:
    from shuke.engine.insight import kpi

    return kpi.day_of_number(int(day)).isoformat()


def bare(value: float, digits: int = 6) -> float | None:
    """A figure for JSON, which knows no NaN."""
    value = float(value)
    return None if value != value or abs(value) == float("inf") else round(value, digits)


def identified(rows: files.Orders) -> float | None:
    """The share of all money that has a customer: what the rest of the figures can speak about."""
    if rows.amount is None:
        return None
    known = float(rows.amount.sum())
    return round(known / (known + rows.guest_amount), 4) if known + rows.guest_amount > 0 else None


def say_guests(desk: Desk, rows: files.Orders) -> None:
    found = identified(rows)
    if rows.guests:
        desk.say(
            _("{count} rows have no customer and are left out{share}.").format(
                count=f"{rows.guests:,}",
                share="" if found is None else _("; {share} of the money is identified").format(share=f"{found:.1%}"),
            )
        )


def kept(desk: Desk, out: Path | None, columns: dict[str, Any]) -> bool:
    """Write to --out if it was given."""
    if out is None:
        return False
    from shuke.engine.insight import files

    files.write(out, columns)
    size = len(next(iter(columns.values())))
    desk.say(_("Written: {where} ({count} rows)").format(where=out, count=f"{size:,}"))
    return True


@declared(
    "summary",
    _("From a file of orders to what the models need: repeats, last purchase, age and mean spend of each customer."),
    "shuke insight summary orders.csv --customer member --date paid_on --amount total\n"
    "shuke insight summary orders.parquet --end 2026-06-30 --out summary.parquet",
    group=command,
    django=False,
)
@FILE
@CUSTOMER
@DATE
@AMOUNT
@END
@click.option("--unit", type=float, default=7.0, show_default=True, help=_("days in a unit of time; 7: weeks"))
@click.option("--out", type=click.Path(path_type=Path), help=_("write all rows to this CSV or Parquet file"))
def summary(
    desk: Desk,
    file: Path,
    customer: str,
    date: str,
    amount: str | None,
    end: datetime | None,
    unit: float,
    out: Path | None,
) -> None:
    from shuke.engine.insight.clv import enough, history

    if not unit > 0:
        raise click.UsageError(_("--unit is a number of days above 0."))
    rows, seen = visits_in(file, customer, date, amount)
    last = number_of(end)
    told = history.summary_of(seen, end=int(seen.day.max()) if last is None else last, unit=unit)
    names = rows.names[told.customer]
    columns = {
        "customer": names, "x": told.x, "t_x": told.t_x, "T": told.T, "orders": told.orders, "paid": told.paid,
        "spend": told.spend.round(6), "mean_spend": told.mean_spend, "log_gaps": told.log_gaps,
    }  # fmt: skip
    written = kept(desk, out, columns)
    verdict = enough.enough(seen, end=told.end)
    if desk.as_json:
        head = {
            "end": iso(told.end), "unit_days": unit, "customers": int(told.x.size),
            "repeaters": verdict.repeaters, "identified_share": identified(rows), "enough": verdict,
        }  # fmt: skip
        figures = (
            []
            if written
            else [dict(zip(columns, row, strict=True)) for row in zip(*map(cells, columns.values()), strict=True)]
        )
        desk.json(head | ({"written": str(out)} if written else {"rows": figures}))
        return
    say_guests(desk, rows)
    if not written:
        desk.table(
            [_("customer"), "x", "t_x", "T", _("orders"), _("mean order")],
            [
                (
                    str(names[i]),
                    int(told.x[i]),
                    f"{told.t_x[i]:.2f}",
                    f"{told.T[i]:.2f}",
                    int(told.orders[i]),
                    bare(told.mean_spend[i], 2),
                )
                for i in range(min(SHOWN, names.size))
            ],
            title=_("{count} customers up to {day}").format(count=f"{names.size:,}", day=iso(told.end)),
            right=(1, 2, 3, 4, 5),
        )
        if names.size > SHOWN:
            desk.say(_("The first {count}; --out FILE writes all.").format(count=SHOWN))
    desk.say(verdict.says_zh if language() == "zh-hans" else verdict.says_en)


def cells(values: Any) -> list[Any]:
    """A column as JSON values: whole numbers whole, NaN as null."""
    if values.dtype.kind == "f":
        return [None if one != one else (int(one) if one == int(one) else round(one, 6)) for one in values.tolist()]
    return values.tolist()


@declared(
    "rfm",
    _(
        "The eight RFM classes with what to do about each, and the map of recency and frequency; with a FILE of orders: of that file, without a database."
    ),
    "shuke insight rfm\nshuke insight rfm orders.csv --customer member --date paid_on --amount total --out scores.csv",
    group=command,
    database=False,
)
@click.argument("file", type=click.Path(path_type=Path), metavar=_("[FILE]"), required=False)
@click.option(
    "--date",
    help=_("of the shop: as of this day, default the latest; in a FILE: the column of order dates, default date"),
)
@click.option("--customer", default="customer", show_default=True, help=_("the column of customers, in a FILE"))
@click.option("--amount", help=_("the column of amounts, in a FILE; default: amount, where there is one"))
@END
@click.option(
    "--out", type=click.Path(path_type=Path), help=_("write each customer's scores to this CSV or Parquet file")
)
def rfm(
    desk: Desk,
    file: Path | None,
    date: str | None,
    customer: str,
    amount: str | None,
    end: datetime | None,
    out: Path | None,
) -> None:
    from shuke.engine.insight import wording

    if file is not None:
        rfm_of_file(desk, file, customer, date or "date", amount, end, out)
        return
    if out is not None:
        raise click.UsageError(
            _("--out belongs to a FILE; members of this shop are exported from the list in the console.")
        )
    if end is not None:
        raise click.UsageError(_("--end belongs to a FILE; for this shop --date says as of which day."))
    day = click.DateTime(["%Y-%m-%d"])(date) if date else None
    check_database()
    told = figures_of(desk, day)
    if desk.as_json:
        desk.json({"as_of": told["as_of"], **told["rfm"]})
        return
    classes = told["rfm"]["classes"]
    whole, money = sum(c["count"] for c in classes), sum(c["net_minor"] for c in classes)
    desk.table(
        ["", _("class"), _("members"), "%", _("spent"), "%", _("what to do")],
        [
            (
                c["code"],
                said(wording.RFM_NAMES[c["code"]]),
                c["count"],
                share(c["count"], whole),
                desk.money(c["net_minor"]),
                share(c["net_minor"], money),
                said(wording.RFM_STRATEGIES[c["code"]]),
            )
            for c in classes
        ],
        title=_("RFM classes on {day}").format(day=told["as_of"]),
        right=(2, 3, 4, 5),
    )
    cells = {(cell["r"], cell["f"]): cell["count"] for cell in told["rfm"]["map"]}
    desk.table(
        [_("recency ↓ frequency →"), *(f"F{f}" for f in range(1, 6))],
        [(f"R{r}", *(cells.get((r, f), 0) for f in range(1, 6))) for r in range(5, 0, -1)],
        right=(1, 2, 3, 4, 5),
    )


def rfm_of_file(
    desk: Desk, file: Path, customer: str, date: str, amount: str | None, end: datetime | None, out: Path | None
) -> None:
    """RFM of a file by cut points learned from it; --out writes each customer's scores."""
    from shuke.engine.insight import kpi, rfm, wording
    from shuke.engine.insight.clv import history

    rows, seen = visits_in(file, customer, date, amount)
    last = number_of(end)
    told = history.summary_of(seen, end=int(seen.day.max()) if last is None else last, unit=1.0)
    minor = (told.spend * 100).round().astype("int64")
    since = (told.end - told.last_day).astype("int64")
    cuts = rfm.cut_points(since, told.orders, minor, fixed_on=kpi.day_of_number(told.end))
    scores = rfm.score(since, told.orders, minor, cuts)
    counted = rfm.tally(scores)
    money = {code: int(minor[scores.classes == int(code)].sum()) for code in rfm.CLASSES}
    columns = {
        "customer": rows.names[told.customer], "days_since_last_order": since, "order_days": told.orders,
        "net_spend": told.spend.round(6), "r": scores.r5, "f": scores.f5, "m": scores.m5, "class": scores.classes,
    }  # fmt: skip
    written = kept(desk, out, columns)
    if desk.as_json:
        classes = [{"code": code, "count": counted.classes[code], "net": money[code] / 100} for code in rfm.CLASSES]
        shown = cuts.to_json()
        shown["m"] = [None if one is None else one / 100 for one in shown["m"]]
        if shown["two"]["m"] is not None:
            shown["two"]["m"] = round(shown["two"]["m"] / 100, 6)
        head = {"as_of": iso(told.end), "customers": int(told.x.size), "identified_share": identified(rows)}
        desk.json(head | {"classes": classes, "cuts": shown} | ({"written": str(out)} if written else {}))
        return
    say_guests(desk, rows)
    whole, all_money = told.x.size, sum(money.values())
    desk.table(
        ["", _("class"), _("members"), "%", _("spent"), "%", _("what to do")],
        [
            (
                code,
                said(wording.RFM_NAMES[code]),
                counted.classes[code],
                share(counted.classes[code], whole),
                f"{money[code] / 100:,.2f}",
                share(money[code], all_money),
                said(wording.RFM_STRATEGIES[code]),
            )
            for code in rfm.CLASSES
        ],
        title=_("RFM classes on {day}").format(day=iso(told.end)),
        right=(2, 3, 4, 5),
    )


@declared(
    "cohorts",
    _(
        "Customers by the time of their first purchase, and what became of them; what cannot be known yet is blank. With a FILE of orders: of that file, by month, without a database."
    ),
    "shuke insight cohorts --grain quarter --by channel\n"
    "shuke insight cohorts orders.csv --show retention\nshuke insight cohorts orders.parquet --json",
    group=command,
    database=False,
)
@click.argument("file", type=click.Path(path_type=Path), metavar=_("[FILE]"), required=False)
@CUSTOMER
@DATE
@AMOUNT
@END
@click.option(
    "--show",
    type=click.Choice(["retention", "orders", "spend"]),
    default="retention",
    show_default=True,
    help=_("share that bought, orders per head, or spend so far per head"),
)
@click.option(
    "--grain",
    type=click.Choice(["week", "month", "quarter", "year"]),
    default="month",
    show_default=True,
    help=_("how long a period is, of the shop"),
)
@BY
@PART
def cohorts(
    desk: Desk,
    file: Path | None,
    customer: str,
    date: str,
    amount: str | None,
    end: datetime | None,
    show: str,
    grain: str,
    by: str | None,
    part: str | None,
) -> None:
    if file is None:
        check_database()
        cohorts_of_the_shop(desk, grain, by, part, show)
        return
    from shuke.engine.insight import triangle

    rows, seen = visits_in(file, customer, date, amount)
    told = triangle.triangle(seen, end=number_of(end))
    if desk.as_json:
        parts = {
            "retention": told.retention,
            "orders_per_head": told.orders_per_head,
            "spend_per_head": told.spend_per_head,
        }
        desk.json(
            {
                "identified_share": identified(rows),
                "cohorts": [
                    {"month": str(month), "customers": int(told.size[i])}
                    | {name: [bare(v, 4) for v in values[i]] for name, values in parts.items()}
                    for i, month in enumerate(told.months)
                ],
            }
        )
        return
    say_guests(desk, rows)
    values = {"retention": told.retention, "orders": told.orders_per_head, "spend": told.spend_per_head}[show]
    form = "{:.0%}" if show == "retention" else "{:.2f}"
    width = min(values.shape[1], 13) if values.size else 0
    desk.table(
        [_("first bought"), _("customers"), *(f"+{i}" for i in range(width))],
        [
            (str(month), int(told.size[i]), *("" if v != v else form.format(v) for v in values[i][:width].tolist()))
            for i, month in enumerate(told.months)
        ],
        title=_("Cohorts by month of first purchase, and months since"),
        right=range(1, width + 2),
    )


@declared(
    "concentration",
    _("What the best customers bring: shares of the top 1, 5, 10 and 20 %, Gini, and the curve."),
    "shuke insight concentration orders.csv --customer member --amount total",
    group=command,
    django=False,
)
@FILE
@CUSTOMER
@DATE
@AMOUNT
@END
def concentration(desk: Desk, file: Path, customer: str, date: str, amount: str | None, end: datetime | None) -> None:
    from shuke.engine.insight import pyramid
    from shuke.engine.insight.clv import history

    rows, seen = visits_in(file, customer, date, amount)
    last = number_of(end)
    told = history.summary_of(seen, end=int(seen.day.max()) if last is None else last)
    minor = (told.spend * 100).round().astype("int64")
    found = pyramid.concentration(minor)
    tops = {top: pyramid.top_share(minor, top) for top in (1, 5, 10, 20)}
    if desk.as_json:
        desk.json(
            {
                "end": iso(told.end),
                "customers": int(told.x.size),
                "identified_share": identified(rows),
                "top_shares": {str(top): value for top, value in tops.items()},
                "gini": found.gini,
                "members_for_80_rate": found.members_for_80_rate,
                "curve": found.curve,
            }
        )
        return
    say_guests(desk, rows)
    if found.gini is None:
        desk.say(_("There is no spend in this file, so nothing is concentrated in anybody."))
        return
    desk.facts(
        [
            (_("share of revenue with a customer"), None if identified(rows) is None else f"{identified(rows):.1%}"),
            *(
                (_("the top {top} % bring").format(top=top), f"{value:.1%}")
                for top, value in tops.items()
                if value is not None
            ),
            (_("customers who bring 80 %"), f"{found.members_for_80_rate:.1%}"),
            ("Gini", f"{found.gini:.4f}"),
        ],
        title=_("{count} customers up to {day}").format(count=f"{told.x.size:,}", day=iso(told.end)),
    )
