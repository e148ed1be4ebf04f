"""Small markets as plain rows, and random ones with known habits."""

from __future__ import annotations

import numpy as np

from shuke.engine.insight.goods.sales import Sales, sales

Row = tuple[int, int, int, int]  # order, member (0: a guest), day, item


def market(rows: list[Row], *, amount: int = 1_000, refunded: list[int] | None = None) -> Sales:
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    back = None if refunded is None else np.array(refunded, dtype=np.int64)
    return sales(*table.T, np.full(table.shape[0], amount, dtype=np.int64), back)


def at(sold: Sales, item: int) -> int:
    """The place of an item."""
    return int(np.searchsorted(sold.items, item))


def who(sold: Sales, member: int) -> int:
    return int(np.searchsorted(sold.members, member))


def tastes(members: int = 240, days: int = 240, seed: int = 5) -> Sales:
    """Two camps that share three bestsellers (1 … 3) and each keep to twelve items of their own (11 … 22, 31 … 42)."""
    dice = np.random.default_rng(seed)
    rows = []
    order = 0
    for member in range(1, members + 1):
        own = np.arange(11, 23) if member % 2 else np.arange(31, 43)
        for day in np.flatnonzero(dice.random(days) < 0.06):
            order += 1
            chosen = {int(one) for one in dice.choice(own, 2, replace=False)}
            chosen |= {int(one) for one in (1, 2, 3) if dice.random() < 0.3}
            rows += [(order, member, int(day), item) for item in sorted(chosen)]
    return market(rows)
