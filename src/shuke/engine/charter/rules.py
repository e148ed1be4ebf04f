"""Earning rules in integers: filters as sets, days as tests, all rates over one denominator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from math import lcm

from shuke.engine.calendar.festivals import falls
from shuke.engine.charter.earning import Budget, Earning
from shuke.engine.charter.parts import Day, When


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule with its filters as sets; `None` = no filter."""

    key: str
    kind: str
    points: int
    rate: int  # per_amount: numerator of points per minor unit over the base; per_item: per piece
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
    caps: tuple[int | None, ...]  # per order, day, week, month, member
    plain: bool  # no order filter at all
    # What few rules have, looked at only where `more` is set.
    more: bool = False
    days: tuple[Day, ...] = ()
    hours: frozenset[int] | None = None
    numbers: frozenset[int] | None = None
    min_of: str = "base"
    min_pieces: int = 0
    whole: int = 0  # per_amount: points only for each whole amount of so many minor units
    limits: tuple[int | None, ...] = (None, None, None, None)  # times per day, week, month, member
    limited: bool = False
    budget: Budget | None = None
    group: str = ""
    priority: int = 0
    activity: str = ""
    streaks: tuple[tuple[int, int], ...] = ()  # days in a row, points
    place: int = 0  # in the document
    bounded: bool = False  # has caps, limits or a budget
    picky: bool = False  # looks at goods, in whatever way


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rules that give the same thing, points or growth value."""

    rules: tuple[Rule, ...]
    base: int  # denominator of all rates
    amounts: tuple[Rule, ...]  # per_amount and per_item, exclusive ones first
    fixed: tuple[Rule, ...]
    multiply: tuple[Rule, ...]
    groups: tuple[tuple[str, str], ...]  # key, take; "" is the group of rules that name none
    of_points: bool  # tier multipliers and caps of all points apply


def schedule(rules: tuple[Rule, ...], base: int, groups: tuple[tuple[str, str], ...], *, of_points: bool) -> Schedule:
    named = {r.group for r in rules}
    return Schedule(
        rules,
        base,
        tuple(sorted((r for r in rules if r.kind in ("per_amount", "per_item")), key=lambda r: not r.exclusive)),
        tuple(r for r in rules if r.kind == "fixed"),
        tuple(r for r in rules if r.kind == "multiply"),
        tuple(g for g in groups if g[0] in named or not g[0]),
        of_points,
    )


def common_base(earning: list[Earning], minor: dict[Decimal, int]) -> int:
    """The one denominator of all amounts that points are counted per."""
    pers = [minor[r.per] for r in earning if r.kind == "per_amount"]
    return lcm(*pers) if pers else 1


def compiled(rule: Earning, base: int, per: int, min_minor: int, place: int) -> Rule:
    """`per` and `min_minor` are the rule's amounts in minor units."""
    when, caps, limits = rule.when, rule.caps, rule.limits
    filters = (
        when.stores, when.platforms, when.channels, when.tiers, when.weekdays, when.month_days, when.birthday,
        when.first_purchase, when.from_date, when.until_date, when.min_amount, when.days, when.hours, when.nth_purchases,
    )  # fmt: skip
    rate = {"per_amount": rule.points * (base // per), "per_item": rule.points * base}.get(rule.kind, 0)
    told = (limits.per_day, limits.per_week, limits.per_month, limits.per_member)
    return Rule(
        key=rule.key,
        kind=rule.kind,
        points=rule.points,
        rate=rate,
        times=rule.times.as_integer_ratio(),
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
        min_minor=min_minor,
        caps=(caps.per_order, caps.per_day, caps.per_week, caps.per_month, caps.per_member),
        plain=not any(filters),
        more=bool(when.days or when.hours or when.nth_purchases or when.min_amount_of != "base"),
        days=when.days,
        hours=frozenset(when.hours) or None,
        numbers=frozenset(when.nth_purchases) or None,
        min_of=when.min_amount_of,
        min_pieces=when.min_pieces,
        whole=per if rule.whole and rule.kind == "per_amount" else 0,
        limits=told,
        limited=any(n is not None for n in told),
        budget=rule.budget,
        group=rule.group or "",
        priority=rule.priority,
        activity=rule.activity or "",
        streaks=tuple((s.days, s.points) for s in sorted(rule.streaks, key=lambda s: s.days)),
        place=place,
        bounded=rule.budget is not None
        or any(
            n is not None for n in (caps.per_order, caps.per_day, caps.per_week, caps.per_month, caps.per_member, *told)
        ),
        picky=bool(when.categories or when.products or when.brands or when.min_pieces or when.min_amount_of == "goods"),
    )


def choosing(key: str, products: tuple[str, ...]) -> Rule:
    """A rule that only picks goods out of a basket: those that buy a membership."""
    return compiled(Earning.model_construct(key=key, kind="fixed", points=0, when=When(products=products)), 1, 1, 0, -1)


@lru_cache(maxsize=65536)
def is_one_of(days: tuple[Day, ...], today: date) -> bool:
    """Is today one of the days a rule names?"""
    return any(_is(day, today) for day in days)


def _is(day: Day, today: date) -> bool:
    if day.month_day is not None:
        return today.day == day.month_day
    if day.nth is not None:
        if today.isoweekday() != day.weekday:
            return False
        if day.nth == -1:
            return (today + timedelta(days=7)).month != today.month
        return (today.day - 1) // 7 + 1 == day.nth
    around = range(-day.before, day.after + 1)
    if day.date is not None:
        return any(day.date + timedelta(days=n) == today for n in around)
    assert day.festival is not None  # charter.check
    return any(falls(day.festival, (today - timedelta(days=n)).year) + timedelta(days=n) == today for n in around)
