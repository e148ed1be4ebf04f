"""Orders as doors read them: with the person who asks, so that no order is seen without the right to see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum

from shuke.engine.facts import OrderStatus
from shuke.kit import bulk
from shuke.orders.actions.weighing import order_key
from shuke.orders.models import Order, OrderLine, Product, Refund
from shuke.shops.models import Merchant, Staff, Store

PAGE = 20


class NoSuchOrder(LookupError):
    """There is no such order for the person who asks."""


class Page(NamedTuple):
    """Some rows, and where the next ones begin (None: that was all)."""

    rows: list[Any]
    after: int | None


def order_for(staff: Staff, order_id: int) -> Order:
    """One order of the merchant this person works for; somebody else's is as unknown as one that does not exist."""
    found = (
        Order.objects.filter(merchant_id=staff.merchant_id, pk=order_id)
        .select_related("store", "sold_at", "member")
        .first()
    )
    if found is None or not staff.is_active:
        raise NoSuchOrder(f"There is no order {order_id}.")
    return found


def orders_of(merchant: Merchant, member_id: int, *, offset: int = 0, limit: int = PAGE) -> Page:
    """A member's orders, latest first, with their stores."""
    rows = list(
        Order.objects.filter(merchant=merchant, member_id=member_id)
        .select_related("store", "sold_at")
        .order_by("-paid_at", "-created_at", "-id")[offset : offset + limit + 1]
    )
    return Page(rows[:limit], offset + limit if len(rows) > limit else None)


def lines_of(merchant: Merchant, order_ids: Iterable[int]) -> dict[int, list[OrderLine]]:
    """Lines by order, in their order, with their goods; `title` is filled from the product where the line has none."""
    found: dict[int, list[OrderLine]] = {order_id: [] for order_id in order_ids}
    for line in (
        OrderLine.objects.filter(merchant=merchant, order_id__in=list(found))
        .select_related("product")
        .order_by("order_id", "position")
    ):
        if not line.title and line.product is not None:
            line.title = line.product.title
        found[line.order_id].append(line)
    return found


def refunds_of_order(merchant: Merchant, order_id: int) -> list[Refund]:
    """Refund documents of one order, oldest first."""
    return list(
        Refund.objects.filter(merchant=merchant, order_id=order_id).order_by("finished_at", "requested_at", "id")
    )


def find_by_number(merchant: Merchant, text: str, *, limit: int = 20) -> list[Order]:
    """Orders of exactly this number, in whichever shop; or, if there are none, those whose number begins so (6+ digits)."""
    text = text.strip()
    if not text:
        return []
    orders = Order.objects.filter(merchant=merchant).select_related("store", "member").order_by("number", "id")
    exact = list(orders.filter(number=text)[:limit])
    if exact or len(text) < 6:
        return exact
    # A range, so that the index on (merchant, number) serves it on both engines.
    return list(orders.filter(number__gte=text, number__lt=text + "\U0010ffff")[:limit])


def event_key(order: Order) -> str:
    """The order's name in the books and on the timeline."""
    return order_key(order.store.platform, order.store.code, order.number)


def by_event(merchant: Merchant, event: str) -> int | None:
    """The order of that name in the books. Codes and numbers may have colons in them: every way to part them is looked at."""
    _, _, named = event.partition(":")
    platform, _, rest = named.partition(":")
    places = [i for i, sign in enumerate(rest) if sign == ":"]
    for place in places:
        found = Order.objects.filter(
            merchant=merchant, number=rest[place + 1 :], store__platform=platform, store__code=rest[:place]
        ).values_list("id", flat=True)
        for pk in found:
            return pk
    return None


def ids_by_event(merchant: Merchant, events: Iterable[str]) -> dict[str, int]:
    """Of many names in the books, the orders that are in the archive."""
    stores = {order_key(one.platform, one.code, ""): one.pk for one in Store.objects.filter(merchant=merchant)}
    named: dict[int, dict[str, str]] = {}
    for event in events:
        for place in (i + 1 for i, sign in enumerate(event) if sign == ":"):
            if (store := stores.get(event[:place])) is not None:
                named.setdefault(store, {})[event[place:]] = event
    found = {}
    for store, numbers in named.items():
        listed = list(numbers)
        for start in range(0, len(listed), 5_000):
            where, wanted = bulk.among("number", listed[start : start + 5_000])
            sql = f"SELECT number, id FROM orders_order WHERE merchant_id = %s AND store_id = %s AND {where}"
            found.update({numbers[number]: pk for number, pk in bulk.select(sql, [merchant.pk, store, wanted])})
    return found


class Figures(NamedTuple):
    """Counts of one merchant's archive; money in minor units."""

    orders: int
    purchases: int
    lines: int
    refunds: int  # documents
    refunded_orders: int
    net_minor: int


def figures(merchant: Merchant) -> Figures:
    """What `shuke stats` says of orders."""
    orders = Order.objects.filter(merchant=merchant)
    return Figures(
        orders.count(),
        bought(orders).count(),
        OrderLine.objects.filter(merchant=merchant).count(),
        Refund.objects.filter(merchant=merchant).count(),
        orders.filter(refunded_minor__gt=0).count(),
        orders.aggregate(n=Sum("net_minor"))["n"] or 0,
    )


def bought(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Those that are purchases: paid at some time, and not marked as anything else."""
    return orders.exclude(status__in=[OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID]).filter(excluded="")


def goods_by_code(merchant: Merchant, codes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Category and brand of the catalogue's goods, by code."""
    found = Product.objects.filter(merchant=merchant, code__in=set(codes))
    return {code: (category, brand) for code, category, brand in found.values_list("code", "category", "brand")}
