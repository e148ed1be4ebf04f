"""What a partner agreed to, and what held at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

MICRO = 1_000_000  # prices are in millionths of a minor unit per point


class Prices(NamedTuple):
    """What one partner pays for a point its members get, and is paid for a point burnt at its till."""

    effective_from: datetime
    issue_micro: int
    redeem_micro: int
    prepaid: bool = False
    warn_below: int = 0  # points left in the packs
    credit_limit_minor: int | None = None
    spend_most_per_day: int | None = None  # points of one member at this till


def prices_at(agreed: Sequence[Prices], at: datetime) -> Prices:
    """The prices in force at a moment, whenever it is asked; before the first ones, the first ones. `agreed` is by time."""
    found = agreed[0]
    for prices in agreed:
        if prices.effective_from <= at:
            found = prices
    return found
