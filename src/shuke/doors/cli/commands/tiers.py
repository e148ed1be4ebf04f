"""`shuke tiers why`: why a member has this tier, and what is missing to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.desk import Desk, declared
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
        history = [
            {
                "at": c.at,
                "before": c.before,
                "after": c.after,
                "cause": c.cause,
                "why": c.why,
                "charter": c.charter_version,
            }
            for c in told.history
        ]
        desk.json({**told._asdict(), "member": who.card, "history": history})
        return
    name = "zh" if language() == "zh-hans" else "en"
    desk.facts(
        [
            (_("tier"), told.name.get(name) or told.tier),
            (_("since"), f"{desk.day(told.since)}, {cause(told.cause)}"),
            (_("decided by"), "; ".join(conditions(desk, told.decided_by))),
            (_("next tier"), told.next_name.get(name) or told.next_tier),
            (_("missing to it"), "; ".join(conditions(desk, told.missing, only_missing=True))),
            (_("needed to keep it"), "; ".join(conditions(desk, told.keep))),
            (_("next review"), desk.day(told.review_at)),
            (_("in grace"), told.in_grace or None),
            (_("given by hand until"), desk.day(told.floor_until)),
            (_("charter version"), told.charter_version),
        ],
        title=str(who),
    )
    if told.history:
        desk.table(
            [_("when"), _("from"), _("to"), _("cause")],
            [(desk.day(c.at), c.before, c.after, cause(c.cause)) for c in told.history],
        )


def cause(code: str) -> str:
    """Why a tier changed, in the language of the terminal."""
    return {
        "joined": _("joined"),
        "reached": _("reached the condition"),
        "review": _("review"),
        "manual": _("given by hand"),
        "invited": _("invited"),
        "charter": _("new charter"),
    }.get(code, code)


def conditions(desk: Desk, tree: dict[str, Any], *, only_missing: bool = False) -> Iterator[str]:
    """A condition tree (engine.charter.grade.explain) as short sentences, one per leaf."""
    for branch in ("all", "any"):
        if branch in tree:
            parts = [part for inner in tree[branch] for part in conditions(desk, inner, only_missing=only_missing)]
            if parts:
                yield (_(" or ") if branch == "any" else _(" and ")).join(parts)
            return
    if "measure" not in tree or (only_missing and tree["met"]):
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
        said += f" ({tree['from']} – {tree['to']})"
    if tree.get("missing"):
        said += _(", missing {amount}").format(amount=show(tree["missing"]))
    yield said
