"""What opens a relation and what keeps it: the goods of first baskets, and how many who began with them came again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import Sales, distinct, groups_begin, wilson

FOLLOW_DAYS = 90  # who began later than this ago cannot be judged yet
LEAD_DAYS = 30  # who bought this soon after the history begins may have bought before it
LEAST_BEGUN = 20  # members who began with an item, before it is judged
_NEVER = 2**30  # a day


class Opened(NamedTuple):
    """One item of first baskets. Rates are 0 … 1."""

    item: int
    begun: int  # members whose first basket held it
    share: float  # of all judged beginners
    share_later: float  # of later baskets of the same members: what is in every basket opens nothing
    again: int  # of those, came again on another day within the days of follow-up
    rate: float
    low: float
    high: float  # interval of 95 %
    others: float | None  # rate of those who began without it
    surely: int  # 1: surely more come again than of others, -1: surely fewer, 0: cannot be told


class Opening(NamedTuple):
    judged: int  # members whose beginning was seen and is long enough ago
    again: int  # of these came again
    too_new: int  # began within the days of follow-up
    unseen: int  # were there when the history begins: their first basket may be older
    items: list[Opened]  # most begun first


def opening(
    sold: Sales,
    *,
    as_of: int,
    follow: int = FOLLOW_DAYS,
    lead: int = 0,
    least: int = LEAST_BEGUN,
) -> Opening:
    """First baskets up to `as_of`. `lead`: a first order within so many days of the history's first is not taken for a beginning."""
    known = np.flatnonzero(sold.known & (sold.day <= as_of))
    people = sold.members.size
    if known.size == 0:
        return Opening(0, 0, 0, 0, [])
    who, when, what = sold.member[known], sold.day[known], sold.item[known]
    first = np.full(people, np.iinfo(np.int32).max, np.int32)
    first[who[::-1]] = when[::-1]  # rows stand by day: what is written last is the first
    seen = first <= as_of
    since = int(when.min()) + lead
    unseen = seen & (first < since)
    too_new = seen & ~unseen & (first > as_of - follow)
    judged = seen & ~unseen & ~too_new
    # Those who are not judged began never, and on no day.
    since_first = when - np.where(judged, first, np.int32(_NEVER))[who]
    again = np.zeros(people, bool)
    again[who[(since_first > 0) & (since_first <= follow)]] = True

    opens = np.flatnonzero(since_first == 0)
    items = max(sold.items.size, 1)
    pairs = distinct(who[opens].astype(np.int64) * items + what[opens])
    of, item = pairs // items, pairs % items
    begun = np.bincount(item, minlength=sold.items.size)
    came = np.bincount(item[again[of]], minlength=sold.items.size)
    after = np.flatnonzero(since_first > 0)
    # Member, day and item as one number: what is the same twice counts once.
    wide = int(when.max()) + 1 - since
    key = (who[after].astype(np.int64) * wide + (when[after] - since)) * items + what[after]
    key.sort()
    key = key[groups_begin(key)]
    stood = np.bincount(key % items, minlength=sold.items.size)
    key //= items
    visits = int(np.count_nonzero(groups_begin(key)))

    all_judged, all_again = int(judged.sum()), int(again.sum())
    shown = [int(i) for i in np.lexsort((np.arange(begun.size), -begun)) if begun[i] >= least]
    # Among many items some differ by chance: each is judged as strictly as there are items.
    strict = _quantile(1 - 0.025 / max(len(shown), 1))
    found = []
    for i in shown:
        n, k = int(begun[i]), int(came[i])
        low, high = wilson(k, n)
        rest = all_judged - n
        others = (all_again - k) / rest if rest else None
        surely = 0
        if others is not None:
            error = float(np.sqrt((all_again / all_judged) * (1 - all_again / all_judged) * (1 / n + 1 / rest)))
            apart = (k / n - others) / error if error else 0.0
            surely = int(apart > strict) - int(apart < -strict)
        found.append(
            Opened(
                i, n, n / all_judged, int(stood[i]) / visits if visits else 0.0, k, k / n, float(low), float(high), others, surely
            )
        )  # fmt: skip
    return Opening(all_judged, all_again, int(too_new.sum()), int(unseen.sum()), found)


def _quantile(share: float) -> float:
    """Of the normal distribution; NormalDist needs no SciPy at import."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)
