"""`shuke insight profit|budget|loyalty`: what members earn and cost, what keeping them is worth, why they come back."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.insight import command, said, share
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

ADVICE = ("win_back", "keep", "at_ease", "let_go")


def report_of(desk: Desk) -> dict[str, Any]:
    """The latest report, made now if what it rests on is newer."""
    from shuke.insight import actions
    from shuke.insight.queries import figures, profit

    day = figures.there(figures.last_day(desk.merchant))
    if profit.unreported(desk.merchant, desk.now):
        actions.profit_report(merchant=desk.merchant, day=day, now=desk.now)
    found = profit.report(desk.merchant)
    assert found is not None
    return found


def percent(permille: int | None) -> str:
    return "–" if permille is None else f"{permille / 10:.0f} %"


@declared(
    "profit",
    _("What members earned and cost: margin less acquisition, care, service, rewards, recovery; --member: one of them, with reasons."),
    "shuke insight profit\nshuke insight profit --by rfm\nshuke insight profit --member M10023\nshuke insight profit --best 20",
    group=command,
)  # fmt: skip
@click.option("--by", type=click.Choice(["tier", "layer", "rfm"]), default="tier", show_default=True, help=_("groups"))
@click.option("--member", help=_("a card, phone or name: this member alone"))
@click.option("--best", type=click.IntRange(1, 500), help=_("list so many members with the largest yearly profit"))
@click.option("--worst", type=click.IntRange(1, 500), help=_("list so many costly members, the dearest first"))
def profit(desk: Desk, by: str, member: str | None, best: int | None, worst: int | None) -> None:
    from shuke.engine.insight import profit_words
    from shuke.engine.insight.profit import KINDS
    from shuke.insight.queries import profit as told

    found = report_of(desk)
    if member:
        _one(desk, member)
        return
    if best or worst:
        _members(desk, told.best(desk.merchant, best) if best else told.worst(desk.merchant, worst or 0))
        return
    if desk.as_json:
        desk.json(found)
        return
    names = [_("net"), _("margin"), *(said(profit_words.COSTS[kind]) for kind in KINDS), _("profit")]
    groups = [one for one in found["groups"] if one["key"].startswith(f"{by}:")]
    rows = [(one["key"].split(":")[1] or _("none"), one["members"], one["year"]) for one in groups]
    rows.append((_("all"), found["whole"]["members"], found["whole"]["year"]))
    desk.table(
        [_("group"), _("members"), *names],
        [(name, members, *(desk.money(year[what]) for what in ("net", "margin", *KINDS, "profit"))) for name, members, year in rows],
        title=_("Profit of 365 days on {day}").format(day=found["as_of"]), right=tuple(range(1, 10)),
    )  # fmt: skip
    terms = found["terms"]
    if terms["margin_assumed"]:
        desk.say(_("The shop's margin of {margin} is an assumption; state your own with `shuke insight terms`.").format(margin=percent(terms["margin"])))  # fmt: skip
    desk.say(_("Of what members kept, {share} has a stated margin or cost. {losing} members cost more than they brought.").format(
        share=percent(found["stated_share"]), losing=f"{found['losing']:,}"
    ))  # fmt: skip


def _members(desk: Desk, listed: list[Any]) -> None:
    from shuke.insight.queries.profit_told import row_plain

    if desk.as_json:
        desk.json([row_plain(one) for one in listed])
        return
    desk.table(
        [_("card"), _("name"), _("profit"), _("loyalty"), _("quality"), _("budget"), _("advice"), _("reasons")],
        [
            (one.member.card, str(one.member), desk.money(one.row.year_profit_minor), _words(one.row)[0], _words(one.row)[1],
             desk.money(one.row.budget_minor), _words(one.row)[2], _reasons(desk, one, " "))
            for one in listed
        ],
        right=(2, 5),
    )  # fmt: skip


def _words(row: Any) -> tuple[str, str, str]:
    from shuke.engine.insight import profit_words

    return (
        said(profit_words.TYPES[row.loyalty]),
        said(profit_words.QUALITIES[row.quality]),
        said(profit_words.ADVICE[row.advice]),
    )


def _reasons(desk: Desk, told: Any, between: str) -> str:
    from shuke.engine.insight import profit_words

    return between.join(
        profit_words.reason(code, figures, "zh" if language() == "zh-hans" else "en", desk.money)
        for code, figures in told.reasons
    )


def _one(desk: Desk, asked: str) -> None:
    from shuke.doors.cli.commands.members import member_named
    from shuke.engine.insight import profit_words
    from shuke.engine.insight.profit import KINDS
    from shuke.insight.queries import profit as told
    from shuke.insight.queries.profit_told import member_plain

    who = member_named(desk, asked)
    plain, one = member_plain(desk.merchant, who), told.of_member(desk.merchant, who.pk)
    if plain is None or one is None:
        raise Refused(_("{card} is in no report yet: it is made at night.").format(card=who.card))
    if desk.as_json:
        desk.json(plain)
        return
    desk.table(
        ["", _("365 days"), _("ever")],
        [
            (name, desk.money(plain["year"][what]), desk.money(plain["ever"][what]))
            for what, name in (
                ("net", _("net")), ("margin", _("margin")), *((kind, said(profit_words.COSTS[kind])) for kind in KINDS), ("profit", _("profit")),
            )
        ],
        title=f"{who} · {plain['as_of']}", right=(1, 2),
    )  # fmt: skip
    kind, quality, advice = _words(one.row)
    uplift = percent(plain["uplift_permille"]) + (
        f" ({_('assumption')})" if plain["uplift_assumed"] else f" ({plain['uplift_source']})"
    )
    years = f"{plain['years_tenths'] / 10:g}" + (f" ({_('assumption')})" if plain["years_assumed"] else "")
    desk.facts(
        [
            (_("loyalty"), kind), (_("quality"), quality), (_("reasons"), _reasons(desk, one, "\n")),
            (_("plain formula"), desk.money(plain["plain_worth_minor"])), (_("years"), years),
            (_("chance to leave"), percent(one.row.leaving_permille)), (_("worth of a year, if they stay"), desk.money(one.row.worth_minor)),
            (_("budget"), desk.money(one.row.budget_minor)), (_("uplift"), uplift), (_("advice"), advice),
            *((said(profit_words.SAID_BY_HAND[key]), value if value not in (None, "") else said(profit_words.NOT_KNOWN)) for key, value in plain["said"].items()),
        ]
    )  # fmt: skip


@declared(
    "budget",
    _("What it is worth at most to keep or win back members, and whom to let go."),
    "shuke insight budget\nshuke insight budget --advice win_back --limit 50\nshuke insight budget --advice let_go --json",
    group=command,
)
@click.option("--advice", type=click.Choice(ADVICE), help=_("list the members with this advice, largest budget first"))
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help=_("at most so many"))
def budget(desk: Desk, advice: str | None, limit: int) -> None:
    from shuke.engine.insight import profit_words
    from shuke.insight.queries import profit as told

    found = report_of(desk)
    if advice:
        _members(desk, told.worth_keeping(desk.merchant, advice, limit))
        return
    if desk.as_json:
        desk.json({"as_of": found["as_of"], "terms": found["terms"], "budgets": found["budgets"]})
        return
    desk.table(
        [_("advice"), _("members"), _("worth of a year, if they stay"), _("budget"), _("from"), _("to"), _("meaning")],
        [
            (said(profit_words.ADVICE[one["key"]]), one["members"], desk.money(one["worth"]), desk.money(one["budget"]), desk.money(one["low"]),
             desk.money(one["high"]), said(profit_words.ADVICE_MEANINGS[one["key"]]))
            for one in found["budgets"]
        ],
        title=_("Retention budget on {day}").format(day=found["as_of"]), right=(1, 2, 3, 4, 5),
    )  # fmt: skip
    terms = found["terms"]
    if terms["uplift_source"]:
        desk.say(_("An effort keeps {uplift} of those who would leave, as measured by {source}.").format(uplift=percent(terms["uplift"]), source=terms["uplift_source"]))  # fmt: skip
    else:
        desk.say(_("That an effort keeps {uplift} of those who would leave is an assumption until a control group has measured it.").format(uplift=percent(terms["uplift"])))  # fmt: skip


@declared(
    "loyalty",
    _("Why members come back: habit, price or high loyalty; quality and costly members; whether price sensitivity is a trait here."),
    "shuke insight loyalty\nshuke insight loyalty --json",
    group=command,
)  # fmt: skip
def loyalty(desk: Desk) -> None:
    from shuke.engine.insight import profit_words

    found = report_of(desk)
    if desk.as_json:
        desk.json(
            {name: found[name] for name in ("as_of", "types", "qualities", "measures", "price", "recommend", "wallet")}
        )
        return
    for rows, names, meanings, title in (
        (
            found["types"],
            profit_words.TYPES,
            profit_words.TYPE_MEANINGS,
            _("Loyalty types on {day}").format(day=found["as_of"]),
        ),
        (found["qualities"], profit_words.QUALITIES, profit_words.QUALITY_MEANINGS, ""),
    ):
        desk.table(
            ["", _("members"), "%", _("net"), _("profit"), _("meaning")],
            [
                (said(names[one["key"]]), one["members"], share(one["members"], found["whole"]["members"]), desk.money(one["year"]["net"]),
                 desk.money(one["year"]["profit"]), said(meanings[one["key"]]))
                for one in rows
            ],
            title=title, right=(1, 2, 3, 4),
        )  # fmt: skip
    price = found["price"]
    if price is None:
        desk.say(_("No order shows reduced goods, so nothing is said about price sensitivity."))
        return
    half = price["halves"]["10"]
    desk.say(_("Members buy {mean} on promotion; told of {published} members with ten orders or more.").format(mean=f"{price['mean']:.0%}", published=f"{price['published']:,}"))  # fmt: skip
    if half["r"] is not None:
        desk.say(_("First half of orders against the second: correlation {r} over {members} members.").format(r=f"{half['r']:.2f}", members=f"{half['members']:,}"))  # fmt: skip
