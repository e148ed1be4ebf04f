"""A shop with coupons and points as money, for tests of coupons and of the till."""

from __future__ import annotations

from typing import Any

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.checkout import document as baskets
from shuke.loyalty.actions import coupons
from shuke.shops.models import Merchant
from tests.loyalty.books import CHARTER, NOW, publish

SELLING = {
    "prices": [{"key": "gold_price", "name": {"zh": "金卡价", "en": "Gold price"}, "percent": 5, "when": {"tiers": ["gold"]}}],
    "points": {"share": 50},
    "most_coupons": 2,
}  # fmt: skip


def open_till(merchant: Merchant, **selling: Any) -> None:
    publish(merchant, CHARTER | {"selling": SELLING | selling})


def template(merchant: Merchant, key: str = "ten", **more: Any) -> Template:
    """10 yuan off, if nothing else is said."""
    told = Template.model_validate(
        {"key": key, "name": {"zh": f"券{key}", "en": key}, "kind": "amount", "amount": "10"} | more
    )
    coupons.save_template(merchant=merchant, template=told, now=NOW, actor="test")
    return told


def give(merchant: Merchant, member: int, key: str = "ten", number: int = 1) -> list[int]:
    (told,) = coupons.issue(
        merchant=merchant, issues=[coupons.Issue(key, member, "hand", copies=number)], now=NOW, actor="test"
    )
    assert not told.code, told.code
    return list(told.coupons)


def basket(*yuan: float, **asks: Any) -> tuple[Any, dict]:
    """Lines a, b, c … as the engine's basket and as its document."""
    told = {
        "lines": [{"key": chr(97 + i), "amount_minor": round(y * 100)} for i, y in enumerate(yuan)],
        "asks": asks,
    }
    return baskets.basket(baskets.from_plain(told), "CNY"), told
