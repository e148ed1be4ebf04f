"""`shuke points …`: what a member holds, and where every point came from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@click.group("points", help=_("A member's points and where they came from."))
def command() -> None:
    """Points."""


@declared(
    "balance",
    _("What a member can use now, what is pending, held or owed, and when points expire."),
    "shuke points balance 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
def balance(desk: Desk, member: str) -> None:
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    held = loyalty.balance(desk.merchant, who.pk, desk.now)
    if desk.as_json:
        desk.json({"member": who.card, **held._asdict()})
        return
    desk.facts(
        [
            (_("available"), f"{held.available:,}  ({desk.money(held.worth_minor)})"),
            (_("pending"), held.pending),
            (_("held"), held.held),
            (_("owed"), held.debt),
            (_("balance"), held.balance),
            *((_("expire on {day}").format(day=desk.day(at)), count) for at, count in held.next_expiry[:3]),
        ],
        title=str(who),
    )


@declared(
    "explain",
    _("Every change of a member's points, newest first, down to the order and the rule."),
    "shuke points explain 100000000018\nshuke points explain 100000000018 --limit 20 --json",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many lines"))
def explain(desk: Desk, member: str, limit: int) -> None:
    from shuke.flows.statement_words import Saying
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    saying = Saying(desk.merchant, language())
    lines = loyalty.explain(desk.merchant, who.pk, limit=limit)
    if desk.as_json:
        desk.json({"member": who.card, "lines": lines})
        return
    desk.table(
        [_("when"), _("what"), _("about"), _("points"), _("balance"), _("why")],
        [
            (
                desk.minute(line.at),
                saying.kind(line),
                saying.about(line),
                f"{line.amount:+,}",
                line.balance_after,
                saying.why(line),
            )
            for line in lines
        ],
        title=str(who),
        right=(3, 4),
    )


@declared(
    "statement",
    _("A member's points over a time: opening balance, every change, closing balance."),
    "shuke points statement 100000000018 --from 2026-01-01 --to 2026-03-31",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--from", "first", type=DAY, help=_("first day; default: a year ago"))
@click.option("--to", "last", type=DAY, help=_("last day; default: today"))
def statement(desk: Desk, member: str, first: datetime | None, last: datetime | None) -> None:
    from shuke.flows.statement_words import Saying
    from shuke.kit.clock import add_months, day_start
    from shuke.loyalty.queries.statements import member_statement

    who = member_named(desk, member)
    zone = desk.merchant.tz
    end = last.date() if last else desk.now.astimezone(zone).date()
    begin = first.date() if first else add_months(end, -12)
    if begin > end:
        raise click.UsageError(_("--from lies after --to."))
    told = member_statement(desk.merchant, who.pk, day_start(begin, zone), day_start(end + timedelta(days=1), zone))
    if desk.as_json:
        desk.json({"member": who.card, **told._asdict()})
        return
    saying = Saying(desk.merchant, language())
    rows: list[tuple[Any, ...]] = [(begin, _("opening balance"), "", "", told.opening, "")]
    rows += [
        (desk.minute(x.at), saying.kind(x), saying.about(x), f"{x.amount:+,}", x.balance, saying.why(x))
        for x in told.lines
    ]
    rows.append((end, _("closing balance"), "", "", told.closing, ""))
    desk.table(
        [_("when"), _("what"), _("about"), _("points"), _("balance"), _("why")], rows, title=str(who), right=(3, 4)
    )


@declared(
    "activity",
    _("Tell that a member did something the charter gives points or growth value for: a sign-in, a survey, a review."),
    "shuke points activity 100000000018 check_in --key app-2026-06-01-18",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("activity", metavar=_("ACTIVITY"))
@click.option("--key", required=True, help=_("your own key: the same call again does nothing twice"))
def activity(desk: Desk, member: str, activity: str, key: str) -> None:
    from shuke.loyalty.actions import Ask

    who = member_named(desk, member)
    given = ask_once(desk, Ask(key, "activity", who.asked_as, ref=activity))
    if desk.as_json:
        desk.json({"member": who.card, "points": given["amount"], "growth": given["growth"]})
    desk.say(
        _("{member}: {points} points, {growth} growth value.").format(
            member=who, points=given["amount"], growth=given["growth"]
        )
    )


@declared(
    "activities",
    _(
        "What a member did that the charter gives for, latest first: when, told by whom, what it gave, what was taken back."
    ),
    "shuke points activities 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help=_("at most so many lines"))
def doings(desk: Desk, member: str, limit: int) -> None:
    from shuke.loyalty.queries import activities

    who = member_named(desk, member)
    told = activities.of_member(desk.merchant, who.pk, limit=limit)
    if desk.as_json:
        desk.json({"member": who.card, "activities": told})
        return
    desk.table(
        [_("when"), _("key"), _("activity"), _("points"), _("growth value"), _("by"), _("taken back")],
        [
            (
                desk.minute(x.at), x.key, x.activity, x.points, x.growth, x.actor,
                desk.minute(x.undone_at) if x.undone_at else "",
            )
            for x in told
        ],
        title=str(who),
        right=(3, 4),
    )  # fmt: skip


@declared(
    "undo",
    _(
        "Take back an activity that was noted by mistake: it counts as if it had not been. OF is the key `activities` shows."
    ),
    "shuke points undo 100000000018 app-2026-06-01-18",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("of", metavar=_("OF"))
@click.option("--key", default="", help=_("your own key: the same call again does nothing twice"))
def undo(desk: Desk, member: str, of: str, key: str) -> None:
    from shuke.loyalty import actions

    who = member_named(desk, member)
    one = actions.Ask(key or f"cli-undo:{of}"[:200], "activity_undo", who.asked_as, ref=of)
    answer = actions.take_back_activity(
        merchant=desk.merchant,
        key=one.key,
        member_id=who.asked_as,
        activity=of,
        now=desk.now,
        actor=desk.actor,
        late=True,
    )
    if not answer.done:
        raise Refused(actions.why_refused(one, answer, "zh" if language() == "zh-hans" else "en"))
    figures = answer.figures
    if desk.as_json:
        desk.json({"member": who.card, "points": figures["amount"], "growth": figures["growth"]})
    desk.say(
        _("{member}: {points} points and {growth} growth value are taken back.").format(
            member=who, points=figures["amount"], growth=figures["growth"]
        )
    )


@declared(
    "budgets",
    _("What the budgets of the charter's rules have given and still have."),
    "shuke points budgets",
    group=command,
)
def budgets(desk: Desk) -> None:
    from shuke.loyalty import queries as loyalty

    told = loyalty.budgets(desk.merchant, desk.now)
    if desk.as_json:
        desk.json({"budgets": told})
        return
    desk.table(
        [_("rule"), _("points"), _("given"), _("left"), _("came too late")],
        [(b.rule, b.points, b.taken, b.left, b.short) for b in told],
        right=(1, 2, 3, 4),
    )


def ask_once(desk: Desk, one: Any) -> dict[str, int]:
    """One request to the books; a refusal is a sentence."""
    from shuke.loyalty import actions

    (answer,) = actions.ask(merchant=desk.merchant, asks=[one], now=desk.now, actor=desk.actor)
    if not answer.done:
        raise Refused(actions.why_refused(one, answer, "zh" if language() == "zh-hans" else "en"))
    return answer.figures


def kind(code: str) -> str:
    """What a posting did, in the language of the terminal."""
    return {
        "earn": _("earned"),
        "expire": _("expired"),
        "burn": _("spent"),
        "refund": _("refund"),
        "hold": _("held"),
        "capture": _("spent"),
        "release": _("released"),
        "timeout": _("released"),
        "adjust": _("adjusted"),
        "opening": _("brought along"),
        "pool_out": _("spent at a partner"),
        "pool_back": _("back from a partner"),
        "pool_spent": _("coalition points spent"),
        "pool_returned": _("coalition points given back"),
        "partner": _("partner card"),
        "partner_undo": _("partner card, taken back"),
        "correct": _("corrected"),
        "activity": _("activity"),
        "activity_undo": _("activity taken back"),
        "growth": _("by hand"),
        "growth_lapse": _("expired"),
        "growth_fade": _("yearly share taken off"),
        "reinstate": _("given back after expiry"),
        "membership": _("paid membership"),
        "handed": _("handed on"),
        "taken": _("received"),
        "membership_end": _("paid membership given back"),
        "cancelled": _("turned out never to have been"),
        "return": _("given back"),
    }.get(code, code)


def reasons(why: list[dict[str, Any]]) -> str:
    """The rules behind a posting, short: “base 128, welcome 100”."""
    said = []
    for part in why:
        rule = part.get("rule") or part.get("cause") or part.get("activity") or part.get("code") or ""
        points = part.get("points", part.get("growth"))
        said.append(f"{rule} {points}".strip() if points not in (None, "") else str(rule))
    return ", ".join(text for text in said if text)
