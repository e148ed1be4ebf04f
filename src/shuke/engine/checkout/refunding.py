"""What comes back of a priced basket where an archive tells of money that was refunded: how much, and on which day.

A function of the refunds alone: whoever hears of them in another order, or all at once, comes to the same days and points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from shuke.engine.charter.selling import Tender
from shuke.engine.checkout.priced import PricedLine
from shuke.engine.checkout.returning import Back, by_money, counted, returned


class Refund(NamedTuple):
    """Money given back, by the name of its document; or points, where they follow it."""

    name: str
    at: datetime
    amount: int


def in_all(lines: Sequence[PricedLine], money: int, *, whole: bool, paid: int, back_to: Sequence[Tender] = ()) -> Back:
    """What has come back when so much money was refunded of what the archive says was `paid`; `whole`: that was everything."""
    if whole:
        return returned(lines, {line.key: line.quantity for line in lines}, back_to)
    return by_money(lines, money, back_to, counted(lines, paid))


def points_back(
    lines: Sequence[PricedLine],
    refunds: Iterable[Refund],
    *,
    paid: int,
    whole: bool,
    back_to: Sequence[Tender] = (),
    given: int = 0,
) -> list[Refund]:
    """The points that follow each refund, on its day, the earliest first. `given`: so many came back by other requests;
    these are no news."""
    found: list[Refund] = []
    money, before = 0, given
    told = sorted(refunds, key=lambda one: (one.at, one.name))
    for place, one in enumerate(told, 1):
        money += one.amount
        everything = 0 < paid <= money or (whole and place == len(told))
        points = in_all(lines, money, whole=everything, paid=paid, back_to=back_to).points
        if points > before:
            found.append(one._replace(amount=points - before))
            before = points
    return found
