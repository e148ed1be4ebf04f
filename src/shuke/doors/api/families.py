"""Families over the wire: who shares points with whom."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, till
from shuke.doors.api.shapes import Body
from shuke.doors.api.tokens import Request
from shuke.kit.refusal import Refusal
from shuke.loyalty import actions
from shuke.loyalty import queries as loyalty
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["families"])
Card = Annotated[str, Field(min_length=1, max_length=40)]


class RelativeOut(Schema):
    card: str
    name: str
    points: int = Field(description="available now")


class FamilyOut(Schema):
    number: str
    name: str
    points: int = Field(description="what one of them could spend now with the others' help")
    members: list[RelativeOut]


class FamilyIn(Body):
    members: Annotated[list[Card], Field(min_length=1, max_length=12, description="cards of those who join")]
    name: Annotated[str, Field(max_length=60, description="of a new family; else this member's name")] = ""


class LeftFamilyOut(Schema):
    card: str
    left: bool


class NoFamily(Refusal):
    sentences = {"no_such_family": ("This member is in no family.", "该会员不在任何家庭中。")}


def _family(merchant: Merchant, member_id: int) -> FamilyOut:
    told = loyalty.family(merchant, member_id, shop_now(merchant))
    if told is None:
        raise NoFamily("no_such_family")
    people = [RelativeOut(card=one.card, name=one.name, points=one.points) for one in told.members]
    return FamilyOut(number=str(told.pk), name=told.name, points=told.points, members=people)


@router.get("/members/{card}/family", response={200: FamilyOut, **REFUSED})
def show(request: Request, card: str) -> Any:
    """The family a member shares points with, and what each has. 404 `no_such_family`: they share with nobody."""
    merchant = request.auth.merchant
    return _family(merchant, members.member_of(merchant.pk, card).pk)


@router.post("/members/{card}/family", response={200: FamilyOut, **REFUSED})
def join(request: Request, card: str, told: FamilyIn) -> Any:
    """Members begin to share with this one; its family is made on first need. Who is in it already stays: send it again at
    will."""
    call = till(request)
    merchant = call.merchant
    who = members.member_of(merchant.pk, card)
    wanted = list(dict.fromkeys(members.member_of(merchant.pk, one).pk for one in told.members))
    there = loyalty.family(merchant, who.pk, call.now)
    same: dict[str, Any] = {"merchant": merchant, "now": call.now, "actor": call.actor}
    if there is None:
        actions.found_family(name=told.name or who.name, members=[who.pk, *wanted], **same)
    elif new := [pk for pk in wanted if pk not in {one.member_id for one in there.members}]:
        actions.join_family(family_id=there.pk, members=new, **same)
    return _family(merchant, who.pk)


@router.post("/members/{card}/family/leave", response={200: LeftFamilyOut, **REFUSED})
def leave(request: Request, card: str) -> Any:
    """A member leaves; a family of one is none. Points stay with who has them."""
    call = till(request)
    who = members.member_of(call.merchant.pk, card)
    left = actions.leave_family(merchant=call.merchant, member_id=who.pk, now=call.now, actor=call.actor)
    return LeftFamilyOut(card=who.card, left=left)
