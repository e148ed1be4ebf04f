"""Word of mouth over the wire: what members who bring others are worth, with what is assumed named so."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import CodedRefusal, Refusal
from shuke.doors.api.tokens import Request
from shuke.insight.queries import figures, word_of_mouth
from shuke.members.queries.cards import card_numbers
from shuke.shops.queries import now as shop_now

router = Router(tags=["insight"])


class MouthOut(Schema):
    as_of: str
    currency: str
    terms: dict[str, Any] = Field(description="assumptions, not measured; `own`: those the shop stated itself")
    members: int
    bonds: int = Field(description="friends who were brought and count")
    void: int
    brought_a_year: int
    steps: list[dict[str, int]]
    compared: dict[str, float | int | None] = Field(
        description="friends against others of the same month and way, per head"
    )
    saying: dict[str, int | None] = Field(description="1:25:8:1 multiplied out: assumed, not measured")
    newcomer_worth: int | None
    branches: list[dict[str, Any]]


class FriendOut(Schema):
    card: str
    net_minor: int


class FriendsOut(Schema):
    count: int
    members: list[FriendOut]


@router.get("/insight/word-of-mouth", response={200: MouthOut, 409: CodedRefusal})
def report(request: Request) -> Any:
    """What word of mouth is worth, as of the last night."""
    merchant = request.auth.merchant
    told = figures.there(word_of_mouth.report(merchant, now=shop_now(merchant)))
    cards = card_numbers(merchant, [row["member"] for row in told["branches"]])
    branches = [row | {"member": cards.get(row["member"], "")} for row in told["branches"]]
    return MouthOut(**told | {"branches": branches})


@router.get("/insight/word-of-mouth/members", response={200: FriendsOut, 404: Refusal})
def behind(
    request: Request,
    figure: str,
    step: Annotated[int, Query(ge=0, le=3)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
) -> Any:
    """The members behind a figure: brought, step (with `step`), matched, unmatched, others, referrers."""
    merchant = request.auth.merchant
    try:
        found = word_of_mouth.members_behind_mouth(merchant, figure, step)
    except word_of_mouth.NoSuchFigure as error:
        return Status(404, {"error": str(error)})
    part = found[offset : offset + limit]
    cards = card_numbers(merchant, [one.member for one in part])
    return FriendsOut(
        count=len(found), members=[FriendOut(card=cards[one.member], net_minor=one.net_minor) for one in part if one.member in cards]
    )  # fmt: skip
