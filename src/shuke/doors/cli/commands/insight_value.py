"""`shuke insight clv fit|predict|spend|test FILE`: models of what customers will buy, on a file, without a database."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.commands.insight_files import (
    AMOUNT,
    CUSTOMER,
    DATE,
    END,
    FILE,
    SHOWN,
    bare,
    cells,
    iso,
    kept,
    number_of,
    say_guests,
    visits_in,
)
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    import numpy as np

    from shuke.engine.insight.clv import fitted

MODELS = ("mbg_nbd", "bg_nbd", "pareto_nbd", "mbg_cnbd", "bg_bb")


@click.group("clv", help=_("What customers will buy and spend: models, and whether they are worth showing."))
def clv() -> None:
    """Models of value."""


clv.subcommand_metavar = _("COMMAND [ARGS]…")
command.add_command(clv)

MODEL = click.option("--model", type=click.Choice(MODELS), default="mbg_nbd", show_default=True)
K = click.option("--k", type=click.IntRange(1, 4), help=_("regularity of mbg_cnbd; default 2"))
COLUMNS = click.option(
    "--columns",
    default="x,t_x,T",
    show_default=True,
    help=_("the columns of repeats, last purchase and age; a fourth names how many customers a row stands for"),
)
NO_PRIOR = click.option("--no-prior", is_flag=True, help=_("plain maximum likelihood, as published fits are"))
OUT = click.option("--out", type=click.Path(path_type=Path), help=_("write all rows to this CSV or Parquet file"))


class Read(NamedTuple):
    """What a file holds: the named columns with counts last (or ones), and what else it has of what `summary` writes."""

    columns: list[np.ndarray]
    log_gaps: float | None
    money: list[np.ndarray] | None  # paid, mean_spend
    customer: np.ndarray | None


def columns_in(file: Path, text: str, least: int) -> Read:
    from shuke.engine.insight import files

    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) not in (least, least + 1):
        raise click.UsageError(
            _("--columns names {least} columns, or one more for counts; this is {text!r}.").format(
                least=least, text=text
            )
        )
    with files.Table(file) as table:
        if len(names) == least and table.has("n"):
            names.append("n")  # a file of groups says so itself
        missing = [name for name in names if name == "mean_spend"]
        found = table.numbers(*names, missing=missing)
        gaps = None
        if table.has("log_gaps"):
            (each,) = table.numbers("log_gaps")
            gaps = float((each * (found[least] if len(found) > least else 1.0)).sum())
        money = None
        if table.has("paid", "mean_spend"):
            money = table.numbers("paid", "mean_spend", missing=("mean_spend",))
        customer = table.texts("customer") if table.has("customer") else None
    if len(found) == least:
        found.append(found[0] * 0 + 1.0)
    return Read(found, gaps, money, customer)


def show_fit(desk: Desk, found: fitted.Fit) -> None:
    desk.table(
        [_("parameter"), _("estimate"), _("standard error")],
        [
            (name, f"{value:.6g}", "–" if error != error else f"{error:.4g}")
            for name, value, error in zip(found.names, found.params, found.se, strict=True)
        ],
        title=_("{model}, {customers} customers in {rows} rows").format(
            model=found.model + (f" k = {found.k}" if found.model == "mbg_cnbd" else ""),
            customers=f"{found.customers:,.0f}",
            rows=f"{found.rows:,}",
        ),
        right=(1, 2),
    )
    desk.facts(
        [
            (_("log-likelihood"), f"{found.log_likelihood:,.3f}"),
            (_("weak prior"), found.prior),
            (_("verdict"), f"{found.verdict.code}: {verdict(found)}"),
        ]
    )


def verdict(found: fitted.Fit) -> str:
    if language() == "en":
        return found.verdict.says
    return {
        "sound": "找到了最优点：梯度为零，各方向都向下弯。",
        "edge": "最优点在参数边界上：数据中几乎看不到它所度量的现象，预测仍然可用。",
        "flat": "似然在某个方向上是平的：这些数据分不清各参数，请使用先验。",
        "unfinished": "尚未到达最优点，请勿使用这些参数。",
    }[found.verdict.code]


@declared(
    "fit",
    _("Fit a model to customers, grouped or one a row: parameters, standard errors, log-likelihood, verdict."),
    "shuke insight clv fit summary.csv\n"
    "shuke insight clv fit cdnow.csv --model bg_nbd --columns x,t_x,T --no-prior --json\n"
    "shuke insight clv fit donors.csv --model bg_bb --columns frequency,recency,periods,weights",
    group=clv,
    django=False,
)
@FILE
@MODEL
@K
@COLUMNS
@NO_PRIOR
def fit(desk: Desk, file: Path, model: str, k: int | None, columns: str, no_prior: bool) -> None:
    found = fitted_to(file, model, k, columns, no_prior)[0]
    if desk.as_json:
        desk.json(found.to_json())
        return
    show_fit(desk, found)


def fitted_to(file: Path, model: str, k: int | None, columns: str, no_prior: bool) -> tuple[fitted.Fit, Read]:
    from shuke.engine.insight.clv import fit as fitting
    from shuke.engine.insight.clv import rows

    read = columns_in(file, columns, 3)
    grouped = rows.group(*read.columns, log_gaps=read.log_gaps)
    return fitting.fit(grouped, model, k=k, prior=not no_prior), read


@declared(
    "predict",
    _(
        "The chance to buy and the orders to expect of each row; with paid and mean_spend in the file the spend of a year too."
    ),
    "shuke insight clv predict summary.csv --days 30,90 --out scores.csv\n"
    "shuke insight clv predict summary.csv --by fit.json --days 30 --json",
    group=clv,
    django=False,
)
@FILE
@MODEL
@K
@COLUMNS
@NO_PRIOR
@click.option("--by", type=click.Path(path_type=Path), help=_("a fit kept from `clv fit --json`, instead of a new one"))
@click.option("--days", default="30,90", show_default=True, help=_("how far ahead the chance to buy looks"))
@click.option(
    "--unit", type=float, default=7.0, show_default=True, help=_("days in a unit of the file's times; 7: weeks")
)
@OUT
def predict(
    desk: Desk,
    file: Path,
    model: str,
    k: int | None,
    columns: str,
    no_prior: bool,
    by: Path | None,
    days: str,
    unit: float,
    out: Path | None,
) -> None:
    from shuke.engine.insight.clv import predict as ahead
    from shuke.engine.insight.clv import rows, spend, worth

    horizons = horizons_of(days)
    if not unit > 0:
        raise click.UsageError(_("--unit is a number of days above 0."))
    if by is None:
        found, read = fitted_to(file, model, k, columns, no_prior)
    else:
        read = columns_in(file, columns, 3)
        rows.group(*read.columns)  # refuses what no history can be
        found = kept_fit(by)
    x, t_x, T, n = read.columns
    if not found.verdict.usable:
        raise Refused(verdict(found))
    told: dict[str, Any] = {} if read.customer is None else {"customer": read.customer}
    told |= {"x": x, "t_x": t_x, "T": T, "n": n}
    for horizon in horizons:
        told[f"chance_{horizon}d"] = ahead.chance_to_buy(found, x, t_x, T, horizon / unit)
        told[f"orders_{horizon}d"] = ahead.expected_orders(found, x, t_x, T, horizon / unit)
    if read.money is not None and found.model != "bg_bb":
        paid, mean = read.money
        values = spend.fit(paid, mean, n, cap=True)
        told["order_value"] = spend.expected_order_value(values, paid, mean)
        told["spend_12m"] = worth.expected_spend(found, values, x, t_x, T, paid, mean, unit=unit)
    totals = {name: float((values * n).sum()) for name, values in told.items() if name.startswith(("orders", "spend"))}
    totals |= {f"likely_{h}d": float(n[told[f"chance_{h}d"] >= 0.5].sum()) for h in horizons}
    written = kept(desk, out, told)
    if desk.as_json:
        rows_told = (
            []
            if written
            else [dict(zip(told, row, strict=True)) for row in zip(*map(cells, told.values()), strict=True)]
        )
        head = {"model": found.model, "k": found.k, "customers": float(n.sum()), "totals": totals}
        desk.json(head | ({"written": str(out)} if written else {"rows": rows_told}))
        return
    desk.facts(
        [
            (_("customers"), f"{n.sum():,.0f}"),
            *(
                (
                    _("in {days} days").format(days=horizon),
                    _("{orders} orders expected, {likely} customers with a chance of one half or more").format(
                        orders=f"{totals[f'orders_{horizon}d']:,.0f}", likely=f"{totals[f'likely_{horizon}d']:,.0f}"
                    ),
                )
                for horizon in horizons
            ),
            (_("spend of 12 months"), f"{totals['spend_12m']:,.2f}" if "spend_12m" in totals else None),
        ]
    )
    if not written:
        names = [name for name in told if name != "n"]
        desk.table(
            names,
            [
                [str(told[name][i]) if name == "customer" else f"{told[name][i]:.4g}" for name in names]
                for i in range(min(SHOWN, x.size))
            ],
            right=[i for i, name in enumerate(names) if name != "customer"],
        )


def horizons_of(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1 or max(found) > 3650:
        raise click.UsageError(
            _("--days is one whole number from 1 to 3650, or several with commas, not {text!r}.").format(text=text)
        )
    return found


def kept_fit(path: Path) -> fitted.Fit:
    """A fit as `clv fit --json` printed it."""
    from shuke.engine.insight.clv import fit as fitting

    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return fitting.from_params(told["model"], told["params"], k=told.get("k"))
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise Refused(
            _("{file} is no fit: keep what `shuke insight clv fit --json` prints.").format(file=path)
        ) from error


@declared(
    "spend",
    _("Fit Gamma-Gamma to orders and their mean amount, all orders counted: what an order of each customer is worth."),
    "shuke insight clv spend summary.csv\nshuke insight clv spend cdnow.csv --columns x,zbar --no-prior --json",
    group=clv,
    django=False,
)
@FILE
@click.option(
    "--columns",
    default="paid,mean_spend",
    show_default=True,
    help=_("the columns of orders and of their mean; a third names how many customers a row stands for"),
)
@NO_PRIOR
@OUT
def spend(desk: Desk, file: Path, columns: str, no_prior: bool, out: Path | None) -> None:
    from shuke.engine.insight.clv import spend as spending

    read = columns_in(file, columns, 2)
    orders, mean, n = read.columns
    found = spending.fit(orders, mean, n, prior=not no_prior)
    apart = spending.independence(orders, mean)
    told: dict[str, Any] = {} if read.customer is None else {"customer": read.customer}
    told |= {"orders": orders, "mean": mean, "order_value": spending.expected_order_value(found, orders, mean)}
    written = kept(desk, out, told)
    if desk.as_json:
        more = {
            "shop_mean": spending.shop_mean(found),
            "correlation_with_orders": apart.correlation,
            "independent": apart.fine,
        }
        desk.json(found.to_json() | more | ({"written": str(out)} if written else {}))
        return
    show_fit(desk, found)
    desk.facts(
        [
            (_("mean order of the shop"), f"{spending.shop_mean(found):,.2f}"),
            (_("correlation of orders and their mean"), f"{apart.correlation:.2f}"),
        ]
    )
    if not apart.fine:
        desk.say(_("Frequent buyers spend other amounts per order than seldom ones; the model takes them for alike."))


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
    type=click.DateTime(["%Y-%m-%d"]),
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
