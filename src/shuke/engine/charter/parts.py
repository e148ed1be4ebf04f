"""The pieces that every part of the charter is made of."""

from __future__ import annotations

from datetime import date
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
    birthday: Literal["day", "month"] | None = None
    first_purchase: bool = False
    from_date: date | None = None
    until_date: date | None = None  # last day
    min_amount: Amount = Decimal(0)
