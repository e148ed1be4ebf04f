"""`shuke points spend|return|adjust|corrections|agree|decline|give` and `shuke families`: points that move by request."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.commands.points import ask_once, command
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

POINTS = click.IntRange(1, 10**12)
KEY = click.option("--key", required=True, help=_("your own key: the same call again does nothing twice"))


@declared(
    "spend",
    _("Spend points of a member; with --family also those of the member's family."),
    "shuke points spend 100000000018 500 --key till-3-118\nshuke points spend 100000000018 500 --family --key till-3-118",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@click.option("--family", is_flag=True, help=_("what the member lacks the family gives"))
@KEY
def spend(desk: Desk, member: str, points: int, family: bool, key: str) -> None:
    from shuke.loyalty import actions

    who = member_named(desk, member)
    if family:
        answer = actions.spend_from_family(
            merchant=desk.merchant, key=key, member_id=who.pk, amount=points, now=desk.now, actor=desk.actor
        )
        figures = _figures(actions.Ask(key, "burn", who.asked_as, points), answer)
    else:
        figures = ask_once(desk, actions.Ask(key, "burn", who.asked_as, points))
    _say_left(desk, who, figures)


@declared(
    "return",
    _("Give back points of a spend, to the lots they came from."),
    "shuke points return 100000000018 200 --of till-3-118 --key till-3-119",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@click.option("--of", "spent", required=True, help=_("key of the spend"))
@KEY
def give_back(desk: Desk, member: str, points: int, spent: str, key: str) -> None:
    from shuke.loyalty import actions

    who = member_named(desk, member)
    _say_left(desk, who, ask_once(desk, actions.Ask(key, "return", who.asked_as, points, ref=spent)))


@declared(
    "give",
    _("Hand points of one member to another; they keep their expiry."),
    "shuke points give 100000000018 100000000026 100 --key app-77",
    group=command,
)
@click.argument("giver", metavar=_("GIVER"))
@click.argument("receiver", metavar=_("RECEIVER"))
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@KEY
def give(desk: Desk, giver: str, receiver: str, points: int, key: str) -> None:
    from shuke.loyalty import actions

    who, to = member_named(desk, giver), member_named(desk, receiver)
    move = actions.Transfer(key, who.asked_as, to.asked_as, points)
    [answer] = actions.transfer(merchant=desk.merchant, transfers=[move], now=desk.now, actor=desk.actor)
    _say_left(desk, who, _figures(actions.Ask(key, "handed", who.asked_as, points), answer))


@declared(
    "adjust",
    _("Give or take points by hand, with a reason; beyond the charter's limit of a day a second person has to agree."),
    'shuke points adjust 100000000018 200 --reason "scanned twice" --key desk-9\n'
    'shuke points adjust 100000000018 -- -200 --reason "scanned twice" --key desk-10',
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("points", metavar=_("POINTS"), type=int)
@click.option("--reason", required=True, help=_("why, for the statement and the audit log"))
@KEY
def adjust(desk: Desk, member: str, points: int, reason: str, key: str) -> None:
    from shuke.loyalty import actions

    who = member_named(desk, member)
    told = _corrected(
        lambda: actions.correct(
            merchant=desk.merchant,
            key=key,
            member_id=who.asked_as,
            amount=points,
            reason=reason,
            now=desk.now,
            actor=desk.actor,
        )
    )
    if isinstance(told, actions.Answer):
        figures = _figures(actions.Ask(key, "adjust", who.asked_as, points), told)
        if desk.as_json:
            desk.json({"member": who.card, "state": "done", **figures})
            return
        desk.say(_("{member}: {points} points by hand.").format(member=who, points=f"{points:+,}"))
        return
    _say_waits(desk, who, told)


def _say_waits(desk: Desk, who: Any, told: Any) -> None:
    """Why a second person is wanted, or what one decided: the same call again says what became of it."""
    from shuke.loyalty import actions

    because = actions.why_waits(told, _zh()) if told.state == "waiting" else ""
    if desk.as_json:
        desk.json({"member": who.card, "state": told.state, "correction": str(told.pk), "because": because})
        return
    if told.state != "waiting":
        desk.say(f"{who}: {told.amount:+,} · {_state(told.state)}")
        return
    waits = _("{points} points for {member} wait for a second person: shuke points agree {id}").format(
        points=f"{told.amount:+,}", member=who, id=told.pk
    )
    desk.say(f"{waits}\n{because}" if because else waits)


@declared(
    "reinstate",
    _("Give lapsed points back, at most what lapsed within the time the charter allows; they count as points by hand."),
    "shuke points reinstate 100000000018 500 --reason 'was in hospital' --key case-4711",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@click.option("--reason", required=True, help=_("why; kept with the posting"))
@KEY
def reinstate(desk: Desk, member: str, points: int, reason: str, key: str) -> None:
    from shuke.loyalty import actions

    who = member_named(desk, member)
    told = _corrected(
        lambda: actions.correct(
            merchant=desk.merchant, key=key, member_id=who.asked_as, amount=points, kind="reinstate", reason=reason,
            now=desk.now, actor=desk.actor,
        )
    )  # fmt: skip
    if not isinstance(told, actions.Answer):
        _say_waits(desk, who, told)
        return
    given = _figures(actions.Ask(key, "reinstate", who.asked_as, points), told)
    if desk.as_json:
        desk.json({"member": who.card, "points": given["amount"]})
        return
    desk.say(_("{member} has {points} points back.").format(member=who, points=given["amount"]))


@declared(
    "corrections",
    _("Points by hand that wait for a second person, and what became of the latest ones."),
    "shuke points corrections",
    group=command,
)
def waiting(desk: Desk) -> None:
    from shuke.loyalty import queries as loyalty

    found = loyalty.corrections(desk.merchant)
    if desk.as_json:
        desk.json({"corrections": [_correction(one) for one in found]})
        return
    desk.table(
        [_("number"), _("asked"), _("by"), _("member"), _("what"), _("points"), _("reason"), _("state")],
        [
            (
                str(one.pk),
                desk.minute(one.asked_at),
                one.asked_by,
                one.member,
                _what(one.kind),
                f"{one.amount:+,}",
                one.reason,
                _state(one.state),
            )
            for one in found
        ],
        right=(5,),
    )


def _decide(desk: Desk, number: int, agree: bool, reason: str = "") -> None:
    from shuke.loyalty import actions

    found, answer = _corrected(
        lambda: actions.decide_correction(
            merchant=desk.merchant, correction_id=number, agree=agree, reason=reason, now=desk.now, actor=desk.actor
        )
    )
    if answer is not None and not answer.done:
        raise Refused(
            actions.why_refused(actions.Ask(found.key, found.kind, found.member_id, found.amount), answer, _zh())
        )
    if desk.as_json:
        desk.json(_correction(found))
        return
    desk.say(f"{found.member}: {found.amount:+,} · {_state(found.state)}")


@declared("agree", _("Agree to points by hand that somebody else asked for."), "shuke points agree 42", group=command)
@click.argument("number", metavar=_("NUMBER"), type=int)
def agree(desk: Desk, number: int) -> None:
    _decide(desk, number, True)


@declared(
    "decline",
    _("Decline points by hand that somebody else asked for."),
    'shuke points decline 42 --reason "no receipt"',
    group=command,
)
@click.argument("number", metavar=_("NUMBER"), type=int)
@click.option("--reason", default="", help=_("why; who asked reads it"))
def decline(desk: Desk, number: int, reason: str) -> None:
    _decide(desk, number, False, reason)


@declared(
    "family",
    _("The family a member shares points with; --with makes or enlarges it, --leave takes the member out."),
    "shuke points family 100000000018\nshuke points family 100000000018 --with 100000000026 --name 王家\n"
    "shuke points family 100000000018 --leave",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--with", "others", multiple=True, metavar=_("MEMBER"), help=_("who joins; may be repeated"))
@click.option("--name", default="", help=_("name of a new family"))
@click.option("--leave", is_flag=True, help=_("the member leaves"))
def family(desk: Desk, member: str, others: tuple[str, ...], name: str, leave: bool) -> None:
    from shuke.loyalty import actions
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    now, actor = desk.now, desk.actor
    if leave:
        if not actions.leave_family(merchant=desk.merchant, member_id=who.pk, now=now, actor=actor):
            raise Refused(_("{member} is in no family.").format(member=who))
    elif others:
        new = [member_named(desk, other).pk for other in others]
        there = loyalty.family(desk.merchant, who.pk, now)
        try:
            if there is None:
                actions.found_family(
                    merchant=desk.merchant, name=name or who.name, members=[who.pk, *new], now=now, actor=actor
                )
            else:
                actions.join_family(merchant=desk.merchant, family_id=there.pk, members=new, now=now, actor=actor)
        except actions.FamilyRefused as refused:
            raise Refused(refused.say(_zh())) from refused
    told = loyalty.family(desk.merchant, who.pk, now)
    if desk.as_json:
        desk.json({"family": told and {"name": told.name, "members": told.members, "points": told.points}})
        return
    if told is None:
        desk.say(_("{member} is in no family.").format(member=who))
        return
    desk.table(
        [_("member"), _("name"), _("points")],
        [(one.card, one.name, one.points) for one in told.members],
        title=f"{told.name} · {told.points:,}",
        right=(2,),
    )


def _figures(one: Any, answer: Any) -> dict[str, int]:
    from shuke.loyalty import actions

    if not answer.done:
        raise Refused(actions.why_refused(one, answer, _zh()))
    return answer.figures


def _corrected(call: Any) -> Any:
    from shuke.loyalty import actions

    try:
        return call()
    except actions.CorrectionRefused as refused:
        raise Refused(refused.say(_zh())) from refused


def _say_left(desk: Desk, who: Any, figures: dict[str, int]) -> None:
    if desk.as_json:
        desk.json({"member": who.card, **figures})
        return
    desk.say(_("{member}: {points} points are left to use.").format(member=who, points=f"{figures['available']:,}"))


def _correction(one: Any) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "member": one.member.card,
        "kind": one.kind,
        "points": one.amount,
        "reason": one.reason,
        "state": one.state,
        "asked_by": one.asked_by,
        "asked_at": one.asked_at,
        "decided_by": one.decided_by,
        "decided_because": one.decided_because,
    }


def _state(code: str) -> str:
    return {
        "waiting": _("waits for a second person"),
        "done": _("done"),
        "declined": _("declined"),
        "withdrawn": _("taken back"),
        "refused": _("refused by the books"),
    }[code]


def _what(kind: str) -> str:
    return {"adjust": _("points"), "reinstate": _("lapsed points"), "growth": _("growth value")}[kind]


def _zh() -> str:
    return "zh" if language() == "zh-hans" else "en"
