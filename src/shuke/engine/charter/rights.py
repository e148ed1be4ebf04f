"""What the charter says of benefits 权益: services with a quota by tier, and plans that reward what adds up over time.

A benefit is something a member can have so often per period; a plan counts what a member buys or does and gives something at
each step (a spend ladder, buy ten get one, a badge). Both are handed out at the counter and logged; what either costs the shop
is stated here, so that it can be booked on the member.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shuke.engine.charter.faults import Fault
from shuke.engine.charter.occasions import check_days, check_span
from shuke.engine.charter.parts import Amount, Count, Day, Key, Name, Part, Positive
from shuke.engine.charter.selling import Goods, Offer, Percent, Price, Selling

# kind: (中文, English, whether it is handed out and logged; the others apply by themselves)
KINDS: dict[str, tuple[str, str, bool]] = {
    "discount": ("会员折扣", "member discount", False),
    "birthday_discount": ("生日月折扣", "birthday month discount", False),
    "member_day": ("会员日", "member day", False),
    "member_goods": ("会员专享商品", "member-only goods", False),
    "priority": ("优先服务", "priority service", False),
    "free_delivery": ("免费送货", "free delivery", True),
    "gift_wrap": ("礼品包装", "gift wrap", True),
    "parking": ("免费停车", "parking", True),
    "ironing": ("熨烫保养", "ironing", True),
    "home_visit": ("上门预约", "home appointment", True),
    "magazine": ("会员刊物", "magazine", True),
    "birthday_gift": ("生日礼", "birthday gift", True),
    "special_day_gift": ("特别日子礼物", "gift on a special day", True),
    "sample": ("新品试用", "sample", True),
    "repair": ("维修保养", "repair", True),
    "lounge": ("贵宾休息", "lounge", True),
    "other": ("其他服务", "other service", True),
}
Period = Literal["day", "week", "month", "quarter", "year", "member_year", "tier", "lifetime"]


class OwnKind(Part):
    """A kind of benefit of the shop's own."""

    key: Key
    name: Name
    handed_out: bool = True  # false: it applies by itself, nobody taps it


class Grant(Part):
    """Who has it, and how often per period."""

    tiers: tuple[Key, ...] = ()  # none named: every tier that no other grant names
    times: Annotated[int, Field(ge=1, le=10_000)] | None = None  # None: without limit


class Occasion(Part):
    """When and where it can be had. All that is told must hold."""

    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    month_days: tuple[Annotated[int, Field(ge=1, le=31)], ...] = ()
    days: tuple[Day, ...] = ()
    hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] = ()
    birthday: Literal["day", "week", "month"] | None = None
    special_days: tuple[Literal["wedding", "child", "other"], ...] = ()  # of the member
    before: Annotated[int, Field(ge=0, le=31)] = 0  # special days: so many days before them as well
    after: Annotated[int, Field(ge=0, le=31)] = 0
    from_date: date | None = None
    until_date: date | None = None  # last day
    stores: tuple[str, ...] = ()


class Benefit(Part):
    key: Key
    name: Name
    kind: Key = "other"
    about: Name | None = None  # what the assistant does, or what the member should know
    grants: Annotated[tuple[Grant, ...], Field(min_length=1, max_length=30)] = (Grant(),)
    per: Period = "month"
    # The tier changes within a period. keep: the best of the tiers held in it counts; prorate: each for its share of the days,
    # rounded up; now: that of the tier now.
    on_tier_change: Literal["keep", "prorate", "now"] = "keep"
    when: Occasion = Occasion()
    percent: Percent | None = None  # discounts: what the member is told; a price or offer under `selling` gives it
    cost: Amount = Decimal(0)  # what one costs the shop


class Step(Part):
    """From so much on, one of this."""

    at_least: Positive
    name: Name  # what the member gets
    points: Count = 0  # given when it is claimed
    cost: Amount = Decimal(0)  # what it costs the shop, points aside


class Plan(Part):
    """A cumulative plan 累计奖励. With `repeat` it begins again at each full `at_least` of the last step (买十赠一)."""

    key: Key
    name: Name
    counts: Literal["amount", "pieces", "orders"] = "amount"  # of what was bought, less what came back
    of: Goods = Goods()
    stores: tuple[str, ...] = ()
    tiers: tuple[Key, ...] = ()
    per: Literal["month", "quarter", "year", "member_year", "lifetime"] = "year"
    from_date: date | None = None
    until_date: date | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=30)]
    repeat: bool = False
    honour: bool = False  # an achievement: a badge is shown, nothing is handed out


class Rights(Part):
    kinds: Annotated[tuple[OwnKind, ...], Field(max_length=50)] = ()
    benefits: Annotated[tuple[Benefit, ...], Field(max_length=200)] = ()
    plans: Annotated[tuple[Plan, ...], Field(max_length=50)] = ()
    undo_minutes: Annotated[int, Field(ge=0, le=10_080)] = 30  # so long whoever handed it out can take it back


def check_rights(rights: Rights, tiers: Collection[str], selling: Selling) -> list[Fault]:
    """Contradictions that types cannot see."""
    return [*_check(rights, tiers), *_check_till(rights, tiers, selling)]


def _check(rights: Rights, tiers: Collection[str]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    named = [(f"rights.benefits.{i}", b.key) for i, b in enumerate(rights.benefits)]
    named += [(f"rights.plans.{i}", p.key) for i, p in enumerate(rights.plans)]
    for where, key in named:
        if key in seen:
            yield Fault(f"{where}.key", "key_twice", key=key, other=seen[key])
        seen[key] = f"{where}.key"
    own = [k.key for k in rights.kinds]
    for i, key in enumerate(own):
        if key in KINDS or key in own[:i]:
            yield Fault(f"rights.kinds.{i}.key", "key_twice", key=key, other="rights.kinds")
    known = {*KINDS, *own}
    by_hand = {key for key, (_, _, by_hand) in KINDS.items() if by_hand} | {k.key for k in rights.kinds if k.handed_out}
    for i, benefit in enumerate(rights.benefits):
        where = f"rights.benefits.{i}"
        if benefit.kind not in known:
            yield Fault(f"{where}.kind", "unknown_kind", key=benefit.kind, known=", ".join(sorted(known)))
        elif benefit.kind not in by_hand:
            for j, grant in enumerate(benefit.grants):
                if grant.times is not None:
                    told = {"benefit": benefit.key, "times": str(grant.times)}
                    yield Fault(f"{where}.grants.{j}.times", "never_counted", **told)
        yield from _check_grants(where, benefit, tiers)
        yield from _check_occasion(f"{where}.when", benefit.when)
    for i, plan in enumerate(rights.plans):
        yield from _check_plan(f"rights.plans.{i}", plan, tiers)


def _check_till(rights: Rights, tiers: Collection[str], selling: Selling) -> Iterator[Fault]:
    """A discount is not given by being promised."""
    for i, benefit in enumerate(rights.benefits):
        rules: tuple[Price | Offer, ...] = (*selling.prices, *selling.offers)
        if benefit.percent is not None and not any(_gives(rule, benefit, tiers) for rule in rules):
            figure = f"{benefit.percent.normalize():f}"
            yield Fault(f"rights.benefits.{i}.percent", "not_at_the_till", benefit=benefit.key, percent=figure)


def _gives(rule: Price | Offer, benefit: Benefit, tiers: Collection[str]) -> bool:
    """Does the till take so much off for everybody who has the benefit?"""
    whose = {key for grant in benefit.grants for key in grant.tiers or tiers}
    birthday = benefit.kind != "birthday_discount" or rule.when.birthday is not None
    return rule.percent == benefit.percent and birthday and whose <= set(rule.when.tiers or tiers)


def _check_grants(where: str, benefit: Benefit, tiers: Collection[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for i, grant in enumerate(benefit.grants):
        for key in grant.tiers or ("",):
            if key and key not in tiers:
                yield Fault(
                    f"{where}.grants.{i}.tiers", "unknown_tier", key=key, known=", ".join(sorted(tiers))
                )  # fmt: skip
            if key in seen:
                yield Fault(f"{where}.grants.{i}", "granted_twice", benefit=benefit.key)
            seen.add(key)
    endless = benefit.per in ("tier", "lifetime") or any(g.times is None for g in benefit.grants)
    if benefit.on_tier_change == "prorate" and endless:
        yield Fault(f"{where}.on_tier_change", "cannot_prorate", benefit=benefit.key)


def _check_occasion(where: str, when: Occasion) -> Iterator[Fault]:
    yield from check_span(where, when.from_date, when.until_date)
    if (when.before or when.after) and not when.special_days:
        yield Fault(where, "days_around_special")
    yield from check_days(f"{where}.days", when.days)


def _check_plan(where: str, plan: Plan, tiers: Collection[str]) -> Iterator[Fault]:
    for key in plan.tiers:
        if key not in tiers:
            yield Fault(f"{where}.tiers", "unknown_tier", key=key, known=", ".join(sorted(tiers)))
    yield from check_span(where, plan.from_date, plan.until_date)
    before = Decimal(0)
    for i, step in enumerate(plan.steps):
        if step.at_least <= before:
            yield Fault(f"{where}.steps.{i}.at_least", "steps_rise", plan=plan.key, figure=str(step.at_least))
        before = step.at_least
        if plan.counts == "orders" and step.at_least != step.at_least.to_integral_value():
            yield Fault(f"{where}.steps.{i}.at_least", "whole_orders", plan=plan.key, figure=str(step.at_least))
        if plan.honour and (step.points or step.cost):
            yield Fault(f"{where}.steps.{i}", "honour_gives", plan=plan.key)
