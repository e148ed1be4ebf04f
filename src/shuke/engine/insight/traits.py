"""Why members come back: price sensitivity, the type of loyalty (habit 惰性, price 价格, high 高度), good and costly members.

Every verdict is a stated rule over counted facts; `reasons` says in words which facts made it. What was not observed (attitude,
tolerance, time to decide) is never guessed from purchases. Worked tables: docs/algorithms/loyalty_types.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ORDERS_NEEDED = 10  # below, the share of promotions says little about a member (split-half correlation: docs)
REPEATS = 4  # days with a purchase within 365 days from which on somebody comes back
PROMOTER = 9  # of 0 to 10 that a member would recommend the shop
TYPES = ("", "habit", "price", "high")
QUALITIES = ("", "quality", "costly")
RETURNS_MUCH = 300  # thousandths of what was bought, given back
SERVED_MUCH = 500  # thousandths of the margin that care and service of the year took


class Price(NamedTuple):
    """Share of spend bought on promotion, as a trait of members. Shares 0 … 1."""

    mean: float  # of members, each weighed by how well it is known
    between: float  # variance between members
    within: float  # variance of one member's orders
    orders: np.ndarray  # per member
    own: np.ndarray  # own mean share
    shrunk: np.ndarray  # drawn to the mean by as much as it is uncertain

    @property
    def cut(self) -> float:
        """From here on a member comes for the price: half of all spend, and one deviation above the shop's members."""
        return max(0.5, self.mean + self.between**0.5)

    @property
    def low(self) -> float:
        """Up to here a member pays the full price clearly more than the shop's members do."""
        return max(self.mean - self.between**0.5, 0.0)


def price_sensitivity(member: np.ndarray, share: np.ndarray, members: int) -> Price | None:
    """From orders: `member` is a place 0 … members − 1, `share` the part of its goods bought on promotion (0 … 1).

    Analysis of variance with random effects: a member's mean counts as far as members differ more than chance makes them.
    None where nobody bought anything on promotion: then nothing can be said.
    """
    count = np.bincount(member, minlength=members).astype(np.float64)
    total = np.bincount(member, weights=share, minlength=members)
    if not member.size or share.max(initial=0.0) <= 0.0:
        return None
    bought = count > 0
    own = np.divide(total, count, out=np.zeros(members), where=bought)
    squares = np.bincount(member, weights=share * share, minlength=members) - count * own**2
    freedom = float(count.sum() - bought.sum())
    within = float(squares.sum()) / freedom if freedom > 0 else 0.0
    grand = float(total.sum() / count.sum())
    spread = float((count * (own - grand) ** 2).sum())
    size = float(count.sum() - (count**2).sum() / count.sum())
    between = max(0.0, (spread - (float(bought.sum()) - 1.0) * within) / size) if size > 0 else 0.0
    weight = np.where(bought, between / (between + within / np.maximum(count, 1.0) + 1e-12), 0.0)
    mean = float((weight * own).sum() / weight.sum()) if weight.sum() > 0 else grand
    shrunk = mean + (own - mean) * weight
    return Price(mean, between, within, count.astype(np.int64), own, shrunk)


def split_half(member: np.ndarray, share: np.ndarray, members: int, *, least: int = 1) -> tuple[float, int]:
    """Is it a trait? Correlation of the first half of each member's orders with the second, and how many members it rests on.

    Orders in the order of time within each member; members with fewer than `least` in either half are left out. nan below three.
    """
    count = np.bincount(member, minlength=members)
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(count)[:-1]))
    place = np.arange(member.size) - start[member]
    first = place < count[member] // 2
    halves = []
    for half in (first, ~first):
        n = np.bincount(member[half], minlength=members)
        halves.append((n, np.bincount(member[half], weights=share[half], minlength=members) / np.maximum(n, 1)))
    enough = (halves[0][0] >= least) & (halves[1][0] >= least)
    one, two = halves[0][1][enough], halves[1][1][enough]
    if one.size < 3 or one.std() == 0.0 or two.std() == 0.0:
        return float("nan"), int(one.size)
    return float(np.corrcoef(one, two)[0, 1]), int(one.size)


class Facts(NamedTuple):
    """One value per member (int64), money in minor units, shares in thousandths; -1 where nothing is known."""

    year_days: np.ndarray  # days with a purchase within 365 days
    in_rhythm: np.ndarray  # bool: forming or stable by their own rhythm
    price: np.ndarray  # published price sensitivity
    friends: np.ndarray  # brought by this member, and bought
    recommend: np.ndarray  # 0 … 10, as the member said
    returned: np.ndarray  # share of what was bought, given back
    orders: np.ndarray
    year_margin: np.ndarray
    year_profit: np.ndarray
    year_serving: np.ndarray  # care and service


class Measures(NamedTuple):
    """What members are held against, as of one night; -1: could not be measured."""

    price_mean: int
    price_cut: int
    price_low: int
    best_fifth: int

    @classmethod
    def of(cls, price: Price | None, best: int | None) -> Measures:
        if price is None:
            return cls(-1, -1, -1, -1 if best is None else best)
        mean, cut, low = (round(1000 * share) for share in (price.mean, price.cut, price.low))
        return cls(mean, cut, low, -1 if best is None else best)


def loyalty_type(facts: Facts, measures: Measures) -> np.ndarray:
    """Place in TYPES. Only who comes back in their own rhythm has one; price before high before habit."""
    back = (facts.year_days >= REPEATS) & facts.in_rhythm
    price = (facts.price >= measures.price_cut) & (facts.price >= 0) & (measures.price_cut >= 0)
    full_price = (facts.price >= 0) & (facts.price <= measures.price_low)
    high = (facts.friends > 0) | (facts.recommend >= PROMOTER) | full_price
    found = np.where(back, 1, 0)
    found = np.where(back & high, 3, found)
    return np.where(back & price & (facts.friends <= 0) & (facts.recommend < PROMOTER), 2, found)


def quality(facts: Facts, measures: Measures) -> np.ndarray:
    """Place in QUALITIES. Costly first: who returns much is not made good by buying much."""
    costly = (facts.year_profit < 0) | _returns_much(facts) | _served_much(facts)
    good = (measures.best_fifth > 0) & (facts.year_profit >= measures.best_fifth)
    return np.where(costly, 2, np.where(good, 1, 0))


def _returns_much(facts: Facts) -> np.ndarray:
    return (facts.returned >= RETURNS_MUCH) & (facts.orders >= 3)


def _served_much(facts: Facts) -> np.ndarray:
    return (facts.year_margin > 0) & (facts.year_serving * 1000 >= facts.year_margin * SERVED_MUCH)


def reasons(facts: Facts, measures: Measures) -> list[tuple[str, dict[str, int]]]:
    """Why one member (arrays of length 1) is of this type and quality: codes of `profit_words.REASONS` with their figures."""
    one = Facts(*(np.atleast_1d(column) for column in facts))
    told: list[tuple[str, dict[str, int]]] = []
    kind, good = TYPES[int(loyalty_type(one, measures)[0])], QUALITIES[int(quality(one, measures)[0])]
    days, price = int(one.year_days[0]), int(one.price[0])
    if kind:
        told.append(("comes_back", {"days": days}))
    elif days < REPEATS:
        told.append(("too_seldom", {"days": days, "needed": REPEATS}))
    else:
        told.append(("out_of_rhythm", {"days": days}))
    if measures.price_mean >= 0 and price >= 0:
        code = (
            "on_promotion"
            if price >= measures.price_cut
            else "full_price"
            if price <= measures.price_low
            else "price_usual"
        )
        told.append((code, {"share": price, "mean": measures.price_mean, "cut": measures.price_cut}))
    elif measures.price_mean < 0:
        told.append(("no_promotions", {}))
    else:
        told.append(("price_unknown", {"orders": int(one.orders[0]), "needed": ORDERS_NEEDED}))
    if one.friends[0] > 0:
        told.append(("friends", {"n": int(one.friends[0])}))
    if one.recommend[0] >= PROMOTER:
        told.append(("recommends", {"n": int(one.recommend[0])}))
    if good == "quality":
        told.append(("best_fifth", {"profit": int(one.year_profit[0]), "from": measures.best_fifth}))
    if one.year_profit[0] < 0:
        told.append(("loses", {"profit": int(one.year_profit[0])}))
    if _returns_much(one)[0]:
        told.append(("returns", {"share": int(one.returned[0])}))
    if _served_much(one)[0]:
        told.append(("served", {"cost": int(one.year_serving[0]), "margin": int(one.year_margin[0])}))
    return told
