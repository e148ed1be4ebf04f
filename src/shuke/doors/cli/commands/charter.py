"""`shuke charter show|validate|publish|schema`: the membership charter. Drafts, simulation and replay have files of their own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

# The other commands of the group, a file per story; importing them adds them to it.
from shuke.doors.cli.commands import (  # noqa: F401
    charter_handbook,
    charter_price,
    charter_replay,
    charter_simulate,
    charter_versions,
)
from shuke.doors.cli.commands.charter_files import command, read, unheard, wrong_with
from shuke.doors.cli.days import Day
from shuke.doors.cli.desk import Desk, check_database, declared
from shuke.doors.cli.errors import REFUSED, Refused
from shuke.doors.cli.words import _, language


@declared(
    "show",
    _("Show the charter in force in plain words, or as the YAML document itself."),
    "shuke charter show\nshuke charter show --yaml > charter.yaml\nshuke charter show --ready beauty --yaml",
    group=command,
    database=False,
)
@click.option("--yaml", "as_yaml", is_flag=True, help=_("the document, to edit and publish again"))
@click.option("--version", type=int, metavar="N", help=_("an earlier or coming version; default: the one in force"))
@click.option(
    "--ready", metavar=_("NAME"), help=_("one of the charters to start from: general, grocer, beauty, kids, cafe")
)
def show(desk: Desk, as_yaml: bool, version: int | None, ready: str | None) -> None:
    from shuke.engine.charter import describe, document
    from shuke.loyalty import queries as loyalty

    if ready:
        charter, title = document.ready(ready), ready
    else:
        check_database()  # a ready charter ships with Shuke and needs none
        versions = loyalty.history(desk.merchant)
        wanted = version or loyalty.in_force(desk.merchant, desk.now).version
        row = next((v for v in versions if v.version == wanted), None)
        if row is None:
            raise Refused(
                _("There is no version {version}. There are: {known}.").format(
                    version=wanted, known=", ".join(str(v.version) for v in versions)
                )
            )
        charter = document.published(row.document)
        title = _("Version {version}, in force from {day}").format(
            version=row.version, day=desk.minute(row.effective_from)
        )
    if desk.as_json:
        desk.json(document.to_plain(charter))
    elif as_yaml:
        click.echo(document.to_yaml(charter), nl=False)
    else:
        desk.say(title)
        for section in describe.describe(charter, "zh" if language() == "zh-hans" else "en"):
            desk.say("\n" + click.style(section.title, bold=True))
            for sentence in section.sentences:
                desk.say(f"  · {sentence}")


@declared(
    "validate",
    _("Check a charter file (YAML or JSON) and say everything that is wrong with it. Publishes nothing."),
    "shuke charter validate charter.yaml",
    group=command,
    database=False,
)
@click.argument("file", type=click.Path(path_type=Path))
def validate(desk: Desk, file: Path) -> int:
    from shuke.engine.charter import document

    try:
        charter = read(file)
    except document.CharterInvalid as error:
        faults = wrong_with(file, error)
        if desk.as_json:
            desk.json({"valid": False, "faults": faults, "warnings": unheard(desk, file)})
        for fault in faults:
            desk.say(f"✗ {fault}")
        desk.say(_("{file} is no valid charter: {count} to mend.").format(file=file, count=len(faults)))
        return REFUSED
    warnings = unheard(desk, file)
    if desk.as_json:
        desk.json({"valid": True, "faults": [], "warnings": warnings})
    for warning in warnings:
        desk.say(f"! {warning}")
    desk.say(
        _("{file} is a valid charter with {tiers} tiers and {rules} earning rules.").format(
            file=file, tiers=len(charter.tiers), rules=len(charter.earning)
        )
    )
    return 0


@declared(
    "publish",
    _("Put a charter in force from a day on. Only the first version may begin in the past."),
    "shuke charter publish charter.yaml --from 2026-12-01\nshuke charter publish --ready beauty",
    group=command,
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--ready", metavar=_("NAME"), help=_("publish one of the ready charters: general, grocer, beauty, kids, cafe")
)
@click.option(
    "--from",
    "since",
    type=Day(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    metavar=_("DATE"),
    help=_("when it comes into force, shop time; default: now"),
)
@click.option("--note", default="", help=_("why; kept with the version"))
def publish(desk: Desk, file: Path | None, ready: str | None, since: datetime | None, note: str) -> int:
    from shuke.engine.charter import document
    from shuke.flows import publish_charter

    if (file is None) == (ready is None):
        raise click.UsageError(_("Say either a FILE or --ready NAME."))
    try:
        charter = (
            read(file) if file else document.ready(ready or "").model_copy(update={"currency": desk.merchant.currency})
        )
    except document.CharterInvalid as error:
        told = wrong_with(file, error) if file else [fault.say(language()) for fault in error.faults]
        raise Refused("\n".join(told)) from error
    now = desk.now
    try:
        version = publish_charter.publish(
            merchant=desk.merchant,
            charter=charter,
            effective_from=since.replace(tzinfo=desk.merchant.tz) if since else now,
            now=now,
            actor=desk.actor,
            note=note,
        )
    except document.CharterInvalid as error:  # sound by itself, but it names what the shop does not have
        raise Refused("\n".join(fault.say(language()) for fault in error.faults)) from error
    warnings = unheard(desk, file) if file else []
    if desk.as_json:
        desk.json({"version": version.version, "effective_from": version.effective_from, "warnings": warnings})
    for warning in warnings:
        desk.say(f"! {warning}")
    desk.say(
        _("Version {version} comes into force on {day}.").format(
            version=version.version, day=desk.minute(version.effective_from)
        )
    )
    return 0


@declared(
    "schema",
    _("The JSON Schema of the charter, for editors that complete and check while you write."),
    "shuke charter schema > charter.schema.json",
    group=command,
    database=False,
)
def schema(desk: Desk) -> None:
    from shuke.engine.charter import document

    desk.json(document.schema())
