"""What one purchase earns, and why, to the fraction.

Points = rounded( Σ per-amount and per-piece rules × multipliers ) + fixed bonuses. Everything is integer arithmetic over one
denominator, so that no order of computing can change a result; the fraction is dropped once per order, unless the charter
says otherwise. docs/algorithms/earning.md has worked tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from functools import lru_cache
from math import gcd
from typing import Any, NamedTuple

from shuke.engine.calendar.birthdays import is_birthday
from shuke.engine.charter.rules import Rule, Schedule, is_one_of
from shuke.engine.charter.terms import Terms


class Slice(NamedTuple):
    """One line of goods as earning sees it; `net` is its share of what counts of the order."""

    net: int
    category: str = ""
    product: str = ""
    brand: str = ""
    pieces: int = 0


class Basket(NamedTuple):
    """What a purchase is at the moment it is judged."""

    net: int  # minor units that count: the base of earning
    day: date
    tier: str
    slices: tuple[Slice, ...] = ()  # empty where no rule looks at goods
    store: str = ""
    platform: str = ""
    channel: str = ""
    first: bool = False
    birthday: tuple[int, int, bool] | None = None  # month, day, lunar
    hour: int = -1
    number: int = 0  # the member's n-th purchase
    paid: int = -1  # what was paid, where that is not the base
    gross: int = -1  # goods before any discount


class Earned(NamedTuple):
    points: int
    why: list[dict[str, Any]]
    counted: dict[str, int]  # points of rules that have caps and, as "key#", how often a limited rule gave
    drawn: dict[str, int] = {}  # points out of budgets, by rule


NOTHING = Earned(0, [], {})
ALL = "*"  # counter of what all rules give together
Draw = Callable[[Rule, int], int]  # asks a rule's budget for so many points; the answer is what it gives


def applies(rule: Rule, basket: Basket) -> bool:
    """Do the order-level filters of a rule hold?"""
    if rule.plain:
        return True
    day = basket.day
    return (
        (rule.stores is None or basket.store in rule.stores)
        and (rule.platforms is None or basket.platform in rule.platforms)
        and (rule.channels is None or basket.channel in rule.channels)
        and (rule.tiers is None or basket.tier in rule.tiers)
        and (rule.weekdays is None or day.isoweekday() in rule.weekdays)
        and (rule.month_days is None or day.day in rule.month_days)
        and (rule.start is None or day >= rule.start)
        and (rule.end is None or day <= rule.end)
        and (not rule.first or basket.first)
        and (rule.min_of != "base" or basket.net >= rule.min_minor)
        and (rule.birthday is None or is_birthday(rule.birthday, basket.birthday, basket.day))
        and (not rule.more or _more_applies(rule, basket))
    )


def _more_applies(rule: Rule, basket: Basket) -> bool:
    enough = {
        "paid": basket.net if basket.paid < 0 else basket.paid,
        "before_discounts": basket.net if basket.gross < 0 else basket.gross,
    }.get(rule.min_of, rule.min_minor)
    return (
        (not rule.days or is_one_of(rule.days, basket.day))
        and (rule.hours is None or basket.hour in rule.hours)
        and (rule.numbers is None or basket.number in rule.numbers)
        and enough >= rule.min_minor
    )


def earn(
    terms: Terms,
    basket: Basket,
    room: dict[str, int],
    *,
    rules: Schedule | None = None,
    draw: Draw | None = None,
    tells: bool = True,
) -> Earned:
    """Points of one purchase under one charter version; with `rules=terms.growth` its extra growth value.

    `room` says how many points a capped rule may still give, and as "key#" how often a limited one (from the standing).
    Without `tells` nobody asks why.
    """
    if basket.net <= 0:
        return NOTHING
    schedule = terms.earning if rules is None else rules
    one = _Judging(terms, schedule, basket, room, tells)
    if schedule.groups:
        left_out = one.choose()
        return one.judge(left_out, draw)
    return one.judge((), draw)


class _Judging:
    """One basket before one schedule of rules."""

    __slots__ = ("basket", "chosen", "room", "schedule", "slices", "tells", "terms")

    def __init__(self, terms: Terms, schedule: Schedule, basket: Basket, room: dict[str, int], tells: bool) -> None:
        self.terms, self.schedule, self.basket, self.room, self.tells = terms, schedule, basket, room, tells
        if terms.needs_lines:
            self.slices = basket.slices or (Slice(basket.net),)
            self.chosen = [terms.chosen_by(s.category, s.product, s.brand) for s in self.slices]
        else:
            self.slices = (Slice(basket.net),)
            self.chosen = [frozenset()]

    # -- groups --------------------------------------------------------------------------------------------------

    def choose(self) -> Collection[str]:
        """Of each group one rule stays. Groups are decided in the document's order; those to come do not count yet."""
        members = {key: self._candidates(key) for key, _ in self.schedule.groups}
        left_out = {rule.key for rules in members.values() for rule in rules}
        for key, take in self.schedule.groups:
            gains = {rule: self.judge(left_out - {rule.key}, None).points for rule in members[key]}
            nothing = self.judge(left_out, None).points if gains else 0
            giving = [rule for rule in gains if gains[rule] > nothing]
            if giving:
                most = max(gains[r] for r in giving) if take == "best" else 0
                left_out.discard(min((r for r in giving if gains[r] >= most), key=_by_priority).key)
        return left_out

    def _candidates(self, group: str) -> list[Rule]:
        return [
            r
            for r in self.schedule.rules
            if r.group == group and (group or r.kind != "multiply") and applies(r, self.basket)
        ]

    # -- the sum -------------------------------------------------------------------------------------------------

    def judge(self, left_out: Collection[str], draw: Draw | None) -> Earned:
        why: list[dict[str, Any]] = []
        counted: dict[str, int] = {}
        drawn: dict[str, int] = {}
        shares, scale = self._amounts(left_out, draw, why, counted, drawn)
        shares, scale = self._multiplied(shares, scale, left_out, draw, why, counted, drawn)
        points = self._rounded(shares, scale, why)
        basket = self.basket
        for rule in self.schedule.fixed:
            if rule.key in left_out or not applies(rule, basket):
                continue
            if rule.picky and not self._parts(rule):
                continue
            bonus = self._allowed(rule, rule.points, 1, draw, counted, drawn) if rule.bounded else rule.points
            if bonus:
                points += bonus
                if self.tells:
                    why.append({"rule": rule.key, "points": str(bonus)})
        if self.schedule.of_points and self.terms.capped:
            points = self._capped(points, why, counted)
        return Earned(points, why, counted, drawn) if drawn else Earned(points, why, counted)

    def _amounts(
        self, left_out: Collection[str], draw: Draw | None, why: list, counted: dict[str, int], drawn: dict[str, int]
    ) -> tuple[list[int], int]:
        """What per-amount and per-piece rules give each slice, as numerators over the base."""
        slices, basket = self.slices, self.basket
        scale = base = self.schedule.base
        shares = [0] * len(slices)
        taken: list[bool] = []  # by an exclusive rule
        for rule in self.schedule.amounts:
            if (left_out and rule.key in left_out) or not (rule.plain or applies(rule, basket)):
                continue
            chosen = self._parts(rule, taken) if taken or rule.picky else range(len(slices))
            if not chosen:
                continue
            if rule.kind == "per_item":
                measure, amounts = "pieces", [slices[i].pieces for i in chosen]
            else:
                measure, amounts = "base", [slices[i].net for i in chosen]
            amount, rate = sum(amounts), rule.rate * (scale // base)
            parts, given = [one * rate for one in amounts], amount * rate
            limit = given
            if rule.whole:
                limit = amount // rule.whole * rule.whole * rate
            if rule.bounded:
                limit = self._allowed(rule, limit, scale, draw, counted, drawn)
            if given > limit:
                parts, finer = _cut(parts, given, limit)
                shares, scale, given = [share * finer for share in shares], scale * finer, limit * finer
            for i, share in zip(chosen, parts, strict=True):
                shares[i] += share
            if rule.exclusive:
                taken = taken or [False] * len(slices)
                for i in chosen:
                    taken[i] = True
            if self.tells:
                why.append({"rule": rule.key, measure: amount, "points": _text(given, scale)})
        return shares, scale

    def _parts(self, rule: Rule, taken: list[bool] | None = None) -> list[int]:
        """Which slices a rule looks at, if they are enough for it."""
        key = rule.key
        found = [
            i
            for i, line in enumerate(self.slices)
            if line.net > 0 and not (taken and taken[i]) and (not rule.goods or key in self.chosen[i])
        ]
        if rule.min_of == "goods" and sum(self.slices[i].net for i in found) < rule.min_minor:
            return []
        if rule.min_pieces and sum(self.slices[i].pieces for i in found) < rule.min_pieces:
            return []
        return found

    def _multiplied(
        self,
        shares: list[int],
        scale: int,
        left_out: Collection[str],
        draw: Draw | None,
        why: list,
        counted: dict[str, int],
        drawn: dict[str, int],
    ) -> tuple[list[int], int]:
        adding = self.terms.multipliers == "add"
        plain, plain_scale = shares, scale
        for key, (up, down), by in self._multipliers(left_out):
            before = sum(shares)
            if adding:  # each multiplier counts from what the rules gave, not from what others made of it
                rate = scale // plain_scale
                grown = [
                    share * down + (had * rate * (up - down) if by is None or not by.goods or by.key in mine else 0)
                    for share, had, mine in zip(shares, plain, self.chosen, strict=True)
                ]
            else:
                grown = [
                    share * up if by is None or not by.goods or by.key in mine else share * down
                    for share, mine in zip(shares, self.chosen, strict=True)
                ]
            extra, finer = sum(grown) - before * down, down
            if by is not None and by.bounded:
                limit = self._allowed(by, extra, scale * down, draw, counted, drawn)
                if extra > limit:
                    had = [share * down for share in shares]
                    more, by_so_much = _cut([g - h for g, h in zip(grown, had, strict=True)], extra, limit)
                    grown = [h * by_so_much + m for h, m in zip(had, more, strict=True)]
                    extra, finer = limit * by_so_much, down * by_so_much
            if not extra:
                continue
            scale *= finer
            if self.tells:
                why.append({"rule": key, "times": _text(up, down), "points": _text(extra, scale)})
            shares = grown
        return shares, scale

    def _multipliers(self, left_out: Collection[str]) -> list[tuple[str, tuple[int, int], Rule | None]]:
        """The multipliers that hold, tier first; with `multipliers: best` only the largest."""
        found: list[tuple[str, tuple[int, int], Rule | None]] = []
        if self.schedule.of_points:
            tier = self.terms.tiers[self.terms.rank.get(self.basket.tier, 0)]
            if tier.times != (1, 1):
                found.append((f"tier:{tier.key}", tier.times, None))
        for rule in self.schedule.multiply:
            if rule.key not in left_out and applies(rule, self.basket):
                if rule.picky and not self._parts(rule):
                    continue
                found.append((rule.key, rule.times, rule))
        if self.terms.multipliers == "best" and len(found) > 1:
            return [max(found, key=lambda m: m[1][0] / m[1][1])]
        return found

    def _rounded(self, shares: list[int], scale: int, why: list) -> int:
        rounded, whole = _ROUNDED[self.terms.rounding], sum(shares)
        if self.terms.each_line:
            points = sum(rounded(share, scale) for share in shares)
        else:
            points = rounded(whole, scale)
        off = points * scale - whole
        if off and self.tells:
            why.append({"rule": "rounding", "points": _text(off, scale)})
        return points

    # -- caps, limits, budgets ------------------------------------------------------------------------------------

    def _allowed(
        self, rule: Rule, wanted: int, scale: int, draw: Draw | None, counted: dict[str, int], drawn: dict[str, int]
    ) -> int:
        """How much of `wanted` (a numerator over `scale`) caps, limits and the budget let a rule give; takes note of it."""
        allowed = wanted
        limit = self._limit(rule)
        if limit is not None and allowed > limit * scale:
            allowed = limit * scale
        if rule.limited and self.room.get(rule.key + "#", 1) <= 0:
            allowed = 0
        if rule.budget is not None and allowed > 0 and draw is not None:
            got = draw(rule, -(-allowed // scale))
            allowed = min(allowed, got * scale)
            drawn[rule.key] = -(-allowed // scale)
        if limit is not None:
            counted[rule.key] = -(-allowed // scale)
        if rule.limited and allowed > 0:
            counted[rule.key + "#"] = 1
        return allowed

    def _limit(self, rule: Rule) -> int | None:
        """The smaller of the per-order cap and the room left; None = no cap."""
        per_order = rule.caps[0]
        left = self.room.get(rule.key)
        if per_order is None:
            return left
        return per_order if left is None else min(per_order, left)

    def _capped(self, points: int, why: list, counted: dict[str, int]) -> int:
        """Most points of all rules together."""
        most = min((n for n in (self.terms.all_caps[0], self.room.get(ALL)) if n is not None), default=points)
        if points > most:
            why.append({"rule": "cap", "points": str(most - points)})
            points = most
        counted[ALL] = points
        return points


def _by_priority(rule: Rule) -> tuple[int, int]:
    return -rule.priority, rule.place


_ROUNDED: dict[str, Callable[[int, int], int]] = {
    "floor": lambda share, scale: share // scale,
    "ceil": lambda share, scale: -(-share // scale),
    "half_up": lambda share, scale: (2 * share + scale) // (2 * scale),
}


def _cut(parts: list[int], given: int, limit: int) -> tuple[list[int], int]:
    """Cut shares in proportion so that they add up to the limit exactly; to do so without rounding, all is counted in units
    finer by the second figure."""
    common = gcd(given, limit)
    return [part * (limit // common) for part in parts], given // common


@lru_cache(maxsize=4096)  # prices come back, and what is lost by rounding is one of a hundred
def _text(number: int, scale: int) -> str:
    """A fraction as decimal text, at most 6 places, no trailing zeros."""
    if number < 0:
        return "-" + _text(-number, scale)
    whole, rest = divmod(number, scale)
    if not rest:
        return str(whole)
    places = rest * 1_000_000 // scale
    return f"{whole}.{places:06d}".rstrip("0").rstrip(".")
