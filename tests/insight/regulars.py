"""A shop with history enough for its members' value to be told, written straight into the tables."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from shuke.engine.facts import OrderStatus
from shuke.insight import actions
from shuke.members.models import Member
from shuke.orders.models import Order
from tests.cast import Shop
from tests.insight.till import at, night

DAY = date(2026, 6, 30)


def regulars(lan: Shop, size: int = 220, *, days: int = 500, seed: int = 7) -> list[Member]:
    """Members who buy at rates of their own and leave after some purchase; the last of them a wholesaler. Then a night."""
    draw = np.random.default_rng(seed)
    first = DAY - timedelta(days=days)
    people = Member.objects.bulk_create(
        Member(merchant=lan.merchant, card=f"R{n}", name=f"会员{n}", joined_at=at(lan, first.isoformat()))
        for n in range(size)
    )
    sold = []
    for n, who in enumerate(people):
        day, gap, leaves = draw.uniform(1, 400), draw.gamma(2.0, 15.0) + 4, draw.beta(1.0, 8.0)
        own = 3_000_000 if n == size - 1 else round(4_000 * draw.gamma(4.0, 0.25)) + 500
        while day <= days:
            sold.append((who, first + timedelta(days=int(day)), own))
            if draw.random() < leaves:
                break
            day += draw.exponential(gap) + 1
    Order.objects.bulk_create(
        Order(
            merchant=lan.merchant, number=f"R{n}", member=who, status=OrderStatus.FINISHED, net_minor=net, paid_minor=net,
            refunded_minor=0, pieces_milli=1_000, line_count=1, store=lan.street, currency="CNY",
            paid_at=at(lan, day.isoformat()), digest=str(n).encode().ljust(16, b"."),
        )
        for n, (who, day, net) in enumerate(sold)
    )  # fmt: skip
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, DAY.isoformat()))
    return people
