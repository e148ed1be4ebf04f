"""Plain files: any CSV or sheet with a mapping of its columns, saved by a person or guessed from the header.

Without an account column a phone number is who somebody is (unverified). A file without order numbers gets some made
(unnumbered.py), so that the same file sent twice still changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shuke.connect.importers import mapping as mappings
from shuke.connect.importers.cells import (
    BRUSHING,
    Moments,
    RowError,
    address,
    email,
    is_mobile,
    name_address,
    number_id,
    phone,
    plain,
    quantity,
    same_currency,
)
from shuke.connect.importers.currencies import currency_of
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Fact, Layout, Options, Reading, RowReader
from shuke.connect.importers.mapping import BadMapping, Guess, checked, guess_mapping
from shuke.connect.importers.plain_refunds import refunds_together
from shuke.connect.importers.reading import read_table
from shuke.connect.importers.unnumbered import Unnumbered, notice
from shuke.engine.facts import (
    Address,
    Birthday,
    Claim,
    IdentityKind,
    Line,
    Order,
    OrderStatus,
    Person,
    Problem,
    Product,
)
from shuke.engine.tenders import money_of, paid_with
from shuke.kit.tabular import Table
from shuke.kit.tabular.header import SEARCHED_ROWS, guess_row, normal

TRUSTED = 0.8  # a guess at least this sure is read without asking
_STATUS = {
    OrderStatus.UNPAID: "unpaid,pending,pending payment,awaiting payment,on-hold,待付款,未付款,待支付,未支付,等待付款,等待买家付款",
    OrderStatus.PAID: "paid,processing,authorized,已付款,待发货,已支付,未发货,备货中,等待发货,买家已付款等待卖家发货",
    OrderStatus.PART_SHIPPED: "partially shipped,partial,partially fulfilled,部分发货",
    OrderStatus.SHIPPED: "shipped,fulfilled,in transit,已发货,待收货,运输中,卖家已发货等待买家确认",
    OrderStatus.RECEIVED: "received,delivered,已签收,已收货",
    OrderStatus.FINISHED: "finished,completed,complete,done,closed paid,sale,success,交易成功,已完成,完成,成功,已结,已结账,已收款,交易完成,正常,销售",
    OrderStatus.CLOSED_UNPAID: "cancelled,canceled,failed,void,voided,expired,已取消,取消,作废,已作废",
    OrderStatus.CLOSED_REFUNDED: "refunded,returned,closed,已退款,退款成功,已退货,退货,全部退款,交易关闭,已关闭",
}
STATUS_WORDS = {normal(word): status for status, words in _STATUS.items() for word in words.split(",")}
_GENDER = {
    "女": "f",
    "female": "f",
    "f": "f",
    "woman": "f",
    "女士": "f",
    "男": "m",
    "male": "m",
    "m": "m",
    "man": "m",
    "先生": "m",
}
YES_NO = {
    "是": True, "同意": True, "yes": True, "y": True, "true": True, "1": True,
    "否": False, "不同意": False, "拒绝": False, "no": False, "n": False, "false": False, "0": False,
}  # fmt: skip
_WHOLE_ORDER = ("订单", "实付", "实收", "应付", "total", "合计", "总")
_LUNAR = re.compile(r"农历|阴历|lunar", re.I)
_MONTH_DAY = re.compile(r"^(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?$")


class _Places:
    """Column places by field, bound to one file. A field without column is behind the last one, where cells are empty."""

    def __init__(self, reading: Reading, of: dict[str, int]) -> None:
        self.reading, self.of = reading, of

    def __getitem__(self, field: str) -> int:
        return self.of.get(field, self.reading.columns.width)

    def has(self, field: str) -> bool:
        return field in self.of


def _places(reading: Reading, mapping: Mapping[str, Any]) -> _Places:
    return _Places(reading, {field: _place(reading, field, column) for field, column in mapping["columns"].items()})


def _place(reading: Reading, field: str, column: Any) -> int:
    """Where the column is that the mapping names for this field, by header or 0-based place."""
    if isinstance(column, int) or (isinstance(column, str) and column.isdecimal() and not reading.columns.has(column)):
        place = int(column)
    else:
        place = reading.columns.at(str(column))
    if 0 <= place < reading.columns.width:
        return place
    raise BadMapping("mapping_column", field=field, column=str(column))


class _People:
    """The person columns of a plain file."""

    def __init__(self, places: _Places, platform: str, defaults: Mapping[str, Any]) -> None:
        self.places, self.platform, self.verified = places, platform, bool(defaults.get("phone_verified"))
        # platform whose account names the file states, "" = its own
        self.accounts_of = str(defaults.get("nickname_platform") or "")

    def parts(self, row: list[str]) -> tuple[tuple[Claim, ...], str, str, tuple, str, Address | None]:
        at, reading = self.places, self.places.reading
        claims: list[Claim] = []
        for field, kind in (("customer_id", IdentityKind.PLATFORM_ID), ("card", IdentityKind.CARD)):
            text = plain(row[at[field]])
            if text and "*" not in text:
                said = number_id(text, reading.columns.title(at[field]), digits=False)
                claims.append(Claim(kind, said, self.platform if kind is IdentityKind.PLATFORM_ID else ""))
        nick = plain(row[at["nickname"]])
        if nick and "*" not in nick and (self.accounts_of or not claims):
            claims.append(Claim(IdentityKind.NICKNAME, nick, self.accounts_of or self.platform))
        number = phone(row[at["phone"]], "buyer")
        if number is None and plain(row[at["phone"]]):
            reading.notes.odd("phone_unclear", reading.columns.title(at["phone"]), plain(row[at["phone"]]))
        if number is not None and is_mobile(number) and (self.verified or not claims):
            claims.append(Claim(IdentityKind.PHONE, number.number, "", self.verified))
        mail = email(row[at["email"]])
        if mail:
            claims.append(Claim(IdentityKind.EMAIL, mail))
        name = plain(row[at["name"]])
        where = address(row[at["address"]])
        levels = [plain(row[at[field]]) for field in ("province", "city", "district")]
        if any(levels):
            detail = where.text if where is not None else ""
            where = Address(detail, levels[0], levels[1], levels[2])
        if not claims:
            hint = name_address(name, where)
            if hint:
                claims.append(Claim(IdentityKind.NAME_ADDRESS, hint))
        return tuple(claims), name, nick, (number,) if number is not None else (), mail, where

    def person(self, row: list[str]) -> Person | None:
        claims, name, nick, phones, mail, where = self.parts(row)
        if not (claims or name or nick or phones or mail or where):
            return None
        return Person(claims, name, nick, phones, mail, where)


def _status(text: str, words: Mapping[str, OrderStatus], column: str) -> OrderStatus:
    bare = normal(plain(text)).replace(",", "")
    status = words.get(bare)
    if status is None:
        raise RowError("unknown_status" if bare else "status_missing", column, text)
    return status


def _words(mapping: Mapping[str, Any]) -> dict[str, OrderStatus]:
    words = dict(STATUS_WORDS)
    for word, name in (mapping.get("status_words") or {}).items():
        try:
            words[normal(word).replace(",", "")] = OrderStatus[str(name).upper()]
        except KeyError:
            raise BadMapping("mapping_status", word=str(word), status=str(name)) from None
    return words


def _order_grouped(reading: Reading) -> Grouped:
    mapping = reading.options.mapping or {}
    at = _places(reading, mapping)
    defaults = mapping.get("defaults") or {}
    platform = reading.platform
    people = _People(at, platform, defaults)
    title = reading.columns.title
    moment = Moments(
        reading.options.zone, reading.notes, tuple(mapping.get("date_formats") or ()), latest=reading.options.latest
    )
    scale = mapping.get("money_unit", "major") in ("minor", "fen")
    words = _words(mapping)
    fallback = OrderStatus[str(defaults.get("status", "finished")).upper()]
    currency = reading.options.currency
    number_place = at["number"]
    has_lines = any(at.has(field) for field in ("title", "product_code", "line_amount"))
    last: list[str] = [""]
    unnumbered = None
    if not at.has("number"):
        unnumbered = Unnumbered(reading, at, mapping)
        reading.makes_numbers = True
        notice(reading, mapping)

    def money(row: list[str], field: str) -> int | None:
        place = at[field]
        value = reading.amount(row[place], title(place))
        if value is None or not scale:
            return value
        if value % 100:
            raise RowError("bad_money", title(place), row[place])
        return value // 100

    def start(row: list[str]) -> str:
        if unnumbered is None:
            text = plain(row[number_place])
            # sheets made by hand leave the number out on an order's further lines
            last[0] = number_id(text, title(number_place)) if text or not (has_lines and last[0]) else last[0]
            return last[0]
        return unnumbered.number(row)

    def line(row: list[str]) -> Line | None:
        name, code = plain(row[at["title"]]), plain(row[at["product_code"]])
        amount, price = money(row, "line_amount"), money(row, "price")
        if not (name or code or amount is not None):
            return None
        count = quantity(row[at["quantity"]], title(at["quantity"]))
        if amount is None and price is not None:
            amount = (price * count + 500) // 1000
        if amount is None and at.has("paid") and not at.has("line_amount"):
            amount = money(row, "paid")
        gross = (price * count + 500) // 1000 if price is not None else None
        return Line(
            name, count, amount or 0, code, "", plain(row[at["spec"]]), plain(row[at["category"]]),
            plain(row[at["brand"]]), price, max(gross - (amount or 0), 0) if gross is not None else 0,
        )  # fmt: skip

    def repeats(amounts: list[int], first: list[str], lines: list[Line]) -> bool:
        """Whether a column of amounts states the whole order on each of its rows, rather than each row's own share."""
        if len(set(amounts)) > 1:
            return False
        if at.has("price"):
            due = (
                sum(made.amount_minor for made in lines)
                - (money(first, "discount") or 0)
                + (money(first, "freight") or 0)
            )
            return abs(due - amounts[0]) <= abs(due - sum(amounts))
        return any(word in normal(title(at["paid"])) for word in _WHOLE_ORDER)

    def finish(group: Group) -> Order:
        first = group.rows[0]
        lines = [made for row in group.each() if (made := line(row)) is not None] if has_lines else []
        group.current = 0
        created_at = moment(first[at["created_at"]], title(at["created_at"]))
        paid_at = moment(first[at["paid_at"]], title(at["paid_at"]))
        same_currency(first[at["currency"]], title(at["currency"]), currency)
        if created_at is None and paid_at is None:
            column = title(at["created_at"] if at.has("created_at") else at["paid_at"])
            raise RowError("date_missing", column)
        said = [_status(row[at["status"]], words, title(at["status"])) for row in group.each() if at.has("status")]
        refunded_at = moment(first[at["refunded_at"]], title(at["refunded_at"]))
        if refunded_at is not None and refunded_at < (created_at or paid_at or refunded_at):
            reading.notes.odd("refund_before_order", title(at["refunded_at"]), first[at["refunded_at"]])
            refunded_at = None
        status = min(said) if said else fallback
        group.current = 0
        paid = money(first, "paid")
        if at.has("line_amount") or not at.has("paid"):
            total = sum(made.amount_minor for made in lines)
            paid = paid if paid is not None and at.has("line_amount") else total + (money(first, "freight") or 0)
        elif has_lines and len(group.rows) > 1:
            amounts = [money(row, "paid") or 0 for row in group.each()]
            paid = amounts[0] if repeats(amounts, first, lines) else sum(amounts)
        group.current = 0
        if paid is None:
            raise RowError("amount_missing", title(at["paid"]))
        refunded = money(first, "refunded") if at.has("refunded") else None
        if status is OrderStatus.CLOSED_REFUNDED and refunded is None:
            refunded = paid
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        tenders = None if unpaid else paid_with(plain(first[at["tender"]]), paid)
        if tenders and (in_money := money_of(paid, tenders) or 0) < paid:
            paid, refunded = in_money, refunded and min(refunded, in_money)
        note = plain(first[at["seller_note"]])
        excluded = "brushing" if note and BRUSHING.search(note) else ""
        if excluded:
            reading.notes.odd("brushing", title(at["seller_note"]))
        if paid_at is None and not unpaid and not at.has("paid_at"):
            paid_at = created_at
        return Order(
            platform, reading.options.shop, group.number, status, created_at, paid_at, currency=currency,
            goods_minor=money(first, "goods"), discount_minor=money(first, "discount"),
            freight_minor=money(first, "freight"), paid_minor=paid, refunded_minor=refunded,
            lines=tuple(lines) if has_lines else None, person=people.person(first),
            store_code=plain(first[at["store"]]) or str(defaults.get("store", "")),
            channel=plain(first[at["channel"]])[:30], staff_code=plain(first[at["staff"]])[:40],
            buyer_note=plain(first[at["buyer_note"]]) or None, seller_note=note or None, excluded=excluded,
            stated_at=reading.options.stated_at, tax_minor=money(first, "tax"), tenders=tenders,
            refunded_at=refunded_at if refunded else None,
        )  # fmt: skip

    return Grouped(start, finish)


def birthday(text: str) -> Birthday | None:
    """`1990-05-04`, `5月4日`, `农历八月…` only in figures; None where it cannot be told."""
    bare = plain(text)
    lunar = bool(_LUNAR.search(bare))
    found = _MONTH_DAY.match(_LUNAR.sub("", bare).strip("():： （）"))
    if found is None:
        if re.fullmatch(r"\d{8}", bare):
            year, month, day = int(bare[:4]), int(bare[4:6]), int(bare[6:])
        else:
            return None
    else:
        year, month, day = int(found.group(1) or 0), int(found.group(2)), int(found.group(3))
    if not (1 <= month <= 12 and 1 <= day <= 31) or (year == 1970 and month == day == 1):
        return None
    return Birthday(0 if year and (year < 1900 or year > 2100) else year, month, day, lunar)


def gender(text: str) -> str:
    return _GENDER.get(plain(text).lower(), "")


def points(text: str, column: str) -> int | None:
    """A points balance: whole, not negative. Raises RowError: bad_points."""
    bare = plain(text).replace(",", "")
    if not bare:
        return None
    try:
        value = float(bare)
    except ValueError:
        raise RowError("bad_points", column, text) from None
    if not 0 <= value < 1e12:
        raise RowError("bad_points", column, text)
    return int(value)


def _customer_rows(reading: Reading) -> RowReader:
    mapping = reading.options.mapping or {}
    at = _places(reading, mapping)
    defaults = mapping.get("defaults") or {}
    people = _People(at, reading.platform, defaults)
    title = reading.columns.title
    moment = Moments(
        reading.options.zone, reading.notes, tuple(mapping.get("date_formats") or ()), latest=reading.options.latest
    )
    own = [(str(key), _place(reading, str(key), column)) for key, column in (mapping.get("attributes") or {}).items()]
    asked = [
        (*str(what).partition(":")[::2], _place(reading, str(what), column))
        for what, column in (mapping.get("consents") or {}).items()
    ]

    def row_to_person(row: list[str]) -> Person:
        claims, name, nick, phones, mail, where = people.parts(row)
        if not claims:
            raise RowError("nobody")
        born = birthday(row[at["birthday"]])
        if born is None and plain(row[at["birthday"]]):
            reading.notes.odd("birthday_unclear", title(at["birthday"]), plain(row[at["birthday"]]))
        attributes = tuple((key, text) for key in ("level", "tags") if (text := plain(row[at[key]])))
        attributes += tuple((key, text) for key, place in own if (text := plain(row[place])))
        consents = tuple(
            (channel, purpose, answer)
            for channel, purpose, place in asked
            if (answer := YES_NO.get(plain(row[place]).lower())) is not None
        )
        return Person(
            claims, name, nick, phones, mail, where, gender(row[at["gender"]]), born, attributes, consents,
            moment(row[at["joined_at"]], title(at["joined_at"])),
            plain(row[at["store"]]) or str(defaults.get("store", "")), plain(row[at["source"]]),
            plain(row[at["note"]]), points(row[at["points"]], title(at["points"])),
            points(row[at["growth"]], title(at["growth"])), reading.platform, plain(row[at["brought_by"]])[:30],
        )  # fmt: skip

    return row_to_person


def _product_rows(reading: Reading) -> RowReader:
    at = _places(reading, reading.options.mapping or {})
    title = reading.columns.title

    def row_to_product(row: list[str]) -> Product:
        code = number_id(row[at["code"]], title(at["code"]), digits=False)
        return Product(
            code, plain(row[at["title"]]), plain(row[at["category"]]), plain(row[at["brand"]]), plain(row[at["unit"]])
        )

    return row_to_product


def _refund_grouped(reading: Reading) -> Grouped:
    return refunds_together(reading, _places(reading, reading.options.mapping or {}))


LAYOUTS = (
    Layout("plain.orders", "pos", "Plain table of orders", "普通订单表", (), frozenset(), grouped=_order_grouped),
    Layout("plain.customers", "pos", "Plain table of customers", "普通客户表", (), frozenset(), rows=_customer_rows, what="customers"),
    Layout("plain.products", "pos", "Plain table of products", "普通商品表", (), frozenset(), rows=_product_rows, what="products"),
    Layout("plain.refunds", "pos", "Plain table of refunds", "普通退款表", (), frozenset(), grouped=_refund_grouped, what="refunds"),
)  # fmt: skip
_BY_KIND = {layout.key.removeprefix("plain."): layout for layout in LAYOUTS}


def read(table: Table, options: Options, name: str) -> Iterator[Fact]:
    """A table by the mapping in the options. A mapping that does not fit is one file-level Problem."""
    assert options.mapping is not None
    try:
        mapping = checked(options.mapping)
        header_row = int(mapping.get("header_row") or 0) or guess_row(table.head(SEARCHED_ROWS)) + 1 or 1
        defaults = mapping.get("defaults") or {}
        if defaults.get("platform") and options.platform is None:
            options = options._replace(platform=str(defaults["platform"]))
        found = currency_of(str(defaults.get("currency") or ""), options.currency) or options.currency
        if found != options.currency:
            raise BadMapping("file_other_currency", found=found, expected=options.currency)
        if str(defaults.get("status", "finished")).upper() not in OrderStatus.__members__:
            raise BadMapping("mapping_status", word="", status=str(defaults.get("status")))
        yield from read_table(table, _BY_KIND[mapping.get("kind", "orders")], "", header_row, options, name)
    except BadMapping as error:
        yield Problem(error.code, 0, "", "", tuple(error.params.items()), True, name)


def guess(head: Sequence[Sequence[str]], header_row: int) -> Guess:
    """The guess for a table of which the first rows are known."""
    return guess_mapping(head[header_row - 1], head[header_row:])


def read_guessed(table: Table, options: Options, name: str) -> Iterator[Fact]:
    """A table nobody mapped: read if its header leaves no doubt, else refused with what the guess lacks."""
    head = table.head(SEARCHED_ROWS)
    header_row = guess_row(head) + 1
    if not header_row:
        yield Problem("no_header", 0, "", "", (), True, name)
        return
    found = guess(head, header_row)
    if found.confidence < TRUSTED:
        params = (
            ("missing", "; ".join(found.missing)),
            ("columns", ", ".join(c.strip() for c in head[header_row - 1][:12])),
        )
        yield Problem("layout_unknown", 0, "", "", params, True, name)
        return
    said = ", ".join(f"{field} ← {column.header}" for field, column in found.columns.items())
    yield Problem("mapping_guessed", 0, "", "", (("columns", said),), False, name)
    yield from read(table, options._replace(mapping=found.mapping(header_row)), name)


__all__ = ["LAYOUTS", "TRUSTED", "birthday", "gender", "guess", "mappings", "points", "read", "read_guessed"]
