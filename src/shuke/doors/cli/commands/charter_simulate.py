"""`shuke charter simulate`: what a changed charter would have done, before anybody publishes it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands import charter_files as group
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "simulate",
    _(
        "Replay the whole history under a changed charter, beside today's: tiers, points, liability, who moves. Writes nothing."
    ),
    "shuke charter simulate charter.yaml\nshuke charter simulate charter.yaml --from 2026-12-01\n"
    "shuke charter simulate charter.yaml --member 100000001",
    group=group.command,
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "since",
    type=DAY,
    help=_("the changed charter counts from this day on; default: for all of history"),
)
@click.option("--member", "card", metavar=_("CARD"), help=_("one member under both charters, every point explained"))
@click.option("--movers", type=int, default=20, metavar="N", help=_("how many of those who move are listed"))
def simulate(desk: Desk, file: Path, since: datetime | None, card: str | None, movers: int) -> None:
    from shuke.doors.cli.bars import Bars
    from shuke.flows import simulate_charter
    from shuke.members import queries as members

    charter = group.checked(file)
    day = since.date() if since else None
    if card:
        who = members.member_of(desk.merchant.pk, card)
        told = simulate_charter.explain(
            merchant=desk.merchant, charter=charter, member_id=who.pk, since=day, now=desk.now
        )
        if told is None:
            raise Refused(_("{card} has no history to simulate.").format(card=card))
        _one(desk, who.card, told)
        return
    with Bars(quiet=desk.as_json) as progress:
        seen = simulate_charter.simulate(
            merchant=desk.merchant, charter=charter, since=day, now=desk.now, progress=progress
        )
    if desk.as_json:
        plain = seen.plain()
        desk.json(plain | {"movers": plain["movers"][:movers]})
        return
    _report(desk, seen, movers)


def _report(desk: Desk, seen: Any, movers: int) -> None:
    before = seen.before or {}
    if seen.repeated:
        desk.say(
            _("Nobody knows what comes; until {day} the trade of a year before is repeated, on both sides.").format(
                day=desk.day(seen.until)
            )
        )

    def row(title: str, name: str, show: Any = lambda n: n) -> tuple[str, Any, Any, Any]:
        was, will = before.get(name), seen.after[name]
        change = "" if was is None or will is None else f"{will - was:+,}" if isinstance(will, int) else ""
        return title, "" if was is None else show(was), show(will), change

    money = [
        row(_("owed in points"), "liability_minor", desk.money),
        row(_("cost of points granted"), "granted_minor", desk.money),
        row(_("of these spent"), "spent_minor", desk.money),
        row(_("of these lapsed"), "expired_minor", desk.money),
    ]
    if seen.assumed:
        money += [
            row(_("off by tier prices"), "tier_price_minor", desk.money),
            row(_("off by offers"), "offers_minor", desk.money),
            row(_("off by coupons of its rules"), "coupons_minor", desk.money),
            row(_("all discounts"), "discounts_minor", desk.money),
        ]
    points = [
        row(_("points issued"), "issued"),
        row(_("spent"), "spent"),
        row(_("expired"), "expired"),
        row(_("left with members"), "outstanding"),
        row(_("owed by members"), "debt"),
    ]
    desk.table(
        ["", _("today's charter"), _("changed charter"), _("difference")],
        [*points, *((*m[:3], "") for m in money)],
        title=_("{members} members, {purchases} purchases").format(
            members=f"{seen.members:,}", purchases=f"{seen.purchases:,}"
        ),
        right=(1, 2, 3),
    )
    tongue = "zh" if language() == "zh-hans" else "en"
    names = {t["key"]: t["name"][tongue] for t in [*seen.tiers_before, *seen.tiers_after]}
    ladder = dict.fromkeys([t["key"] for t in [*seen.tiers_after, *seen.tiers_before]])
    desk.table(
        [_("tier"), _("today's charter"), _("changed charter")],
        [(names[k], before.get("tiers", {}).get(k, 0), seen.after["tiers"].get(k, 0)) for k in ladder],
        right=(1, 2),
    )
    for one in seen.assumed:
        desk.say(f"  · {one['say'][tongue]}")
    desk.say(_("{up} go up, {down} go down.").format(up=f"{seen.up:,}", down=f"{seen.down:,}"))
    shown = seen.movers[:movers]
    if shown:
        cards = _cards(desk, [m.member_id for m in shown])
        desk.table(
            [_("member"), _("today"), _("then"), _("points today"), _("points then")],
            [
                (cards.get(m.member_id, m.member_id), names[m.before], names[m.after], m.points_before, m.points_after)
                for m in shown
            ],
            right=(3, 4),
        )
    desk.say(_("read in {read} s, folded in {fold} s").format(**seen.seconds))


def _cards(desk: Desk, ids: list[int]) -> dict[int, str]:
    from shuke.members.models import Member

    rows = Member.objects.filter(merchant=desk.merchant, pk__in=ids).values_list("pk", "card", "name")
    return {pk: f"{card} {name}".strip() for pk, card, name in rows}


def _one(desk: Desk, card: str, told: dict[str, Any]) -> None:
    if desk.as_json:
        desk.json(told | {"card": card})
        return
    columns = [name for name in ("before", "after") if name in told["sides"]]
    titles = {"before": _("today's charter"), "after": _("changed charter")}
    figures = ("tier", "available", "pending", "held", "debt", "issued", "spent", "expired", "growth")
    labels = dict(
        zip(
            figures,
            (
                _("tier"), _("available"), _("pending"), _("held"), _("debt"), _("points issued"), _("spent"), _("expired"),
                _("growth value"),
            ),
            strict=True,
        )
    )  # fmt: skip
    desk.table(
        [card, *(titles[c] for c in columns)],
        [(labels[f], *(told["sides"][c][f] for c in columns)) for f in figures],
        right=tuple(range(1, len(columns) + 1)),
    )
    desk.table(
        [_("when"), _("what"), *(titles[c] for c in columns)],
        [
            (e["at"][:10], e["event"], *(_points(e.get(c)) for c in columns))
            for e in told["events"]
            if len({_points(e.get(c)) for c in columns}) > 1
        ],
        title=_("where the two differ"),
    )
    for name in columns:
        for move in told["sides"][name]["moves"]:
            desk.say(f"{titles[name]}: {move['at'][:10]} {move['before'] or '–'} → {move['after']} ({move['cause']})")


def _points(side: dict[str, Any] | None) -> str:
    if side is None:
        return "–"
    parts = " · ".join(
        f"{w['rule']} {w['points']}" for w in side["why"] if isinstance(w, dict) and "rule" in w and "points" in w
    )
    return f"{side['points']:+,}" + (f" ({parts})" if parts else "")
