"""Complaints over the wire: written down, settled with what the charter gives for it, opened again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from shuke.doors.api.shapes import Body, CodedRefusal
from shuke.doors.api.speaking import language
from shuke.doors.api.till import KeyHeader, OwnKey
from shuke.doors.api.tokens import Request, writer
from shuke.flows import complaints as flow
from shuke.members import queries as members
from shuke.service import actions, queries
from shuke.service.actions import LONGEST
from shuke.service.models import Complaint
from shuke.shops.queries import now as shop_now

router = Router(tags=["complaints"])
REFUSED = {400: CodedRefusal, 404: CodedRefusal, 409: CodedRefusal, 422: CodedRefusal}
Told = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class ComplaintIn(Body):
    key: OwnKey = ""
    what: Told
    channel: Annotated[str, Field(max_length=20, description="counter, phone, chat, message, review, other")] = "other"
    order: Annotated[str, Field(max_length=60, description="number of an order of this member, if it is about one")] = (
        ""
    )


class SettleIn(Body):
    note: Annotated[str, Field(min_length=1, max_length=LONGEST, description="how it was settled")]


class ReopenIn(Body):
    reason: Told


class ComplaintOut(Schema):
    id: str
    card: str
    state: str = Field(description="open or settled")
    what: str
    channel: str
    order: str
    opened_at: datetime
    opened_by: str
    settled_at: datetime | None
    settled_by: str
    note: str = Field(description="how it was settled, the last time")
    reopened: int
    replayed: bool = False


class SettledOut(ComplaintOut):
    coupons: int = Field(description="the member got for it now, by the rules of the charter")
    says: str = Field(description="the same as a sentence, for whoever settled it")


def status_of(code: str) -> int:
    if code == "no_such_complaint":
        return 404
    return 409 if code in ("settled_before", "open_already") else 422


@router.get("/complaints", response=list[ComplaintOut])
def listed(request: Request, open: bool = Query(True), limit: int = Query(100, ge=1, le=1000)) -> Any:
    """Open complaints, the oldest first; with `open=false` all, the latest first."""
    found = queries.complaints(request.auth.merchant, only_open=open, limit=limit)
    return [_told(one, one.member.card) for one in found]


@router.get("/members/{card}/complaints", response={200: list[ComplaintOut], 404: CodedRefusal})
def of_member(request: Request, card: str) -> Any:
    """A member's complaints, open ones first."""
    who = members.member_of(request.auth.merchant.pk, card)
    return [_told(one, who.card) for one in queries.complaints_of(request.auth.merchant, who.pk, limit=1000)]


@router.post("/members/{card}/complaints", response={200: ComplaintOut, 403: CodedRefusal, **REFUSED})
def record(request: Request, card: str, told: ComplaintIn, idempotency_key: KeyHeader = "") -> Any:
    """Write a complaint down. Sent again with its key it is the same one."""
    token = writer(request.auth)
    who = members.member_of(token.merchant.pk, card)
    done = actions.open_complaint(
        merchant=token.merchant, key=told.key or idempotency_key, member_id=who.pk, what=told.what, channel=told.channel,
        order_number=told.order, now=shop_now(token.merchant), actor=f"token:{token.pk}",
    )  # fmt: skip
    return _told(done.complaint, who.card, replayed=done.replayed)


@router.post("/complaints/{int:complaint_id}/settle", response={200: SettledOut, 403: CodedRefusal, **REFUSED})
def settle(request: Request, complaint_id: int, told: SettleIn) -> Any:
    """Settle it. What the charter gives for a settled complaint is given at once, and once."""
    token = writer(request.auth)
    done = flow.settle(
        merchant=token.merchant, complaint_id=complaint_id, note=told.note, now=shop_now(token.merchant),
        actor=f"token:{token.pk}",
    )  # fmt: skip
    plain = _told(done.complaint, done.complaint.member.card).model_dump()
    return SettledOut(**plain, coupons=done.coupons, says=done.say(language(request)))


@router.post("/complaints/{int:complaint_id}/reopen", response={200: ComplaintOut, 403: CodedRefusal, **REFUSED})
def reopen(request: Request, complaint_id: int, told: ReopenIn) -> Any:
    """It was not settled after all."""
    token = writer(request.auth)
    row = actions.reopen(
        merchant=token.merchant, complaint_id=complaint_id, reason=told.reason, now=shop_now(token.merchant),
        actor=f"token:{token.pk}",
    )  # fmt: skip
    return _told(row, row.member.card)


def _told(row: Complaint, card: str, *, replayed: bool = False) -> ComplaintOut:
    return ComplaintOut(
        id=str(row.pk), card=card, state="open" if row.settled_at is None else "settled", what=row.what,
        channel=row.channel, order=row.order_number, opened_at=row.opened_at, opened_by=row.opened_by,
        settled_at=row.settled_at, settled_by=row.settled_by, note=row.note, reopened=row.reopened, replayed=replayed,
    )  # fmt: skip
