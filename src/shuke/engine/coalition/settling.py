"""Statements of a period: what each partner pays or is paid, in whole minor units, adding up to 0 with the pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shuke.engine.coalition.charging import CHARGED
from shuke.engine.coalition.prices import MICRO


class Line(NamedTuple):
    """Movements of one kind, counterpart and price, added up."""

    kind: str
    other: int | None  # merchant whose points they were, or at whose till they went
    price_micro: int
    movements: int
    points: int
    micro: int


class Opening(NamedTuple):
    """What a partner brings into the period."""

    carry_micro: int = 0  # what the last statement could not say in whole units
    deposit_micro: int = 0  # prepaid and not used, packs bought in this period included
    prepaid: bool = False


class Rounded(NamedTuple):
    kind: str
    other: int | None
    price_micro: int
    movements: int
    points: int
    minor: int


class Statement(NamedTuple):
    """One partner's. due > 0: the partner is paid. Σ lines = due."""

    due: int
    lines: list[Rounded]
    covered_micro: int  # by packs; < 0: went back into them
    carry_micro: int
    deposit_micro: int


def statement(lines: Sequence[Line], opening: Opening) -> Statement:
    """Packs pay what the partner's members were given; what its till is owed is paid out in any case."""
    charge = -sum(line.micro for line in lines if line.kind in CHARGED)
    income = sum(line.micro for line in lines if line.kind not in CHARGED)
    covered = min(opening.deposit_micro, max(charge, 0))
    if charge < 0 and opening.prepaid:
        covered = charge
    exact = opening.carry_micro + income - charge + covered
    due = nearest(exact)
    shown = [line for line in lines if line.movements]
    parts = [line.micro for line in shown] + [covered, opening.carry_micro]
    minors = share(parts, due)
    rounded = [
        Rounded(line.kind, line.other, line.price_micro, line.movements, line.points, minor)
        for line, minor in zip(shown, minors, strict=False)
    ]
    for kind, micro, minor in (("pack", covered, minors[-2]), ("carried", opening.carry_micro, minors[-1])):
        if micro or minor:
            rounded.append(Rounded(kind, None, 0, 0, 0, minor))
    return Statement(due, rounded, covered, exact - due * MICRO, opening.deposit_micro - covered)


def pool_due(statements: Mapping[int, Statement]) -> int:
    """What the pool is paid, so that all add up to 0."""
    return -sum(one.due for one in statements.values())


def nearest(micro: int) -> int:
    """Half up, the same on both sides of zero."""
    return (micro + MICRO // 2) // MICRO if micro >= 0 else -((-micro + MICRO // 2) // MICRO)


def share(parts: Sequence[int], total: int) -> list[int]:
    """Each part in whole units, adding up to `total` (their sum, rounded): the largest remainders are rounded up."""
    floors = [part // MICRO for part in parts]
    rest = total - sum(floors)
    order = sorted(range(len(parts)), key=lambda i: (-(parts[i] % MICRO), i))
    for i in order[:rest]:
        floors[i] += 1
    return floors
