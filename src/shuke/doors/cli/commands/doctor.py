"""`shuke doctor`: is this installation healthy?"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import NOT_READY
from shuke.doors.cli.words import _

LITTLE_SPACE = 1 << 30


class Finding(NamedTuple):
    what: str
    state: str  # ok | look | wrong
    detail: str


@declared(
    "doctor",
    _("Look at versions, database, keys, disk, worker and jobs. Changes nothing. Ends with 3 when something is wrong."),
    "shuke doctor",
    database=False,
)
def command(desk: Desk) -> int:
    findings = list(examine())
    healthy = all(finding.state != "wrong" for finding in findings)
    if desk.as_json:
        desk.json({"healthy": healthy, "findings": findings})
    else:
        marks = {"ok": "✓", "look": "!", "wrong": "✗"}
        desk.table(["", _("what"), _("found")], [(marks[f.state], f.what, f.detail) for f in findings])
        desk.say(_("All is well.") if healthy else _("Something is wrong: see the lines marked ✗."))
    return 0 if healthy else NOT_READY


def examine() -> Iterator[Finding]:
    """One finding after the other; a part that cannot be looked at says so and does not stop the rest."""
    from django.db import Error

    yield Finding("Python", "ok" if sys.version_info >= (3, 11) else "wrong", platform.python_version())
    yield _home()
    try:
        yield from _database()
    except Error as error:
        yield Finding(_("database"), "wrong", str(error).strip().splitlines()[0])


def _home() -> Finding:
    from django.conf import settings

    home = Path(settings.SHUKE_HOME)
    if not home.exists():
        return Finding("SHUKE_HOME", "look", _("{home} does not exist yet; `shuke init` makes it").format(home=home))
    free = shutil.disk_usage(home).free
    detail = _("{home}, {free:.1f} GB free").format(home=home, free=free / (1 << 30))
    if not os.access(home, os.W_OK):
        return Finding("SHUKE_HOME", "wrong", _("{home} cannot be written").format(home=home))
    return Finding(
        "SHUKE_HOME", "wrong" if free < LITTLE_SPACE // 10 else "look" if free < LITTLE_SPACE else "ok", detail
    )


def _database() -> Iterator[Finding]:
    from django.db import connection

    from shuke.kit import schema

    state = schema.state()
    if state == schema.State.EMPTY:
        yield Finding(_("database"), "look", _("nothing set up yet; run `shuke init`"))
        return
    yield from _sqlite() if connection.vendor == "sqlite" else _postgres()
    tables = {
        schema.State.CURRENT: ("ok", _("as this version needs them")),
        schema.State.OLDER: ("wrong", _("of an older version; run `shuke init`")),
        schema.State.NEWER: ("wrong", _("of a newer version; install that one")),
    }
    yield Finding(_("tables"), *tables[state])
    if state == schema.State.CURRENT:
        yield _key()
        yield from _merchants()
        yield from _books()
        yield from _analyses()
        yield from _work()


def _sqlite() -> Iterator[Finding]:
    yield Finding("SQLite", "ok" if sqlite3.sqlite_version_info >= (3, 35) else "wrong", sqlite3.sqlite_version)
    mode, safe = _ask("PRAGMA journal_mode"), _ask("PRAGMA synchronous")
    good = mode == "wal" and safe == 2
    yield Finding(
        _("safe against power cuts"), "ok" if good else "wrong", f"journal_mode={mode}, synchronous={safe} (2 = FULL)"
    )


def _postgres() -> Iterator[Finding]:
    yield Finding(
        "PostgreSQL", "ok" if int(_ask("SHOW server_version_num")) >= 140000 else "wrong", _ask("SHOW server_version")
    )
    told = {name: _ask(f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")}
    good = all(value != "off" for value in told.values())
    yield Finding(
        _("safe against power cuts"), "ok" if good else "wrong", ", ".join(f"{k}={v}" for k, v in told.items())
    )
    zone = _ask("SHOW timezone")
    yield Finding(_("time zone of the connection"), "ok" if zone in ("UTC", "Etc/UTC") else "wrong", zone)


def _ask(sql: str):  # type: ignore[no-untyped-def] # whatever the database answers
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _key() -> Finding:
    """The master key must open what is stored: with another key every phone number and address is lost."""
    from shuke.kit import crypto
    from shuke.members.models import DataKey
    from shuke.members.queries.keys import KeyMissing, span, wrapped_by

    row = DataKey.objects.order_by("member_id").first()
    if row is None:
        return Finding(_("master key"), "ok", _("present; nothing is sealed with it yet"))
    try:
        crypto.unwrap(bytes(row.wrapped), row.member_id, row.merchant_id, row.version)
    except (crypto.CannotUnseal, crypto.BadMasterKey) as error:
        return Finding(
            _("master key"),
            "wrong",
            _("does not open this database: {why} Restore keys/shuke_master_key from a backup.").format(why=error),
        )
    left = sum(n for version, n in wrapped_by().items() if version < crypto.newest_version())
    if left:
        return Finding(
            _("master key"),
            "look",
            _("{n} members are still under an older key; run `shuke keys rotate`").format(n=left),
        )
    try:
        climbing = span().lowest < crypto.newest_version()
    except KeyMissing as error:
        return Finding(_("master key"), "wrong", str(error))
    if climbing:
        detail = _("search indexes are still under an older key, everything is found; run `shuke keys rotate`")
        return Finding(_("master key"), "look", detail)
    return Finding(_("master key"), "ok", _("opens this database"))


def _merchants() -> Iterator[Finding]:
    from shuke.shops import queries

    found = queries.merchants()
    names = ", ".join(
        f"{m.name} ({m.zone}, {m.currency}, {queries.now(m).astimezone(m.tz):%Y-%m-%d %H:%M})" for m in found
    )
    yield Finding(_("merchants"), "ok" if found else "look", names or _("none yet; run `shuke init`"))


def _analyses() -> Iterator[Finding]:
    """Whether one machine still suits each history, and whether a cluster that was asked for can be spoken to."""
    from importlib.util import find_spec

    from shuke.doors.cli.commands.insight_engine import advice, minutes
    from shuke.insight.queries import analytics
    from shuke.shops import queries

    if analytics.on_cluster() and find_spec("pyspark") is None:
        yield Finding(
            _("analyses"),
            "wrong",
            _("set to {address}, but Spark's package is not installed: pip install 'shuke[spark]'").format(
                address=analytics.address()
            ),
        )
        return
    outlooks = analytics.outlooks()
    for merchant in queries.merchants():
        told = outlooks[merchant.pk]
        due = told.hand_over and not analytics.on_cluster()
        detail = _("{engine}; {name}: a night takes about {time}. {advice}").format(
            engine=analytics.address() or "DuckDB",
            name=merchant.name,
            time=minutes(told.seconds),
            advice=advice(told, on_cluster=analytics.on_cluster()) if due else "",
        )
        yield Finding(_("analyses"), "look" if due else "ok", detail.strip())


def _books() -> Iterator[Finding]:
    """What was found when somebody last looked at each merchant's books."""
    from shuke.loyalty.queries import last_verification
    from shuke.shops import queries

    for merchant in queries.merchants():
        what = _("books of {name}").format(name=merchant.name)
        last, whole = last_verification(merchant), last_verification(merchant, whole=True)
        if last is None or whole is None:
            yield Finding(what, "look", _("nobody looked yet; a worker does so at night, or run `shuke ledger verify`"))
            continue
        at, all_at = (f"{row.at.astimezone(merchant.tz):%Y-%m-%d %H:%M}" for row in (last, whole))
        if not last.ok:
            said = _("wrong in {count} places on {at}; run `shuke ledger verify`").format(count=last.count, at=at)
            yield Finding(what, "wrong", said)
            continue
        old = queries.now(merchant) - whole.at > timedelta(days=15)
        said = _("right on {at}; everything was looked at on {whole}").format(at=at, whole=all_at)
        yield Finding(what, "look" if old else "ok", said)


def _work() -> Iterator[Finding]:
    from shuke.kit import clock, jobs
    from shuke.kit.worker import last_heartbeat

    now = clock.utc_now()
    life = last_heartbeat()
    fresh = life is not None and now - datetime.fromisoformat(life["at"]) < timedelta(seconds=30)
    seen = (
        _("{worker}, last seen {at}").format(**life)
        if life
        else _("none has run here; `shuke serve` or `shuke worker` starts one")
    )
    yield Finding(_("worker"), "ok" if fresh else "look", seen)
    counted = jobs.counts(now)
    detail = ", ".join(f"{name} {count}" for name, count in counted.items())
    waiting = counted["failed"] or counted["silent"] or (counted["due"] and not fresh)
    yield Finding(_("jobs"), "look" if waiting else "ok", detail)
