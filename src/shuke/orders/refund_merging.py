"""What is known of a refund document, given everything that was ever said of it. No database.

Amount, moment, status and the order it names are those of the statement furthest on: finished before unfinished, then the
later moment, then the larger amount. What a statement does not tell (the goods, the sub-order, the reason, when it was
asked for) stays as the furthest statement told it that did; where one names the order and another a line of it, both numbers
stay. So taking in is commutative, associative and idempotent: the
greatest of each counts, whatever was told first (docs/algorithms/orders.md).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.facts import Refund
from shuke.orders.merging import LONG_AGO

FIELDS = ("requested_at", "reason", "sub_number", "lines")  # each stays until a statement further on tells it
_LINES = FIELDS.index("lines")
_BLANK = (None, "", "", ())


class Mark(NamedTuple):
    """How far a statement is, and the number of the order or sub-order it names."""

    done: bool
    at: datetime
    amount: int
    number: str


class Known(NamedTuple):
    mark: Mark  # of the statement furthest on
    status: str  # of the same
    values: tuple[Any, ...]  # of FIELDS, as told
    told: tuple[Mark, ...]  # by which statement each; the document's own where nothing is told
    also: Mark | None = None  # of the furthest statement that names another number

    @property
    def dated(self) -> bool:
        return self.mark.at != LONG_AGO

    @property
    def lines(self) -> tuple[tuple[Any, ...], ...]:
        """The goods that count. Told beside another amount they hold as long as their money is within this one's: lines that tell
        pieces and no money stand for all that was given back when they were told. Of another order's they are none of this."""
        lines, then = self.values[_LINES], self.told[_LINES]
        if then.number != self.mark.number:
            return ()
        whole = any(pieces is not None and money is None for *_, pieces, money in lines)
        money = then.amount if whole else sum(one[-1] or 0 for one in lines)
        return lines if self.mark.amount >= min(money, then.amount) else ()


def said(refund: Refund) -> Known:
    """What one statement says."""
    at = refund.finished_at or LONG_AGO
    mark = Mark(refund.done, at, refund.amount_minor, refund.order_number[:60])
    lines = tuple((one[0][:60], one[1], one[2][:80], *one[3:]) for one in refund.lines)
    values = (refund.requested_at, refund.reason[:200], refund.sub_number[:60], lines)
    return Known(mark, refund.status[:40], values, (mark,) * len(FIELDS))


def merged(one: Known, other: Known) -> Known:
    ahead = max(one, other, key=lambda known: (known.mark, known.status))
    values, told = [], []
    for index, blank in enumerate(_BLANK):
        sides = [(k.told[index], k.values[index]) for k in (one, other) if k.values[index] != blank]
        mark, value = max(sides, key=_further, default=(ahead.mark, blank))
        told.append(mark)
        values.append(value)
    others = [m for m in (one.mark, one.also, other.mark, other.also) if m and m.number != ahead.mark.number]
    return Known(ahead.mark, ahead.status, tuple(values), tuple(told), max(others, default=None))


def _further(side: tuple[Mark, Any]) -> tuple[Any, ...]:
    mark, value = side
    if isinstance(value, tuple):
        value = tuple(tuple(-1 if part is None else part for part in line) for line in value)
    return mark, value


def older(known: Known) -> dict[str, Any] | None:
    """Fields told by a statement less far on than the document's own, with its mark; and goods that do not count now."""
    found: dict[str, Any] = {}
    for name, mark in zip((*FIELDS, "also"), (*known.told, known.also), strict=True):
        if mark and mark != known.mark:
            at = None if mark.at == LONG_AGO else mark.at.isoformat()
            found[name] = [mark.done, at, mark.amount, mark.number]
    if known.values[_LINES] != known.lines:
        found["goods"] = known.values[_LINES]
    return found or None


def read(mark: Mark, status: str, values: tuple[Any, ...], kept: dict[str, Any] | None) -> Known:
    """What `older` was written of. `values`: the lines as they count."""
    kept = kept or {}
    if goods := kept.get("goods"):
        values = (*values[:_LINES], tuple(tuple(one) for one in goods))
    marks = {name: _mark(*one) for name, one in kept.items() if name != "goods"}
    return Known(mark, status, values, tuple(marks.get(name, mark) for name in FIELDS), marks.get("also"))


def _mark(done: bool, at: str | None, amount: int, number: str) -> Mark:
    return Mark(done, datetime.fromisoformat(at) if at else LONG_AGO, amount, number)
