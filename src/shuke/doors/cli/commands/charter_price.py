"""`shuke charter price`: what a basket costs under a charter file, and why. Needs no database."""

from __future__ import annotations

from pathlib import Path

import click

from shuke.doors.cli.commands.charter_files import command, moment_of, read, wrong_with, zone_of
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "price",
    _("Price a basket (JSON) under a charter file: what applies, what does not and why. Reads and writes no database."),
    "shuke charter price charter.yaml basket.json\nshuke charter price charter.yaml basket.json --at 2026-11-11 --json",
    group=command,
    database=False,
)
@click.argument("charter", type=click.Path(path_type=Path))
@click.argument("basket", type=click.Path(path_type=Path))
@click.option(
    "--at", "told_at", metavar=_("DATE"), help=_("a day or moment, e.g. 2026-11-11 or 2026-11-11T20:00; default: now")
)
@click.option("--zone", default="Asia/Shanghai", show_default=True, help=_("the shop's time zone"))
def price(desk: Desk, charter: Path, basket: Path, told_at: str | None, zone: str) -> None:
    from shuke.engine.charter.document import CharterInvalid
    from shuke.engine.charter.terms import Terms
    from shuke.engine.checkout import document
    from shuke.engine.checkout import price as priced_by
    from shuke.kit import clock

    where = zone_of(zone)
    at = moment_of(told_at, where) if told_at is not None else clock.utc_now()
    try:
        terms = Terms(read(charter), where)
    except CharterInvalid as error:
        raise Refused("\n".join(wrong_with(charter, error))) from error
    try:
        told = document.read(basket.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused(_("{file} is not text in UTF-8. Save it as UTF-8 and try again.").format(file=basket)) from error
    priced = priced_by(terms, document.basket(told, terms.currency), document.holdings(told), at)
    if desk.as_json:
        desk.json(priced.to_plain())
        return
    show(desk, priced.to_plain(), terms.currency)


def show(desk: Desk, priced: dict, currency: str) -> None:
    """A priced basket as tables."""
    from shuke.kit import money

    def amount(minor: int) -> str:
        return money.show(minor, currency)

    desk.table(
        [_("line"), _("list"), _("off"), _("points"), _("gift cards"), _("stored value"), _("to pay")],
        [
            (
                line["key"],
                amount(line["list_minor"]),
                amount(sum(d["amount_minor"] for d in line["discounts"])),
                amount(line["points_minor"]),
                amount(sum(card["amount_minor"] for card in line["gift_cards"])),
                amount(line["stored_value_minor"]),
                amount(line["due_minor"]),
            )
            for line in priced["lines"]
        ],
        right=(1, 2, 3, 4, 5, 6),
    )
    code = "zh" if language().startswith("zh") else "en"
    for title, part in (
        (_("Applied"), "applied"),
        (_("Could apply, but"), "skipped"),
        (_("Does not apply"), "inapplicable"),
    ):
        if priced[part]:
            desk.say(f"\n{title}")
            for one in priced[part]:
                desk.say(f"  · {one['say'][code]}")
    desk.say("\n" + _("To pay: {due}").format(due=amount(priced["totals"]["due_minor"])))
    if not priced["search"]["exact"]:
        desk.say(
            _("The search stopped at its bound: the best combination may save up to {could}.").format(
                could=amount(priced["search"]["could_save_minor"])
            )
        )
