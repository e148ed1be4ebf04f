"""Buy again, with the day it is due: the member's own gap for the item, drawn to the item's gap; else the item's own.

Gaps are judged on logarithms, as the life cycle's are: each member's gaps for an item are drawn to the item's as strongly as the shop's own data ask
for, the item's to the shop's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shuke.engine.insight.goods.sales import Sales, Visits, groups_begin, visits

LEAST_GAPS = 10  # of an item, before its gap is believed; and of the shop, before anything is
DEFAULT_PULL = 3.0
EARLY, LATE, GIVEN_UP = 0.75, 1.5, 3.0  # silence in usual gaps: about to be due, overdue, perhaps bought elsewhere
FADES_DAYS = 180  # a purchase so long ago counts exp(-1) of one today, when items are put in order
LEAST_AGAIN = 0.2  # share of an item's buyers who bought it again: below, one purchase is no promise of another


class Rhythm(NamedTuple):
    """How the shop's items come back. One element per item; NaN: not known."""

    gap: np.ndarray  # float64, days; of items with LEAST_GAPS gaps
    log_gap: np.ndarray  # the geometric mean's logarithm, drawn to the shop's
    gaps: np.ndarray  # int64, how many were seen
    buyers: np.ndarray  # int64
    again: np.ndarray  # int64, of these bought it on two days or more
    pull: float  # own gaps that weigh as much as the item's word
    shop_gap: float  # NaN: too few gaps in the whole shop
    smear: float  # from the geometric to the ordinary mean

    @property
    def share_again(self) -> np.ndarray:
        return self.again / np.maximum(self.buyers, 1)


class Held(NamedTuple):
    """One element per member and item bought and kept: by member, item."""

    member: np.ndarray
    item: np.ndarray
    days: np.ndarray  # int64, days with a purchase of it
    last: np.ndarray  # int32
    gaps_log: np.ndarray  # float64, sum of ln(gap)
    gaps_days: np.ndarray  # int64, sum of the gaps
    weight: np.ndarray  # float64, days with a purchase, each the less the longer ago (FADES_DAYS)


def held(sold: Sales, *, as_of: int | None = None, seen: Visits | None = None) -> Held:
    """What each member bought and kept up to the end of day `as_of` (default: the last there is). seen: its visits, if they are known."""
    told = visits(sold if as_of is None else sold.until(as_of)) if seen is None else seen
    if told.member.size == 0:
        none = np.empty(0, np.int64)
        return Held(none, none, none, none.astype(np.int32), none.astype(np.float64), none, none.astype(np.float64))
    now = int(told.day.max()) if as_of is None else as_of
    begins = groups_begin(told.member, told.item)
    gap = np.zeros(told.day.size, np.int32)
    gap[1:] = np.diff(told.day)
    gap[begins] = 0
    # Gaps and silences are days of a history: there are far fewer of them than visits, so each is looked up.
    logs = np.log(np.maximum(np.arange(int(gap.max()) + 1), 1))[gap]
    silence = now - told.day
    least = int(silence.min())
    fading = np.exp((-np.arange(least, int(silence.max()) + 1)) / FADES_DAYS)[silence - least]
    at = np.flatnonzero(begins)
    size = np.diff(np.append(at, begins.size))
    return Held(
        told.member[at],
        told.item[at],
        size,
        told.day[at + size - 1],
        np.add.reduceat(logs, at),
        np.add.reduceat(gap, at, dtype=np.int64),
        np.add.reduceat(fading, at),
    )


def rhythm(sold: Sales, own: Held | None = None) -> Rhythm:
    """Learn the gaps of all items. `own`: what `held` gave, if it is known already."""
    told = held(sold) if own is None else own
    items = sold.items.size
    buyers = np.bincount(told.item, minlength=items)
    more = told.days >= 2
    again = np.bincount(told.item[more], minlength=items)
    count, logs = (told.days - 1)[more], told.gaps_log[more]
    item = told.item[more]
    gaps = np.bincount(item, weights=count, minlength=items).astype(np.int64)
    total = int(gaps.sum())
    nothing = np.full(items, np.nan)
    if total < LEAST_GAPS:
        return Rhythm(nothing, nothing, gaps, buyers, again, DEFAULT_PULL, float("nan"), 1.0)
    sums = np.bincount(item, weights=logs, minlength=items)
    shop = float(sums.sum()) / total
    pull = _pull(sold, item, count, logs)
    drawn = (sums + pull * shop) / (gaps + pull)
    # From the mean of logarithms back to the mean in days, the same factor for all.
    smear = float(told.gaps_days[more].sum()) / float((count * np.exp(logs / count)).sum())
    log_gap = np.where(gaps >= LEAST_GAPS, drawn, np.nan)
    return Rhythm(np.exp(log_gap) * smear, log_gap, gaps, buyers, again, pull, float(np.exp(shop)) * smear, smear)


def _pull(sold: Sales, item: np.ndarray, count: np.ndarray, logs: np.ndarray) -> float:
    """Variance of a member's gaps for an item over that of members' means around the item's: weighs the item's word."""
    mean = logs / count
    items = sold.items.size
    n = np.bincount(item, weights=count, minlength=items)
    groups = np.bincount(item, minlength=items)
    centre = np.bincount(item, weights=logs, minlength=items) / np.maximum(n, 1)
    # Without the single gaps their scatter is not known; it is taken from members with one gap against those with many.
    spread = count * (mean - centre[item]) ** 2
    few, many = count <= 2, count >= 6
    if min(int(few.sum()), int(many.sum())) < 30 or float(groups.max(initial=0)) < 3:
        return DEFAULT_PULL
    # E[(mean - centre)²] = between + within / gaps: two points of that line.
    x1, x2 = float((1 / count[few]).mean()), float((1 / count[many]).mean())
    y1, y2 = float((spread[few] / count[few]).mean()), float((spread[many] / count[many]).mean())
    within = (y1 - y2) / (x1 - x2)
    between = y2 - within * x2
    if within <= 0 or between <= 0:
        return DEFAULT_PULL
    return float(np.clip(within / between, 0.25, 50.0))


class Due(NamedTuple):
    """One element per member and item that is bought again and again; by member, then most worth naming first."""

    member: np.ndarray
    item: np.ndarray
    last: np.ndarray  # int32, day of the last purchase
    gap: np.ndarray  # float64, usual days between two
    due: np.ndarray  # int32, the day it runs out
    days: np.ndarray  # int64, how often bought so far
    own: np.ndarray  # bool: the member's own gap speaks too, not only the item's
    score: np.ndarray  # float64


def due(
    sold: Sales,
    known: Rhythm,
    *,
    as_of: int,
    own: Held | None = None,
    members: np.ndarray | None = None,
    ranked: bool = True,
) -> Due:
    """When members need again what they buy again. `members`: places of those asked for; default all. ranked: else by member and item.

    Listed is what the member bought twice or more, and what was bought once where the item is one people buy again (LEAST_AGAIN).
    """
    told = held(sold, as_of=as_of) if own is None else own
    rows = np.ones(told.member.size, bool)
    if members is not None:
        rows &= np.isin(told.member, members)
    gaps = told.days - 1
    unknown = np.isnan(known.log_gap)
    rows &= (gaps >= 1) | ((known.share_again >= LEAST_AGAIN) & ~unknown)[told.item]
    found = np.flatnonzero(rows)
    item, last, gaps = told.item[found], told.last[found], gaps[found]
    # An item with few gaps: the shop's word, for own repeats only.
    base = np.where(unknown, np.log(known.shop_gap / known.smear), known.log_gap)[item]
    logs = (told.gaps_log[found] + known.pull * base) / (gaps + known.pull)
    gap = np.maximum(np.exp(logs) * known.smear, 1.0)
    score = worth(told.weight[found], as_of - last, gap)
    order = np.flatnonzero(~np.isnan(gap))
    if ranked:
        order = order[np.lexsort((item[order], -score[order], told.member[found[order]]))]
    found, gap, last = found[order], gap[order], last[order]
    return Due(
        told.member[found],
        item[order],
        last,
        gap,
        (last + np.rint(gap)).astype(np.int32),
        told.days[found],
        gaps[order] >= 1,
        score[order],
    )


def worth(weight: np.ndarray, silence: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """How much an item is worth naming now: how often and how lately it was bought, a little less while there must be some left."""
    return weight * (0.7 + 0.3 * np.minimum(silence / gap, 1.0))


STATES = ("not_yet", "due", "overdue", "given_up")


def state(silence: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Index into STATES (int8): due about now from EARLY usual gaps on, overdue above LATE, perhaps given up above GIVEN_UP."""
    ripe = silence / gap
    return np.digitize(ripe, [EARLY, LATE, GIVEN_UP]).astype(np.int8)
