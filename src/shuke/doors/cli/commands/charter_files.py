"""What the commands of `shuke charter` share: the group itself, and reading charter files and versions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from shuke.doors.cli.desk import Desk, check_database
from shuke.doors.cli.errors import NotReady, Refused
from shuke.doors.cli.words import _, language
from shuke.kit import clock

if TYPE_CHECKING:
    from shuke.engine.charter.faults import CharterInvalid


@click.group("charter", help=_("The membership charter: one readable, versioned document."))
def command() -> None:
    """The charter."""


def text_of(file: Path) -> str:
    """A charter file's text; whatever is wrong with it as a file is said in a sentence."""
    if file.is_file() and file.stat().st_size > 1_000_000:
        raise Refused(_("{file} is larger than 1 MB; a charter is a few pages of text.").format(file=file))
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(_("{file} is not text in UTF-8. Save it as UTF-8 and try again.").format(file=file)) from error


def zone_of(told: str) -> ZoneInfo:
    try:
        return ZoneInfo(told)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.UsageError(
            _("There is no time zone {zone}; write it like Asia/Shanghai.").format(zone=told[:60] or "“”")
        ) from error


def moment_of(told: str, zone: ZoneInfo) -> datetime:
    """A day (its noon) or a moment."""
    try:
        return clock.told(told, zone)
    except ValueError as error:
        raise click.UsageError(
            _("{told} is no day or moment; write it like 2026-11-11 or 2026-11-11T20:00.").format(
                told=told[:60] or "“”"
            )
        ) from error


def read(file: Path):  # type: ignore[no-untyped-def] # document.Charter, imported late
    """The charter in a file. Raises CharterInvalid."""
    from shuke.engine.charter import document

    return document.read(text_of(file))


def wrong_with(file: Path, error: CharterInvalid) -> list[str]:
    """Everything wrong with a charter file: where it stands in the file, and in words that call things by their names."""
    from shuke.engine.charter import telling
    from shuke.engine.charter.faults import CharterInvalid

    try:
        found = telling.problems(telling.read_text(text_of(file)), language())
    except CharterInvalid:  # not readable as a document at all
        found = []
    if len(found) != len(error.faults):
        return [fault.say(language()) for fault in error.faults]
    return [f"{one.where}: {one.text}" for one in found]


def unheard(desk: Desk, file: Path) -> list[str]:
    """Names in a charter file that this shop has never heard of; [] where there is no shop here to ask, or it is not said which."""
    from shuke.engine.charter import telling
    from shuke.engine.charter.faults import CharterInvalid
    from shuke.flows import publish_charter
    from shuke.shops.queries import NoMerchant, SeveralMerchants

    try:
        check_database()
        raw = telling.read_text(text_of(file))
        found = publish_charter.warnings(desk.merchant, raw, language())
    except (NotReady, NoMerchant, SeveralMerchants, CharterInvalid):
        return []
    return [f"{one.where}: {one.text}" for one in found]


def checked(file: Path):  # type: ignore[no-untyped-def] # document.Charter, imported late
    """The charter in a file; a faulty one is refused with everything that is wrong with it."""
    from shuke.engine.charter import document

    try:
        return read(file)
    except document.CharterInvalid as error:
        raise Refused("\n".join(wrong_with(file, error))) from error


def version_of(desk: Desk, number: int):  # type: ignore[no-untyped-def] # document.Charter, imported late
    """A published version as a document."""
    from shuke.engine.charter import document
    from shuke.loyalty import queries as loyalty

    versions = loyalty.history(desk.merchant)
    row = next((v for v in versions if v.version == number), None)
    if row is None:
        raise Refused(
            _("There is no version {version}. There are: {known}.").format(
                version=number, known=", ".join(str(v.version) for v in versions)
            )
        )
    return document.published(row.document)
