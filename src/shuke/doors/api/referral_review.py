"""Referral from the office's side: bonds to look at, deciding about them, the tree; gifts of referral at the counter."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, Limit, Offset, Reason, desk, till
from shuke.doors.api.referral import ReferralOut, referral_out
from shuke.doors.api.shapes import Body
from shuke.doors.api.tokens import Request
from shuke.loyalty.actions import referral
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.models import Referral, ReferralReward
from shuke.loyalty.queries import referral_worth as worth
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops.queries import now as shop_now

router = Router(tags=["referral"])


class CaseOut(ReferralOut):
    signals: list[str] = Field(description="why a person should look: shared phone, address, device, ring, rush …")
    net_minor: int
    decision: str = Field(description="approved, declined or empty")
    decided_by: str
    decided_because: str


class CasesOut(Schema):
    referrals: list[CaseOut]
    next: int | None


class DecideIn(Body):
    approve: bool
    reason: Reason


class WorthOut(Schema):
    friends: int
    buyers: int
    orders: int
    net_minor: int
    rewards_minor: int = Field(description="what was given for them")


class NodeOut(Schema):
    card: str
    depth: int
    own: WorthOut
    branch: WorthOut = Field(description="all below, not counting this one")
    deeper: bool = Field(description="has friends below the depth that is told")


class ReferralGiftOut(Schema):
    number: str
    card: str
    name: dict[str, str]
    count: int
    handed_at: datetime | None


def _case(row: Referral) -> CaseOut:
    return CaseOut(
        **referral_out(row).model_dump(), signals=[one["kind"] for one in row.signals], net_minor=row.net_minor,
        decision=row.decision, decided_by=row.decided_by, decided_because=row.decided_because,
    )  # fmt: skip


@router.get("/referrals", response={200: CasesOut, **REFUSED})
def cases(
    request: Request,
    state: Annotated[str, Query(pattern="^(waiting|pending|held|rewarded|returned|missed)?$")] = "",
    review: Annotated[bool, Query(description="only those a person should look at")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Who was brought by whom, the latest first, and what became of it."""
    merchant = request.auth.merchant
    if review:
        rows = worth.to_review(merchant, offset + limit + 1)[offset:]
    else:
        rows = worth.listed(merchant, state=state, limit=limit + 1, offset=offset)
    return CasesOut(referrals=[_case(row) for row in rows[:limit]], next=offset + limit if len(rows) > limit else None)


@router.post("/referrals/{int:number}/decide", response={200: CaseOut, **REFUSED})
def decide(request: Request, number: int, told: DecideIn) -> Any:
    """Approve or decline, once, with a reason; declined after it was paid, the reward is taken back. The same decision by the
    same token again answers alike."""
    call = desk(request)
    try:
        referral.decide(
            merchant=call.merchant, referral_id=number, approve=told.approve, reason=told.reason, now=call.now,
            actor=call.actor,
        )  # fmt: skip
    except ReferralRefused as refused:
        before = worth.one(call.merchant, number)
        wanted = ("approved" if told.approve else "declined", call.actor, told.reason.strip())
        if refused.code != "decided" or before is None:
            raise
        if (before.decision, before.decided_by, before.decided_because) != wanted:
            raise
    row = worth.one(call.merchant, number)
    assert row is not None
    return _case(row)


@router.get("/members/{card}/referrals/tree", response={200: list[NodeOut], **REFUSED})
def tree(request: Request, card: str, depth: Annotated[int, Query(ge=1, le=12)] = 3) -> Any:
    """The tree below a member, line by line from the top: what each bought, and all below them."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    lines = list(_lines(worth.tree_of(merchant, who.pk, shop_now(merchant), depth)))
    people = Member.objects.filter(merchant=merchant).in_bulk([node.member for node in lines])
    return [
        NodeOut(
            card=people[node.member].card, depth=node.depth, own=_worth(node.own), branch=_worth(node.branch),
            deeper=node.deeper,
        )
        for node in lines
    ]  # fmt: skip


def _lines(node: Any) -> Any:
    yield node
    for child in node.children:
        yield from _lines(child)


def _worth(one: Any) -> WorthOut:
    return WorthOut(
        friends=one.friends, buyers=one.buyers, orders=one.orders, net_minor=one.net, rewards_minor=one.rewards
    )


def _gift(row: ReferralReward) -> ReferralGiftOut:
    return ReferralGiftOut(
        number=str(row.pk), card=row.member.card, name=row.name, count=row.amount, handed_at=row.handed_at
    )


@router.get("/members/{card}/referral/gifts", response={200: list[ReferralGiftOut], **REFUSED})
def gifts(request: Request, card: str) -> Any:
    """Gifts for bringing friends that this member can have at the counter."""
    merchant = request.auth.merchant
    return [_gift(row) for row in worth.gifts_waiting(merchant, members.member_of(merchant.pk, card).pk)]


@router.post("/referral-gifts/{int:number}/hand-over", response={200: ReferralGiftOut, **REFUSED})
def hand_over(request: Request, number: int) -> Any:
    """The gift is in the member's hands. Sent again it answers alike."""
    call = till(request)
    return _gift(referral.hand_gift(merchant=call.merchant, reward_id=number, now=call.now, actor=call.actor))
