"""Are the partners of equal strength: who brings, who takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Month(NamedTuple):
    """What one partner did in one month."""

    issued: int = 0  # points its members got, less what was taken back
    used_elsewhere: int = 0  # its points burnt at others' tills: what it brings
    taken: int = 0  # others' points burnt at its till: what it takes
    own: int = 0  # its points burnt at its own till
    members: int = 0  # persons it was the first to link
    balance_micro: int = 0  # money: > 0, the partner was paid more than it paid


class Share(NamedTuple):
    """A partner beside the others, in thousandths."""

    issued: int
    brings: int
    takes: int
    evenness: int | None  # 1000: takes as much as it brings; 0: only one of the two; None: neither


def shares(partners: Mapping[int, Month]) -> dict[int, Share]:
    issued = sum(m.issued for m in partners.values())
    crossed = sum(m.used_elsewhere for m in partners.values())
    return {
        merchant: Share(
            _part(m.issued, issued), _part(m.used_elsewhere, crossed), _part(m.taken, crossed), _even(m)
        )
        for merchant, m in partners.items()
    }  # fmt: skip


def fairness(partners: Mapping[int, Month]) -> int | None:
    """Of the points that crossed, how many are answered by points the other way: Σ min(brings, takes) / Σ brings, in
    thousandths. 1000: everybody takes what they bring. None: nothing crossed."""
    crossed = sum(m.used_elsewhere for m in partners.values())
    if crossed <= 0:
        return None
    return _part(sum(max(0, min(m.used_elsewhere, m.taken)) for m in partners.values()), crossed)


def add(one: Month, other: Month) -> Month:
    return Month(*(a + b for a, b in zip(one, other, strict=True)))


def _even(m: Month) -> int | None:
    larger = max(m.used_elsewhere, m.taken)
    return None if larger <= 0 else _part(max(0, min(m.used_elsewhere, m.taken)), larger)


def _part(part: int, whole: int) -> int:
    return (part * 2000 + whole) // (2 * whole) if whole > 0 else 0
