"""`shuke coalition close|statement|strength`: who pays whom, and who brings and takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands import coalition_members
from shuke.doors.cli.commands.coalition import command, price, seat_of
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _

__all__ = ["coalition_members", "command"]  # the commands for members are of the same group


@declared(
    "close",
    _("Close everything before a day and say who pays whom (the founder only). Again it answers the same."),
    "shuke coalition close\nshuke coalition close --before 2026-07-01",
    group=command,
)
@click.option("--before", type=DAY, help=_("first day that is not in it; default: this month's first"))  # fmt: skip
def close(desk: Desk, before: datetime | None) -> None:
    from shuke.flows import coalition as flow
    from shuke.kit.clock import day_start
    from shuke.loyalty.actions import coalition

    until = day_start(before.date(), desk.merchant.tz) if before else flow.month_end(desk.merchant, desk.now)
    done = coalition.close(
        merchant=desk.merchant, coalition_id=seat_of(desk).coalition_id, until=until, now=desk.now, actor=desk.actor
    )
    if desk.as_json:
        desk.json({**done.period.document, "replayed": done.replayed})
        return
    _say_period(desk, done.period)


@declared(
    "statement",
    _("A closed period: who pays whom, and your own lines; --out writes statements and movements as files."),
    "shuke coalition statement 3\nshuke coalition statement 3 --out settlement/",
    group=command,
)
@click.argument("number", metavar=_("NUMBER"), type=click.IntRange(1))
@click.option("--out", type=click.Path(path_type=Path), help=_("folder for the files; always the same bytes"))
def statement(desk: Desk, number: int, out: Path | None) -> None:
    from shuke.loyalty.actions.coalition import CoalitionRefused
    from shuke.loyalty.queries import coalition as stored
    from shuke.loyalty.queries import settlement

    seat = seat_of(desk)
    period = stored.period(seat.coalition, number)
    if period is None:
        raise CoalitionRefused("no_such_period", number=number)
    mine = next((s for s in stored.statements(period) if s.merchant_id == desk.merchant.pk), None)
    written = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        alone = None if seat.coalition.merchant_id == desk.merchant.pk else desk.merchant
        for name, data in settlement.files(period, alone).items():
            (out / name).write_bytes(data)
            written.append(str(out / name))
    if desk.as_json:
        desk.json({"period": period.document, "statement": mine.document if mine else None, "files": written})
        return
    _say_period(desk, period)
    if mine is not None:
        desk.table(
            [_("what"), _("points"), _("price"), _("money")],
            [
                (
                    movement(x["kind"]),
                    x["points"],
                    price(x["price_micro"], desk) if x["price_micro"] else "–",
                    desk.money(x["minor"]),
                )
                for x in mine.document["lines"]
            ],
            title=desk.merchant.name,
            right=(1, 2, 3),
        )
    for name in written:
        click.echo(name)


def movement(kind: str) -> str:
    return {
        "brought": _("had when they joined"),
        "issued": _("given to members"),
        "taken_back": _("taken back"),
        "lapsed": _("expired"),
        "withdrawn": _("left with the member"),
        "used": _("spent at partners"),
        "redeemed": _("spent at this till"),
        "pack": _("from prepaid packs"),
        "carried": _("carried over"),
    }.get(kind, kind)


def _say_period(desk: Desk, period: Any) -> None:
    document = period.document
    desk.table(
        [_("who pays"), _("to whom"), _("money")],
        [(pool(p["from_name"]), pool(p["to_name"]), desk.money(p["minor"])) for p in document["payments"]],
        title=_("Period {number}, before {day}").format(number=period.number, day=desk.day(period.until)),
        right=(2,),
    )


def pool(name: str) -> str:
    return _("the pool") if name == "pool" else name


@declared(
    "strength",
    _("Who brings and who takes, month by month, and how even that is."),
    "shuke coalition strength --months 6",
    group=command,
)
@click.option(
    "--months", default=3, show_default=True, type=click.IntRange(1, 36), help=_("how many, this one included")
)
def strength(desk: Desk, months: int) -> None:
    from shuke.engine.coalition.strength import fairness, shares
    from shuke.kit.clock import add_months
    from shuke.loyalty.queries import coalition as stored

    made = seat_of(desk).coalition
    today = desk.now.astimezone(made.merchant.tz).date()
    told = stored.strength(made, add_months(today.replace(day=1), 1 - months), today)
    names = {p.merchant_id: p.merchant.name for p in stored.partners(made)}
    if desk.as_json:
        desk.json(
            [
                {
                    "month": one.month,
                    "fairness_permille": fairness(one.partners),
                    "partners": [
                        {"id": str(pk), "name": names[pk], **m._asdict(), "share": shares(one.partners)[pk]}
                        for pk, m in one.partners.items()
                    ],
                }
                for one in told
            ]
        )
        return
    for one in told:
        if not any(any(figures) for figures in one.partners.values()):
            continue
        even = fairness(one.partners)
        desk.table(
            [_("partner"), _("given to members"), _("brings"), _("takes"), _("own till"), _("new members"), _("money")],
            [
                (names[pk], m.issued, m.used_elsewhere, m.taken, m.own, m.members, desk.money(_whole(m.balance_micro)))
                for pk, m in one.partners.items()
            ],
            title=f"{one.month:%Y-%m}"
            + ("" if even is None else " · " + _("evenness {share}%").format(share=f"{even / 10:g}")),
            right=(1, 2, 3, 4, 5, 6),
        )


def _whole(micro: int) -> int:
    from shuke.engine.coalition.settling import nearest

    return nearest(micro)
