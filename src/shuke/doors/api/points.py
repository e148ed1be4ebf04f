"""Points over the wire: spend, give back, hold, give by hand, hand on; and what members do beside buying.

Every request has a key, in the body or as the header Idempotency-Key. The same key with the same request gives the first
answer for ever (`replayed`), with another request 422 `key_reused`. A refusal by the books is 409 with its code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Header, Query, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import Body
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, writer
from shuke.loyalty import actions
from shuke.loyalty.actions import Answer, Ask
from shuke.loyalty.queries import activities
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["points"])
Points = Annotated[int, Field(ge=1, le=10**12)]
Key = Annotated[str, Field(max_length=160, description="or the header Idempotency-Key")]
NO_KEY = {
    "en": "Every request needs a key of your own (field `key` or header Idempotency-Key), so that it can be sent again.",
    "zh": "每个请求都要带您自己的键（字段 key 或请求头 Idempotency-Key），以便安全重发。",
}
KeyHeader = Annotated[str | None, Header(alias="Idempotency-Key", max_length=160)]


class BooksRefusal(Schema):
    """Why the books refused: a sentence, a code that does not change, and the figures behind it."""

    error: str
    code: str
    figures: dict[str, int] = {}


class MovedOut(Schema):
    card: str
    points: int
    available: int | None = Field(
        description="what the member can spend now; null where points are given by hand or reinstated"
    )
    replayed: bool


class SpendIn(Body):
    points: Points
    key: Key = ""
    family: bool = Field(False, description="what the member lacks the family gives")


class ReturnIn(Body):
    points: Points
    of: Annotated[str, Field(min_length=1, max_length=160, description="key of the spend")]
    key: Key = ""


class HoldIn(Body):
    points: Points
    key: Key = ""
    minutes: Annotated[int, Field(ge=1, le=1440)] = 15


class CaptureIn(Body):
    points: Points
    hold: Annotated[str, Field(min_length=1, max_length=160, description="key of the hold")]
    key: Key = ""


class ReleaseIn(Body):
    hold: Annotated[str, Field(min_length=1, max_length=160, description="key of the hold")]
    key: Key = ""


class AdjustIn(Body):
    points: Annotated[int, Field(ge=-(10**12), le=10**12)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    key: Key = ""


class AdjustOut(Schema):
    card: str
    state: str = Field(description="done, or waiting for a second person; sent again also what was decided")
    points: int
    because: str = Field(default="", description="why it waits")
    replayed: bool = False


class ReinstateIn(Body):
    points: Points
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    key: Key = ""


class GiveIn(Body):
    points: Points
    to: Annotated[str, Field(min_length=1, max_length=40, description="card or id of who receives")]
    key: Key = ""


class ActivityIn(Body):
    activity: Annotated[
        str, Field(min_length=1, max_length=30, description="as the charter names it: check_in, survey …")
    ]
    key: Key = ""


class ActivityOut(Schema):
    card: str
    points: int
    growth: int
    replayed: bool


class DoingOut(Schema):
    """What a member did that is no purchase, and what it gave."""

    key: str = Field(description="under which it was told; takes it back")
    activity: str
    at: datetime
    by: str
    points: int
    growth: int
    undone_at: datetime | None = Field(description="when it was taken back; null: it stands")


class ActivityUndoIn(Body):
    of: Annotated[str, Field(min_length=1, max_length=200, description="key of the activity")]
    key: Key = ""


ANSWERS: Any = {
    200: MovedOut,
    400: BooksRefusal,
    403: BooksRefusal,
    404: BooksRefusal,
    409: BooksRefusal,
    422: BooksRefusal,
}


@router.post("/members/{card}/points/spend", response=ANSWERS)
def spend(request: Request, card: str, told: SpendIn, idempotency_key: KeyHeader = None) -> Status:
    """Spend points of a member, oldest expiry first."""
    merchant, who, actor = call(request, card)
    key = told.key or idempotency_key or ""
    one = Ask(key, "burn", who.asked_as, told.points)
    if not told.family or not key:
        return _do(request, who, one)
    answer = actions.spend_from_family(
        merchant=merchant, key=key, member_id=who.pk, amount=told.points, now=shop_now(merchant), actor=actor
    )
    return _told(request, who, one, answer)


@router.post("/members/{card}/points/return", response=ANSWERS)
def give_back(request: Request, card: str, told: ReturnIn, idempotency_key: KeyHeader = None) -> Status:
    """Give points of a spend back to the lots they came from."""
    _, who, _ = call(request, card)
    return _do(request, who, Ask(told.key or idempotency_key or "", "return", who.asked_as, told.points, ref=told.of))


@router.post("/members/{card}/points/hold", response=ANSWERS)
def hold(request: Request, card: str, told: HoldIn, idempotency_key: KeyHeader = None) -> Status:
    """Set points aside for so many minutes."""
    _, who, _ = call(request, card)
    one = Ask(told.key or idempotency_key or "", "hold", who.asked_as, told.points, minutes=told.minutes)
    return _do(request, who, one)


@router.post("/members/{card}/points/capture", response=ANSWERS)
def capture(request: Request, card: str, told: CaptureIn, idempotency_key: KeyHeader = None) -> Status:
    """Spend what a hold set aside, or less; the rest goes back."""
    _, who, _ = call(request, card)
    return _do(
        request, who, Ask(told.key or idempotency_key or "", "capture", who.asked_as, told.points, ref=told.hold)
    )


@router.post("/members/{card}/points/release", response=ANSWERS)
def release(request: Request, card: str, told: ReleaseIn, idempotency_key: KeyHeader = None) -> Status:
    """Give back what a hold set aside."""
    _, who, _ = call(request, card)
    return _do(request, who, Ask(told.key or idempotency_key or "", "release", who.asked_as, ref=told.hold))


@router.post("/members/{card}/points/give", response=ANSWERS)
def give(request: Request, card: str, told: GiveIn, idempotency_key: KeyHeader = None) -> Status:
    """Hand points to another member; they keep their expiry."""
    merchant, who, actor = call(request, card)
    to = members.member_of(merchant.pk, told.to)
    key = told.key or idempotency_key or ""
    if not key:
        return no_key(request)
    move = actions.Transfer(key, who.asked_as, to.asked_as, told.points)
    [answer] = actions.transfer(merchant=merchant, transfers=[move], now=shop_now(merchant), actor=actor)
    return _told(request, who, Ask(key, "handed", who.asked_as, told.points), answer)


@router.post("/members/{card}/points/adjust", response=ANSWERS | {200: AdjustOut})
def adjust(request: Request, card: str, told: AdjustIn, idempotency_key: KeyHeader = None) -> Status:
    """Give or take points by hand. What one caller, or one member, comes to in a day beyond the charter's limit waits until a
    person agrees in the console."""
    return _by_hand(request, card, "adjust", told, idempotency_key)


@router.post("/members/{card}/points/reinstate", response=ANSWERS | {200: AdjustOut})
def reinstate(request: Request, card: str, told: ReinstateIn, idempotency_key: KeyHeader = None) -> Status:
    """Give lapsed points back, at most what lapsed within the time the charter allows. They count as points by hand."""
    return _by_hand(request, card, "reinstate", told, idempotency_key)


def _by_hand(request: Request, card: str, kind: str, told: AdjustIn | ReinstateIn, header: str | None) -> Status:
    merchant, who, actor = call(request, card)
    key = told.key or header or ""
    if not key:
        return no_key(request)
    try:
        found = actions.correct(
            merchant=merchant,
            key=key,
            member_id=who.asked_as,
            amount=told.points,
            kind=kind,
            reason=told.reason,
            now=shop_now(merchant),
            actor=actor,
        )
    except actions.CorrectionRefused as error:
        return _refusal(400, error.say(language(request)), error.code)
    state, points, because = "done", told.points, ""
    if isinstance(found, Answer):
        if not found.done:
            return refused_by_the_books(request, Ask(key, kind, who.asked_as, told.points), found)
        points = found.figures["amount"]
    else:
        state, because = found.state, actions.why_waits(found, language(request)) if found.state == "waiting" else ""
    replayed = isinstance(found, Answer) and found.replayed
    return Status(200, AdjustOut(card=who.card, state=state, points=points, because=because, replayed=replayed))


@router.post("/members/{card}/activities", response=ANSWERS | {200: ActivityOut})
def activity(request: Request, card: str, told: ActivityIn, idempotency_key: KeyHeader = None) -> Status:
    """Tell that a member signed in, answered a survey, wrote a review: the charter says what it gives."""
    merchant, who, actor = call(request, card)
    one = Ask(told.key or idempotency_key or "", "activity", who.asked_as, ref=told.activity)
    answer = _ask(request, merchant, one, actor)
    if isinstance(answer, Status):
        return answer
    if not answer.done:
        return refused_by_the_books(request, one, answer)
    figures = answer.figures
    return Status(
        200,
        ActivityOut(card=who.card, points=figures["amount"], growth=figures["growth"], replayed=answer.replayed),
    )


@router.get("/members/{card}/activities", response=list[DoingOut])
def doings(request: Request, card: str, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[DoingOut]:
    """What a member did that is no purchase, latest first; also what was taken back."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    return [
        DoingOut(key=x.key, activity=x.activity, at=x.at, by=x.actor, points=x.points, growth=x.growth, undone_at=x.undone_at)
        for x in activities.of_member(merchant, who.pk, limit=limit)
    ]  # fmt: skip


@router.post("/members/{card}/activities/undo", response=ANSWERS | {200: ActivityOut})
def undo_activity(request: Request, card: str, told: ActivityUndoIn, idempotency_key: KeyHeader = None) -> Status:
    """Take an activity back that was told by mistake: it counts as if it had not been. On the same day by whom it was told; with
    a token of the office at any time. `points` and `growth` are what it takes back."""
    merchant, who, actor = call(request, card)
    key = told.key or idempotency_key or ""
    if not key:
        return no_key(request)
    answer = actions.take_back_activity(
        merchant=merchant, key=key, member_id=who.asked_as, activity=told.of, now=shop_now(merchant), actor=actor,
        late=request.auth.may_decide,
    )  # fmt: skip
    if not answer.done:
        return refused_by_the_books(request, Ask(key, "activity_undo", who.asked_as, ref=told.of), answer)
    figures = answer.figures
    return Status(
        200,
        ActivityOut(card=who.card, points=figures["amount"], growth=figures["growth"], replayed=answer.replayed),
    )


def call(request: Request, card: str) -> tuple[Merchant, Any, str]:
    token = writer(request.auth)
    return token.merchant, members.member_of(token.merchant.pk, card), f"token:{token.pk}"


def _ask(request: Request, merchant: Merchant, one: Ask, actor: str) -> Answer | Status:
    if not one.key:
        return no_key(request)
    return actions.ask(merchant=merchant, asks=[one], now=shop_now(merchant), actor=actor)[0]


def _do(request: Request, who: Any, one: Ask) -> Status:
    answer = _ask(request, request.auth.merchant, one, f"token:{request.auth.pk}")
    return answer if isinstance(answer, Status) else _told(request, who, one, answer)


def _told(request: Request, who: Any, one: Ask, answer: Answer) -> Status:
    if not answer.done:
        return refused_by_the_books(request, one, answer)
    figures = answer.figures
    moved = MovedOut(
        card=who.card, points=figures["amount"], available=figures.get("available"), replayed=answer.replayed
    )
    return Status(200, moved)


def refused_by_the_books(request: Request, one: Ask, answer: Answer) -> Status:
    sentence = actions.why_refused(one, answer, language(request))
    return _refusal(409, sentence, answer.code, answer.figures)


def _refusal(status: int, sentence: str, code: str, figures: dict[str, int] | None = None) -> Status:
    return Status(status, BooksRefusal(error=sentence, code=code, figures=figures or {}))


def no_key(request: Request) -> Status:
    return _refusal(400, NO_KEY[language(request)], "no_key")
