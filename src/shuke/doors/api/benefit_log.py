"""The log of benefits: who handed out what to whom, and how often each was used."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, Limit, Offset
from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY
from shuke.doors.api.tokens import Request
from shuke.kit.clock import day_start
from shuke.loyalty.queries import benefits
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["benefits"])
First = Annotated[date | None, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY, description="first day")]
Last = Annotated[date | None, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY, description="last day")]


class UseOut(Schema):
    number: str = Field(description="for POST /benefits/{number}/undo")
    at: datetime
    card: str
    benefit: str
    name: dict[str, str]
    state: str = Field(description="done, undone or refused")
    code: str = Field(description="why it was refused")
    tier: str
    store: str
    by: str
    note: str
    cost_minor: int
    points: int
    undone_by: str


class LogOut(Schema):
    lines: list[UseOut]
    next: int | None


class UsedOut(Schema):
    benefit: str
    name: dict[str, str]
    tier: str
    times: int
    members: int
    cost_minor: int


def _span(merchant: Merchant, first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    return (
        day_start(first, merchant.tz) if first else None,
        day_start(last + timedelta(days=1), merchant.tz) if last else None,
    )


@router.get("/benefits/log", response={200: LogOut, **REFUSED})
def log(
    request: Request,
    first: First = None,
    last: Last = None,
    benefit: Annotated[str, Query(max_length=40)] = "",
    state: Annotated[str, Query(pattern="^(done|undone|refused)?$")] = "",
    member: Annotated[str, Query(max_length=40, description="card")] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Hand-outs, takings back and refusals, the latest first."""
    merchant = request.auth.merchant
    since, before = _span(merchant, first, last)
    who = members.member_of(merchant.pk, member).pk if member else None
    wanted = benefits.Filter(benefit=benefit, state=state, member_id=who, since=since, before=before)
    rows = list(benefits.log(merchant, wanted)[offset : offset + limit + 1])
    lines = [
        UseOut(
            number=str(r.pk), at=r.at, card=r.member.card, benefit=r.benefit, name=r.label, state=r.state, code=r.code,
            tier=r.tier, store=r.store.code if r.store else "", by=r.actor, note=r.note, cost_minor=r.cost_minor,
            points=r.points, undone_by=r.undone_by,
        )
        for r in rows[:limit]
    ]  # fmt: skip
    return LogOut(lines=lines, next=offset + limit if len(rows) > limit else None)


@router.get("/benefits/report", response={200: list[UsedOut], **REFUSED})
def report(request: Request, first: First = None, last: Last = None) -> Any:
    """How often each benefit was used by each tier, by how many members, and what it cost."""
    merchant = request.auth.merchant
    since, before = _span(merchant, first or FIRST_DAY, last)
    assert since is not None
    told = benefits.report(merchant, since, before or shop_now(merchant) + timedelta(seconds=1))
    return [
        UsedOut(benefit=u.benefit, name=u.label, tier=u.tier, times=u.times, members=u.members, cost_minor=u.cost_minor)
        for u in told
    ]
