"""`shuke charter versions|diff|withdraw|drafts|draft`: what was, what is coming, what is being thought about."""

from __future__ import annotations

from pathlib import Path

import click

from shuke.doors.cli.commands import charter_files as group
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "versions",
    _("All versions of the charter: which is in force, which are coming, which were."),
    "shuke charter versions",
    group=group.command,
)
def versions(desk: Desk) -> None:
    from shuke.loyalty import queries as loyalty

    rows = loyalty.history(desk.merchant)
    now = desk.now
    in_force = next((row.version for row in rows if row.effective_from <= now), None)
    states = {True: _("in force"), False: _("former version")}
    told = [
        {
            "version": row.version,
            "effective_from": row.effective_from,
            "state": "coming" if row.effective_from > now else "in_force" if row.version == in_force else "former",
            "published_at": row.published_at,
            "published_by": row.published_by,
            "note": row.note,
        }
        for row in rows
    ]
    if desk.as_json:
        desk.json(told)
        return
    desk.table(
        [_("version"), _("from"), _("state"), _("published"), _("by"), _("note")],
        [
            (
                row.version,
                desk.minute(row.effective_from),
                _("not yet in force") if row.effective_from > now else states[row.version == in_force],
                desk.minute(row.published_at),
                row.published_by,
                row.note,
            )
            for row in rows
        ],
    )


@declared(
    "diff",
    _("What a charter file would change, in the sentences members read."),
    "shuke charter diff charter.yaml\nshuke charter diff charter.yaml --version 1",
    group=group.command,
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--version", type=int, metavar="N", help=_("compare with this version; default: the one in force"))
def diff(desk: Desk, file: Path, version: int | None) -> None:
    from shuke.engine.charter import compare
    from shuke.loyalty import queries as loyalty

    asked = group.checked(file)
    old = group.version_of(desk, version or loyalty.in_force(desk.merchant, desk.now).version)
    found = compare.compare(old, asked, "zh" if language() == "zh-hans" else "en")
    if desk.as_json:
        desk.json(found)
        return
    if not found:
        desk.say(_("Nothing a member could read changes."))
    section = ""
    for change in found:
        if change.title != section:
            section = change.title
            desk.say("\n" + click.style(section, bold=True))
        if change.before:
            desk.say(click.style(f"  − {change.before}", fg="red"))
        if change.after:
            desk.say(click.style(f"  + {change.after}", fg="green"))


@declared(
    "withdraw",
    _("Take back a published version that is not in force yet. It lives on as a draft."),
    "shuke charter withdraw 3",
    group=group.command,
)
@click.argument("version", type=int)
def withdraw(desk: Desk, version: int) -> None:
    from shuke.flows import publish_charter

    draft = publish_charter.withdraw(merchant=desk.merchant, version=version, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({"withdrawn": version, "draft": draft.pk})
    desk.say(_("Version {version} is withdrawn; it is kept as draft {draft}.").format(version=version, draft=draft.pk))


@declared(
    "drafts",
    _("Charters in the making, the latest first."),
    "shuke charter drafts\nshuke charter drafts --show 123 > draft.yaml",
    group=group.command,
)
@click.option("--show", type=int, metavar="ID", help=_("print the document of this draft"))
def drafts(desk: Desk, show: int | None) -> None:
    from shuke.loyalty.queries import charters

    if show is not None:
        draft = charters.draft(desk.merchant, show)
        if draft is None:
            raise Refused(_("There is no draft {draft}.").format(draft=show))
        if desk.as_json:
            desk.json({"id": draft.pk, "title": draft.title, "revision": draft.revision, "text": draft.text})
        else:
            click.echo(draft.text, nl=False)
        return
    found = charters.drafts(desk.merchant)
    if desk.as_json:
        names = ("id", "title", "revision", "based_on", "made_by", "saved_at", "saved_by")
        desk.json([{name: getattr(draft, name) for name in names} for draft in found])
        return
    desk.table(
        [_("draft"), _("title"), _("saved"), _("by")],
        [(str(d.pk), d.title, desk.minute(d.saved_at), d.saved_by) for d in found],
    )


@declared(
    "draft",
    _("Keep a charter file as a draft, to go on with in the console. It may be half done."),
    'shuke charter draft charter.yaml --title "Autumn"\nshuke charter draft charter.yaml --into 123 --revision 4',
    group=group.command,
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", default="", help=_("what it is called"))
@click.option("--into", type=int, metavar="ID", help=_("save into this draft"))
@click.option("--revision", type=int, metavar="N", help=_("the revision your file began from; refused if it moved on"))
def draft(desk: Desk, file: Path, title: str, into: int | None, revision: int | None) -> None:
    from shuke.loyalty.actions import drafts as actions
    from shuke.loyalty.queries import charters

    text = group.text_of(file)
    if into is not None:
        known = charters.draft(desk.merchant, into)
        if known is None:
            raise Refused(_("There is no draft {draft}.").format(draft=into))
        saved = actions.save_draft(
            merchant=desk.merchant,
            draft_id=into,
            revision=known.revision if revision is None else revision,
            text=text,
            title=title,
            now=desk.now,
            actor=desk.actor,
        )
    else:
        saved = actions.begin_draft(
            merchant=desk.merchant, title=title or file.stem, text=text, based_on=None, now=desk.now, actor=desk.actor
        )
    if desk.as_json:
        desk.json({"draft": saved.pk, "revision": saved.revision})
    desk.say(_("Draft {draft} is saved as revision {revision}.").format(draft=saved.pk, revision=saved.revision))
