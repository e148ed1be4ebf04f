"""`shuke points balance|explain`: what a member holds, and where every point came from."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _


@click.group("points", help=_("A member's points and where they came from."))
def command() -> None:
    """Points."""


@declared(
    "balance",
    _("What a member can use now, what is pending, held or owed, and when points expire."),
    "shuke points balance 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
def balance(desk: Desk, member: str) -> None:
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    held = loyalty.balance(desk.merchant, who.pk, desk.now)
    if desk.as_json:
        desk.json({"member": who.card, **held._asdict()})
        return
    desk.facts(
        [
            (_("available"), f"{held.available:,}  ({desk.money(held.worth_minor)})"),
            (_("pending"), held.pending),
            (_("held"), held.held),
            (_("owed"), held.debt),
            (_("balance"), held.balance),
            *((_("expire on {day}").format(day=desk.day(at)), count) for at, count in held.next_expiry[:3]),
        ],
        title=str(who),
    )


@declared(
    "explain",
    _("Every change of a member's points, newest first, down to the order and the rule."),
    "shuke points explain 100000000018\nshuke points explain 100000000018 --limit 20 --json",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many lines"))
def explain(desk: Desk, member: str, limit: int) -> None:
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    lines = loyalty.explain(desk.merchant, who.pk, limit=limit)
    if desk.as_json:
        desk.json({"member": who.card, "lines": lines})
        return
    desk.table(
        [_("when"), _("what"), _("about"), _("points"), _("balance"), _("why")],
        [
            (
                desk.minute(line.at),
                kind(line.kind),
                line.event,
                f"{line.amount:+,}",
                line.balance_after,
                reasons(line.why),
            )
            for line in lines
        ],
        title=str(who),
        right=(3, 4),
    )


def kind(code: str) -> str:
    """What a posting did, in the language of the terminal."""
    return {
        "earn": _("earned"),
        "expire": _("expired"),
        "burn": _("spent"),
        "refund": _("refund"),
        "hold": _("held"),
        "capture": _("spent"),
        "release": _("released"),
        "timeout": _("released"),
        "adjust": _("adjusted"),
        "opening": _("brought along"),
        "correct": _("corrected"),
    }.get(code, code)


def reasons(why: list[dict[str, Any]]) -> str:
    """The rules behind a posting, short: “base 128, welcome 100”."""
    said = []
    for part in why:
        rule = part.get("rule") or part.get("cause") or part.get("code") or ""
        points = part.get("points")
        said.append(f"{rule} {points}".strip() if points not in (None, "") else str(rule))
    return ", ".join(text for text in said if text)
