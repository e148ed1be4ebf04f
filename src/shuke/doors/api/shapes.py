"""What goes in and out over the wire. Shape is checked here, meaning in the actions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from ninja import Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shuke.connect.importers.cells import phone as parse_phone
from shuke.engine import tenders
from shuke.engine.facts import Claim, IdentityKind, Line, LineBack, Order, OrderStatus, Person, Phone, Refund

Minor = Annotated[int, Field(ge=-(10**15), le=10**15, description="integer minor units: fen, cents")]
Short = Annotated[str, Field(max_length=60)]
Text = Annotated[str, Field(max_length=200)]
# Farther away no shop has traded: whatever is asked must still be a date in another zone, and some months on.
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2999, 1, 1)
Moment = Annotated[AwareDatetime, Field(ge=datetime(1972, 1, 1, tzinfo=UTC), lt=datetime(2999, 1, 1, tzinfo=UTC))]


class Body(BaseModel):
    """What a caller sends. A field there is not is refused: passed over in silence, a mistyped limit would be no limit."""

    model_config = ConfigDict(extra="forbid")


class HitOut(Schema):
    id: str
    card: str
    name: str
    nickname: str
    phone: str = Field(description="masked")
    matched_by: str


class MemberValueOut(Schema):
    as_of: str
    rule: str
    chance_30: int = Field(description="permille")
    chance_90: int
    says_30: str
    says_90: str
    expected_orders: float
    expected_spend: int | None = Field(
        description="net within 12 months, minor units; null: too few members to say it of one"
    )
    low: int | None
    high: int | None
    reasons: list[str]


class MemberOut(Schema):
    id: str
    card: str
    name: str
    nickname: str
    phone: str = Field(description="masked")
    joined_at: datetime
    tier: str | None
    points_available: int
    tags: list[str]
    attributes: dict
    value: MemberValueOut | None = Field(None, description="what to expect; null where nothing can be told")


class ExpiryOut(Schema):
    at: datetime
    points: int


class PointsOut(Schema):
    card: str
    available: int
    pending: int
    held: int
    debt: int
    balance: int
    worth_minor: int
    currency: str
    expiries: list[ExpiryOut]


class LineIn(Body):
    title: Text
    quantity: Annotated[float, Field(gt=0, le=10**6, description="pieces, litres, kilograms; thousandths count")] = 1
    amount_minor: Minor
    refunded_minor: Annotated[
        int, Field(ge=0, le=10**15, description="so much of it came back so far; rules of goods judge what is left")
    ] = 0
    product_code: Annotated[str, Field(max_length=80)] = ""
    category: Annotated[str, Field(max_length=160)] = ""
    brand: Annotated[str, Field(max_length=80)] = ""


class BuyerIn(Body):
    """Who bought: a card is certain, a phone is trusted because the member stood there with it."""

    card: Short = ""
    phone: Annotated[str, Field(max_length=30)] = ""
    name: Annotated[str, Field(max_length=100)] = ""

    def person(self) -> Person | None:
        claims, phones = [], []
        if self.card:
            claims.append(Claim(IdentityKind.CARD, self.card, "", True))
        number: Phone | None = parse_phone(self.phone, "member") if self.phone else None
        if number is not None:
            phones.append(number)
            if not number.masked and not number.virtual:
                claims.append(Claim(IdentityKind.PHONE, number.number, "", True))
        return Person(claims=tuple(claims), name=self.name, phones=tuple(phones)) if claims or self.name else None


class TenderIn(Body):
    """One means of payment. Known codes: cash, wechat, alipay, card, bank, points, stored_value, gift_cards, platform,
    credit, on_delivery, paypal; any other name is kept as it is."""

    tender: Annotated[str, Field(min_length=1, max_length=40)]
    amount_minor: Minor


class LineBackIn(Body):
    """A line of the order that came back: by its place or its goods; how much of it in pieces, in money, or both."""

    line: Annotated[int, Field(ge=1, le=500)] | None = Field(
        None, description="its place among the order's lines, from 1"
    )
    product_code: Annotated[str, Field(max_length=80)] = Field("", description="instead of its place")
    quantity: Annotated[float, Field(gt=0, le=10**6)] | None = Field(None, description="pieces that came back")
    amount_minor: Annotated[int, Field(ge=0, le=10**15)] | None = Field(
        None, description="so much of the refund is for it; without it, what that many pieces cost"
    )

    def told(self) -> LineBack:
        pieces = None if self.quantity is None else round(self.quantity * 1000)
        return LineBack("", self.line or 0, self.product_code, pieces, self.amount_minor)


class RefundIn(Body):
    """One refund of an order. The same number in the same store again is the same refund."""

    number: Annotated[str, Field(min_length=1, max_length=60)]
    amount_minor: Annotated[int, Field(ge=1, le=10**15)]
    refunded_at: Moment | None = Field(
        None, description="when; without it, when its order was closed, finished or paid"
    )
    lines: Annotated[list[LineBackIn], Field(max_length=500)] = Field(
        [], description="which goods came back: rules of goods then judge what is left, refund by refund"
    )


class OrderIn(Body):
    """One order as the till or the web shop states it. The same number in the same store again is the same order."""

    number: Annotated[str, Field(min_length=1, max_length=60)]
    store: Annotated[str, Field(min_length=1, max_length=60, description="the store's code")]
    platform: Annotated[str, Field(max_length=20, pattern=r"^[a-z0-9]+$")] = "pos"
    status: Annotated[
        str, Field(pattern=r"^(unpaid|paid|shipped|received|finished|closed_unpaid|closed_refunded)$")
    ] = "finished"
    created_at: Moment
    paid_at: Moment | None = None
    currency: Annotated[str, Field(min_length=3, max_length=3)] | None = None
    paid_minor: Minor
    discount_minor: Minor | None = None
    freight_minor: Minor | None = None
    refunded_minor: Minor | None = Field(None, description="in all so far")
    refunded_at: Moment | None = Field(
        None, description="when the last of refunded_minor was given back; without it, when closed, finished or paid"
    )
    refunds: Annotated[list[RefundIn], Field(max_length=100)] = Field(
        [], description="each refund by itself, where there are several; what refunded_minor has beyond them counts too"
    )
    tax_minor: Minor | None = Field(None, description="within what was paid")
    tenders: Annotated[list[TenderIn], Field(max_length=20)] | None = None
    lines: Annotated[list[LineIn], Field(max_length=500)] | None = None
    buyer: BuyerIn | None = None
    staff: Annotated[str, Field(max_length=40)] = ""

    def order(self, currency: str, now: datetime) -> Order:
        paid = self.paid_at or self.created_at
        status = OrderStatus[self.status.upper()]
        return Order(
            platform=self.platform,
            shop=self.store,
            store_code=self.store if self.platform == "pos" else "",
            number=self.number,
            status=status,
            created_at=self.created_at,
            paid_at=None if status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID) else paid,
            currency=(self.currency or currency).upper(),
            discount_minor=self.discount_minor,
            freight_minor=self.freight_minor,
            paid_minor=self.paid_minor,
            refunded_minor=self.refunded_minor,
            tax_minor=self.tax_minor,
            tenders=tenders.told_together(
                (tenders.code_of(one.tender), one.amount_minor) for one in self.tenders or ()
            ),
            lines=tuple(
                Line(
                    title=line.title,
                    quantity_milli=round(line.quantity * 1000),
                    amount_minor=line.amount_minor,
                    product_code=line.product_code,
                    refunded_minor=line.refunded_minor,
                    category=line.category,
                    brand=line.brand,
                )
                for line in self.lines
            )
            if self.lines is not None
            else None,
            person=self.buyer.person() if self.buyer else None,
            staff_code=self.staff,
            stated_at=now,
            refunded_at=self.refunded_at,
        )

    def refund_documents(self, currency: str) -> list[Refund]:
        return [
            Refund(
                self.platform,
                self.store,
                self.number,
                one.number,
                one.amount_minor,
                one.refunded_at,
                currency=currency,
                lines=tuple(line.told() for line in one.lines),
            )
            for one in self.refunds
        ]

    @property
    def refunds_more_than_was_paid(self) -> bool:
        return sum(one.amount_minor for one in self.refunds) > max(self.paid_minor, self.refunded_minor or 0, 0)


class OrdersIn(Body):
    orders: Annotated[list[OrderIn], Field(min_length=1, max_length=1000)]


class Refusal(Schema):
    error: str


class CodedRefusal(Refusal):
    code: str


class OrderOut(Schema):
    number: str
    store: str
    outcome: str = Field(description="new, changed or same")
    odd: list[CodedRefusal] = Field(
        [], description="what cannot be right in it, told with the news: it was taken as it is"
    )


class NotGivenBackOut(Schema):
    """What a refund could not bring back to where it was paid from. The refund itself is booked."""

    number: str
    code: str = Field(description="void_card: its gift card is void; else why nothing came back")
    error: str = Field(description="the same as a sentence, with what to do; it stands on the buyer's timeline too")
    amount_minor: int | None = Field(None, description="of a void card: what did not come back")


class OrdersOut(Schema):
    orders: list[OrderOut]
    new: int
    changed: int
    same: int
    members_made: int
    postings: int
    not_given_back: list[NotGivenBackOut] = Field(
        [], description="told once, with the refund; who sends it again is told `same`"
    )
