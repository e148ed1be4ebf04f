"""What one member bought: orders with their lines, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from shuke.orders.models import Order, OrderLine
from shuke.orders.queries.came_back import of_lines
from shuke.shops.models import Merchant


class Bought(NamedTuple):
    """One position as pages show it. Money in minor units, quantities in thousandths."""

    title: str
    spec: str
    quantity_milli: int
    amount_minor: int
    refunded_minor: int  # what came back of it, by all that was told (orders/queries/came_back.py)


class Purchase(NamedTuple):
    """One order with at most `lines_shown` of its lines; `order.line_count` says how many there are."""

    order: Order
    at: datetime | None
    store: str
    event: str  # its name in the books
    lines: list[Bought]


def purchases_of(
    merchant: Merchant,
    member_id: int,
    *,
    before: tuple[datetime, int] | None = None,
    limit: int = 10,
    lines_shown: int = 12,
) -> list[Purchase]:
    """A member's orders by the moment of payment (of making, where unpaid). `before` is (at, id) of the last one seen.

    Two queries: the orders with their stores, and the lines of those orders with their products; and what came back of those
    that were refunded.
    """
    orders = (
        Order.objects.filter(merchant=merchant, member_id=member_id)
        .select_related("store", "sold_at")
        .annotate(happened_at=Coalesce("paid_at", "created_at", "closed_at"))
    )
    if before is not None:
        at, pk = before
        orders = orders.filter(Q(happened_at__lt=at) | Q(happened_at=at, pk__lt=pk))
    page = list(orders.order_by(F("happened_at").desc(nulls_last=True), "-pk")[:limit])
    lines: dict[int, list[Bought]] = {order.pk: [] for order in page}
    rows = OrderLine.objects.filter(merchant=merchant, order_id__in=list(lines), position__lt=lines_shown + 1)
    back = of_lines(merchant, [order.pk for order in page if order.refunded_minor > 0])
    for line, order, title, known_as, spec, quantity, amount in rows.order_by("order_id", "position").values_list(
        "id", "order_id", "title", "product__title", "spec", "quantity_milli", "amount_minor"
    ):
        if len(lines[order]) < lines_shown:
            gone = back.get(order, {}).get(line, 0)
            lines[order].append(Bought(title or known_as or "", spec, quantity, amount, gone))
    return [
        Purchase(
            order,
            order.happened_at,
            (order.sold_at or order.store).name,
            f"order:{order.store.platform}:{order.store.code}:{order.number}",
            lines[order.pk],
        )
        for order in page
    ]
