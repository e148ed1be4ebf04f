"""WooCommerce, as the common export plug-in writes it: one row per order, items packed into order_item_1 … n.

An item is `product_id:4959|1|30|size: Medium` (id, pieces, total, variant) or `name:…|product_id:…|sku:…|quantity:…|total:…`.
Customer numbers are the shop's own, so their realm carries the shop; 0 is a guest, known by e-mail.
"""

from __future__ import annotations

import re

from shuke.connect.importers.cells import (
    Amounts,
    RowError,
    email,
    is_mobile,
    name_address,
    number_id,
    own_country,
    placed,
    plain,
    quantity,
    same_currency,
)
from shuke.connect.importers.layouts import Layout, Reading, RowReader, known
from shuke.engine.facts import Claim, IdentityKind, Line, Order, OrderStatus, Person
from shuke.engine.tenders import paid_with

_SIDE = (
    "first_name",
    "last_name",
    "company",
    "email",
    "phone",
    "address_1",
    "address_2",
    "postcode",
    "city",
    "state",
    "country",
)
HEADERS = known(
    """order_id,order_number,order_number_formatted,date,order_date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,
    tax_total,cart_discount,order_discount,discount_total,order_total,order_subtotal,refunded_total,order_currency,payment_method,
    payment_method_title,shipping_method,customer_user,customer_id,customer_note,customer_ip_address,customer_user_agent,paid_date,
    completed_date,line_items,shipping_items,fee_items,tax_items,coupon_items,order_notes,download_permissions_granted,
    transaction_id,order_key,wt_import_key""",
    (f"{side}_{part}" for side in ("billing", "shipping") for part in _SIDE),
    (f"order_item_{n}" for n in range(1, 100)),
)
_STATUS = {
    "pending": OrderStatus.UNPAID, "on-hold": OrderStatus.UNPAID, "checkout-draft": OrderStatus.UNPAID,
    "processing": OrderStatus.PAID, "completed": OrderStatus.FINISHED, "cancelled": OrderStatus.CLOSED_UNPAID,
    "failed": OrderStatus.CLOSED_UNPAID, "refunded": OrderStatus.CLOSED_REFUNDED, "trash": OrderStatus.CLOSED_UNPAID,
}  # fmt: skip


def item(packed: str, amount: Amounts, column: str) -> Line | None:
    """One packed item. None for an empty cell. Raises RowError: bad_item, bad_money, bad_quantity."""
    text = plain(packed)
    if not text:
        return None
    named: dict[str, str] = {}
    loose: list[str] = []
    for part in text.split("|"):
        key, colon, value = part.partition(":")
        if colon and re.fullmatch(r"\s*[\w ]{1,40}\s*", key):
            named[key.strip().lower()] = value.strip()
        else:
            loose.append(part.strip())
    code = named.get("sku") or named.get("product_id") or ""
    count_text = named.get("quantity") or (loose[0] if loose else "1")
    total_text = named.get("total") or (loose[1] if len(loose) > 1 else "")
    if not (code or named.get("name")):
        raise RowError("bad_item", column, text)
    count = quantity(count_text, column)
    total = amount(total_text, column) or 0
    before = amount(named.get("sub_total") or named.get("subtotal") or "", column)
    refunded = amount((named.get("refunded") or "").lstrip("-"), column) or 0
    skipped = {"name", "product_id", "sku", "quantity", "total", "sub_total", "subtotal", "refunded", "refunded_qty",
               "tax", "total_tax", "meta", "tax_data"}  # fmt: skip
    spec = ";".join(f"{key}:{value}" for key, value in named.items() if key not in skipped and value)
    return Line(
        named.get("name", ""), count, total, code, named.get("sku", ""), spec or named.get("meta", ""), "", "",
        total * 1000 // count if count else None, max(before - total, 0) if before is not None else 0, "", refunded,
    )  # fmt: skip


def order_rows(reading: Reading) -> RowReader:
    columns, options = reading.columns, reading.options
    at, title, moment = columns.at, columns.title, reading.moment
    number_at, status_at = reading.need(at("order_number", "order_id")), reading.need(at("status"))
    created_at_, paid_time_at, done_at = reading.need(at("date", "order_date")), at("paid_date"), at("completed_date")
    total_at, freight_at, off_at = (
        reading.need(at("order_total")),
        at("shipping_total"),
        at("discount_total", "cart_discount"),
    )
    tax_at, tender_at = at("tax_total"), at("payment_method_title", "payment_method")
    refund_at, currency_at, user_at = at("refunded_total"), at("order_currency"), at("customer_user", "customer_id")
    first_at, last_at, email_at, phone_at = (
        at("billing_first_name"),
        at("billing_last_name"),
        at("billing_email"),
        at("billing_phone"),
    )
    side = "shipping" if columns.has("shipping_address_1") else "billing"
    state_at, city_at, street_at = at(f"{side}_state"), at(f"{side}_city"), at(f"{side}_address_1")
    zip_at, country_at, note_at = at(f"{side}_postcode"), at(f"{side}_country"), at("customer_note")
    item_places = [places_[0] for name, places_ in columns.places.items() if re.fullmatch(r"orderitem\d+", name)]
    list_at = at("line_items")
    realm = f"{reading.platform}:{options.shop}" if options.shop else reading.platform
    amount = reading.amount

    def row_to_order(row: list[str]) -> Order:
        number = number_id(row[number_at], title(number_at))
        bare = plain(row[status_at]).lower().removeprefix("wc-").replace(" ", "-")
        status = _STATUS.get(bare)
        if status is None:
            raise RowError("unknown_status" if bare else "status_missing", title(status_at), row[status_at])
        same_currency(row[currency_at], title(currency_at), options.currency)
        total = amount(row[total_at], title(total_at))
        if total is None:
            raise RowError("amount_missing", title(total_at))
        paid_at = moment(row[paid_time_at], title(paid_time_at))
        refunded_text = plain(row[refund_at]).removeprefix("-")
        refunded = amount(refunded_text, title(refund_at))
        if status is OrderStatus.CLOSED_UNPAID and paid_at is not None:
            status = OrderStatus.CLOSED_REFUNDED  # cancelled after payment
        if status is OrderStatus.CLOSED_REFUNDED and not refunded:
            refunded = total
        created_at = moment(row[created_at_], title(created_at_))
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        if paid_at is None and not unpaid and paid_time_at == columns.width:
            paid_at = created_at
        packed = [row[place] for place in item_places]
        if list_at < columns.width and not any(packed):
            packed = row[list_at].split(";")
        lines = tuple(made for text in packed if (made := item(text, amount, "order_item")) is not None)
        off = amount(row[off_at], title(off_at))
        country, mail = row[country_at], email(row[email_at])
        phone_number = own_country(row[phone_at], country, "buyer")
        name = " ".join(part for part in (plain(row[first_at]), plain(row[last_at])) if part)
        where = placed(row[state_at], row[city_at], "", row[street_at], postcode=row[zip_at])
        user = plain(row[user_at])
        if user and user != "0":
            claims: tuple[Claim, ...] = (Claim(IdentityKind.PLATFORM_ID, user, realm),)
        elif mail:
            claims = (Claim(IdentityKind.EMAIL, mail),)
        elif phone_number is not None and is_mobile(phone_number):
            claims = (Claim(IdentityKind.PHONE, phone_number.number),)
        else:
            hint = name_address(name, where)
            claims = (Claim(IdentityKind.NAME_ADDRESS, hint),) if hint else ()
        person = Person(claims, name, "", (phone_number,) if phone_number else (), mail, where)
        done = moment(row[done_at], title(done_at))
        return Order(
            reading.platform, options.shop, number, status, created_at, None if unpaid else paid_at, None, done,
            currency=options.currency, goods_minor=sum(one.amount_minor + one.discount_minor for one in lines) if lines else None,
            discount_minor=off, freight_minor=amount(row[freight_at], title(freight_at)), paid_minor=0 if unpaid else total,
            refunded_minor=refunded, lines=lines or None, person=person if claims or name or phone_number or mail else None,
            buyer_note=plain(row[note_at]) or None, stated_at=options.stated_at,
            tax_minor=amount(row[tax_at], title(tax_at)), tenders=paid_with(plain(row[tender_at]), 0 if unpaid else total),
        )  # fmt: skip

    return row_to_order


LAYOUTS = (
    Layout(
        "woocommerce.orders", "woocommerce", "WooCommerce orders", "WooCommerce 订单", ("status", "order_total"), HEADERS,
        rows=order_rows, any_of=(("order_number", "order_id"), ("date", "order_date"), ("billing_email", "customer_user", "billing_phone")),
    ),
)  # fmt: skip
