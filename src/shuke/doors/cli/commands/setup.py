"""`shuke init`: database, merchant, owner. Run again, it brings the database up to date and changes nothing else."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import click

from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import NotReady, Refused
from shuke.doors.cli.words import _


def bring_up_to_date() -> bool:
    """Make or migrate the database; True when something had to be done. Never touches a newer one."""
    from django.conf import settings
    from django.core.management import call_command

    from shuke.kit import schema

    Path(settings.SHUKE_HOME).mkdir(parents=True, exist_ok=True)
    state = schema.state()
    if state == schema.State.NEWER:
        raise NotReady(
            _(
                "The database was written by a newer Shuke than this one. Install the newer version; nothing was changed."
            )
        )
    if state == schema.State.CURRENT:
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


@declared(
    "init",
    _(
        "Set up the database, your business and the owner's account. Run it again after an upgrade: it brings the "
        "database up to date and leaves everything else as it is."
    ),
    'shuke init --name 兰记 --store 徐汇店\nshuke init --name "Corner Shop" --zone Europe/London --currency GBP',
    database=False,
)
@click.option("--name", metavar=_("NAME"), help=_("the name of your business"))
@click.option("--zone", default="Asia/Shanghai", show_default=True, help=_("time zone that decides what a day is"))
@click.option("--currency", default="CNY", show_default=True, help=_("currency you sell in, as three letters"))
@click.option(
    "--store", "stores", multiple=True, metavar=_("NAME"), help=_("a street store; may be said several times")
)
@click.option("--owner", default="owner", show_default=True, help=_("name the owner signs in with"))
@click.option(
    "--password-stdin",
    is_flag=True,
    help=_("read the owner's password from the input; otherwise one is made and shown once"),
)
@click.option(
    "--since",
    type=DAY,
    help=_("purchases from this day on earn points and tiers; default: from today on"),
)
@click.option("--another", is_flag=True, help=_("set up another business beside those that live here"))
def command(
    desk: Desk,
    name: str | None,
    zone: str,
    currency: str,
    stores: tuple[str, ...],
    owner: str,
    password_stdin: bool,
    since: datetime | None,
    another: bool,
) -> None:
    from django.conf import settings

    from shuke.flows.open_shop import open_shop
    from shuke.kit import clock
    from shuke.shops import queries

    changed = bring_up_to_date()
    desk.say(_("Database: {where}").format(where=settings.DATABASES["default"]["NAME"]) + (" ✓" if changed else ""))
    there = queries.merchants()
    if not name:
        if there:
            answer(desk, made=False, merchants=[m.name for m in there], owner=None, password=None)
            return
        name = click.prompt(_("The name of your business")) if sys.stdin.isatty() else _("My shop")
    if there and not another and all(m.name != name for m in there):
        raise Refused(
            _("“{there}” lives here already. To set up another business beside it, add --another.").format(
                there="”, “".join(m.name for m in there)
            )
        )
    password = sys.stdin.readline().rstrip("\n") if password_stdin else os.environ.get("SHUKE_OWNER_PASSWORD", "")
    opened = open_shop(
        name=name,
        zone=zone,
        currency=currency.upper(),
        stores=[("pos", str(number), store) for number, store in enumerate(stores, 1)] or None,
        owner=owner,
        password=password,
        charter_from=since.replace(tzinfo=_zone(zone)) if since else None,
        now=clock.utc_now(),
        actor=desk.actor,
    )
    answer(
        desk,
        made=opened.made,
        merchants=[opened.merchant.name],
        owner=opened.owner.username if opened.owner else None,
        password=opened.password if opened.made and not password else None,
    )


def _zone(name: str):  # type: ignore[no-untyped-def] # ZoneInfo, imported late
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Refused(
            _("There is no time zone called “{zone}”. Write it like Asia/Shanghai.").format(zone=name)
        ) from error


def answer(desk: Desk, *, made: bool, merchants: list[str], owner: str | None, password: str | None) -> None:
    if desk.as_json:
        desk.json({"made": made, "merchants": merchants, "owner": owner, "password": password})
        return
    if not made:
        desk.say(_("“{names}” is set up already; nothing was changed.").format(names="”, “".join(merchants)))
        return
    desk.say(_("“{names}” is set up.").format(names="”, “".join(merchants)))
    desk.say(_("Sign in as {owner}").format(owner=owner))
    if password:
        desk.say(_("with the password {password} (shown only this once)").format(password=password))
    desk.say(_("Next: `shuke import FILE…` takes in your orders, `shuke serve` opens the console."))
