"""What one purchase earns, and why, to the fraction.

Points = floor( Σ per-amount rules × multipliers ) + fixed bonuses. Everything is integer arithmetic over one denominator,
so that no order of computing can change a result; the fraction is dropped once per order (POINTS.md). docs/algorithms/
earning.md has worked tables.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from shuke.engine.calendar.birthdays import celebrated
from shuke.engine.charter.terms import Rule, Terms


class Slice(NamedTuple):
    """One line of goods as earning sees it; `net` is its share of the order's net."""

    net: int
    category: str = ""
    product: str = ""
    brand: str = ""


class Basket(NamedTuple):
    """What a purchase is at the moment it is judged."""

    net: int  # minor units that count
    day: date
    tier: str
    slices: tuple[Slice, ...] = ()  # empty where no rule looks at goods
    store: str = ""
    platform: str = ""
    channel: str = ""
    first: bool = False
    birthday: tuple[int, int, bool] | None = None  # month, day, lunar


class Earned(NamedTuple):
    points: int
    why: list[dict[str, Any]]
    counted: dict[str, int]  # points of rules that have caps, for their counters


NOTHING = Earned(0, [], {})


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
        and basket.net >= rule.min_minor
        and (rule.birthday is None or _is_birthday(rule.birthday, basket))
    )


def _is_birthday(span: str, basket: Basket) -> bool:
    if basket.birthday is None:
        return False
    month, day, lunar = basket.birthday
    this = celebrated(month, day, lunar, basket.day.year)
    return this is not None and (this == basket.day if span == "day" else this.month == basket.day.month)


def earn(terms: Terms, basket: Basket, room: dict[str, int]) -> Earned:
    """Points of one purchase under one charter version.

    `room` says how many points a capped rule may still give (day, month and member caps; from the standing).
    """
    if basket.net <= 0:
        return NOTHING
    slices = basket.slices if terms.needs_lines and basket.slices else (Slice(basket.net),)
    why: list[dict[str, Any]] = []
    counted: dict[str, int] = {}
    chosen = [terms.chosen_by(s.category, s.product, s.brand) for s in slices] if terms.needs_lines else [frozenset()]
    shares = [0] * len(slices)  # purchase points per slice, numerators over `scale`
    scale = terms.base

    matching = [r for r in terms.per_amount if applies(r, basket)]
    taken = [False] * len(slices)  # by an exclusive rule
    for rule in sorted(matching, key=lambda r: not r.exclusive) if len(matching) > 1 else matching:
        parts = [
            (i, line.net * rule.rate)
            for i, line in enumerate(slices)
            if (not taken[i]) and (not rule.goods or rule.key in chosen[i])
        ]
        if not parts:
            continue
        given = sum(share for _, share in parts)
        limit = _limit(rule, room)
        if limit is not None and given > limit * scale:
            parts = _scale_down(parts, given, limit * scale)
            given = limit * scale
        if limit is not None:
            counted[rule.key] = -(-given // scale)
        for i, share in parts:
            shares[i] += share
            taken[i] = taken[i] or rule.exclusive
        base = sum(slices[i].net for i, _ in parts)
        why.append({"rule": rule.key, "base": base, "points": _text(given, scale)})

    before = sum(shares)
    for key, (up, down), by in _multipliers(terms, basket):
        grown = [
            share * up if by is None or not by.goods or by.key in mine else share * down
            for share, mine in zip(shares, chosen, strict=True)
        ]
        extra = sum(grown) - before * down
        limit = _limit(by, room) if by is not None else None
        if limit is not None:
            if extra > limit * scale * down:
                grown = _cap_extra(shares, down, extra, limit * scale * down, grown)
                extra = limit * scale * down
            assert by is not None
            counted[by.key] = -(-extra // (scale * down))
        if not extra:
            continue
        why.append({"rule": key, "times": _text(up, down), "points": _text(extra, scale * down)})
        shares, scale = grown, scale * down
        before = sum(shares)

    points, fraction = divmod(before, scale)
    if fraction:
        why.append({"rule": "rounding", "points": "-" + _text(fraction, scale)})
    for rule in terms.fixed:
        if not applies(rule, basket):
            continue
        if rule.goods and not any(line.net > 0 and rule.key in mine for line, mine in zip(slices, chosen, strict=True)):
            continue
        bonus = rule.points
        limit = _limit(rule, room)
        if limit is not None:
            bonus = min(bonus, limit)
            counted[rule.key] = bonus
        if bonus:
            points += bonus
            why.append({"rule": rule.key, "points": str(bonus)})
    return Earned(points, why, counted)


def _multipliers(terms: Terms, basket: Basket) -> list[tuple[str, tuple[int, int], Rule | None]]:
    """The multipliers that hold, tier first; with `multipliers: best` only the largest."""
    found: list[tuple[str, tuple[int, int], Rule | None]] = []
    tier = terms.tiers[terms.rank.get(basket.tier, 0)]
    if tier.times != (1, 1):
        found.append((f"tier:{tier.key}", tier.times, None))
    found += [(r.key, r.times, r) for r in terms.multiply if applies(r, basket)]
    if terms.best_multiplier and len(found) > 1:
        return [max(found, key=lambda m: m[1][0] / m[1][1])]
    return found


def _limit(rule: Rule, room: dict[str, int]) -> int | None:
    """The smaller of the per-order cap and the room left; None = no cap."""
    per_order = rule.caps[0]
    left = room.get(rule.key)
    if per_order is None:
        return left
    return per_order if left is None else min(per_order, left)


def _scale_down(parts: list[tuple[int, int]], given: int, limit: int) -> list[tuple[int, int]]:
    """Cut shares in proportion so that they add up to the limit exactly."""
    from shuke.kit.money import allocate

    return [(i, s) for (i, _), s in zip(parts, allocate(limit, [s for _, s in parts]), strict=True)] if given else parts


def _cap_extra(shares: list[int], down: int, extra: int, limit: int, grown: list[int]) -> list[int]:
    from shuke.kit.money import allocate

    more = allocate(limit, [g - s * down for s, g in zip(shares, grown, strict=True)])
    return [s * down + m for s, m in zip(shares, more, strict=True)]


def _text(number: int, scale: int) -> str:
    """A fraction as decimal text, at most 6 places, no trailing zeros."""
    if number < 0:
        return "-" + _text(-number, scale)
    whole, rest = divmod(number, scale)
    if not rest:
        return str(whole)
    places = rest * 1_000_000 // scale
    return f"{whole}.{places:06d}".rstrip("0").rstrip(".")
