"""`shuke tokens make|list|revoke`: let other software in through the API."""

from __future__ import annotations

import click

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _


@click.group("tokens", help=_("Tokens for programs that use the API: tills, web shops, spreadsheets."))
def command() -> None:
    """Tokens."""


@declared(
    "make",
    _("Make a token. It is shown once and kept only as a hash."),
    "shuke tokens make till-1 --write\nshuke tokens make spreadsheet --staff mei\nshuke tokens make office --office",
    group=command,
)
@click.argument("name", metavar=_("NAME"))
@click.option("--write", "may_write", is_flag=True, help=_("it may do what a till does; without this it may only read"))
@click.option(
    "--office", "may_decide", is_flag=True, help=_("it may also decide: charters, draws, lists of codes, corrections")
)
@click.option(
    "--staff",
    "username",
    metavar=_("USER"),
    help=_("who answers for it: it is revoked with their account, and they cannot agree to what it asks for"),
)
def make(desk: Desk, name: str, may_write: bool, may_decide: bool, username: str | None) -> None:
    from shuke.shops import actions, queries

    person = queries.staff_by_username(desk.merchant, username) if username else None
    if username and person is None:
        raise actions.StaffRefused("no_such_person", username=username)
    row, token = actions.make_token(
        merchant=desk.merchant,
        name=name,
        may_write=may_write,
        may_decide=may_decide,
        now=desk.now,
        actor=desk.actor,
        staff=person,
    )
    if desk.as_json:
        desk.json(
            {
                "id": str(row.pk),
                "name": row.name,
                "writes": row.may_write,
                "decides": row.may_decide,
                "staff": username,
                "token": token,
            }
        )
        return
    desk.say(token)
    desk.say(_("Keep it now: it is shown only this once. Send it as “Authorization: Bearer …”."))


@declared("list", _("The tokens there are, and whether they are in force."), "shuke tokens list", group=command)
def list_(desk: Desk) -> None:
    from shuke.shops import queries

    found = queries.tokens(desk.merchant)
    if desk.as_json:
        desk.json(
            [
                {
                    "id": str(t.pk),
                    "name": t.name,
                    "begins": t.shown,
                    "writes": t.may_write,
                    "decides": t.may_decide,
                    "staff": t.staff and t.staff.username,
                    "made_at": t.made_at,
                    "revoked_at": t.revoked_at,
                }
                for t in found
            ]
        )
        return
    desk.table(
        [
            "ID",
            _("called"),
            _("begins with"),
            _("may write"),
            _("may decide"),
            _("answers for it"),
            _("made"),
            _("revoked"),
        ],
        [
            (
                str(t.pk),
                t.name,
                t.shown,
                t.may_write,
                t.may_decide,
                t.staff.username if t.staff else "",
                desk.day(t.made_at),
                desk.day(t.revoked_at),
            )
            for t in found
        ],
    )


@declared("revoke", _("Shut a token out, at once."), "shuke tokens revoke 8623047112345600", group=command)
@click.argument("token_id", type=int, metavar="ID")
def revoke(desk: Desk, token_id: int) -> None:
    from shuke.shops import actions

    if not actions.revoke_token(merchant=desk.merchant, token_id=token_id, now=desk.now, actor=desk.actor):
        raise Refused(_("There is no token {id} in force. `shuke tokens list` shows them.").format(id=token_id))
    if desk.as_json:
        desk.json({"revoked": str(token_id)})
    desk.say(_("Token {id} is shut out.").format(id=token_id))
