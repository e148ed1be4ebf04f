"""`shuke finance …`: what points owe, and their entries for the bookkeeper; as a table, JSON, CSV, XLSX or hledger."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import REFUSED
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.flows.finance_report import Report

_FILES = (".csv", ".xlsx", ".hledger", ".json")


@click.group("finance", help=_("What points owe, what lapses, and the entries for the bookkeeper."))
def command() -> None:
    """Finance."""


def out(function: Any) -> Any:
    """--out FILE: the tables as a file, its kind by its name."""
    about = _("write the first table to this file: .csv, .xlsx or .json; with --table another one")
    function = click.option(
        "--table", "table", default="", metavar=_("NAME"), help=_("which table goes into the file")
    )(function)
    return click.option("--out", "path", type=click.Path(dir_okay=False, path_type=Path), help=about)(function)


@declared(
    "liability",
    _("What is owed in points at the end of a day: by age, expiry, tier, store, and who pays. Exact for any past day."),
    "shuke finance liability\nshuke finance liability --at 2026-03-31 --json\nshuke finance liability --out owed.xlsx --table by_store",
    group=command,
)
@click.option("--at", "day", type=DAY, help=_("the day; default: today"))
@out
def liability(desk: Desk, day: datetime | None, path: Path | None, table: str) -> int:
    from shuke.flows import finance_report

    return _tell(desk, finance_report.liability(desk.merchant, _day(desk, day), desk.now, language()), path, table)


@declared(
    "movements",
    _("Opening, issued, redeemed, expired, adjusted, closing: month by month, checked against the double entry."),
    "shuke finance movements --from 2026-01 --to 2026-03",
    group=command,
)
@click.option("--from", "first", metavar=_("MONTH"), help=_("first month; default: a year before the last"))
@click.option("--to", "last", metavar=_("MONTH"), help=_("last month; default: this one"))
@out
def movements(desk: Desk, first: str | None, last: str | None, path: Path | None, table: str) -> int:
    from shuke.engine.finance import months
    from shuke.flows import finance_report
    from shuke.loyalty.queries import finance

    end = months.read(last) if last else finance.this_month(desk.merchant, desk.now)
    begin = months.read(first) if first else end - finance_report.SPAN + 1
    if begin > end:
        raise click.UsageError(_("--from lies after --to."))
    return _tell(desk, finance_report.movements(desk.merchant, begin, end, desk.now, language()), path, table)


@declared(
    "costs",
    _(
        "What gifts, benefits, coupons, draws and bonus cost in a time, by kind and programme; with --lines what is behind it."
    ),
    "shuke finance costs --from 2026-01-01 --to 2026-03-31\nshuke finance costs --kind gift --lines 100\n"
    "shuke finance costs --member 00001234 --out costs.csv --table lines",
    group=command,
)
@click.option("--from", "first", type=DAY, help=_("first day; default: a year before the last"))
@click.option("--to", "last", type=DAY, help=_("last day; default: today"))
@click.option("--kind", type=click.Choice(["gift", "benefit", "coupon", "draw", "referral", "bonus"]), default=None)
@click.option(
    "--programme", default="", metavar=_("NAME"), help=_("one gift, benefit, coupon template or draw, by its key")
)
@click.option("--member", default="", metavar=_("CARD"), help=_("one member"))
@click.option("--lines", type=click.IntRange(0, 100_000), default=0, help=_("so many rows behind it, the latest first"))
@out
def costs(
    desk: Desk,
    first: datetime | None,
    last: datetime | None,
    kind: str | None,
    programme: str,
    member: str,
    lines: int,
    path: Path | None,
    table: str,
) -> int:
    from datetime import timedelta

    from shuke.flows import costs_report
    from shuke.members.queries import member_of

    end = _day(desk, last)
    begin = first.date() if first else end - timedelta(days=364)
    if begin > end:
        raise click.UsageError(_("--from lies after --to."))
    who = member_of(desk.merchant.pk, member).pk if member else None
    most = lines or (costs_report.MOST_LINES if table == "lines" else 0)
    report = costs_report.costs_of(
        desk.merchant, begin, end, language(), kind=kind or "", programme=programme, member_id=who, lines=most
    )
    return _tell(desk, report, path, table)


@declared(
    "breakage",
    _(
        "What becomes of each month's points, how many will be used in the end, and how wrong that was for known months."
    ),
    "shuke finance breakage --json",
    group=command,
)
@out
def breakage(desk: Desk, path: Path | None, table: str) -> int:
    from shuke.flows import finance_report

    return _tell(desk, finance_report.breakage(desk.merchant, desk.now, language()), path, table)


@declared(
    "deferral",
    _("Deferred revenue (IFRS 15, CAS 14) or the provision, month by month, by the shop's own method."),
    "shuke finance deferral --at 2026-03-31",
    group=command,
)
@click.option("--at", "day", type=DAY, help=_("the day; default: today"))
@out
def deferral(desk: Desk, day: datetime | None, path: Path | None, table: str) -> int:
    from shuke.flows import finance_report

    return _tell(desk, finance_report.deferral(desk.merchant, _day(desk, day), desk.now, language()), path, table)


@declared(
    "lapsing",
    _("How many points lapse in the months ahead, how many are used before, between which bounds."),
    "shuke finance lapsing",
    group=command,
)
@out
def lapsing(desk: Desk, path: Path | None, table: str) -> int:
    from shuke.flows import finance_report

    return _tell(desk, finance_report.lapsing(desk.merchant, desk.now, language()), path, table)


@declared(
    "entries",
    _("Balanced entries of a month for the bookkeeper. A closed month is written as it was handed over, to the byte."),
    "shuke finance entries 2026-03\nshuke finance entries 2026-03 --per day --out march.csv\nshuke finance entries 2026-03 --out march.hledger",
    group=command,
)
@click.argument("month", metavar=_("MONTH"))
@click.option("--per", type=click.Choice(["month", "day"]), help=_("one voucher for the month, or one a day"))
@out
def entries(desk: Desk, month: str, per: str | None, path: Path | None, table: str) -> int:
    from shuke.engine.finance import months
    from shuke.flows import finance_report

    report = finance_report.entries(desk.merchant, months.read(month), desk.now, language(), per or "")
    return _tell(desk, report, path, table)


@declared(
    "close",
    _(
        "Close a month that is over: its entries are kept for ever, and what becomes known later goes into the next one."
    ),
    "shuke finance close 2026-03",
    group=command,
)
@click.argument("month", metavar=_("MONTH"))
def close(desk: Desk, month: str) -> None:
    from shuke.engine.finance import months
    from shuke.loyalty.actions.closing import close_month

    kept = close_month(merchant=desk.merchant, month=months.read(month), now=desk.now, actor=desk.actor)
    digest = bytes(kept.digest).hex()
    if desk.as_json:
        desk.json({"month": month, "closed_at": kept.closed_at, "by": kept.closed_by, "digest": digest})
    desk.say(_("{month} is closed. Fingerprint {digest}").format(month=month, digest=digest[:16]))


@declared(
    "closed",
    _("The months that are closed, and whether each is still what was handed over."),
    "shuke finance closed",
    group=command,
)
def closed(desk: Desk) -> int:
    from shuke.engine.finance import months
    from shuke.loyalty.queries import finance

    found = finance.closed_months(desk.merchant)
    whole = finance.chain_is_whole(desk.merchant)
    rows = [(months.label(c.month), desk.minute(c.closed_at), c.closed_by, bytes(c.digest).hex()) for c in found]
    if desk.as_json:
        keys = ("month", "closed_at", "by", "digest")
        desk.json({"ok": whole, "months": [dict(zip(keys, row, strict=True)) for row in rows]})
        return 0 if whole else REFUSED
    desk.table([_("month"), _("closed"), _("by"), _("fingerprint")], rows)
    desk.say(_("All as handed over.") if whole else _("A closed month was changed in the database."))
    return 0 if whole else REFUSED


@declared(
    "policy",
    _("By which method, expectation and accounts points are put into the books; with options, changes it."),
    "shuke finance policy\nshuke finance policy --method provision --chart small\nshuke finance policy --expected 80 --tax 130 --account revenue=6001.05",
    group=command,
)
@click.option("--method", type=click.Choice(["deferral", "provision", "none"]), help=_("how points are booked"))
@click.option(
    "--expected", metavar=_("PERCENT"), help=_("share of points expected to be used; `auto`: estimated from the past")
)
@click.option("--tax", type=click.IntRange(0, 500), help=_("value-added tax within prices, in thousandths: 130 is 13%"))
@click.option("--chart", type=click.Choice(["cas", "small", "ifrs"]), help=_("accounts to begin with"))
@click.option(
    "--account", "accounts", multiple=True, metavar="ROLE=CODE", help=_("an account of your own; ROLE= takes it back")
)
@click.option("--per", type=click.Choice(["month", "day"]), help=_("one voucher for the month, or one a day"))
@click.option("--prefix", help=_("what voucher numbers begin with"))
def policy(desk: Desk, accounts: tuple[str, ...], **told: Any) -> None:
    from shuke.engine.finance import policy as policies
    from shuke.loyalty.actions.closing import set_finance_policy
    from shuke.loyalty.queries import finance

    plain = finance.policy(desk.merchant).model_dump(mode="json")
    changes = {key: value for key, value in told.items() if value is not None}
    if "expected" in changes:
        text = changes.pop("expected")
        changes["expected_percent"] = None if text == "auto" else text
    if "tax" in changes:
        changes["tax_permille"] = changes.pop("tax")
    for one in accounts:
        role, _sign, code = one.partition("=")
        own = dict(plain["accounts"])
        own.pop(role, None)
        plain["accounts"] = own | ({role: {"code": code}} if code or role not in policies.ROLES else {})
    chosen = policies.of(plain | changes)
    if changes or accounts:
        set_finance_policy(merchant=desk.merchant, policy=chosen, now=desk.now, actor=desk.actor)
    if desk.as_json:
        codes = {role: chosen.account(role).model_dump() for role in policies.ROLES}
        desk.json(chosen.model_dump(mode="json") | {"accounts": codes})
        return
    from shuke.engine.finance import wording
    from shuke.flows import finance_report

    expected = _("estimated from the past") if chosen.expected_percent is None else f"{chosen.expected_percent}%"
    desk.facts(
        [
            (_("method"), wording.named(wording.METHODS, chosen.method, language())),
            (_("expected to be used"), expected),
            (_("value-added tax"), f"{chosen.tax_permille / 10:g}%"),
            (_("accounts"), wording.named(wording.CHARTS, chosen.chart, language())),
            *(
                (name, f"{chosen.account(role).code} {chosen.account(role).name}")
                for role, name in finance_report.roles(language())
            ),
            (_("voucher per"), chosen.per),
            (_("number begins with"), chosen.prefix),
        ]
    )


def _day(desk: Desk, day: datetime | None) -> date:
    return day.date() if day else desk.now.astimezone(desk.merchant.tz).date()


def _tell(desk: Desk, report: Report, path: Path | None, table: str) -> int:
    """The report in the terminal, as JSON, or one table of it as a file. 1 where figures do not agree."""
    from shuke.engine.finance import tables

    if path is not None:
        _write(desk, report, path, table)
        desk.say(_("Written to {path}.").format(path=path))
    elif desk.as_json:
        desk.json({"report": report.key, "ok": report.ok, **report.plain})
    else:
        money = desk.merchant.currency
        desk.facts(
            [(f.name, tables.shown(f.value, f.kind, money)) for f in report.figures],
            title=_("{title}, {told}").format(title=report.title, told=report.told),
        )
        for one in report.tables:
            if one.rows:
                right = [i for i, column in enumerate(one.columns) if column.kind not in ("text", "day")]
                kinds = [column.kind for column in one.columns]
                desk.table(
                    [column.name for column in one.columns],
                    [[tables.shown(v, k, money) for v, k in zip(row, kinds, strict=True)] for row in one.rows],
                    title=f"{one.title} [{one.key}]".replace("[", r"\["),
                    right=right,
                )
        for note in report.notes:
            desk.say(f"· {note}")
    return 0 if report.ok else REFUSED


def _write(desk: Desk, report: Report, path: Path, table: str) -> None:
    from shuke.flows import finance_report

    kind = path.suffix.lower()
    if kind not in _FILES:
        raise click.UsageError(_("The file's name must end in {endings}.").format(endings=", ".join(_FILES)))
    keys = [one.key for one in report.tables]
    if table and table not in keys:
        raise click.UsageError(
            _("There is no table {name}; there are {known}.").format(name=table, known=", ".join(keys))
        )
    path.write_bytes(finance_report.as_file(report, kind[1:], desk.merchant.currency, language(), table=table))
