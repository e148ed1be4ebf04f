"""Gift cards from the office's side: made in bulk, sold by number, taken out as a list, renewed, void. And what the shop owes
in stored value. A batch is named by its number, a card by `batch/number` as printed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from shuke.doors.api.code_lists import csv_file
from shuke.doors.api.deeds import REFUSED, KeyHeader, OwnKey, Reason, desk, once, till
from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY, Body
from shuke.doors.api.tokens import Request
from shuke.flows import stored as flow
from shuke.kit.clock import day_start
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import StoredRefused
from shuke.loyalty.models import GiftCard
from shuke.loyalty.queries import stored as books
from shuke.loyalty.queries.stored.cards import BatchSeen
from shuke.shops.queries import now as shop_now

router = Router(tags=["stored value"])
Amount = Annotated[int, Field(ge=1, le=10**13, description="minor units")]
Number = Annotated[int, Field(ge=1, le=10**9)]


class CardsIn(Body):
    count: Annotated[int, Field(ge=1, le=200_000)]
    value_minor: Amount
    price_minor: Annotated[int, Field(ge=0, le=10**13, description="what it is sold for; the rest is bonus")] | None = (
        None
    )
    label: Annotated[str, Field(max_length=80)] = ""
    key: OwnKey = ""


class CardsOut(Schema):
    number: str
    label: str
    count: int
    made: int = Field(description="so many exist already; a worker makes the rest")
    value_minor: int
    price_minor: int
    states: dict[str, int] = Field(description="made (for sale), active (sold), redeemed, void → how many")
    left_minor: int = Field(description="on the cards of it that are out")
    replayed: bool = False


class SellIn(Body):
    first: Number
    last: Number | None = None
    paid_by: Annotated[str, Field(max_length=20)] = ""
    key: Annotated[str, Field(max_length=160, description="or the header Idempotency-Key")] = ""


class SoldOut(Schema):
    cards: int
    amount_minor: int
    replayed: bool


class GiftCardOut(Schema):
    card: str
    state: str = Field(description="made, active, expired, redeemed or void")
    available_minor: int
    expires_at: datetime | None


class RenewIn(Body):
    day: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, description="the last day it can be used")]


class VoidCardIn(Body):
    reason: Reason
    paid_out: bool = Field(False, description="what was on it was given back; else it is written off")


class VoidedOut(GiftCardOut):
    gone_minor: int


class SideOut(Schema):
    opening_minor: int
    moves: dict[str, int] = Field(description="what came in and corrections count up, all others down")
    closing_minor: int
    of_members_minor: int
    of_cards_minor: int


class StoredReportOut(Schema):
    money: SideOut
    bonus: SideOut
    received_by: dict[str, int]
    paid_out_by: dict[str, int]
    lapsing: list[tuple[str, int]] = Field(description="bonus by the month in which it lapses")
    adds_up: bool


def _seen(request: Request, number: int) -> BatchSeen:
    found = next((one for one in books.batches(request.auth.merchant, limit=100_000) if one.batch.pk == number), None)
    if found is None:
        raise StoredRefused("no_such_batch")
    return found


def _batch(one: BatchSeen, replayed: bool = False) -> CardsOut:
    row = one.batch
    return CardsOut(
        number=str(row.pk), label=row.label, count=row.count, made=row.made, value_minor=row.value_minor,
        price_minor=row.price_minor, states=one.states, left_minor=one.left_minor, replayed=replayed,
    )  # fmt: skip


@router.post("/gift-cards/batches", response={200: CardsOut, **REFUSED})
def order(request: Request, told: CardsIn, idempotency_key: KeyHeader = "") -> Any:
    """Order gift cards of one value, to be made by a worker. They are worth nothing until they are sold. With a key one
    batch, however often it is sent."""
    call = desk(request)

    def do() -> dict[str, Any]:
        made = flow.order_cards(
            merchant=call.merchant, count=told.count, value=told.value_minor, price=told.price_minor, label=told.label,
            now=call.now, actor=call.actor,
        )  # fmt: skip
        return {"batch": str(made.batch.pk)}

    asked = ["cards", told.count, told.value_minor, told.price_minor, told.label]
    answer, replayed = once(call, told.key or idempotency_key, asked, do)
    return _batch(_seen(request, int(answer["batch"])), replayed)


@router.get("/gift-cards/batches", response={200: list[CardsOut], **REFUSED})
def batches(request: Request) -> Any:
    """The latest 100 batches, and what is left on their cards."""
    return [_batch(one) for one in books.batches(request.auth.merchant)]


@router.get("/gift-cards/batches/{int:number}", response={200: CardsOut, **REFUSED})
def batch(request: Request, number: int) -> Any:
    """How far a batch is, and what became of its cards."""
    return _batch(_seen(request, number))


@router.get("/gift-cards/batches/{int:number}/codes", response={200: str, **REFUSED})
def codes(request: Request, number: int) -> Any:
    """The codes as CSV, a line each: as good as money once sold. The audit log says who took them."""
    call = desk(request)
    lines = flow.export_cards(merchant=call.merchant, batch_id=number, now=call.now, actor=call.actor)
    return csv_file(lines, f"gift-cards-{number}.csv")


@router.post("/gift-cards/batches/{int:number}/sell", response={200: SoldOut, **REFUSED})
def sell(request: Request, number: int, told: SellIn, idempotency_key: KeyHeader = "") -> Any:
    """Cards of a batch were paid for, by their printed numbers: from now on they are money. All or none."""
    call = till(request)
    last = told.first if told.last is None else told.last
    chosen = books.cards_of_batch(call.merchant, number, told.first, last)
    if len(chosen) != last - told.first + 1:
        raise StoredRefused("no_such_card", ref=f"{number}/{told.first}–{last}")
    answers = stored.sell_cards(
        merchant=call.merchant, cards=[one.pk for one in chosen], key=told.key or idempotency_key, paid_by=told.paid_by,
        now=call.now, actor=call.actor,
    )  # fmt: skip
    total = sum(one.figures["amount"] for one in answers)
    return SoldOut(cards=len(answers), amount_minor=total, replayed=all(one.replayed for one in answers))


def _card(request: Request, batch: int, number: int) -> GiftCard:
    found = flow.card_named(merchant=request.auth.merchant, told=f"{batch}/{number}")
    if found is None:
        raise StoredRefused("no_such_card", ref=f"{batch}/{number}")
    return found


def _told(request: Request, batch: int, number: int) -> dict[str, Any]:
    merchant = request.auth.merchant
    one = books.seen(merchant, _card(request, batch, number), shop_now(merchant))
    return {
        "card": f"{batch}/{number}",
        "state": one.state,
        "available_minor": one.balance.available,
        "expires_at": one.card.expires_at,
    }


@router.get("/gift-cards/{int:batch}/{int:number}", response={200: GiftCardOut, **REFUSED})
def show(request: Request, batch: int, number: int) -> Any:
    """A card by its printed number: its state, and what is on it."""
    return GiftCardOut(**_told(request, batch, number))


@router.post("/gift-cards/{int:batch}/{int:number}/renew", response={200: GiftCardOut, **REFUSED})
def renew(request: Request, batch: int, number: int, told: RenewIn) -> Any:
    """A card can be used to the end of a later day. What is on a card that ran out is never lost."""
    call = desk(request)
    until = day_start(told.day + timedelta(days=1), call.merchant.tz)
    card = _card(request, batch, number)
    stored.renew_card(merchant=call.merchant, card_id=card.pk, until=until, now=call.now, actor=call.actor)
    return GiftCardOut(**_told(request, batch, number))


@router.post("/gift-cards/{int:batch}/{int:number}/void", response={200: VoidedOut, **REFUSED})
def void(request: Request, batch: int, number: int, told: VoidCardIn) -> Any:
    """Make a card useless, with a reason. Void already: nothing more is gone."""
    call = desk(request)
    gone = stored.void_card(
        merchant=call.merchant, card_id=_card(request, batch, number).pk, reason=told.reason, paid_out=told.paid_out,
        now=call.now, actor=call.actor,
    )  # fmt: skip
    return VoidedOut(**_told(request, batch, number), gone_minor=gone)


@router.get("/stored/report", response={200: StoredReportOut, **REFUSED})
def report(
    request: Request,
    first: Annotated[date | None, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY, description="first day")] = None,
    last: Annotated[
        date | None, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY, description="last day; else today")
    ] = None,
) -> Any:
    """What the shop owes in stored value and gift cards, and whether all money that came in is accounted for."""
    merchant = request.auth.merchant
    end = last or shop_now(merchant).astimezone(merchant.tz).date()
    since = day_start(first, merchant.tz) if first else None
    told = books.report(merchant, day_start(end + timedelta(days=1), merchant.tz), first=since)
    return StoredReportOut(
        money=_side(told.money), bonus=_side(told.bonus), received_by=told.received_by, paid_out_by=told.paid_out_by,
        lapsing=told.lapsing, adds_up=told.adds_up,
    )  # fmt: skip


def _side(one: Any) -> SideOut:
    return SideOut(
        opening_minor=one.opening, moves=one.moves, closing_minor=one.closing, of_members_minor=one.of_members,
        of_cards_minor=one.of_cards,
    )  # fmt: skip
