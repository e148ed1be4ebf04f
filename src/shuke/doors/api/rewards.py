"""Benefits, gifts and lucky draws over the wire. Every deed takes the caller's key: sent again it is done once.

A refusal is answered 422 with `{"error": sentence, "code": code}`; the same key gives the same refusal for ever.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpResponse, JsonResponse
from ninja import Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import store_of
from shuke.doors.api.shapes import Body, CodedRefusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, writer
from shuke.loyalty.actions import benefits as benefit_actions
from shuke.loyalty.actions import draws as draw_actions
from shuke.loyalty.actions import gifts as gift_actions
from shuke.loyalty.actions.asking import LONGEST_REWARD_KEY
from shuke.loyalty.models import Draw, GiftOrder
from shuke.loyalty.queries import benefits, draws, gifts
from shuke.members import queries as members
from shuke.shops.queries import now as shop_now

router = Router()
MISSING = {"no_such_gift", "no_such_order", "no_such_draw", "not_handed_out", "unknown_benefit"}


Key = Annotated[str, Field(min_length=1, max_length=LONGEST_REWARD_KEY, description="your own name for this request")]
Code = Annotated[str, Field(min_length=1, max_length=40)]
REFUSED = {403: CodedRefusal, 404: CodedRefusal, 409: CodedRefusal, 422: CodedRefusal}


class RightOut(Schema):
    key: str
    name: dict[str, str]
    kind: str
    code: str = Field(description="why it cannot be had now; empty: it can")
    allowed: int | None = Field(description="per period; null: without limit")
    used: int
    left: int | None
    period_from: datetime
    period_until: datetime | None
    next_on: date | None


class CloseOut(Schema):
    kind: str = Field(description="plan, honour, streak or offer")
    key: str
    name: dict[str, str]
    unit: str
    have: int
    need: int
    missing: int
    next: dict[str, str] | None
    due: list[str] = Field(description="steps that can be claimed, as keys for POST …/benefits")


class HandOutIn(Body):
    benefit: Code
    key: Key
    store: Annotated[str, Field(max_length=60)] = ""
    note: Annotated[str, Field(max_length=200)] = ""


class HandedOut(Schema):
    number: str
    benefit: str
    name: dict[str, str]
    replayed: bool
    points: int


class GiftOut(Schema):
    code: str
    kind: str
    name: dict[str, str]
    points: int
    cash_minor: int
    stock: int | None
    refused: str = Field(description="why this member cannot have it now; empty: they can")


class GiftIn(Body):
    gift: Code
    key: Key
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    at_once: bool = Field(False, description="handed over now; false: set aside")
    ship: bool = False
    store: Annotated[str, Field(max_length=60)] = ""


class GiftOrderOut(Schema):
    number: str
    gift: str
    count: int
    returned: int
    points: int
    cash_minor: int
    state: str
    until: datetime | None
    replayed: bool = False


class BackIn(Body):
    key: Annotated[
        str, Field(max_length=LONGEST_REWARD_KEY, description="of `back`: your own name for this request")
    ] = ""
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    restock: bool = True


class DrawOut(Schema):
    code: str
    name: dict[str, str]
    state: str
    opens_at: datetime
    closes_at: datetime
    commitment: str
    tickets: int
    page: str


class TicketIn(Body):
    draw: Code
    key: Key
    way: Annotated[str, Field(pattern="^(points|order|activity|given)$")] = "points"
    word: Annotated[str, Field(max_length=20, description="the member's own word; it is published")] = ""


class TicketOut(Schema):
    number: int
    who: str
    drew: str
    won: str
    prize: dict[str, str] | None
    receipt: str
    replayed: bool


class UnhandedOut(Schema):
    kind: str = Field(description="prize | benefit")
    number: str
    of: str = Field(description="the draw, or the step of a plan")
    name: dict[str, str]
    since: datetime


class HandoverIn(Body):
    store: Annotated[str, Field(max_length=60, description="code of the store where it was handed over")] = ""


def refused_reward(request: Request, told: Any, *, missing: bool = False) -> HttpResponse:
    status = 404 if missing or told.code in MISSING else 422
    return JsonResponse({"error": told.say(language(request)), "code": told.code}, status=status)


@router.get("/members/{card}/benefits", tags=["benefits"], response={200: list[RightOut], **REFUSED})
def rights(request: Request, card: str, store: str = "") -> Any:
    """What a member may have now, how much is left, and why the rest cannot be had."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    return [
        RightOut(
            key=r.key, name=r.name.model_dump(), kind=r.kind, code=r.code, allowed=r.allowed, used=r.used, left=r.left,
            period_from=r.span.start, period_until=r.span.end, next_on=r.next_on,
        )
        for r in benefits.rights_of(merchant, who.pk, shop_now(merchant), store)
    ]  # fmt: skip


@router.get("/members/{card}/progress", tags=["benefits"], response={200: list[CloseOut], **REFUSED})
def progress(request: Request, card: str) -> Any:
    """What a member is close to."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    return [
        CloseOut(
            kind=c.kind, key=c.key, name=c.name.model_dump(), unit=c.unit, have=c.have, need=c.need, missing=c.missing,
            next=c.next_name.model_dump() if c.next_name else None, due=[f"{c.key}.{i}" for i, _, _ in c.due],
        )
        for c in benefits.close_to(merchant, who.pk, shop_now(merchant))
    ]  # fmt: skip


@router.post("/members/{card}/benefits", tags=["benefits"], response={200: HandedOut, **REFUSED})
def hand_out(request: Request, card: str, told: HandOutIn) -> Any:
    """Hand out a benefit, or claim a step of a plan."""
    token = writer(request.auth)
    merchant = token.merchant
    done = benefit_actions.hand_out(
        merchant=merchant, member_id=members.member_of(merchant.pk, card).pk, benefit=told.benefit, key=told.key,
        now=shop_now(merchant), actor=f"token:{token.pk}", store=store_of(merchant, told.store), note_text=told.note,
    )  # fmt: skip
    if not done.done or done.use is None:
        return refused_reward(request, done)
    return HandedOut(
        number=str(done.use.pk), benefit=done.use.benefit, name=done.use.label, replayed=done.replayed, points=done.use.points
    )  # fmt: skip


@router.post("/benefits/{number}/undo", tags=["benefits"], response={200: HandedOut, **REFUSED})
def undo(request: Request, number: int) -> Any:
    """Take back what was handed out, within the charter's minutes."""
    token = writer(request.auth)
    merchant = token.merchant
    done = benefit_actions.take_back(
        merchant=merchant, use_id=number, now=shop_now(merchant), actor=f"token:{token.pk}"
    )  # fmt: skip
    if not done.done or done.use is None:
        return refused_reward(request, done)
    return HandedOut(
        number=str(done.use.pk), benefit=done.use.benefit, name=done.use.label, replayed=done.replayed, points=0
    )


@router.get("/members/{card}/waiting", tags=["benefits"], response={200: list[UnhandedOut], **REFUSED})
def waiting(request: Request, card: str) -> Any:
    """What this member won or reached and was not handed yet: prizes of draws, things that go with a step's points."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    return [
        *(
            UnhandedOut(
                kind="prize",
                number=str(t.pk),
                of=t.draw.code,
                name=draws.prize(t.draw, t.won).get("name", {}),
                since=t.at,
            )
            for t in draws.prizes_waiting(merchant, who.pk)
        ),
        *(
            UnhandedOut(kind="benefit", number=str(u.pk), of=u.benefit, name=u.label, since=u.at)
            for u in benefits.things_waiting(merchant, who.pk)
        ),
    ]


@router.post("/benefits/{number}/hand-over", tags=["benefits"], response={200: HandedOut, **REFUSED})
def hand_over(request: Request, number: int, told: HandoverIn) -> Any:
    """The thing that goes with a step's points was handed over. Sent again by the same token it is said again."""
    token = writer(request.auth)
    merchant = token.merchant
    done = benefit_actions.hand_over(
        merchant=merchant, use_id=number, now=shop_now(merchant), actor=f"token:{token.pk}",
        store=store_of(merchant, told.store),
    )  # fmt: skip
    again = done.use is not None and done.use.handed_by == f"token:{token.pk}" and not done.done
    if done.use is None or not (done.done or again):
        return refused_reward(request, done, missing=done.use is None)
    return HandedOut(
        number=str(done.use.pk), benefit=done.use.benefit, name=done.use.label, replayed=again, points=done.use.points
    )  # fmt: skip


@router.get("/members/{card}/gifts", tags=["gifts"], response={200: list[GiftOut], **REFUSED})
def catalogue(request: Request, card: str) -> Any:
    """The gifts as this member can have them."""
    merchant = request.auth.merchant
    now = shop_now(merchant)
    who = members.member_of(merchant.pk, card)
    tier = benefits.known(merchant, who.pk, now).tier
    return [
        GiftOut(
            code=o.gift.code, kind=o.gift.kind, name={"zh": o.gift.name_zh, "en": o.gift.name_en}, points=o.gift.points,
            cash_minor=o.gift.cash_minor, stock=o.gift.stock, refused=o.code,
        )
        for o in gifts.offers(merchant, who.pk, tier, now)
    ]  # fmt: skip


@router.post("/members/{card}/gifts", tags=["gifts"], response={200: GiftOrderOut, **REFUSED})
def take(request: Request, card: str, told: GiftIn) -> Any:
    """Exchange points for a gift."""
    token = writer(request.auth)
    merchant = token.merchant
    done = gift_actions.order(
        merchant=merchant, member_id=members.member_of(merchant.pk, card).pk, gift=told.gift, key=told.key, count=told.count,
        at_once=told.at_once, way="ship" if told.ship else "pickup", store=store_of(merchant, told.store),
        now=shop_now(merchant), actor=f"token:{token.pk}",
    )  # fmt: skip
    return _order(request, done)


@router.post("/gift-orders/{number}/{deed}", tags=["gifts"], response={200: GiftOrderOut, **REFUSED})
def change(request: Request, number: int, deed: str, told: BackIn | None = None) -> Any:
    """`done`: handed over; `cancel`: points and stock come back; `back`: pieces that came back (with a key)."""
    token = writer(request.auth)
    merchant = token.merchant
    same: dict[str, Any] = {
        "merchant": merchant, "order_id": number, "now": shop_now(merchant), "actor": f"token:{token.pk}",
    }  # fmt: skip
    if deed == "done":
        return _order(request, gift_actions.hand_over(**same))
    if deed == "cancel":
        return _order(request, gift_actions.cancel(**same))
    if deed == "back" and told is not None and told.key:
        return _order(request, gift_actions.give_back(**same, key=told.key, count=told.count, restock=told.restock))
    sentence = (
        "请写 done、cancel，或带 key 的 back。"
        if language(request) == "zh"
        else "Say done, cancel, or back with a key."
    )
    return JsonResponse({"error": sentence, "code": "unknown_deed"}, status=404)


def _order(request: Request, done: gift_actions.Ordered) -> Any:
    if not done.done or done.order is None:
        return refused_reward(request, done)
    return order_out(done.order, done.replayed)


def order_out(row: GiftOrder, replayed: bool = False) -> GiftOrderOut:
    return GiftOrderOut(
        number=str(row.pk), gift=row.gift.code, count=row.count, returned=row.returned, points=row.points,
        cash_minor=row.cash_minor, state=row.state, until=row.until, replayed=replayed,
    )  # fmt: skip


@router.get("/draws", tags=["draws"], response={200: list[DrawOut]})
def all_draws(request: Request) -> Any:
    """Draws whose promise is out, latest first."""
    return [
        DrawOut(
            code=d.code, name=d.terms["name"], state=d.state, opens_at=d.opens_at, closes_at=d.closes_at,
            commitment=d.commitment, tickets=d.issued, page=f"/draws/{draws.public_name(d)}",
        )
        for d in draws.draws(request.auth.merchant)
        if d.state != Draw.State.DRAFT
    ]  # fmt: skip


@router.post("/members/{card}/tickets", tags=["draws"], response={200: TicketOut, **REFUSED})
def ticket(request: Request, card: str, told: TicketIn) -> Any:
    """Draw one ticket for a member."""
    token = writer(request.auth)
    merchant = token.merchant
    done = draw_actions.draw_ticket(
        merchant=merchant, draw=told.draw, member_id=members.member_of(merchant.pk, card).pk, key=told.key, way=told.way,
        word=told.word, now=shop_now(merchant), actor=f"token:{token.pk}",
    )  # fmt: skip
    if not done.done or done.ticket is None:
        return refused_reward(request, done)
    row = done.ticket
    assert row.number is not None
    won = draws.prize(row.draw, row.won).get("name") if row.won else None
    return TicketOut(
        number=row.number, who=row.who, drew=row.drew, won=row.won, prize=dict(won) if won else None,
        receipt=f"{row.number}:{row.link}", replayed=done.replayed,
    )  # fmt: skip
