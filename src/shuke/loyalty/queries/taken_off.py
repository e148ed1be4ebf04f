"""What the members' programme took off orders at the till: coupons and points as money, by order.

It is less revenue already, so it is no cost besides (member_costs); but goods cost the same whatever a coupon takes off, so
whoever reckons their cost from what was paid must know it. Freight coupons are not here: freight is no revenue.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db.models import Sum

from shuke.kit import bulk
from shuke.loyalty.models import Coupon, CouponTemplate
from shuke.loyalty.models.coupons import CouponState
from shuke.orders.queries.archive import ids_by_event
from shuke.shops.models import Merchant

_BASKETS = "SELECT {columns} FROM loyalty_checkout WHERE merchant_id = %s AND order_event <> '' AND state = 'captured' AND {which}"


def by_order(merchant: Merchant) -> dict[int, int]:
    """Order id → minor units taken off when it was paid, whatever came back since. A coupon that was given back counts no more."""
    events: dict[str, int] = defaultdict(int)
    by_basket = _of_coupons(merchant)
    listed = list(by_basket)
    for start in range(0, len(listed), 5_000):
        where, baskets = bulk.among("id", listed[start : start + 5_000])
        sql = _BASKETS.format(columns="order_event, id", which=where).replace("WHERE merchant_id", "WHERE +merchant_id")
        for event, basket in bulk.select(sql, [merchant.pk, baskets]):
            events[event] += by_basket[basket]
    told = (
        "(priced->'totals'->>'points_minor')::bigint"
        if bulk.is_postgres()
        else "json_extract(priced, '$.totals.points_minor')"
    )
    for event, minor in bulk.select(_BASKETS.format(columns=f"order_event, {told}", which="points > 0"), [merchant.pk]):
        events[event] += int(minor)
    orders = ids_by_event(merchant, events)
    return {orders[event]: minor for event, minor in events.items() if event in orders}


def by_member(merchant: Merchant, until: datetime) -> dict[int, int]:
    """Member → the part of it that is in what they bought before `until` and kept: of goods given back it comes back as the money does."""
    taken = by_order(merchant)
    found: dict[int, int] = defaultdict(int)
    listed = list(taken)
    for start in range(0, len(listed), 5_000):
        where, orders = bulk.among("id", listed[start : start + 5_000])
        sql = (
            "SELECT id, member_id, net_minor, refunded_minor FROM orders_order "
            f"WHERE +merchant_id = %s AND excluded = '' AND paid_at < %s AND {where}"
        )
        for pk, member, net, back in bulk.select(sql, [merchant.pk, bulk.moment()(until), orders]):
            if member is not None:
                found[member] += (2 * taken[pk] * net + net + back) // (2 * (net + back)) if back else taken[pk]
    return found


def _of_coupons(merchant: Merchant) -> dict[int, int]:
    """Basket → what coupons took off its goods."""
    freight = CouponTemplate.objects.filter(merchant=merchant, document__kind="freight").values_list("pk", flat=True)
    used = Coupon.objects.filter(merchant=merchant, checkout_id__isnull=False, state=CouponState.REDEEMED)
    sums = used.exclude(template__in=list(freight)).values_list("checkout_id").annotate(minor=Sum("amount_minor"))
    return {basket: int(minor) for basket, minor in sums.order_by() if basket is not None and minor}
