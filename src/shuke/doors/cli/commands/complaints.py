"""`shuke complaints list|record|settle|reopen`: what members were not content with, and how it was settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.service.models import Complaint

CHANNELS = ("counter", "phone", "chat", "message", "review", "other")


@click.group("complaints", help=_("Complaints: write them down, settle them, open them again."))
def command() -> None:
    """Complaints."""


@declared(
    "list",
    _("Open complaints, the oldest first; or all of a member."),
    "shuke complaints list\nshuke complaints list --member 100000000018\nshuke complaints list --all --json",
    group=command,
)
@click.option("--member", metavar=_("MEMBER"), help=_("only this member's, settled ones too"))
@click.option("--all", "everything", is_flag=True, help=_("settled ones too, the latest first"))
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many lines")
)
def list_(desk: Desk, member: str | None, everything: bool, limit: int) -> None:
    from shuke.service import queries

    if member:
        found = queries.complaints_of(desk.merchant, member_named(desk, member).pk, limit=limit)
    else:
        found = queries.complaints(desk.merchant, only_open=not everything, limit=limit)
    if desk.as_json:
        desk.json([_plain(one) for one in found])
        return
    desk.table(
        [_("complaint"), _("when"), _("member"), _("what it is about"), _("settled")],
        [
            (
                str(one.pk),
                desk.minute(one.opened_at),
                one.member.card,
                one.what,
                _settled(desk, one) or _("not settled"),
            )
            for one in found
        ],
    )


@declared(
    "record",
    _("Write a complaint down."),
    'shuke complaints record 100000000018 "The jar leaked" --order A1001 --channel phone',
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("what", metavar=_("WHAT"))
@click.option("--order", "number", default="", metavar=_("NUMBER"), help=_("the order it is about"))
@click.option("--channel", type=click.Choice(CHANNELS), default="other", show_default=True, help=_("how it came"))
@click.option("--key", metavar=_("KEY"), help=_("a name of your own: the same again is the same complaint"))
def record(desk: Desk, member: str, what: str, number: str, channel: str, key: str | None) -> None:
    from shuke.kit import ids
    from shuke.service import actions

    who = member_named(desk, member)
    done = actions.open_complaint(
        merchant=desk.merchant, key=key or f"cli:{ids.new()}", member_id=who.pk, what=what, channel=channel,
        order_number=number, now=desk.now, actor=desk.actor,
    )  # fmt: skip
    if desk.as_json:
        desk.json(_plain(done.complaint) | {"replayed": done.replayed})
        return
    desk.say(_("Complaint {number} is written down and open.").format(number=done.complaint.pk))


@declared(
    "settle",
    _("Settle a complaint: how. Says what the charter gives the member for it."),
    'shuke complaints settle 274877906944001 "New jar sent"',
    group=command,
)
@click.argument("complaint", type=click.IntRange(1), metavar=_("COMPLAINT"))
@click.argument("note", metavar=_("NOTE"))
def settle(desk: Desk, complaint: int, note: str) -> None:
    from shuke.flows import complaints

    done = complaints.settle(merchant=desk.merchant, complaint_id=complaint, note=note, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json(_plain(done.complaint) | {"coupons": done.coupons, "says": done.told})
        return
    desk.say(_("Settled.") + " " + done.say("zh" if language() == "zh-hans" else "en"))


@declared(
    "reopen",
    _("Open a settled complaint again: why."),
    'shuke complaints reopen 274877906944001 "The new jar leaked too"',
    group=command,
)
@click.argument("complaint", type=click.IntRange(1), metavar=_("COMPLAINT"))
@click.argument("reason", metavar=_("REASON"))
def reopen(desk: Desk, complaint: int, reason: str) -> None:
    from shuke.service import actions

    row = actions.reopen(merchant=desk.merchant, complaint_id=complaint, reason=reason, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json(_plain(row))
        return
    desk.say(_("Complaint {number} is open again.").format(number=row.pk))


def _settled(desk: Desk, one: Complaint) -> str:
    return "" if one.settled_at is None else f"{desk.minute(one.settled_at)} {one.settled_by}: {one.note}"


def _plain(one: Complaint) -> dict[str, Any]:
    return {
        "id": str(one.pk), "member": one.member.card, "state": "open" if one.settled_at is None else "settled",
        "what": one.what, "channel": one.channel, "order": one.order_number, "opened_at": one.opened_at,
        "opened_by": one.opened_by, "settled_at": one.settled_at, "settled_by": one.settled_by, "note": one.note,
        "reopened": one.reopened,
    }  # fmt: skip
