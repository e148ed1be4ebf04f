"""`shuke staff list|add|role|stores|password|factor|require|close|reopen`: the people who sign in."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.shops.models import Staff

REASON = click.option("--reason", required=True, help=_("why; it is kept in the audit log"))
OWN = click.option(
    "--password-stdin",
    is_flag=True,
    help=_("read a password that stays from the input, instead of making a one-time one"),
)
ASKED = ("nobody", "office", "all")
ROLES = ("owner", "manager", "specialist", "assistant", "auditor")


@click.group("staff", help=_("The people of the shop: who signs in, as what, and where they work."))
def command() -> None:
    """The people of the shop."""


@declared("list", _("Everybody with an account, and when they were last here."), "shuke staff list", group=command)
def list_(desk: Desk) -> None:
    from shuke.shops import queries

    posts = queries.posts_of_all(desk.merchant)
    found = queries.staff(desk.merchant)
    if desk.as_json:
        desk.json([_plain(desk, one, posts.get(one.pk, [])) for one in found])
        return
    desk.table(
        [_("user name"), _("name"), _("role"), _("stores"), _("last seen"), _("account")],
        [
            (
                one.username,
                one.name,
                _role(one.role),
                ", ".join(store.name for store in posts.get(one.pk, [])) or _("all"),
                desk.minute(_seen(desk, one)),
                _state(one),
            )
            for one in found
        ],
    )


@declared(
    "add",
    _("Let a colleague in. Prints a one-time password once; with it they choose their own, within three days."),
    'shuke staff add mei --name 小梅 --role assistant --store XH --reason "begins on Monday"\n'
    'echo "a lantern in the rain" | shuke staff add kai --role manager --reason "second person" --password-stdin',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@click.option("--role", required=True, type=click.Choice(ROLES), help=_("what they may do"))
@click.option("--name", default="", help=_("how colleagues call them"))
@click.option(
    "--store", "stores", multiple=True, metavar=_("STORE"), help=_("where they work; may be repeated; none: everywhere")
)
@REASON
@OWN
def add(
    desk: Desk, username: str, role: str, name: str, stores: tuple[str, ...], reason: str, password_stdin: bool
) -> None:
    from shuke.shops import actions

    one, password = actions.add_staff(
        merchant=desk.merchant,
        username=username,
        role=role,
        name=name,
        stores=actions.stores_named(desk.merchant, stores),
        reason=reason,
        password=_typed(password_stdin),
        now=desk.now,
        actor=desk.actor,
    )
    _tell(desk, one, password, _("{user} may sign in as {role}."))


@declared(
    "role",
    _("Give somebody another role. They are signed out everywhere. The last owner stays one."),
    'shuke staff role mei manager --reason "leads the store from June"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@click.argument("role", metavar=_("ROLE"), type=click.Choice(ROLES))
@REASON
def role_(desk: Desk, username: str, role: str, reason: str) -> None:
    from shuke.shops import actions

    one = actions.change_staff(
        merchant=desk.merchant, username=username, role=role, reason=reason, now=desk.now, actor=desk.actor
    )
    _tell(desk, one, "", _("{user} is {role}."))


@declared(
    "stores",
    _("Where somebody works: all of the stores named, or every store when none is."),
    'shuke staff stores mei XH JA --reason "helps out at Jing\'an"\nshuke staff stores mei --reason "moves about"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@click.argument("stores", metavar=_("[STORE]…"), nargs=-1)
@REASON
def stores_(desk: Desk, username: str, stores: tuple[str, ...], reason: str) -> None:
    from shuke.shops import actions, queries

    one = actions.change_staff(
        merchant=desk.merchant,
        username=username,
        stores=actions.stores_named(desk.merchant, stores),
        reason=reason,
        now=desk.now,
        actor=desk.actor,
    )
    where = ", ".join(store.name for store in queries.posts(one)) or _("all stores")
    _tell(desk, one, "", _("{user} works at: {stores}.").replace("{stores}", where))


@declared(
    "password",
    _("A new one-time password for somebody who forgot theirs. They are signed out everywhere."),
    'shuke staff password mei --reason "forgot it"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@REASON
@OWN
def password_(desk: Desk, username: str, reason: str, password_stdin: bool) -> None:
    from shuke.shops import actions, queries

    told = actions.reset_password(
        merchant=desk.merchant, username=username, reason=reason, password=_typed(password_stdin), now=desk.now,
        actor=desk.actor,
    )  # fmt: skip
    one = queries.staff_by_username(desk.merchant, username)
    assert one is not None
    _tell(desk, one, told, _("{user} has a new password and is signed out everywhere."))


@declared(
    "factor",
    _("Take somebody's second factor away, when phone and recovery codes are lost. They are signed out everywhere."),
    'shuke staff factor mei --reason "lost the phone, came in person"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@REASON
def factor(desk: Desk, username: str, reason: str) -> None:
    from shuke.shops import actions

    one = actions.take_factor(merchant=desk.merchant, username=username, reason=reason, now=desk.now, actor=desk.actor)
    _tell(desk, one, "", _("{user} signs in with the password alone."))


@declared(
    "require",
    _(
        "Of whom signing in asks a code from their phone beside the password: nobody, office (all but assistants) or all."
    ),
    'shuke staff require office --reason "members\' data is seen there"',
    group=command,
)
@click.argument("asked", metavar=_("WHOM"), type=click.Choice(ASKED))
@REASON
def require(desk: Desk, asked: str, reason: str) -> None:
    from shuke.shops import actions

    changed = actions.ask_for_factor(merchant=desk.merchant, asked=asked, reason=reason, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({"asked": asked, "changed": changed})
        return
    desk.say(_("It holds from everybody's next page on.") if changed else _("It was so already."))


@declared(
    "close",
    _("Shut somebody out, at once: sessions end, their tokens are revoked. What they did stays under their name."),
    'shuke staff close mei --reason "left in May"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@REASON
def close(desk: Desk, username: str, reason: str) -> None:
    from shuke.shops import actions

    one = actions.close_staff(merchant=desk.merchant, username=username, reason=reason, now=desk.now, actor=desk.actor)
    _tell(desk, one, "", _("The account of {user} is closed."))


@declared(
    "card",
    _(
        "Say which member somebody is: in that account, and their family's, they change nothing by hand. Without a card: none."
    ),
    'shuke staff card mei 100000000018 --reason "joined herself"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@click.argument("member", metavar=_("MEMBER"), default="")
@REASON
def card(desk: Desk, username: str, member: str, reason: str) -> None:
    from shuke.doors.cli.commands.members import member_named
    from shuke.members.actions.own_cards import tell_own_card
    from shuke.members.queries.own_cards import own_member
    from shuke.shops import actions, queries

    one = queries.staff_by_username(desk.merchant, username)
    if one is None:
        raise actions.StaffRefused("no_such_person", username=username)
    who = member_named(desk, member) if member else None
    tell_own_card(
        merchant=desk.merchant, staff=one, member_id=who.pk if who else None, reason=reason, now=desk.now,
        actor=desk.actor,
    )  # fmt: skip
    own = own_member(desk.merchant, username)
    if desk.as_json:
        desk.json({"user": username, "member": own.card if own else None})
        return
    desk.say(f"{username}: {own}" if own else _("{user} has no member card here.").format(user=username))


@declared(
    "reopen",
    _("Let somebody in again, with the role they had and a new one-time password."),
    'shuke staff reopen mei --reason "back from leave"',
    group=command,
)
@click.argument("username", metavar=_("USER"))
@REASON
@OWN
def reopen(desk: Desk, username: str, reason: str, password_stdin: bool) -> None:
    from shuke.shops import actions

    one, told = actions.reopen_staff(
        merchant=desk.merchant, username=username, reason=reason, password=_typed(password_stdin), now=desk.now,
        actor=desk.actor,
    )  # fmt: skip
    _tell(desk, one, told, _("{user} may sign in again as {role}."))


def _tell(desk: Desk, one: Staff, password: str, said: str) -> None:
    from shuke.shops import queries

    if desk.as_json:
        desk.json(_plain(desk, one, queries.posts(one)) | {"password": password or None})
        return
    desk.say(said.format(user=one.username, role=_role(one.role)))
    if password:
        desk.say(password)
        until = desk.minute(one.one_time_until)
        desk.say(
            _("A one-time password, shown only now. It holds until {until} and lets them choose their own.").format(
                until=until
            )
        )


def _plain(desk: Desk, one: Staff, stores: list[Any]) -> dict[str, Any]:
    return {
        "user": one.username,
        "name": one.name,
        "role": one.role,
        "stores": [{"platform": store.platform, "code": store.code, "name": store.name} for store in stores],
        "open": one.is_active,
        "one_time_until": one.one_time_until,
        "second_factor_since": one.factor_since,
        "seen_at": _seen(desk, one),
    }


def _seen(desk: Desk, one: Staff) -> Any:
    """On the shop's clock."""
    return one.seen_at and one.seen_at + timedelta(seconds=desk.merchant.clock_shift)


def _state(one: Staff) -> str:
    if not one.is_active:
        return _("account closed")
    if one.one_time_until:
        return _("has a one-time password")
    return _("second factor") if one.factor_since else _("may sign in")


def _typed(password_stdin: bool) -> str:
    if not password_stdin:
        return ""
    told = sys.stdin.readline().rstrip("\n")
    if not told:
        raise click.UsageError(_("--password-stdin: there is no password on the input."))
    return told


def _role(code: str) -> str:
    """As the console calls it."""
    names = {
        "owner": _("Owner"),
        "manager": _("Store manager"),
        "specialist": _("Member specialist"),
        "assistant": _("Shop assistant"),
        "auditor": _("Auditor"),
    }
    return f"{names[code]} ({code})" if language() != "en" else code
