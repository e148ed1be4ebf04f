"""What parts of a priced basket are worth when goods come back.

Of each line so many thousandths have come back in all; each of its figures (money, points, stored value, every
discount) has then come back in that proportion, halves up. So a figure never goes back and forth, any sequence of
partial returns adds up to the cent, and the last one gives exactly what is left. The order in which parts come back
does not matter; what was due, points and stored value together are what the goods were worth then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shuke.engine.checkout.priced import PricedLine


@dataclass(frozen=True, slots=True)
class Back:
    """What comes back: in all, or by one return (a difference of two)."""

    due: int = 0  # money
    points: int = 0
    points_amount: int = 0
    stored_value: int = 0
    discounts: tuple[tuple[str, int], ...] = ()  # ref of what applied → its share that is gone with the goods

    def minus(self, before: Back) -> Back:
        gone = dict(before.discounts)
        return Back(
            self.due - before.due,
            self.points - before.points,
            self.points_amount - before.points_amount,
            self.stored_value - before.stored_value,
            tuple((ref, left) for ref, amount in self.discounts if (left := amount - gone.get(ref, 0))),
        )


class ReturnRefused(ValueError):
    """More comes back than was bought, or something that is not in the basket."""

    code = "return_refused"


def returned(lines: Sequence[PricedLine], quantities: Mapping[str, int]) -> Back:
    """What is worth so much of each line, in thousandths, that has come back in all. Raises ReturnRefused."""
    known = {line.key: line for line in lines}
    for key, quantity in quantities.items():
        if key not in known:
            raise ReturnRefused(f"The basket has no line {key}. Its lines are {', '.join(known)}.")
        if not 0 <= quantity <= known[key].quantity:
            raise ReturnRefused(
                f"Of line {key} {known[key].quantity / 1000:g} were bought; {quantity / 1000:g} cannot come back."
            )
    due = points = points_amount = stored = 0
    discounts: dict[str, int] = {}
    for line in lines:
        quantity = quantities.get(line.key, 0)
        if not quantity:
            continue
        due += _part(line.due, quantity, line.quantity)
        points += _part(line.points, quantity, line.quantity)
        points_amount += _part(line.points_amount, quantity, line.quantity)
        stored += _part(line.stored_value, quantity, line.quantity)
        for ref, share in line.discounts:
            discounts[ref] = discounts.get(ref, 0) + _part(share, quantity, line.quantity)
    return Back(due, points, points_amount, stored, tuple(sorted(discounts.items())))


def by_money(lines: Sequence[PricedLine], refunded: int) -> Back:
    """Where only the money given back in all is known, not the goods: everything in proportion to it.

    With nothing due there is no proportion: nothing comes back until the whole order does.
    """
    due = sum(line.due for line in lines)
    refunded = max(0, min(refunded, due))
    discounts: dict[str, int] = {}
    for line in lines:
        for ref, share in line.discounts:
            discounts[ref] = discounts.get(ref, 0) + share
    if not due:
        return Back()
    return Back(
        refunded,
        _part(sum(line.points for line in lines), refunded, due),
        _part(sum(line.points_amount for line in lines), refunded, due),
        _part(sum(line.stored_value for line in lines), refunded, due),
        tuple(sorted((ref, _part(amount, refunded, due)) for ref, amount in discounts.items())),
    )


def _part(whole: int, part: int, of: int) -> int:
    return (2 * whole * part + of) // (2 * of)
