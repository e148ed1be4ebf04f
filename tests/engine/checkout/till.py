"""Shorthand for tests of the till: a charter's selling part, baskets."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout import Priced, price
from shuke.engine.checkout import document as baskets

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 8, 4, tzinfo=UTC)  # Monday noon in Shanghai


def named(key: str) -> dict:
    return {"key": key, "name": {"zh": f"规则{key}", "en": f"rule {key}"}}


def terms(points_value: str = "0.01", **selling) -> Terms:
    """`prices`, `offers`, `coupons` without names get theirs from the key."""
    for part in ("prices", "offers", "coupons"):
        selling[part] = [named(rule["key"]) | rule for rule in selling.get(part, [])]
    return Terms(
        document.from_plain(
            {
                "name": {"zh": "章程", "en": "Charter"},
                "currency": "CNY",
                "points": {"value": points_value},
                "tiers": [
                    named("member"),
                    named("gold") | {"reach": {"measure": "amount", "at_least": 100}},
                ],
                "selling": selling,
            }
        ),
        SHANGHAI,
        1,
    )


def line(key: str, yuan: float, quantity: object = 1, **more) -> dict:
    return {"key": key, "amount_minor": round(yuan * 100), "quantity": str(quantity), **more}


def ring(of: Terms, *lines: dict, member: dict | None = None, at: datetime = NOW, **more) -> Priced:
    """Price a basket given as its document; coupons held by `coupons=["template", …]` are named c1, c2 …"""
    held = more.pop("coupons", ())
    if held:
        member = {**(member or {}), "coupons": [{"ref": f"c{i}", "template": t} for i, t in enumerate(held, 1)]}
    asks = {name: more.pop(name) for name in ("points", "stored_value_minor", "best") if name in more}
    if held:
        asks["coupons"] = more.pop("ask", [f"c{i}" for i in range(1, len(held) + 1)])
    if cards := more.get("gift_cards"):  # [(ref, yuan), …]: all are asked for unless `ask_cards` says which
        more["gift_cards"] = [{"ref": ref, "balance_minor": round(yuan * 100)} for ref, yuan in cards]
        asks["gift_cards"] = more.pop("ask_cards", [ref for ref, _ in cards])
    told = baskets.from_plain({"lines": list(lines), "member": member, "asks": asks, **more})
    return price(of, baskets.basket(told, "CNY"), baskets.holdings(told), at)


def off(priced: Priced) -> dict[str, int]:
    return {one.ref: one.amount for one in priced.applied}


def reasons(priced: Priced) -> dict[str, str]:
    return {one.ref: one.reason.code for one in (*priced.skipped, *priced.inapplicable)}
