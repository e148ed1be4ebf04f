"""What waits for a second person: points and stored value by hand. And how full the budgets of rules are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Manager
from ninja import Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, Call, Reason, desk
from shuke.doors.api.points import refused_by_the_books
from shuke.doors.api.shapes import Body
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request
from shuke.loyalty import actions
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import Ask, CorrectionRefused, stored
from shuke.loyalty.actions.stored import StoredRefused
from shuke.loyalty.models import Correction, StoredCorrection
from shuke.loyalty.queries import stored as stored_queries
from shuke.shops.queries import now as shop_now

router = Router()
Row = TypeVar("Row", Correction, StoredCorrection)


class DeclineIn(Body):
    reason: Reason = Field(description="why; whoever asked reads it")


class CorrectionOut(Schema):
    number: str
    card: str
    kind: str = Field(description="adjust: points; reinstate: lapsed points that come back; growth: growth value")
    points: int
    because: str = Field(description="why it waits, or waited")
    reason: str
    state: str = Field(description="waiting, done, declined, withdrawn or refused (by the books)")
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    decided_because: str


class StoredCorrectionOut(Schema):
    number: str
    card: str
    account: str = Field(description="principal or bonus")
    amount_minor: int
    because: str = Field(description="why it waits, or waited")
    reason: str
    state: str = Field(description="waiting, done, declined, withdrawn or refused (by the books)")
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    decided_because: str


class BudgetOut(Schema):
    rule: str
    points: int = Field(description="all the rule may ever give")
    taken: int
    left: int
    short: int = Field(description="events that got less than the rule would have given")


def _correction(request: Request, one: Correction) -> CorrectionOut:
    because = actions.why_waits(one, language(request))
    return CorrectionOut(
        number=str(one.pk), card=one.member.card, kind=one.kind, points=one.amount, because=because, **_told(one)
    )


def _stored(request: Request, one: StoredCorrection) -> StoredCorrectionOut:
    because = stored.why_waits(one, language(request))
    return StoredCorrectionOut(
        number=str(one.pk), card=one.member.card, account=one.account, amount_minor=one.amount, because=because,
        **_told(one),
    )  # fmt: skip


def _told(one: Correction | StoredCorrection) -> dict[str, Any]:
    names = ("reason", "state", "asked_by", "asked_at", "decided_by", "decided_at", "decided_because")
    return {name: getattr(one, name) for name in names}


@router.get("/points/corrections", tags=["points"], response=list[CorrectionOut])
def corrections(request: Request) -> Any:
    """Points by hand that wait for a second person, the oldest first; then what became of the latest 100."""
    return [_correction(request, one) for one in loyalty.corrections(request.auth.merchant)]


@router.post("/points/corrections/{int:number}/agree", tags=["points"], response={200: CorrectionOut, **REFUSED})
def agree(request: Request, number: int) -> Any:
    """A second person agrees: the points are booked. Whoever asked cannot: 409 `same_person`."""
    return _decide(request, number, True)


@router.post("/points/corrections/{int:number}/decline", tags=["points"], response={200: CorrectionOut, **REFUSED})
def decline(request: Request, number: int, told: DeclineIn) -> Any:
    """A second person declines with a reason, or whoever asked takes it back: nothing is booked."""
    return _decide(request, number, False, told.reason)


def _decide(request: Request, number: int, agreed: bool, reason: str = "") -> Any:
    call = desk(request)
    try:
        found, answer = actions.decide_correction(
            merchant=call.merchant, correction_id=number, agree=agreed, now=call.now, actor=call.actor, reason=reason
        )
    except CorrectionRefused as refused:
        if (before := _before(Correction.objects, call, number, agreed, refused.code)) is None:
            raise
        return _correction(request, before)
    if answer is not None and not answer.done:
        return refused_by_the_books(request, Ask(found.key, found.kind, found.member_id, found.amount), answer)
    return _correction(request, found)


@router.get("/stored/corrections", tags=["stored value"], response=list[StoredCorrectionOut])
def stored_corrections(request: Request) -> Any:
    """Stored value by hand that waits for a second person, and what became of the latest."""
    return [_stored(request, one) for one in stored_queries.corrections(request.auth.merchant)]


@router.post(
    "/stored/corrections/{int:number}/agree", tags=["stored value"], response={200: StoredCorrectionOut, **REFUSED}
)
def stored_agree(request: Request, number: int) -> Any:
    """A second person agrees: the money is booked. Whoever asked cannot."""
    return _decide_stored(request, number, True)


@router.post(
    "/stored/corrections/{int:number}/decline", tags=["stored value"], response={200: StoredCorrectionOut, **REFUSED}
)
def stored_decline(request: Request, number: int, told: DeclineIn) -> Any:
    """A second person declines with a reason, or whoever asked takes it back: nothing is booked."""
    return _decide_stored(request, number, False, told.reason)


def _decide_stored(request: Request, number: int, agreed: bool, reason: str = "") -> Any:
    call = desk(request)
    try:
        found, answer = stored.decide_correction(
            merchant=call.merchant, correction_id=number, agree=agreed, now=call.now, actor=call.actor, reason=reason
        )
    except StoredRefused as refused:
        if (before := _before(StoredCorrection.objects, call, number, agreed, refused.code)) is None:
            raise
        return _stored(request, before)
    if answer is not None:
        one = stored.Ask(found.key, "adjust", found.member_id, found.amount, account=found.account)
        stored.done(one, answer, call.merchant.currency)
    return _stored(request, found)


def _before(kept: Manager[Row], call: Call, number: int, agreed: bool, code: str) -> Row | None:
    """What the same caller decided before, alike: an answer that got lost is given again."""
    states = ("done", "refused") if agreed else ("declined", "withdrawn")
    mine = kept.filter(merchant=call.merchant, pk=number, decided_by=call.actor, state__in=states)
    return mine.select_related("member").first() if code == "decided" else None


@router.get("/points/budgets", tags=["points"], response={200: list[BudgetOut], **REFUSED})
def budgets(request: Request) -> Any:
    """Budgets of the rules in force, and how full they are."""
    merchant = request.auth.merchant
    return [BudgetOut(**one._asdict()) for one in loyalty.budgets(merchant, shop_now(merchant))]
