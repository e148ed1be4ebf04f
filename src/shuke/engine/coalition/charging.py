"""What one posting in a linked member's books means for the coalition: points that came into it or left it, with the price.

The pool is paid when a point comes in and pays when one is burnt at a till; a point that leaves unspent is paid back at the
price it came in for. So the pool always holds what the open points were paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

# What a movement can be → whether its points come in (+1), leave (−1) or stay (0), and whether its maker pays (−1), is paid
# (+1) or neither (0).
KINDS: dict[str, tuple[int, int]] = {
    "brought": (1, -1),  # had when the member was linked
    "issued": (1, -1),  # earned, or given by hand
    "taken_back": (-1, 1),  # for goods that came back, or by hand
    "lapsed": (-1, 1),
    "withdrawn": (-1, 1),  # the member, or the merchant, left
    "used": (-1, 0),  # spent at a partner's till
    "redeemed": (-1, 1),  # spent at the own till; those of partners were never in the own books
}
CHARGED = (
    "brought",
    "issued",
    "taken_back",
    "lapsed",
    "withdrawn",
)  # at the price of issue; redeemed at that of redemption


class Used(NamedTuple):
    """What a posting did to a lot: its kind, points (> 0 takes), and when the lot was earned."""

    kind: str
    points: int
    earned_at: datetime


class Posting(NamedTuple):
    """A posting as the coalition sees it: sums of its legs, and its uses of lots."""

    at: datetime
    member: int
    spent: int
    settlement: int
    uses: tuple[Used, ...] = ()
    spent_at: datetime | None = None  # of a return: when the spend was


class Flow(NamedTuple):
    """Points of one kind at one moment whose prices count."""

    kind: str
    points: int
    priced_at: datetime


# Points that stay in, though a lot changes: burnt ones have their own legs, those that pay a debt were never counted in.
_NO_FLOW = ("burn", "transfer", "debt", "extend")


def flows(posting: Posting, *, linked_at: datetime, of_pool: bool = False) -> list[Flow]:
    """What came in and left, from the lots' side: what becomes or repays debt is the merchant's own affair.

    `of_pool`: a spend across merchants, whose crossing is written when it is made.
    """
    told: list[Flow] = []
    if posting.spent and not of_pool:
        told.append(Flow("redeemed", posting.spent, posting.spent_at or posting.at))
    left = 0
    for use in posting.uses:
        if use.kind in _NO_FLOW or not use.points:
            continue
        left += use.points
        kind = "lapsed" if use.kind == "expire" else "taken_back"
        told.append(Flow(kind, use.points, max(use.earned_at, linked_at)))
    came = posting.member + posting.spent + posting.settlement + left
    if came > 0:
        told.append(Flow("issued", came, max(posting.at, linked_at)))
    elif came < 0:  # a lot grew smaller because what it was for is known better
        told.append(Flow("taken_back", -came, max(posting.at, linked_at)))
    return _together(told)


def _together(told: Sequence[Flow]) -> list[Flow]:
    sums: dict[tuple[str, datetime], int] = {}
    for flow in told:
        key = flow.kind, flow.priced_at
        sums[key] = sums.get(key, 0) + flow.points
    return [Flow(kind, points, at) for (kind, at), points in sums.items() if points]


def amount_micro(kind: str, points: int, issue_micro: int, redeem_micro: int) -> int:
    """What the merchant is paid (+) or pays (−)."""
    price = redeem_micro if kind == "redeemed" else issue_micro
    return KINDS[kind][1] * points * price
