"""A member's tier changed over the wire: given by hand as a floor or an invitation; paid memberships begun and ended.

Every request has a key, in the body or as the header Idempotency-Key; the same request again does nothing twice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from ninja import Schema, Status
from pydantic import Field

from shuke.doors.api.points import BooksRefusal, Key, KeyHeader, call, no_key, refused_by_the_books
from shuke.doors.api.shapes import Body, Refusal
from shuke.doors.api.speaking import language
from shuke.doors.api.standing import router  # a path has one router: GET and POST of /tier stand together
from shuke.doors.api.tokens import Request
from shuke.engine.charter.grade import invitable
from shuke.engine.charter.terms import Terms
from shuke.kit.clock import day_start
from shuke.loyalty import actions
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import Ask
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

REFUSALS = {
    "no_such_tier": (
        "The charter in force has no tier {tier}; known are {known}.",
        "现行章程没有等级 {tier}，可选：{known}。",
    ),
    "not_invitable": (
        "The charter in force lets nobody reach {tier} by invitation; it does for: {known}.",
        "现行章程不能凭邀请达到 {tier}，可凭邀请达到的有：{known}。",
    ),
    "day_is_over": (
        "until: {until} is not after today. Name the last day the tier is kept, or leave it out: for ever.",
        "until：{until} 不在今天之后。请写保留等级的最后一天，长期保留则不写。",
    ),
}
ANSWERS = {400: BooksRefusal, 403: Refusal, 404: Refusal, 409: BooksRefusal, 422: BooksRefusal}


class TierIn(Body):
    tier: Annotated[str, Field(min_length=1, max_length=60, description="key of the tier in the charter")]
    reason: Annotated[str, Field(min_length=1, max_length=200, description="kept with the history")]
    until: date | None = Field(None, description="last day it is kept; none: for ever")
    invite: bool = Field(False, description="as an invitation: it stays subject to reviews")
    key: Key = ""


class MembershipIn(Body):
    membership: Annotated[str, Field(min_length=1, max_length=60, description="its key in the charter")]
    key: Key = ""


class MembershipEndIn(Body):
    of: Annotated[
        str, Field(min_length=1, max_length=160, description="key of the request, or event of the order, that began it")
    ]
    key: Key = ""


class StandingOut(Schema):
    """Where the member stands afterwards."""

    card: str
    tier: str
    cause: str
    floor_until: datetime | None
    memberships: list[dict[str, Any]]
    replayed: bool = Field(description="this key had done it before")


@router.post("/members/{card}/tier", response=ANSWERS | {200: StandingOut})
def give(request: Request, card: str, told: TierIn, idempotency_key: KeyHeader = None) -> Status:
    """A tier by hand: a floor until its last day, or an invitation, where the charter lets one reach a tier by it."""
    merchant, who, actor = call(request, card)
    now, key = shop_now(merchant), told.key or idempotency_key or ""
    if not key:
        return no_key(request)
    wrong = _wrong(charters.in_force(merchant, now), told, now.astimezone(merchant.tz).date())
    if wrong:
        status, code, known = wrong
        return _refused(request, status, code, tier=told.tier, known=", ".join(known) or "–", until=told.until)
    end = None if told.until is None else day_start(told.until + timedelta(days=1), merchant.tz)
    given = actions.give_tier(
        merchant=merchant, member_id=who.asked_as, tier=told.tier, until=end, reason=told.reason, now=now, actor=actor,
        invited=told.invite, key=key,
    )  # fmt: skip
    return _standing(merchant, who, now, replayed=not given)


@router.post("/members/{card}/memberships", response=ANSWERS | {200: StandingOut})
def begin(request: Request, card: str, told: MembershipIn, idempotency_key: KeyHeader = None) -> Status:
    """A paid membership that the charter knows was paid for: it begins now."""
    return _ask(request, card, told.key or idempotency_key or "", "membership", told.membership)


@router.post("/members/{card}/memberships/end", response=ANSWERS | {200: StandingOut})
def end(request: Request, card: str, told: MembershipEndIn, idempotency_key: KeyHeader = None) -> Status:
    """A running membership ends now, and the tier with it. What was paid is the shop's affair."""
    return _ask(request, card, told.key or idempotency_key or "", "membership_end", told.of)


def _ask(request: Request, card: str, key: str, kind: str, ref: str) -> Status:
    merchant, who, actor = call(request, card)
    if not key:
        return no_key(request)
    now, one = shop_now(merchant), Ask(key, kind, who.asked_as, ref=ref)
    (answer,) = actions.ask(merchant=merchant, asks=[one], now=now, actor=actor)
    if not answer.done:
        return refused_by_the_books(request, one, answer)
    return _standing(merchant, who, now, replayed=answer.replayed)


def _wrong(terms: Terms, told: TierIn, today: date) -> tuple[int, str, list[str]] | None:
    if told.tier not in terms.rank:
        return 422, "no_such_tier", list(terms.rank)
    if told.invite and told.tier not in invitable(terms):
        return 409, "not_invitable", invitable(terms)
    if told.until is not None and not today < told.until < date(3000, 1, 1):
        return 400, "day_is_over", []
    return None


def _refused(request: Request, status: int, code: str, **told: object) -> Status:
    english, chinese = REFUSALS[code]
    sentence = (chinese if language(request) == "zh" else english).format(**told)
    return Status(status, BooksRefusal(error=sentence, code=code))


def _standing(merchant: Merchant, who: Any, now: datetime, *, replayed: bool) -> Status:
    told = loyalty.why_tier(merchant, who.pk, now)
    return Status(
        200,
        StandingOut(
            card=who.card, tier=told.tier, cause=told.cause, floor_until=told.floor_until,
            memberships=list(told.memberships), replayed=replayed,
        ),
    )  # fmt: skip
