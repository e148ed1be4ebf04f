"""Whether a shop has stored value at all, and by which terms."""

from __future__ import annotations

from datetime import datetime

from shuke.engine.charter.stored import Stored
from shuke.loyalty.models import StoredPurse
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant


def terms_of(merchant: Merchant, now: datetime) -> Stored | None:
    """What the charter in force says of stored value; None: the shop has none."""
    try:
        return charters.in_force(merchant, now).charter.stored
    except charters.NoCharter:
        return None


def is_on(merchant: Merchant, now: datetime) -> bool:
    return terms_of(merchant, now) is not None


def is_shown(merchant: Merchant, now: datetime) -> bool:
    """Pages are there while the charter has it, and after that as long as anybody has a purse: nobody's money is hidden by a
    new charter."""
    return is_on(merchant, now) or StoredPurse.objects.filter(merchant=merchant).exists()
