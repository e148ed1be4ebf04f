"""The dictionary: what a seller's file can tell us, as frozen values.

Importers make these, flows carry them, the rooms store them. `None` always means "this source does not say", which is
not the same as empty or zero: a later, richer export fills such gaps, and a poorer one never wipes what is known.
Money is integer minor units of the order's currency; quantities are integer thousandths; instants are aware.
NamedTuples because an import makes millions of them.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple


class IdentityKind(StrEnum):
    PLATFORM_ID = "platform_id"  # the platform's own stable buyer number (household, open uid, customer id)
    CARD = "card"  # our member card
    PHONE = "phone"  # E.164 mobile number that the person was verified with or signs in by
    EMAIL = "email"
    NICKNAME = "nickname"  # platform account name: unique on its platform at a time, but can be changed
    NAME_ADDRESS = "name_address"  # only ever a hint for a human


class Claim(NamedTuple):
    """One statement of who somebody is. `realm` is the platform the value is unique in ("taobao"); "" = everywhere."""

    kind: IdentityKind
    value: str
    realm: str = ""
    verified: bool = False


class Phone(NamedTuple):
    """A contact number as the file has it, normalised. Virtual and masked ones are kept for display, never matched."""

    number: str  # E.164 ("+8613800138000"); masked ones keep their asterisks
    role: str = "receiver"  # receiver | buyer | member
    virtual: bool = False
    masked: bool = False
    expires_at: datetime | None = None  # a virtual number must not be used after this


class Address(NamedTuple):
    text: str  # the detail line, personal
    province: str = ""
    city: str = ""
    district: str = ""
    town: str = ""
    postcode: str = ""


class Birthday(NamedTuple):
    """Solar or lunar day; the year may be unknown (0)."""

    year: int
    month: int
    day: int
    lunar: bool = False


class Person(NamedTuple):
    """Who bought, or a customer record. Names of real people: never log this."""

    claims: tuple[Claim, ...] = ()
    name: str = ""
    nickname: str = ""
    phones: tuple[Phone, ...] = ()
    email: str = ""
    address: Address | None = None
    gender: str = ""  # f | m | "" unknown
    birthday: Birthday | None = None
    attributes: tuple[tuple[str, str], ...] = ()  # typed custom attributes by key, as text
    consents: tuple[tuple[str, str, bool], ...] = ()  # channel, purpose, granted
    joined_at: datetime | None = None
    store_code: str = ""
    acquired_by: str = ""  # channel or campaign the person came by
    note: str = ""
    opening_points: int | None = None  # balance carried over from another system
    opening_growth: int | None = None
    opening_from: str = ""  # which system that balance is of: youzan, pos …
    brought_by: str = ""  # card or referral code of the member who brought this one


class OrderStatus(IntEnum):
    """Ranked: a later export moves an order up, never down (FORMATS quirk 8)."""

    UNPAID = 10
    PAID = 20
    PART_SHIPPED = 30
    SHIPPED = 40
    RECEIVED = 50
    FINISHED = 60
    CLOSED_UNPAID = 70  # closed before payment: never was a purchase
    CLOSED_REFUNDED = 80  # closed after payment: a purchase and its full refund


class Line(NamedTuple):
    """One position of an order."""

    title: str
    quantity_milli: int  # thousandths of a piece, litre, kilogram
    amount_minor: int  # what this line cost after its own discounts, before order-level freight
    product_code: str = ""  # seller's code, else the platform's product id
    sku: str = ""
    spec: str = ""  # 颜色:红;尺码:M
    category: str = ""  # "DEPARTMENT/CATEGORY/TYPE", as deep as known
    brand: str = ""
    price_minor: int | None = None  # list price of one piece
    discount_minor: int = 0
    sub_number: str = ""  # platform's own number of this line
    refunded_minor: int = 0


class Order(NamedTuple):
    """One order as one file states it. Fields that the file does not have stay None."""

    platform: str  # taobao | tmall | jd | pinduoduo | douyin | youzan | shopify | woocommerce | completejourney | pos …
    shop: str  # the platform shop's name or code, as far as the file says; "" = the shop chosen at import
    number: str
    status: OrderStatus | None = None
    created_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    finished_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None
    currency: str = "CNY"
    goods_minor: int | None = None  # goods before order discounts
    discount_minor: int | None = None
    freight_minor: int | None = None
    paid_minor: int | None = None  # what the buyer paid, freight included, net of discounts and of platform points
    refunded_minor: int | None = None  # cumulative, as this file states it
    lines: tuple[Line, ...] | None = None
    person: Person | None = None  # None: the file knows no buyer (Pinduoduo, a till without card)
    store_code: str = ""
    channel: str = ""
    staff_code: str = ""
    buyer_note: str | None = None
    seller_note: str | None = None
    excluded: str = ""  # why this is no real purchase (brushing order 刷单), "" = it is one
    stated_at: datetime | None = None  # when the file was made: the later statement wins
    tax_minor: int | None = None  # within what was paid
    # How it was paid: code of engine/tenders.py, amount; by code. All within what was paid, but `points` stand beside it.
    tenders: tuple[tuple[str, int], ...] | None = None
    refunded_at: datetime | None = None  # of the last refund within refunded_minor


class LineBack(NamedTuple):
    """A line that came back with a refund: named by the platform's number of it, its place from 1, or its goods."""

    sub_number: str = ""
    position: int = 0
    product_code: str = ""
    quantity_milli: int | None = None
    amount_minor: int | None = None  # of the refund's amount


class Refund(NamedTuple):
    """A refund document. Links to its order by number; may come before it."""

    platform: str
    shop: str
    order_number: str
    number: str
    amount_minor: int
    finished_at: datetime | None
    requested_at: datetime | None = None
    done: bool = True  # only finished refunds count; the others are kept as news
    status: str = ""
    reason: str = ""
    sub_number: str = ""
    currency: str = "CNY"
    lines: tuple[LineBack, ...] = ()  # which goods came back; (): it does not say


class Product(NamedTuple):
    """Catalogue data that some sources carry beside orders."""

    code: str
    title: str
    category: str = ""
    brand: str = ""
    unit: str = ""


class Problem(NamedTuple):
    """Something wrong with a row. A reject keeps the row out; an oddity lets it in and tells.

    `code` names a sentence in connect/importers/problems.py; `params` fill it. `raw` is the row as it was read, for
    the file of rejected rows.
    """

    code: str
    row: int  # 1-based row in the file as a spreadsheet shows it; 0 = the file as a whole
    column: str = ""
    value: str = ""
    params: tuple[tuple[str, str], ...] = ()
    reject: bool = True
    file: str = ""
    raw: tuple[str, ...] = ()


class Occasion(NamedTuple):
    """A day worth remembering: a birthday, a wedding, a child's birthday."""

    kind: str
    day: date
    lunar: bool = False
    label: str = ""


class CouponUse(NamedTuple):
    """Somebody used a coupon of another system on a day; worth a line on their timeline."""

    claim: Claim
    code: str
    used_at: datetime
    campaign: str = ""
    platform: str = ""
