"""`shuke partner-cards preview|take|rejects|undo|close|statement`: the partner's files, and what it owes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands.coalition import price
from shuke.doors.cli.commands.partner_cards import command, counts, file_plain
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


def _reading(call: Any) -> Any:
    from shuke.flows import partner_card as flow
    from shuke.kit.tabular import TabularError

    try:
        return call()
    except TabularError as error:
        raise Refused(flow.unreadable(error, language())) from error


def _tell(desk: Desk, t: Any) -> None:
    for key, label in counts():
        if n := getattr(t, key):
            desk.say(f"{n:>9,}  {label}")
    desk.say(_("Points: {given} given, {taken} taken back.").format(given=f"{t.points:,}", taken=f"{t.taken:,}"))


@declared(
    "preview",
    _("What taking a spend file would do: every row judged, nothing written."),
    "shuke partner-cards preview bank june.csv",
    group=command,
)
@click.argument("key", metavar=_("KEY"))
@click.argument("file", type=click.Path(path_type=Path))
def preview(desk: Desk, key: str, file: Path) -> None:
    from shuke.flows import partner_card as flow
    from shuke.loyalty.actions.partner_cards.refusals import reason

    seen = _reading(lambda: flow.preview(desk.merchant, key, file, file.name, desk.now))
    odd = [row for row in seen.rows if row.code]
    if desk.as_json:
        desk.json(
            {
                **seen.tally._asdict(),
                "members": seen.members,
                "reasons": [{"row": row.row, "state": row.state, "code": row.code} for row in odd],
            }
        )
        return
    _tell(desk, seen.tally)
    desk.table(
        [_("row"), _("card"), _("why")],
        [(row.row, row.shown, reason(row.code, row.value, language())) for row in odd],
        right=(0,),
    )
    desk.say(_("Nothing was written. To take it: shuke partner-cards take {key} {file}").format(key=key, file=file))


@declared(
    "take",
    _("Take a partner's spend file in. The same file again changes nothing; rejected rows come as a file."),
    "shuke partner-cards take bank june.csv --rejects june-rejected.csv",
    group=command,
)
@click.argument("key", metavar=_("KEY"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rejects", type=click.Path(path_type=Path), help=_("where the rejected rows go, with reasons"))
def take(desk: Desk, key: str, file: Path, rejects: Path | None) -> None:
    from shuke.flows import partner_card as flow

    done = _reading(
        lambda: flow.take_file(
            merchant=desk.merchant, programme=key, path=file, name=file.name, now=desk.now, actor=desk.actor
        )
    )
    if rejects is not None and done.tally.rejected:
        flow.write_rejects(rejects, done.file, language())
    if desk.as_json:
        desk.json({**file_plain(done.file, done.tally), "replayed": done.replayed})
        return
    if done.replayed:
        desk.say(_("This very file was taken before; nothing was done."))
    desk.say(_("File {number}").format(number=done.file.pk))
    _tell(desk, done.tally)


@declared(
    "rejects",
    _("The rejected rows of a file with row, column and reason, to be corrected and taken again."),
    "shuke partner-cards rejects 250177169358061569 june-rejected.csv",
    group=command,
)
@click.argument("number", metavar=_("NUMBER"), type=int)
@click.argument("out", type=click.Path(path_type=Path))
def rejects(desk: Desk, number: int, out: Path) -> None:
    from shuke.flows import partner_card as flow
    from shuke.loyalty.actions.partner_cards import CardRefused
    from shuke.loyalty.queries import partner_cards as stored

    file = stored.file(desk.merchant, number)
    if file is None:
        raise CardRefused("no_such_file", number=number)
    flow.write_rejects(out, file, language())
    count = stored.tally(file).rejected
    if desk.as_json:
        desk.json({"number": str(number), "rows": count, "file": str(out)})
    desk.say(_("{count} rows in {file}.").format(count=count, file=out))


@declared(
    "undo",
    _("Take a file back: what it gave goes, what it took comes again. It can be taken anew."),
    "shuke partner-cards undo 250177169358061569",
    group=command,
)
@click.argument("number", metavar=_("NUMBER"), type=int)
def undo(desk: Desk, number: int) -> None:
    from shuke.loyalty.actions import partner_cards as cards

    lines = cards.undo_file(merchant=desk.merchant, file_id=number, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({"number": str(number), "lines": lines})
    desk.say(_("Taken back: {lines} rows.").format(lines=f"{lines:,}"))


@declared(
    "close",
    _("Close what the partner owes for everything before a day. Again it answers the same."),
    "shuke partner-cards close bank\nshuke partner-cards close bank --before 2026-07-01",
    group=command,
)
@click.argument("key", metavar=_("KEY"))
@click.option("--before", type=DAY, help=_("first day that is not in it; default: this month's first"))  # fmt: skip
def close(desk: Desk, key: str, before: datetime | None) -> None:
    from shuke.flows import partner_card as flow
    from shuke.kit.clock import day_start
    from shuke.loyalty.actions import partner_cards as cards

    until = day_start(before.date(), desk.merchant.tz) if before else flow.month_end(desk.merchant, desk.now)
    done = cards.close(merchant=desk.merchant, programme=key, until=until, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({**done.statement.document, "replayed": done.replayed})
        return
    _say_statement(desk, done.statement)


@declared(
    "statement",
    _("What the partner owes in a closed statement; --out writes it and its movements as files."),
    "shuke partner-cards statement bank 3\nshuke partner-cards statement bank 3 --out papers/",
    group=command,
)
@click.argument("key", metavar=_("KEY"))
@click.argument("number", metavar=_("NUMBER"), type=click.IntRange(1))
@click.option("--out", type=click.Path(path_type=Path), help=_("folder for the files; always the same bytes"))
def statement(desk: Desk, key: str, number: int, out: Path | None) -> None:
    from shuke.loyalty.actions.partner_cards import CardRefused
    from shuke.loyalty.queries import card_statements
    from shuke.loyalty.queries import partner_cards as stored

    one = stored.programme(desk.merchant, key)
    if one is None:
        raise CardRefused("no_such_programme", key=key)
    found = stored.statement(one, number)
    if found is None:
        raise CardRefused("no_such_statement", number=number)
    written = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, data in card_statements.files(found).items():
            (out / name).write_bytes(data)
            written.append(str(out / name))
    if desk.as_json:
        desk.json({**found.document, "files": written})
        return
    _say_statement(desk, found)
    for name in written:
        desk.say(name)


def _say_statement(desk: Desk, one: Any) -> None:
    document = one.document
    desk.table(
        [_("what"), _("month"), _("points"), _("price"), _("money")],
        [
            (kind(x["kind"]), x["month"], x["points"], price(x["price_micro"], desk), desk.money(x["minor"]))
            for x in document["lines"]
        ],
        title=f"{document['programme']['name']} {one.number}",
        right=(2, 3, 4),
    )
    desk.say(_("{name} owes {money}.").format(name=document["programme"]["issuer"] or document["programme"]["name"], money=desk.money(one.due_minor)))  # fmt: skip


def kind(code: str) -> str:
    return {
        "given": _("points given"), "reversed": _("spending came back"), "undone": _("file taken back"),
        "restored": _("return taken back"), "capped": _("limit after a merge"), "carried": _("carried over"),
    }.get(code, code)  # fmt: skip
