"""Pinduoduo: one product per order and no buyer at all, so these orders feed the statistics of goods only."""

from __future__ import annotations

from shuke.connect.importers.cells import BRUSHING, RowError, number_id, plain, quantity
from shuke.connect.importers.layouts import Layout, Reading, RowReader, known
from shuke.engine.facts import Line, Order, OrderStatus

HEADERS = known(
    """商品,订单号,订单状态,商品总价(元),邮费(元),店铺优惠折扣(元),平台优惠折扣(元),多多支付立减金额(元),用户实付金额(元),商家实收金额(元),商品数量(件),
    发货时间,确认收货时间,商品id,商品规格,样式ID,商家编码-规格维度,商家编码-商品维度,商家备注,售后状态,快递单号,快递公司,订单成交时间,是否分期,分期期数,
    手续费承担方,分期方式,团id,支付时间,用户购买手机号,是否无痕发货,是否审核中,承诺发货时间,是否抽奖或0元试用,店铺名称"""
)


def _status(text: str, after_sale: str, column: str) -> tuple[OrderStatus, bool]:
    """The status, and whether the buyer got the money back."""
    bare = plain(text).replace("，", ",").replace(" ", "")
    refunded = "退款成功" in bare or after_sale in ("退款成功", "已全额退款", "退货退款成功")
    if not bare:
        raise RowError("status_missing", column, text)
    if refunded:
        return OrderStatus.CLOSED_REFUNDED, True
    for word, status in (
        ("已取消", OrderStatus.CLOSED_UNPAID), ("待支付", OrderStatus.UNPAID), ("待付款", OrderStatus.UNPAID),
        ("待成团", OrderStatus.PAID), ("待发货", OrderStatus.PAID), ("未发货", OrderStatus.PAID), ("部分发货", OrderStatus.PART_SHIPPED),
        ("已收货", OrderStatus.FINISHED), ("已完成", OrderStatus.FINISHED), ("交易成功", OrderStatus.FINISHED),
        ("已评价", OrderStatus.FINISHED), ("待收货", OrderStatus.SHIPPED), ("待签收", OrderStatus.SHIPPED),
        ("已签收", OrderStatus.RECEIVED), ("已发货", OrderStatus.SHIPPED),
    ):  # fmt: skip
        if word in bare:
            return status, False
    raise RowError("unknown_status", column, text)


def order_rows(reading: Reading) -> RowReader:
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at, status_at = reading.need(at("订单号")), reading.need(at("订单状态"))
    goods_at, freight_at = at("商品总价(元)", "商品总价"), at("邮费(元)", "邮费")
    off_at = [
        at("店铺优惠折扣(元)", "店铺优惠折扣"),
        at("平台优惠折扣(元)", "平台优惠折扣"),
        at("多多支付立减金额(元)"),
    ]
    paid_at_, quantity_at = reading.need(at("用户实付金额(元)", "用户实付金额")), at("商品数量(件)", "商品数量")
    shipped_at_, finished_at_ = at("发货时间"), at("确认收货时间")
    done_at, pay_time_at = at("订单成交时间"), at("支付时间")
    title_at, product_at, spec_at = at("商品"), at("商品id"), at("商品规格")
    sku_at, code_at, style_at = at("商家编码-规格维度"), at("商家编码-商品维度"), at("样式ID")
    note_at, after_sale_at, phone_at = at("商家备注"), at("售后状态"), at("用户购买手机号")
    if phone_at < columns.width:
        reading.sensitive.add(phone_at)  # a virtual number of one parcel: nobody's identity

    def row_to_order(row: list[str]) -> Order:
        number = number_id(row[number_at], title(number_at))
        status, refunded = _status(row[status_at], plain(row[after_sale_at]), title(status_at))
        paid = amount(row[paid_at_], title(paid_at_))
        goods, freight = amount(row[goods_at], title(goods_at)), amount(row[freight_at], title(freight_at))
        discount = sum(amount(row[place], title(place)) or 0 for place in off_at)
        created_at = moment(row[done_at], title(done_at))
        paid_at = moment(row[pay_time_at], title(pay_time_at))
        if status is OrderStatus.CLOSED_UNPAID and paid_at is not None:
            status, refunded = OrderStatus.CLOSED_REFUNDED, True  # cancelled after payment
        unpaid = status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        if paid_at is None and not unpaid:
            paid_at = created_at  # 成交 is the moment of payment
        if unpaid:
            paid_at, paid = None, 0
        count = quantity(row[quantity_at], title(quantity_at))
        cost = (goods or 0) - discount if unpaid else (paid or 0) - (freight or 0)
        line = Line(
            plain(row[title_at]), count, max(cost, 0), plain(row[code_at]) or plain(row[product_at]),
            plain(row[sku_at]) or plain(row[style_at]), plain(row[spec_at]),
            price_minor=goods * 1000 // count if goods is not None and count else None, discount_minor=discount,
        )  # fmt: skip
        note = plain(row[note_at])
        excluded = "brushing" if note and BRUSHING.search(note) else ""
        if excluded:
            reading.notes.odd("brushing", title(note_at))
        return Order(
            reading.platform, options.shop, number, status, created_at, paid_at, moment(row[shipped_at_], title(shipped_at_)),
            moment(row[finished_at_], title(finished_at_)), currency=options.currency, goods_minor=goods,
            discount_minor=discount, freight_minor=freight, paid_minor=paid, refunded_minor=paid if refunded else None,
            lines=(line,), person=None, seller_note=note or None, excluded=excluded, stated_at=options.stated_at,
        )  # fmt: skip

    return row_to_order


LAYOUTS = (
    Layout(
        "pinduoduo.orders", "pinduoduo", "Pinduoduo orders (goods only)", "拼多多订单（仅商品统计）",
        ("订单号", "订单状态"), HEADERS, rows=order_rows,
        any_of=(("用户实付金额(元)", "用户实付金额"), ("商品总价(元)", "商品总价"), ("商家编码-规格维度", "样式ID", "商品id")),
    ),
)  # fmt: skip
