"""Where a member stands, over the wire: tier and what is missing, growth value, statement; and the charter that says so."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from ninja import Query, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY, Refusal
from shuke.doors.api.tokens import Request
from shuke.engine.charter import document
from shuke.kit.clock import add_months, day_start
from shuke.loyalty import queries as loyalty
from shuke.loyalty.queries.statements import member_statement
from shuke.members import queries as members
from shuke.shops.queries import now as shop_now

router = Router(tags=["loyalty"])
Tree = Annotated[
    dict[str, Any],
    Field(description="a condition: all or any of parts, or a measure with figure, at_least and missing"),
]
Ways = Annotated[
    list[list[dict[str, Any]]], Field(description="alternatives; each is what is still to be done, all of it")
]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**7)]


class ChangeOut(Schema):
    at: datetime
    before: str
    after: str
    cause: str
    why: dict[str, Any]
    charter: int | None


class TierOut(Schema):
    card: str
    tier: str
    name: dict[str, str]
    since: datetime | None
    cause: str
    decided_by: dict[str, Any]
    next_tier: str = Field(description="empty: this is the highest that can be reached")
    next_name: dict[str, str]
    missing: Tree
    missing_ways: Ways
    keep: Tree
    keep_ways: Ways
    review_at: datetime | None = Field(description="until when the figures of `keep` count")
    in_grace: bool
    notice_at: datetime | None
    floor_until: datetime | None
    memberships: list[dict[str, Any]]
    growth: int
    figures: dict[str, int]
    charter_version: int
    history: list[ChangeOut]


class GrowthLineOut(Schema):
    at: datetime
    kind: str
    event: str
    growth: int
    balance: int
    expires_at: datetime | None
    why: list[dict[str, Any]]


class GrowthOut(Schema):
    card: str
    growth: int
    lines: list[GrowthLineOut] = Field(description="newest first")
    next: int | None = Field(description="offset of the next page")


class StatementLineOut(Schema):
    at: datetime
    kind: str
    event: str
    points: int
    balance: int
    was: int | None = Field(description="what was first booked, where that was something else")
    why: list[dict[str, Any]]
    reason: str = Field("", description="of points by hand: what was written for the member to read")


class StatementOut(Schema):
    """opening + all lines = closing, all pages together."""

    card: str
    first: date
    last: date
    opening: int
    closing: int
    owed: int
    totals: dict[str, int]
    lines: list[StatementLineOut] = Field(description="oldest first")
    count: int = Field(description="lines of all pages")
    next: int | None = Field(description="offset of the next page")


class CharterOut(Schema):
    version: int
    effective_from: datetime
    charter: dict[str, Any] = Field(description="the document, as `shuke charter export` writes it")


@router.get("/members/{card}/tier", response={200: TierOut, 404: Refusal, 409: Refusal})
def tier(request: Request, card: str) -> TierOut:
    """Why a member has this tier, what is missing to the next, and what keeps it until when."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    told = loyalty.why_tier(merchant, who.pk, shop_now(merchant))
    history = [
        ChangeOut(at=c.at, before=c.before, after=c.after, cause=c.cause, why=c.why, charter=c.charter_version)
        for c in told.history
    ]
    return TierOut(card=who.card, history=history, **{k: v for k, v in told._asdict().items() if k != "history"})


@router.get("/members/{card}/growth", response={200: GrowthOut, 404: Refusal})
def growth(request: Request, card: str, limit: Limit = 100, offset: Offset = 0) -> GrowthOut:
    """The ledger of a member's growth value, newest first."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    lines = loyalty.growth_lines(merchant, who.pk)
    return GrowthOut(
        card=who.card,
        growth=lines[0].balance_after if lines else 0,
        lines=[
            GrowthLineOut(
                at=x.at, kind=x.kind, event=x.event, growth=x.amount, balance=x.balance_after, expires_at=x.expires_at,
                why=x.why,
            )
            for x in lines[offset : offset + limit]
        ],
        next=offset + limit if offset + limit < len(lines) else None,
    )  # fmt: skip


@router.get("/members/{card}/points/statement", response={200: StatementOut, 400: Refusal, 404: Refusal})
def statement(
    request: Request,
    card: str,
    first: Annotated[date | None, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY)] = None,
    last: Annotated[date | None, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY)] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> StatementOut | Status:
    """A member's points over a time (days of the shop, both included; default the last year)."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    end = last or shop_now(merchant).astimezone(merchant.tz).date()
    begin = first or add_months(end, -12)
    if begin > end:
        return Status(400, Refusal(error=f"from: {begin} lies after to: {end}."))
    told = member_statement(
        merchant, who.pk, day_start(begin, merchant.tz), day_start(end + timedelta(days=1), merchant.tz)
    )
    return StatementOut(
        card=who.card, first=begin, last=end, opening=told.opening, closing=told.closing, owed=told.owed,
        totals=told.totals, count=len(told.lines),
        lines=[
            StatementLineOut(
                at=x.at, kind=x.kind, event=x.event, points=x.amount, balance=x.balance, was=x.was, why=x.why,
                reason=x.reason,
            )
            for x in told.lines[offset : offset + limit]
        ],
        next=offset + limit if offset + limit < len(told.lines) else None,
    )  # fmt: skip


@router.get("/charter", response={200: CharterOut, 409: Refusal})
def charter(request: Request) -> CharterOut:
    """The charter in force."""
    merchant = request.auth.merchant
    terms = loyalty.in_force(merchant, shop_now(merchant))
    published = next(one for one in loyalty.history(merchant) if one.version == terms.version)
    return CharterOut(
        version=terms.version, effective_from=published.effective_from, charter=document.to_plain(terms.charter)
    )
