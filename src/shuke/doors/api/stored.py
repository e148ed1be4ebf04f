"""Stored value and gift cards over the wire. Where the charter in force has none, every call is 409 `stored_value_off`.

Every request has a key, in the body or as the header Idempotency-Key. The same key with the same request gives the first
answer for ever (`replayed`), with another request 422 `key_reused`. A refusal by the books is 409 with its code. Amounts
are minor units. The code of a gift card stands in the body, never in an address, where logs would keep it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from shuke.doors.api.points import KeyHeader
from shuke.doors.api.shapes import Body
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, writer
from shuke.flows import stored as flow
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import Answer, Ask, StoredRefused
from shuke.loyalty.queries import stored as books
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["stored value"])
Amount = Annotated[int, Field(ge=1, le=10**13, description="minor units")]
Key = Annotated[str, Field(max_length=160, description="or the header Idempotency-Key")]
Ref = Annotated[str, Field(min_length=1, max_length=200)]
Way = Annotated[str, Field(max_length=20, description="how it was paid: cash, wechat, alipay, card, bank")]
Code = Annotated[str, Field(min_length=1, max_length=40)]
Caller = Annotated[str, Field(max_length=80, description="who typed the code: the shopper's session or address")]
STATUS = {
    "no_such_card": 404,
    "no_such_batch": 404,
    "no_such_correction": 404,
    "try_later": 429,
    "no_key": 400,
    "no_reason": 400,
}


def status_of(code: str) -> int:
    return STATUS.get(code, 409)


class StoredRefusal(Schema):
    """Why it was refused: a sentence, a code that does not change, and the figures behind it."""

    error: str
    code: str
    figures: dict[str, int] = {}


class LapseOut(Schema):
    at: datetime
    bonus_minor: int


class StoredOut(Schema):
    card: str
    currency: str
    available_minor: int
    principal_minor: int
    bonus_minor: int
    held_minor: int
    lapses: list[LapseOut]


class StoredLineOut(Schema):
    at: datetime
    kind: str
    principal_minor: int
    bonus_minor: int
    principal_after_minor: int
    bonus_after_minor: int
    key: str
    ref: str
    paid_by: str


class MoneyMovedOut(Schema):
    """What of the amount was money paid in and what bonus; for a refund, what bonus was given up."""

    amount_minor: int
    principal_minor: int
    bonus_minor: int
    forfeited_minor: int = 0
    available_minor: int = Field(description="what can be used now")
    replayed: bool


class TopUpIn(Body):
    amount_minor: Amount
    paid_by: Way = ""
    key: Key = ""


class StoredSpendIn(Body):
    amount_minor: Amount
    key: Key = ""


class StoredReturnIn(Body):
    amount_minor: Amount
    of: Annotated[str, Field(min_length=1, max_length=200, description="key of the payment")]
    key: Key = ""


class StoredHoldIn(Body):
    amount_minor: Amount
    minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    key: Key = ""


class StoredCaptureIn(Body):
    amount_minor: Amount
    hold: Ref
    key: Key = ""


class StoredReleaseIn(Body):
    hold: Ref
    key: Key = ""


class StoredAdjustIn(Body):
    amount_minor: Annotated[int, Field(ge=-(10**13), le=10**13)]
    account: Annotated[str, Field(pattern="^(principal|bonus)$")] = "principal"
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    key: Key = ""


class StoredAdjustOut(Schema):
    card: str
    state: str = Field(description="done, or waiting for a second person; sent again also what was decided")
    amount_minor: int
    because: str = Field(default="", description="why it waits")
    replayed: bool = False


class CardIn(Body):
    code: Code
    caller: Caller = ""


class CardRedeemIn(CardIn):
    key: Key = ""


class CardSpendIn(CardIn):
    amount_minor: Amount
    key: Key = ""


class CardReturnIn(CardSpendIn):
    of: Annotated[str, Field(min_length=1, max_length=200, description="key of the payment")]


class CardSellIn(Body):
    code: Code
    paid_by: Way = ""
    key: Key = ""


class CardOut(Schema):
    card: str = Field(description="batch/number as printed")
    available_minor: int
    currency: str
    expires_at: datetime | None


REFUSED = dict.fromkeys((400, 403, 404, 409, 422, 429), StoredRefusal)
ANSWERS: Any = {200: MoneyMovedOut, **REFUSED}


@router.get("/members/{card}/stored", response={200: StoredOut, **REFUSED})
def balance(request: Request, card: str) -> Any:
    """What a member has: money paid in, bonus, what is set aside, and when bonus lapses."""
    merchant = request.auth.merchant
    who, now = members.member_of(merchant.pk, card), shop_now(merchant)
    if not books.is_shown(merchant, now):
        return _refusal(request, StoredRefused("stored_value_off"))
    told = books.balance(merchant, who.pk, now)
    return StoredOut(
        card=who.card,
        currency=told.currency,
        available_minor=told.available,
        principal_minor=told.principal,
        bonus_minor=told.bonus,
        held_minor=told.held,
        lapses=[LapseOut(at=at, bonus_minor=n) for at, n in told.next_expiry],
    )


@router.get("/members/{card}/stored/lines", response={200: list[StoredLineOut], **REFUSED})
def lines(request: Request, card: str, limit: int = 50) -> Any:
    """Every change, newest first, with both balances after it."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    if not books.is_shown(merchant, shop_now(merchant)):
        return _refusal(request, StoredRefused("stored_value_off"))
    return [
        StoredLineOut(
            at=x.at,
            kind=x.kind,
            principal_minor=x.principal,
            bonus_minor=x.bonus,
            principal_after_minor=x.principal_after,
            bonus_after_minor=x.bonus_after,
            key=x.key,
            ref=x.ref,
            paid_by=x.paid_by,
        )
        for x in books.statement(merchant, who.pk, limit=max(1, min(limit, 1000)))
    ]


@router.post("/members/{card}/stored/topup", response=ANSWERS)
def topup(request: Request, card: str, told: TopUpIn, idempotency_key: KeyHeader = None) -> Status:
    """A member pays money in; the charter says what is added."""
    one = Ask(told.key or idempotency_key or "", "top_up", amount=told.amount_minor, paid_by=told.paid_by)
    return _of_member(request, card, one)


@router.post("/members/{card}/stored/spend", response=ANSWERS)
def spend(request: Request, card: str, told: StoredSpendIn, idempotency_key: KeyHeader = None) -> Status:
    """Pay from stored value, in the order the charter declares."""
    return _of_member(request, card, Ask(told.key or idempotency_key or "", "spend", amount=told.amount_minor))


@router.post("/members/{card}/stored/return", response=ANSWERS)
def give_back(request: Request, card: str, told: StoredReturnIn, idempotency_key: KeyHeader = None) -> Status:
    """Goods come back: the money of a payment returns to the lots it was taken from."""
    one = Ask(told.key or idempotency_key or "", "return", amount=told.amount_minor, ref=told.of)
    return _of_member(request, card, one)


@router.post("/members/{card}/stored/hold", response=ANSWERS)
def hold(request: Request, card: str, told: StoredHoldIn, idempotency_key: KeyHeader = None) -> Status:
    """Set money aside for so many minutes."""
    one = Ask(told.key or idempotency_key or "", "hold", amount=told.amount_minor, minutes=told.minutes)
    return _of_member(request, card, one)


@router.post("/members/{card}/stored/capture", response=ANSWERS)
def capture(request: Request, card: str, told: StoredCaptureIn, idempotency_key: KeyHeader = None) -> Status:
    """Spend what a hold set aside, or less; the rest is free again."""
    one = Ask(told.key or idempotency_key or "", "capture", amount=told.amount_minor, ref=told.hold)
    return _of_member(request, card, one)


@router.post("/members/{card}/stored/release", response=ANSWERS)
def release(request: Request, card: str, told: StoredReleaseIn, idempotency_key: KeyHeader = None) -> Status:
    """Let go what a hold set aside."""
    return _of_member(request, card, Ask(told.key or idempotency_key or "", "release", ref=told.hold))


@router.post("/members/{card}/stored/refund", response=ANSWERS)
def refund(request: Request, card: str, told: TopUpIn, idempotency_key: KeyHeader = None) -> Status:
    """Pay money that was paid in back to the member; the charter says what bonus is given up."""
    one = Ask(told.key or idempotency_key or "", "withdraw", amount=told.amount_minor, paid_by=told.paid_by)
    return _of_member(request, card, one)


@router.post("/members/{card}/stored/adjust", response=ANSWERS | {200: StoredAdjustOut})
def adjust(request: Request, card: str, told: StoredAdjustIn, idempotency_key: KeyHeader = None) -> Status:
    """By hand. Beyond the charter's limit it waits until a person agrees in the console."""
    merchant, actor = _caller(request)
    who = members.member_of(merchant.pk, card)
    key = told.key or idempotency_key or ""

    def call() -> Any:
        found = stored.correct(
            merchant=merchant,
            key=key,
            member_id=who.pk,
            amount=told.amount_minor,
            account=told.account,
            reason=told.reason,
            now=shop_now(merchant),
            actor=actor,
        )
        if isinstance(found, Answer):
            one = Ask(key, "adjust", who.pk, told.amount_minor)
            stored.done(one, found, merchant.currency)
            return StoredAdjustOut(card=who.card, state="done", amount_minor=told.amount_minor, replayed=found.replayed)
        because = stored.why_waits(found, language(request)) if found.state == "waiting" else ""
        return StoredAdjustOut(card=who.card, state=found.state, amount_minor=found.amount, because=because)

    return _answer(request, call)


@router.post("/members/{card}/stored/redeem", response=ANSWERS)
def redeem(request: Request, card: str, told: CardRedeemIn, idempotency_key: KeyHeader = None) -> Status:
    """All that is on a gift card becomes the member's stored value."""
    merchant, actor = _caller(request)
    who = members.member_of(merchant.pk, card)
    return _answer(
        request,
        lambda: _moved(
            flow.redeem_code(
                merchant=merchant,
                code=told.code,
                member_id=who.pk,
                key=told.key or idempotency_key or "",
                callers=_callers(request, told.caller),
                now=shop_now(merchant),
                actor=actor,
            )
        ),
    )


@router.post("/gift-cards/balance", response={200: CardOut, **REFUSED})
def card_balance(request: Request, told: CardIn) -> Status:
    """What is on a gift card. Unknown, unsold, used up, void and expired ones are answered alike, and counted."""
    merchant = request.auth.merchant

    def call() -> CardOut:
        seen = flow.card_balance(
            merchant=merchant, code=told.code, callers=_callers(request, told.caller), now=shop_now(merchant)
        )
        return CardOut(
            card=f"{seen.card.batch_id}/{seen.card.number}",
            available_minor=seen.balance.available,
            currency=seen.balance.currency,
            expires_at=seen.card.expires_at,
        )

    return _answer(request, call)


@router.post("/gift-cards/sell", response=ANSWERS)
def sell(request: Request, told: CardSellIn, idempotency_key: KeyHeader = None) -> Status:
    """A card was paid for: from now on it is money."""
    merchant, actor = _caller(request)

    def call() -> MoneyMovedOut:
        if not books.is_on(merchant, shop_now(merchant)):
            raise StoredRefused("stored_value_off")
        found = books.find_card(merchant, told.code)
        if found is None:
            raise StoredRefused("no_such_card", ref=f"…{told.code[-4:]}")
        [answer] = stored.sell_cards(
            merchant=merchant,
            cards=[found.pk],
            key=told.key or idempotency_key or "",
            paid_by=told.paid_by,
            now=shop_now(merchant),
            actor=actor,
        )
        return _moved(answer)

    return _answer(request, call)


@router.post("/gift-cards/spend", response=ANSWERS)
def card_spend(request: Request, told: CardSpendIn, idempotency_key: KeyHeader = None) -> Status:
    """Pay from a gift card; nobody needs to be known."""
    one = Ask(told.key or idempotency_key or "", "spend", amount=told.amount_minor)
    return _of_card(request, told, one)


@router.post("/gift-cards/return", response=ANSWERS)
def card_return(request: Request, told: CardReturnIn, idempotency_key: KeyHeader = None) -> Status:
    """Goods paid with a card come back: the money returns to the card."""
    one = Ask(told.key or idempotency_key or "", "return", amount=told.amount_minor, ref=told.of)
    return _of_card(request, told, one)


def _of_card(request: Request, told: CardIn, one: Ask) -> Status:
    merchant, actor = _caller(request)

    def call() -> MoneyMovedOut:
        callers = _callers(request, told.caller)
        answer = flow.use_code(
            merchant=merchant, code=told.code, one=one, callers=callers, now=shop_now(merchant), actor=actor
        )
        return _moved(stored.done(one, answer, merchant.currency))

    return _answer(request, call)


def _of_member(request: Request, card: str, one: Ask) -> Status:
    merchant, actor = _caller(request)
    who = members.member_of(merchant.pk, card)

    def call() -> MoneyMovedOut:
        mine = one._replace(member_id=who.pk)
        [answer] = stored.ask(merchant=merchant, asks=[mine], now=shop_now(merchant), actor=actor)
        return _moved(stored.done(mine, answer, merchant.currency))

    return _answer(request, call)


def _caller(request: Request) -> tuple[Merchant, str]:
    token = writer(request.auth)
    return token.merchant, f"token:{token.pk}"


def _callers(request: Request, caller: str) -> list[str]:
    token = f"token:{request.auth.pk}"
    return [f"{token}:{caller}"] if caller else [token]


def _moved(answer: Answer) -> MoneyMovedOut:
    return MoneyMovedOut(replayed=answer.replayed, **{f"{name}_minor": n for name, n in answer.figures.items()})


def _answer(request: Request, call: Callable[[], Any]) -> Status:
    try:
        return Status(200, call())
    except StoredRefused as refused:
        return _refusal(request, refused)


def _refusal(request: Request, refused: StoredRefused) -> Status:
    figures = {k: n for k, n in refused.figures.items() if isinstance(n, int)}
    return Status(
        status_of(refused.code), StoredRefusal(error=refused.say(language(request)), code=refused.code, figures=figures)
    )
