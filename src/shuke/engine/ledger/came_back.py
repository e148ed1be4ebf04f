"""Which goods came back with which refund of an order: a function of all that was told of it, whatever was told first.

A refund tells its lines itself, or the order tells what came back of each line in all; what that has beyond the refunds
that tell is shared among those that do not, by their amounts (docs/algorithms/earning.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shuke.engine.facts import LineBack
from shuke.engine.ledger.events import Back
from shuke.kit.money import allocate


class Sold(NamedTuple):
    """One line as it was sold, and what names it."""

    amount: int
    pieces_milli: int = 0
    refunded: int = 0  # of its amount in all, as the order tells
    product: str = ""
    sub_number: str = ""


class Money(NamedTuple):
    """One refund of an order, and the lines it tells."""

    amount: int
    lines: Sequence[LineBack] = ()


class Came(NamedTuple):
    """What came back with one refund. `told`: somebody said so; else it is a share."""

    back: tuple[Back, ...]
    told: bool


def came_back(lines: Sequence[Sold], net: int, refunds: Sequence[Money]) -> list[Came]:
    """For each refund, in the order in which they happened. `net`: what was paid for all the lines."""
    told = _Told(lines, net)
    named = [told.take(refund) for refund in refunds]
    silent = [refund.amount for refund, parts in zip(refunds, named, strict=True) if parts is None]
    beyond = [max(0, min(one.refunded, one.amount) - gone) for one, gone in zip(lines, told.gone, strict=True)]
    total, so_far = sum(silent), 0
    pieces = [0] * len(lines)
    gone = [0] * len(lines)
    found = []
    for refund, parts in zip(refunds, named, strict=True):
        if parts is None:
            before, so_far = so_far, so_far + refund.amount
            share = [b * so_far // total - b * before // total if total else b for b in beyond]
            parts = [(n, amount, None) for n, amount in enumerate(share) if amount]
            known = len(silent) == 1 and any(beyond)
        else:
            known = True
        back = []
        for n, amount, count in parts:
            gone[n] += amount
            was, all_ = pieces[n], lines[n].pieces_milli
            if lines[n].amount <= gone[n]:
                pieces[n] = (
                    all_ if gone[n] > 0 else 0
                )  # what was given for nothing, or paid back in full, counts for nothing
            else:
                pieces[n] = max(was, min(all_, _share(lines[n], gone[n]) if count is None else was + count))
            if amount or pieces[n] > was:
                back.append(Back(n, amount, pieces[n] - was))
        found.append(Came(tuple(back), known))
    return found


def _share(line: Sold, gone: int) -> int:
    """As many of a line's pieces as of its money; what is left of them is rounded down."""
    if line.amount <= 0 or gone <= 0:
        return 0
    return line.pieces_milli - line.pieces_milli * max(0, line.amount - gone) // line.amount


class _Told:
    """The refunds that name lines, one after the other."""

    def __init__(self, lines: Sequence[Sold], net: int) -> None:
        self.lines = lines
        amounts = [max(0, one.amount) for one in lines]
        self.paid = allocate(net, amounts) if 0 <= net < sum(amounts) else amounts  # of each line, in the order's money
        self.money = [0] * len(lines)  # given back of it
        self.count = [0] * len(lines)  # thousandths of pieces
        self.gone = [0] * len(lines)  # of its amount

    def take(self, refund: Money) -> list[tuple[int, int, int | None]] | None:
        """Line, amount and pieces (None: not told); None where no line is named that is there."""
        named = [(one, places) for one in refund.lines if (places := self._places(one))]
        if not named:
            return None
        rest = refund.amount - sum(one.amount_minor or 0 for one, _ in named)
        open_ = [self._left(at) for one, at in named if one.amount_minor is None and one.quantity_milli is None]
        shares = iter(allocate(max(0, rest), open_))
        found: dict[int, tuple[int, int | None]] = {}
        for one, places in named:
            count, money = one.quantity_milli, one.amount_minor
            if count is None and money is None:
                money = next(shares)
            for n, amount, pieces in self._each(places, money, count):
                before, many = found.get(n, (0, None))
                found[n] = (before + amount, many if pieces is None else (many or 0) + pieces)
        return [(n, *found[n]) for n in sorted(found)]

    def _places(self, told: LineBack) -> list[int]:
        """The platform's number of a line says most; a report may name one that no line bears, and the goods beside it."""
        found = [n for n, one in enumerate(self.lines) if told.sub_number and one.sub_number == told.sub_number]
        if found:
            return found
        if told.position:
            return [told.position - 1] if told.position <= len(self.lines) else []
        return [n for n, one in enumerate(self.lines) if told.product_code and one.product == told.product_code]

    def _left(self, places: Iterable[int]) -> int:
        return sum(max(0, self.paid[n] - self.money[n]) for n in places)

    def _each(
        self, places: Sequence[int], money: int | None, count: int | None
    ) -> Iterable[tuple[int, int, int | None]]:
        """Goods that stand on several lines come back from the first of them first."""
        for n in places:
            line, was, pieces = self.lines[n], self.gone[n], None
            if count is not None:
                pieces = min(count, max(0, line.pieces_milli - self.count[n]))
                count -= pieces
                self.count[n] += pieces
            if money is None:
                worth = _round(max(0, line.amount) * self.count[n], line.pieces_milli)
                self.gone[n] = max(was, worth)
                self.money[n] = max(self.money[n], _round(self.paid[n] * self.count[n], line.pieces_milli))
            else:
                part = min(money, max(0, self.paid[n] - self.money[n]))
                money -= part
                self.money[n] += part
                if part:
                    self.gone[n] = max(was, _round(max(0, line.amount) * self.money[n], self.paid[n]))
            if self.gone[n] > was or pieces:
                yield n, self.gone[n] - was, pieces


def _round(product: int, by: int) -> int:
    """Halves up; always of the sum so far, so that parts add up."""
    return (2 * product + by) // (2 * by) if by > 0 else 0
