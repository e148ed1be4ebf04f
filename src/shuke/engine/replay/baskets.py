"""What both the engine and the books make of a line that is a basket: the basket that is priced, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shuke.engine.checkout import PricedLine
from shuke.engine.replay.fields import Goods, Line

FREIGHT = "freight"  # the key of the freight's line


def basket_of(line: Line) -> dict[str, Any]:
    """An order with tenders as the basket that is priced."""
    assert line.tenders is not None
    lines: list[dict[str, Any]] = [
        {
            "key": str(n),
            "sku": g.product,
            "category": g.category,
            "brand": g.brand,
            "quantity": f"{g.pieces_milli / 1000:.3f}",
            "amount_minor": g.amount,
        }
        for n, g in enumerate(line.goods, 1)
    ]
    if line.freight:
        lines.append({"key": FREIGHT, "amount_minor": line.freight, "freight": True})
    told = line.tenders
    return {
        "store": line.store,
        "platform": line.platform,
        "channel": line.channel,
        "lines": lines,
        "asks": {
            "coupons": list(told.coupons),
            "points": "most" if told.points < 0 else told.points,
            "stored_value_minor": "most" if told.stored_value < 0 else told.stored_value,
            "gift_cards": list(told.gift_cards),
            "best": told.best,
        },
    }


def sold_goods(line: Line, priced: tuple[PricedLine, ...]) -> tuple[tuple[Goods, ...], int]:
    """What each line cost in money, stored value and gift cards included; and the freight."""
    cost = {one.key: one.due + one.stored_value + sum(n for _, n in one.gift_cards) for one in priced}
    goods = tuple(g._replace(amount=cost[str(n)]) for n, g in enumerate(line.goods, 1))
    return goods, cost.get(FREIGHT, 0)


def to_use(line: Line) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """The basket a coupon is used on, what the coupon is called there, and its code if it was shown."""
    plain = dict(line.basket or {})
    asks = plain.get("asks") if isinstance(plain.get("asks"), dict) else {}
    plain["asks"] = {**(asks or {}), "coupons": [line.ref] if line.ref else []}
    return plain, line.ref or line.code, (line.code,) if line.code else ()


def numbered(
    plain: dict[str, Any], numbers: Mapping[str, str], codes: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The basket with coupons by number, and what each number is called. Who names a coupon that is not there, names one
    that nobody has. `codes` that were shown: as they are looked up."""
    asks = plain.get("asks")
    told = [str(c) for c in (asks.get("coupons") or [])] if isinstance(asks, dict) else []
    names = {number: name for name, number in numbers.items()}
    refs = []
    for n, name in enumerate(told, 1):
        ref = numbers.get(name) or f"{n:014d}"
        names[ref] = name
        refs.append(ref)
    refs += codes.values()
    names |= {ref: code for code, ref in codes.items()}
    if not refs:
        return plain, names
    return {**plain, "asks": {**(asks or {}), "coupons": refs}}, names


def why_unused(priced: dict[str, Any], coupon: str) -> str:
    """Why a coupon took nothing off a basket; "" where it did."""
    if any(one["step"] == "coupons" and one["ref"] == coupon for one in priced["applied"]):
        return ""
    return next(one["reason"] for part in ("skipped", "inapplicable") for one in priced[part] if one["ref"] == coupon)


def void(card: str) -> dict[str, Any]:
    return {"code": "card_not_active", "card": card, "state": "void"}
