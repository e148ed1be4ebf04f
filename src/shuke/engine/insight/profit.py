"""What members earn the shop: margin of what they bought and kept, less what was spent on them.

Plain arrays in and out, money in minor units, shares in thousandths. Sources and worked tables: docs/algorithms/profit.md.

    from shuke.engine.insight import profit
    profit.margins(net, kept, weighted, costed, cost_milli, taken, default=300)     # margin of each order
    profit.plain_worth(yearly_margin=80_000, years_tenths=30, promotion=9_000, care=1_000, service=2_000)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

KINDS = ("acquisition", "care", "service", "reward", "recovery")


class Stated(NamedTuple):
    """What the seller says goods leave: a margin in thousandths of the price, or what one piece costs. One of them."""

    margin_permille: int | None = None
    cost_minor: int | None = None


def margin_of_products(
    products: Iterable[tuple[int, str, str]], by_product: Mapping[str, Stated], by_category: Mapping[str, Stated]
) -> dict[int, Stated]:
    """Product id → what is stated of it: its own word first, else that of its category, the deepest level that has one.

    products: id, code, category as "A/B/C". Products nothing is said of are left out: the shop's margin stands for them.
    """
    found: dict[int, Stated] = {}
    deepest: dict[str, Stated | None] = {}
    for product, code, category in products:
        said = by_product.get(code)
        if said is None and by_category and category:
            if category not in deepest:
                deepest[category] = _deepest(category, by_category)
            said = deepest[category]
        if said is not None:
            found[product] = said
    return found


def _deepest(category: str, by_category: Mapping[str, Stated]) -> Stated | None:
    levels = category.split("/")
    for depth in range(len(levels), 0, -1):
        said = by_category.get("/".join(levels[:depth]).strip())
        if said is not None:
            return said
    return None


def margins(
    net: np.ndarray,
    kept: np.ndarray,
    weighted: np.ndarray,
    costed: np.ndarray,
    cost_milli: np.ndarray,
    taken: np.ndarray,
    *,
    default: int,
) -> np.ndarray:
    """The margin of each order (int64), to the nearest minor unit.

    net: what the order counts as. Its lines share it by what was kept of each (amount less refund, at least 0): `kept` is the
    sum of that, `weighted` the sum of kept × margin in thousandths over lines without a stated piece cost, `costed` the sum of
    kept over those with one, `cost_milli` their piece cost × quantity in thousandths. taken: what coupons and points took off what
    was kept (`left_of`); lines share it likewise. A margin in thousandths is of the price before that, as goods cost no less for it.
    `default`: the shop's margin in thousandths, for orders of which no line is known or kept.
    """
    told = kept > 0
    whole = np.where(told, kept, 1)
    rate = np.where(told, weighted + 1000 * costed, default)  # in thousandths of `whole`
    goods = np.where(
        told, 1000 * (kept - costed) - weighted, 1000 - default
    )  # what goods without a piece cost take of it
    spent = np.where(told, cost_milli, 0)
    found = np.zeros(net.size, np.int64)
    # Exact: a margin that is half a minor unit must not hang on the last bit of a float. Beyond 64 bits Python's own numbers help.
    size = np.abs(net).astype(np.float64) * np.abs(rate) + taken.astype(np.float64) * np.abs(goods)
    size += np.abs(spent).astype(np.float64) * whole + 1000.0 * whole
    small = size < 2.0**61
    found[small] = _rounded(
        net[small] * rate[small] - taken[small] * goods[small] - spent[small] * whole[small], 1000 * whole[small]
    )
    for i in np.flatnonzero(~small).tolist():
        part = int(net[i]) * int(rate[i]) - int(taken[i]) * int(goods[i]) - int(spent[i]) * int(whole[i])
        found[i] = _rounded(part, 1000 * int(whole[i]))
    return found


def left_of(taken: np.ndarray, net: np.ndarray, given_back: np.ndarray) -> np.ndarray:
    """Of what was taken off each order, the part of the goods that were kept (int64): it comes back as the money does."""
    found = np.array(taken, np.int64)
    for i in np.flatnonzero((found > 0) & (given_back > 0)).tolist():  # few, and beyond 64 bits for a wholesaler
        found[i] = _rounded(int(found[i]) * int(net[i]), int(net[i]) + int(given_back[i]))
    return found


def _rounded(part: Any, whole: Any) -> Any:
    """part ÷ whole to the nearest whole number, halves up."""
    return (2 * part + whole) // (2 * whole)


def plain_worth(*, yearly_margin: int, years_tenths: int, promotion: int, care: int, service: int) -> int:
    """The plain formula of the trade: yearly profit × years − promotion, care and service cost of as many years (minor units).

    yearly_margin, promotion, care, service: of the last twelve months. years_tenths: 30 for three years.
    """
    return (yearly_margin - promotion - care - service) * years_tenths // 10


def best_fifth(year_profit: np.ndarray) -> int | None:
    """The smallest yearly profit among the best fifth of those who earned the shop anything; None if nobody did."""
    earning = np.sort(year_profit[year_profit > 0])[::-1]
    if not earning.size:
        return None
    return int(earning[max(int(np.ceil(earning.size / 5)) - 1, 0)])
