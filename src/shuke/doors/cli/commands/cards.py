"""`shuke members card|freeze|unfreeze`: lost and replaced cards, and members whose points are frozen."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.members import command, member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "card",
    _("Show a member's cards; report the one in use lost or found, or give a new one."),
    "shuke members card 660000000018\nshuke members card 660000000018 --replace --reason worn",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--lost", "do", flag_value="lost", help=_("the card in use is lost: points are frozen"))
@click.option("--found", "do", flag_value="found", help=_("it was found again"))
@click.option("--replace", "do", flag_value="replace", help=_("a new number; the old one still finds the member"))
@click.option("--reason", default="", help=_("why"))
def card(desk: Desk, member: str, do: str | None, reason: str) -> None:
    from shuke.members import actions, queries

    who = member_named(desk, member)
    told: dict[str, Any] = {"merchant": desk.merchant, "member_id": who.pk, "now": desk.now, "actor": desk.actor}
    try:
        if do == "lost":
            actions.report_lost(reason=reason, **told)
        elif do == "found":
            actions.found_again(**told)
        elif do == "replace":
            actions.replace_card(reason=reason, **told)
    except actions.CardRefused as refused:
        raise Refused(refused.say(language())) from refused
    who.refresh_from_db()
    state = queries.card_said(desk.merchant, who.card).state
    former = [c for c in queries.cards_of(desk.merchant, who.pk) if c.number != who.card]
    if desk.as_json:
        desk.json(
            {
                "card": who.card,
                "state": state,
                "frozen_at": who.frozen_at,
                "former": [
                    {"card": c.number, "state": c.state, "at": c.at, "replaced_by": c.replaced_by} for c in former
                ],
            }
        )
        return
    rows = [(who.card, _state(state), "", ""), *((c.number, _state(c.state), desk.day(c.at), c.reason) for c in former)]
    desk.table([_("card"), _("state"), _("when"), _("why")], rows)
    if who.frozen_at:
        desk.say(_("Frozen: {why}").format(why=who.frozen_because))


def _state(code: str) -> str:
    return {"in_use": _("in use"), "lost": _("lost"), "replaced": _("replaced")}.get(code, code)


@declared(
    "freeze",
    _("Freeze members: their points can be neither spent nor set aside."),
    "shuke members freeze 660000000018 --reason “points sold on”",
    group=command,
)
@click.argument("members", nargs=-1, required=True, metavar=_("MEMBER"))
@click.option("--reason", default="", help=_("why; whoever is asked at the till has to explain it"))
def freeze(desk: Desk, members: tuple[str, ...], reason: str) -> None:
    from shuke.members import actions

    _each(desk, members, reason, actions.freeze, _("{n} frozen."))


@declared(
    "unfreeze",
    _("Set frozen members free again."),
    "shuke members unfreeze 660000000018 --reason cleared",
    group=command,
)
@click.argument("members", nargs=-1, required=True, metavar=_("MEMBER"))
@click.option("--reason", default="", help=_("why"))
def unfreeze(desk: Desk, members: tuple[str, ...], reason: str) -> None:
    from shuke.members import actions

    _each(desk, members, reason, actions.unfreeze, _("{n} set free."))


def _each(desk: Desk, named: tuple[str, ...], reason: str, do, said: str) -> None:
    from shuke.members.actions import CardRefused

    ids = [member_named(desk, one).pk for one in named]
    try:
        n = do(merchant=desk.merchant, member_ids=ids, reason=reason, now=desk.now, actor=desk.actor)
    except CardRefused as refused:
        raise Refused(refused.say(language())) from refused
    if desk.as_json:
        desk.json({"changed": n})
    else:
        desk.say(said.format(n=n))
