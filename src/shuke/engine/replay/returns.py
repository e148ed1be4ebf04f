"""What a return of the list means: so much money, or these goods; and how much of an order is left to come back.

The engine and the books ask the same; they only differ in where they book it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shuke.engine.facts import LineBack
from shuke.engine.replay.fields import Goods, Line


class Plan(NamedTuple):
    """`code` says why not. Goods of a basket: `quantities` of each line now, None: all that is left. Else `amount` of money."""

    code: str = ""
    figures: Mapping[str, Any] = {}
    amount: int = 0
    of_basket: bool = False
    quantities: Mapping[str, int] | None = None


@dataclass(slots=True)
class Sold:
    line: Line
    paid: int  # freight and stored value included
    cost: tuple[Goods, ...]  # what each line cost in money
    freight: int
    is_basket: bool  # priced at the till: goods come back with their share of everything
    money: int = 0  # given back so far
    by_money: bool = False
    goods: dict[int, int] = field(default_factory=dict)  # place of a line → thousandths that came back
    all_back: bool = False

    @property
    def net(self) -> int:
        """What the goods cost, freight left out: what an order's refunds are split by."""
        return max(0, self.paid - self.freight)

    @property
    def left(self) -> int:
        return self.paid - self.money


class Returns:
    def __init__(self) -> None:
        self.sold: dict[str, Sold] = {}

    def sell(self, line: Line, paid: int, goods: tuple[Goods, ...], freight: int, *, is_basket: bool = False) -> None:
        self.sold[line.order] = Sold(line, paid, goods, freight, is_basket)

    def plan(self, line: Line) -> Plan:
        one = self.sold.get(line.order)
        if one is None:  # its basket was refused
            return Plan("no_such_order", {"order": line.order})
        after = dict(one.goods)
        for place, quantity in line.back:
            after[place] = after.get(place, 0) + quantity
        if over := _too_many(after, one.line.goods):
            return Plan("more_than_bought", over)
        if one.is_basket and (one.goods or line.back):
            return self._of_basket(line, one)
        amount = line.paid
        if line.whole:
            amount = one.left
        elif line.back:
            amount = min(one.left, _worth(after, one.line.goods) - _worth(one.goods, one.line.goods))
        worthless = bool(line.back) and amount == 0  # a gift comes back: no money with it
        if amount > one.left or (amount <= 0 and not worthless):
            return Plan("more_than_paid", {"amount": amount, "left": one.left})
        return Plan(amount=amount)

    def _of_basket(self, line: Line, one: Sold) -> Plan:
        if one.by_money:
            return Plan("told_by_money", {"order": line.order})
        if line.whole:
            if one.all_back:
                return Plan("more_than_paid", {"amount": 0, "left": one.left})
            return Plan(of_basket=True)
        if not line.back:
            return Plan("told_by_lines", {"order": line.order})
        quantities: dict[str, int] = {}
        for place, quantity in line.back:
            quantities[str(place)] = quantities.get(str(place), 0) + quantity
        return Plan(of_basket=True, quantities=quantities)

    def done(self, line: Line, plan: Plan, amount: int) -> None:
        """It was booked, and so much money came back."""
        one = self.sold[line.order]
        one.money += amount
        one.by_money = one.by_money or not plan.of_basket
        one.all_back = one.all_back or line.whole
        for place, quantity in line.back:
            one.goods[place] = one.goods.get(place, 0) + quantity
        if line.whole and one.is_basket and plan.of_basket:
            one.goods = {n: g.pieces_milli for n, g in enumerate(one.line.goods, 1)}

    def named(self, line: Line) -> tuple[LineBack, ...]:
        """The lines of its order that a return names. The whole of an order needs no lines."""
        return tuple(LineBack(position=place, quantity_milli=quantity) for place, quantity in line.back)


def _worth(back: Mapping[int, int], goods: tuple[Goods, ...]) -> int:
    """What so much of each line cost, halves up; always of the sum so far, so that parts add up."""
    told = 0
    for place, quantity in back.items():
        one = goods[place - 1]
        told += (2 * one.amount * quantity + one.pieces_milli) // (2 * one.pieces_milli)
    return told


def _too_many(back: Mapping[int, int], goods: tuple[Goods, ...]) -> dict[str, Any]:
    """The first line of which more would have come back than was bought."""
    for place, quantity in sorted(back.items()):
        if quantity > goods[place - 1].pieces_milli:
            return {"line": place, "quantity_milli": quantity, "bought_milli": goods[place - 1].pieces_milli}
    return {}
