"""The seller: merchants and stores."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from shuke.kit import audit, bulk, instances
from shuke.shops.models import Merchant, Store


class UnknownZone(ValueError):
    """The time zone has no such name."""


def create_merchant(
    *,
    name: str,
    now: datetime,
    zone: str = "Asia/Shanghai",
    currency: str = "CNY",
    clock_shift: int = 0,
    margin_permille: int = 300,
    actor: str = "",
) -> Merchant:
    """Open the books of one business. `clock_shift` (seconds) is only for demos that live in recorded history."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnknownZone(f"There is no time zone called “{zone}”. Write it like Asia/Shanghai.") from error
    with transaction.atomic():
        merchant = Merchant.objects.create(
            name=name,
            zone=zone,
            currency=currency,
            clock_shift=clock_shift,
            margin_permille=margin_permille,
            created_at=now,
        )
        audit.record(merchant_id=merchant.id, at=now, actor=actor or "system", verb="merchant.created")
    return merchant


def set_clock_shift(*, merchant: Merchant, seconds: int) -> None:
    """Move the merchant's clock (the demo's stands at the end of its history)."""
    Merchant.objects.filter(pk=merchant.pk).update(clock_shift=seconds)
    merchant.clock_shift = seconds


def ensure_stores(*, merchant: Merchant, stores: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], Store]:
    """Make the stores that are not there yet, from (platform, code, name); answer all asked for, by (platform, code).

    Safe beside another process doing the same: the unique constraint decides, both get the same rows. A store that
    exists keeps its name.
    """
    asked = {(platform, code): name for platform, code, name in stores}
    if not asked:
        return {}
    known = _stores(merchant, asked)
    missing = [
        Store(merchant=merchant, platform=platform, code=code, name=(name or code)[:100])
        for (platform, code), name in asked.items()
        if (platform, code) not in known
    ]
    if missing:
        Store.objects.bulk_create(missing, ignore_conflicts=True)
        known = _stores(merchant, asked)
    return known


def _stores(merchant: Merchant, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Store]:
    wanted = set(asked)
    where, codes = bulk.among("code", {code for _, code in wanted})
    rows = instances.read(Store, f"WHERE merchant_id = %s AND {where}", [merchant.pk, codes])
    return {(s.platform, s.code): s for s in rows if (s.platform, s.code) in wanted}


def create_store(*, merchant: Merchant, platform: str, code: str, name: str) -> Store:
    """One store; the existing one if there is one by that platform and code."""
    return ensure_stores(merchant=merchant, stores=[(platform, code, name)])[platform, code]
