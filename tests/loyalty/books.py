"""Shorthand for tests of the books: members, orders, a charter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shuke.engine import facts
from shuke.engine.charter import document
from shuke.loyalty import actions
from shuke.members.models import Member
from shuke.orders.actions import Outcome, record, record_refunds
from shuke.shops.models import Merchant

START = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)

CHARTER = {
    "name": {"zh": "章程", "en": "Charter"},
    "currency": "CNY",
    "points": {"pending_days": 5, "expiry": {"kind": "months", "months": 3, "to_month_end": True}},
    "tiers": [
        {"key": "member", "name": {"zh": "普通", "en": "Member"}},
        {
            "key": "gold",
            "name": {"zh": "金卡", "en": "Gold"},
            "multiplier": "1.5",
            "reach": {"any": [{"measure": "amount", "at_least": 800}, {"measure": "orders", "at_least": 5}]},
        },
    ],
    "grading": {"window": {"kind": "rolling", "months": 3}, "review": {"kind": "after_months", "months": 3}, "grace_days": 7},
    "earning": [
        {"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"},
        {"key": "care", "name": {"zh": "护肤", "en": "Skin care"}, "kind": "per_amount", "when": {"categories": ["护肤"]}},
        {"key": "welcome", "name": {"zh": "首单", "en": "First"}, "kind": "fixed", "points": 20, "when": {"first_purchase": True}},
        {"key": "day", "name": {"zh": "会员日", "en": "Day"}, "kind": "multiply", "times": 2, "when": {"month_days": [8]}},
        {"key": "big", "name": {"zh": "满额", "en": "Big"}, "kind": "fixed", "points": 10, "when": {"min_amount": 300}, "caps": {"per_month": 20}},
    ],
}  # fmt: skip


def publish(merchant: Merchant, charter: dict | None = None) -> None:
    actions.publish_charter(
        merchant=merchant, charter=document.from_plain(charter or CHARTER), effective_from=START, now=NOW, actor="test"
    )


def member(merchant: Merchant, n: int = 1, **profile) -> int:
    return Member.objects.create(merchant=merchant, card=f"{n:08d}", joined_at=START, name=f"会员{n}", **profile).pk


def order(number: str, days: float, yuan: float, **changes) -> facts.Order:
    """A paid order `days` after START with two lines, a third of it skin care."""
    paid = round(yuan * 100)
    at = START + timedelta(days=days)
    values = {
        "status": facts.OrderStatus.FINISHED, "created_at": at, "paid_at": at, "finished_at": at + timedelta(days=3),
        "goods_minor": paid, "paid_minor": paid, "freight_minor": 0, "stated_at": at + timedelta(days=4),
        "lines": (
            facts.Line("面霜", 1000, paid // 3, "A1", category="护肤/面霜"),
            facts.Line("口红", 1000, paid - paid // 3, "B1", category="彩妆/口红"),
        ),
    }  # fmt: skip
    return facts.Order("taobao", "兰记护肤", number, **(values | changes))


def refund(number: str, order_number: str, days: float, yuan: float) -> facts.Refund:
    return facts.Refund(
        "taobao", "兰记护肤", order_number, number, round(yuan * 100), finished_at=START + timedelta(days=days)
    )


def take(merchant: Merchant, buyer: int, *what: facts.Order | facts.Refund, now: datetime = NOW) -> None:
    """Record and settle, as the flow does."""
    orders = [w for w in what if isinstance(w, facts.Order)]
    refunds = [w for w in what if isinstance(w, facts.Refund)]
    recorded = record(merchant=merchant, orders=orders, member_ids=[buyer] * len(orders), now=now)
    ids = [r.order_id for r in recorded]
    ids += [o.order_id for o in record_refunds(merchant=merchant, refunds=refunds, now=now).orders]
    changed = {r.member_id for r in recorded if r.outcome is Outcome.CHANGED and r.member_id is not None}
    actions.settle(merchant=merchant, order_ids=ids, also_members=changed, now=now, actor="test")
