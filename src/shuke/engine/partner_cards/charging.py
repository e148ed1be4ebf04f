"""What a card partner owes for a time: points given less points taken back, at the price of the day they were spent for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shuke.engine.coalition.prices import MICRO
from shuke.engine.coalition.settling import nearest, share


class Moved(NamedTuple):
    """Movements of one kind, month of spending and price, added up."""

    kind: str  # given | reversed | undone | restored | capped | carried
    month: int
    price_micro: int
    movements: int
    points: int


class Statement(NamedTuple):
    """`due` in whole minor units: above 0 the partner owes it. Σ lines = due. `carry_micro` goes into the next one."""

    due: int
    carry_micro: int
    lines: list[tuple[Moved, int]]


def statement(moved: Sequence[Moved], carried_micro: int = 0) -> Statement:
    shown = [*moved, Moved("carried", 0, 0, 0, 0)] if carried_micro else list(moved)
    micros = [one.points * one.price_micro for one in moved] + [carried_micro] * (len(shown) - len(moved))
    due = nearest(sum(micros))
    return Statement(due, sum(micros) - due * MICRO, list(zip(shown, share(micros, due), strict=True)))
