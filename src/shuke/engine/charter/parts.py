"""The pieces that every part of the charter is made of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Positive = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=6)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=3)]
Count = Annotated[int, Field(ge=0, le=2_000_000_000)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Part):
    """A text in both languages."""

    zh: str
    en: str


class Day(Part):
    """One way of naming days: a day of the month, the n-th weekday of a month, a date, or a festival by name."""

    month_day: Annotated[int, Field(ge=1, le=31)] | None = None
    nth: Annotated[int, Field(ge=-1, le=5)] | None = None  # with weekday: 1 = first … 5 = fifth, -1 = last of the month
    weekday: Annotated[int, Field(ge=1, le=7)] | None = None  # 1 = Monday
    date: dt.date | None = None
    festival: str | None = None  # engine/calendar/festivals.py knows them: spring_festival, mid_autumn, double_11 …
    before: Annotated[int, Field(ge=0, le=31)] = 0  # so many days before the date or festival count as well
    after: Annotated[int, Field(ge=0, le=31)] = 0


class When(Part):
    """All that is told must hold. Goods filters choose lines; the others choose orders."""

    categories: tuple[str, ...] = ()  # "GROCERY" or "GROCERY/BREAD": the category and all below it
    products: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()  # store codes
    platforms: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tiers: tuple[Key, ...] = ()
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()  # 1 = Monday
    month_days: tuple[Annotated[int, Field(ge=1, le=31)], ...] = ()  # member day
    days: tuple[Day, ...] = ()  # one of them
    hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] = ()  # 14 = from 14:00 to before 15:00, shop time
    birthday: Literal["day", "week", "month"] | None = None  # week: Monday to Sunday around it
    first_purchase: bool = False
    nth_purchases: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = ()  # 2: the member's second purchase
    from_date: dt.date | None = None
    until_date: dt.date | None = None  # last day
    min_amount: Amount = Decimal(0)
    min_amount_of: Literal["base", "paid", "before_discounts", "goods"] = "base"  # goods: the lines the filters choose
    min_pieces: Count = 0  # of the chosen lines
