"""A shop with stored value, for tests of its books."""

from __future__ import annotations

from typing import Any

from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import Answer, Ask
from shuke.shops.models import Merchant
from tests.loyalty.books import CHARTER, NOW, publish

STORED: dict[str, Any] = {
    "ladder": [{"at_least": 500, "bonus": 30}, {"at_least": 1000, "bonus": 100}],
    "bonus_months": 12,
    "second_person_above": 50,
}


def open_stored(merchant: Merchant, **more: Any) -> None:
    selling = {"points": {"share": 50}}
    publish(merchant, CHARTER | {"selling": selling, "stored": STORED | more})


def do(
    merchant: Merchant, member: int | None, kind: str, yuan: float = 0, key: str = "", now=NOW, **more: Any
) -> Answer:
    do.count += 1  # type: ignore[attr-defined]
    one = Ask(key or f"k{do.count}", kind, member, round(yuan * 100), **more)  # type: ignore[attr-defined]
    return stored.ask(merchant=merchant, asks=[one], now=now, actor="lan.assistant")[0]


do.count = 0  # type: ignore[attr-defined]
