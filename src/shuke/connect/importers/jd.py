"""JD: one row per product, the order's own figures repeated on each. The ordering account is the identity."""

from __future__ import annotations

import re

from shuke.connect.importers.cells import BRUSHING, RowError, address, name_address, number_id, phone, plain, quantity
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Layout, Reading, known
from shuke.engine.facts import Claim, IdentityKind, Line, Order, OrderStatus, Person
from shuke.engine.tenders import paid_with

REALM = "jd"
HEADERS = known(
    """订单号,商品ID,商品名称,货号,订购数量,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,运费金额,服务费,订单状态,订单类型,下单帐号,下单账号,
    客户姓名,客户地址,联系电话,订单备注,商家备注,商家备注等级（等级1-5为由高到低）,发票类型,发票抬头,发票内容,增值税发票,付款确认时间,订单完成时间,
    订单来源,订单渠道,送装服务,仓库id,仓库名称,支付方式,配送方式,店铺名称"""
)
_CLOSED = "closed"
_STATUS: dict[str, OrderStatus | str] = {
    "等待付款": OrderStatus.UNPAID, "等待付款确认": OrderStatus.UNPAID, "未付款": OrderStatus.UNPAID, "新订单": OrderStatus.UNPAID,
    "等待出库": OrderStatus.PAID, "等待发货": OrderStatus.PAID, "已付款": OrderStatus.PAID, "等待打印": OrderStatus.PAID,
    "等待确认收货": OrderStatus.SHIPPED, "已出库": OrderStatus.SHIPPED, "正在配送": OrderStatus.SHIPPED,
    "等待收货": OrderStatus.SHIPPED, "已收货": OrderStatus.RECEIVED, "完成": OrderStatus.FINISHED, "已完成": OrderStatus.FINISHED,
    "取消": _CLOSED, "已取消": _CLOSED, "已关闭": _CLOSED, "删除": _CLOSED,
}  # fmt: skip
_PREFIX = re.compile(r"^[(（](删除|锁定|暂停|取消)[)）]")


def _status(text: str, column: str) -> OrderStatus | str:
    bare = plain(text).replace(" ", "")
    found = _PREFIX.match(bare)
    rest = bare[found.end() :] if found else bare
    if found and found.group(1) in ("删除", "取消"):
        return _CLOSED
    status = _STATUS.get(rest)
    if status is None:
        raise RowError("unknown_status" if bare else "status_missing", column, text)
    return status


def order_rows(reading: Reading) -> Grouped:
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at, status_at = reading.need(at("订单号")), reading.need(at("订单状态"))
    code_at, name_at, sku_at = at("货号"), at("商品名称"), at("商品ID")
    quantity_at, price_at = reading.need(at("订购数量")), reading.need(at("京东价"))
    created_at_, paid_time_at, finished_at_ = reading.need(at("下单时间")), at("付款确认时间"), at("订单完成时间")
    settled_at, due_at, balance_at = at("结算金额"), at("应付金额"), at("余额支付")
    freight_at, account_at, customer_at = at("运费金额"), at("下单帐号", "下单账号"), at("客户姓名")
    address_at, phone_at, buyer_note_at, note_at = at("客户地址"), at("联系电话"), at("订单备注"), at("商家备注")
    channel_at, tender_at = at("订单渠道", "订单来源"), at("支付方式")

    def start(row: list[str]) -> str:
        return number_id(row[number_at], title(number_at))

    def line(row: list[str]) -> Line:
        count = quantity(row[quantity_at], title(quantity_at))
        price = amount(row[price_at], title(price_at))
        sku = plain(row[sku_at])
        gross = ((price or 0) * count + 500) // 1000
        return Line(plain(row[name_at]), count, gross, plain(row[code_at]) or sku, sku, price_minor=price)

    def finish(group: Group) -> Order:
        lines = tuple(line(row) for row in group.each())
        group.current = 0
        first = group.rows[0]
        status = _status(first[status_at], title(status_at))
        paid_at = moment(first[paid_time_at], title(paid_time_at))
        finished_at = moment(first[finished_at_], title(finished_at_))
        paid = amount(first[settled_at], title(settled_at))
        balance = amount(first[balance_at], title(balance_at))  # the buyer's balance at JD paid part of it
        if paid is None:
            due = amount(first[due_at], title(due_at))
            paid = None if due is None and balance is None else (due or 0) + (balance or 0)
        if status is _CLOSED:
            status = OrderStatus.CLOSED_REFUNDED if paid_at is not None else OrderStatus.CLOSED_UNPAID
        freight = amount(first[freight_at], title(freight_at))
        goods = sum(made.amount_minor for made in lines)
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        discount = max(goods + (freight or 0) - paid, 0) if paid is not None else None
        note = plain(first[note_at])
        excluded = "brushing" if note and BRUSHING.search(note) else ""
        if excluded:
            reading.notes.odd("brushing", title(note_at))
        account, name = plain(first[account_at]), plain(first[customer_at])
        where, number = address(first[address_at]), phone(first[phone_at])
        if account and "*" not in account:
            claims: tuple[Claim, ...] = (Claim(IdentityKind.NICKNAME, account, REALM),)
        else:
            hint = name_address(name, where)
            claims = (Claim(IdentityKind.NAME_ADDRESS, hint),) if hint else ()
        person = Person(claims, name, account, (number,) if number else (), "", where)
        assert not isinstance(status, str)
        return Order(
            reading.platform, options.shop, group.number, status, moment(first[created_at_], title(created_at_)), paid_at,
            finished_at=None if unpaid else finished_at, currency=options.currency, goods_minor=goods,
            discount_minor=discount, freight_minor=freight, paid_minor=0 if unpaid else paid,
            refunded_minor=paid if status is OrderStatus.CLOSED_REFUNDED else None, lines=lines,
            person=person if claims or name or number or account or where else None, channel=plain(first[channel_at])[:30],
            buyer_note=plain(first[buyer_note_at]) or None, seller_note=note or None, excluded=excluded,
            stated_at=options.stated_at, tenders=None if unpaid else paid_with(plain(first[tender_at]), paid, balance or 0),
        )  # fmt: skip

    return Grouped(start, finish)


LAYOUTS = (
    Layout(
        "jd.orders",
        "jd",
        "JD orders",
        "京东订单",
        ("订单号", "京东价", "订购数量", "订单状态"),
        HEADERS,
        grouped=order_rows,
    ),
)
