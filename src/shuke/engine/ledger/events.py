"""What can happen to a member's books, as frozen values sorted by event time."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class GoodsLine(NamedTuple):
    """One line of a purchase as earning needs it. Amounts in minor units."""

    amount: int
    refunded: int = 0
    category: str = ""
    product: str = ""
    brand: str = ""


class Purchase(NamedTuple):
    """A paid order. `net` is what was paid for goods, before any refund, freight left out."""

    event: str  # order:<platform>:<store code>:<number>
    at: datetime
    net: int
    lines: tuple[GoodsLine, ...] = ()
    store: str = ""
    platform: str = ""
    channel: str = ""


class Refunded(NamedTuple):
    """Money given back on an order: the part of its net that no longer counts."""

    event: str  # refund:<refund number or order event>
    at: datetime
    order: str  # event of the purchase
    amount: int


class Burn(NamedTuple):
    """Points spent."""

    event: str
    at: datetime
    amount: int


class BurnReturned(NamedTuple):
    """Spent points given back, to the lots they came from."""

    event: str
    at: datetime
    burn: str
    amount: int


class Adjusted(NamedTuple):
    """Points given or taken by hand, or carried over from another system (`account`)."""

    event: str
    at: datetime
    amount: int
    account: str = "adjusted"
    expires_at: datetime | None = None  # None: as the charter says


class HoldPlaced(NamedTuple):
    """Points set aside for a basket until `times_out_at`."""

    event: str
    at: datetime
    amount: int
    times_out_at: datetime


class HoldCaptured(NamedTuple):
    """A hold turned into a spend of `amount` (at most what was held); the rest goes back to its lots."""

    event: str
    at: datetime
    hold: str
    amount: int


class HoldReleased(NamedTuple):
    event: str
    at: datetime
    hold: str


class TierGiven(NamedTuple):
    """A grade given by hand or by invitation: a floor until `until`."""

    event: str
    at: datetime
    tier: str
    until: datetime | None
    cause: str = "manual"  # manual | invited


Event = Purchase | Refunded | Burn | BurnReturned | Adjusted | HoldPlaced | HoldCaptured | HoldReleased | TierGiven

_RANK = {
    Purchase: 0,
    Refunded: 1,
    Adjusted: 2,
    TierGiven: 3,
    HoldPlaced: 4,
    Burn: 5,
    HoldCaptured: 6,
    HoldReleased: 7,
    BurnReturned: 8,
}


def order_of(event: Event) -> tuple[datetime, int, str]:
    """The one order of events: by time, then kind, then name. Arrival does not matter."""
    return event.at, _RANK[type(event)], event.event
