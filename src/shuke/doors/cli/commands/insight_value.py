"""`shuke insight clv fit|spend FILE`: models of what customers will buy, on a file, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.commands.insight_files import FILE, kept
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    import numpy as np

    from shuke.engine.insight.clv import fitted, traits

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
COVARIATES = click.option(
    "--covariates",
    metavar="NAME,NAME",
    help=_("columns of lasting traits, as numbers or words (channel, acquisition): what they do to rate and leaving"),
)
OUT = click.option("--out", type=click.Path(path_type=Path), help=_("write all rows to this CSV or Parquet file"))


class Read(NamedTuple):
    """What a file holds: the named columns with counts last (or ones), and what else it has of what `summary` writes."""

    columns: list[np.ndarray]
    log_gaps: float | None
    money: list[np.ndarray] | None  # paid, mean_spend
    customer: np.ndarray | None


def columns_in(file: Path, text: str, least: int) -> Read:
    from shuke.engine.insight import files

    names = named(text)
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
    "shuke insight clv fit summary.csv --covariates channel,acquired_by",
    group=clv,
    django=False,
)
@FILE
@MODEL
@K
@COLUMNS
@NO_PRIOR
@COVARIATES
def fit(
    desk: Desk, file: Path, model: str, k: int | None, columns: str, no_prior: bool, covariates: str | None
) -> None:
    if covariates:
        fit_with_traits(desk, file, model, k, columns, no_prior, covariates)
        return
    found = fitted_to(file, model, k, columns, no_prior)[0]
    if desk.as_json:
        desk.json(found.to_json())
        return
    show_fit(desk, found)


def fit_with_traits(
    desk: Desk, file: Path, model: str, k: int | None, columns: str, no_prior: bool, covariates: str
) -> None:
    told, _values, _read = fitted_with_traits(file, model, k, columns, no_prior, covariates)
    if desk.as_json:
        desk.json(told.to_json())
        return
    show_fit(desk, told.base)
    show_traits(desk, told)


def show_traits(desk: Desk, told: traits.TraitFit) -> None:
    desk.table(
        [_("trait"), _("on rate"), _("standard error"), _("on leaving"), _("standard error")],
        [
            (name, *("–" if value != value else f"{value:.4f}" for value in row))
            for name, *row in zip(told.names, told.on_rate, told.rate_se, told.on_leaving, told.leaving_se, strict=True)
        ],
        right=(1, 2, 3, 4),
    )


def fitted_with_traits(
    file: Path, model: str, k: int | None, columns: str, no_prior: bool, covariates: str
) -> tuple[traits.TraitFit, np.ndarray, Read]:
    """The fit, the value of each row and trait, and what was read."""
    from shuke.engine.insight.clv import traits as joint

    read = columns_in(file, columns, 3)
    own = traits_in(file, named(covariates), read)
    names = joint.names_in(own)
    x, t_x, T, _n = read.columns
    values = joint.values_in(names, own)
    return joint.fit(x, t_x, T, values, names, model, k=k, prior=not no_prior), values, read


def traits_in(file: Path, names: list[str], read: Read) -> dict[str, np.ndarray]:
    from shuke.engine.insight import files

    if (read.columns[3] != 1).any():
        raise click.UsageError(_("--covariates needs one row per customer; these rows stand for several."))
    with files.Table(file) as table:
        return table.traits(names)


def named(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def fitted_to(file: Path, model: str, k: int | None, columns: str, no_prior: bool) -> tuple[fitted.Fit, Read]:
    from shuke.engine.insight.clv import fit as fitting
    from shuke.engine.insight.clv import rows

    read = columns_in(file, columns, 3)
    grouped = rows.group(*read.columns, log_gaps=read.log_gaps)
    return fitting.fit(grouped, model, k=k, prior=not no_prior), read


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
