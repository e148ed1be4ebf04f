"""What the charter says about earning: what counts, which rules give how much, how long points live."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shuke.engine.charter.parts import Count, Key, Name, Part, Positive, When
from shuke.engine.charter.tiering import Limits


class Expiry(Part):
    """When points lapse, counted from the day they were earned. The day named is the last one they can be used."""

    kind: Literal["months", "days", "year_end", "fixed", "never", "activity"] = "months"
    months: Annotated[int, Field(ge=0, le=240)] = 12  # months; activity: the whole balance, so long after the last one
    to_month_end: bool = True
    to: Literal["day", "month", "quarter", "half_year", "year"] | None = None  # months: rounded up; None: to_month_end
    days: Annotated[int, Field(ge=1, le=7300)] = 365
    years: Annotated[int, Field(ge=0, le=20)] = 1  # year_end: 0 this year's end, 1 next year's
    month: Annotated[int, Field(ge=1, le=12)] = 12  # year_end: the last day of this month ends the year
    on: date | None = None  # fixed


class Base(Part):
    """Which parts of what an order cost earn points. Stored value and gift cards are tenders: they are money paid."""

    freight: bool = False
    tax: bool = True  # false: the tax within the price earns nothing
    discounts: bool = False  # what the shop's offers took off earns as if it had been paid
    coupons: bool = False  # the part paid by coupons
    points: bool = False  # the part paid with points
    stored_value: bool = True
    without_tenders: tuple[str, ...] = ()  # ways of paying that earn nothing, by the name the till gives them


class Caps(Part):
    """Most points a rule gives."""

    per_order: Count | None = None
    per_day: Count | None = None
    per_week: Count | None = None  # Monday to Sunday
    per_month: Count | None = None
    per_member: Count | None = None


class Budget(Part):
    """Most points a rule gives to all members together."""

    points: Annotated[int, Field(ge=1, le=2_000_000_000_000)]
    refunds_return: bool = True  # what a return takes back can be given again


class Streak(Part):
    """Extra points for doing an activity so many days in a row."""

    days: Annotated[int, Field(ge=2, le=366)]
    points: Count


class Group(Part):
    """Rules of which only one applies to an order."""

    key: Key
    take: Literal["best", "first"] = "best"  # best: the one that gives the member most; first: the highest priority


class Points(Part):
    name: Name = Name(zh="积分", en="points")
    pending_days: Annotated[int, Field(ge=0, le=365)] = 7  # the return window
    pending_from: Literal["payment", "completion"] = "payment"  # completion: the day the order was received or finished
    pending_most_days: Annotated[int, Field(ge=0, le=365)] = 30  # completion that nobody tells: so long after payment
    expiry: Expiry = Expiry()
    value: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=8)] = Decimal("0.01")  # of one point, in money
    returned_grace_days: Annotated[int, Field(ge=0, le=366)] = 30
    reinstate_days: Annotated[int, Field(ge=0, le=3660)] = 90  # so long after they lapsed points can be given back
    base: Base = Base()
    rounding: Literal["floor", "half_up", "ceil"] = "floor"
    round_per: Literal["order", "line"] = "order"
    multipliers: Literal["multiply", "best", "add"] = "multiply"
    stacking: Literal["add", "best", "first"] = "add"  # several rules of no group match
    groups: tuple[Group, ...] = ()
    caps: Caps = Caps()  # of all rules together
    clawback: Literal["debt", "balance", "lot"] = (
        "debt"  # points of a return that are spent: owed, or as far as there are
    )
    transfer: Literal["no", "family", "anyone"] = "family"  # to whom members may hand points
    transfer_most_per_day: Count | None = None
    second_person_above: Count | None = 1000  # by hand in a day; beyond it somebody else has to agree


class Earning(Part):
    key: Key
    name: Name
    kind: Literal["per_amount", "per_item", "fixed", "multiply", "activity"]
    gives: Literal["points", "growth"] = "points"
    points: Count = 1  # per_amount, per_item, fixed, activity
    per: Positive = Decimal(1)  # per_amount: so much money
    whole: bool = False  # per_amount: only whole amounts count, 每满
    times: Positive = Decimal(2)  # multiply: purchase points times this
    activity: Key | None = (
        None  # activity: check_in, survey, review, event, referral, profile, join … or the shop's own
    )
    streaks: tuple[Streak, ...] = ()
    when: When = When()
    caps: Caps = Caps()
    limits: Limits = Limits()  # how often the rule gives
    budget: Budget | None = None
    group: Key | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    exclusive: bool = False  # where it applies, other per_amount rules do not
