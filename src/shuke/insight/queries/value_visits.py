"""The member-day roll-up that value is learnt from: who bought on which day, and for how much, net of what came back."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from django.db.models import QuerySet

from shuke.engine.facts import OrderStatus
from shuke.engine.insight import kpi, lifecycle, pyramid
from shuke.engine.insight.clv import shop
from shuke.engine.insight.clv.enough import LEAST_REPEATERS
from shuke.engine.insight.clv.history import Visits
from shuke.engine.insight.port import Port
from shuke.engine.insight.standing import Published
from shuke.insight.models import Snapshot, ValueReport
from shuke.insight.queries import analytics
from shuke.insight.queries.goods_sales import files_of, living
from shuke.kit import clock
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

FEW_ORDERS = 2 * LEAST_REPEATERS  # with fewer there are not repeaters enough for anything


def visits_of(merchant: Merchant, day: date, engine: Port | None = None) -> Visits:
    """Of all living members up to the end of `day`; what is dated later does not count. Amounts in minor units.

    From the columns, which must be fresh (`snapshot` sees to it), or from an engine that keeps the table `days` up to that day.
    """
    if _paid(merchant, day)[:FEW_ORDERS].count() < FEW_ORDERS:
        return _of_few(merchant, day)
    if engine is not None:
        rows = engine.run("visits", as_of=kpi.day_number(day))
    else:
        with analytics.opened() as own:
            own.files("heads", files_of(merchant)["heads"])
            own.table("members", living(merchant))
            own.keep("days", as_of=kpi.day_number(day))
            rows = own.run("visits", as_of=kpi.day_number(day))
    return _merged(rows["who"], rows["on_day"], rows["bought"], rows["net_sum"])


def layers_of(merchant: Merchant, seen: Visits, day: date) -> np.ndarray:
    """Index into pyramid.LAYERS (int64) for each customer, by spend of the window and the bounds last published."""
    within = seen.day > kpi.day_number(day) - kpi.WINDOW_DAYS
    size = seen.customers.size
    net = np.bincount(seen.customer[within], weights=seen.amount[within], minlength=size).astype(np.int64)
    last = (
        Snapshot.objects.filter(merchant=merchant, day__lte=day).order_by("-day").values_list("cuts", flat=True).first()
    )
    bounds = Published.from_json(last).pyramid if last else pyramid.bounds(net[net > 0], fixed_on=day)
    return pyramid.layers(net, bounds).astype(np.int64)


def ways_of(merchant: Merchant, seen: Visits) -> dict[str, np.ndarray] | None:
    """How each customer came, in words: the platform of the home store, and the way of acquisition ("": not known).

    None where neither tells customers apart.
    """
    platforms = {store.id: store.platform for store in shops.stores(merchant)}
    living = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE)
    if len(set(platforms.values())) < 2 and not living.filter(acquired_by__gt="").exists():
        return None
    found = np.full((2, seen.customers.size), "", dtype="<U60")
    for member, store, way in living.values_list("pk", "home_store_id", "acquired_by").iterator(chunk_size=20_000):
        at = int(np.searchsorted(seen.customers, member))
        if at < seen.customers.size and seen.customers[at] == member:
            found[:, at] = platforms.get(store, ""), way
    return {"channel": found[0], "acquisition": found[1]}


def chance_of(merchant: Merchant) -> lifecycle.Chance | None:
    """The chance to buy within 90 days by what the latest report learnt; None where it could not tell any."""
    figures = ValueReport.objects.filter(merchant=merchant).order_by("-day").values_list("figures", flat=True).first()
    return shop.chance_of(figures["check"], figures["fit"]) if figures else None


def _of_few(merchant: Merchant, day: date) -> Visits:
    """Read from the orders themselves: for shops too small for the engine to be worth starting."""
    found: dict[tuple[int, int], list[int]] = {}
    rows = _paid(merchant, day).values_list("member_id", "paid_at", "net_minor", "refunded_minor", "status", "excluded")
    for member, at, net, back, status, excluded in rows:
        if at is None or excluded or status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID):
            continue
        on = found.setdefault((member, kpi.day_number(clock.day_of(at, merchant.tz))), [0, 0])
        on[0] += not (net <= 0 and back > 0)
        on[1] += net
    listed = np.array([(*key, *sums) for key, sums in sorted(found.items())], np.int64).reshape(-1, 4)
    return _merged(*listed.T)


def _paid(merchant: Merchant, day: date) -> QuerySet[Order]:
    end = clock.day_start(day + timedelta(days=1), merchant.tz)
    return Order.objects.filter(merchant=merchant, member__state=MemberState.ACTIVE, paid_at__lt=end)


def _merged(who: np.ndarray, on: np.ndarray, count: np.ndarray, net_sum: np.ndarray) -> Visits:
    net = net_sum.astype(np.float64)
    bought = (count > 0) & (net >= 0)
    begins = np.append(True, who[1:] != who[:-1])[: who.size]  # rows ascend by member
    customers, code = who[begins], np.cumsum(begins) - 1
    on, back = on.astype(np.int64), ~bought
    return Visits(customers, code[bought], on[bought], net[bought], code[back], on[back], net[back])
