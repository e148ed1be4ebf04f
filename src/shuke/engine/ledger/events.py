"""What can happen to a member's books, as frozen values sorted by event time.

`nth`: how many requests of the same moment were granted before (see `order_of`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class GoodsLine(NamedTuple):
    """One line of a purchase as earning needs it. Amounts in minor units."""

    amount: int
    category: str = ""
    product: str = ""
    brand: str = ""
    pieces_milli: int = 0


class Back(NamedTuple):
    """So much of one line of a purchase came back with a refund."""

    line: int  # its place among the purchase's lines, from 0
    amount: int  # of the line's amount
    pieces_milli: int = 0


class Parts(NamedTuple):
    """What an order's price was made of beside its net, for charters that count it. Minor units."""

    freight: int = 0
    tax: int = 0  # within the net
    discount: int = 0  # taken off by the shop's offers
    coupon: int = 0  # paid by coupons, not in the net
    points: int = 0  # paid with points, not in the net
    stored_value: int = 0  # within the net
    tenders: tuple[tuple[str, int], ...] = ()  # other ways of paying within the net, by the till's name for them


class Purchase(NamedTuple):
    """A paid order. `net` is what was paid for goods, before any refund, freight left out."""

    event: str  # order:<platform>:<store code>:<number>
    at: datetime
    net: int
    lines: tuple[GoodsLine, ...] = ()
    store: str = ""
    platform: str = ""
    channel: str = ""
    done_at: datetime | None = None  # when it was received or finished
    parts: Parts | None = None


class Refunded(NamedTuple):
    """Money given back on an order: the part of its net that no longer counts."""

    event: str  # refund:<refund number or order event>
    at: datetime
    order: str  # event of the purchase
    amount: int
    back: tuple[Back, ...] = ()  # what came back of which lines (engine/ledger/came_back.py)
    told: bool = False  # whether somebody told so; else what nobody told is shared out


class Burn(NamedTuple):
    """Points spent."""

    event: str
    at: datetime
    amount: int
    nth: int = 0


class BurnReturned(NamedTuple):
    """Spent points given back, to the lots they came from."""

    event: str
    at: datetime
    burn: str
    amount: int
    nth: int = 0


class Adjusted(NamedTuple):
    """Points given or taken by hand, or carried over from another system (`account`)."""

    event: str
    at: datetime
    amount: int
    account: str = "adjusted"
    expires_at: datetime | None = None  # None: as the charter says
    nth: int = 0


class HoldPlaced(NamedTuple):
    """Points set aside for a basket until `times_out_at`."""

    event: str
    at: datetime
    amount: int
    times_out_at: datetime
    nth: int = 0


class HoldCaptured(NamedTuple):
    """A hold turned into a spend of `amount` (at most what was held); the rest goes back to its lots."""

    event: str
    at: datetime
    hold: str
    amount: int
    nth: int = 0


class HoldReleased(NamedTuple):
    event: str
    at: datetime
    hold: str
    nth: int = 0


class TierGiven(NamedTuple):
    """A grade given by hand or by invitation: a floor until `until`."""

    event: str
    at: datetime
    tier: str
    until: datetime | None
    cause: str = "manual"  # manual | invited


class Activity(NamedTuple):
    """Something a member did that is no purchase: signed in, answered a survey, brought a friend."""

    event: str
    at: datetime
    kind: str  # as the charter's rules name it
    nth: int = 0


class ActivityUndone(NamedTuple):
    """An activity was told by mistake: it never was."""

    event: str
    at: datetime
    activity: str  # its event
    nth: int = 0


class GrowthAdjusted(NamedTuple):
    """Growth value given or taken by hand, or carried over from another system."""

    event: str
    at: datetime
    amount: int
    account: str = "adjusted"
    nth: int = 0


class Reinstated(NamedTuple):
    """Lapsed points given back, at most what has lapsed."""

    event: str
    at: datetime
    amount: int
    expires_at: datetime | None = None  # None: for the charter's grace
    nth: int = 0


class MembershipBought(NamedTuple):
    """A paid membership bought other than by an order's goods."""

    event: str
    at: datetime
    key: str
    nth: int = 0


class MembershipEnded(NamedTuple):
    """A paid membership given back before its end."""

    event: str
    at: datetime
    bought: str  # event that bought it
    nth: int = 0


class Parcel(NamedTuple):
    """A part of a lot in somebody else's hands: it keeps its age, its end and what it costs."""

    amount: int
    earned_at: datetime
    expires_at: datetime | None
    cost_micro: int
    funder: int = 0  # merchant who issued it; 0: the merchant of these books


class HandedOver(NamedTuple):
    """Points given to another member."""

    event: str
    at: datetime
    amount: int
    nth: int = 0


class TakenOver(NamedTuple):
    """Points received from another member, as they were when they were given: what is learnt about the giver later is the
    giver's affair."""

    event: str
    at: datetime
    parcels: tuple[Parcel, ...]
    nth: int = 0


class PooledOut(NamedTuple):
    """Points of these books spent at the till of a coalition partner."""

    event: str
    at: datetime
    amount: int
    nth: int = 0


class PooledBack(NamedTuple):
    """Some of them come back, to the lots they came from."""

    event: str
    at: datetime
    out: str
    amount: int
    nth: int = 0


class PooledSpent(NamedTuple):
    """Points spent at this till: `own` ones of these books, and parcels that partners of a coalition issued."""

    event: str
    at: datetime
    own: int
    parcels: tuple[Parcel, ...]
    nth: int = 0


class PooledReturned(NamedTuple):
    """Part of such a spend given back: `own` points, and how many of each parcel."""

    event: str
    at: datetime
    spent: str
    own: int
    parcels: tuple[int, ...]
    nth: int = 0


class PartnerEarned(NamedTuple):
    """Points for what was spent with a card partner, as its file said."""

    event: str
    at: datetime
    amount: int
    nth: int = 0
    funder: int = 0  # the card programme, where the partner pays


class PartnerUndone(NamedTuple):
    """Money came back to the card, or the file was taken back: so is what it gave."""

    event: str
    at: datetime
    earned: str
    amount: int
    nth: int = 0


Event = (
    Purchase | Refunded | Burn | BurnReturned | Adjusted | HoldPlaced | HoldCaptured | HoldReleased | TierGiven
    | Activity | GrowthAdjusted | Reinstated | MembershipBought | MembershipEnded | HandedOver | TakenOver
    | PooledOut | PooledBack | PooledSpent | PooledReturned | PartnerEarned | PartnerUndone | ActivityUndone
)  # fmt: skip

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
    MembershipBought: 9,
    MembershipEnded: 10,
    Activity: 11,
    GrowthAdjusted: 12,
    Reinstated: 13,
    HandedOver: 14,
    TakenOver: 15,
    PooledOut: 16,
    PooledBack: 17,
    PooledSpent: 18,
    PooledReturned: 19,
    PartnerEarned: 20,
    PartnerUndone: 21,
    ActivityUndone: 22,
}


def order_of(event: Event) -> tuple[datetime, int, int, str]:
    """The one order of events: by time, then kind, then name. Arrival does not matter.

    Requests granted at the very same moment keep the order they were granted in: `nth` says which one it was.
    """
    return event.at, getattr(event, "nth", 0), _RANK[type(event)], event.event


def without_undone(told: Iterable[Event]) -> list[Event]:
    """These events less the activities that were taken back: they count as if they had not been."""
    events = list(told)
    undone = {one.activity for one in events if isinstance(one, ActivityUndone)}
    return [one for one in events if one.event not in undone] if undone else events
