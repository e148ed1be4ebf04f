"""Lucky draws from the office's side: terms, promise, end, seed; tickets and prizes; and checking what was published."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, Limit, desk, store_of, till
from shuke.doors.api.rewards import refused_reward, router
from shuke.doors.api.shapes import Body
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request
from shuke.engine import draws as engine
from shuke.loyalty.actions import draws as actions
from shuke.loyalty.actions.draws import DrawRefused
from shuke.loyalty.models import Draw, DrawTicket
from shuke.loyalty.queries import draws
from shuke.members import queries as members
from shuke.shops.queries import now as shop_now


class DrawIn(Body):
    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    terms: dict[str, Any] = Field(description="docs/algorithms/draws.md: name, opens_at, closes_at, prizes, tickets …")


class WholeDrawOut(Schema):
    code: str
    state: str = Field(description="draft, committed, stopped or revealed")
    terms: dict[str, Any]
    commitment: str
    seed: str = Field(description="empty until it is revealed")
    tickets: int
    given: dict[str, int] = Field(description="prize → how many")
    page: str


class FileIn(Body):
    file: dict[str, Any]
    receipts: Annotated[dict[int, str], Field(max_length=1000, description="ticket number → link")] = {}


class FindingOut(Schema):
    code: str
    ticket: int = Field(description="0: of the draw as a whole")
    error: str


class VerdictOut(Schema):
    draw: str
    holds: bool
    revealed: bool
    tickets: int
    won: dict[str, int]
    findings: list[FindingOut]


class ChanceOut(Schema):
    draw: str
    price: int | None = Field(description="points for a ticket; null: not for points")
    affordable: bool
    orders: int = Field(description="orders that give a ticket yet")
    activities: int
    left: int | None = Field(description="by the limits; null: without limit")


class WonOut(Schema):
    number: str = Field(description="for POST /prizes/{number}/hand-over")
    draw: str
    ticket: int
    card: str
    at: datetime
    won: str
    prize: dict[str, str] | None
    handed_at: datetime | None
    replayed: bool = False


class HandIn(Body):
    store: Annotated[str, Field(max_length=60)] = ""


def _whole(row: Draw) -> WholeDrawOut:
    return WholeDrawOut(
        code=row.code, state=row.state, terms=row.terms, commitment=row.commitment, seed=row.seed, tickets=row.issued,
        given=row.given, page=f"/draws/{draws.public_name(row)}",
    )  # fmt: skip


def _won(row: DrawTicket, *, replayed: bool = False) -> WonOut:
    name = draws.prize(row.draw, row.won).get("name") if row.won else None
    return WonOut(
        number=str(row.pk), draw=row.draw.code, ticket=row.number or 0, card=row.member.card, at=row.at, won=row.won,
        prize=dict(name) if name else None, handed_at=row.handed_at, replayed=replayed,
    )  # fmt: skip


def _draw(request: Request, code: str) -> Draw:
    row = draws.draw(request.auth.merchant, code)
    if row is None:
        raise DrawRefused("no_such_draw", draw=code)
    return row


@router.post("/draws", tags=["draws"], response={200: WholeDrawOut, **REFUSED})
def save(request: Request, told: DrawIn) -> Any:
    """Make a draw, or change one that was not promised yet. Nobody sees it before its promise is out."""
    call = desk(request)
    return _whole(
        actions.save_draw(merchant=call.merchant, code=told.code, terms=told.terms, now=call.now, actor=call.actor)
    )


@router.post("/draws/verify", tags=["draws"], response={200: VerdictOut, **REFUSED})
def verify(request: Request, told: FileIn) -> Any:
    """Check a published draw, of whoever, from its file alone: seed, every outcome, stock, limits, the chain."""
    verdict = engine.verify(told.file, told.receipts)
    found = [
        FindingOut(code=one.code, ticket=one.ticket, error=one.say(language(request)))
        for one in verdict.findings[:1000]
    ]
    return VerdictOut(
        draw=verdict.draw, holds=verdict.holds, revealed=verdict.revealed, tickets=verdict.tickets, won=dict(verdict.won),
        findings=found,
    )  # fmt: skip


@router.get("/draws/{code}", tags=["draws"], response={200: WholeDrawOut, **REFUSED})
def show(request: Request, code: str) -> Any:
    """One draw with its terms; also one that was not promised yet."""
    return _whole(_draw(request, code))


@router.post("/draws/{code}/promise", tags=["draws"], response={200: WholeDrawOut, **REFUSED})
def promise(request: Request, code: str) -> Any:
    """Publish terms and the commitment to the seed; from here on both stand. Promised already: the same answer."""
    call = desk(request)
    before = _draw(request, code)
    if before.state == Draw.State.COMMITTED:
        return _whole(before)
    return _whole(actions.commit_draw(merchant=call.merchant, code=code, now=call.now, actor=call.actor))


@router.post("/draws/{code}/stop", tags=["draws"], response={200: WholeDrawOut, **REFUSED})
def stop(request: Request, code: str) -> Any:
    """No more tickets. The seed still waits for the published closing time. Stopped already: the same answer."""
    call = desk(request)
    before = _draw(request, code)
    if before.state == Draw.State.STOPPED:
        return _whole(before)
    return _whole(actions.stop_draw(merchant=call.merchant, code=code, now=call.now, actor=call.actor))


@router.post("/draws/{code}/reveal", tags=["draws"], response={200: WholeDrawOut, **REFUSED})
def reveal(request: Request, code: str) -> Any:
    """Publish the seed, once no ticket can be drawn any more: everybody can check every outcome then."""
    call = desk(request)
    return _whole(actions.reveal_draw(merchant=call.merchant, code=code, now=call.now, actor=call.actor))


@router.get("/draws/{code}/file", tags=["draws"], response={200: dict[str, Any], **REFUSED})
def file(request: Request, code: str) -> Any:
    """The published file: terms, commitment, every ticket under a pseudonym, and the seed once it is revealed."""
    row = _draw(request, code)
    if not row.commitment:
        raise DrawRefused("no_such_draw", draw=code)
    return draws.file(row)


@router.get("/members/{card}/chances", tags=["draws"], response={200: list[ChanceOut], **REFUSED})
def chances(request: Request, card: str) -> Any:
    """What a member can draw with now, in every draw that is open."""
    merchant = request.auth.merchant
    who, now = members.member_of(merchant.pk, card), shop_now(merchant)
    told = []
    for row in draws.draws(merchant):
        if draws.is_open(row, now):
            one = draws.chances(merchant, row, who.pk, now)
            told.append(
                ChanceOut(
                    draw=row.code, price=one.price, affordable=one.affordable, orders=len(one.orders),
                    activities=len(one.activities), left=one.left,
                )
            )  # fmt: skip
    return told


@router.get("/members/{card}/tickets", tags=["draws"], response={200: list[WonOut], **REFUSED})
def tickets(request: Request, card: str, limit: Limit = 100) -> Any:
    """A member's tickets, the latest first, and what each won."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    return [_won(row) for row in draws.tickets_of(merchant, who.pk).select_related("member")[:limit]]


@router.get("/prizes", tags=["draws"], response={200: list[WonOut], **REFUSED})
def prizes(
    request: Request, member: Annotated[str, Query(max_length=40, description="card")] = "", limit: Limit = 100
) -> Any:
    """Prizes that were won and wait to be handed over, the oldest first."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, member).pk if member else None
    return [_won(row) for row in draws.prizes_waiting(merchant, who)[:limit]]


@router.post("/prizes/{int:number}/hand-over", tags=["draws"], response={200: WonOut, **REFUSED})
def hand_over(request: Request, number: int, told: HandIn | None = None) -> Any:
    """A prize is in the member's hands. Sent again by the same token it is said again; nobody else hands it out once more."""
    call = till(request)
    done = actions.hand_over_prize(
        merchant=call.merchant, ticket_id=number, now=call.now, actor=call.actor,
        store=store_of(call.merchant, told.store if told else ""),
    )  # fmt: skip
    row = done.ticket
    again = row is not None and row.handed_by == call.actor and not done.done
    if row is None or not (done.done or again):
        return refused_reward(request, done, missing=row is None)
    return _won(row, replayed=again)
