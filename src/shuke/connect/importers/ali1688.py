"""1688: wholesale orders. Order cells stand only on the first row of an order; the buyer is a company's account."""

from __future__ import annotations

from shuke.connect.importers.cells import BRUSHING, address, name_address, number_id, phone, plain, quantity
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Layout, Reading, known
from shuke.connect.importers.taobao import closed, status_of
from shuke.engine.facts import Claim, IdentityKind, Line, Order, OrderStatus, Person

REALM = "1688"
HEADERS = known(
    """订单编号,买家公司名,买家会员名,卖家公司名,卖家会员名,货品总价(元),运费(元),涨价或折扣(元),实付款(元),订单状态,订单创建时间,订单付款时间,发货方,
    收货人姓名,收货地址,邮编,联系电话,联系手机,货品标题,单价(元),数量,单位,货号,型号,Offer ID,SKU ID,物料编号,单品货号,货品种类,买家留言,物流公司,运单号,
    发票：购货单位名称,发票抬头,关联编号,代理商姓名,代理商联系方式,订单备注,卖家备注"""
)


def order_rows(reading: Reading) -> Grouped:
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at, status_at = at("订单编号"), at("订单状态")
    goods_at, freight_at = at("货品总价(元)", "货品总价"), at("运费(元)", "运费")
    change_at, paid_at_ = at("涨价或折扣(元)", "涨价或折扣"), at("实付款(元)", "实付款")
    created_at_, paid_time_at = at("订单创建时间"), at("订单付款时间")
    account_at, company_at, name_at = at("买家会员名"), at("买家公司名"), at("收货人姓名")
    address_at, mobile_at, phone_at = at("收货地址"), at("联系手机"), at("联系电话")
    title_at, price_at, quantity_at = at("货品标题"), at("单价(元)", "单价"), at("数量")
    code_at, spec_at, sku_at = at("单品货号", "货号", "Offer ID"), at("型号"), at("SKU ID")
    message_at, note_at = at("买家留言"), at("卖家备注", "订单备注")

    def start(row: list[str]) -> str:
        return number_id(row[number_at], title(number_at)) if plain(row[number_at]) else ""

    def line(row: list[str]) -> Line | None:
        name = plain(row[title_at])
        if not name:
            return None
        count = quantity(row[quantity_at], title(quantity_at))
        price = amount(row[price_at], title(price_at))
        gross = ((price or 0) * count + 500) // 1000
        return Line(name, count, gross, plain(row[code_at]), plain(row[sku_at]), plain(row[spec_at]), price_minor=price)

    def finish(group: Group) -> Order:
        lines = tuple(made for row in group.each() if (made := line(row)) is not None)
        group.current = 0
        first = group.rows[0]
        status = status_of(first[status_at], reading, title(status_at))
        paid_at = moment(first[paid_time_at], title(paid_time_at))
        paid = amount(first[paid_at_], title(paid_at_))
        refunded = None
        if status is OrderStatus.CLOSED_REFUNDED:
            status = closed(paid_at, "", reading)
            refunded = paid if status is OrderStatus.CLOSED_REFUNDED else None
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        change = plain(first[change_at])
        discount = (
            amount(change.removeprefix("-"), title(change_at)) if change.startswith("-") else 0 if change else None
        )
        account, name, where = plain(first[account_at]), plain(first[name_at]), address(first[address_at])
        number = phone(first[mobile_at]) or phone(first[phone_at])
        if account and "*" not in account:
            claims: tuple[Claim, ...] = (Claim(IdentityKind.NICKNAME, account, REALM),)
        else:
            hint = name_address(name, where)
            claims = (Claim(IdentityKind.NAME_ADDRESS, hint),) if hint else ()
        company = plain(first[company_at])
        note = plain(first[note_at])
        person = Person(
            claims, name, account, (number,) if number else (), "", where,
            attributes=(("company", company),) if company else (),
        )  # fmt: skip
        excluded = "brushing" if note and BRUSHING.search(note) else ""
        if excluded:
            reading.notes.odd("brushing", title(note_at))
        return Order(
            reading.platform, options.shop, group.number, status, moment(first[created_at_], title(created_at_)), paid_at,
            currency=options.currency, goods_minor=amount(first[goods_at], title(goods_at)), discount_minor=discount,
            freight_minor=amount(first[freight_at], title(freight_at)), paid_minor=0 if unpaid else paid,
            refunded_minor=refunded, lines=lines, person=person if claims or name or account or number else None,
            buyer_note=plain(first[message_at]) or None, seller_note=note or None, excluded=excluded,
            stated_at=options.stated_at,
        )  # fmt: skip

    return Grouped(start, finish)


LAYOUTS = (
    Layout(
        "1688.orders", "1688", "1688 orders", "1688 订单", ("订单编号", "买家会员名", "卖家会员名", "订单状态", "货品标题"), HEADERS,
        grouped=order_rows,
    ),
)  # fmt: skip
