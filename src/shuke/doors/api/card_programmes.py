"""Co-branded cards from the office's side: programmes, what was agreed, cards nobody has bound, taking a delivery back,
closing what the partner owes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from shuke.doors.api.deeds import desk
from shuke.doors.api.partner_cards import ANSWERS, PartnerCardOut, ProgrammeOut, card_out, programme_out, router
from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY, Body
from shuke.doors.api.tokens import Request
from shuke.engine.partner_cards.terms import BadTerms, Terms, rules_of
from shuke.flows import partner_card as flow
from shuke.kit.clock import day_start
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.queries import partner_cards as stored
from shuke.members import queries as members

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


class ProgrammeIn(Body):
    key: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_-]+$")]
    name: Annotated[str, Field(min_length=1, max_length=60, description="what members call it")]
    issuer: Annotated[str, Field(max_length=60, description="the bank or company")] = ""
    token: Annotated[str, Field(pattern="^(hash|masked)$", description="how cards are named")]
    ends_on: Day | None = Field(None, description="first day whose spending earns no more")


class AgreedIn(Body):
    starts: Day = Field(description="first day; after the first terms the first of a month")
    points: Annotated[int, Field(ge=0, le=10**6, description="for every full `per_minor` of one spending")]
    per_minor: Annotated[int, Field(ge=1, le=10**12)]
    price_micro: Annotated[int, Field(ge=0, le=10**15, description="the partner pays so much a point")] = 0
    month_most: Annotated[int, Field(ge=1, le=10**12)] | None = None
    categories: Annotated[str, Field(max_length=2000, description="5411,5812-5814=2; 6011=0")] = ""


class WaitingOut(Schema):
    number: str = Field(description="for POST /partner-cards/waiting/{number}/match")
    programme: str
    end: str
    rows: int
    amount_minor: int
    first: date
    last: date


class MatchIn(Body):
    member: Annotated[str, Field(min_length=1, max_length=40, description="card")]
    since: Day | None = Field(None, description="first day that earns; else that of the first waiting spending")


class MatchedOut(Schema):
    card: PartnerCardOut
    rows: int


class UndoneOut(Schema):
    number: str
    rows: int


class CloseStatementIn(Body):
    before: Day | None = Field(None, description="first day that is not in it; null: this month's first")


class ClosedStatementOut(Schema):
    document: dict[str, Any]
    replayed: bool


@router.post("/partner-cards", response={200: ProgrammeOut, **ANSWERS})
def save(request: Request, told: ProgrammeIn) -> Any:
    """Make a programme, or change it. Sent again it changes nothing."""
    call = desk(request)
    before = stored.programme(call.merchant, told.key)
    one = cards.save_programme(
        merchant=call.merchant, key=told.key, name=told.name, issuer=told.issuer, token_kind=told.token,
        columns=None, in_minor=before.in_minor if before else False, ends_on=told.ends_on, now=call.now, actor=call.actor,
    )  # fmt: skip
    return programme_out(one)


@router.post("/partner-cards/{key}/terms", response={200: ProgrammeOut, **ANSWERS})
def agree(request: Request, key: str, told: AgreedIn) -> Any:
    """What was agreed with the partner from a day on."""
    call = desk(request)
    try:
        rules = rules_of(told.categories)
    except BadTerms as error:
        raise CardRefused("terms_invalid", problem=str(error)) from error
    terms = Terms(told.starts, told.points, told.per_minor, told.price_micro, told.month_most, rules)
    cards.set_terms(merchant=call.merchant, programme=key, terms=terms, now=call.now, actor=call.actor)
    one = stored.programme(call.merchant, key)
    assert one is not None
    return programme_out(one)


@router.get("/partner-cards/waiting", response={200: list[WaitingOut], **ANSWERS})
def waiting(request: Request) -> Any:
    """Cards in deliveries that no member has bound, or that could be several members'."""
    return [
        WaitingOut(
            number=str(one.number), programme=one.programme.key, end=one.shown, rows=one.rows,
            amount_minor=one.amount_minor, first=one.first, last=one.last,
        )
        for one in stored.waiting(request.auth.merchant)
    ]  # fmt: skip


@router.post("/partner-cards/waiting/{int:number}/match", response={200: MatchedOut, **ANSWERS})
def match(request: Request, number: int, told: MatchIn) -> Any:
    """Say whose card it is: it is bound, and what waits earns."""
    call = desk(request)
    who = members.member_of(call.merchant.pk, told.member)
    card, rows = cards.match(
        merchant=call.merchant, line_id=number, member_id=who.pk, since=told.since, now=call.now, actor=call.actor
    )
    return MatchedOut(card=card_out(card), rows=rows)


@router.post("/partner-cards/deliveries/{int:number}/undo", response={200: UndoneOut, **ANSWERS})
def undo(request: Request, number: int) -> Any:
    """Take a delivery back: what it gave goes, what it took comes again. It can be taken anew."""
    call = desk(request)
    rows = cards.undo_file(merchant=call.merchant, file_id=number, now=call.now, actor=call.actor)
    return UndoneOut(number=str(number), rows=rows)


@router.post("/partner-cards/{key}/close", response={200: ClosedStatementOut, **ANSWERS})
def close(request: Request, key: str, told: CloseStatementIn | None = None) -> Any:
    """Close what the partner owes for everything before a day. Again it answers the same."""
    call = desk(request)
    before = told.before if told else None
    until = day_start(before, call.merchant.tz) if before else flow.month_end(call.merchant, call.now)
    done = cards.close(merchant=call.merchant, programme=key, until=until, now=call.now, actor=call.actor)
    return ClosedStatementOut(document=done.statement.document, replayed=done.replayed)
