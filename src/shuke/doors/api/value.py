"""Value over the wire: what members will probably buy and spend, how good that is, and one member's part."""

from __future__ import annotations

from typing import Any

from ninja import Router, Schema
from pydantic import Field

from shuke.doors.api.shapes import CodedRefusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request
from shuke.insight.queries import figures, value_told
from shuke.shops.queries import now as shop_now

router = Router(tags=["insight"])


class ValueOut(Schema):
    as_of: str
    made_at: str
    currency: str
    level: str = Field(description="full; totals: too few members for money of single ones; none: `missing` says why")
    rule: str = Field(description="model, plain, or empty where nothing is told")
    rule_says: str
    missing: list[str]
    buyers: int
    repeaters: int
    second_share: float | None
    bands: dict[str, dict[str, int]] | None = Field(description="30, 90 (days) → likely, possible, unlikely → members")
    quiet: dict[str, int]
    orders: dict[str, int] | None = Field(
        description="order days in 12 months: low, expected, high (four times of five)"
    )
    spend: dict[str, int] | None = Field(description="net, minor units, likewise")
    past_orders: float | None
    past_spend: float | None
    layers: list[dict[str, Any]]
    spend_bands: list[dict[str, Any]]
    top: list[dict[str, Any]]
    wholesale: dict[str, Any] | None
    plain: dict[str, Any] | None = Field(
        description="the trade's formula: yearly profit × years − promotion, care, service"
    )


class ValueTestOut(Schema):
    as_of: str
    made_at: str
    currency: str
    level: str
    rule: str
    missing: list[str]
    badge: dict[str, Any] = Field(description="light: green, amber, red; parts with value and light")
    last_import: str | None
    made_on: str | None
    says: str = Field(description="one sentence for the manager")
    tests: list[dict[str, Any]] = Field(description="latest first: gate, methods, deciles")
    chances: list[dict[str, Any]] = Field(description="within 30 and 90 days: AUC, Brier, tenths of stated and come")


@router.get("/insight/value", response={200: ValueOut, 409: CodedRefusal})
def value(request: Request) -> Any:
    """Totals of the next 12 months with their bands, who will buy, by layer and band, the members of whom most is expected."""
    merchant = request.auth.merchant
    return ValueOut(**figures.there(value_told.told(merchant, language(request), now=shop_now(merchant))))


@router.get("/insight/value/test", response={200: ValueTestOut, 409: CodedRefusal})
def test(request: Request) -> Any:
    """The tests on the shop's own past: the model beside plain rules, whether chances came true, and what the data carry."""
    merchant = request.auth.merchant
    return ValueTestOut(**figures.there(value_told.tested(merchant, language(request), now=shop_now(merchant))))
