"""`shuke insight word-of-mouth`: what members who bring others are worth, and what is assumed about it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _


@declared(
    "word-of-mouth",
    _(
        "What members who bring others are worth: against others of the same month and way, by step, and the saying of 1:25:8:1."
    ),
    "shuke insight word-of-mouth\n"
    "shuke insight word-of-mouth --members matched\n"
    "shuke insight word-of-mouth --assume 20 --saying 20:5:1",
    group=command,
)
@click.option(
    "--members",
    "figure",
    help=_("the members behind: brought, step1, step2, step3, matched, unmatched, others, referrers"),
)
@click.option(
    "--assume", help=_('of friends brought, the percentage who would have come anyway; "" takes the usual one again')
)
@click.option("--saying", metavar="HEAR:WANT:BUY", help=_('what one satisfied member brings; "" takes 25:8:1 again'))
def word_of_mouth(desk: Desk, figure: str | None, assume: str | None, saying: str | None) -> None:
    from shuke.insight.queries import figures
    from shuke.insight.queries import word_of_mouth as told

    if assume is not None or saying is not None:
        _assume(desk, assume, saying)
    one = figures.there(told.report(desk.merchant, now=desk.now))
    if figure is not None:
        _say_members(desk, figure)
        return
    if desk.as_json:
        desk.json(one)
        return
    _say(desk, one)


def _assume(desk: Desk, assume: str | None, saying: str | None) -> None:
    from shuke.engine.insight.word_of_mouth import BadAssumption
    from shuke.insight.actions.word_of_mouth import assume_mouth
    from shuke.insight.queries import word_of_mouth as told

    terms = told.terms(desk.merchant)
    stated: dict[str, int | None] = {
        name: getattr(terms, name) if name in terms.own else None for name in ("anyway_permille", "hear", "want", "buy")
    }
    try:
        if assume is not None:
            stated["anyway_permille"] = round(Decimal(assume) * 10) if assume.strip() else None
        if saying is not None:
            parts: list[int | None] = [int(one) for one in saying.split(":")] if saying.strip() else [None] * 3
            stated |= dict(zip(("hear", "want", "buy"), parts, strict=True))
        assume_mouth(merchant=desk.merchant, now=desk.now, actor=desk.actor, **stated)
    except (InvalidOperation, ValueError) as error:
        why = (
            str(error)
            if isinstance(error, BadAssumption)
            else _("Write a percentage, and three whole numbers with colons.")
        )
        raise Refused(_("This cannot be assumed: {why}").format(why=why)) from error


def _say(desk: Desk, one: dict[str, Any]) -> None:
    terms, found = one["terms"], one["compared"]
    desk.say(
        _("{friends} friends were brought, {year} of them in the last 365 days. As of {day}.").format(
            friends=one["bonds"], year=one["brought_a_year"], day=one["as_of"]
        )
    )
    if found["difference"] is None:
        desk.say(
            _("Too few can be compared with others of the same month and way: {n}.").format(
                n=found["matched"] + found["by_month"]
            )
        )
    else:
        each = {name: desk.money(round(found[name])) for name in ("brought_each", "others_each", "low", "high")}
        desk.say(
            _(
                "A friend spent {brought_each}, others of the same month and way {others_each}: a difference between {low} and {high}."
            ).format(**each)
        )
    desk.table(
        [_("step"), _("friends"), _("net spend"), _("margin"), _("would have come anyway"), _("rewards"), _("left")],
        [
            (row["step"], row["friends"], *(desk.money(row[name]) for name in ("net", "profit", "anyway", "rewards", "kept")))
            for row in one["steps"]
        ],
        right=(1, 2, 3, 4, 5, 6),
    )  # fmt: skip
    desk.say(
        _("Assumed, not measured: {anyway} % would have come anyway.").format(
            anyway=f"{terms['anyway_permille'] / 10:g}"
        )
    )
    said = one["saying"]
    desk.say(
        _("Assumed, not measured: 1:{hear}:{want}:{buy}. {satisfied} loyal members would tell {told}, {like} would like to buy, {buys} would buy.").format(
            hear=terms["hear"], want=terms["want"], buy=terms["buy"], satisfied=said["satisfied"], told=said["hear"], like=said["want"],
            buys=said["buy"],
        )
    )  # fmt: skip


def _say_members(desk: Desk, figure: str) -> None:
    from shuke.insight.queries import word_of_mouth as told
    from shuke.members.models import Member

    name, step = ("step", int(figure[4:])) if figure[:4] == "step" and figure[4:] in ("1", "2", "3") else (figure, 0)
    try:
        behind = told.members_behind_mouth(desk.merchant, name, step)
    except told.NoSuchFigure as error:
        raise Refused(str(error)) from error
    people = Member.objects.filter(merchant=desk.merchant).in_bulk([one.member for one in behind[:1_000]])
    rows = [(people[one.member], one.net_minor) for one in behind[:1_000] if one.member in people]
    if desk.as_json:
        desk.json([{"card": who.card, "net_minor": net} for who, net in rows])
        return
    desk.table(
        [_("card"), _("member"), _("net spend")],
        [(who.card, str(who), desk.money(net)) for who, net in rows[:100]],
        right=(2,),
    )
