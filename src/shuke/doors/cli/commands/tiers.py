"""`shuke tiers why|history|growth|give|membership`: why a member has this tier, and what is missing to the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.refusals import in_chinese
from shuke.doors.cli.words import _, language


@click.group("tiers", help=_("Why a member has this tier, and what is missing to the next."))
def command() -> None:
    """Tiers."""


@declared(
    "why",
    _("Explain a member's tier: what decided it, what is missing to the next one, and what keeps it until when."),
    "shuke tiers why 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
def why(desk: Desk, member: str) -> None:
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    told = loyalty.why_tier(desk.merchant, who.pk, desk.now)
    if desk.as_json:
        desk.json({**told._asdict(), "member": who.card, "history": changes(told.history)})
        return
    name, called = "zh" if language() == "zh-hans" else "en", tier_names(desk)
    desk.facts(
        [
            (_("tier"), told.name.get(name) or told.tier),
            (_("since"), f"{desk.day(told.since)}, {cause(told.cause, told.decided_by)}"),
            (_("decided by"), "; ".join(_decided(desk, told.decided_by))),
            (_("next tier"), told.next_name.get(name) or told.next_tier),
            (_("missing to it"), "; ".join(conditions(desk, told.missing, only_missing=True))),
            (_("needed to keep it"), "; ".join(conditions(desk, told.keep))),
            (_("still missing to keep it"), "; ".join(conditions(desk, told.keep, only_missing=True))),
            (_("next review"), desk.day(told.review_at)),
            (_("in grace"), told.in_grace or None),
            (_("growth value"), told.growth),
            (_("paid membership"), ", ".join(f"{m['key']} ≤ {desk.day(m['end'])}" for m in told.memberships)),
            (_("given by hand until"), desk.day(told.floor_until)),
            (_("charter version"), told.charter_version),
        ],
        title=str(who),
    )
    if told.history:
        desk.table(
            [_("when"), _("from"), _("to"), _("cause")],
            [(desk.day(c.at), called[c.before], called[c.after], cause(c.cause, c.why)) for c in told.history],
        )


@declared(
    "history",
    _("Every change of a member's tier with its cause and the figures that decided, newest first."),
    "shuke tiers history 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
def history(desk: Desk, member: str) -> None:
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    told = loyalty.why_tier(desk.merchant, who.pk, desk.now).history
    if desk.as_json:
        desk.json({"member": who.card, "history": changes(told)})
        return
    names = tier_names(desk)
    desk.table(
        [_("when"), _("from"), _("to"), _("cause"), _("decided by"), _("charter")],
        [
            (
                desk.minute(c.at), names[c.before], names[c.after], cause(c.cause, c.why),
                "; ".join(_decided(desk, c.why)),
                c.charter_version,
            )
            for c in told
        ],
        title=str(who),
    )  # fmt: skip


@declared(
    "growth",
    _("The ledger of a member's growth value: every entry with its cause, newest first."),
    "shuke tiers growth 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many lines"))
def growth(desk: Desk, member: str, limit: int) -> None:
    from shuke.doors.cli.commands.points import kind, reasons
    from shuke.flows.statement_words import Saying
    from shuke.loyalty import queries as loyalty

    who = member_named(desk, member)
    saying = Saying(desk.merchant, language())
    lines = loyalty.growth_lines(desk.merchant, who.pk, limit=limit)
    if desk.as_json:
        desk.json({"member": who.card, "lines": lines})
        return
    desk.table(
        [_("when"), _("what"), _("about"), _("growth value"), _("balance"), _("until"), _("why")],
        [
            (
                desk.minute(line.at), kind(line.kind), saying.about(line), f"{line.amount:+,}", line.balance_after,
                desk.day(line.expires_at), reasons([row for row in line.why if "growth" in row]),
            )
            for line in lines
        ],
        title=str(who),
        right=(3, 4),
    )  # fmt: skip


@declared(
    "give",
    _("Give a member a tier by hand, as a floor until a day; with --invite as an invitation the charter knows."),
    "shuke tiers give 100000000018 gold --until 2026-12-31 --reason 'moved here from our partner'",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("tier", metavar=_("TIER"))
@click.option("--until", type=DAY, help=_("last day; default: for ever"))
@click.option("--reason", required=True, help=_("why; kept with the history"))
@click.option("--invite", is_flag=True, help=_("as an invitation: it stays subject to reviews"))
@click.option("--key", default="", help=_("your own key: the same call again does nothing twice"))
def give(desk: Desk, member: str, tier: str, until: datetime | None, reason: str, invite: bool, key: str) -> None:
    from shuke.kit.clock import day_start
    from shuke.loyalty import actions, queries

    who = member_named(desk, member)
    end = None if until is None else day_start(until.date() + timedelta(days=1), desk.merchant.tz)
    try:
        actions.give_tier(
            merchant=desk.merchant, member_id=who.asked_as, tier=tier, until=end, reason=reason, now=desk.now, actor=desk.actor,
            invited=invite, key=key,
        )  # fmt: skip
    except ValueError as error:
        raise Refused(in_chinese(str(error)) if language() == "zh-hans" else str(error)) from error
    now = queries.why_tier(desk.merchant, who.pk, desk.now).tier
    if desk.as_json:
        desk.json({"member": who.card, "tier": now})
    desk.say(_("{member} is {tier} now.").format(member=who, tier=now))


@declared(
    "membership",
    _("Begin a paid membership of the charter, or end the one that a request began (its key)."),
    "shuke tiers membership 100000000018 --buy plus --key till-7-4711\n"
    "shuke tiers membership 100000000018 --end till-7-4711 --key till-7-4712",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--buy", metavar=_("NAME"), help=_("key of the membership in the charter"))
@click.option("--end", metavar=_("KEY"), help=_("key of the request, or event of the order, that began it"))
@click.option("--key", required=True, help=_("your own key: the same call again does nothing twice"))
def membership(desk: Desk, member: str, buy: str | None, end: str | None, key: str) -> None:
    from shuke.doors.cli.commands.points import ask_once
    from shuke.loyalty import queries
    from shuke.loyalty.actions import Ask

    if (buy is None) == (end is None):
        raise click.UsageError(_("Say either --buy or --end."))
    who = member_named(desk, member)
    ask_once(desk, Ask(key, "membership" if buy else "membership_end", who.asked_as, ref=buy or end or ""))
    running = queries.why_tier(desk.merchant, who.pk, desk.now).memberships
    if desk.as_json:
        desk.json({"member": who.card, "memberships": running})
        return
    desk.table(
        [_("membership"), _("tier"), _("from"), _("until")],
        [(m["key"], m["tier"], desk.day(m["start"]), desk.day(m["end"])) for m in running],
        title=str(who),
    )


def changes(told: list[Any]) -> list[dict[str, Any]]:
    return [
        {"at": c.at, "before": c.before, "after": c.after, "cause": c.cause, "why": c.why, "charter": c.charter_version}
        for c in told
    ]


def cause(code: str, why: dict[str, Any]) -> str:
    """Why a tier changed, in the language of the terminal."""
    if code == "charter" and "reach" not in why:
        return {
            "renamed": _("renamed by the charter"),
            "merged": _("joined with another tier by the charter"),
            "removed": _("former tier done away with by the charter"),
        }.get(str(why.get("charter")), _("new charter"))
    return {
        "joined": _("joined"),
        "reached": _("reached the condition"),
        "review": _("review"),
        "manual": _("given by hand"),
        "invited": _("invited"),
        "charter": _("reached by the conditions of a new charter"),
        "refund": _("return of goods"),
        "floor_end": _("end of the tier given by hand"),
        "bought": _("paid membership"),
        "membership_end": _("end of the paid membership"),
        "membership_back": _("paid membership given back"),
    }.get(code, code)


def _decided(desk: Desk, why: dict[str, Any]) -> Iterator[str]:
    for tree in ("reach", "keep"):
        yield from conditions(desk, why.get(tree, {}))


def conditions(desk: Desk, tree: dict[str, Any], *, only_missing: bool = False) -> Iterator[str]:
    """A condition tree (engine.charter.grade.explain) as a short sentence; a group within another in brackets."""
    if only_missing and tree.get("met"):
        return
    for branch in ("all", "any"):
        if branch in tree:
            parts = []
            for inner in tree[branch]:
                for part in conditions(desk, inner, only_missing=only_missing):
                    parts.append(f"({part})" if "measure" not in inner else part)
            if parts:
                yield (_(" or ") if branch == "any" else _(" and ")).join(parts)
            return
    if "measure" not in tree:
        return
    money = tree["measure"] in ("amount", "single_order")
    names = {
        "amount": _("spent"),
        "orders": _("orders"),
        "single_order": _("largest order"),
        "growth": _("growth value"),
        "points": _("points"),
        "invited": _("invited"),
    }

    def show(figure: int) -> str:
        return desk.money(figure) if money else f"{figure:,}"

    said = f"{names.get(tree['measure'], tree['measure'])} {show(tree['figure'])} / {show(tree['at_least'])}"
    if tree.get("from"):
        said += f" ({tree['from']} – {tree.get('until') or tree['to']})"
    if tree.get("missing"):
        said += _(", missing {amount}").format(amount=show(tree["missing"]))
    yield said


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def tier_names(desk: Desk) -> dict[str, str]:
    """Tiers of all versions by their keys, in the language of the terminal; the newest name of a key. Others by their key."""
    from shuke.loyalty import queries as loyalty

    code = "zh" if language() == "zh-hans" else "en"
    rows = sorted(loyalty.history(desk.merchant), key=lambda row: row.version)
    return _Names({tier["key"]: tier["name"][code] for row in rows for tier in row.document["tiers"]})
