"""`shuke charter replay`: a charter and a list of dated events in, everybody's books out. Starts no Django.

`--through-books` sends the same list through flows and actions in a throw-away database, and prints the same.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from shuke.doors.cli.commands.charter_files import checked, command, moment_of, zone_of
from shuke.doors.cli.errors import REFUSED, Refused
from shuke.doors.cli.words import _, language
from shuke.kit import clock

ABOUT = _(
    "Replay a list of events (JSON lines) under a charter file: what each gave and why, how everybody stands at the end. Needs no database."
)
EXAMPLES = (
    "shuke charter replay charter.yaml events.jsonl",
    "shuke charter replay charter.yaml events.jsonl --until 2026-12-31 --json",
    "shuke charter replay charter.yaml events.jsonl --through-books --json",
)


@command.command("replay")
@click.argument("charter", type=click.Path(path_type=Path))
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--until", "told_until", metavar=_("DATE"), help=_("let the clock run on to the end of this day"))
@click.option("--zone", default="Asia/Shanghai", show_default=True, help=_("the shop's time zone"))
@click.option("--through-books", is_flag=True, help=_("through flows and actions in a throw-away database instead"))
@click.option("--json", "as_json", is_flag=True, help=_("answer as JSON, for programs"))
def replay(
    charter: Path, events: Path, told_until: str | None, zone: str, through_books: bool, as_json: bool
) -> int | None:
    from shuke.engine.charter.terms import Terms, Versions
    from shuke.engine.replay import lines as reading
    from shuke.engine.replay.report import report
    from shuke.engine.replay.run import Replay

    document = checked(charter)
    place = zone_of(zone)
    until = _until(told_until, place) if told_until is not None else None
    try:
        with events.open(encoding="utf-8-sig") as file:
            lines = reading.read(file, place, document.currency)
    except UnicodeDecodeError as error:
        raise Refused(_("{file} is not text in UTF-8. Save it as UTF-8 and try again.").format(file=events)) from error
    except reading.LinesInvalid as error:
        return _refused(error, as_json)
    if not lines:
        raise Refused(_("{file} has no events.").format(file=events))
    since = lines[0].at - timedelta(days=1)
    engine = Replay(Versions([(since, Terms(document, place, 1))]))
    found = engine.run(lines, until)
    if through_books:
        with _throw_away():
            from shuke.flows.replay_books import Books, open_shop

            merchant = open_shop(charter=document, since=since, zone=zone, lines=lines, now=since)
            found = Books(merchant, document).run(lines, until)
    told = report(lines, found, engine)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        from shuke.doors.cli.commands.charter_replay_told import Teller

        for text in Teller(document, place).lines(told, lines[0].at):
            click.echo(text)
    return None


replay.help = ABOUT + "\n\n\b\n" + _("Example") + ":\n" + "\n".join(f"  {line}" for line in EXAMPLES)


def _until(told: str, place: ZoneInfo) -> datetime:
    """The end of a day, or a moment."""
    found = moment_of(told, place)
    if len(told) <= 10:
        found = clock.day_start(found.date() + timedelta(days=1), place)
    return found.astimezone(UTC)


def _refused(error: Any, as_json: bool) -> int:
    if as_json:
        faults = [{"line": f.line, "code": f.code, "field": f.field, "text": f.say(language())} for f in error.faults]
        click.echo(json.dumps({"error": error.code, "faults": faults}, ensure_ascii=False, indent=2))
    for fault in error.faults[:50]:
        click.echo(f"✗ {fault.say(language())}", err=True)
    return REFUSED


@contextmanager
def _throw_away() -> Iterator[None]:
    """A home and a SQLite database that are gone afterwards. Never the shop's own, whatever the environment says."""
    home = tempfile.mkdtemp(prefix="shuke-replay-")
    os.environ["SHUKE_HOME"] = home
    os.environ.pop("DATABASE_URL", None)
    try:
        from shuke.doors.cli.desk import start_django

        start_django()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0, interactive=False)
        yield
        connection.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
