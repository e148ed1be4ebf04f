"""What was agreed with a card partner: points for spending, by category, a limit a month, and what the partner pays.

Terms hold from a day on. After the first, they begin on the first of a month, because the limit counts whole months.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

MOST_POINTS, MOST_MINOR, MOST_MICRO = 10**6, 10**12, 10**12
_RANGE = re.compile(r"(\d{4})-(\d{4})")


class Rule(NamedTuple):
    """Categories that earn otherwise: codes (5411), ranges of codes (3000-3299) or the file's own words. 0 points: nothing."""

    categories: tuple[str, ...]
    points: int


class Terms(NamedTuple):
    """`points` for every full `per_minor` of one spending. The partner pays `price_micro` millionths of a minor unit a point;
    0: the shop bears the points itself. A member gets at most `month_most` points for what is spent in one month."""

    starts: date
    points: int
    per_minor: int
    price_micro: int = 0
    month_most: int | None = None
    rules: tuple[Rule, ...] = ()


class BadTerms(ValueError):
    """`problem` names what cannot be."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def check(terms: Terms) -> None:
    """Raises BadTerms."""
    if not (0 <= terms.points <= MOST_POINTS and 0 < terms.per_minor <= MOST_MINOR):
        raise BadTerms("rate")
    if not terms.points and not any(rule.points for rule in terms.rules):
        raise BadTerms("rate")
    if not 0 <= terms.price_micro <= MOST_MICRO:
        raise BadTerms("price")
    if terms.month_most is not None and not 0 < terms.month_most <= 10**12:
        raise BadTerms("most")
    seen: set[str] = set()
    for rule in terms.rules:
        if not rule.categories or not 0 <= rule.points <= MOST_POINTS:
            raise BadTerms("rules")
        for category in rule.categories:
            found = _RANGE.fullmatch(category)
            if category in seen or not category or (found and found[1] > found[2]):
                raise BadTerms("rules")
            seen.add(category)


def at(versions: Sequence[Terms], day: date) -> Terms | None:
    """What held on a day; None before the first."""
    return max((one for one in versions if one.starts <= day), key=lambda one: one.starts, default=None)


def points_of(terms: Terms, amount_minor: int, category: str = "") -> int:
    """For one spending, before the month's limit."""
    return amount_minor // terms.per_minor * rate(terms, category)


def rate(terms: Terms, category: str) -> int:
    """Points for every full amount of spending in this category. The first rule that names it counts."""
    told = category.strip().casefold()
    if told:
        for rule in terms.rules:
            if any(_names(one, told) for one in rule.categories):
                return rule.points
    return terms.points


def _names(one: str, told: str) -> bool:
    found = _RANGE.fullmatch(one)
    if found:
        return len(told) == 4 and told.isdecimal() and found[1] <= told <= found[2]
    return one.casefold() == told


def rules_of(text: str) -> tuple[Rule, ...]:
    """“5411,5812-5814=2; 6011=0” → rules. Raises BadTerms."""
    told: list[Rule] = []
    for part in re.split(r"[;；\n]", text):
        if not part.strip():
            continue
        names, equals, points = part.replace("＝", "=").rpartition("=")
        if not equals or not points.strip().isdecimal() or len(points.strip()) > 7:
            raise BadTerms("rules")
        told.append(Rule(_words(re.split(r"[,，、]", names)), int(points)))
    return tuple(told)


def _words(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names if name.strip())


def rules_text(rules: Iterable[Rule]) -> str:
    return "; ".join(f"{','.join(rule.categories)}={rule.points}" for rule in rules)
