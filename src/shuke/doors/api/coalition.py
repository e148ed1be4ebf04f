"""A coalition over the wire: members take part, spend across merchants, give back; prices, strength and statements to read.

A till learns a number and points of what its partners know, nothing else. Keys and refusals are as with points.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from shuke.doors.api.deeds import paper
from shuke.doors.api.points import NO_KEY, Key, KeyHeader, Points
from shuke.doors.api.shapes import Body
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, writer
from shuke.flows import coalition as flow
from shuke.loyalty.actions import Answer, coalition
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.queries import coalition as stored
from shuke.loyalty.queries import settlement
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["coalition"])
MISSING = {
    "no_coalition",
    "no_such_coalition",
    "not_linked",
    "no_such_spend",
    "no_such_paper",
    "no_such_period",
    "no_such_merchant",
    "no_such_terms",
}


class CoalitionRefusal(Schema):
    error: str
    code: str
    figures: dict[str, int] = {}


class LinkOut(Schema):
    card: str
    number: str = Field(description="16 digits, the same at every partner; says nothing of the person")
    linked_at: datetime
    available_here: int
    available_elsewhere: int


class LinkIn(Body):
    evidence: Annotated[
        str, Field(min_length=1, max_length=500, description="how the member agreed: form, signature, call")
    ]
    code: Annotated[str, Field(max_length=40, description="from another partner: joins that account")] = ""


class CoalitionCodeOut(Schema):
    code: str = Field(description="shown once; links one account at another partner")
    until: datetime


class LeaveIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=60)]


class LeftOut(Schema):
    card: str
    left: bool


class CoalitionSpendIn(Body):
    points: Points
    key: Key = ""


class CoalitionReturnIn(Body):
    points: Points
    of: Annotated[str, Field(min_length=1, max_length=160, description="key of the spend")]
    key: Key = ""


class SpentOut(Schema):
    card: str
    points: int
    own: int = Field(description="of them this merchant's own; the others partners issued")
    available: int | None = Field(description="with all partners; null after a return")
    replayed: bool


class PartnerOut(Schema):
    id: str
    name: str
    state: str
    issue_micro: int | None = Field(description="millionths of a minor unit per point its members get")
    redeem_micro: int | None = Field(description="… per point burnt at its till")
    leaves_at: datetime | None


class CoalitionOut(Schema):
    name: str
    currency: str
    founder: str
    partners: list[PartnerOut]


ANSWERS: Any = dict.fromkeys((400, 403, 404, 409, 422), CoalitionRefusal)


def status_of(code: str) -> int:
    """404 nothing of that name, 409 not in this state."""
    return 404 if code in MISSING else 409


@router.get("/coalition", response={200: CoalitionOut, **ANSWERS})
def show(request: Request) -> CoalitionOut:
    """The coalition this merchant is in, its partners and their prices."""
    merchant = request.auth.merchant
    return coalition_out(merchant, shop_now(merchant))


def coalition_out(merchant: Merchant, now: datetime) -> CoalitionOut:
    """Raises CoalitionRefused where it is in none."""
    seat = stored.partner_of(merchant, now)
    if seat is None:
        raise CoalitionRefused("no_coalition", merchant=merchant.name)
    told = flow.overview(merchant, seat, now)
    return CoalitionOut(
        name=seat.coalition.name,
        currency=seat.coalition.currency,
        founder=seat.coalition.merchant.name,
        partners=[
            PartnerOut(
                id=str(one.partner.merchant_id),
                name=one.partner.merchant.name,
                state=one.partner.state,
                issue_micro=one.prices.issue_micro if one.prices else None,
                redeem_micro=one.prices.redeem_micro if one.prices else None,
                leaves_at=one.partner.leaves_at,
            )
            for one in told.seats
        ],
    )


@router.get("/coalition/statements", response={200: list[dict], **ANSWERS})
def periods(request: Request) -> list[dict]:
    """Closed periods, the latest first: who pays whom."""
    return [one.document for seat in stored.places(request.auth.merchant) for one in _periods(seat)]


def _periods(seat: Any) -> list[Any]:
    return [one for one in stored.periods(seat.coalition) if _mine(one, seat.merchant_id) is not None]


def _mine(period: Any, merchant_id: int) -> Any:
    return next((s for s in stored.statements(period) if s.merchant_id == merchant_id), None)


@router.get("/coalition/statements/{number}", response={200: dict, **ANSWERS})
def statement(request: Request, number: int) -> dict:
    """This merchant's own statement of a period; the same for ever."""
    period, mine = _period(request, number)
    files = [one.name for one in settlement.papers(period, request.auth.merchant)]
    return {**mine.document, "sha256": settlement.digest(mine.document), "files": files}


@router.get("/coalition/statements/{number}/files/{name}", response={200: None, **ANSWERS})
def statement_file(request: Request, number: int, name: str) -> HttpResponse:
    """One paper of a closed period for this merchant, as the console and the command line write it: the same bytes for ever."""
    period, _own = _period(request, number)
    found = next((one for one in settlement.papers(period, request.auth.merchant) if one.name == name), None)
    if found is None:
        raise CoalitionRefused("no_such_paper", name=name)
    return paper(name, found.made())


def _period(request: Request, number: int) -> tuple[Any, Any]:
    """A closed period and this merchant's own statement of it. Raises CoalitionRefused."""
    merchant = request.auth.merchant
    for seat in stored.places(merchant):
        period = stored.period(seat.coalition, number)
        mine = _mine(period, merchant.pk) if period else None
        if mine is not None:
            return period, mine
    raise CoalitionRefused("no_such_period", number=number)


@router.get("/members/{card}/coalition", response={200: LinkOut, **ANSWERS})
def standing(request: Request, card: str) -> LinkOut:
    """Whether a member takes part, under which number, and what they can spend."""
    merchant = request.auth.merchant
    return _standing(merchant, members.member_of(merchant.pk, card))


def _standing(merchant: Merchant, who: Any) -> LinkOut:
    told = flow.standing(merchant, who.pk, shop_now(merchant))
    if told is None:
        raise CoalitionRefused("not_linked")
    return LinkOut(card=who.card, **told._asdict())


@router.post("/members/{card}/coalition", response={200: LinkOut, **ANSWERS})
def link(request: Request, card: str, told: LinkIn) -> LinkOut:
    """A member agrees to take part; with a code from another partner under the number they have there."""
    merchant, who, actor = _call(request, card)
    coalition.link(
        merchant=merchant,
        member_id=who.pk,
        source="api",
        evidence=told.evidence,
        code=told.code,
        now=shop_now(merchant),
        actor=actor,
    )
    return _standing(merchant, members.member_of(merchant.pk, card))


@router.post("/members/{card}/coalition/code", response={200: CoalitionCodeOut, **ANSWERS})
def code(request: Request, card: str) -> CoalitionCodeOut:
    """A code with which the member links an account at another partner: once, for half an hour."""
    merchant, who, actor = _call(request, card)
    made, until = coalition.make_code(merchant=merchant, member_id=who.pk, now=shop_now(merchant), actor=actor)
    return CoalitionCodeOut(code=made, until=until)


@router.post("/members/{card}/coalition/leave", response={200: LeftOut, **ANSWERS})
def leave(request: Request, card: str, told: LeaveIn) -> LeftOut:
    """A member takes part no more; their points here stay theirs."""
    merchant, who, actor = _call(request, card)
    left = coalition.unlink(
        merchant=merchant, member_id=who.pk, because=told.reason, now=shop_now(merchant), actor=actor
    )
    return LeftOut(card=who.card, left=left)


@router.post("/members/{card}/coalition/spend", response={200: SpentOut, **ANSWERS})
def spend(request: Request, card: str, told: CoalitionSpendIn, idempotency_key: KeyHeader = None) -> Status:
    """Spend points at this till from all accounts of the person, oldest expiry first."""
    merchant, who, actor = _call(request, card)
    key = told.key or idempotency_key or ""
    return _do(
        request,
        who,
        key,
        "",
        lambda: coalition.spend(
            merchant=merchant, key=key, member_id=who.pk, amount=told.points, now=shop_now(merchant), actor=actor
        ),
    )


@router.post("/members/{card}/coalition/return", response={200: SpentOut, **ANSWERS})
def give_back(request: Request, card: str, told: CoalitionReturnIn, idempotency_key: KeyHeader = None) -> Status:
    """Give points of such a spend back, to the lots they came from, in whoever's books they are."""
    merchant, who, actor = _call(request, card)
    key = told.key or idempotency_key or ""
    return _do(
        request,
        who,
        key,
        told.of,
        lambda: coalition.give_back(
            merchant=merchant,
            key=key,
            of=told.of,
            amount=told.points,
            member_id=who.pk,
            now=shop_now(merchant),
            actor=actor,
        ),
    )


def _call(request: Request, card: str) -> tuple[Merchant, Any, str]:
    token = writer(request.auth)
    return token.merchant, members.member_of(token.merchant.pk, card), f"token:{token.pk}"


def _do(request: Request, who: Any, key: str, ref: str, ask: Any) -> Status:
    if not key:
        return Status(400, CoalitionRefusal(error=NO_KEY[language(request)], code="no_key"))
    answer: Answer = ask()
    if not answer.done:
        sentence = coalition.sentence(answer.code, answer.figures, ref, language(request))
        return Status(
            status_of(answer.code), CoalitionRefusal(error=sentence, code=answer.code, figures=answer.figures)
        )
    figures = answer.figures
    return Status(
        200,
        SpentOut(
            card=who.card,
            points=figures["amount"],
            own=figures["own"],
            available=figures.get("available"),
            replayed=answer.replayed,
        ),
    )
