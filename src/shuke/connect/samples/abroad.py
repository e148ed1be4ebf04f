"""Row factories of shops outside China: the same made-up baskets with American buyers, as Shopify and WooCommerce export."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from shuke.engine.facts import OrderStatus

from . import columns
from .rows import Basket, money, ordered, paid, when
from .sheets import Row
from .taobao_shop import pools

FIRST = "Anna Ben Clara David Ella Frank Grace Henry Ivy Jack Karen Leo Mona Nora Oscar Paula".split()
LAST = "Whitfield Marlow Okafor Lindqvist Castellan Brandt Quill Hartley Moreau Petrov".split()
TOWNS = (("Portland", "OR", "97201"), ("Albany", "NY", "12207"), ("Madison", "WI", "53703"), ("Boise", "ID", "83702"))
ENGLISH = (
    "Oat face wash|Clay mask|Sun milk, SPF 50|Night cream|Baby balm|Teething ring|Cotton romper|Bath thermometer".split(
        "|"
    )
)


def american(dice: random.Random, one: Basket) -> Basket:
    """The same basket of an American buyer; phone numbers from the range kept for fiction."""
    first, last = dice.choice(FIRST), dice.choice(LAST)
    town, state, code = dice.choice(TOWNS)
    return replace(
        one,
        number=f"#{1001 + int(one.number[-4:]) % 9000 * 10 + int(one.email[5])}",
        name=f"{first} {last}",
        email=f"{first}.{last}{dice.randrange(100)}@example.com".lower(),
        phone=f"+1 202-555-{100 + dice.randrange(100):04d}",
        place=pools.Place(state, town, "", code, 1),
        detail=f"{dice.randrange(1, 900)} Juniper Street",
        pieces=tuple(piece._replace(title=ENGLISH[len(piece.title) % len(ENGLISH)], spec="") for piece in one.pieces),
    )


def _zoned(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} +0800" if value else ""


def shopify_order(one: Basket) -> list[Row]:
    out: list[Row] = []
    financial = {
        OrderStatus.CLOSED_UNPAID: "voided", OrderStatus.CLOSED_REFUNDED: "refunded",
    }.get(one.status, "partially_refunded" if one.refunded else "paid")  # fmt: skip
    for index, piece in enumerate(one.pieces):
        cells = {
            "Name": one.number, "Email": one.email, "Lineitem quantity": str(piece.quantity), "Lineitem name": piece.title,
            "Lineitem price": money(piece.price), "Lineitem sku": piece.code, "Lineitem requires shipping": "true",
            "Lineitem taxable": "true", "Lineitem discount": "0.00", "Created at": _zoned(one.created), "Vendor": "Little Grain",
            "Lineitem fulfillment status": "fulfilled" if one.shipped_at else "pending",
        }  # fmt: skip
        if index == 0:
            cells |= {
                "Financial Status": financial, "Paid at": _zoned(one.paid_at),
                "Fulfillment Status": "fulfilled" if one.shipped_at else "unfulfilled", "Fulfilled at": _zoned(one.shipped_at),
                "Accepts Marketing": "yes" if index % 2 == 0 else "no", "Currency": "USD",
                "Subtotal": money(one.goods_total - one.discount), "Shipping": money(one.freight), "Taxes": "0.00",
                "Total": money(one.total), "Discount Code": "HELLO" if one.discount else "",
                "Discount Amount": money(one.discount), "Shipping Method": "Standard",
                "Cancelled at": _zoned(one.created + timedelta(days=2)) if one.status == OrderStatus.CLOSED_UNPAID else "",
                "Payment Method": "manual" if one.paid_at is None else "Shopify Payments", "Refunded Amount": money(one.refunded),
                "Outstanding Balance": "0.00", "Id": "58" + one.number.removeprefix("#").zfill(11), "Risk Level": "Low",
                "Source": "web", "Phone": one.phone.replace(" ", "").replace("-", ""),
            }  # fmt: skip
            for side in ("Billing", "Shipping"):
                cells |= {
                    f"{side} Name": one.name, f"{side} Street": one.detail, f"{side} Address1": one.detail,
                    f"{side} City": one.place.city, f"{side} Zip": "'" + one.place.postcode,
                    f"{side} Province": one.place.province, f"{side} Country": "US", f"{side} Phone": one.phone,
                }  # fmt: skip
        out.append(ordered(columns.SHOPIFY_ORDERS, cells))
    return out


def shopify_customer(one: Basket) -> list[Row]:
    first, last = one.name.split(" ")
    return [
        ordered(columns.SHOPIFY_CUSTOMERS, {
            "First Name": first, "Last Name": last, "Email": one.email, "Accepts Email Marketing": "yes",
            "Address1": one.detail, "City": one.place.city, "Province": one.place.province,
            "Province Code": one.place.province, "Country": "United States", "Country Code": "US",
            "Zip": "'" + one.place.postcode, "Phone": "'" + one.phone.replace(" ", "").replace("-", ""),
            "Accepts SMS Marketing": "no", "Total Spent": money(paid(one)), "Total Orders": "1" if one.paid_at else "0",
            "Tags": "newsletter", "Tax Exempt": "no",
        })
    ]  # fmt: skip


def woocommerce(one: Basket) -> list[Row]:
    first, last = one.name.split(" ")
    status = {
        OrderStatus.PAID: "processing", OrderStatus.SHIPPED: "processing", OrderStatus.FINISHED: "completed",
        OrderStatus.CLOSED_UNPAID: "cancelled", OrderStatus.CLOSED_REFUNDED: "refunded",
    }[one.status]  # fmt: skip
    cells = {
        "order_id": one.number[1:], "order_number": one.number[1:], "date": when(one.created), "status": status,
        "shipping_total": money(one.freight), "discount_total": money(one.discount), "order_total": money(one.total),
        "refunded_total": money(one.refunded), "order_currency": "USD", "payment_method": "stripe",
        "shipping_method": "Flat rate", "customer_user": str(int(one.number[1:]) % 977 + 1), "billing_first_name": first,
        "billing_last_name": last, "billing_email": one.email, "billing_phone": one.phone, "billing_address_1": one.detail,
        "billing_postcode": one.place.postcode, "billing_city": one.place.city, "billing_state": one.place.province,
        "billing_country": "US", "shipping_first_name": first, "shipping_last_name": last, "shipping_address_1": one.detail,
        "shipping_postcode": one.place.postcode, "shipping_city": one.place.city, "shipping_state": one.place.province,
        "shipping_country": "US", "paid_date": when(one.paid_at), "completed_date": when(one.finished_at),
    }  # fmt: skip
    for index, piece in enumerate(one.pieces, start=1):
        whole = piece.price * piece.quantity
        cells[f"order_item_{index}"] = (
            f"name:{piece.title}|product_id:{piece.item_id[-4:]}|sku:{piece.code}|quantity:{piece.quantity}|total:{money(whole)}"
        )
    return [ordered(columns.WOOCOMMERCE, cells)]
