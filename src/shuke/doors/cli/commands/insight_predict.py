"""`shuke insight clv predict FILE`: what customers of a file will buy, by a fit of it or one that was kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from shuke.doors.cli.commands.insight_files import (
    AMOUNT,
    CUSTOMER,
    DATE,
    END,
    FILE,
    SHOWN,
    cells,
    kept,
    number_of,
    say_guests,
    visits_in,
)  # fmt: skip
from shuke.doors.cli.commands.insight_value import (
    COLUMNS,
    COVARIATES,
    MODEL,
    NO_PRIOR,
    OUT,
    K,
    clv,
    columns_in,
    fitted_to,
    fitted_with_traits,
    named,
    traits_in,
    verdict,
)  # fmt: skip
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _

if TYPE_CHECKING:
    import numpy as np

    from shuke.engine.insight import files
    from shuke.engine.insight.clv import calibrate, fitted, history, traits

    Put = Callable[[int], calibrate.Scale]


class Known(NamedTuple):
    """Customers of a file, and the fit they are told by."""

    columns: list[np.ndarray]  # x, t_x, T, n
    customer: np.ndarray | None
    money: list[np.ndarray] | None  # paid, mean_spend
    found: fitted.Fit
    parted: traits.TraitFit | None
    values: np.ndarray | None  # of traits
    scale: Put | None  # by days; None where a file of customers says nothing of what came of earlier chances

    def each(self, what: str, horizon: float) -> np.ndarray:
        """chance_to_buy or expected_orders of each row within `horizon` units of time."""
        from shuke.engine.insight.clv import predict, traits

        x, t_x, T, _n = self.columns
        if self.parted is None or self.values is None:
            return getattr(predict, what)(self.found, x, t_x, T, horizon)
        return getattr(traits, what)(self.parted, x, t_x, T, self.values, horizon)


@declared(
    "predict",
    _(
        "The chance to buy and the orders to expect of each customer, by a fit of a summary, or of orders with --orders; with paid and mean_spend in the"
        " file the spend of a year too. From orders, chances are put right by what came of earlier ones, as every night; a summary does not say what came,"
        " so its chances stay as the model states them."
    ),
    "shuke insight clv predict summary.csv --days 30,90 --out scores.csv\n"
    "shuke insight clv predict orders.csv --orders --customer member --date paid_on --amount total --covariates channel\n"
    "shuke insight clv predict summary.csv --by fit.json --days 30 --json",
    group=clv,
    django=False,
)
@FILE
@MODEL
@K
@COLUMNS
@NO_PRIOR
@COVARIATES
@click.option("--by", type=click.Path(path_type=Path), help=_("a fit kept from `clv fit --json`, instead of a new one"))
@click.option("--orders", "of_orders", is_flag=True, help=_("the file holds orders, not a row per customer"))
@CUSTOMER
@DATE
@AMOUNT
@END
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
    covariates: str | None,
    by: Path | None,
    of_orders: bool,
    customer: str,
    date: str,
    amount: str | None,
    end: datetime | None,
    days: str,
    unit: float,
    out: Path | None,
) -> None:
    horizons = horizons_of(days)
    if not unit > 0:
        raise click.UsageError(_("--unit is a number of days above 0."))
    if of_orders and (by or model == "bg_bb"):
        raise click.UsageError(
            _("--orders fits the file itself: leave out --by, and bg_bb, which takes a row per customer.")
        )
    if of_orders:
        rows, seen = visits_in(file, customer, date, amount)
        say_guests(desk, rows)
        own = first_traits(file, customer, date, covariates, rows)
        known = from_orders(seen, rows.names, number_of(end), model, k, no_prior, own, unit)
    else:
        known = from_summary(file, model, k, columns, no_prior, covariates, by)
    if not known.found.verdict.usable:
        raise Refused(verdict(known.found))
    tell(desk, known, horizons, unit, out)


def from_summary(
    file: Path, model: str, k: int | None, columns: str, no_prior: bool, covariates: str | None, by: Path | None
) -> Known:
    from shuke.engine.insight.clv import rows
    from shuke.engine.insight.clv import traits as joint

    parted, values = None, None
    if by is not None:
        read = columns_in(file, columns, 3)
        rows.group(*read.columns)  # refuses what no history can be
        parted, found = kept_fit(by)
        if parted is not None:
            own = traits_in(file, joint.columns_of(parted.names), read)
            values = joint.values_in(parted.names, own)
    elif covariates:
        parted, values, read = fitted_with_traits(file, model, k, columns, no_prior, covariates)
        found = parted.base
    else:
        found, read = fitted_to(file, model, k, columns, no_prior)
    return Known(read.columns, read.customer, read.money, found, parted, values, None)


def first_traits(
    file: Path, customer: str, date: str, covariates: str | None, rows: files.Orders
) -> dict[str, np.ndarray] | None:
    """What the first order of each customer says: the channel and the way that brought them."""
    from shuke.engine.insight import files

    if not covariates:
        return None
    with files.Table(file) as table:
        return table.first_traits(customer, date, named(covariates), rows.names)


def from_orders(
    seen: history.Visits,
    names: np.ndarray,
    end: int | None,
    model: str,
    k: int | None,
    no_prior: bool,
    own: dict[str, np.ndarray] | None,
    unit: float,
) -> Known:
    from shuke.engine.insight.clv import fit as fitting
    from shuke.engine.insight.clv import history, holdout
    from shuke.engine.insight.clv import traits as joint

    told = history.summary_of(seen, end=int(seen.day.max()) if end is None else end, unit=unit)
    parted, values, of_all = None, None, None
    if own is None:
        found = fitting.fit(told.rows(), model, k=k, prior=not no_prior)
    else:
        # `seen.customers` are places in `names`, which the columns of traits go by.
        mine = {name: column[seen.customers] for name, column in own.items()}
        kinds = joint.names_in(mine)
        of_all = (kinds, joint.values_in(kinds, mine))
        values = of_all[1][seen.customers.searchsorted(told.customer)]
        parted = joint.fit(told.x, told.t_x, told.T, values, kinds, model, k=k, prior=not no_prior)
        found = parted.base
    columns = [told.x, told.t_x, told.T, told.x * 0 + 1.0]
    money = [told.paid.astype(float), told.mean_spend] if (told.paid > 0).any() else None

    def scale(days: int) -> calibrate.Scale:
        return holdout.learned_scale(seen, found, cut=told.end, days=days, unit=unit, own=of_all)

    return Known(columns, names[told.customer], money, found, parted, values, scale)


def tell(desk: Desk, known: Known, horizons: list[int], unit: float, out: Path | None) -> None:
    from shuke.engine.insight.clv import calibrate, spend, worth

    x, t_x, T, n = known.columns
    told: dict[str, Any] = {} if known.customer is None else {"customer": known.customer}
    told |= {"x": x, "t_x": t_x, "T": T, "n": n}
    scales = {days: known.scale(days) if known.scale else calibrate.AS_STATED for days in horizons}
    for horizon in horizons:
        told[f"chance_{horizon}d"] = scales[horizon].put_right(known.each("chance_to_buy", horizon / unit))
        told[f"orders_{horizon}d"] = known.each("expected_orders", horizon / unit)
    if known.money is not None and known.found.model != "bg_bb":
        paid, mean = known.money
        told["order_value"] = spend.expected_order_value(spend.fit(paid, mean, n, cap=True), paid, mean)
        told["spend_12m"] = known.each("expected_orders", 12 * worth.MONTH_DAYS / unit) * told["order_value"]
    totals = {name: float((values * n).sum()) for name, values in told.items() if name.startswith(("orders", "spend"))}
    totals |= {f"likely_{h}d": float(n[told[f"chance_{h}d"] >= 0.5].sum()) for h in horizons}
    written = kept(desk, out, told)
    if desk.as_json:
        rows_told = (
            []
            if written
            else [dict(zip(told, row, strict=True)) for row in zip(*map(cells, told.values()), strict=True)]
        )
        head: dict[str, Any] = {"model": known.found.model, "k": known.found.k, "customers": float(n.sum())}
        head |= {"covariates": list(known.parted.names) if known.parted else [], "totals": totals}
        head["put_right"] = {str(days): one._asdict() for days, one in scales.items() if one.learned_from}
        desk.json(head | ({"written": str(out)} if written else {"rows": rows_told}))
        return
    taught = [one for one in scales.values() if one.learned_from]
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
            (
                _("chances"),
                _("put right by what came of earlier ones, of {count} customers").format(
                    count=f"{taught[0].learned_from:,}"
                )
                if taught
                else _("as the model states them"),
            ),
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


def kept_fit(path: Path) -> tuple[traits.TraitFit | None, fitted.Fit]:
    """A fit as `clv fit --json` printed it, with its traits where it has any."""
    from shuke.engine.insight.clv import fit as fitting
    from shuke.engine.insight.clv import traits as joint

    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if "on_rate" in told:
            parted = joint.from_json(told)
            return parted, parted.base
        return None, fitting.from_params(told["model"], told["params"], k=told.get("k"))
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise Refused(
            _("{file} is no fit: keep what `shuke insight clv fit --json` prints.").format(file=path)
        ) from error
