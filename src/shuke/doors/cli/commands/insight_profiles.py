"""`shuke insight profiles`: who a group of members is against all members, and how surely it differs."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "profiles",
    _(
        "Who a group of members is: age, income, place, needs and habits against all members, and how surely they differ."
    ),
    "shuke insight profiles\n"
    "shuke insight profiles --where layer=key --where layer=main\n"
    "shuke insight profiles --where tier=gold --trait weekday\n"
    "shuke insight profiles --where stage=lost --json",
    group=command,
)
@click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE",
    help=_("a filter, as the address of the member list says it; may be said several times"),
)
@click.option("--trait", help=_("all bars of this trait; default: what differs, in sentences"))
@click.option(
    "--members", "option", metavar=_("OPTION"), help=_("with --trait: the members on this option; ? is unknown")
)
@click.option(
    "--anew", is_flag=True, help=_("compute what is known of members first, as the worker does after a night")
)
def profiles(desk: Desk, where: tuple[str, ...], trait: str | None, option: str | None, anew: bool) -> None:
    from shuke.engine.insight import profile_words
    from shuke.insight import actions
    from shuke.insight.queries import figures, filters
    from shuke.insight.queries import profiles as told

    asked = filters.parse([_pair(one) for one in where])
    wrong = [one for one in where if one.partition("=")[0] in {name for name, _value in asked.ignored}]
    unknown = [one for one in where if not filters.parse([_pair(one)]).any]
    if wrong or unknown:
        raise Refused(_("This filter is not understood: {filter}.").format(filter=", ".join([*wrong, *unknown])))
    day = figures.there(figures.last_day(desk.merchant))
    if anew or told.wanted(desk.merchant, desk.now):
        actions.profile_columns(merchant=desk.merchant, day=day, now=desk.now)
    found = told.profile(desk.merchant, asked, now=desk.now)
    assert found is not None
    if option is not None and trait is None:
        raise click.UsageError(_("--members needs --trait."))
    shown = next((one for one in found["traits"] if one["key"] == trait), None)
    if trait and shown is None:
        names = ", ".join(one["key"] for one in found["traits"])
        raise Refused(_("There is no trait {trait}. There are: {traits}.").format(trait=trait, traits=names))
    if shown is not None and option is not None:
        _say_members(desk, asked, shown, option)
    elif desk.as_json:
        desk.json(shown or found)
    elif shown is not None:
        _say_trait(desk, found, shown)
    else:
        for line in profile_words.sentences(found, language(), desk.merchant.currency):
            desk.say(line)
        desk.say(_("As of {day}. All bars of a trait: --trait; there are {traits}.").format(
            day=found["as_of"], traits=", ".join(one["key"] for one in found["traits"])
        ))  # fmt: skip


def _pair(text: str) -> tuple[str, str]:
    name, _sign, value = text.partition("=")
    return name.strip(), value.strip()


def _say_trait(desk: Desk, found: dict[str, Any], shown: dict[str, Any]) -> None:
    from shuke.engine.insight import profile_words

    desk.table(
        [_("option"), _("members"), "%", _("% of all"), _("index"), _("from"), _("to"), ""],
        [
            (
                profile_words.option(shown, bar, language(), desk.merchant.currency), bar["members"], f"{bar['share']:.1%}", f"{bar['of_all']:.1%}",
                bar["index"], bar["low"], bar["high"], profile_words.SURELY[bar["surely"]].said(language()),
            )
            for bar in shown["bars"]
        ],
        title=f"{profile_words.trait(shown, language())} · {found['as_of']}", right=(1, 2, 3, 4, 5, 6),
    )  # fmt: skip
    desk.say(_("Known of {known} of {of} members.").format(known=f"{shown['known']:,}", of=f"{shown['of']:,}"))
    if shown["refused"]:
        desk.say(profile_words.REFUSED[shown["refused"]].said(language()))


def _say_members(desk: Desk, asked: Any, shown: dict[str, Any], option: str) -> None:
    from shuke.insight.queries import profiles as told
    from shuke.members.models import Member

    try:
        behind = told.members_behind_bar(desk.merchant, asked, shown["key"], option, now=desk.now)
    except told.NoSuchTrait:
        options = ", ".join(bar["option"] for bar in shown["bars"])
        raise Refused(
            _("There is no option {option}. There are: {options}.").format(option=option, options=options)
        ) from None
    people = Member.objects.filter(merchant=desk.merchant).in_bulk([one.member for one in behind[:1_000]])
    if desk.as_json:
        desk.json(
            [{"card": people[one.member].card, "share": one.share} for one in behind[:1_000] if one.member in people]
        )
        return
    desk.table(
        [_("card"), _("member"), "%"],
        [(people[one.member].card, str(people[one.member]), f"{one.share:.0%}") for one in behind[:100] if one.member in people],
        title=_("{count} members").format(count=f"{len(behind):,}"), right=(2,),
    )  # fmt: skip
