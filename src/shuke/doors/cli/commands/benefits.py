"""`shuke benefits …`: what a member may have, handing it out, taking it back, the log and what it costs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.shops.models import Store


@click.group("benefits", help=_("Benefits: what a member may have and is close to, the log of what was handed out."))
def command() -> None:
    """Benefits."""


def named(told: Any) -> str:
    """A name of the charter in the language of the terminal."""
    plain = told if isinstance(told, dict) else told.model_dump()
    return plain.get("zh" if language().startswith("zh") else "en", "")


def store_named(desk: Desk, code: str | None) -> Store | None:
    """The store with this code. Raises Refused."""
    if not code:
        return None
    from shuke.shops import queries

    found = [s for s in queries.stores(desk.merchant) if s.code == code]
    if not found:
        known = ", ".join(s.code for s in queries.stores(desk.merchant))
        raise Refused(_("There is no store {code}; known are {known}.").format(code=code, known=known))
    return found[0]


def fresh_key(desk: Desk, told: str | None) -> str:
    """The caller's key, else one that never was."""
    from shuke.kit import ids

    return told or f"cli:{ids.new()}"


def day_bound(desk: Desk, told: datetime | None, *, after: bool = False) -> datetime | None:
    """The beginning of a shop day, or with `after` of the next."""
    if told is None:
        return None
    from shuke.kit.clock import day_start

    return day_start(told.date() + timedelta(days=1 if after else 0), desk.merchant.tz)


@declared(
    "list",
    _("What a member may have now, how much of it is left, and why the rest cannot be had."),
    "shuke benefits list 100000000018\nshuke benefits list 100000000018 --store XH --json",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--store", metavar=_("CODE"), help=_("as seen in this store"))
def list_(desk: Desk, member: str, store: str | None) -> None:
    from shuke.loyalty.queries import benefits

    who = member_named(desk, member)
    place = store_named(desk, store)
    told = benefits.rights_of(desk.merchant, who.pk, desk.now, place.code if place else "")
    if desk.as_json:
        desk.json(
            [
                {"key": r.key, "name": r.name.model_dump(), "kind": r.kind, "code": r.code, "allowed": r.allowed,
                 "used": r.used, "left": r.left, "from": r.span.start, "until": r.span.end, "next_on": r.next_on}
                for r in told
            ]
        )  # fmt: skip
        return
    desk.table(
        [_("key"), _("benefit"), _("left"), _("of"), _("now")],
        [
            (r.key, named(r.name), "∞" if r.left is None else r.left, "∞" if r.allowed is None else r.allowed, why(r))
            for r in told
        ],
        title=str(who),
        right=(2, 3),
    )


def why(right: Any) -> str:
    """Why it cannot be had now, short."""
    return {
        "": _("yes"),
        "automatic": _("applies by itself"),
        "frozen": _("member frozen"),
        "not_this_tier": _("other tier"),
        "no_birthday": _("birthday unknown"),
        "no_special_day": _("no special day on file"),
        "not_here": _("other store"),
        "not_now": _("from {day}").format(day=right.next_on) if right.next_on else _("not now"),
        "over": _("over"),
        "used_up": _("used up"),
    }[right.code]


@declared(
    "progress",
    _("What a member is close to: steps of plans, honours, streaks, offers of the till."),
    "shuke benefits progress 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
def progress(desk: Desk, member: str) -> None:
    from shuke.loyalty.queries import benefits

    who = member_named(desk, member)
    told = benefits.close_to(desk.merchant, who.pk, desk.now)
    if desk.as_json:
        desk.json(
            [
                {"kind": c.kind, "key": c.key, "name": c.name.model_dump(), "unit": c.unit, "have": c.have, "need": c.need,
                 "missing": c.missing, "next": c.next_name.model_dump() if c.next_name else None,
                 "due": [{"key": f"{c.key}.{i}", "name": s.name.model_dump(), "count": n} for i, s, n in c.due],
                 "reached": [{"step": i, "name": s.name.model_dump(), "count": n} for i, s, n in c.reached]}
                for c in told
            ]
        )  # fmt: skip
        return
    desk.table(
        [_("key"), _("what"), _("so far"), _("missing"), _("to"), _("to be claimed")],
        [
            (
                c.key,
                named(c.name),
                figure(desk, c.have, c.unit),
                figure(desk, c.missing, c.unit),
                named(c.next_name) if c.next_name else "",
                ", ".join(f"{c.key}.{i} ×{n}" for i, _step, n in c.due),
            )
            for c in told
        ],
        title=str(who),
        right=(2, 3),
    )


def figure(desk: Desk, value: int, unit: str) -> str:
    if unit == "minor":
        return desk.money(value)
    return f"{value / 1000:g}" if unit == "pieces_milli" else f"{value:,}"


@declared(
    "use",
    _("Hand out a benefit, or claim a step of a plan (plan.step). The same key again gives the same answer."),
    "shuke benefits use 100000000018 gift_wrap\nshuke benefits use 100000000018 tea_card.0 --key till-7-0042",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("benefit", metavar=_("BENEFIT"))
@click.option("--key", metavar=_("KEY"), help=_("your own name for this request"))
@click.option("--store", metavar=_("CODE"), help=_("where"))
@click.option("--note", default="", metavar=_("TEXT"), help=_("a remark for the log"))
def use(desk: Desk, member: str, benefit: str, key: str | None, store: str | None, note: str) -> None:
    from shuke.loyalty.actions import benefits

    who = member_named(desk, member)
    told = benefits.hand_out(
        merchant=desk.merchant, member_id=who.pk, benefit=benefit, key=fresh_key(desk, key), now=desk.now,
        actor=desk.actor, store=store_named(desk, store), note_text=note,
    )  # fmt: skip
    _answer(desk, told)


@declared(
    "undo",
    _("Take back what was handed out; its quota is free again. The number is the one `log` shows."),
    "shuke benefits undo 250164790926770176 --because 'wrong member'",
    group=command,
)
@click.argument("number", type=int, metavar=_("NUMBER"))
@click.option("--because", default="", metavar=_("TEXT"), help=_("why"))
def undo(desk: Desk, number: int, because: str) -> None:
    from shuke.loyalty.actions import benefits

    told = benefits.take_back(
        merchant=desk.merchant, use_id=number, now=desk.now, actor=desk.actor, because=because, late=True
    )
    _answer(desk, told)


@declared(
    "handover",
    _("Say that the thing that goes with a step's points was handed over. Without a number: what waits."),
    "shuke benefits handover\nshuke benefits handover 250164790926770176 --store XH",
    group=command,
)
@click.argument("number", type=int, required=False, metavar=_("NUMBER"))
@click.option("--store", metavar=_("CODE"), help=_("where"))
def handover(desk: Desk, number: int | None, store: str | None) -> None:
    from shuke.loyalty.actions import benefits
    from shuke.loyalty.queries.benefits import things_waiting

    if number is not None:
        done = benefits.hand_over(
            merchant=desk.merchant, use_id=number, now=desk.now, actor=desk.actor, store=store_named(desk, store)
        )
        _answer(desk, done)
        return
    told = [
        {"number": str(u.pk), "member": u.member.card, "benefit": u.benefit, "name": u.label, "at": u.at.isoformat()}
        for u in things_waiting(desk.merchant)[:1000]
    ]
    if desk.as_json:
        desk.json(told)
    else:
        desk.table(
            [_("number"), _("member"), _("benefit"), _("since")],
            [(t["number"], t["member"], named(t["name"]), desk.minute(datetime.fromisoformat(t["at"]))) for t in told],
        )


def _answer(desk: Desk, told: Any) -> None:
    if not told.done:
        raise Refused(told.say(language()))
    if desk.as_json:
        desk.json({"done": True, "replayed": told.replayed, "number": told.use.pk, "left": told.figures.get("left")})
    else:
        desk.say(_("Done: {what} (number {number}).").format(what=named(told.use.label), number=told.use.pk))


@declared(
    "log",
    _(
        "Who handed out what to whom, when and where; refusals and takings back too. `--csv` writes all of it to a file."
    ),
    "shuke benefits log --from 2026-05-01 --benefit gift_wrap\nshuke benefits log --csv benefits.csv",
    group=command,
)
@click.option("--from", "since", type=DAY, help=_("first day"))
@click.option("--until", type=DAY, help=_("last day"))
@click.option("--benefit", default="", metavar=_("KEY"), help=_("only this benefit"))
@click.option("--state", default="", type=click.Choice(["", "done", "undone", "refused"]), help=_("only these"))
@click.option("--member", metavar=_("MEMBER"), help=_("only this member"))
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help=_("at most so many lines")
)
@click.option("--csv", "target", type=click.Path(dir_okay=False, writable=True), help=_("write to this file"))
def log(
    desk: Desk, since: datetime | None, until: datetime | None, benefit: str, state: str, member: str | None,
    limit: int, target: str | None,
) -> None:  # fmt: skip
    from shuke.loyalty.queries import benefits

    wanted = benefits.Filter(
        benefit=benefit, state=state, member_id=member_named(desk, member).pk if member else None,
        since=day_bound(desk, since), before=day_bound(desk, until, after=True),
    )  # fmt: skip
    rows = benefits.log(desk.merchant, wanted)
    if target:
        from pathlib import Path

        from shuke.flows.benefit_log import write_log

        count = write_log(desk.merchant, wanted, Path(target), language())
        desk.json({"lines": count, "file": target}) if desk.as_json else desk.say(
            _("{count} lines in {file}.").format(count=count, file=target)
        )
        return
    shown = list(rows[:limit])
    if desk.as_json:
        desk.json(
            [
                {"number": r.pk, "at": r.at, "member": r.member.card, "benefit": r.benefit, "name": r.label, "state": r.state,
                 "code": r.code, "tier": r.tier, "store": r.store.code if r.store else None, "by": r.actor, "note": r.note,
                 "cost_minor": r.cost_minor, "undone_by": r.undone_by or None}
                for r in shown
            ]
        )  # fmt: skip
        return
    desk.table(
        [_("number"), _("when"), _("member"), _("benefit"), _("state"), _("store"), _("by"), _("cost")],
        [
            (str(r.pk), desk.minute(r.at), r.member.card, named(r.label) or r.benefit, state_name(r), r.store.code if r.store else "",
             r.actor, desk.money(r.cost_minor))
            for r in shown
        ],
        right=(7,),
    )  # fmt: skip


def state_name(row: Any) -> str:
    told = {"done": _("handed out"), "undone": _("taken back"), "refused": _("refused")}[row.state]
    return f"{told} ({row.code})" if row.code else told


@declared(
    "report",
    _("How often each benefit was used by each tier, by how many members, and what it cost."),
    "shuke benefits report --from 2026-01-01 --until 2026-03-31",
    group=command,
)
@click.option("--from", "since", type=DAY, help=_("first day"))
@click.option("--until", type=DAY, help=_("last day"))
def report(desk: Desk, since: datetime | None, until: datetime | None) -> None:
    from shuke.kit.clock import day_start
    from shuke.loyalty.queries import benefits

    start = day_bound(desk, since) or day_start(date(2000, 1, 1), desk.merchant.tz)
    told = benefits.report(
        desk.merchant, start, day_bound(desk, until or desk.now.astimezone(desk.merchant.tz), after=True) or desk.now
    )
    if desk.as_json:
        desk.json(told)
        return
    desk.table(
        [_("benefit"), _("tier"), _("times"), _("members"), _("cost")],
        [(named(u.label) or u.benefit, u.tier, u.times, u.members, desk.money(u.cost_minor)) for u in told],
        right=(2, 3, 4),
    )
