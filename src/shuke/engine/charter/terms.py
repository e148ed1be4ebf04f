"""The charter in integers, for one zone: what the engine computes with.

Amounts become minor units, filters become sets, conditions a small tree of thresholds. `Terms` are made once per version
and cached by whoever loads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shuke.engine.charter.document import Charter
from shuke.engine.charter.earning import Base, Expiry
from shuke.engine.charter.rules import Rule, choosing, common_base, compiled, schedule
from shuke.engine.charter.succession import Heir, heirs
from shuke.engine.charter.tiering import Condition, Review, Window
from shuke.kit.clock import add_months, day_of, day_start
from shuke.kit.money import digits

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
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
    reachable: bool = True  # by figures; the others are bought or given
    review: Review | None = None


class Terms:
    """One charter version, ready to compute with."""

    def __init__(self, charter: Charter, zone: ZoneInfo, version: int = 0) -> None:
        self.charter, self.zone, self.version = charter, zone, version
        self.currency = charter.currency
        self._unit = 10 ** digits(charter.currency)
        self._compile_rules()
        self.tiers = tuple(
            TierTerms(
                t.key,
                t.multiplier.as_integer_ratio(),
                self._test(t.reach),
                self._test(t.keep or t.reach),
                not t.paid_only,
                t.review,
            )
            for t in charter.tiers
        )
        self.rank = {t.key: i for i, t in enumerate(self.tiers)}
        grading, points = charter.grading, charter.points
        self.growth_per = self.minor(grading.growth_per)  # 0: spending gives none
        self.growth_fades = bool(grading.growth_loss.months or grading.growth_loss.yearly_percent)
        self.reviews_all = grading.upgrade == "at_review"  # the lowest tier, too
        self.cost_micro = int(points.value * self._unit * 1_000_000)
        self.rolling_expiry = points.expiry.kind == "activity"
        self.waits_for_completion = points.pending_from == "completion"
        self.memberships = {m.key: m for m in charter.memberships}
        self._classes: dict[tuple[str, str, str], frozenset[str]] = {}
        self._day_memo: dict[date, tuple[datetime | None, datetime]] = {}

    def _compile_rules(self) -> None:
        charter, points = self.charter, self.charter.points
        self.base = common_base(list(charter.earning), {r.per: self.minor(r.per) for r in charter.earning})
        self.rules = tuple(
            compiled(r, self.base, self.minor(r.per), self.minor(r.when.min_amount), i)
            for i, r in enumerate(charter.earning)
        )
        growing = {r.key for r in charter.earning if r.gives == "growth"}
        self.growing = frozenset(growing)
        groups = tuple((g.key, g.take) for g in points.groups)
        if points.stacking != "add":
            groups += (("", points.stacking),)
        orders = [r for r in self.rules if r.kind != "activity"]
        self.earning = schedule(tuple(r for r in orders if r.key not in growing), self.base, groups, of_points=True)
        grows = tuple(r for r in orders if r.key in growing)
        self.growth = schedule(grows, self.base, (), of_points=False) if grows else None
        self.activities: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            if rule.kind == "activity":
                self.activities[rule.activity] = (*self.activities.get(rule.activity, ()), rule)
        self._sold = tuple(
            choosing(f"membership:{m.key}", m.products) for m in charter.memberships if m.products
        )  # fmt: skip
        self.goods_rules = tuple(r for r in self.rules if r.goods and r.kind != "activity") + self._sold
        self.each_line = points.round_per == "line"
        self.counts_pieces = any(r.kind == "per_item" or r.min_pieces for r in self.rules)
        self.needs_lines = bool(self.goods_rules) or self.each_line or self.counts_pieces
        self.needs_hour = any(r.hours is not None for r in self.rules)
        self.counted = tuple(r for r in self.rules if any(c is not None for c in r.caps[1:]) or r.limited)
        caps = points.caps
        self.all_caps = (caps.per_order, caps.per_day, caps.per_week, caps.per_month, caps.per_member)
        self.capped = any(c is not None for c in self.all_caps)
        self.multipliers = points.multipliers
        self.rounding = points.rounding
        self.plain_base = points.base == Base()
        self.by_key = {r.key: r for r in self.rules}
        self.has_budgets = any(r.budget is not None for r in self.rules)
        self.needs_more = (
            not self.plain_base
            or self.needs_hour
            or any(r.numbers is not None or r.min_of in ("paid", "before_discounts") for r in self.rules)
        )
        weekly = {r.key for r in self.rules if r.caps[2] is not None}
        weekly |= {r.key + "#" for r in self.rules if r.limits[1] is not None}
        self.weekly = weekly | ({"*"} if caps.per_week is not None else set())

    def chosen_by(self, category: str, product: str, brand: str) -> frozenset[str]:
        """Keys of the goods rules that choose such a line. Lines chosen alike are one to the engine."""
        goods = (category, product, brand)
        found = self._classes.get(goods)
        if found is None:
            found = self._classes[goods] = frozenset(
                r.key
                for r in self.goods_rules
                if product in r.products
                or brand in r.brands
                or any(category == c or category.startswith(c + "/") for c in r.categories)
            )
        return found

    def minor(self, amount: Decimal) -> int:
        return int(amount * self._unit)

    def lot_times(self, at: datetime, day: date, done_at: datetime | None = None) -> tuple[datetime | None, datetime]:
        """(expires_at or None, available_at) of points earned at `at` on shop day `day`. Expiry is exclusive.

        `done_at`: when the order was received or finished, for charters whose points wait for that.
        """
        memo = self._day_memo.get(day)
        if memo is None:
            memo = self._day_memo[day] = (self._expires(self.charter.points.expiry, day), self._after_pending(day))
        expires, available = memo
        if self.waits_for_completion:
            points = self.charter.points
            if done_at is not None:
                available = max(at, day_start(self.day(done_at) + timedelta(days=points.pending_days), self.zone))
            else:
                available = day_start(day + timedelta(days=points.pending_most_days), self.zone)
        if available < at:
            available = at
        if expires is not None and expires <= at:  # a fixed date in the past: the points lapse with the day
            expires = day_start(day + timedelta(days=1), self.zone)
        return expires, available

    def _after_pending(self, day: date) -> datetime:
        pending = self.charter.points.pending_days
        return day_start(day + timedelta(days=pending), self.zone) if pending else LONG_AGO

    def _expires(self, rule: Expiry, day: date) -> datetime | None:
        if rule.kind == "never":
            return None
        if rule.kind in ("months", "activity"):
            last = _rounded_up(add_months(day, rule.months), rule.to or ("month" if rule.to_month_end else "day"))
        elif rule.kind == "days":
            last = day + timedelta(days=rule.days)
        elif rule.kind == "year_end":
            this = add_months(date(day.year, rule.month, 1), 1) - timedelta(days=1)
            # The year that is running ends on the next such day.
            ends = day.year if this >= day else day.year + 1
            last = add_months(date(ends + rule.years, rule.month, 1), 1) - timedelta(days=1)
        else:
            assert rule.on is not None  # charter.check
            last = rule.on
        return day_start(last + timedelta(days=1), self.zone)

    def growth_expires(self, day: date) -> datetime | None:
        """When growth value collected on a day stops counting."""
        loss = self.charter.grading.growth_loss
        if not loss.months:
            return None
        last = _rounded_up(add_months(day, loss.months), "month" if loss.to_month_end else "day")
        return day_start(last + timedelta(days=1), self.zone)

    def growth_fades_at(self, after: date) -> datetime | None:
        """The next day on which the yearly share of growth value is taken off."""
        loss = self.charter.grading.growth_loss
        if not loss.yearly_percent:
            return None
        this = date(after.year, loss.month, loss.day)
        return self.start(this if this > after else date(after.year + 1, loss.month, loss.day))

    def window_start(self, window: Window, last: date, joined: date) -> date | None:
        """First day of the window whose last day is `last`; None = from the beginning."""
        if window.kind == "rolling":
            return add_months(last + timedelta(days=1), -window.months)
        if window.kind == "calendar_year":
            return date(last.year, 1, 1)
        if window.kind == "calendar_quarter":
            return date(last.year, last.month - (last.month - 1) % 3, 1)
        if window.kind == "calendar_month":
            return last.replace(day=1)
        if window.kind == "anniversary":
            this = _anniversary(joined, last.year)
            return this if this <= last else _anniversary(joined, last.year - 1)
        return None

    def window_end(self, window: Window, last: date, joined: date) -> date | None:
        """Last day of the period a figure is collected in; None where it rolls on or never ends."""
        start = self.window_start(window, last, joined)
        months = {"calendar_year": 12, "calendar_quarter": 3, "calendar_month": 1, "anniversary": 12}.get(window.kind)
        if months is None or start is None:
            return None
        if window.kind == "anniversary":
            return _anniversary(joined, start.year + 1) - timedelta(days=1)
        return add_months(start, months) - timedelta(days=1)

    def longest_window_days(self) -> int:
        """How far back daily figures must be kept; beyond it the lifetime totals are enough."""
        return 31 * max([12, *(leaf.window.months for leaf in self._all_leaves() if leaf.window.kind == "rolling")]) + 2

    def review_rule(self, rank: int) -> Review | None:
        """How somebody at `rank` is looked at again; None: nobody looks."""
        return self.tiers[rank].review or self.charter.grading.review if rank or self.reviews_all else None

    def review_day(self, since: date, joined: date, rank: int = 0) -> date | None:
        """The next review after `since` of somebody at `rank`."""
        rule = self.tiers[rank].review or self.charter.grading.review
        if rule.kind == "never":
            return None
        if rule.kind == "after_months":
            return add_months(since, rule.months)
        if rule.kind == "after_days":
            return since + timedelta(days=rule.days)
        if rule.kind == "yearly":
            this = date(since.year, rule.month, rule.day)
            return this if this > since else date(since.year + 1, rule.month, rule.day)
        if rule.kind in ("quarterly", "monthly"):
            step = 3 if rule.kind == "quarterly" else 1
            first = since.replace(day=1)
            if step == 3:
                first = add_months(first, -((since.month - rule.month) % 3))
            this = first.replace(day=rule.day)
            return this if this > since else add_months(this, step)
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


class Regrading(NamedTuple):
    """A version that grades otherwise than the one before it."""

    start: datetime
    before: Terms
    after: Terms
    heirs: dict[str, Heir]  # key of a tier before → who takes it over


class Versions:
    """All published versions of a merchant's charter; each moment has the one then in force."""

    def __init__(self, versions: list[tuple[datetime, Terms]]) -> None:
        if not versions:
            raise ValueError("A merchant needs at least one charter version.")
        self._all = sorted(versions, key=lambda v: v[0])
        every = [t for _, t in self._all]
        # Rules of any version that look at goods: what of an order's lines settling has to read.
        self.goods_rules = tuple({r: None for t in every for r in t.goods_rules})
        self.needs_lines = any(t.needs_lines for t in every)
        self.each_line = any(t.each_line for t in every)
        self.counts_pieces = any(t.counts_pieces for t in every)
        self.rolling_expiry = any(t.rolling_expiry for t in every)
        self.budgeted = tuple(r for t in every for r in t.rules if r.budget is not None)
        self.has_budgets = bool(self.budgeted)
        self.needs_parts = any(t.needs_more for t in every)
        self.weekly = frozenset(key for t in every for key in t.weekly)
        self.longest_window_days = max(t.longest_window_days() for t in every)
        # When tiers or how they are graded change, from which version to which: members are looked at anew then.
        self.regradings = tuple(
            Regrading(start, before, after, heirs(before.charter.tiers, after.charter.tiers))
            for (_, before), (start, after) in pairwise(self._all)
            if before.charter.tiers != after.charter.tiers or before.charter.grading != after.charter.grading
        )

    def at(self, moment: datetime) -> Terms:
        """The version in force at `moment`; before the first one began, the first (history of an import)."""
        found = self._all[0][1]
        if len(self._all) > 1:
            for start, terms in self._all[1:]:
                if start > moment:
                    break
                found = terms
        return found

    def named(self, tier: str, moment: datetime) -> frozenset[str]:
        """This tier of the version in force at `moment`, and whatever earlier versions called it: a gift or a coupon that names it by an
        older key means it still. Not the tiers that were removed: whoever limits something to gold does not mean silver."""
        names: dict[str, set[str]] = {}
        now: set[str] = set()
        for one in self.regradings:
            if one.start > moment:
                break
            before, names = names, {}
            for key, heir in one.heirs.items():
                if heir.how != "removed":
                    names.setdefault(heir.key, set()).update(before.get(key, ()), {key})
            now = {t.key for t in one.after.charter.tiers}
        return frozenset({tier} | (names.get(tier, set()) - now))

    @property
    def begun(self) -> tuple[tuple[datetime, Terms], ...]:
        """Each version with the moment it began, oldest first."""
        return tuple(self._all)

    def next_after(self, moment: datetime) -> datetime | None:
        """When the version in force at `moment` gives way to another."""
        return next((start for start, _ in self._all[1:] if start > moment), None)

    def next_regrading(self, moment: datetime) -> Regrading | None:
        """The next time after `moment` that tiers or their grading change."""
        return next((one for one in self.regradings if one.start > moment), None)

    def last_regrading(self, moment: datetime) -> datetime | None:
        """The last time up to `moment` that they did."""
        return next((one.start for one in reversed(self.regradings) if one.start <= moment), None)

    def as_called(self, tiers: Iterable[tuple[datetime, str]], moment: datetime) -> list[tuple[datetime, str]]:
        """Tiers somebody held, since when which, by the keys of the version in force at `moment`: another name is no change."""
        found: list[tuple[datetime, str]] = []
        for since, key in tiers:
            for one in self.regradings:
                if since < one.start <= moment and key in one.heirs:
                    key = one.heirs[key].key
            if not found or found[-1][1] != key:
                found.append((since, key))
        return found

    @property
    def last(self) -> Terms:
        return self._all[-1][1]


def _anniversary(joined: date, year: int) -> date:
    return add_months(joined, (year - joined.year) * 12)


def _rounded_up(day: date, to: str) -> date:
    """The last day of the month, quarter, half year or year that `day` is in."""
    if to == "day":
        return day
    months = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}[to]
    last = (day.month - 1) // months * months + months
    return add_months(date(day.year, last, 1), 1) - timedelta(days=1)
