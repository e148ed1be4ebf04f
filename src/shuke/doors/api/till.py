"""The till over the wire: price, hold, capture, release, return; and members' coupons.

The body of `POST /checkout/price` and `POST /checkouts` is the same, so whatever was tried can be done. A basket of which
a coupon does not apply is answered 200 and says why; refusals are `{"error": sentence, "code": code}`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Header, Router, Schema
from pydantic import Field

from shuke.doors.api.shapes import Body, CodedRefusal, Moment
from shuke.doors.api.tokens import Request, writer
from shuke.engine.checkout import Basket
from shuke.engine.checkout.document import AsksDoc, BasketDoc, LineDoc, basket, from_plain
from shuke.engine.tenders import code_of
from shuke.flows import checkout, coupons, selling
from shuke.kit import once
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.actions.coupons import CouponRefused
from shuke.loyalty.models import Checkout, Coupon
from shuke.loyalty.queries import checkouts as stored_checkouts
from shuke.loyalty.queries import coupons as stored
from shuke.loyalty.queries.facts import order_event
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router()
CONFLICTS = {
    "checkout_over",
    "busy",
    "price_changed",
    "other_order",
    "order_taken",
    "order_of_another",
    "order_differs",
    "not_captured",
    "taken",
}


Short = Annotated[str, Field(max_length=80)]
Key = Annotated[str, Field(min_length=1, max_length=160)]
OwnKey = Annotated[str, Field(max_length=160, description="or the header Idempotency-Key; without one each is another")]
KeyHeader = Annotated[str, Header(alias="Idempotency-Key", max_length=160)]


class PriceIn(Body):
    """A basket, who buys, and what they want to use. docs/algorithms/checkout.md describes every field."""

    member: Annotated[str, Field(description="card or id; empty: nobody known")] = ""
    store: Short = ""
    platform: Annotated[str, Field(max_length=20)] = "pos"
    channel: Short = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    lines: Annotated[list[LineDoc], Field(min_length=1, max_length=500)]
    asks: AsksDoc = AsksDoc()
    at: Moment | None = Field(None, description="price only: another moment than now")
    caller: Annotated[
        str, Field(max_length=80, description="who typed the codes: the shopper's session or address")
    ] = ""

    def told(self) -> dict[str, Any]:
        """The basket as it is kept and hashed."""
        plain = self.model_dump(mode="json", exclude={"member", "at", "caller", "minutes", "expect_due_minor", "key"})
        return {k: v for k, v in plain.items() if v not in (None, "", [], {})}

    def basket(self, currency: str) -> Basket:
        told = BasketDoc(
            currency=self.currency,
            store=self.store,
            platform=self.platform,
            channel=self.channel,
            lines=tuple(self.lines),
            asks=self.asks,
        )
        from_plain(told.model_dump())  # keys used twice
        return basket(told, currency)


class BasketHoldIn(PriceIn):
    key: Annotated[str, Field(max_length=160, description="or the header Idempotency-Key")] = ""
    minutes: Annotated[int, Field(description="1 to 1440")] = 15
    expect_due_minor: int | None = Field(None, description="hold nothing if it costs anything else now")


class CheckoutOut(Schema):
    key: str
    state: str = Field(description="open, captured, released or timed_out")
    times_out_at: datetime
    order: str = ""
    priced: dict
    replayed: bool = False
    booked: Annotated[bool, Field(description="the basket itself told the archive its order")] = False
    number: Annotated[str, Field(description="of the order, where it was booked")] = ""
    earned: Annotated[
        int | None, Field(description="points the order earned, where it was booked; told with the capture")
    ] = None


class OrderName(Body):
    """Which order of the archive the basket became."""

    platform: Annotated[str, Field(max_length=20, pattern=r"^[a-z0-9]+$")] = "pos"
    store: Annotated[str, Field(min_length=1, max_length=60)]
    number: Annotated[str, Field(max_length=60, description="may be left out with `book`: then one is made")] = ""


class BookIn(Body):
    """What the archive is told beside the basket, which says goods, discounts, freight and what paid by itself."""

    paid_by: Annotated[
        str,
        Field(max_length=40, description="means of payment of what was due in money, as in the tenders of an order"),
    ] = ""
    staff: Annotated[str, Field(max_length=40)] = ""
    lines: bool = Field(True, description="false: the order is told without its goods")


class BasketCaptureIn(Body):
    order: OrderName | None = None
    book: BookIn | None = Field(
        None,
        description="book the order in the same deed, instead of telling it by POST /orders; what comes back of the basket is "
        "then told to the archive, too",
    )


class BasketReturnIn(Body):
    key: Key
    lines: dict[str, Annotated[Decimal, Field(gt=0, le=10**6, decimal_places=3)]] | None = Field(
        None, description="line → quantity that comes back now; null: all that is left"
    )


class BasketReturnOut(Schema):
    key: str
    back: dict
    replayed: bool = False


class CouponOut(Schema):
    replayed: bool = Field(False, description="this key had done it before; the coupon is told as it stands now")
    id: str
    template: str
    name_zh: str
    name_en: str
    state: str
    valid_from: datetime | None
    valid_until: datetime | None
    source: str


class TemplateOut(Schema):
    key: str
    version: int
    document: dict
    paused: bool
    issued: int
    redeemed: int
    open: int
    spent_minor: int
    budget_left_minor: int | None


class IssueIn(Body):
    template: Short
    count: Annotated[int, Field(ge=1, le=50)] = 1
    ref: Annotated[
        str, Field(max_length=80, description="what for; once given, the same again answers with the same")
    ] = ""


class ClaimIn(Body):
    key: OwnKey = ""
    template: Short = ""
    code: Short = ""
    caller: Short = ""


class VoidIn(Body):
    key: OwnKey = ""
    reason: Annotated[str, Field(min_length=1, max_length=200)]


REFUSED = {400: CodedRefusal, 404: CodedRefusal, 409: CodedRefusal, 422: CodedRefusal, 429: CodedRefusal}


def status_of(code: str) -> int:
    """404 nothing of that name, 409 not in this state, 429 too often, 422 against a rule."""
    if code.startswith("no_such"):
        return 404
    if code in CONFLICTS:
        return 409
    return 429 if code == "try_later" else 422


def _who(merchant: Merchant, card: str) -> int | None:
    return members.member_of(merchant.pk, card).pk if card else None


def _callers(request: Request, caller: str) -> list[str]:
    token = f"token:{request.auth.pk}"
    return [f"{token}:{caller}"] if caller else [token]


@router.post("/checkout/price", tags=["checkout"], response={200: dict, **REFUSED})
def price(request: Request, told: PriceIn) -> Any:
    """What a basket costs, and why: applied, skipped, inapplicable. A dry run; holds nothing."""
    merchant = request.auth.merchant
    now = shop_now(merchant)
    with once.looking():
        coupons.adopt_charter(merchant=merchant, now=now)
        return checkout.price(
            merchant=merchant,
            basket=told.basket(merchant.currency),
            member_id=_who(merchant, told.member),
            now=now,
            at=told.at,
            callers=_callers(request, told.caller),
        ).to_plain()


@router.post("/checkouts", tags=["checkout"], response={200: CheckoutOut, 403: CodedRefusal, **REFUSED})
def hold(
    request: Request,
    told: BasketHoldIn,
    response: HttpResponse,
    idempotency_key: KeyHeader = "",
) -> Any:
    """Price the basket and hold the points, coupons and budgets it uses, until it is captured, released or times out."""
    token = writer(request.auth)
    merchant = token.merchant
    key = told.key or idempotency_key
    if not 0 < len(key) <= 160 or "/" in key:
        raise checkout.CheckoutRefused("key_missing")
    now = shop_now(merchant)
    coupons.adopt_charter(merchant=merchant, now=now)
    held = checkout.hold(
        merchant=merchant,
        key=key,
        basket=told.basket(merchant.currency),
        told=told.told(),
        member_id=_who(merchant, told.member),
        minutes=told.minutes,
        expect_due=told.expect_due_minor,
        now=now,
        actor=f"token:{token.pk}",
        callers=_callers(request, told.caller),
    )
    if held.replayed:
        response["Idempotent-Replayed"] = "true"
    return _checkout(held)


@router.get("/checkouts/{key}", tags=["checkout"], response={200: CheckoutOut, **REFUSED})
def one(request: Request, key: str) -> Any:
    """A basket as it stands."""
    row = stored_checkouts.checkout(request.auth.merchant, key)
    if row is None:
        raise checkout.CheckoutRefused("no_such_checkout", key=key)
    return _row(row)


@router.post("/checkouts/{key}/capture", tags=["checkout"], response={200: CheckoutOut, 403: CodedRefusal, **REFUSED})
def capture(request: Request, key: str, told: BasketCaptureIn) -> Any:
    """The basket was paid: points are spent, coupons redeemed. Says which order it became, so that refunds find it."""
    token = writer(request.auth)
    name = told.order
    if name and told.book:
        sold = selling.sell(
            merchant=token.merchant, key=key, **name.model_dump(), paid_by=code_of(told.book.paid_by), with_lines=told.book.lines,
            staff=told.book.staff, now=shop_now(token.merchant), actor=f"token:{token.pk}",
        )  # fmt: skip
        answer = _checkout(sold.held)
        return answer.model_copy(
            update={
                "booked": sold.booked,
                "number": sold.place.number,
                "earned": sold.points,
                "replayed": sold.replayed,
            }
        )
    if told.book or (name and not name.number):
        raise checkout.CheckoutRefused("order_missing")
    event = order_event(name.platform, name.store, name.number) if name else ""
    return _checkout(
        checkout.capture(
            merchant=token.merchant,
            key=key,
            order_event=event,
            now=shop_now(token.merchant),
            actor=f"token:{token.pk}",
        )
    )


@router.post("/checkouts/{key}/release", tags=["checkout"], response={200: CheckoutOut, 403: CodedRefusal, **REFUSED})
def release(request: Request, key: str) -> Any:
    """The basket came to nothing: what it held is free again."""
    token = writer(request.auth)
    now = shop_now(token.merchant)
    return _checkout(checkout.release(merchant=token.merchant, key=key, now=now, actor=f"token:{token.pk}"))


@router.post(
    "/checkouts/{key}/returns", tags=["checkout"], response={200: BasketReturnOut, 403: CodedRefusal, **REFUSED}
)
def give_back(request: Request, key: str, told: BasketReturnIn) -> Any:
    """Goods came back: what they were worth in money, points and stored value; with the last of them, the coupons."""
    token = writer(request.auth)
    quantities = None if told.lines is None else {line: int(n * 1000) for line, n in told.lines.items()}
    done = selling.take_back(
        merchant=token.merchant,
        key=key,
        return_key=told.key,
        quantities=quantities,
        now=shop_now(token.merchant),
        actor=f"token:{token.pk}",
    )
    return BasketReturnOut(key=done.key, back=done.back, replayed=done.replayed)


@router.get("/coupons/templates", tags=["coupons"], response={200: list[TemplateOut]})
def templates(request: Request) -> Any:
    """All templates with their figures."""
    merchant = request.auth.merchant
    coupons.adopt_charter(merchant=merchant, now=shop_now(merchant))
    return [template_out(view) for view in stored.overview(merchant)]


def template_out(view: stored.Overview) -> TemplateOut:
    return TemplateOut(
        key=view.row.key,
        version=view.row.version,
        document=view.row.document,
        paused=view.tally.paused,
        issued=view.tally.issued,
        redeemed=view.tally.redeemed,
        open=view.open,
        spent_minor=view.tally.spent_minor,
        budget_left_minor=view.budget_left,
    )


@router.get("/members/{card}/coupons", tags=["coupons"], response={200: list[CouponOut], **REFUSED})
def of_member(request: Request, card: str) -> Any:
    """A member's coupons, usable ones first."""
    merchant = request.auth.merchant
    return [_coupon(c) for c in stored.of_member(merchant, members.member_of(merchant.pk, card).pk)]


@router.post("/members/{card}/coupons", tags=["coupons"], response={200: list[CouponOut], 403: CodedRefusal, **REFUSED})
def issue(request: Request, card: str, told: IssueIn) -> Any:
    """Give a member coupons of a template."""
    token = writer(request.auth)
    merchant = token.merchant
    now = shop_now(merchant)
    coupons.adopt_charter(merchant=merchant, now=now)
    wish = coupon_actions.Issue(told.template, members.member_of(merchant.pk, card).pk, "api", told.ref, told.count)
    (issued,) = coupon_actions.issue(merchant=merchant, issues=[wish], now=now, actor=f"token:{token.pk}")
    if issued.code:
        raise coupons.refusal_of(merchant, issued)
    mine = issued.coupons or coupon_actions.given_before(merchant=merchant, one=wish)
    return [_coupon(c) for pk in mine if (c := stored.one(merchant, pk)) is not None]


@router.post("/members/{card}/coupons/claim", tags=["coupons"], response={200: CouponOut, 403: CodedRefusal, **REFUSED})
def claim(request: Request, card: str, told: ClaimIn, idempotency_key: KeyHeader = "") -> Any:
    """A member takes a coupon that is free to take, or one by its code. Sent again with its key it takes none anew."""
    token = writer(request.auth)
    merchant = token.merchant
    who = members.member_of(merchant.pk, card)
    now, actor = shop_now(merchant), f"token:{token.pk}"

    def take() -> int:
        return coupons.claim(
            merchant=merchant, member_id=who.pk, template=told.template, code=told.code, now=now, actor=actor,
            callers=_callers(request, told.caller),
        )  # fmt: skip

    asked = ["claim", who.asked_as, told.template, told.code]
    return _once(merchant, told.key or idempotency_key, asked, take, now, actor)


@router.post("/coupons/{int:coupon_id}/void", tags=["coupons"], response={200: CouponOut, 403: CodedRefusal, **REFUSED})
def void(request: Request, coupon_id: int, told: VoidIn, idempotency_key: KeyHeader = "") -> Any:
    """Make an open coupon useless, with a reason. Sent again with its key it answers as before."""
    token = writer(request.auth)
    merchant = token.merchant
    now, actor = shop_now(merchant), f"token:{token.pk}"

    def end() -> int:
        if not coupon_actions.void(merchant=merchant, coupon_ids=[coupon_id], reason=told.reason, now=now, actor=actor):
            raise CouponRefused("no_such_coupon", coupon=coupon_id)
        return coupon_id

    return _once(merchant, told.key or idempotency_key, ["void", coupon_id, told.reason], end, now, actor)


def _once(
    merchant: Merchant, key: str, asked: Sequence[object], deed: Callable[[], int], now: datetime, actor: str
) -> CouponOut:
    """The coupon after the deed; under a key, after the first time it was asked for."""
    if key:
        done = coupon_actions.under_key(merchant=merchant, key=key, asked=asked, deed=deed, now=now, actor=actor)
    else:
        done = coupon_actions.Keyed(deed(), False)
    coupon = stored.one(merchant, done.coupon_id)
    assert coupon is not None
    return _coupon(coupon, done.replayed)


def _checkout(held: checkout.Held) -> CheckoutOut:
    return CheckoutOut(
        key=held.key,
        state=held.state,
        times_out_at=held.times_out_at,
        order=held.order_event,
        priced=held.priced,
        replayed=held.replayed,
    )


def _row(row: Checkout) -> CheckoutOut:
    return CheckoutOut(
        key=row.key, state=row.state, times_out_at=row.times_out_at, order=row.order_event, priced=row.priced, booked=row.booked,
        number=row.order_event.rpartition(":")[2] if row.booked else "",
    )  # fmt: skip


def _coupon(coupon: Coupon, replayed: bool = False) -> CouponOut:
    terms = stored.terms_of(coupon.template)
    return CouponOut(
        replayed=replayed,
        id=str(coupon.pk),
        template=coupon.key,
        name_zh=terms.name.zh,
        name_en=terms.name.en,
        state=coupon.state,
        valid_from=coupon.valid_from,
        valid_until=coupon.valid_until,
        source=coupon.source,
    )
