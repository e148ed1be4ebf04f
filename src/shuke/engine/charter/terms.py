"""The charter in integers, for one zone: what the engine computes with.

Amounts become minor units, filters become sets, conditions a small tree of thresholds. `Terms` are made once per version
and cached by whoever loads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import lcm
from zoneinfo import ZoneInfo

from shuke.engine.charter.document import Charter
from shuke.engine.charter.earning import Earning
from shuke.engine.charter.tiering import Condition, Window
from shuke.kit.clock import add_months, day_of, day_start
from shuke.kit.money import digits

MEASURES = ("amount", "orders", "single_order", "growth", "points")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One measure with its threshold; `measure` 5 = invited."""

    measure: int
    at_least: int
    window: Window


@dataclass(frozen=True, slots=True)
class Group:
    every: bool
    parts: tuple[Leaf | Group, ...]


Test = Leaf | Group


@dataclass(frozen=True, slots=True)
class TierTerms:
    key: str
    times: tuple[int, int]  # multiplier as numerator, denominator
    reach: Test | None
    keep: Test | None


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule with its filters as sets; `None` = no filter."""

    key: str
    kind: str
    points: int
    rate: int  # per_amount: numerator of points per minor unit over Terms.base
    times: tuple[int, int]
    exclusive: bool
    goods: bool  # filters lines
    categories: tuple[str, ...]
    products: frozenset[str]
    brands: frozenset[str]
    stores: frozenset[str] | None
    platforms: frozenset[str] | None
    channels: frozenset[str] | None
    tiers: frozenset[str] | None
    weekdays: frozenset[int] | None
    month_days: frozenset[int] | None
    birthday: str | None
    first: bool
    start: date | None
    end: date | None
    min_minor: int
    caps: tuple[int | None, int | None, int | None, int | None]  # order, day, month, member
    plain: bool  # no order filter at all


class Terms:
    """One charter version, ready to compute with."""

    def __init__(self, charter: Charter, zone: ZoneInfo, version: int = 0) -> None:
        self.charter, self.zone, self.version = charter, zone, version
        self.currency = charter.currency
        self._unit = 10 ** digits(charter.currency)
        pers = [self.minor(r.per) for r in charter.earning if r.kind == "per_amount"]
        self.base = lcm(*pers) if pers else 1
        self.rules = tuple(self._rule(r) for r in charter.earning)
        self.per_amount = tuple(r for r in self.rules if r.kind == "per_amount")
        self.fixed = tuple(r for r in self.rules if r.kind == "fixed")
        self.multiply = tuple(r for r in self.rules if r.kind == "multiply")
        self.needs_lines = any(r.goods for r in self.rules)
        self.best_multiplier = charter.points.multipliers == "best"
        self.tiers = tuple(
            TierTerms(t.key, _ratio(t.multiplier), self._test(t.reach), self._test(t.keep or t.reach))
            for t in charter.tiers
        )
        self.rank = {t.key: i for i, t in enumerate(self.tiers)}
        self.growth_per = self.minor(charter.grading.growth_per)  # 0: spending gives none
        self.cost_micro = int(charter.points.value * self._unit * 1_000_000)
        self._goods_rules = tuple(r for r in self.rules if r.goods)
        self._classes: dict[tuple[str, str, str], frozenset[str]] = {}
        self._day_memo: dict[date, tuple[datetime | None, datetime]] = {}

    def chosen_by(self, category: str, product: str, brand: str) -> frozenset[str]:
        """Keys of the goods rules that choose such a line. Lines chosen alike are one to the engine."""
        goods = (category, product, brand)
        found = self._classes.get(goods)
        if found is None:
            found = self._classes[goods] = frozenset(
                r.key
                for r in self._goods_rules
                if product in r.products
                or brand in r.brands
                or any(category == c or category.startswith(c + "/") for c in r.categories)
            )
        return found

    def minor(self, amount: Decimal) -> int:
        return int(amount * self._unit)

    def lot_times(self, at: datetime, day: date) -> tuple[datetime | None, datetime]:
        """(expires_at or None, available_at) of points earned at `at` on shop day `day`. Expiry is exclusive."""
        memo = self._day_memo.get(day)
        if memo is None:
            pending = self.charter.points.pending_days
            available = day_start(day + timedelta(days=pending), self.zone) if pending else datetime.min
            memo = self._day_memo[day] = (self._expires(day), available)
        expires, available = memo
        if available is datetime.min:
            available = at
        if expires is not None and expires <= at:  # a fixed date in the past: the points lapse with the day
            expires = day_start(day + timedelta(days=1), self.zone)
        return expires, available

    def _expires(self, day: date) -> datetime | None:
        rule = self.charter.points.expiry
        if rule.kind == "never":
            return None
        if rule.kind == "months":
            last = add_months(day, rule.months)
            if rule.to_month_end:
                last = add_months(last.replace(day=1), 1) - timedelta(days=1)
        elif rule.kind == "days":
            last = day + timedelta(days=rule.days)
        elif rule.kind == "year_end":
            last = date(day.year + rule.years, 12, 31)
        else:
            assert rule.on is not None  # document.check
            last = rule.on
        return day_start(last + timedelta(days=1), self.zone)

    def window_start(self, window: Window, last: date, joined: date) -> date | None:
        """First day of the window whose last day is `last`; None = from the beginning."""
        if window.kind == "rolling":
            return add_months(last + timedelta(days=1), -window.months)
        if window.kind == "calendar_year":
            return date(last.year, 1, 1)
        if window.kind == "anniversary":
            this = _anniversary(joined, last.year)
            return this if this <= last else _anniversary(joined, last.year - 1)
        return None

    def longest_window_days(self) -> int:
        """How far back daily figures must be kept; beyond it the lifetime totals are enough."""
        return 31 * max([12, *(leaf.window.months for leaf in self._all_leaves() if leaf.window.kind == "rolling")]) + 2

    def review_day(self, since: date, joined: date) -> date | None:
        """The next review after `since`."""
        rule = self.charter.grading.review
        if rule.kind == "never":
            return None
        if rule.kind == "after_months":
            return add_months(since, rule.months)
        if rule.kind == "yearly":
            this = date(since.year, rule.month, rule.day)
            return this if this > since else date(since.year + 1, rule.month, rule.day)
        this = _anniversary(joined, since.year)
        return this if this > since else _anniversary(joined, since.year + 1)

    def day(self, at: datetime) -> date:
        return day_of(at, self.zone)

    def start(self, day: date) -> datetime:
        return day_start(day, self.zone)

    def _all_leaves(self) -> list[Leaf]:
        found: list[Leaf] = []
        todo: list[Test] = [t for tier in self.tiers for t in (tier.reach, tier.keep) if t is not None]
        while todo:
            test = todo.pop()
            if isinstance(test, Leaf):
                found.append(test)
            else:
                todo.extend(test.parts)
        return found

    def _test(self, condition: Condition | None) -> Test | None:
        if condition is None:
            return None
        for every, parts in ((True, condition.all), (False, condition.any)):
            if parts is not None:
                return Group(every, tuple(p for p in map(self._test, parts) if p is not None))
        window = condition.window or self.charter.grading.window
        if condition.measure == "invited":
            return Leaf(5, 1, window)
        assert condition.measure is not None
        assert condition.at_least is not None  # document.check
        money = condition.measure in ("amount", "single_order")
        at_least = self.minor(condition.at_least) if money else int(condition.at_least)
        return Leaf(MEASURES.index(condition.measure), at_least, window)

    def _rule(self, rule: Earning) -> Rule:
        when = rule.when
        caps = rule.caps
        filters = (
            when.stores, when.platforms, when.channels, when.tiers, when.weekdays, when.month_days, when.birthday,
            when.first_purchase, when.from_date, when.until_date, when.min_amount,
        )  # fmt: skip
        return Rule(
            key=rule.key,
            kind=rule.kind,
            points=rule.points,
            rate=rule.points * (self.base // self.minor(rule.per)) if rule.kind == "per_amount" else 0,
            times=_ratio(rule.times),
            exclusive=rule.exclusive,
            goods=bool(when.categories or when.products or when.brands),
            categories=when.categories,
            products=frozenset(when.products),
            brands=frozenset(when.brands),
            stores=frozenset(when.stores) or None,
            platforms=frozenset(when.platforms) or None,
            channels=frozenset(when.channels) or None,
            tiers=frozenset(when.tiers) or None,
            weekdays=frozenset(when.weekdays) or None,
            month_days=frozenset(when.month_days) or None,
            birthday=when.birthday,
            first=when.first_purchase,
            start=when.from_date,
            end=when.until_date,
            min_minor=self.minor(when.min_amount),
            caps=(caps.per_order, caps.per_day, caps.per_month, caps.per_member),
            plain=not any(filters),
        )


class Versions:
    """All published versions of a merchant's charter; each moment has the one then in force."""

    def __init__(self, versions: list[tuple[datetime, Terms]]) -> None:
        if not versions:
            raise ValueError("A merchant needs at least one charter version.")
        self._all = sorted(versions, key=lambda v: v[0])
        # Rules of any version that look at goods: what of an order's lines settling has to read.
        self.goods_rules = tuple({r: None for _, t in self._all for r in t.rules if r.goods})
        self.longest_window_days = max(t.longest_window_days() for _, t in self._all)

    def at(self, moment: datetime) -> Terms:
        """The version in force at `moment`; before the first one began, the first (history of an import)."""
        found = self._all[0][1]
        if len(self._all) > 1:
            for start, terms in self._all[1:]:
                if start > moment:
                    break
                found = terms
        return found

    def next_after(self, moment: datetime) -> datetime | None:
        """When the version in force at `moment` gives way to another."""
        return next((start for start, _ in self._all[1:] if start > moment), None)

    @property
    def last(self) -> Terms:
        return self._all[-1][1]


def _ratio(value: Decimal) -> tuple[int, int]:
    return value.as_integer_ratio()


def _anniversary(joined: date, year: int) -> date:
    return add_months(joined, (year - joined.year) * 12)
