"""A business begins: merchant, first store, the owner's account, and the charter it starts with."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.charter import document
from shuke.loyalty import actions as loyalty
from shuke.shops import actions as shops
from shuke.shops import queries
from shuke.shops.models import Merchant, Role, Staff


class Opened(NamedTuple):
    """What is there now. `password` is only known when this call made it."""

    merchant: Merchant
    owner: Staff | None
    password: str
    made: bool


def open_shop(
    *,
    name: str,
    now: datetime,
    zone: str = "Asia/Shanghai",
    currency: str = "CNY",
    stores: list[tuple[str, str, str]] | None = None,
    owner: str = "owner",
    owner_name: str = "",
    password: str = "",
    charter: document.Charter | None = None,
    charter_from: datetime | None = None,
    clock_shift: int = 0,
    actor: str = "",
) -> Opened:
    """Set up a merchant, all or nothing; a merchant of this name that exists is left as it is.

    In this order: merchant, stores, the owner's account (with a password of its own unless one is given), the charter,
    in force from `charter_from` (default: the beginning of that day, so that today's purchases count).
    """
    existing = Merchant.objects.filter(name=name).first()
    if existing is not None:
        first = next((person for person in queries.staff(existing) if person.role == Role.OWNER), None)
        return Opened(existing, first, "", False)
    told = password or shops.new_password()
    with transaction.atomic():
        merchant = shops.create_merchant(
            name=name, zone=zone, currency=currency, clock_shift=clock_shift, now=now, actor=actor
        )
        shops.ensure_stores(merchant=merchant, stores=stores or [("pos", "1", name)])
        person = shops.create_staff(
            merchant=merchant,
            username=owner,
            password=told,
            name=owner_name or name,
            role=Role.OWNER,
            now=now,
            actor=actor,
        )
        loyalty.publish_charter(
            merchant=merchant,
            charter=charter or document.ready().model_copy(update={"currency": currency}),
            effective_from=charter_from
            or now.astimezone(merchant.tz).replace(hour=0, minute=0, second=0, microsecond=0),
            now=now,
            actor=actor,
        )
    return Opened(merchant, person, told, True)
