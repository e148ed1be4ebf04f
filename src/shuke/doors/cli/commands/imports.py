"""`shuke import FILE…`: take in order and member files; see first with --preview, take back with --undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import REFUSED, Refused
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.orders.models import ImportBatch

SHOWN = 5  # rejected rows named in the terminal; all of them are in the file


@declared(
    "import",
    _(
        "Take in order, item, refund and customer files: CSV, XLSX, or a ZIP of them, several at once. What kind of file it is, is "
        "recognised and said. The same file twice changes nothing. Stopped half-way, --resume goes on where it was."
    ),
    "shuke import ExportOrderList.csv ExportOrderDetailList.csv --shop 兰记护肤\n"
    "shuke import till.xlsx --map number=单号 --map paid=实收 --map created_at=日期 --map phone=手机\n"
    "shuke import orders.csv --preview\n"
    "shuke import --undo 8623047112345600",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar=_("FILE…"))
@click.option("--as", "layout", metavar=_("LAYOUT"), help=_("read the files as this layout, whatever they look like"))
@click.option("--shop", metavar=_("NAME"), help=_("the shop the files are of, where they do not say it themselves"))
@click.option("--platform", metavar=_("NAME"), help=_("taobao, tmall, jd, pos …, where the layout does not say it"))
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar=_("FIELD=COLUMN"),
    help=_("what a column of a plain file means; may be said several times. @FILE.json reads a whole mapping"),
)
@click.option(
    "--identity",
    metavar=_("FIELD,FIELD"),
    help=_(
        "without order numbers: the fields that make a row the same purchase, or “row” for the whole row; with --map"
    ),
)
@click.option(
    "--kind",
    type=click.Choice(["orders", "customers", "products", "refunds"]),
    default="orders",
    show_default=True,
    help=_("what a plain file with --map is about"),
)
@click.option(
    "--max-unpacked",
    type=click.IntRange(1, 20_000),
    metavar=_("MB"),
    help=_("megabytes that a ZIP or XLSX may unpack to; without it as SHUKE_MAX_UNPACKED says, or 200"),
)
@click.option("--preview", is_flag=True, help=_("read and weigh every row, write nothing"))
@click.option("--resume", type=int, metavar="ID", help=_("go on with an import that was stopped or previewed"))
@click.option(
    "--undo", "undone", type=int, metavar="ID", help=_("take an import back, unless something later depends on it")
)
def command(
    desk: Desk,
    files: tuple[Path, ...],
    layout: str | None,
    shop: str | None,
    platform: str | None,
    maps: tuple[str, ...],
    identity: str | None,
    kind: str,
    max_unpacked: int | None,
    preview: bool,
    resume: int | None,
    undone: int | None,
) -> int:
    from shuke.flows import imports

    if sum((bool(files), resume is not None, undone is not None)) != 1:
        raise click.UsageError(_("Say which files to take in, or --resume ID, or --undo ID."))
    if undone is not None:
        return undo(desk, undone)
    if resume is not None:
        return run(desk, resume)
    options = {
        "layout": layout,
        "shop": shop,
        "platform": platform,
        "mapping": mapping(maps, kind, identity),
        "max_unpacked": max_unpacked,
        "language": "zh" if language() == "zh-hans" else "en",
    }
    batch = imports.start(
        merchant=desk.merchant,
        files=[(path, path.name) for path in files],
        options=options,
        now=desk.now,
        actor=desk.actor,
    )
    if batch.error:
        raise Refused(batch.error)
    tell_files(desk, batch)
    return look(desk, batch) if preview else run(desk, batch.pk)


def mapping(maps: tuple[str, ...], kind: str, identity: str | None = None) -> dict[str, Any] | None:
    """The column mapping said on the command line, as connect/importers/mapping.py describes it."""
    if not maps:
        if identity:
            raise click.UsageError(_("--identity wants the columns named with --map."))
        return None
    columns: dict[str, str] = {}
    told: dict[str, Any] = {"kind": kind}
    for one in maps:
        if one.startswith("@"):
            try:
                told |= json.loads(Path(one[1:]).read_text(encoding="utf-8-sig"))
            except ValueError as error:
                raise Refused(_("{file} is not a mapping in JSON: {why}.").format(file=one[1:], why=error)) from error
            continue
        field, equals, column = one.partition("=")
        if not equals or not field.strip() or not column.strip():
            raise click.UsageError(_("--map wants FIELD=COLUMN, like phone=手机, not “{given}”.").format(given=one))
        columns[field.strip()] = column.strip()
    told["columns"] = {**told.get("columns", {}), **columns}
    if identity:
        told["identity"] = identity if identity == "row" else [field.strip() for field in identity.split(",")]
    return told


def tell_files(desk: Desk, batch: ImportBatch) -> None:
    title = "title_zh" if language() == "zh-hans" else "title_en"
    if not desk.as_json:
        desk.table(
            [_("file"), _("recognised as"), _("rows"), _("encoding"), _("heading in row")],
            [
                (
                    inside["name"],
                    f"{inside[title]} {inside['generation'] or ''}".strip(),
                    told["rows"],
                    inside["encoding"],
                    inside["header_row"],
                )
                for told in batch.files
                for inside in (told["members"] or [told])
            ],
            right=(2, 4),
        )


def look(desk: Desk, batch: ImportBatch) -> int:
    """What the batch would do; nothing is written."""
    from shuke.connect.importers import sentence
    from shuke.flows import imports

    with Bars(quiet=desk.as_json) as progress:
        seen = imports.preview(batch, progress, now=desk.now)
    spoken = "zh" if language() == "zh-hans" else "en"
    if desk.as_json:
        desk.json({"batch": batch.pk, **seen._asdict(), "bad": [sentence(p, spoken) for p in seen.bad]})
    else:
        tell_counts(desk, seen.counts)
        for problem in seen.bad[:SHOWN]:
            desk.say(f"✗ {sentence(problem, spoken)}")
        for code, some in seen.examples.items():
            desk.say(f"! {seen.odd.get(code, len(some))} × {sentence(some[0], spoken)}")
            for one in some[1:] if code == "refund_told_twice" else ():
                desk.say(f"  {sentence(one, spoken)}")
        if seen.failure is None:
            desk.say(_("Nothing was written. To take it in: shuke import --resume {batch}").format(batch=batch.pk))
    if seen.failure is not None:
        desk.say(sentence(seen.failure, spoken))
        return REFUSED
    return 0


def run(desk: Desk, batch_id: int) -> int:
    """Take in what is left of a batch."""
    from django.conf import settings

    from shuke.connect.importers import sentence
    from shuke.flows import imports
    from shuke.flows.imports.tally import problem_of

    try:
        with Bars(quiet=desk.as_json) as progress:
            batch = imports.run(
                merchant=desk.merchant, batch_id=batch_id, now=desk.now, actor=desk.actor, progress=progress
            )
    except KeyboardInterrupt:
        click.echo(
            _("Stopped. What was taken in is kept; go on with: shuke import --resume {batch}").format(batch=batch_id),
            err=True,
        )
        raise
    if batch.error:
        raise Refused(f"{batch.error} ({_('import')} {batch.pk})")
    counts = {name: batch.counts.get(name, 0) for name in imports.COUNTS}
    rejects = str(Path(settings.SHUKE_HOME) / batch.rejects_path) if batch.rejects_path else None
    spoken = "zh" if language() == "zh-hans" else "en"
    bad = [sentence(problem_of(told), spoken) for told in batch.counts.get("bad", [])]
    if desk.as_json:
        desk.json({"batch": batch.pk, "state": batch.state, "counts": counts, "rejects": rejects, "bad": bad})
        return 0
    tell_counts(desk, counts)
    for line in bad[:SHOWN]:
        desk.say(f"✗ {line}")
    if rejects:
        desk.say(
            _("The rejected rows with their reasons: {file}. Correct them there and import that file.").format(
                file=rejects
            )
        )
    desk.say(_("Import {batch} is done. To take it back: shuke import --undo {batch}").format(batch=batch.pk))
    return 0


def undo(desk: Desk, batch_id: int) -> int:
    from shuke.flows.undo_import import undo as take_back

    done = take_back(merchant=desk.merchant, batch_id=batch_id, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json(done)
        return 0
    desk.facts(
        [
            (_("orders removed"), done.orders_removed),
            (_("orders put back"), done.orders_restored),
            (_("refunds removed"), done.refunds_removed),
            (_("refunds put back"), done.refunds_restored),
            (_("members put away"), done.members_put_away),
            (_("members who stay: somebody has dealt with them since"), done.members_kept or None),
            (_("members whose profile was put back"), done.profiles_restored or None),
            (_("values that were changed again since and stay"), done.fields_kept or None),
            (_("balances taken back"), done.openings or None),
            (_("members settled anew"), done.members_settled),
        ]
    )
    return 0


def tell_counts(desk: Desk, counts: dict[str, int]) -> None:
    """What an import counts (flows/imports/tally.py); without what did not occur."""
    names = {
        "orders_new": _("new orders"),
        "orders_changed": _("orders moved on"),
        "orders_same": _("orders known as they are"),
        "refunds_new": _("new refunds"),
        "refunds_changed": _("refunds moved on"),
        "refunds_same": _("refunds known as they are"),
        "refunds_parked": _("of the new ones waiting for their order"),
        "customers": _("customer records"),
        "openings": _("balances taken over"),
        "members_new": _("new members"),
        "products": _("products"),
        "coupons": _("coupons used"),
        "rejected": _("rows rejected"),
        "oddities": _("oddities"),
    }
    desk.facts([(names.get(name, name), count or None) for name, count in counts.items()])
