"""What comes to the till: lines, the member's figures, and what the member asks for. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shuke.engine.charter.selling import Coupon as Template

MOST = -1  # asks.points, asks.stored_value: as much as can be used


@dataclass(frozen=True, slots=True)
class Line:
    """One position. `amount` is what it costs before anything of ours; `excluded` names steps that leave it alone."""

    key: str
    amount: int  # minor units
    quantity: int = 1000  # thousandths
    price: int = 0  # unit price in minor units; informational, `amount` counts
    sku: str = ""
    category: str = ""
    brand: str = ""
    freight: bool = False  # not goods: only freight offers, and points where the charter says so, touch it
    gift: bool = False  # thrown in: never discounted, never counted
    excluded: frozenset[str] = frozenset()  # names of steps, or "all"

    @property
    def pieces(self) -> int:
        return self.quantity // 1000


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon the member has, or a code that was looked up. `ref` is how the caller names it."""

    ref: str
    template: str  # key of the template
    valid_from: datetime | None = None
    valid_until: datetime | None = None  # exclusive
    state: str = "open"  # open | held | redeemed | void | expired
    budget_left: int | None = None  # minor units the template may still give; None: no budget
    terms: Template | None = None  # the template as it was when the coupon was issued; None: the charter's
    place: str = ""  # its turn among equals, which must not depend on the letters of a code; "": its ref


@dataclass(frozen=True, slots=True)
class GiftCard:
    """A gift card that was looked up. `hint` is what may be shown of it; its code is as good as money."""

    ref: str
    balance: int  # minor units that can be used now
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Asks:
    """What the member wants to use. `best` also looks through all coupons held, not only those named."""

    coupons: tuple[str, ...] = ()
    points: int = 0
    stored_value: int = 0
    best: bool = False
    gift_cards: tuple[str, ...] = ()  # refs, in the order in which they are to pay
    coalition: bool = False  # points are those of all the member's accounts in the coalition


@dataclass(frozen=True, slots=True)
class Basket:
    currency: str
    lines: tuple[Line, ...]
    store: str = ""
    platform: str = "pos"
    channel: str = ""
    asks: Asks = Asks()


@dataclass(frozen=True, slots=True)
class Holdings:
    """The member as the till knows them. Nobody known: the lowest tier and nothing to use."""

    tier: str = ""
    points: int = 0  # available; where coalition points are asked for, in all accounts together
    stored_value: int = 0  # minor units
    purchases: int | None = None  # before this one; None: nobody known, so never a first purchase
    birthday: tuple[int, int, bool] | None = None  # month, day, lunar
    coupons: tuple[Coupon, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()  # asked-for coupons that could not be looked up: ref, reason code
    stored_value_off: bool = False  # the shop has none
    gift_cards: tuple[GiftCard, ...] = ()
    cards_refused: tuple[tuple[str, str], ...] = ()  # gift cards that cannot be used: ref, reason code
    points_refused: str = ""  # reason code, where no points can be used
    named: frozenset[str] = frozenset()  # the tier and what earlier charters called it; left out: only by its own key
