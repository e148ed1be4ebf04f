"""What the charter says about tiers: how they are reached, kept, bought, looked at again and lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shuke.engine.charter.parts import Amount, Count, Key, Name, Part, Positive


class Window(Part):
    """Over which time a figure is added up. Bounds are shop days, the end exclusive."""

    kind: Literal["rolling", "calendar_year", "calendar_quarter", "calendar_month", "anniversary", "lifetime"] = (
        "rolling"
    )
    months: Annotated[int, Field(ge=1, le=120)] = 12  # only for rolling


class Condition(Part):
    """A tree: exactly one of `all`, `any`, or one measure with `at_least`."""

    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    measure: Literal["amount", "orders", "single_order", "growth", "points", "invited"] | None = None
    at_least: Decimal | None = None
    window: Window | None = None  # None: the grading window


class Review(Part):
    """When a grade is looked at again."""

    kind: Literal["after_months", "after_days", "yearly", "quarterly", "monthly", "join_anniversary", "never"] = (
        "after_months"
    )
    months: Annotated[int, Field(ge=1, le=120)] = 12  # after_months
    days: Annotated[int, Field(ge=1, le=3660)] = 365  # after_days
    month: Annotated[int, Field(ge=1, le=12)] = 1  # yearly; quarterly: 1 = January, April …, 2 = February, May …
    day: Annotated[int, Field(ge=1, le=31)] = 1  # yearly, quarterly, monthly


class Tier(Part):
    key: Key
    name: Name
    multiplier: Positive = Decimal(1)  # on purchase points
    reach: Condition | None = None  # the lowest tier has none
    keep: Condition | None = None  # None: the same as reach
    review: Review | None = None  # None: as grading says; a tier for a limited time has its own months
    paid_only: bool = False  # reached by no figure, only bought or given by hand
    was: Annotated[tuple[Key, ...], Field(max_length=30)] = ()  # tiers of earlier versions that this one takes over
    benefits: tuple[Name, ...] = ()


class Membership(Part):
    """A paid membership: for its duration the member has at least its tier."""

    key: Key
    name: Name
    tier: Key
    price: Amount = Decimal(0)
    months: Annotated[int, Field(ge=0, le=120)] = 12
    days: Annotated[int, Field(ge=0, le=3660)] = 0  # added to the months
    products: tuple[str, ...] = ()  # an order with one of these goods buys it
    renewal: Literal["extend", "restart"] = "extend"  # bought again while it runs: from its end, or from now
    earns: bool = False  # whether the fee itself earns points and counts for tiers


class GrowthLoss(Part):
    """How growth value fades."""

    months: Annotated[int, Field(ge=0, le=120)] = 0  # each value counts so many months; 0 = for ever
    to_month_end: bool = True
    yearly_percent: Annotated[int, Field(ge=0, le=100)] = 0  # so much of it is taken off on one day of each year
    month: Annotated[int, Field(ge=1, le=12)] = 1
    day: Annotated[int, Field(ge=1, le=31)] = 1


class Grading(Part):
    window: Window = Window()
    upgrade: Literal["at_once", "at_review"] = "at_once"
    review: Review = Review()
    protection_days: Annotated[int, Field(ge=0, le=731)] = 0  # no fall so soon after a tier was reached
    grace_days: Annotated[int, Field(ge=0, le=366)] = 0
    notice_days: Annotated[int, Field(ge=0, le=366)] = 0  # told so long before a review that would find too little
    fall: Literal["one_step", "to_fit"] = "one_step"
    on_refund: Literal["at_review", "at_once"] = "at_review"
    growth_per: Amount = Decimal(1)  # one growth value for each of this amount spent; 0 = none by spending
    growth_loss: GrowthLoss = GrowthLoss()


class Limits(Part):
    """How often at most."""

    per_day: Count | None = None
    per_week: Count | None = None
    per_month: Count | None = None
    per_member: Count | None = None
