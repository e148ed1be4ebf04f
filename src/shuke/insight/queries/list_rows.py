"""What a member list and its export show of each member, fetched for the members of one page."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shuke.members.models import Member
from shuke.shops.models import Merchant


class Row(NamedTuple):
    """One member as lists and exports show them. Money in minor units of the merchant's currency; None = not known."""

    id: int
    name: str
    nickname: str
    card: str
    phone_hint: str
    gender: str
    city: str
    joined_at: datetime
    acquired_by: str
    store: str
    tags: list[str]
    tier: str
    tier_since: datetime | None
    points: int | None  # the account's balance: available, pending and held; None = no account yet
    last_paid_at: datetime | None
    first_paid_at: datetime | None
    orders: int | None  # None, here and below: not scored yet
    net_minor: int | None
    year_net_minor: int | None
    usual_gap_days: float | None
    stage: str
    layer: str
    bond: str
    rfm: str
    r5: int | None
    f5: int | None
    m5: int | None
    chance_30: int | None  # permille; None, and the spend too: nothing can be told
    expected_spend: int | None
    year_profit_minor: int | None  # None, here and below: in no profit report yet
    loyalty: str
    quality: str
    budget_minor: int | None
    advice: str


_COLUMNS = (
    "id", "name", "nickname", "card", "phone_hint", "gender", "city", "joined_at", "acquired_by",
    "home_store__name", "tags",
    "wallet__tier", "wallet__tier_since", "wallet__balance",
    *(
        f"memberscore__{c}"
        for c in (
            "last_paid_at", "first_paid_at", "order_count", "net_minor", "year_net_minor", "usual_gap_days",
            "stage", "layer", "bond", "rfm", "r5", "f5", "m5",
        )
    ),
    "membervalue__chance_30", "membervalue__expected_spend",
    *(f"memberprofit__{c}" for c in ("year_profit_minor", "loyalty", "quality", "budget_minor", "advice")),
)  # fmt: skip
_WORDS = ("__name", "__tier", "__stage", "__layer", "__bond", "__rfm", "__loyalty", "__quality", "__advice")
_TEXTS = [i for i, column in enumerate(_COLUMNS) if column.endswith(_WORDS)]


def rows_of(merchant: Merchant, ids: list[int]) -> list[Row]:
    """The rows of these ids, in their order."""
    found: dict[int, Row] = {}
    for values in Member.objects.filter(merchant=merchant, pk__in=ids).values_list(*_COLUMNS):
        cells = list(values)
        for i in _TEXTS:
            cells[i] = cells[i] or ""
        found[cells[0]] = Row(*cells)
    return [found[i] for i in ids if i in found]
