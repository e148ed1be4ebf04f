"""`shuke keys show|new|rotate`: the keys that lock phones and addresses away."""

from __future__ import annotations

import os

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _


@click.group("keys", help=_("The keys that lock phones and addresses away."))
def command() -> None:
    """Master keys."""


@declared(
    "show", _("How many members' data keys each master key wraps. Never shows a key."), "shuke keys show", group=command
)
def show(desk: Desk) -> None:
    from shuke.kit import crypto
    from shuke.members.queries.keys import wrapped_by

    held, newest = wrapped_by(), crypto.newest_version()
    if desk.as_json:
        desk.json({"newest": newest, "wrapped_by": held, "left": sum(n for v, n in held.items() if v < newest)})
        return
    rows = [(n, held.get(n, 0), _("wraps new members") if n == newest else "") for n in range(1, newest + 1)]
    desk.table([_("key"), _("members"), ""], rows)


@declared(
    "new",
    _("Append a fresh master key. Then restart every process, and run `shuke keys rotate`."),
    "shuke keys new",
    group=command,
)
def new(desk: Desk) -> None:
    from pathlib import Path

    from django.conf import settings

    if os.environ.get("SHUKE_MASTER_KEY"):
        raise Refused(
            _("The key comes from SHUKE_MASTER_KEY. Append a comma and 64 more hexadecimal digits there, then restart.")
        )
    path = Path(settings.SHUKE_HOME) / "keys" / "shuke_master_key"
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(path.read_text().strip() + "," + os.urandom(32).hex())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)  # the old file or the new one, never half of one: without it nothing opens
    if desk.as_json:
        desk.json({"keys": path.read_text().count(",") + 1})
    else:
        desk.say(
            _(
                "There is a new key in {path}. Keep a copy, restart `shuke serve` and all workers, then run `shuke keys rotate`."
            ).format(path=path)
        )


@declared(
    "rotate",
    _("Wrap every member's data key with the newest master key. Can be killed and started again at any time."),
    "shuke keys rotate",
    group=command,
)
def rotate(desk: Desk) -> None:
    from shuke.kit import audit, clock
    from shuke.members.actions.rekeying import rewrap

    with Bars(quiet=desk.as_json) as progress:
        progress.total(None, _("members"))
        done = rewrap(progress=progress.advance)
    if done:
        audit.record(
            merchant_id=None, at=clock.utc_now(), actor=desk.actor, verb="keys.rotated", detail={"members": done}
        )
    if desk.as_json:
        desk.json({"members": done})
    else:
        desk.say(_("{n} members are under the newest key now.").format(n=f"{done:,}"))
