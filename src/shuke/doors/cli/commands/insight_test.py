"""`shuke insight clv test FILE`: whether a model is worth showing, on the shop's own past."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from shuke.doors.cli.commands.insight_files import (
    AMOUNT,
    CUSTOMER,
    DATE,
    END,
    FILE,
    bare,
    iso,
    number_of,
    say_guests,
    visits_in,
)
from shuke.doors.cli.commands.insight_value import clv
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "test",
    _(
        "Is a model worth showing for this shop? Fit on orders before a day, compare with what came, against plain rules."
    ),
    "shuke insight clv test orders.csv --customer member --date paid_on --amount total\n"
    "shuke insight clv test orders.parquet --cut 2026-06-30 --days 30 --json",
    group=clv,
    django=False,
)
@FILE
@CUSTOMER
@DATE
@AMOUNT
@END
@click.option(
    "--cut",
    type=DAY,
    help=_("the last day a model sees; default: a quarter of the history before its end"),
)
@click.option("--days", type=click.IntRange(1, 730), default=30, show_default=True, help=_("of the chance to buy"))
def test(
    desk: Desk,
    file: Path,
    customer: str,
    date: str,
    amount: str | None,
    end: datetime | None,
    cut: datetime | None,
    days: int,
) -> None:
    from shuke.engine.insight.clv import enough, holdout

    rows, seen = visits_in(file, customer, date, amount)
    last = number_of(end)
    last = int(seen.day.max()) if last is None else last
    parted = number_of(cut)
    parted = holdout.cut_for(seen, end=last) if parted is None else parted
    if not int(seen.day.min()) < parted < last:
        raise Refused(
            _("The cut {cut} does not lie within the history, which runs from {first} to {last}.").format(
                cut=iso(parted), first=iso(int(seen.day.min())), last=iso(last)
            )
        )
    carried = enough.enough(seen, end=parted)
    if carried.level == "none":
        raise Refused(carried.says_zh if language() == "zh-hans" else carried.says_en)
    report = holdout.try_models(seen, cut=parted, end=last, chance_days=days)
    if desk.as_json:
        desk.json({"enough": carried} | report.to_json() | {"begin": iso(report.begin), "end": iso(report.end)})
        return
    say_guests(desk, rows)
    desk.say(holdout.sentence(report, "zh" if language() == "zh-hans" else "en"))

    def figure(value: float | None, form: str = "{:.3f}") -> str:
        return "–" if value is None else form.format(value)

    desk.table(
        ["", _("expected"), _("expected / came"), "MAE", "Spearman", "Gini", _("top 20 %"), _("money expected / came")],
        [
            (
                one.name,
                figure(one.predicted, "{:,.0f}"),
                figure(one.ratio),
                figure(one.mae),
                figure(one.spearman),
                figure(one.gini),
                figure(one.capture, "{:.1%}"),
                figure(one.money_ratio),
            )
            for one in report.methods
        ],
        title=_(
            "{customers} customers known on {day}; {orders} orders came by {end}, and {newcomers} newcomers"
        ).format(
            customers=f"{report.customers:,}",
            day=iso(report.begin),
            orders=f"{report.actual_orders:,.0f}",
            end=iso(report.end),
            newcomers=f"{report.newcomers:,}",
        ),
        right=range(1, 8),
    )
    desk.table(
        [
            _("tenth"),
            _("customers"),
            _("orders expected"),
            _("came"),
            _("chance in {days} days").format(days=report.chance_days),
            _("bought"),
        ],
        [
            (
                i + 1,
                orders.customers,
                f"{orders.predicted:.2f}",
                f"{orders.actual:.2f}",
                f"{chance.predicted:.0%}",
                f"{chance.actual:.0%}",
            )
            for i, (orders, chance) in enumerate(zip(report.deciles, report.chance.tenths, strict=False))
        ],
        title=_("Tenths of customers, the most promising first"),
        right=range(6),
    )
    desk.facts([("AUC", bare(report.chance.auc or 0.0, 3)), ("Brier", bare(report.chance.brier, 4))])
