"""What comes back of a priced basket when goods do: to every tender its part, and of each discount its share.

Everything is computed from what has come back in all, and what was given back before is taken off; so any sequence of
partial returns adds up to the cent, and the last one gives exactly what is left. The order in which parts come back
does not matter; what was due, points, gift cards and stored value together are what the goods were worth then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shuke.engine.charter.selling import TENDERS, Tender, every
from shuke.engine.checkout.priced import PricedLine

Shares = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Back:
    """What comes back: in all, or by one return (a difference of two)."""

    due: int = 0  # money
    points: int = 0
    points_amount: int = 0
    stored_value: int = 0
    discounts: Shares = ()  # ref of what applied → its share that is gone with the goods
    gift_cards: Shares = ()  # card → what goes back to it

    def minus(self, before: Back) -> Back:
        return Back(
            self.due - before.due,
            self.points - before.points,
            self.points_amount - before.points_amount,
            self.stored_value - before.stored_value,
            _less(self.discounts, before.discounts),
            _less(self.gift_cards, before.gift_cards),
        )

    @property
    def worth(self) -> int:
        """What the goods were paid with, by whatever paid."""
        return self.due + self.points_amount + self.stored_value + sum(n for _, n in self.gift_cards)


class ReturnRefused(ValueError):
    """More comes back than was bought, or something that is not in the basket. `told`: why, in both languages."""

    code = "return_refused"

    def __init__(self, english: str, chinese: str) -> None:
        self.told = {"en": english, "zh": chinese}
        super().__init__(english)


def returned(lines: Sequence[PricedLine], quantities: Mapping[str, int], back_to: Sequence[Tender] = ()) -> Back:
    """What is worth so much of each line, in thousandths, that has come back in all. Raises ReturnRefused.

    `back_to`: these tenders are refunded first (selling.back_to); none: each gets its part of each line.
    """
    known = {line.key: line for line in lines}
    for key, quantity in quantities.items():
        if key not in known:
            lines_known = ", ".join(known)
            raise ReturnRefused(
                f"The basket has no line {key}. Its lines are {lines_known}.",
                f"购物车没有行 {key}，只有：{lines_known}。",
            )
        if not 0 <= quantity <= known[key].quantity:
            bought, back = known[key].quantity / 1000, quantity / 1000
            raise ReturnRefused(
                f"Of line {key} {bought:g} were bought; {back:g} cannot come back.",
                f"行 {key} 共购买 {bought:g}，不能退 {back:g}。",
            )
    worth = due = points = points_amount = stored = 0
    discounts: dict[str, int] = {}
    cards: dict[str, int] = {}
    for line in lines:
        quantity = quantities.get(line.key, 0)
        if not quantity:
            continue
        due += _part(line.due, quantity, line.quantity)
        points += _part(line.points, quantity, line.quantity)
        points_amount += _part(line.points_amount, quantity, line.quantity)
        stored += _part(line.stored_value, quantity, line.quantity)
        worth += _part(line.paid, quantity, line.quantity)
        for into, shares in ((discounts, line.discounts), (cards, line.gift_cards)):
            for ref, share in shares:
                into[ref] = into.get(ref, 0) + _part(share, quantity, line.quantity)
    gone = tuple(sorted(discounts.items()))
    if back_to:
        return replace(_pour(_paid(lines), worth, back_to), discounts=gone)
    return Back(due, points, points_amount, stored, gone, tuple(sorted(cards.items())))


def by_money(
    lines: Sequence[PricedLine], refunded: int, back_to: Sequence[Tender] = (), of: Sequence[Tender] = ("cash",)
) -> Back:
    """Where only the money given back in all is known, not the goods: everything in proportion to it; with `back_to`,
    all that is refunded before it, and nothing after. `of`: the tenders that this money was paid with.

    Where those paid nothing there is no proportion: nothing comes back until the whole order does.
    """
    paid = _paid(lines)
    most = _by_tender(paid)
    whole = sum(most[tender] for tender in of)
    refunded = max(0, min(refunded, whole))
    if not refunded:
        return Back()
    discounts: dict[str, int] = {}
    for line in lines:
        for ref, share in line.discounts:
            discounts[ref] = discounts.get(ref, 0) + share
    if back_to:
        left, worth = refunded, 0
        for tender in every(back_to):
            part = min(left, most[tender]) if tender in of else most[tender] * (left > 0)
            worth += part
            left -= part if tender in of else 0
        back, part, all_of = _pour(paid, worth, back_to), worth, paid.worth
    else:
        part, all_of = refunded, whole
        back = Back(
            _part(paid.due, part, all_of),
            _part(paid.points, part, all_of),
            _part(paid.points_amount, part, all_of),
            _part(paid.stored_value, part, all_of),
            gift_cards=tuple((ref, _part(n, part, all_of)) for ref, n in paid.gift_cards),
        )
    return replace(back, discounts=tuple(sorted((ref, _part(n, part, all_of)) for ref, n in discounts.items())))


def counted(lines: Sequence[PricedLine], paid: int) -> tuple[Tender, ...]:
    """Which tenders a document means that says so much was paid: money alone, or also what had been paid in advance."""
    of = _by_tender(_paid(lines))
    prepaid = of["gift_cards"] + of["stored_value"]
    return ("gift_cards", "stored_value", "cash") if prepaid and paid >= of["cash"] + prepaid else ("cash",)


def _pour(paid: Back, worth: int, back_to: Sequence[Tender]) -> Back:
    """So much, poured into one tender after the other, each up to what it paid for the whole basket."""
    left = worth
    got = dict.fromkeys(TENDERS, 0)
    of = _by_tender(paid)
    for tender in every(back_to):
        got[tender] = min(left, of[tender])
        left -= got[tender]
    cards, rest = [], got["gift_cards"]
    for ref, n in paid.gift_cards:  # the card that paid first is filled first
        cards.append((ref, min(n, rest)))
        rest -= min(n, rest)
    points = _part(paid.points, got["points"], paid.points_amount) if paid.points_amount else 0
    return Back(got["cash"], points, got["points"], got["stored_value"], gift_cards=tuple(cards))


def _by_tender(paid: Back) -> dict[Tender, int]:
    cards = sum(n for _, n in paid.gift_cards)
    return {
        "points": paid.points_amount,
        "gift_cards": cards,
        "stored_value": paid.stored_value,
        "cash": paid.due,
    }


def _paid(lines: Sequence[PricedLine]) -> Back:
    """What each tender paid for the whole basket; gift cards in the order in which they paid."""
    cards: dict[str, int] = {}
    for line in lines:
        for ref, share in line.gift_cards:
            cards[ref] = cards.get(ref, 0) + share
    return Back(
        sum(line.due for line in lines),
        sum(line.points for line in lines),
        sum(line.points_amount for line in lines),
        sum(line.stored_value for line in lines),
        gift_cards=tuple(cards.items()),
    )


def _less(now: Iterable[tuple[str, int]], before: Shares) -> Shares:
    gone = dict(before)
    return tuple((ref, left) for ref, amount in now if (left := amount - gone.get(ref, 0)))


def _part(whole: int, part: int, of: int) -> int:
    return (2 * whole * part + of) // (2 * of)
