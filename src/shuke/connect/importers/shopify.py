"""Shopify: orders with several lines (order cells only on the first row of a repeated Name) and customers.

Shopify has no state after fulfilment, so a fulfilled order counts as finished. `Id` is the order's, not the buyer's.
"""

from __future__ import annotations

from shuke.connect.importers.cells import (
    BRUSHING,
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
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Layout, Reading, RowReader, known
from shuke.engine.facts import Claim, IdentityKind, Line, Order, OrderStatus, Person
from shuke.engine.tenders import paid_with

_SIDE = (
    "Name",
    "Street",
    "Address1",
    "Address2",
    "Company",
    "City",
    "Zip",
    "Province",
    "Country",
    "Phone",
    "Province Name",
)
ORDER_HEADERS = known(
    """Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,
    Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,
    Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Notes,
    Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,
    Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Phone,Receipt Number,Duties,Payment ID,Payment Terms Name,
    Next Payment Due At,Payment References,Customer ID""",
    (f"{side} {part}" for side in ("Billing", "Shipping") for part in _SIDE),
    (f"Tax {n} {part}" for n in range(1, 6) for part in ("Name", "Value")),
)
CUSTOMER_HEADERS = known(
    """Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Accepts Marketing,Company,Address1,Address2,City,Province,
    Province Code,Country,Country Code,Zip,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Tags,Note,Tax Exempt,
    Default Address Company,Default Address Address1,Default Address Address2,Default Address City,
    Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone"""
)
PAID_STATES = ("paid", "partially_paid", "partially_refunded", "refunded")


def order_rows(reading: Reading) -> Grouped:
    columns, options = reading.columns, reading.options
    at, title, moment = columns.at, columns.title, reading.moment
    number_at, email_at, money_at, sent_at = (
        reading.need(at("Name")),
        at("Email"),
        at("Financial Status"),
        at("Fulfillment Status"),
    )
    paid_time_at, shipped_at_, created_at_ = at("Paid at"), at("Fulfilled at"), at("Created at")
    cancelled_at_, currency_at, total_at = at("Cancelled at"), at("Currency"), at("Total")
    subtotal_at, freight_at, off_at = at("Subtotal"), at("Shipping"), at("Discount Amount")
    refund_at, due_at = at("Refunded Amount"), at("Outstanding Balance")
    tax_at, tender_at = at("Taxes"), at("Payment Method")
    item_at, quantity_at, price_at = at("Lineitem name"), at("Lineitem quantity"), at("Lineitem price")
    sku_at, item_off_at, vendor_at = at("Lineitem sku"), at("Lineitem discount"), at("Vendor")
    phone_at, ship_phone_at, name_at, bill_name_at = (
        at("Phone"),
        at("Shipping Phone"),
        at("Shipping Name"),
        at("Billing Name"),
    )
    province_at, province_code_at, city_at = at("Shipping Province Name"), at("Shipping Province"), at("Shipping City")
    street_at = at("Shipping Street", "Shipping Address1")
    zip_at, country_at = at("Shipping Zip"), at("Shipping Country")
    customer_at, note_at, source_at = at("Customer ID"), at("Notes"), at("Source")
    location_at, employee_at, marketing_at = at("Location"), at("Employee"), at("Accepts Marketing")
    amount = reading.amount

    def start(row: list[str]) -> str:
        return number_id(row[number_at], title(number_at)) if plain(row[number_at]) else ""

    def line(row: list[str]) -> Line | None:
        name = plain(row[item_at])
        if not name:
            return None
        count = quantity(row[quantity_at], title(quantity_at))
        price = amount(row[price_at], title(price_at)) or 0
        off = amount(row[item_off_at], title(item_off_at)) or 0
        product, dash, variant = name.rpartition(" - ")
        sku = plain(row[sku_at])
        gross = (price * count + 500) // 1000
        return Line(
            product if dash else name, count, max(gross - off, 0), sku or name[:80], sku, variant if dash else "", "",
            plain(row[vendor_at]), price, off,
        )  # fmt: skip

    def status_of(row: list[str], refunded: int, total: int) -> OrderStatus:
        said = plain(row[money_at]).lower()
        cancelled = plain(row[cancelled_at_]) != ""
        if said in ("voided", "expired") or (cancelled and said in ("pending", "authorized", "")):
            return OrderStatus.CLOSED_UNPAID
        if said == "refunded" or (refunded >= total > 0):
            return OrderStatus.CLOSED_REFUNDED
        if said in ("pending", "authorized"):
            return OrderStatus.UNPAID
        if said not in PAID_STATES:
            raise RowError("unknown_status" if said else "status_missing", title(money_at), row[money_at])
        sent = plain(row[sent_at]).lower()
        if sent == "fulfilled":
            return OrderStatus.FINISHED
        return OrderStatus.PART_SHIPPED if sent == "partial" else OrderStatus.PAID

    def finish(group: Group) -> Order:
        first = group.rows[0]
        same_currency(first[currency_at], title(currency_at), options.currency)
        lines = tuple(made for row in group.each() if (made := line(row)) is not None)
        group.current = 0
        total = amount(first[total_at], title(total_at))
        if total is None:
            raise RowError("amount_missing", title(total_at))
        refunded = amount(first[refund_at], title(refund_at))
        status = status_of(first, refunded or 0, total)
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        due = amount(first[due_at], title(due_at)) or 0
        subtotal, off = amount(first[subtotal_at], title(subtotal_at)), amount(first[off_at], title(off_at))
        paid_at = moment(first[paid_time_at], title(paid_time_at))
        shipped_at = moment(first[shipped_at_], title(shipped_at_))
        country = first[country_at]
        buyer, receiver = own_country(first[phone_at], country, "buyer"), own_country(first[ship_phone_at], country)
        mail, customer = email(first[email_at]), plain(first[customer_at])
        name = plain(first[name_at]) or plain(first[bill_name_at])
        province = plain(first[province_at]) or first[province_code_at]
        where = placed(province, first[city_at], "", first[street_at], postcode=first[zip_at])
        claims: list[Claim] = []
        if customer:
            claims.append(Claim(IdentityKind.PLATFORM_ID, customer, reading.platform))
        if mail:
            claims.append(Claim(IdentityKind.EMAIL, mail))
        if not claims and buyer is not None and is_mobile(buyer):
            claims.append(Claim(IdentityKind.PHONE, buyer.number))
        if not claims and (hint := name_address(name, where)):
            claims.append(Claim(IdentityKind.NAME_ADDRESS, hint))
        phones = tuple({one.number: one for one in (receiver, buyer) if one is not None}.values())
        consents = (("email", "promotion", True),) if plain(first[marketing_at]).lower() in ("yes", "true") else ()
        person = Person(tuple(claims), name, "", phones, mail, where, consents=consents)
        note = plain(first[note_at])
        return Order(
            reading.platform, options.shop, group.number, status, moment(first[created_at_], title(created_at_)),
            None if unpaid else paid_at, shipped_at, shipped_at if status is OrderStatus.FINISHED else None,
            moment(first[cancelled_at_], title(cancelled_at_)), None, options.currency,
            None if subtotal is None else subtotal + (off or 0), off, amount(first[freight_at], title(freight_at)),
            0 if unpaid else max(total - due, 0), refunded, lines,
            person if claims or name or phones or mail else None, plain(first[location_at]),
            plain(first[source_at])[:30], plain(first[employee_at])[:40], None, note or None,
            "brushing" if note and BRUSHING.search(note) else "", options.stated_at,
            amount(first[tax_at], title(tax_at)),
            paid_with(plain(first[tender_at]), 0 if unpaid else max(total - due, 0)),
        )  # fmt: skip

    return Grouped(start, finish)


def customer_rows(reading: Reading) -> RowReader:
    at, title = reading.columns.at, reading.columns.title
    id_at, first_at, last_at, email_at = at("Customer ID"), at("First Name"), at("Last Name"), at("Email")
    phone_at, home_phone_at = at("Phone"), at("Default Address Phone")
    mail_yes_at, sms_yes_at = at("Accepts Email Marketing", "Accepts Marketing"), at("Accepts SMS Marketing")
    province_at, city_at = at("Province", "Default Address Province Code"), at("City", "Default Address City")
    street_at = at("Address1", "Default Address Address1")
    zip_at, country_at = at("Zip", "Default Address Zip"), at("Country Code", "Default Address Country Code", "Country")
    tags_at, note_at = at("Tags"), at("Note")

    def row_to_person(row: list[str]) -> Person:
        mail, customer = email(row[email_at]), plain(row[id_at])
        number = own_country(row[phone_at], row[country_at], "member") or own_country(
            row[home_phone_at], row[country_at], "member"
        )
        claims: list[Claim] = []
        if customer:
            claims.append(
                Claim(IdentityKind.PLATFORM_ID, number_id(customer, title(id_at), digits=False), reading.platform)
            )
        if mail:
            claims.append(Claim(IdentityKind.EMAIL, mail))
        if not claims and number is not None and is_mobile(number):
            claims.append(Claim(IdentityKind.PHONE, number.number))
        if not claims:
            raise RowError("nobody", title(email_at), row[email_at])
        name = " ".join(part for part in (plain(row[first_at]), plain(row[last_at])) if part)
        consents = tuple(
            (channel, "promotion", word in ("yes", "true"))
            for channel, place in (("email", mail_yes_at), ("sms", sms_yes_at))
            if (word := plain(row[place]).lower()) in ("yes", "no", "true", "false")
        )
        tags = plain(row[tags_at])
        return Person(
            tuple(claims), name, "", (number,) if number else (), mail,
            placed(row[province_at], row[city_at], "", row[street_at], postcode=row[zip_at]),
            attributes=(("tags", tags),) if tags else (), consents=consents, note=plain(row[note_at]),
        )  # fmt: skip

    return row_to_person


LAYOUTS = (
    Layout(
        "shopify.orders", "shopify", "Shopify orders", "Shopify 订单", ("Name", "Financial Status", "Total", "Created at"),
        ORDER_HEADERS, grouped=order_rows,
    ),
    Layout(
        "shopify.customers", "shopify", "Shopify customers", "Shopify 客户", ("First Name", "Last Name", "Email", "Total Spent"),
        CUSTOMER_HEADERS, rows=customer_rows, what="customers",
    ),
)  # fmt: skip
