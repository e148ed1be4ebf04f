"""Which lots a purchase uses, and where the money of a return goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shuke.kit.money import allocate

if TYPE_CHECKING:
    from shuke.engine.stored.purse import Lot

Part = tuple[str, int]  # key of a lot, minor units
FAR = datetime.max.replace(tzinfo=UTC)


def in_turn(lots: Sequence[Lot]) -> list[Lot]:
    """What lapses soonest first, then the oldest; the key decides between equals, so that every engine says the same."""
    return sorted(lots, key=lambda lot: (lot.expires_at or FAR, lot.at, lot.key))


def plan(free: Sequence[tuple[Lot, int]], amount: int, order: str) -> list[Part]:
    """Take `amount` of these lots, of each at most so much. `free` must suffice."""
    of_kind: dict[str, list[tuple[Lot, int]]] = {"principal": [], "bonus": []}
    most = {lot.key: n for lot, n in free}
    for lot in in_turn([lot for lot, n in free if n > 0]):
        of_kind[lot.kind].append((lot, most[lot.key]))
    there = {kind: sum(n for _, n in lots) for kind, lots in of_kind.items()}
    if order == "proportion":
        principal, bonus = allocate(amount, [there["principal"], there["bonus"]])
    elif order == "bonus_first":
        bonus = min(amount, there["bonus"])
        principal = amount - bonus
    else:
        principal = min(amount, there["principal"])
        bonus = amount - principal
    parts: list[Part] = []
    for kind, wanted in (("principal", principal), ("bonus", bonus)):
        for lot, n in of_kind[kind]:
            if wanted and (part := min(n, wanted)):
                parts.append((lot.key, part))
                wanted -= part
        assert not wanted, "the caller looked whether there is enough"
    return parts


def share_back(left: Mapping[str, int], amount: int) -> list[Part]:
    """Give `amount` of a purchase back to the lots it was paid from. `left`: what each gave and did not get back yet.

    In proportion to what is left, by largest remainder. So no lot gets more than it gave, and any sequence of parts ends
    with exactly what each gave. (Shares of the sum so far would not do: by largest remainder a share may fall when the
    sum rises.)
    """
    keys = [key for key, n in left.items() if n]
    shares = allocate(amount, [left[key] for key in keys])
    return [(key, share) for key, share in zip(keys, shares, strict=True) if share]
