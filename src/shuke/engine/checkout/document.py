"""A basket as a JSON document: what `shuke charter price`, the API and the console's trial till all read.

{"currency": "CNY", "store": "XH",
 "lines": [{"sku": "A1", "category": "护肤/面霜", "quantity": "2", "price_minor": 9900}],
 "member": {"tier": "gold", "points": 1200, "coupons": [{"ref": "c1", "template": "new50"}]},
 "asks": {"coupons": ["c1"], "points": "most"}}
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.checkout.basket import MOST, Asks, Basket, Coupon, GiftCard, Holdings, Line
from shuke.kit import misread, strict_json
from shuke.kit.refusal import LANGUAGES, Refusal, Sentences

MOST_MINOR = 10**13
Minor = Annotated[int, Field(ge=0, le=MOST_MINOR)]
Code = Annotated[str, Field(max_length=80)]
Quantity = Annotated[Decimal, Field(gt=0, le=10**6, decimal_places=3)]
Excluded = Literal["all", "tier_price", "offers", "coupons", "points", "gift_cards", "stored_value"]
BIRTHDAY = r"^L?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class BasketInvalid(Refusal):
    """The document is not a basket; the sentence says where and what."""

    sentences: ClassVar[Sentences] = {"basket_invalid": ("{told}", "{told}")}

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__("basket_invalid", told={"en": english, "zh": chinese})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineDoc(_Part):
    """One line. `amount_minor` is quantity × price where it is not told."""

    key: Code = ""  # "": its place, counted from 1
    sku: Code = ""
    title: Annotated[str, Field(max_length=200)] = ""  # what the goods are called, should the basket become an order
    category: Annotated[str, Field(max_length=160)] = ""
    brand: Code = ""
    quantity: Quantity = Decimal(1)
    price_minor: Minor = 0
    amount_minor: Minor | None = None
    freight: bool = False
    gift: bool = False
    excluded: bool | tuple[Excluded, ...] = False  # true: from everything


class CouponDoc(_Part):
    ref: Code
    template: Code
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    state: Literal["open", "held", "redeemed", "void", "expired"] = "open"
    budget_left_minor: Minor | None = None
    terms: Template | None = None


class MemberDoc(_Part):
    """The member's figures. Asked of a running Shuke they come from the books."""

    tier: Code = ""
    points: Annotated[int, Field(ge=0)] = 0
    stored_value_minor: Minor = 0
    purchases: Annotated[int, Field(ge=0)] | None = None  # before this one
    birthday: Annotated[str, Field(pattern=BIRTHDAY)] | None = None  # MM-DD, L01-15 for the lunar calendar
    coupons: Annotated[tuple[CouponDoc, ...], Field(max_length=500)] = ()


class GiftCardDoc(_Part):
    """A gift card laid on the counter. Asked of a running Shuke its balance comes from the books, by its code."""

    ref: Code
    balance_minor: Minor


class AsksDoc(_Part):
    coupons: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    points: Annotated[int, Field(ge=0)] | Literal["most"] = 0
    stored_value_minor: Minor | Literal["most"] = 0
    best: bool = False  # also look through all coupons the member has
    gift_cards: Annotated[tuple[Code, ...], Field(max_length=20)] = ()  # refs or codes, in the order they pay
    coalition: bool = False  # points of all accounts in the coalition, not of this shop alone


class BasketDoc(_Part):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None  # None: the charter's
    store: Code = ""
    platform: Annotated[str, Field(max_length=20)] = "pos"
    channel: Code = ""
    lines: Annotated[tuple[LineDoc, ...], Field(min_length=1, max_length=500)]
    member: MemberDoc | None = None
    gift_cards: Annotated[tuple[GiftCardDoc, ...], Field(max_length=20)] = ()
    asks: AsksDoc = AsksDoc()


def read(text: str) -> BasketDoc:
    """JSON text → document. Raises BasketInvalid."""
    try:
        return from_plain(strict_json.read(text, Decimal))
    except strict_json.NotRead as error:
        raise BasketInvalid(*map(error.say, LANGUAGES)) from error


def from_plain(raw: Any) -> BasketDoc:
    """Parsed JSON → document. Raises BasketInvalid."""
    try:
        told = BasketDoc.model_validate(raw)
    except ValidationError as error:
        told_wrong = misread.news(error.errors(include_url=False))[:20]
        found = [{**e, "loc": e["loc"] or ("basket",)} for e in told_wrong]
        raise BasketInvalid(*(misread.sentence(found, spoken) for spoken in LANGUAGES)) from error
    seen: set[str] = set()
    for place, line in enumerate(told.lines, 1):
        key = line.key or str(place)
        if key in seen:
            raise BasketInvalid(
                f"lines.{place - 1}.key: the key {key} is used twice; each line needs its own",
                f"lines.{place - 1}.key：键 {key} 重复，每行须有自己的键",
            )
        seen.add(key)
        if line.amount_minor is None and line.price_minor * line.quantity > MOST_MINOR:
            raise BasketInvalid(
                f"lines.{place - 1}: quantity × price is more than {MOST_MINOR}; mend one of them",
                f"lines.{place - 1}：数量 × 单价超过 {MOST_MINOR}，请更正其一",
            )
    return told


def basket(told: BasketDoc, currency: str) -> Basket:
    """The document as the engine takes it. Raises BasketInvalid for a basket in another currency than the charter's."""
    if told.currency not in (None, currency):
        raise BasketInvalid(
            f"currency: the basket is in {told.currency}, the charter in {currency}",
            f"currency：购物车币种为 {told.currency}，章程币种为 {currency}",
        )
    return Basket(
        currency,
        tuple(_line(place, line) for place, line in enumerate(told.lines, 1)),
        told.store,
        told.platform,
        told.channel,
        Asks(
            tuple(dict.fromkeys(told.asks.coupons)),
            MOST if told.asks.points == "most" else told.asks.points,
            MOST if told.asks.stored_value_minor == "most" else told.asks.stored_value_minor,
            told.asks.best,
            tuple(dict.fromkeys(told.asks.gift_cards)),
            told.asks.coalition,
        ),
    )


def _line(place: int, line: LineDoc) -> Line:
    quantity = int(line.quantity * 1000)
    amount = line.amount_minor
    if amount is None:
        amount = (2 * line.price_minor * quantity + 1000) // 2000
    excluded: tuple[str, ...] = line.excluded if isinstance(line.excluded, tuple) else ("all",) * line.excluded
    return Line(
        line.key or str(place), amount, quantity, line.price_minor, line.sku, line.category, line.brand,
        line.freight, line.gift, frozenset(excluded),
    )  # fmt: skip


def holdings(told: BasketDoc) -> Holdings:
    """The figures of member and gift cards as the document tells them."""
    member = told.member
    cards = tuple(GiftCard(card.ref, card.balance_minor) for card in told.gift_cards)
    if member is None:
        return Holdings(gift_cards=cards)
    birthday = None
    if member.birthday:
        month, day = member.birthday.lstrip("L").split("-")
        birthday = (int(month), int(day), member.birthday.startswith("L"))
    return Holdings(
        member.tier,
        member.points,
        member.stored_value_minor,
        member.purchases,
        birthday,
        tuple(
            Coupon(c.ref, c.template, c.valid_from, c.valid_until, c.state, c.budget_left_minor, c.terms)
            for c in member.coupons
        ),
        gift_cards=cards,
    )


def schema() -> dict[str, Any]:
    return BasketDoc.model_json_schema()
