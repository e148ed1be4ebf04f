"""The gift shelf over the wire: the catalogue, its stock, and the orders members placed."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, KeyHeader, Limit, Offset, OwnKey, desk, once
from shuke.doors.api.rewards import Code, GiftOrderOut, order_out
from shuke.doors.api.shapes import Body, Moment
from shuke.doors.api.tokens import Request
from shuke.loyalty.actions import gifts as actions
from shuke.loyalty.queries import gifts
from shuke.members import queries as members

router = Router(tags=["gifts"])
Name = Annotated[str, Field(min_length=1, max_length=80)]
About = Annotated[str, Field(max_length=300)]
Money = Annotated[int, Field(ge=0, le=10**13, description="minor units")]


class ShelfOut(Schema):
    code: str
    kind: str = Field(description="goods, donation or coupon")
    name: dict[str, str]
    points: int
    cash_minor: int
    cost_minor: int
    stock: int | None = Field(description="pieces that can be taken; null: without limit")
    active: bool
    done: int = Field(description="pieces handed over, less those that came back")
    waiting: int
    points_spent: int
    spent_cost_minor: int = Field(description="what those handed over cost the shop")
    members: int


class GiftSaveIn(Body):
    """What is told is changed; what was ordered keeps its price. `stock` counts only for a new gift."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    kind: Annotated[str, Field(pattern="^(goods|donation|coupon)$")] | None = None
    name_zh: Name | None = None
    name_en: Name | None = None
    about_zh: About | None = None
    about_en: About | None = None
    points: Annotated[int, Field(ge=1, le=10**12)] | None = None
    cash_minor: Money | None = None
    cost_minor: Money | None = None
    stock: Annotated[int, Field(ge=0, le=10**9, description="pieces of a new gift; null: without limit")] | None = None
    per_member: Annotated[int, Field(ge=0, le=10**6, description="0: no limit")] | None = None
    tiers: Annotated[list[Code], Field(max_length=50, description="only for these; empty: for all")] | None = None
    coupon: Annotated[str, Field(max_length=30, description="template a coupon gift issues")] | None = None
    hold_days: Annotated[int, Field(ge=0, le=90)] | None = None
    ship: bool | None = None
    active: bool | None = None
    from_at: Moment | None = None
    until_at: Moment | None = None


class PictureIn(Body):
    base64: Annotated[str, Field(max_length=600_000, description="the file's bytes as base64; empty: no picture")]


class PictureOut(Schema):
    code: str
    bytes: int = Field(description="0: it has none now")


class StockIn(Body):
    pieces: Annotated[int, Field(ge=-(10**9), le=10**9)]
    correct: bool = Field(False, description="what a count found; may be below 0")
    reason: Annotated[str, Field(max_length=200)] = ""
    key: OwnKey = ""


class StockOut(Schema):
    code: str
    stock: int
    replayed: bool = False


class ShelfOrderOut(GiftOrderOut):
    card: str
    placed_at: str
    way: str


class ShelfOrdersOut(Schema):
    orders: list[ShelfOrderOut]
    next: int | None


@router.get("/gifts", response=list[ShelfOut])
def shelf(request: Request) -> Any:
    """The whole catalogue, also what is not offered now: stock, what was handed over, what it cost."""
    return [_shelf(one) for one in gifts.totals(request.auth.merchant)]


def _shelf(one: gifts.Total) -> ShelfOut:
    gift = one.gift
    return ShelfOut(
        code=gift.code, kind=gift.kind, name={"zh": gift.name_zh, "en": gift.name_en}, points=gift.points,
        cash_minor=gift.cash_minor, cost_minor=gift.cost_minor, stock=gift.stock, active=gift.active, done=one.done,
        waiting=one.waiting, points_spent=one.points, spent_cost_minor=one.cost_minor, members=one.members,
    )  # fmt: skip


@router.post("/gifts", response={200: ShelfOut, **REFUSED})
def save(request: Request, told: GiftSaveIn) -> Any:
    """Make a gift, or change what is told of it. Sent again it changes nothing."""
    call = desk(request)
    values = told.model_dump(exclude={"code"}, exclude_none=True)
    if values.get("per_member") == 0:
        values["per_member"] = None
    row = actions.save_gift(merchant=call.merchant, code=told.code, values=values, now=call.now, actor=call.actor)
    return next(_shelf(one) for one in gifts.totals(call.merchant) if one.gift.pk == row.pk)


@router.post("/gifts/{code}/picture", response={200: PictureOut, **REFUSED})
def set_picture(request: Request, code: str, told: PictureIn) -> Any:
    """Give a gift its picture (PNG, JPEG or WebP of at most 400 kB), or take it away. Sent again it changes nothing."""
    call = desk(request)
    try:
        body = base64.b64decode(told.base64, validate=True)
    except binascii.Error as error:
        raise actions.GiftWrong("picture") from error
    actions.set_picture(merchant=call.merchant, code=code, body=body, now=call.now, actor=call.actor)
    return PictureOut(code=code, bytes=len(body))


@router.get("/gifts/{code}/picture", response={200: None, **REFUSED})
def picture(request: Request, code: str) -> Any:
    """The picture itself. Its type was told by its bytes."""
    row = gifts.picture(request.auth.merchant, code)
    if row is None:
        raise actions.GiftWrong("no_such_gift", gift=code)
    return HttpResponse(bytes(row.body), content_type=row.type, headers={"X-Content-Type-Options": "nosniff"})


@router.post("/gifts/{code}/stock", response={200: StockOut, **REFUSED})
def stock(request: Request, code: str, told: StockIn, idempotency_key: KeyHeader = "") -> Any:
    """Pieces that came in; with `correct` what a count found. With a key they come in once, however often it is sent."""
    call = desk(request)

    def do() -> dict[str, Any]:
        row = actions.add_stock(
            merchant=call.merchant, code=code, amount=told.pieces, corrected=told.correct, remark=told.reason, now=call.now,
            actor=call.actor,
        )  # fmt: skip
        return {"code": row.code, "stock": row.stock}

    asked = ["stock", code, told.pieces, told.correct, told.reason]
    answer, replayed = once(call, told.key or idempotency_key, asked, do)
    return StockOut(**answer, replayed=replayed)


@router.get("/gift-orders", response={200: ShelfOrdersOut, **REFUSED})
def orders(
    request: Request,
    state: Annotated[str, Query(pattern="^(held|done|cancelled|timed_out|returned|refused)?$")] = "",
    member: Annotated[str, Query(max_length=40, description="card")] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Gifts that were ordered, the latest first; what waits to be handed over with `state=held`."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, member).pk if member else None
    rows = list(gifts.orders(merchant, state=state, member_id=who)[offset : offset + limit + 1])
    told = [
        ShelfOrderOut(
            **order_out(row).model_dump(), card=row.member.card, placed_at=row.placed_at.isoformat(), way=row.way
        )
        for row in rows[:limit]
    ]
    return ShelfOrdersOut(orders=told, next=offset + limit if len(rows) > limit else None)
