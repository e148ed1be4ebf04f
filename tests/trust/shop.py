"""The shop of the storms, crashes and power cuts: a few members with the same points, who may hand them round."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shuke.loyalty import queries
from shuke.shops.models import Merchant
from tests import cast
from tests.loyalty.books import START, member, order, publish, take
from tests.trust.exercise_book import CHARTER

LATER = START + timedelta(days=20)  # what was earned on the first day can be spent, and none of it has lapsed


def furnish(
    count: int = 3, points: int = 1000, whose: Callable[[], cast.Shop] = cast.lan
) -> tuple[Merchant, list[int]]:
    """A shop and `count` members with so many points each."""
    merchant = whose().merchant
    publish(merchant, CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone"}})
    buyers = [member(merchant, n) for n in range(1, count + 1)]
    for n, buyer in enumerate(buyers):
        take(merchant, buyer, order(f"start{n}", 1, points))
    return merchant, buyers


def figures(merchant: Merchant, buyer: int, now=LATER) -> tuple[int, int, int, int]:
    told = queries.balance(merchant, buyer, now)
    return told.available, told.pending, told.held, told.debt
