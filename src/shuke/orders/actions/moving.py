"""Orders change hands when two members are merged, or parted again."""

from __future__ import annotations

from collections.abc import Sequence

from shuke.kit import bulk
from shuke.shops.models import Merchant


def move_orders(*, merchant: Merchant, owner: int, to: int, order_ids: Sequence[int] | None = None) -> list[int]:
    """Make a member's orders (all, or those named) another's; the ids of those that moved."""
    where, values = ("", []) if order_ids is None else bulk.among("id", order_ids)
    rows = bulk.select(
        "UPDATE orders_order SET member_id = %s WHERE merchant_id = %s AND member_id = %s"
        + (f" AND {where}" if where else "")
        + " RETURNING id",
        [to, merchant.pk, owner, *([values] if where else [])],
    )
    return sorted(pk for (pk,) in rows)
