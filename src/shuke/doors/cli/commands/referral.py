"""`shuke referral …`: members who bring friends: codes, who brought whom, cases to look at, the tree and its worth."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@click.group("referral", help=_("Members who bring friends: codes, rewards, cases to look at, the tree and its worth."))
def command() -> None:
    """Referral."""


@declared(
    "code",
    _("A member's code and link; made on first need. --svg writes the QR code of the link."),
    "shuke referral code 660000000018 --base https://shop.example --svg code.svg",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--base", default="", help=_("address of this installation, for the link"))
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help=_("file for the QR code"))
@click.option("--renew", is_flag=True, help=_("another code; the old one binds nobody any more"))
def code(desk: Desk, member: str, base: str, svg: Path | None, renew: bool) -> None:
    from shuke.engine.referral import codes
    from shuke.kit import symbols
    from shuke.loyalty.actions import referral
    from shuke.loyalty.queries.referral import part_in_force

    who = member_named(desk, member)
    if part_in_force(desk.merchant, desk.now) is None:
        raise Refused(referral.ReferralRefused("off").say(language()))
    if renew:
        found = referral.renew_code(merchant=desk.merchant, member_id=who.pk, now=desk.now, actor=desk.actor)
    else:
        found = referral.code_for(merchant=desk.merchant, member_id=who.pk, now=desk.now)
    link = f"{base.rstrip('/')}/r/{desk.merchant.pk:x}/{found.code}"
    if svg is not None:
        if not base:
            raise Refused(_("A QR code needs the whole address: say --base https://…"))
        svg.write_text(symbols.qr_svg(link), encoding="utf-8")
    if desk.as_json:
        desk.json({"member": who.card, "code": found.code, "link": link, "visits": found.visits})
        return
    desk.facts(
        [(_("code"), codes.shown(found.code)), (_("link"), link), (_("opened"), found.visits)], title=str(who)
    )  # fmt: skip


@declared(
    "bind",
    _("Note who brought a newcomer, by code or card. It holds for ever."),
    "shuke referral bind 660000000026 K7QM2-XWD9P\nshuke referral bind 660000000026 660000000018",
    group=command,
)
@click.argument("newcomer", metavar=_("NEWCOMER"))
@click.argument("by", metavar=_("CODE-OR-CARD"))
def bind(desk: Desk, newcomer: str, by: str) -> None:
    from shuke.flows import referral as flow

    who = member_named(desk, newcomer)
    row = _refusing(
        flow.bind_by_code, merchant=desk.merchant, newcomer_id=who.pk, told=by, how="staff", callers=[desk.actor],
        now=desk.now, actor=desk.actor,
    )  # fmt: skip
    if desk.as_json:
        desk.json(_plain(row))
    else:
        desk.say(_("{friend} was brought by {by}.").format(friend=row.newcomer, by=row.referrer))


@declared(
    "list",
    _("Who was brought by whom, and what became of it; --review shows what a person should look at."),
    "shuke referral list --review\nshuke referral list --state rewarded --limit 20 --json",
    group=command,
)
@click.option("--review", is_flag=True, help=_("held for a person to look at"))
@click.option(
    "--state",
    type=click.Choice(["waiting", "pending", "held", "rewarded", "returned", "missed"]),
    default=None,
    help=_("only these"),
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many"))
def list_(desk: Desk, review: bool, state: str | None, limit: int) -> None:
    from shuke.loyalty.queries import referral_worth as worth

    rows = (
        worth.to_review(desk.merchant, limit) if review else worth.listed(desk.merchant, state=state or "", limit=limit)
    )
    rewards = worth.rewards_of(desk.merchant, [row.pk for row in rows])
    if desk.as_json:
        desk.json([_plain(row) | {"rewards": [_reward(r) for r in rewards.get(row.pk, [])]} for row in rows])
        return
    desk.table(
        [_("number"), _("brought by"), _("friend"), _("since"), _("state"), _("why"), _("signals"), _("net")],
        [
            (
                str(row.pk), str(row.referrer), str(row.newcomer), desk.day(row.bound_at), row.state, row.reason,
                ", ".join(s["kind"] for s in row.signals), desk.money(row.net_minor),
            )
            for row in rows
        ],
        right=(7,),
    )  # fmt: skip


@declared(
    "decide",
    _("Approve or decline a referral that was held; declined after it was paid, the reward is taken back."),
    "shuke referral decide 250172942887944192 --approve --reason “sisters”",
    group=command,
)
@click.argument("number", type=int, metavar=_("NUMBER"))
@click.option("--approve/--decline", "approve", default=None, help=_("which of the two"))
@click.option("--reason", required=True, help=_("why; it is kept"))
def decide(desk: Desk, number: int, approve: bool | None, reason: str) -> None:
    from shuke.loyalty.actions import referral

    if approve is None:
        raise click.UsageError(_("Say --approve or --decline."))

    row = _refusing(
        referral.decide, merchant=desk.merchant, referral_id=number, approve=approve, reason=reason, now=desk.now,
        actor=desk.actor,
    )  # fmt: skip
    if desk.as_json:
        desk.json(_plain(row))
    else:
        desk.say(_("Decided: {state}.").format(state=row.state))


@declared(
    "gifts",
    _("Gifts for bringing friends that a member can have; with --hand one of them is in the member's hands."),
    "shuke referral gifts 660000000018\nshuke referral gifts 660000000018 --hand 250172942887944192",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--hand", type=int, metavar=_("NUMBER"), help=_("this one was handed over"))
def gifts(desk: Desk, member: str, hand: int | None) -> None:
    from shuke.doors.cli.commands.benefits import named
    from shuke.loyalty.actions import referral
    from shuke.loyalty.queries import referral_worth as worth

    who = member_named(desk, member)
    if hand is not None:
        if hand not in {one.pk for one in worth.gifts_waiting(desk.merchant, who.pk)}:
            raise Refused(referral.ReferralRefused("no_such_gift").say(language()))
        _refusing(referral.hand_gift, merchant=desk.merchant, reward_id=hand, now=desk.now, actor=desk.actor)
    found = worth.gifts_waiting(desk.merchant, who.pk)
    if desk.as_json:
        desk.json([{"number": str(one.pk), "name": one.name, "count": one.amount} for one in found])
        return
    desk.table(
        [_("number"), _("gift"), _("pieces")],
        [(str(one.pk), named(one.name), one.amount) for one in found],
        title=str(who),
        right=(2,),
    )


@declared(
    "settle",
    _("Judge what is due and pay or take back; the worker does this every few minutes."),
    "shuke referral settle",
    group=command,
)
def settle(desk: Desk) -> None:
    from shuke.flows import referral as flow

    done = flow.settle_due(merchant=desk.merchant, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json(done._asdict())
    else:
        desk.say(
            _("{judged} judged, {given} rewards given, {taken} taken back.").format(
                judged=done.judged, given=done.given, taken=done.taken
            )
        )


@declared(
    "tree",
    _("Whom a member brought, and whom those brought, with what each bought; without a member: who brought most."),
    "shuke referral tree\nshuke referral tree 660000000018 --depth 3",
    group=command,
)
@click.argument("member", required=False, metavar=_("MEMBER"))
@click.option("--depth", default=3, show_default=True, type=click.IntRange(1, 12), help=_("steps shown"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many"))
def tree(desk: Desk, member: str | None, depth: int, limit: int) -> None:
    from shuke.loyalty.queries import referral_worth as worth
    from shuke.members.models import Member

    if member is None:
        found = worth.branches(desk.merchant, desk.now, limit)
        if desk.as_json:
            desk.json([{"member": b.member.card, "direct": b.direct, "whole": b.whole} for b in found])
            return
        desk.table(
            [_("member"), _("friends"), _("whole branch"), _("buyers"), _("orders"), _("net"), _("rewards cost")],
            [
                (
                    str(b.member), b.direct.friends, b.whole.friends, b.whole.buyers, b.whole.orders,
                    desk.money(b.whole.net), desk.money(b.whole.rewards),
                )
                for b in found
            ],
            right=(1, 2, 3, 4, 5, 6),
        )  # fmt: skip
        return
    who = member_named(desk, member)
    root = worth.tree_of(desk.merchant, who.pk, desk.now, depth)
    if desk.as_json:
        desk.json(_node(root))
        return
    lines = list(_lines(root))
    people = Member.objects.filter(merchant=desk.merchant).in_bulk([n.member for n in lines])
    marks = {True: " ↺", False: ""}
    desk.table(
        [_("member"), _("orders"), _("net"), _("friends below"), _("net below")],
        [
            (
                "  " * node.depth + str(people.get(node.member, node.member)) + marks[node.ring], node.own.orders,
                desk.money(node.own.net), node.branch.friends, desk.money(node.branch.net),
            )
            for node in lines
        ],
        title=str(who),
        right=(1, 2, 3, 4),
    )  # fmt: skip


@declared(
    "worth",
    _("Newcomers month by month: those who were brought beside the others, and what they bought since."),
    "shuke referral worth --months 24",
    group=command,
)
@click.option("--months", default=12, show_default=True, type=click.IntRange(1, 120), help=_("so many months back"))
def worth_(desk: Desk, months: int) -> None:
    from shuke.loyalty.queries import referral_worth as worth

    rows = worth.months(desk.merchant, desk.now - timedelta(days=31 * months), desk.now + timedelta(seconds=1))
    if desk.as_json:
        desk.json([row._asdict() for row in rows])
        return
    desk.table(
        [_("joined"), _("brought"), _("of them bought"), _("net per head"), _("others"), _("of them bought"), _("net per head")],
        [
            (r.month, r.brought, r.brought_buyers, desk.money(r.brought_each), r.others, r.others_buyers, desk.money(r.others_each))
            for r in rows
        ],
        right=(1, 2, 3, 4, 5, 6),
    )  # fmt: skip


def _refusing(do: Any, **told: Any) -> Any:
    from shuke.loyalty.actions.referral import ReferralRefused

    try:
        return do(**told)
    except ReferralRefused as refused:
        raise Refused(refused.say(language())) from refused


def _plain(row: Any) -> dict[str, Any]:
    return {
        "number": str(row.pk), "referrer": row.referrer.card, "newcomer": row.newcomer.card, "how": row.how,
        "bound_at": row.bound_at, "state": row.state, "reason": row.reason, "rank": row.rank, "order": row.order,
        "due_at": row.due_at, "net_minor": row.net_minor, "signals": row.signals, "decision": row.decision,
    }  # fmt: skip


def _reward(one: Any) -> dict[str, Any]:
    return {
        "side": one.side,
        "kind": one.kind,
        "amount": one.amount,
        "what": one.what,
        "owed": one.owed,
        "short": one.short,
    }


def _node(node: Any) -> dict[str, Any]:
    told = {"member": str(node.member), "own": node.own, "branch": node.branch, "ring": node.ring}
    return told | {"friends": [_node(child) for child in node.children]}


def _lines(node: Any) -> Any:
    for child in node.children:
        yield child
        yield from _lines(child)
