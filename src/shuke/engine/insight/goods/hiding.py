"""What must not be named: what cannot be bought now, and a second of what lasts and was just bought."""

from __future__ import annotations

import numpy as np

from shuke.engine.insight.goods.sales import Sales, Visits, groups_begin, visits

LASTS_DAYS = 365  # so long after buying a durable nobody needs another one
LEAST_SEEN = 20  # buyers of a kind, observed long enough, before it is taken for durable
SELDOM_AGAIN = 0.05  # fewer than this of them bought the kind again within LASTS_DAYS


def durable_kinds(sold: Sales, *, as_of: int, seen: Visits | None = None) -> np.ndarray:
    """bool per item (here: kind of goods): hardly anybody who bought it a year ago or more has bought it again since.

    seen: the visits up to `as_of`, if they are known.
    """
    told = visits(sold.until(as_of)) if seen is None else seen
    if told.member.size == 0:
        return np.zeros(sold.items.size, bool)
    begins = np.flatnonzero(groups_begin(told.member, told.item))
    item, first = told.item[begins], told.day[begins]
    second = told.day[np.minimum(begins + 1, told.day.size - 1)]
    days = np.diff(np.append(begins, told.day.size))
    long_ago = first <= as_of - LASTS_DAYS
    came = long_ago & (days >= 2) & (second <= first + LASTS_DAYS)
    observed = np.bincount(item[long_ago], minlength=sold.items.size)
    returned = np.bincount(item[came], minlength=sold.items.size)
    return (observed >= LEAST_SEEN) & (returned < SELDOM_AGAIN * observed)


def hidden(
    items: np.ndarray,
    kind_of: np.ndarray,
    *,
    absent: np.ndarray,
    durable: np.ndarray,
    bought_kind: np.ndarray,
    bought_day: np.ndarray,
    as_of: int,
) -> np.ndarray:
    """bool per item of one member: out of stock, or of a durable kind this member bought within LASTS_DAYS.

    kind_of: of each of `items` its kind, -1 none. absent: bool per item. durable: bool per kind.
    bought_kind, bought_day: of the member's purchases.
    """
    lately = np.unique(bought_kind[(bought_day > as_of - LASTS_DAYS) & (bought_kind >= 0)])
    just = lately[durable[lately]] if durable.size else lately[:0]
    return absent | np.isin(kind_of, just)
