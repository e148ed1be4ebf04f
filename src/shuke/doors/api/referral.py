"""Referral over the wire: a member's code, who brought whom, what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from shuke.doors.api.shapes import Body, CodedRefusal
from shuke.doors.api.tokens import Request, writer
from shuke.engine.referral import codes
from shuke.flows import referral as flow
from shuke.loyalty.actions import referral
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.models import Referral
from shuke.loyalty.queries import referral as stored
from shuke.loyalty.queries import referral_worth as worth
from shuke.members import queries as members
from shuke.shops.queries import now as shop_now

router = Router()


class CodeOut(Schema):
    member: str
    code: str
    path: str = Field(description="of the public page; put the address of your installation before it")
    visits: int


class RewardOut(Schema):
    side: str = Field(description="friend or referrer")
    kind: str = Field(description="points, growth, coupon, gift or honour")
    amount: int
    what: str


class ReferralOut(Schema):
    id: str
    referrer: str
    newcomer: str
    how: str
    bound_at: datetime
    state: str = Field(description="waiting, pending, held, rewarded, returned or missed")
    reason: str
    due_at: datetime | None
    rewards: list[RewardOut]


class BindIn(Body):
    code: Annotated[str, Field(max_length=40, description="of whoever brought them")]
    caller: Annotated[str, Field(max_length=80, description="who typed it: the shopper's session or address")] = ""


REFUSED = {404: CodedRefusal, 409: CodedRefusal, 422: CodedRefusal, 429: CodedRefusal}


def status_of(code: str) -> int:
    return {"already_bound": 409, "no_such_code": 404, "try_later": 429}.get(code, 422)


def referral_out(row: Referral) -> ReferralOut:
    rewards = worth.rewards_of(row.merchant, [row.pk]).get(row.pk, [])
    return ReferralOut(
        id=str(row.pk),
        referrer=row.referrer.card,
        newcomer=row.newcomer.card,
        how=row.how,
        bound_at=row.bound_at,
        state=row.state,
        reason=row.reason,
        due_at=row.due_at,
        rewards=[RewardOut(side=r.side, kind=r.kind, amount=r.amount, what=r.what) for r in rewards if r.amount],
    )


@router.get("/members/{card}/referral/code", tags=["referral"], response={200: CodeOut, **REFUSED})
def code(request: Request, card: str) -> Any:
    """A member's code and the path of their link. A code is made on first need, by a token that may write."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    now = shop_now(merchant)
    if stored.part_in_force(merchant, now) is None:
        raise ReferralRefused("off")
    found = stored.code_in_use(merchant, who.pk)
    if found is None:
        writer(request.auth)
        found = referral.code_for(merchant=merchant, member_id=who.pk, now=now)
    path = f"/r/{merchant.pk:x}/{found.code}"
    return CodeOut(member=who.card, code=codes.shown(found.code), path=path, visits=found.visits)


@router.get("/members/{card}/referrals", tags=["referral"], response={200: list[ReferralOut], 404: CodedRefusal})
def friends(request: Request, card: str) -> Any:
    """Whom this member brought, the latest first, with what both got."""
    who = members.member_of(request.auth.merchant.pk, card)
    return [referral_out(row) for row in worth.friends_of(request.auth.merchant, who.pk)]


@router.post("/members/{card}/referral", tags=["referral"], response={200: ReferralOut, 403: CodedRefusal, **REFUSED})
def bind(request: Request, card: str, told: BindIn) -> Any:
    """Say who brought this newcomer. The same again answers with the bond there is; another one is refused: 409."""
    token = writer(request.auth)
    merchant = token.merchant
    who = members.member_of(merchant.pk, card)
    caller = f"token:{token.pk}:{told.caller}" if told.caller else f"token:{token.pk}"
    row = flow.bind_by_code(
        merchant=merchant, newcomer_id=who.pk, told=told.code, how="api", callers=[caller], now=shop_now(merchant),
        actor=f"token:{token.pk}",
    )  # fmt: skip
    return referral_out(row)
