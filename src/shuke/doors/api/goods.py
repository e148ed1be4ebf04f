"""Goods over the wire: the report of a night, the members behind its figures, what one member needs next, marks of products."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import Body, CodedRefusal, Refusal
from shuke.doors.api.tokens import Request, writer
from shuke.insight import actions
from shuke.insight.queries import figures, goods
from shuke.members import queries as members
from shuke.members.queries.cards import card_numbers
from shuke.shops.queries import now as shop_now

router = Router(tags=["insight"])
Level = Literal["", "product", "kind"]


class GoodsOut(Schema):
    as_of: str
    level: str
    main: str
    window_days: int
    items: int
    orders: int
    covered: float = Field(description="share of all sales in the goods the report is of")
    first_day: str
    last_day: str
    groups: list[dict[str, Any]] = Field(description="hot and slow of all, and of each layer, stage and class")
    opening: dict[str, Any]
    together: dict[str, Any]
    again: dict[str, Any]
    ladder: list[dict[str, Any]]
    durable: list[dict[str, Any]]
    check: dict[str, Any]


class BuyerOut(Schema):
    card: str
    day: date


class BuyersOut(Schema):
    count: int
    members: list[BuyerOut]


class NextOut(Schema):
    item: str
    name: str
    why: str = Field(description="again, ladder, like or bestseller")
    due: date | None
    state: str = Field(description="of again: not_yet, due, overdue, given_up")
    last: date | None
    times: int
    gap_days: float
    own: bool
    because: str
    buyers: int


class WantedOut(Schema):
    card: str
    level: str
    as_of: date
    again: list[NextOut]
    ladder: list[NextOut]
    new: list[NextOut]
    hidden: int = Field(description="left out: out of stock, or lasting goods just bought")


class MarkIn(Body):
    codes: Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=500)]
    need: Annotated[str, Field(max_length=60)] | None = Field(
        None, description='"" gives it up: the category stands for it'
    )
    durable: Literal["yes", "no", ""] | None = Field(None, description='"" is as buyers show')
    out_of_stock: bool | None = None


class MarkedOut(Schema):
    marked: int


@router.get("/insight/goods", response={200: GoodsOut, 409: CodedRefusal})
def report(request: Request, level: Level = "") -> Any:
    """The last report: hot and slow by group, what opens a relation, bought together, due again, need ladder, hit rates."""
    return GoodsOut(**goods.told(request.auth.merchant, level))


@router.get("/insight/goods/members", response={200: BuyersOut, 404: Refusal})
def behind(
    request: Request,
    figure: str,
    item: str,
    level: Literal["product", "kind"] = "product",
    other: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
) -> Any:
    """The members behind a figure of the report, latest day first."""
    merchant = request.auth.merchant
    try:
        found = goods.members_behind_goods(merchant, figure, level, item, other)
    except goods.NoSuchGoods as error:
        return Status(404, {"error": str(error)})
    part = found[offset : offset + limit]
    cards = card_numbers(merchant, [one.member for one in part])
    return BuyersOut(
        count=len(found), members=[BuyerOut(card=cards[one.member], day=one.day) for one in part if one.member in cards]
    )


@router.get("/members/{card}/next", response={200: WantedOut, 404: Refusal, 409: CodedRefusal})
def wanted(request: Request, card: str, level: Level = "", limit: Annotated[int, Query(ge=1, le=50)] = 10) -> Any:
    """What a member buys again and when it is due, where the need ladder leads, and what is new and likely."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    told = goods.told(merchant, level)
    found = figures.there(goods.for_member(merchant, who, told["level"], now=shop_now(merchant), top=limit))
    return WantedOut(
        card=who.card, level=told["level"], as_of=found.as_of, hidden=found.hidden,
        **{name: [NextOut(**one._asdict()) for one in getattr(found, name)] for name in ("again", "ladder", "new")},
    )  # fmt: skip


@router.post("/insight/goods/marks", response={200: MarkedOut, 403: Refusal, 404: Refusal})
def mark(request: Request, told: MarkIn) -> Any:
    """Say of products which need they meet, whether they last, whether they can be had. All or none."""
    token = writer(request.auth)
    try:
        count = actions.mark_goods(
            merchant=token.merchant,
            marks=[actions.Mark(code, told.need, told.durable, told.out_of_stock) for code in told.codes],
            now=shop_now(token.merchant),
            actor=f"token:{token.pk}",
        )
    except actions.UnknownGoods as error:
        return Status(404, {"error": str(error)})
    return MarkedOut(marked=count)
