"""`shuke insight margins|terms|book-cost`: what the seller states about costs, and costs booked on members by hand."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands.insight import command, said
from shuke.doors.cli.commands.insight_profit import percent
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

LISTED = 50


def refusing(call: Callable[[], Any]) -> Any:
    from shuke.engine.insight.profit_words import Refused as NotStated

    try:
        return call()
    except NotStated as error:
        raise Refused(error.say("zh" if language() == "zh-hans" else "en")) from error


@declared(
    "margins",
    _("What goods leave: margin or piece cost of products, margin of categories, cost of a newcomer by channel or store. Alone: what is stated."),
    "shuke insight margins\n"
    "shuke insight margins --category 食品/茶 --margin 45%\n"
    "shuke insight margins --product OC01 --cost 12.50\n"
    "shuke insight margins --channel 抖音 --cost 30\n"
    "shuke insight margins --product OC01 --drop\n"
    "shuke insight margins --file costs.xlsx --rejects rejected.csv",
    group=command,
)  # fmt: skip
@click.option("--product", help=_("the code of a product"))
@click.option("--category", help=_("a category as the files write it; those below it count too"))
@click.option("--channel", help=_("how newcomers came by"))
@click.option("--store", help=_("the name of a store"))
@click.option("--margin", help=_("share of the price that is left: 45% or 0.45"))
@click.option("--cost", help=_("what one piece, or one newcomer, costs"))
@click.option("--drop", is_flag=True, help=_("take back what was stated"))
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=_("take a list: columns what, code, margin, cost"),
)
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help=_("where rows that were not taken are written")
)
def margins(desk: Desk, path: Path | None, rejects: Path | None, margin: str | None, cost: str | None, drop: bool, **named: str | None) -> None:  # fmt: skip
    from shuke.insight import actions
    from shuke.kit import money

    chosen = [(what, key) for what, key in named.items() if key]
    if path:
        _take(desk, path, rejects)
        return
    if not chosen:
        _list(desk)
        return
    if len(chosen) > 1 or sum((bool(margin), bool(cost), drop)) != 1:
        raise click.UsageError(
            _("Name one of --product, --category, --channel, --store, and one of --margin, --cost, --drop.")
        )
    [(what, key)] = chosen
    try:
        minor = money.parse(cost, desk.merchant.currency) if cost else None
    except money.NotMoney:
        raise Refused(_("“{text}” is no amount of money.").format(text=cost)) from None
    told = actions.Statement(what, key, refusing(lambda: actions.share_of(margin)) if margin else None, minor)
    count = refusing(
        lambda: actions.state_costs(merchant=desk.merchant, statements=[told], now=desk.now, actor=desk.actor)
    )
    if desk.as_json:
        desk.json({"stated": count})
        return
    desk.say(_("Kept. The next report counts by it."))


def _list(desk: Desk) -> None:
    from shuke.insight.queries.profit_inputs import stated, terms_of

    told, terms = stated(desk.merchant), terms_of(desk.merchant)
    if desk.as_json:
        desk.json({"terms": terms, "stated": told})
        return
    rows = [
        (what, key, "" if one.margin_permille is None else percent(one.margin_permille), desk.money(one.cost_minor))
        for what, keys in told.items() for key, one in sorted(keys.items())
    ]  # fmt: skip
    desk.table([_("of"), _("code"), _("margin"), _("cost")], rows[:LISTED], right=(2, 3))
    if len(rows) > LISTED:
        desk.say(_("{n} more; all of them with --json.").format(n=len(rows) - LISTED))
    assumed = f" ({_('assumption')})" if terms.margin_assumed else ""
    desk.say(_("All other goods: {margin}").format(margin=percent(terms.margin)) + assumed)


def _take(desk: Desk, path: Path, rejects: Path | None) -> None:
    from shuke.insight import actions

    taken = refusing(lambda: actions.take_list(merchant=desk.merchant, path=path, now=desk.now, actor=desk.actor))
    spoken = "zh" if language() == "zh-hans" else "en"
    if rejects and taken.rejected:
        with rejects.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out).writerows([one.row, one.why.say(spoken), *one.cells] for one in taken.rejected)
    if desk.as_json:
        rows = [
            {"row": one.row, "code": one.why.code, "reason": str(one.why), "cells": one.cells} for one in taken.rejected
        ]
        desk.json({"stated": taken.stated, "rejected": rows})
    else:
        desk.say(_("{count} kept, {rejected} rejected.").format(count=taken.stated, rejected=len(taken.rejected)))
        for one in taken.rejected[:20]:
            desk.say(_("row {row}: {reason}").format(row=one.row, reason=one.why.say(spoken)))
    if taken.rejected and not taken.stated:
        raise Refused(_("No row of the list could be taken."))


@declared(
    "terms",
    _(
        "What stands for all members: the shop's margin, the uplift of the retention budget, the years of the plain formula."
    ),
    "shuke insight terms\n"
    "shuke insight terms --margin 38%\n"
    'shuke insight terms --uplift 6% --source "control group, May"\n'
    "shuke insight terms --uplift assumed",
    group=command,
)
@click.option("--margin", help=_("of all goods without one of their own: 38%; assumed: give it up"))
@click.option("--uplift", help=_("of those who would leave, the share an effort keeps: 6%; assumed: give it up"))
@click.option("--source", default="", help=_("what measured the uplift; without it, it stays an assumption"))
@click.option("--years", help=_("of the plain formula: 2.5; assumed: give it up"))
def terms(desk: Desk, margin: str | None, uplift: str | None, source: str, years: str | None) -> None:
    from shuke.insight import actions
    from shuke.insight.queries.profit_inputs import terms_of

    if margin or uplift or years:
        now = terms_of(desk.merchant)
        refusing(lambda: actions.set_terms(
            merchant=desk.merchant, now=desk.now, actor=desk.actor,
            margin_permille=_share(margin, None if now.margin_assumed else now.margin),
            uplift_permille=_share(uplift, now.uplift if now.uplift_stated else None),
            uplift_source=source if uplift else now.uplift_source,
            years_tenths=_years(years, None if now.years_assumed else now.years_tenths),
        ))  # fmt: skip
    told = terms_of(desk.merchant)
    if desk.as_json:
        desk.json(told)
        return
    assumed = f" ({_('assumption')})"
    desk.facts([
        (_("margin"), percent(told.margin) + (assumed if told.margin_assumed else "")),
        (_("uplift"), percent(told.uplift) + (f" ({told.uplift_source})" if told.uplift_source else assumed)),
        (_("years"), f"{told.years_tenths / 10:g}" + (assumed if told.years_assumed else "")),
    ])  # fmt: skip


def _share(text: str | None, kept: int | None) -> int | None:
    from shuke.insight import actions

    if text is None:
        return kept
    return None if text == "assumed" else actions.share_of(text)


def _years(text: str | None, kept: int | None) -> int | None:
    if text is None:
        return kept
    if text == "assumed":
        return None
    try:
        return round(float(text) * 10)
    except ValueError:
        raise Refused(_("“{text}” is no number of years.").format(text=text)) from None


@declared(
    "book-cost",
    _("Book a cost on a member by hand: acquisition, care, service, reward or recovery."),
    'shuke insight book-cost M10023 care 30 --note "birthday present"\nshuke insight book-cost M10023 service 12.5 --day 2026-11-02 --back',
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("kind", type=click.Choice(["acquisition", "care", "service", "reward", "recovery"]))
@click.argument("amount", metavar=_("AMOUNT"))
@click.option("--day", type=DAY, help=_("when it was caused; default: now"))
@click.option("--note", default="", help=_("what for"))
@click.option("--back", is_flag=True, help=_("take such a cost back"))
@click.option("--key", help=_("a name for ever: the same again books nothing"))
def book_cost(
    desk: Desk, member: str, kind: str, amount: str, day: datetime | None, note: str, back: bool, key: str | None
) -> None:
    from shuke.doors.cli.commands.members import member_named
    from shuke.engine.insight import profit_words
    from shuke.kit import clock, ids, money
    from shuke.members.actions import Cost, book_costs

    who = member_named(desk, member)
    try:
        minor = money.parse(amount, desk.merchant.currency) * (-1 if back else 1)
    except money.NotMoney:
        raise Refused(_("“{text}” is no amount of money.").format(text=amount)) from None
    at = clock.day_start(day.date(), desk.merchant.tz) if day else desk.now
    cost = Cost(who.pk, kind, minor, at, key or f"manual:{ids.new()}", note=note)
    count = refusing(lambda: book_costs(merchant=desk.merchant, costs=[cost], now=desk.now, actor=desk.actor))
    if desk.as_json:
        desk.json({"booked": count, "key": cost.key})
        return
    told = (
        _("{kind} of {amount} booked on {card}. Tonight's report counts it.")
        if count
        else _("This was booked before; nothing was done.")
    )
    desk.say(told.format(kind=said(profit_words.COSTS[kind]), amount=desk.money(minor), card=who.card))
