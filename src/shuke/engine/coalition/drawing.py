"""Which points a spend takes where one person has accounts with several merchants: those that end first, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shuke.engine.ledger.books import Lot

Account = int  # merchant


def draw(accounts: Mapping[Account, Sequence[Lot]], amount: int, at_home: Account) -> dict[Account, int] | None:
    """Points to take from each account, oldest expiry first over all of them; None where they do not reach.

    `accounts` has the lots that can be spent now. Of points that end and were earned at the same moments, those of the
    till's own merchant go first, then by merchant and lot, so that everybody comes to the same.
    """
    order: list[tuple[datetime, datetime, bool, Account, str, int]] = []
    for merchant, lots in accounts.items():
        for lot in lots:
            expires, earned, key = lot.oldest_first()
            order.append((expires, earned, merchant != at_home, merchant, key, lot.free))
    taken: dict[Account, int] = {}
    for *_, merchant, _key, free in sorted(order):
        part = min(free, amount)
        if part:
            taken[merchant] = taken.get(merchant, 0) + part
            amount -= part
    return None if amount else taken
