"""What counts towards a plan: money, pieces or orders, net of what came back. Books and replay ask the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shuke.engine.charter.rights import Plan
from shuke.kit.money import allocate


class Part(NamedTuple):
    """One line of an order. `back`: what of its money the line itself gave back."""

    amount: int
    back: int
    quantity_milli: int
    category: str
    product: str
    brand: str


class Kept(NamedTuple):
    """An order within the plan's span of which something is left: net of refunds, and the refunds."""

    net: int
    refunded: int
    lines: Sequence[Part] = ()


def counted(plan: Plan, orders: Iterable[Kept]) -> int:
    if by_line(plan):
        return sum(_of_goods(plan, one) for one in orders)
    if plan.counts == "orders":
        return sum(1 for _ in orders)
    return sum(one.net for one in orders)


def by_line(plan: Plan) -> bool:
    return bool(plan.of.categories or plan.of.products or plan.of.brands) or plan.counts == "pieces"


def _of_goods(plan: Plan, one: Kept) -> int:
    """Money, pieces or orders of the chosen goods. What an order kept after its refunds is shared over the lines that were
    not themselves given back; pieces go with the money."""
    whole = allocate(one.net + one.refunded, [line.amount for line in one.lines])
    kept = allocate(one.net, [max(0, line.amount - line.back) for line in one.lines])
    found = 0
    for line, full, left in zip(one.lines, whole, kept, strict=True):
        if not _chosen(plan, line):
            continue
        if plan.counts == "pieces":
            found += (
                line.quantity_milli * min(left, full) // full if full > 0 else (0 if line.back else line.quantity_milli)
            )
        else:
            found += left
    return (1 if found > 0 else 0) if plan.counts == "orders" else found


def _chosen(plan: Plan, line: Part) -> bool:
    of = plan.of
    if not (of.categories or of.products or of.brands):
        return True
    return (
        line.product in of.products
        or line.brand in of.brands
        or any(line.category == c or line.category.startswith(c + "/") for c in of.categories)
    )
