"""Members and sales straight into the tables, for tests that are about reading them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from shuke.engine.facts import OrderStatus
from shuke.kit import clock
from shuke.members.models import Member
from shuke.orders.models import Order, OrderLine
from tests.cast import Shop

_numbers = count(1)


def member(shop: Shop, name: str, joined: str = "2026-01-05", **more) -> Member:
    return Member.objects.create(
        merchant=shop.merchant, card=f"C{next(_numbers)}", name=name, joined_at=at(shop, joined), **more
    )


def at(shop: Shop, day: str, time: str = "12:00") -> datetime:
    """An instant of the shop's own clock."""
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=shop.merchant.tz).astimezone(clock.UTC)


def sell(
    shop: Shop,
    buyer: Member | None,
    day: str,
    net: int = 10_000,
    *,
    time: str = "12:00",
    status: OrderStatus = OrderStatus.FINISHED,
    quantities: tuple[int, ...] = (1_000,),
    refunded: int = 0,
    **more,
) -> Order:
    """One order of `net` minor units, in the first street store unless told otherwise."""
    number = str(next(_numbers))
    values = {
        "store": shop.street,
        "currency": "CNY",
        "paid_at": at(shop, day, time),
        "paid_minor": net + refunded,
        "digest": number.encode().ljust(16, b"."),
    } | more
    order = Order.objects.create(
        merchant=shop.merchant,
        number=number,
        member=buyer,
        status=status,
        net_minor=net,
        refunded_minor=refunded,
        pieces_milli=sum(quantities),
        line_count=len(quantities),
        **values,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            merchant=shop.merchant,
            order=order,
            position=i,
            quantity_milli=quantity,
            amount_minor=net // len(quantities),
        )
        for i, quantity in enumerate(quantities)
    )
    return order


def night(shop: Shop, day: str) -> datetime:
    """Two in the morning after `day`."""
    return at(shop, day, "02:00") + timedelta(days=1)
