"""`shuke charter handbook`: the member handbook as a PDF, of the charter in force or of a file."""

from __future__ import annotations

from pathlib import Path

import click

from shuke.doors.cli.commands.charter_files import checked, command, version_of
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _, language


@declared(
    "handbook",
    _("Write the member handbook as a PDF: of the charter in force, of another version, or of a file."),
    "shuke charter handbook handbook.pdf\nshuke charter handbook draft.pdf --file charter.yaml --language zh",
    group=command,
)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--version", type=int, metavar="N", help=_("another version than the one in force"))
@click.option("--file", "file", type=click.Path(path_type=Path), help=_("of this charter file instead"))
@click.option("--language", "tongue", type=click.Choice(["zh", "en"]), help=_("default: the terminal's"))
def handbook(desk: Desk, out: Path, version: int | None, file: Path | None, tongue: str | None) -> None:
    from shuke.connect.exporters import handbook_pdf
    from shuke.engine.charter.terms import Terms
    from shuke.engine.handbook import handbook as made
    from shuke.kit import clock
    from shuke.loyalty import queries as loyalty

    merchant, now = desk.merchant, desk.now
    if file is not None:
        number, charter, since = 0, checked(file), clock.day_of(now, merchant.tz)
    else:
        number = version or loyalty.in_force(merchant, now).version
        charter = version_of(desk, number)
        row = next(v for v in loyalty.history(merchant) if v.version == number)
        since = clock.day_of(row.effective_from, merchant.tz)
    spoken = tongue or ("zh" if language() == "zh-hans" else "en")
    book = made(Terms(charter, merchant.tz, number), language=spoken, shop=merchant.name, since=since)
    data = handbook_pdf.pdf(book)
    out.write_bytes(data)
    if desk.as_json:
        desk.json({"file": str(out), "bytes": len(data), "version": number, "language": spoken})
    desk.say(_("{file}: {examples} worked examples.").format(file=out, examples=len(book.examples)))
