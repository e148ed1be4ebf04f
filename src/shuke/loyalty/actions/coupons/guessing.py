"""Whoever guesses codes is slowed down, without a store of its own: bad tries are rows, and rows are counted.

Sixty random bits cannot be guessed by trying; the brake is for what leaks a little: an employee's list, half a photo.
Ten bad codes of one caller within a quarter of an hour, and it has to wait; three hundred of all callers together within
ten minutes, and for a while only one code in ten seconds is looked at, for everybody. Coupons that members hold need no
code and are not touched by either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from shuke.kit import bulk, ids
from shuke.loyalty.models import CodeTry
from shuke.shops.models import Merchant

KEEP = timedelta(days=1)


def caller_hash(caller: str) -> bytes:
    return hashlib.sha256(caller.encode()).digest()[:8]


def note_bad_code(*, merchant: Merchant, callers: Sequence[str], now: datetime) -> None:
    """Remember one bad code for each name its caller goes by (its address, its token, its member)."""
    at = bulk.moment()(now)
    bulk.insert(
        "loyalty_code_try",
        ("id", "merchant_id", "caller", "at"),
        [(pk, merchant.pk, caller_hash(c), at) for pk, c in zip(ids.take(len(callers)), callers, strict=True)],
    )


def sweep_tries(*, merchant: Merchant, now: datetime) -> int:
    """Forget tries of more than a day ago; how many."""
    return CodeTry.objects.filter(merchant=merchant, at__lt=now - KEEP).delete()[0]
