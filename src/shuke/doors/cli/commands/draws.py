"""`shuke draws …`: lucky draws from the promise to the seed, and checking any published draw without a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands.benefits import fresh_key, named, store_named
from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@click.group("draws", help=_("Lucky draws: promise, tickets, seed; and checking a published draw."))
def command() -> None:
    """Draws."""


@declared("list", _("All draws with their state, commitment and tickets."), "shuke draws list", group=command)
def list_(desk: Desk) -> None:
    from shuke.loyalty.queries import draws

    told = draws.draws(desk.merchant)
    if desk.as_json:
        desk.json([_plain(d) for d in told])
        return
    desk.table(
        [_("code"), _("draw"), _("state"), _("opens"), _("closes"), _("tickets"), _("commitment")],
        [
            (d.code, named(d.terms["name"]), state(d.state), desk.minute(d.opens_at), desk.minute(d.closes_at), d.issued, d.commitment[:16])
            for d in told
        ],
        right=(5,),
    )  # fmt: skip


def _plain(draw: Any) -> dict[str, Any]:
    from shuke.loyalty.queries.draws import public_name

    return {"code": draw.code, "state": draw.state, "opens_at": draw.opens_at, "closes_at": draw.closes_at, "tickets": draw.issued,
            "commitment": draw.commitment, "given": draw.given, "page": f"/draws/{public_name(draw)}"}  # fmt: skip


def state(code: str) -> str:
    return {"draft": _("draft"), "committed": _("promised"), "stopped": _("stopped"), "revealed": _("revealed")}[code]


@declared(
    "save",
    _(
        "Make a draw from a file of terms (JSON or YAML), or change one that was not promised yet. docs/algorithms/draws.md."
    ),
    "shuke draws save summer terms.yaml",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def save(desk: Desk, code: str, file: Path) -> None:
    import yaml

    from shuke.engine.draws import DrawInvalid
    from shuke.loyalty.actions import draws

    try:
        terms = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
        if not isinstance(terms, dict):
            raise DrawInvalid("no_prizes")
        terms |= {k: v.isoformat() for k, v in terms.items() if hasattr(v, "isoformat")}
        row = draws.save_draw(merchant=desk.merchant, code=code, terms=terms, now=desk.now, actor=desk.actor)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(_("{file} cannot be read as JSON or YAML.").format(file=file)) from error
    except (DrawInvalid, draws.DrawRefused) as error:
        raise Refused(error.say(language())) from error
    _told(desk, row, _("Saved. Nobody sees it before `shuke draws promise {code}`.").format(code=code))


def _step(desk: Desk, code: str, step: str, said: str) -> None:
    from shuke.engine.draws import DrawInvalid
    from shuke.loyalty.actions import draws

    try:
        row = getattr(draws, step)(merchant=desk.merchant, code=code, now=desk.now, actor=desk.actor)
    except (DrawInvalid, draws.DrawRefused) as error:
        raise Refused(error.say(language())) from error
    _told(desk, row, said)


def _told(desk: Desk, row: Any, said: str) -> None:
    if desk.as_json:
        desk.json(_plain(row))
        return
    desk.say(said)
    if row.commitment:
        desk.say(_("Commitment: {text}").format(text=row.commitment))
        desk.say(_("Public page: {path}").format(path=_plain(row)["page"]))
    if row.seed:
        desk.say(_("Seed: {text}").format(text=row.seed))


@declared(
    "promise", _("Publish terms and commitment; from here on both stand."), "shuke draws promise summer", group=command
)
@click.argument("code", metavar=_("CODE"))
def promise(desk: Desk, code: str) -> None:
    _step(desk, code, "commit_draw", _("Published."))


@declared(
    "stop",
    _("Give no more tickets. The seed still waits for the closing time."),
    "shuke draws stop summer",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
def stop(desk: Desk, code: str) -> None:
    _step(desk, code, "stop_draw", _("Stopped."))


@declared("reveal", _("Publish the seed, after the draw has closed."), "shuke draws reveal summer", group=command)
@click.argument("code", metavar=_("CODE"))
def reveal(desk: Desk, code: str) -> None:
    _step(desk, code, "reveal_draw", _("Revealed: everybody can check it now."))


@declared(
    "ticket",
    _(
        "Draw one ticket for a member: for points, for an order or an activity, or given by hand. The same key draws once."
    ),
    "shuke draws ticket summer 100000000018\nshuke draws ticket summer 100000000018 --way order --word 福 --key till-7-43",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
@click.argument("member", metavar=_("MEMBER"))
@click.option(
    "--way",
    default="points",
    show_default=True,
    type=click.Choice(["points", "order", "activity", "given"]),
    help=_("what for"),
)
@click.option("--word", default="", metavar=_("WORD"), help=_("the member's own word; it is published"))
@click.option("--key", metavar=_("KEY"), help=_("your own name for this request"))
def ticket(desk: Desk, code: str, member: str, way: str, word: str, key: str | None) -> None:
    from shuke.loyalty.actions import draws
    from shuke.loyalty.queries.draws import prize

    told = draws.draw_ticket(
        merchant=desk.merchant, draw=code, member_id=member_named(desk, member).pk, key=fresh_key(desk, key), way=way, word=word,
        now=desk.now, actor=desk.actor,
    )  # fmt: skip
    if not told.done:
        raise Refused(told.say(language()))
    row = told.ticket
    assert row is not None
    if desk.as_json:
        desk.json({"number": row.number, "who": row.who, "drew": row.drew, "won": row.won, "link": row.link, "replayed": told.replayed,
                   "ticket": str(row.pk)})  # fmt: skip
        return
    won = named(prize(row.draw, row.won).get("name", {})) if row.won else _("nothing this time")
    desk.say(_("Ticket {n}: {won}. Receipt: {n}:{link}").format(n=row.number, won=won, link=row.link[:16]))


@declared(
    "handover",
    _("Say that a prize was handed over. Without a number: the prizes that wait."),
    "shuke draws handover\nshuke draws handover 250164790926770176 --store XH",
    group=command,
)
@click.argument("number", type=int, required=False, metavar=_("NUMBER"))
@click.option("--store", metavar=_("CODE"), help=_("where"))
def handover(desk: Desk, number: int | None, store: str | None) -> None:
    from shuke.loyalty.actions import draws
    from shuke.loyalty.queries.draws import prize, prizes_waiting

    if number is None:
        rows = list(prizes_waiting(desk.merchant)[:1000])
        told = [
            {
                "number": str(t.pk),
                "draw": t.draw.code,
                "ticket": t.number,
                "member": t.member.card,
                "prize": prize(t.draw, t.won)["name"],
            }
            for t in rows
        ]
        if desk.as_json:
            desk.json(told)
        else:
            desk.table(
                [_("number"), _("draw"), _("ticket"), _("member"), _("prize")],
                [(t["number"], t["draw"], t["ticket"], t["member"], named(t["prize"])) for t in told],
            )
        return
    done = draws.hand_over_prize(
        merchant=desk.merchant, ticket_id=number, now=desk.now, actor=desk.actor, store=store_named(desk, store)
    )
    if not done.done:
        raise Refused(done.say(language()))
    desk.json({"done": True, "number": str(number)}) if desk.as_json else desk.say(_("Handed over."))


@declared(
    "export",
    _("Write the published file of a draw, with all tickets under pseudonyms: what `verify` reads."),
    "shuke draws export summer summer.json",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(desk: Desk, code: str, file: Path) -> None:
    from shuke.loyalty.queries import draws

    row = draws.draw(desk.merchant, code)
    if row is None or not row.commitment:
        raise Refused(_("There is no published draw {code}.").format(code=code))
    file.write_text(json.dumps(draws.file(row), ensure_ascii=False, indent=1), encoding="utf-8")
    desk.json({"file": str(file), "tickets": row.issued}) if desk.as_json else desk.say(
        _("{count} tickets in {file}.").format(count=row.issued, file=file)
    )


@declared(
    "verify",
    _(
        "Check a published draw from its file alone: seed, every outcome, stock, limits, the chain. Reads no database. Exit code 1 if anything is wrong."
    ),
    "shuke draws verify summer.json\nshuke draws verify summer.json --receipt 57:9b2c4e",
    group=command,
    database=False,
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    metavar=_("NUMBER:LINK"),
    help=_("a member's receipt that must be in the list"),
)
def verify(desk: Desk, file: Path, receipts: tuple[str, ...]) -> int:
    from shuke.engine import draws as engine

    try:
        plain = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refused(_("{file} cannot be read as JSON.").format(file=file)) from error
    held = {}
    for told in receipts:
        number, sign, link = told.partition(":")
        if not (number.isdecimal() and sign and link):
            raise click.UsageError(_("A receipt is written NUMBER:LINK, like 57:9b2c4e."))
        held[int(number)] = link
    verdict = engine.verify(plain, held)
    if desk.as_json:
        desk.json(
            {"draw": verdict.draw, "holds": verdict.holds, "revealed": verdict.revealed, "tickets": verdict.tickets, "won": verdict.won,
             "p": verdict.fit.p if verdict.fit else None, "head": verdict.head,
             "findings": [{"code": f.code, "ticket": f.ticket, "say": f.say(language())} for f in verdict.findings]}
        )  # fmt: skip
        return 0 if verdict.holds else 1
    desk.say(_("{draw}: {count} tickets.").format(draw=verdict.draw or file.name, count=verdict.tickets))
    for key, count in verdict.won.items():
        desk.say(f"  {key}: {count}")
    if verdict.fit:
        desk.say(
            _("Fit to the odds: chi-square {stat:.1f}, p = {p:.3f}.").format(
                stat=verdict.fit.statistic, p=verdict.fit.p
            )
        )
    for finding in verdict.findings[:100]:
        click.echo(
            ("· " if verdict.holds else "✕ ") + finding.say(language()),
            err=not verdict.holds,
            file=None if verdict.holds else sys.stderr,
        )
    desk.say(_("Everything holds.") if verdict.holds else _("This draw does not hold."))
    return 0 if verdict.holds else 1
