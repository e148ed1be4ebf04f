"""Baskets that hold or used something."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from shuke.engine.checkout import PricedLine
from shuke.kit import bulk
from shuke.loyalty.models import Checkout, CheckoutReturn
from shuke.shops.models import Merchant

BY_MONEY = "*"  # in Checkout.returned: minor units given back in all, where the goods were not told


def checkout(merchant: Merchant, key: str, *, lock: bool = False) -> Checkout | None:
    rows = Checkout.objects.filter(merchant=merchant, key=key)
    return (rows.select_for_update(no_key=True) if lock else rows).first()


def checkout_of_id(merchant: Merchant, pk: int, *, lock: bool = False) -> Checkout | None:
    rows = Checkout.objects.filter(merchant=merchant, pk=pk)
    return (rows.select_for_update(no_key=True) if lock else rows).first()


def of_orders(merchant: Merchant, events: Collection[str]) -> dict[str, Checkout]:
    """Captured baskets by the order they became."""
    condition, parameter = bulk.among("order_event", [e for e in events if e])
    ids = bulk.select(
        f"SELECT id FROM loyalty_checkout WHERE merchant_id = %s AND order_event <> '' AND {condition}",
        [merchant.pk, parameter],
    )
    return {row.order_event: row for row in Checkout.objects.filter(pk__in=[pk for (pk,) in ids])}


def any_captured(merchant: Merchant) -> bool:
    """Did any basket ever become an order here? Shops without a till of ours are asked nothing more."""
    sql = "SELECT 1 FROM loyalty_checkout WHERE merchant_id = %s AND NOT (order_event = '') LIMIT 1"
    return bool(bulk.select(sql, [merchant.pk]))


def taken_from(merchant: Merchant, members: QuerySet[Any, Any], *, limit: int = 50) -> list[Checkout]:
    """Baskets that were paid, of a member and whoever was merged into them (`families.family`), the latest first."""
    rows = Checkout.objects.filter(merchant=merchant, member_id__in=members, state="captured")
    return list(rows.order_by("-placed_at", "-id")[:limit])


def timed_out(merchant: Merchant, now: datetime, *, limit: int = 500) -> list[Checkout]:
    rows = Checkout.objects.filter(merchant=merchant, state="open", times_out_at__lte=now)
    return list(rows.order_by("times_out_at")[:limit])


def any_timed_out(merchant: Merchant, now: datetime) -> bool:
    return Checkout.objects.filter(merchant=merchant, state="open", times_out_at__lte=now).exists()


def return_of(merchant: Merchant, key: str) -> CheckoutReturn | None:
    return CheckoutReturn.objects.filter(merchant=merchant, key=key).first()


def given_by_requests(row: Checkout) -> int:
    """Points of this basket that were given back by requests. What follows the refunds of its order needs none; versions before
    this one asked for that too, on the day it was told."""
    if BY_MONEY not in row.returned:
        return row.returned_points
    told = CheckoutReturn.objects.filter(merchant=row.merchant_id, checkout=row).values_list("back", flat=True)
    return sum(back["points"] for back in told if not back.get("followed"))


def nth_return(row: Checkout, key: str) -> int:
    """Which return of the basket this was, from 1."""
    keys = list(CheckoutReturn.objects.filter(merchant=row.merchant_id, checkout=row).order_by("id").values_list("key", flat=True))  # fmt: skip
    return keys.index(key) + 1


def booked_alike(merchant: Merchant, row: Checkout, since: datetime) -> Checkout | None:
    """The same goods at the same price, sold to the same member since then: perhaps it is the same sale, told by another page."""
    if row.member_id is None:
        return None
    found = Checkout.objects.filter(
        merchant=merchant, member_id=row.member_id, placed_at__gte=since, state="captured", booked=True
    ).exclude(pk=row.pk)
    return next(
        (
            one
            for one in found.order_by("-placed_at")
            if one.basket.get("lines") == row.basket.get("lines") and not one.returned
        ),
        None,
    )


def lines_of(row: Checkout) -> tuple[PricedLine, ...]:
    """The priced lines as they were answered."""
    return plain_lines(row.priced)


def plain_lines(priced: Mapping[str, Any]) -> tuple[PricedLine, ...]:
    return tuple(
        PricedLine(
            line["key"],
            line["quantity_milli"],
            line["list_minor"],
            tuple((d["ref"], d["amount_minor"]) for d in line["discounts"]),
            line["points_minor"],
            line["points"],
            line["stored_value_minor"],
            line["due_minor"],
            tuple((card["ref"], card["amount_minor"]) for card in line.get("gift_cards", ())),
        )
        for line in priced["lines"]
    )
