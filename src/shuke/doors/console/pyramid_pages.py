"""The tables of the pyramid page: what the biggest buyers bring, layers by spend and by loyalty, and the two crossed."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from shuke.doors.console import words
from shuke.doors.console.board import members_url
from shuke.doors.console.figure_table import BLANK, Cell, Table, figure, name
from shuke.engine.insight.pyramid import BONDS, LAYERS
from shuke.kit import money


def tables(figures: dict[str, Any], crossed: dict[tuple[str, str], int], currency: str) -> list[Table]:
    """What the best of the buyers bring, the layers, the loyalty layers, and the two against each other."""
    told = figures["pyramid"]
    curve, layers = words.definition("curve", figures), words.definition("pyramid", figures)
    bonds = words.definition("bonds", figures)

    def spent(minor: int | None, url: str, members: int) -> Cell:
        if minor is None:
            return Cell(BLANK)
        shown = figure(money.show(minor, currency), url, members, minor / 10 ** money.digits(currency))
        return shown if members else shown._replace(plain="measure")

    def share(part: float | None, url: str, members: int) -> Cell:
        return Cell(BLANK) if part is None else figure(f"{part:.1%}", url, members, round(part, 4))

    tops = []
    for one in told.get("tops", []):
        members = one.get("count", 0)
        url = members_url(year_from=one.get("from_minor"), sort="-spent")
        tops.append(
            [
                name(_("the biggest %(percent)s %%") % {"percent": one["percent"]}),
                figure(f"{members:,}", url, members),
                spent(one.get("from_minor"), url, members),
                share(one["share"], url, members),
            ]
        )
    people, whole = sum(row["count"] for row in told["layers"]), sum(row["net_minor"] for row in told["layers"])

    def row(title: str, asked: dict[str, str], one: dict[str, Any], *more: Cell) -> list[Cell]:
        url, n = members_url(**asked), one["count"]
        return [
            name(title), *more, figure(f"{n:,}", url, n), share(n / people if people else None, url, n),
            spent(one["net_minor"], url, n), share(one["net_minor"] / whole if whole else None, url, n),
        ]  # fmt: skip

    heads = [(_("Members"), True), (_("of members"), True), (_("Net spend, 365 days"), True), (_("of spend"), True)]
    layer_rows = [
        row(
            words.layer(one["layer"]),
            {"layer": one["layer"]},
            one,
            spent(one["from_minor"], members_url(layer=one["layer"]), one["count"]),
        )
        for one in told["layers"]
    ]
    bond_rows = [row(words.bond(one["bond"]), {"bond": one["bond"]}, one) for one in told.get("bonds", [])]
    cross_rows = [
        [
            name(words.layer(layer)),
            *(
                figure(
                    f"{crossed.get((layer, bond), 0):,}",
                    members_url(layer=layer, bond=bond),
                    crossed.get((layer, bond), 0),
                )
                for bond in BONDS
            ),
        ]
        for layer in LAYERS
    ]
    found = [
        Table(_("What the biggest buyers bring"), [(_("Buyers"), False), (_("Members"), True), (_("Spent at least"), True), (_("of spend"), True)], tops, curve + " " + _("Who spent as much as the last of them is counted with them."), key="tops"),
        Table(_("Layers by spend"), [(_("Layer"), False), (_("Spent at least"), True), *heads], layer_rows, layers, key="layers"),
        Table(_("Loyalty layers"), [(_("Loyalty layer"), False), *heads], bond_rows, bonds, key="bonds"),
        Table(_("Layers and loyalty"), [(_("Layer"), False), *((words.bond(bond), True) for bond in BONDS)], cross_rows, layers + "\n" + bonds, _("Key and main members who are drifting or potential are the first to call."), key="crossed"),
    ]  # fmt: skip
    return [table for table in found if table.rows]
