"""Profiles over the wire: who a group of members is against all members, and the members behind each bar."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import CodedRefusal, Refusal
from shuke.doors.api.tokens import Request
from shuke.engine.insight import profile_words
from shuke.insight.queries import figures, filters, profiles
from shuke.members.queries.cards import card_numbers
from shuke.shops.queries import now as shop_now

router = Router(tags=["insight"])


class ProfileOut(Schema):
    as_of: str
    window_days: int
    of: int = Field(description="members of the group")
    all: int
    stale: int = Field(description="members who joined since and are not in it")
    net_minor: int
    net_share: float | None
    basket_minor: dict[str, int | None]
    days: dict[str, int | None]
    judged: int = Field(description="bars compared: the intervals hold for all of them together")
    traits: list[dict[str, Any]] = Field(description="shares 0 to 1 of those known; index 100 is as among all members")
    telling: list[list[int]] = Field(description="places of trait and bar that surely differ, what tells most first")
    sentences: dict[str, list[str]] = Field(description="the same in words: zh, en")


class BehindOut(Schema):
    card: str
    share: float


class BehindListOut(Schema):
    count: int
    members: list[BehindOut]


def _asked(request: Request) -> filters.Filters:
    pairs = [
        (name, value)
        for name, values in request.GET.lists()
        for value in values
        if name not in ("trait", "option", "limit", "offset")
    ]
    asked = filters.parse(pairs)
    understood = {name for name, _value in asked.params()}
    wrong = [name for name, _value in asked.ignored] + [name for name, _value in pairs if name not in understood]
    if wrong or asked.text:
        raise ValueError(", ".join(sorted({*wrong, *(["q"] if asked.text else [])})))
    return asked


@router.get("/insight/profiles", response={200: ProfileOut, 400: Refusal, 409: CodedRefusal})
def profile(request: Request) -> Any:
    """Who a group is. Its filters are those of the member list's address: layer=key, tier=gold, store=ID … (none: all members)."""
    merchant = request.auth.merchant
    try:
        asked = _asked(request)
    except ValueError as error:
        return Status(400, {"error": f"This filter is not understood: {error}."})
    told = figures.there(profiles.profile(merchant, asked, now=shop_now(merchant)))
    words = {language: profile_words.sentences(told, language, merchant.currency) for language in ("zh", "en")}
    return ProfileOut(**{k: v for k, v in told.items() if k != "made_at"}, sentences=words)


@router.get("/insight/profiles/members", response={200: BehindListOut, 400: Refusal, 404: Refusal, 409: CodedRefusal})
def behind(
    request: Request,
    trait: str,
    option: str,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
) -> Any:
    """The members of the group on whom an option falls, those with most of it first; option "?" is unknown."""
    merchant = request.auth.merchant
    try:
        asked = _asked(request)
    except ValueError as error:
        return Status(400, {"error": f"This filter is not understood: {error}."})
    figures.there(profiles.profile(merchant, asked, now=shop_now(merchant)))
    try:
        found = profiles.members_behind_bar(merchant, asked, trait, option, now=shop_now(merchant))
    except profiles.NoSuchTrait as error:
        return Status(404, {"error": str(error)})
    part = found[offset : offset + limit]
    cards = card_numbers(merchant, [one.member for one in part])
    return BehindListOut(
        count=len(found), members=[BehindOut(card=cards[one.member], share=one.share) for one in part if one.member in cards]
    )  # fmt: skip
