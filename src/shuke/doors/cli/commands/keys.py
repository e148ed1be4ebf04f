"""`shuke keys show|new|rotate|retire`: the keys that lock phones and addresses away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _

if TYPE_CHECKING:
    from shuke.loyalty.queries.under_keys import Dependent


@click.group("keys", help=_("The keys that lock phones and addresses away."))
def command() -> None:
    """Master keys."""


@declared(
    "show",
    _("How many members' data keys each master key wraps, and how far the search indexes are. Never shows a key."),
    "shuke keys show",
    group=command,
)
def show(desk: Desk) -> None:
    from shuke.kit import clock, crypto
    from shuke.loyalty.queries.under_keys import dependents
    from shuke.members.queries.keys import behind, span, wrapped_by

    old = dependents(clock.utc_now())
    held, newest, indexes = wrapped_by(), crypto.newest_version(), span()
    left = behind() if indexes.lowest < newest else {"identities": 0, "contacts": 0}
    if desk.as_json:
        desk.json(
            {
                "newest": newest, "wrapped_by": held, "left": sum(n for v, n in held.items() if v < newest),
                "indexes": {**indexes._asdict(), "left": left}, "in_use": [_plain(one) for one in old],
            }
        )  # fmt: skip
        return
    rows = [(n, held.get(n, 0), _("wraps new members") if n == newest else "") for n in range(1, newest + 1)]
    desk.table([_("master key"), _("members"), ""], rows)
    if indexes.lowest < newest:
        desk.say(
            _("Under older keys: {identities} identities and {contacts} contacts. Run `shuke keys rotate`.").format(
                **left
            )
        )
    for one in old:
        desk.say(_told(one))


@declared(
    "new",
    _("Append a fresh master key. Then restart every process, and run `shuke keys rotate`."),
    "shuke keys new",
    group=command,
)
def new(desk: Desk) -> None:
    from django.conf import settings

    if os.environ.get("SHUKE_MASTER_KEY"):
        raise Refused(
            _("The key comes from SHUKE_MASTER_KEY. Append a comma and 64 more hexadecimal digits there, then restart.")
        )
    path = Path(settings.SHUKE_HOME) / "keys" / "shuke_master_key"
    _write(path, path.read_text().strip() + "," + os.urandom(32).hex())
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
    _(
        "Bring every member's data key and the search indexes under the newest master key. Can be killed and started again."
    ),
    "shuke keys rotate",
    group=command,
)
def rotate(desk: Desk) -> None:
    from shuke.kit import audit, clock
    from shuke.members.actions.reindexing import reindex
    from shuke.members.actions.rekeying import rewrap

    with Bars(quiet=desk.as_json) as progress:
        progress.total(None, _("members"))
        done = rewrap(progress=progress.advance)
        progress.total(None, _("rows of the indexes"))
        rows = reindex(progress=progress.advance)
    if done or rows:
        detail = {"members": done, "rows": rows}
        audit.record(merchant_id=None, at=clock.utc_now(), actor=desk.actor, verb="keys.rotated", detail=detail)
    if desk.as_json:
        desk.json({"members": done, "rows": rows})
    else:
        desk.say(
            _("{n} members and {rows} rows of the indexes are under the newest key now.").format(
                n=f"{done:,}", rows=f"{rows:,}"
            )
        )


@declared(
    "retire",
    _(
        "Take older master keys out of the key file, once nothing is under them. The database keeps them, sealed by the newest."
    ),
    "shuke keys retire",
    group=command,
)
@click.option(
    "--even-so", is_flag=True, help=_("also while printed codes and card programmes still stand under an older key")
)
def retire(desk: Desk, even_so: bool) -> None:
    from django.conf import settings

    from shuke.kit import audit, clock
    from shuke.loyalty.queries.under_keys import dependents
    from shuke.members.actions.rekeying import StillNeeded
    from shuke.members.actions.rekeying import retire as keep

    now = clock.utc_now()
    if not even_so and (old := dependents(now)):
        raise Refused(
            "\n".join(_told(one) for one in old)
            + "\n"
            + _(
                "Void them, wait until they have ended, or retire the key all the same with --even-so: they go on working."
            )
        )
    try:
        gone = keep(now=now)
    except StillNeeded as error:
        raise Refused(str(error)) from error
    audit.record(merchant_id=None, at=now, actor=desk.actor, verb="keys.retired", detail={"keys": gone})
    told = settings.SHUKE_MASTER_KEY
    in_file = not os.environ.get("SHUKE_MASTER_KEY")
    if in_file:
        _write(Path(settings.SHUKE_HOME) / "keys" / "shuke_master_key", "," * gone + told.rpartition(",")[2].strip())
    if desk.as_json:
        desk.json({"retired": gone, "file_written": in_file})
    elif in_file:
        desk.say(
            _(
                "{n} older keys are out of the file. Restart `shuke serve` and all workers. Backups of before still need them: keep the former file with those."
            ).format(n=gone)
        )
    else:
        desk.say(
            _(
                "The database keeps {n} older keys. In SHUKE_MASTER_KEY leave their places empty: {commas} and then the newest key. Then restart everything."
            ).format(n=gone, commas="," * gone)
        )


def _plain(one: Dependent) -> dict[str, Any]:
    return one._asdict() | {"until": None if one.until is None else one.until.isoformat()}


def _told(one: Dependent) -> str:
    names = {
        "coupons": _("{n} codes of coupons ({name})"),
        "gift_cards": _("{n} gift cards ({name})"),
        "partner_cards": _("{n} partner's cards ({name})"),
    }
    what = names[one.what].format(n=f"{one.left:,}", name=one.name)
    if one.until is None:
        return _("{merchant}: {what} stand under key {number} until somebody ends them.").format(
            merchant=one.merchant, what=what, number=one.number
        )
    return _("{merchant}: {what} stand under key {number} until {day}.").format(
        merchant=one.merchant, what=what, number=one.number, day=f"{one.until:%Y-%m-%d}"
    )


def _write(path: Path, text: str) -> None:
    """The old file or the new one, never half of one: without it nothing opens."""
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
