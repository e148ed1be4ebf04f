"""`shuke insight clv fit|predict|spend|test FILE`: models of what customers will buy, on a file, without a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.commands.insight_files import (
    FILE,
    SHOWN,
    bare,
    cells,
    kept,
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
    "shuke insight clv fit donors.csv --model bg_bb --columns frequency,recency,periods,weights\n"
    "shuke insight clv fit summary.csv --traits online,referred",
    group=clv,
    django=False,
)
@FILE
@MODEL
@K
@COLUMNS
@NO_PRIOR
@click.option(
    "--traits", metavar="NAME,NAME", help=_("columns of lasting traits, as figures: what they do to rate and leaving")
)
def fit(desk: Desk, file: Path, model: str, k: int | None, columns: str, no_prior: bool, traits: str | None) -> None:
    if traits:
        fit_with_traits(desk, file, model, k, columns, no_prior, traits)
        return
    found = fitted_to(file, model, k, columns, no_prior)[0]
    if desk.as_json:
        desk.json(found.to_json())
        return
    show_fit(desk, found)


def fit_with_traits(
    desk: Desk, file: Path, model: str, k: int | None, columns: str, no_prior: bool, traits: str
) -> None:
    from shuke.engine.insight import files
    from shuke.engine.insight.clv import traits as joint

    names = tuple(name.strip() for name in traits.split(",") if name.strip())
    read = columns_in(file, columns, 3)
    if (read.columns[3] != 1).any():
        raise click.UsageError(_("--traits needs one row per customer; these rows stand for several."))
    with files.Table(file) as table:
        values = table.numbers(*names)
    x, t_x, T, _n = read.columns
    told = joint.fit(x, t_x, T, files.beside(values), names, model, k=k, prior=not no_prior)
    if desk.as_json:
        parts = {
            "on_rate": told.on_rate,
            "on_leaving": told.on_leaving,
            "rate_se": told.rate_se,
            "leaving_se": told.leaving_se,
        }
        desk.json(
            told.base.to_json() | {name: dict(zip(names, map(bare, one), strict=True)) for name, one in parts.items()}
        )
        return
    show_fit(desk, told.base)
    desk.table(
        [_("trait"), _("on rate"), _("standard error"), _("on leaving"), _("standard error")],
        [
            (name, *("–" if value != value else f"{value:.4f}" for value in row))
            for name, *row in zip(names, told.on_rate, told.rate_se, told.on_leaving, told.leaving_se, strict=True)
        ],
        right=(1, 2, 3, 4),
    )


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
