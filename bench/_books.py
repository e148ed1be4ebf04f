"""Books for measurements: made through the public actions, in bulk, so that they are right and `verify` finds nothing."""

from __future__ import annotations

import gc
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2025, 1, 1, 4, tzinfo=UTC)
DAYS = 500
NOW = BEGIN + timedelta(days=DAYS + 10)
CHUNK = 5_000
CHARTER = {
    "name": {"zh": "章程", "en": "Charter"},
    "currency": "CNY",
    "points": {"pending_days": 7, "expiry": {"kind": "months", "months": 12, "to_month_end": True}},
    "tiers": [
        {"key": "member", "name": {"zh": "普通", "en": "Member"}},
        {
            "key": "gold",
            "name": {"zh": "金卡", "en": "Gold"},
            "multiplier": "1.5",
            "reach": {"any": [{"measure": "amount", "at_least": 2000}, {"measure": "orders", "at_least": 8}]},
        },
    ],
    "grading": {"window": {"kind": "rolling", "months": 12}, "review": {"kind": "after_months", "months": 12}},
    "earning": [
        {"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"},
        {"key": "first", "name": {"zh": "首单", "en": "First"}, "kind": "fixed", "points": 20,
         "when": {"first_purchase": True}},
        {"key": "day", "name": {"zh": "会员日", "en": "Day"}, "kind": "multiply", "times": 2, "when": {"month_days": [8]}},
        {"key": "big", "name": {"zh": "满额", "en": "Big"}, "kind": "fixed", "points": 10,
         "when": {"min_amount": 300}, "caps": {"per_month": 20}},
    ],
}  # fmt: skip


def django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "shuke.settings"
    import django as web

    web.setup()


def shop(charter: dict[str, Any] = CHARTER, name: str = "Bench") -> Any:
    """A merchant with a charter in force, in a database brought up to date."""
    from django.core.management import call_command
    from django.db import connection

    from shuke.engine.charter import document
    from shuke.loyalty import actions
    from shuke.shops.actions import create_merchant

    if "shops_merchant" not in connection.introspection.table_names():
        call_command("migrate", verbosity=0)
    merchant = create_merchant(name=name, zone="Asia/Shanghai", currency="CNY", now=BEGIN)
    actions.publish_charter(
        merchant=merchant, charter=document.from_plain(charter), effective_from=BEGIN, now=BEGIN, actor="bench"
    )
    return merchant


def people(merchant: Any, count: int) -> list[int]:
    from shuke.kit import bulk, ids
    from shuke.members.models import Member

    found = ids.take(count)
    Member.objects.bulk_create(
        (Member(pk=pk, merchant=merchant, card=f"{n:08d}", joined_at=BEGIN) for n, pk in enumerate(found)),
        batch_size=5_000,
    )
    bulk.learn_statistics()
    return found


def live(merchant: Any, entries: int) -> int:
    """About `entries` legs: orders over 500 days, a few of them given back, spends in the last days, a night, a seal.

    Returns how many orders. Of fourteen legs eleven come from orders, the others from what lapsed and was spent.
    """
    from shuke.engine import facts
    from shuke.loyalty import actions
    from shuke.orders.actions import record

    rng = random.Random(7)
    count = entries * 2 // 5
    members = people(merchant, max(count // 6, 1))
    step = timedelta(days=DAYS) / count
    gc.freeze()
    for start in range(0, count, CHUNK):
        orders, owners = [], []
        for n in range(start, min(start + CHUNK, count)):
            at, paid = BEGIN + step * n, rng.randrange(2_000, 60_000)
            back = paid // 2 if rng.random() < 0.02 else 0
            lines = (facts.Line("商品", 1000, paid, f"G{rng.randrange(3000)}", category="护肤/面霜"),)
            orders.append(
                facts.Order(
                    "pos", "bench", f"{10_000_000 + n}", facts.OrderStatus.FINISHED, at, at, None, at, goods_minor=paid,
                    paid_minor=paid, freight_minor=0, refunded_minor=back,
                    lines=lines, stated_at=at,
                )
            )  # fmt: skip
            owners.append(rng.choice(members))
        recorded = record(merchant=merchant, orders=orders, member_ids=owners, now=NOW)
        actions.settle(merchant=merchant, order_ids=[r.order_id for r in recorded], now=NOW, actor="bench")
    end = BEGIN + timedelta(days=DAYS + 1)
    actions.run_clock(merchant=merchant, now=end)
    spends = [actions.Ask(f"spend{n}", "burn", member, rng.randrange(5, 60)) for n, member in enumerate(members)]
    for start in range(0, len(spends), CHUNK):
        actions.ask(merchant=merchant, asks=spends[start : start + CHUNK], now=end, actor="bench")
    actions.seal(merchant=merchant, now=end)
    return count
