"""Writing down what came into the pool and left it, with the price agreed then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shuke.engine.coalition.charging import Flow, Used, amount_micro
from shuke.engine.coalition.prices import Prices, prices_at
from shuke.engine.ledger.books import Effect, Lot
from shuke.kit import bulk, ids
from shuke.loyalty.models import Coalition

_COLUMNS = (
    "id", "merchant_id", "coalition_id", "member_id", "number", "kind", "other_id", "points", "price_micro", "amount_micro",
    "at", "noted_at", "txn_id", "period_id",
)  # fmt: skip


class Moved(NamedTuple):
    """One movement before it is written. `price_micro` None: what was agreed for `priced_at`."""

    merchant: int
    member: int
    number: str
    kind: str
    points: int
    at: datetime
    other: int | None = None
    txn: int | None = None
    priced_at: datetime | None = None
    price_micro: int | None = None


def write(coalition: Coalition, agreed: Mapping[int, Sequence[Prices]], moved: Sequence[Moved], now: datetime) -> int:
    """Insert movements; how many."""
    at = bulk.moment()
    rows = []
    told = [one for one in moved if one.points]
    for pk, one in zip(ids.take(len(told)), told, strict=True):
        prices = prices_at(agreed[one.merchant], one.priced_at or one.at)
        price = prices.redeem_micro if one.kind == "redeemed" else prices.issue_micro
        if one.kind == "used":
            price = 0
        if one.price_micro is not None:
            price = one.price_micro
        amount = amount_micro(one.kind, one.points, price, price)
        rows.append(
            (pk, one.merchant, coalition.pk, one.member, one.number, one.kind, one.other, one.points, price, amount,
             at(one.at), at(now), one.txn, None)
        )  # fmt: skip
    bulk.insert("loyalty_coalition_movement", _COLUMNS, rows)
    return len(rows)


def of_flows(
    told: Sequence[Flow], *, merchant: int, member: int, number: str, at: datetime, txn: int | None
) -> list[Moved]:
    """Flows of one posting as movements; what is burnt at the own till are the merchant's own points."""
    return [
        Moved(
            merchant, member, number, f.kind, f.points, at, merchant if f.kind == "redeemed" else None, txn, f.priced_at
        )
        for f in told
    ]


def used_of(effect: Effect, lots: Mapping[str, Lot]) -> tuple[Used, ...]:
    return tuple(Used(kind, points, lots[key].earned_at) for key, kind, points in effect.uses)
