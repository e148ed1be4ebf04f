"""A paid basket as an order of the archive, and what comes back of it: the same statement a till would send.

What paid is told as a till tells it: points stand beside what was paid, gift cards and stored value within it. A line costs
what its goods were worth, by whatever paid; so any part of it that comes back is a part of its pieces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine import tenders
from shuke.engine.checkout.codes import ALPHABET
from shuke.engine.checkout.priced import PricedLine
from shuke.engine.facts import Line, LineBack, Order, OrderStatus, Person

Plain = Mapping[str, Any]


class Place(NamedTuple):
    """Where an order is numbered."""

    platform: str
    store: str
    number: str


def number_of(key: str, at: datetime) -> str:
    """A number for a sale that has no receipt of a cash register: day and six signs, the same whenever it is asked."""
    hashed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
    signs = "".join(ALPHABET[hashed >> shift & 31] for shift in range(0, 30, 5))
    return f"{at:%y%m%d}-{signs}"


def order(
    place: Place,
    basket: Plain,
    lines: Sequence[PricedLine],
    *,
    currency: str,
    at: datetime,
    paid_by: str,
    buyer: Person | None,
    staff: str,
    with_lines: bool = True,
) -> Order:
    """The order a basket became at `at`. `lines`: of the basket, as they were priced; `paid_by`: what was due in money."""
    told = _told(basket)
    goods = [line for line in lines if not told[line.key].get("freight")]
    freight = [line for line in lines if told[line.key].get("freight")]
    due = sum(line.due for line in lines)
    cards = sum(n for line in lines for _, n in line.gift_cards)
    stored_value = sum(line.stored_value for line in lines)
    return _named(place)._replace(
        status=OrderStatus.FINISHED,
        created_at=at,
        paid_at=at,
        finished_at=at,
        currency=currency,
        goods_minor=sum(line.list for line in goods),
        discount_minor=sum(n for line in goods for _, n in line.discounts),
        freight_minor=sum(line.paid - line.points_amount for line in freight),
        paid_minor=due + cards + stored_value,
        lines=tuple(_line(line, told[line.key], 0) for line in goods) if with_lines else None,
        person=buyer,
        channel=str(basket.get("channel", "")),
        staff_code=staff,
        stated_at=at,
        tenders=tenders.told_together(
            [
                (paid_by or "other", due),
                ("gift_cards", cards),
                ("stored_value", stored_value),
                ("points", sum(line.points_amount for line in lines)),
            ]
        ),
    )


def whose(place: Place, buyer: Person | None, at: datetime) -> Order:
    """Somebody else told the order, and not who bought."""
    return _named(place)._replace(person=buyer, stated_at=at)


def lines_after(basket: Plain, lines: Sequence[PricedLine], returned: Mapping[str, int]) -> tuple[Line, ...]:
    """The goods of the order, with what of each has come back. `returned`: line → thousandths in all."""
    told = _told(basket)
    return tuple(
        _line(line, told[line.key], returned.get(line.key, 0)) for line in lines if not told[line.key].get("freight")
    )


def lines_back(
    basket: Plain, lines: Sequence[PricedLine], before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[LineBack, ...]:
    """Which goods one return brought: what had come back after it, less what had before, by the place of the line in the order."""
    told = _told(basket)
    goods = [line for line in lines if not told[line.key].get("freight")]
    came = [(n, after.get(line.key, 0) - before.get(line.key, 0)) for n, line in enumerate(goods, 1)]
    return tuple(LineBack(position=n, quantity_milli=count) for n, count in came if count > 0)


def came_back(place: Place, *, currency: str, whole: bool, at: datetime, lines: tuple[Line, ...] | None) -> Order:
    """Goods came back at `at`; of `whole` orders everything."""
    one = _named(place)._replace(currency=currency, stated_at=at, lines=lines)
    return one._replace(status=OrderStatus.CLOSED_REFUNDED, closed_at=at) if whole else one


def _named(place: Place) -> Order:
    street = place.store if place.platform == "pos" else ""
    return Order(platform=place.platform, shop=place.store, number=place.number, store_code=street)


def _told(basket: Plain) -> dict[str, Plain]:
    return {str(line.get("key") or nth): line for nth, line in enumerate(basket["lines"], 1)}


def _line(line: PricedLine, told: Plain, back: int) -> Line:
    quantity = line.quantity
    return Line(
        title=str(told.get("title", "")),
        quantity_milli=quantity,
        amount_minor=line.paid,
        product_code=str(told.get("sku", "")),
        category=str(told.get("category", "")),
        brand=str(told.get("brand", "")),
        price_minor=told.get("price_minor") or None,
        discount_minor=sum(n for _, n in line.discounts),
        refunded_minor=(2 * line.paid * back + quantity) // (2 * quantity) if quantity else 0,
    )
