"""Douyin shop: one row per sub-order, brought together by the main number. There is no account column.

So a whole phone number is who somebody is (unverified); masked and virtual ones (`18400913965-7576`) are nobody.
"""

from __future__ import annotations

from shuke.connect.importers.cells import (
    BRUSHING,
    RowError,
    is_mobile,
    name_address,
    number_id,
    phone,
    placed,
    plain,
    quantity,
)
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Layout, Reading, known
from shuke.engine.facts import Claim, IdentityKind, Line, Order, OrderStatus, Person
from shuke.engine.tenders import paid_with, within

HEADERS = known(
    """主订单编号,子订单编号,选购商品,商品规格,商品数量,商品ID,商家编码,商品单价,订单应付金额,运费,优惠总金额,平台优惠,商家优惠,达人优惠,商家改价,
    支付优惠,红包抵扣,支付方式,手续费,收件人,收件人手机号,省,市,区,街道,详细地址,是否修改过地址,买家留言,订单提交时间,旗帜颜色,商家备注,订单完成时间,
    支付完成时间,APP渠道,流量来源,订单状态,承诺发货时间,订单类型,鲁班落地页ID,达人ID,达人昵称,所属门店ID,售后状态,取消原因,预约发货时间,仓库ID,仓库名称,
    是否安心购,广告渠道,流量类型,流量体裁,流量渠道,发货主体,发货主体明细,发货时间,降价类优惠,平台实际承担优惠金额,商家实际承担优惠金额,
    达人实际承担优惠金额,预计送达时间,是否平台仓自流转,车型,店铺名称,税费,商品单价是否含税"""
)
CLOSED = OrderStatus.CLOSED_REFUNDED
_STATUS = {
    "待支付": OrderStatus.UNPAID, "待付款": OrderStatus.UNPAID, "未支付": OrderStatus.UNPAID, "待确认": OrderStatus.UNPAID,
    "待发货": OrderStatus.PAID, "备货中": OrderStatus.PAID, "已支付": OrderStatus.PAID, "部分发货": OrderStatus.PART_SHIPPED,
    "已发货": OrderStatus.SHIPPED, "待收货": OrderStatus.SHIPPED, "已签收": OrderStatus.RECEIVED, "已收货": OrderStatus.RECEIVED,
    "已完成": OrderStatus.FINISHED, "交易完成": OrderStatus.FINISHED, "已关闭": CLOSED, "已取消": CLOSED, "取消": CLOSED,
}  # fmt: skip
_GIVEN_BACK = ("退款成功", "已全额退款", "已退款")


def order_rows(reading: Reading) -> Grouped:
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at, sub_at = reading.need(at("主订单编号")), at("子订单编号")
    product_at, spec_at, quantity_at = at("选购商品"), at("商品规格"), at("商品数量")
    id_at, code_at, price_at = at("商品ID"), at("商家编码"), at("商品单价")
    due_at, freight_at = reading.need(at("订单应付金额")), at("运费")
    off_at, changed_at, tax_at = at("优惠总金额"), at("商家改价"), at("税费")
    offers_at = at("平台优惠"), at("商家优惠"), at("达人优惠")
    platform_at = at("支付优惠"), at("红包抵扣")
    name_at, phone_at = at("收件人"), at("收件人手机号")
    places = at("省"), at("市"), at("区"), at("详细地址"), at("街道")
    message_at, note_at, created_at_ = at("买家留言"), at("商家备注"), reading.need(at("订单提交时间"))
    finished_at_, paid_time_at, shipped_at_ = at("订单完成时间"), at("支付完成时间"), at("发货时间")
    status_at, after_sale_at, reason_at = reading.need(at("订单状态")), at("售后状态"), at("取消原因")
    tender_at = at("支付方式")
    source_at, store_at, person_at = at("流量来源", "APP渠道"), at("所属门店ID"), at("达人昵称")

    def start(row: list[str]) -> str:
        return number_id(row[number_at], title(number_at))

    def part(row: list[str]) -> tuple[OrderStatus, Line, int, int]:
        """Status, line, amount due and freight of one sub-order."""
        bare = plain(row[status_at])
        status = _STATUS.get(bare)
        if status is None:
            raise RowError("unknown_status" if bare else "status_missing", title(status_at), row[status_at])
        paid = plain(row[paid_time_at]) != ""
        back = any(word in row[after_sale_at] for word in _GIVEN_BACK)
        if status is CLOSED and not paid and not back:
            status = OrderStatus.CLOSED_UNPAID
        due = amount(row[due_at], title(due_at))
        if due is None:
            raise RowError("amount_missing", title(due_at))
        freight = amount(row[freight_at], title(freight_at)) or 0
        off = amount(row[off_at], title(off_at)) or 0
        cost = max(due - freight, 0)
        line = Line(
            plain(row[product_at]), quantity(row[quantity_at], title(quantity_at)), cost,
            plain(row[code_at]) or plain(row[id_at]), plain(row[id_at]), plain(row[spec_at]),
            price_minor=amount(row[price_at], title(price_at)), discount_minor=off,
            sub_number=number_id(row[sub_at], title(sub_at)) if plain(row[sub_at]) else "",
            refunded_minor=cost if back or status is CLOSED else 0,
        )  # fmt: skip
        return status, line, due, freight

    def platform_money(row: list[str]) -> int:
        """Of red packets and the pay channel's offers what stands within the amount due, as the row's own sums prove. What
        the shop changed by hand leaves no sum to prove it by."""
        told, aside = sum(amount.aside(row[place]) for place in platform_at), amount.aside
        if not told or plain(row[changed_at]).strip("0."):
            return 0
        offers = sum(aside(row[place]) for place in offers_at) or aside(row[off_at])
        gross = aside(row[price_at]) * quantity(row[quantity_at], title(quantity_at)) // 1000
        return within(aside(row[due_at]), gross + aside(row[freight_at]) - offers, told)

    def finish(group: Group) -> Order:
        parts = [part(row) for row in group.each()]
        group.current = 0
        first = group.rows[0]
        # A sub-order that was never paid is no part of the purchase, unless none was.
        live = [one for one in parts if one[0] is not OrderStatus.CLOSED_UNPAID] or parts
        open_parts = [one for one in live if one[0] not in (CLOSED, OrderStatus.CLOSED_UNPAID)] or live
        status = min(one[0] for one in open_parts)
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        paid_at = next((t for row in group.rows if (t := moment(row[paid_time_at], title(paid_time_at)))), None)
        paid = sum(one[2] for one in live)
        were_paid = [row for row, one in zip(group.rows, parts, strict=True) if one in live]
        refunded = sum(one[2] if one[0] is CLOSED else one[1].refunded_minor for one in live)
        if status is not CLOSED and refunded >= paid > 0 and all(one[1].refunded_minor for one in live):
            status = CLOSED
        name = plain(first[name_at])
        number = phone(first[phone_at])
        where = placed(*(first[place] for place in places))
        hint = name_address(name, where)
        if number is not None and is_mobile(number):
            claims: tuple[Claim, ...] = (Claim(IdentityKind.PHONE, number.number),)
        else:
            claims = (Claim(IdentityKind.NAME_ADDRESS, hint),) if hint else ()
        note = plain(first[note_at])
        excluded = "brushing" if note and BRUSHING.search(note) else ""
        if excluded:
            reading.notes.odd("brushing", title(note_at))
        person = Person(claims, name, "", (number,) if number else (), "", where) if name or number or where else None
        return Order(
            reading.platform, options.shop, group.number, status, moment(first[created_at_], title(created_at_)), paid_at,
            moment(first[shipped_at_], title(shipped_at_)), moment(first[finished_at_], title(finished_at_)),
            close_reason=plain(first[reason_at]) or None, currency=options.currency,
            goods_minor=sum(one[1].amount_minor + one[1].discount_minor for one in live),
            discount_minor=sum(one[1].discount_minor for one in live), freight_minor=sum(one[3] for one in live),
            paid_minor=0 if unpaid else paid, refunded_minor=0 if unpaid else refunded, lines=tuple(one[1] for one in live),
            person=person, store_code=plain(first[store_at]), channel=(plain(first[source_at]) or plain(first[person_at]))[:30],
            buyer_note=plain(first[message_at]) or None, seller_note=note or None, excluded=excluded,
            stated_at=options.stated_at,
            tax_minor=sum(amount.aside(row[tax_at]) for row in were_paid) if tax_at < columns.width and not unpaid else None,
            tenders=paid_with(plain(first[tender_at]), 0 if unpaid else paid, sum(map(platform_money, were_paid))),
        )  # fmt: skip

    return Grouped(start, finish)


LAYOUTS = (
    Layout(
        "douyin.orders", "douyin", "Douyin shop orders", "抖店订单",
        ("主订单编号", "子订单编号", "订单应付金额", "订单状态"), HEADERS, grouped=order_rows,
    ),
)  # fmt: skip
