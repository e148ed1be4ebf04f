"""Deeds on coupons under a caller's key: asked again, the first answer is given, refusals too; nothing is done twice.

The key is kept for ever, in the same transaction as the deed, beside a hash of what was asked (TRUST §3.5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from shuke.loyalty.actions.asking import KeyReused
from shuke.loyalty.actions.coupons.refusals import CouponRefused
from shuke.loyalty.models import CouponRequest
from shuke.shops.models import Merchant

PASSING = {"try_later"}  # what is no answer to what was asked


class Keyed(NamedTuple):
    """The coupon it was about. `replayed`: this key had done it before."""

    coupon_id: int
    replayed: bool


def under_key(
    *, merchant: Merchant, key: str, asked: Sequence[object], deed: Callable[[], int], now: datetime, actor: str
) -> Keyed:
    """Do `deed`, which answers a coupon's id, once for a key. Raises KeyReused, and CouponRefused, the same for ever.

    Whoever comes second with a key at the same moment finds it taken when writing: what they did is undone, and they are
    answered what the first one was.
    """
    payload = hashlib.blake2b(json.dumps(list(asked)).encode(), digest_size=16).digest()
    before = _before(merchant, key)
    if before is None:
        try:
            with transaction.atomic():
                coupon, refused = _try(deed)
                _remember(merchant, key, payload, coupon, refused, now, actor)
        except IntegrityError:
            before = _before(merchant, key)
            if before is None:
                raise
        else:
            if refused is not None:
                raise refused
            assert coupon is not None
            return Keyed(coupon, False)
    if bytes(before.payload) != payload:
        raise KeyReused(key)
    if before.code:
        raise CouponRefused(before.code, **before.figures)
    assert before.coupon_id is not None
    return Keyed(before.coupon_id, True)


def _before(merchant: Merchant, key: str) -> CouponRequest | None:
    return CouponRequest.objects.filter(merchant=merchant, key=key).first()


def _try(deed: Callable[[], int]) -> tuple[int | None, CouponRefused | None]:
    """A refusal undoes the deed by itself; what it leaves (a bad code that counts against its caller) has to stay."""
    try:
        return deed(), None
    except CouponRefused as refused:
        if refused.code in PASSING:
            raise
        return None, refused


def _remember(
    merchant: Merchant,
    key: str,
    payload: bytes,
    coupon: int | None,
    refused: CouponRefused | None,
    now: datetime,
    actor: str,
) -> None:
    figures = {} if refused is None else {k: x if isinstance(x, int) else str(x) for k, x in refused.figures.items()}
    CouponRequest.objects.create(
        merchant=merchant, key=key, payload=payload, coupon_id=coupon, code=refused.code if refused else "", figures=figures,
        at=now, actor=actor[:60],
    )  # fmt: skip
