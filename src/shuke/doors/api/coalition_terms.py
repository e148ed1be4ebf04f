"""A coalition from the office's side: founding, inviting and answering, prices, packs, leaving, closing, strength.

A partner is another merchant of this installation, by the id that `GET /coalition` tells or by its name.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from ninja import Query, Schema
from pydantic import Field

from shuke.doors.api.coalition import ANSWERS, CoalitionOut, coalition_out, router
from shuke.doors.api.deeds import Call, KeyHeader, OwnKey, desk, once
from shuke.doors.api.points import NO_KEY
from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY, Body
from shuke.doors.api.tokens import Request
from shuke.engine.coalition.prices import Prices
from shuke.engine.coalition.strength import fairness, shares
from shuke.flows import coalition as flow
from shuke.kit.clock import add_months, day_of, day_start
from shuke.kit.refusal import Refusal
from shuke.loyalty.actions import coalition
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.models import CoalitionPartner, CoalitionTerms
from shuke.loyalty.queries import coalition as stored
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

Micro = Annotated[int, Field(ge=0, le=10**15, description="millionths of a minor unit per point")]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
PartnerName = Annotated[str, Field(min_length=1, max_length=100, description="id or name of the merchant")]


class PricesIn(Body):
    issue_micro: Annotated[Micro, Field(description="it pays per point its members get")]
    redeem_micro: Annotated[Micro, Field(description="it gets per point burnt at its till")]
    prepaid: bool = Field(False, description="pays in advance by packs; else after each closing")
    warn_below: Annotated[int, Field(ge=0, le=10**12, description="points left in the packs")] = 0
    limit_minor: Annotated[int, Field(ge=0, le=10**13, description="the most it may owe")] | None = None
    most_per_day: (
        Annotated[int, Field(ge=1, le=10**12, description="points of one member a day at its till")] | None
    ) = None

    def prices(self, since: datetime) -> Prices:
        return Prices(
            since,
            self.issue_micro,
            self.redeem_micro,
            self.prepaid,
            self.warn_below,
            self.limit_minor,
            self.most_per_day,
        )


class FoundIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    prices: PricesIn
    notice_days: Annotated[int, Field(ge=0, le=730, description="how long before leaving a partner says so")] = 30
    key: OwnKey = ""


class InviteIn(Body):
    partner: PartnerName
    prices: PricesIn


class ProposeIn(InviteIn):
    day: Day | None = Field(None, description="first day; null: at once")
    key: OwnKey = ""


class AgreedTermsOut(Schema):
    partner: str
    version: int
    effective_from: datetime
    agreed_at: datetime | None = Field(description="null: the partner has to agree")
    issue_micro: int
    redeem_micro: int
    prepaid: bool
    warn_below: int
    limit_minor: int | None
    most_per_day: int | None


class InvitationOut(Schema):
    coalition: str
    founder: str
    state: str = Field(description="invited, in, left or declined")
    terms: AgreedTermsOut | None = Field(description="what waits for this merchant to agree")


class LeaveCoalitionIn(Body):
    day: Day = Field(description="first day without; the notice is kept")
    partner: Annotated[str, Field(max_length=100, description="the founder only: who has to go")] = ""
    reason: Annotated[str, Field(max_length=200)] = ""
    whole: bool = Field(False, description="the founder only: the whole coalition ends")


class LeftCoalitionOut(Schema):
    coalition: str
    state: str


class LeavingOut(Schema):
    partner: str
    leaves_at: datetime


class PackIn(Body):
    partner: PartnerName
    points: Annotated[int, Field(ge=1, le=10**12)]
    key: Annotated[str, Field(max_length=80, description="or the header Idempotency-Key")] = ""


class NoKey(Refusal):
    sentences = {"no_key": (NO_KEY["en"], NO_KEY["zh"])}


class PackOut(Schema):
    partner: str
    points: int
    paid_minor: int
    bought_at: datetime


class ClosePeriodIn(Body):
    before: Day | None = Field(None, description="first day that is not in it; null: this month's first")


class PeriodOut(Schema):
    document: dict[str, Any]
    replayed: bool


class StrengthOut(Schema):
    partner: str
    issued: int
    brings: int = Field(description="its points burnt at others' tills")
    takes: int = Field(description="others' points burnt at its till")
    own: int
    members: int
    evenness: int | None = Field(description="thousandths; 1000: takes as much as it brings")


class MonthOut(Schema):
    month: str
    fairness: int | None
    partners: list[StrengthOut]


def _seat(merchant: Merchant) -> CoalitionPartner:
    """Where this merchant takes part, or is asked in. Raises CoalitionRefused."""
    seats = [one for one in stored.places(merchant) if one.state != "declined"]
    if not seats:
        raise CoalitionRefused("no_coalition", merchant=merchant.name)
    return min(seats, key=lambda one: ("in", "invited", "left").index(one.state))


def _partner(told: str) -> Merchant:
    found = next((one for one in shops.merchants() if told in (str(one.pk), one.name)), None)
    if found is None:
        raise CoalitionRefused("no_such_merchant", name=told)
    return found


def _same(call: Call) -> dict[str, Any]:
    return {
        "merchant": call.merchant,
        "coalition_id": _seat(call.merchant).coalition_id,
        "now": call.now,
        "actor": call.actor,
    }


def _terms(row: CoalitionTerms) -> AgreedTermsOut:
    told = stored.prices_of(row)
    return AgreedTermsOut(
        partner=row.merchant.name, version=row.version, effective_from=row.effective_from, agreed_at=row.agreed_at,
        issue_micro=told.issue_micro, redeem_micro=told.redeem_micro, prepaid=told.prepaid, warn_below=told.warn_below,
        limit_minor=told.credit_limit_minor, most_per_day=told.spend_most_per_day,
    )  # fmt: skip


def _invitation(merchant: Merchant) -> InvitationOut:
    seat = _seat(merchant)
    waiting = stored.waiting_terms(merchant, seat.coalition)
    return InvitationOut(
        coalition=seat.coalition.name, founder=seat.coalition.merchant.name, state=seat.state,
        terms=_terms(waiting) if waiting else None,
    )  # fmt: skip


@router.post("/coalition", response={200: CoalitionOut, **ANSWERS})
def found(request: Request, told: FoundIn, idempotency_key: KeyHeader = "") -> Any:
    """Begin a coalition. Its founder keeps the pool and closes the periods."""
    call = desk(request)

    def do() -> dict[str, Any]:
        made = coalition.found(
            merchant=call.merchant, name=told.name, prices=told.prices.prices(call.now), notice_days=told.notice_days,
            now=call.now, actor=call.actor,
        )  # fmt: skip
        return {"coalition": str(made.pk)}

    once(call, told.key or idempotency_key, ["found", told.name, told.prices.model_dump(), told.notice_days], do)
    return coalition_out(call.merchant, call.now)


@router.get("/coalition/invitation", response={200: InvitationOut, **ANSWERS})
def invitation(request: Request) -> Any:
    """Where this merchant takes part or is asked in, and what waits for it to agree."""
    return _invitation(request.auth.merchant)


@router.post("/coalition/invitations", response={200: CoalitionOut, **ANSWERS})
def invite(request: Request, told: InviteIn) -> Any:
    """The founder asks another merchant of this installation in, at these prices."""
    call = desk(request)
    coalition.invite(partner=_partner(told.partner), prices=told.prices.prices(call.now), **_same(call))
    return coalition_out(call.merchant, call.now)


@router.post("/coalition/accept", response={200: InvitationOut, **ANSWERS})
def accept(request: Request) -> Any:
    """An invited merchant comes in and agrees to the prices. In already: the same answer."""
    call = desk(request)
    if _seat(call.merchant).state != "in":
        coalition.accept(**_same(call))
    return _invitation(call.merchant)


@router.post("/coalition/decline", response={200: LeftCoalitionOut, **ANSWERS})
def decline(request: Request) -> Any:
    """An invited merchant stays out."""
    call = desk(request)
    name = _seat(call.merchant).coalition.name
    coalition.decline(**_same(call))
    return LeftCoalitionOut(coalition=name, state="declined")


@router.post("/coalition/prices", response={200: AgreedTermsOut, **ANSWERS})
def propose(request: Request, told: ProposeIn, idempotency_key: KeyHeader = "") -> Any:
    """The founder proposes new prices to a partner from a day on; they hold when it agrees (the founder's own at once)."""
    call = desk(request)
    partner, same = _partner(told.partner), _same(call)
    since = day_start(told.day, call.merchant.tz) if told.day else call.now

    def do() -> dict[str, Any]:
        row = coalition.propose(partner=partner, prices=told.prices.prices(since), **same)
        return _terms(row).model_dump(mode="json")

    asked = ["prices", str(partner.pk), told.prices.model_dump(), told.day]
    return once(call, told.key or idempotency_key, asked, do)[0]


@router.post("/coalition/prices/{int:version}/agree", response={200: AgreedTermsOut, **ANSWERS})
def agree(request: Request, version: int) -> Any:
    """A partner agrees to proposed prices; they hold from their day on."""
    call = desk(request)
    return _terms(coalition.agree(version=version, **_same(call)))


@router.post("/coalition/leave", response={200: LeavingOut, **ANSWERS})
def leave(request: Request, told: LeaveCoalitionIn) -> Any:
    """Leave after the notice; the founder can send a partner away, or end the whole coalition."""
    call = desk(request)
    at, same = day_start(told.day, call.merchant.tz), _same(call)
    if told.whole:
        coalition.end(at=at, **same)
        return LeavingOut(partner=call.merchant.name, leaves_at=at)
    partner = _partner(told.partner) if told.partner else call.merchant
    seat = coalition.leave(partner=partner, at=at, because=told.reason, **same)
    return LeavingOut(partner=partner.name, leaves_at=seat.leaves_at or at)


@router.post("/coalition/packs", response={200: PackOut, **ANSWERS})
def pack(request: Request, told: PackIn, idempotency_key: KeyHeader = "") -> Any:
    """The founder books that a partner paid for points in advance, at its price of issue. The same key is the same pack."""
    call = desk(request)
    key = told.key or idempotency_key
    if not key:
        raise NoKey("no_key")
    made = coalition.buy_pack(partner=_partner(told.partner), key=key, points=told.points, **_same(call))
    return PackOut(partner=made.merchant.name, points=made.points, paid_minor=made.paid_minor, bought_at=made.bought_at)


@router.post("/coalition/close", response={200: PeriodOut, **ANSWERS})
def close(request: Request, told: ClosePeriodIn | None = None) -> Any:
    """The founder closes everything before a day and says who pays whom. Again it answers the same."""
    call = desk(request)
    before = told.before if told else None
    until = day_start(before, call.merchant.tz) if before else flow.month_end(call.merchant, call.now)
    done = coalition.close(until=until, **_same(call))
    return PeriodOut(document=done.period.document, replayed=done.replayed)


@router.get("/coalition/strength", response={200: list[MonthOut], **ANSWERS})
def strength(request: Request, months: Annotated[int, Query(ge=1, le=36)] = 3) -> Any:
    """Who brings and who takes, month by month, and how even that is."""
    merchant = request.auth.merchant
    group = _seat(merchant).coalition
    names = {one.merchant_id: one.merchant.name for one in stored.partners(group)}
    last = day_of(shops.now(merchant), group.merchant.tz)
    return [
        MonthOut(
            month=f"{one.month:%Y-%m}",
            fairness=fairness(one.partners),
            partners=[
                StrengthOut(
                    partner=names[pk], issued=m.issued, brings=m.used_elsewhere, takes=m.taken, own=m.own,
                    members=m.members, evenness=shares(one.partners)[pk].evenness,
                )
                for pk, m in one.partners.items()
            ],
        )
        for one in stored.strength(group, add_months(last.replace(day=1), 1 - months), last)
    ]  # fmt: skip
