"""`shuke coalition link|code|unlink|spend|return`: members who take part, and what they spend across merchants."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.coalition import command
from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.commands.moving import KEY, POINTS
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "link",
    _("A member takes part, with their consent; with a code from another partner under the same number."),
    "shuke coalition link 100000018 --evidence 'signed form 7'\n"
    "shuke coalition link 100000018 --evidence 'signed form 8' --code 7K3M-9QRT-2WXY-4",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--evidence", required=True, metavar=_("TEXT"), help=_("how the member agreed"))
@click.option("--code", default="", metavar=_("CODE"), help=_("from another partner: joins that account"))
def link(desk: Desk, member: str, evidence: str, code: str) -> None:
    from shuke.loyalty.actions import coalition

    who = member_named(desk, member)
    made = coalition.link(
        merchant=desk.merchant,
        member_id=who.pk,
        source="cli",
        evidence=evidence,
        code=code,
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"member": who.card, "number": made.number})
    desk.say(_("{member} takes part as {number}.").format(member=who, number=made.number))


@declared(
    "code",
    _("A code with which a member links an account at another partner: once, for half an hour."),
    "shuke coalition code 100000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
def code(desk: Desk, member: str) -> None:
    from shuke.loyalty.actions import coalition

    who = member_named(desk, member)
    made, until = coalition.make_code(merchant=desk.merchant, member_id=who.pk, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({"member": who.card, "code": made, "until": until})
    desk.say(_("{code}, until {minute}").format(code=made, minute=desk.minute(until)))


@declared(
    "unlink",
    _("A member takes part no more; their points here stay theirs."),
    "shuke coalition unlink 100000018 --reason 'asked to'",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--reason", required=True, metavar=_("TEXT"), help=_("why"))
def unlink(desk: Desk, member: str, reason: str) -> None:
    from shuke.loyalty.actions import coalition

    who = member_named(desk, member)
    left = coalition.unlink(merchant=desk.merchant, member_id=who.pk, because=reason, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({"member": who.card, "left": left})
    desk.say(_("{member} takes part no more.").format(member=who) if left else _("{member} did not take part.").format(member=who))  # fmt: skip


@declared(
    "spend",
    _("Spend coalition points of a member at this till, oldest expiry first over all partners."),
    "shuke coalition spend 100000018 500 --key till-3-118",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@KEY
def spend(desk: Desk, member: str, points: int, key: str) -> None:
    from shuke.loyalty.actions import coalition

    who = member_named(desk, member)
    figures = _asked(
        coalition.spend(
            merchant=desk.merchant, key=key, member_id=who.pk, amount=points, now=desk.now, actor=desk.actor
        )
    )
    if desk.as_json:
        desk.json({"member": who.card, **figures})
    desk.say(
        _("Spent {points} points, {own} of them yours; {available} are left with all partners.").format(
            points=f"{figures['amount']:,}", own=f"{figures['own']:,}", available=f"{figures['available']:,}"
        )
    )


@declared(
    "return",
    _("Give points of such a spend back to the lots they came from."),
    "shuke coalition return 200 --of till-3-118 --key till-3-119",
    group=command,
)
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@click.option("--of", "spent", required=True, help=_("key of the spend"))
@KEY
def give_back(desk: Desk, points: int, spent: str, key: str) -> None:
    from shuke.loyalty.actions import coalition

    figures = _asked(
        coalition.give_back(merchant=desk.merchant, key=key, of=spent, amount=points, now=desk.now, actor=desk.actor),
        spent,
    )
    if desk.as_json:
        desk.json(figures)
    desk.say(_("{points} points are back where they came from.").format(points=f"{figures['amount']:,}"))


def _asked(answer: Any, ref: str = "") -> dict[str, int]:
    from shuke.loyalty.actions import coalition

    if not answer.done:
        raise Refused(coalition.sentence(answer.code, answer.figures, ref, language()))
    return answer.figures
