"""What profit is computed from beside members (profit_people) and orders: what the seller states, and what members say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.insight import profit
from shuke.engine.insight.budget import ASSUMED_UPLIFT
from shuke.engine.insight.port import Columns
from shuke.engine.insight.profit import Stated
from shuke.insight.models import ProfitPolicy, StatedCost
from shuke.loyalty.queries import taken_off
from shuke.members.models import AttributeKind, Member, MemberState
from shuke.orders.models import Product
from shuke.shops.models import Merchant

RECOMMEND, WALLET_SHARE = "recommend", "wallet_share"
TOLD = (RECOMMEND, "competitors", "tolerance", "decision_days", WALLET_SHARE)  # attributes a shop may keep by hand


class Terms(NamedTuple):
    """What the shop states, or what is assumed until it does."""

    margin: int  # permille
    margin_assumed: bool
    uplift: int
    uplift_stated: bool
    uplift_source: str  # what measured it; "" = an assumption, also when the shop stated it
    years_tenths: int
    years_assumed: bool


ASSUMED_YEARS = 30  # tenths


def terms_of(merchant: Merchant) -> Terms:
    said = ProfitPolicy.objects.filter(merchant=merchant).first()
    margin = said.margin_permille if said else None
    uplift = said.uplift_permille if said else None
    years = said.years_tenths if said else None
    return Terms(
        merchant.margin_permille if margin is None else margin,
        margin is None,
        ASSUMED_UPLIFT if uplift is None else uplift,
        uplift is not None,
        said.uplift_source if said and uplift is not None else "",
        ASSUMED_YEARS if years is None else years,
        years is None,
    )


def stated(merchant: Merchant) -> dict[str, dict[str, Stated]]:
    """By what (product | category | channel | store), then by key."""
    found: dict[str, dict[str, Stated]] = {what: {} for what in ("product", "category", "channel", "store")}
    for row in StatedCost.objects.filter(merchant=merchant):
        found[row.what][row.key] = Stated(row.margin_permille, row.cost_minor)
    return found


def margins_of(merchant: Merchant, told: dict[str, dict[str, Stated]]) -> Columns:
    """The engine's table of what is stated of products."""
    of_product: dict[int, Stated] = {}
    if told["product"] or told["category"]:
        rows = Product.objects.filter(merchant=merchant).order_by("pk").values_list("pk", "code", "category")
        of_product = profit.margin_of_products(rows.iterator(chunk_size=20_000), told["product"], told["category"])
    columns = [
        (product, -1 if one.margin_permille is None else one.margin_permille, -1 if one.cost_minor is None else one.cost_minor)
        for product, one in of_product.items()
    ]  # fmt: skip
    table = np.array(columns, dtype=np.int64).reshape(-1, 3)
    return {"product": table[:, 0], "permille": table[:, 1], "cost": table[:, 2]}


def taken_of(merchant: Merchant) -> tuple[np.ndarray, np.ndarray]:
    """Ascending orders, and what coupons and points took off each at the till."""
    table = np.array(sorted(taken_off.by_order(merchant).items()), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def said_by(merchant: Merchant) -> Iterator[tuple[int, tuple[int, int]]]:
    """Members with a word of their own: whether they would recommend the shop (0 … 10), and their wallet share (permille)."""
    for pk, attributes in with_attributes(merchant, (RECOMMEND, WALLET_SHARE)):
        yield pk, told_of(attributes)


def told_of(attributes: dict[str, Any]) -> tuple[int, int]:
    """Recommend (0 … 10) and wallet share (permille) as attributes hold them; -1: not told, or no such figure."""
    recommend, share = _number(attributes.get(RECOMMEND)), _number(attributes.get(WALLET_SHARE))
    return (
        round(recommend) if recommend is not None and 0 <= recommend <= 10 else -1,
        round(share * 10) if share is not None and 0 < share <= 100 else -1,
    )


def fields_kept(merchant: Merchant) -> set[str]:
    """Which of the attributes members are asked for this shop keeps."""
    return set(AttributeKind.objects.filter(merchant=merchant, key__in=TOLD).values_list("key", flat=True))


def with_attributes(merchant: Merchant, keys: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Living members who have a value of one of these keys. Nobody, quickly, where the shop keeps none of them."""
    have = list(AttributeKind.objects.filter(merchant=merchant, key__in=keys).values_list("key", flat=True))
    if have:
        told = Member.objects.filter(
            merchant=merchant, state=MemberState.ACTIVE, attributes__has_any_keys=have
        ).values_list("pk", "attributes")
        yield from told.iterator(chunk_size=5_000)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
