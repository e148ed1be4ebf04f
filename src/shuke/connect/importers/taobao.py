"""Taobao and Tmall: order reports of five generations, item reports, refund reports.

The order report has one row per order and joins its item titles with `，`, which titles themselves contain: lines come
only from the item report. The account name (买家会员名) is the identity; receiver phones on it are only contact data.
Alipay accounts in old files are dropped at reading.
"""

from __future__ import annotations

from datetime import datetime

from shuke.connect.importers.cells import (
    BRUSHING,
    Moments,
    RowError,
    address,
    name_address,
    number_id,
    phone,
    plain,
    quantity,
)
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Generation, Layout, Reading, RowReader, known
from shuke.connect.importers.taobao_paying import how_paid
from shuke.engine.facts import Claim, IdentityKind, Line, LineBack, Order, OrderStatus, Person, Phone, Refund

NICKNAME = IdentityKind.NICKNAME
NAME_ADDRESS = IdentityKind.NAME_ADDRESS
REALM = "taobao"  # one account works in both shops, so tmall shares the realm
FINISHED, CLOSED_UNPAID, CLOSED_REFUNDED = (
    OrderStatus.FINISHED,
    OrderStatus.CLOSED_UNPAID,
    OrderStatus.CLOSED_REFUNDED,
)

STATUS = {
    "等待买家付款": OrderStatus.UNPAID,
    "没有创建外部交易": OrderStatus.UNPAID,
    "没有创建支付宝交易": OrderStatus.UNPAID,
    "余额宝0元购合约中": OrderStatus.UNPAID,
    "外卡支付付款确认中": OrderStatus.UNPAID,
    "付款确认中": OrderStatus.UNPAID,
    "买家已付款,等待卖家发货": OrderStatus.PAID,
    "买家已付款": OrderStatus.PAID,
    "等待卖家发货": OrderStatus.PAID,
    "卖家部分发货": OrderStatus.PART_SHIPPED,
    "部分发货": OrderStatus.PART_SHIPPED,
    "卖家已发货,等待买家确认": OrderStatus.SHIPPED,
    "卖家已发货": OrderStatus.SHIPPED,
    "等待买家确认收货": OrderStatus.SHIPPED,
    "买家已签收": OrderStatus.RECEIVED,
    "货到付款签收": OrderStatus.RECEIVED,
    "交易成功": OrderStatus.FINISHED,
    "交易关闭": OrderStatus.CLOSED_REFUNDED,  # or never paid: see `closed`
    "交易自动关闭": OrderStatus.CLOSED_REFUNDED,
    "卖家取消": OrderStatus.CLOSED_REFUNDED,
}
NEVER_PAID = ("买家未付款", "未付款", "超时未付款", "未及时付款")

G0 = """订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,
买家留言,收货人姓名,收货地址,运送方式,联系电话,联系手机,订单创建时间,订单付款时间,宝贝标题"""
G1 = """宝贝种类,物流单号,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,发票抬头,是否手机订单,
分阶段订单信息,特权订金订单id,定金排名,修改后的sku,修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易"""
G2 = """是否上传合同照片,是否上传小票,是否代付,新零售交易类型,新零售导购门店名称,新零售导购门店id,新零售发货门店名称,新零售发货门店id,退款金额,
预约门店,确认收货时间,打款商家金额,含应开票给个人的个人红包,支付单号,支付详情"""
G3 = """是否信用购,体验期结束时间,前N有礼,配送类型,主订单编号,满返红包金额,直播返现状态,返现金额,新零售成交门店昵称,新零售成交门店id,
新零售成交经销商id,是否村淘订单,买家实付金额"""
G4 = """买家会员昵称,虚拟号过期时间,延迟发货自动赔付金额,预售订单,发货时间,商家备忘,卖家备注,卖家标记,订单标记"""
SIMPLIFIED = "买家下单时间,买家付款时间,买家实付金额,运单号,宝贝规格,买家昵称,收件人,收件人手机,收货人手机"
ORDER_HEADERS = known(G0, G1, G2, G3, G4, SIMPLIFIED)
ITEM_HEADERS = known(
    """订单编号,子订单编号,主订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码,支付单号,买家应付货款,
    买家实际支付金额,买家实付金额,退款状态,退款金额,订单创建时间,订单付款时间,商品标题,商品价格,商品ID,商家备注,店铺名称"""
)
REFUND_HEADERS = known(
    """订单编号,退款编号,支付宝交易号,订单付款时间,商家编码,退款完结时间,买家会员名称,买家实际支付金额,宝贝标题,买家退款金额,
    手工退款/系统退款,售后类型,退款的申请时间,超时时间,退款状态,货物状态,是否需要退货,退货物流信息,发货物流信息,客服介入状态,卖家真实姓名,
    卖家真实名称,卖家退货地址,卖家邮编,卖家电话,卖家手机,退货物流单号,退货物流公司,买家退款原因,买家退款说明,买家退货时间,责任方,售中或售后,
    商品id,部分退款/全部退款,审核操作人,举证超时,是否零秒响应,退款操作人,退款原因标签,业务类型,小额收款,店铺名称,退款原因,主订单编号,子订单编号,子订单号"""
)


def status_of(text: str, reading: Reading, column: str) -> OrderStatus:
    """The status words of every generation, full- and half-width commas alike. Raises RowError: unknown_status."""
    bare = plain(text).replace("，", ",").replace(" ", "")
    status = STATUS.get(bare)
    if status is None:
        raise RowError("status_missing" if not bare else "unknown_status", column, text)
    return status


def closed(paid_at: datetime | None, reason: str, reading: Reading) -> OrderStatus:
    """A closed order: never a purchase if nothing was paid, else a purchase with its full refund."""
    if paid_at is None:
        return CLOSED_UNPAID
    if reason in NEVER_PAID:
        reading.notes.odd("closed_contradiction", "订单关闭原因", reason)
    return CLOSED_REFUNDED


def order_rows(reading: Reading) -> RowReader:
    """One order per row; every generation and the simplified third-party layout."""
    columns, options, notes = reading.columns, reading.options, reading.notes
    at = columns.at
    number_at = reading.need(at("订单编号", "主订单编号"))
    status_at = reading.need(at("订单状态"))
    has_status = status_at < columns.width  # trimmed tables circulate without: the moments and the amount tell then
    nick_at, new_nick_at = at("买家会员名", "买家昵称"), at("买家会员昵称")
    if nick_at == columns.width:
        nick_at, new_nick_at = new_nick_at, columns.width
    goods_at, freight_at = at("买家应付货款"), at("买家应付邮费")
    paid_at_ = reading.need(at("买家实际支付金额", "买家实付金额"))
    refund_at = at("退款金额")
    created_at_, paid_time_at = reading.need(at("订单创建时间", "买家下单时间")), at("订单付款时间", "买家付款时间")
    shipped_at_, finished_at_ = at("发货时间"), at("确认收货时间")
    message_at, note_at, memo_at = at("买家留言"), at("订单备注", "卖家备注"), at("商家备忘")
    flag_at = at("卖家标记", "订单标记")
    name_at, address_at = at("收货人姓名", "收件人"), at("收货地址")
    changed_address_at, town_phone_at = at("修改后的收货地址"), at("联系电话")
    mobile_at, expiry_at = at("联系手机", "收货人手机", "收件人手机"), at("虚拟号过期时间")
    shop_at, reason_at = at("店铺名称"), at("订单关闭原因")
    alipay_at = at("买家支付宝账号")
    if alipay_at < columns.width:
        reading.sensitive.add(alipay_at)
        notes.odd("sensitive_dropped", columns.title(alipay_at))
    has_account = nick_at < columns.width
    amount, moment = reading.amount, reading.moment
    to_come = Moments(options.zone, notes)  # a virtual number ends some day
    title = columns.title
    platform, currency, stated_at, shop = reading.platform, options.currency, options.stated_at, options.shop
    statuses: dict[str, OrderStatus | None] = {}
    number_title, status_title, paid_title = title(number_at), title(status_at), title(paid_at_)
    goods_title, freight_title, refund_title = title(goods_at), title(freight_at), title(refund_at)
    created_title, paid_time_title = title(created_at_), title(paid_time_at)
    shipped_title, finished_title = title(shipped_at_), title(finished_at_)
    notes_at = [place for place in (note_at, memo_at, flag_at) if place < columns.width]
    address_from = [place for place in (changed_address_at, address_at) if place < columns.width]
    marks = BRUSHING.search
    tenders_of = how_paid(reading)

    def row_to_order(row: list[str]) -> Order:
        number = number_id(row[number_at], number_title)
        status = statuses.get(row[status_at])
        if status is None and has_status:
            status = statuses[row[status_at]] = status_of(row[status_at], reading, status_title)
        paid_minor = amount(row[paid_at_], paid_title)
        text = row[refund_at]
        refunded = amount(text, refund_title) if text else None
        paid_at = moment(row[paid_time_at], paid_time_title)
        reason = row[reason_at]
        if reason:
            reason = plain(reason)
        if status is CLOSED_REFUNDED:
            if paid_time_at < columns.width or reason in NEVER_PAID:
                status = closed(paid_at, reason, reading)
            elif not paid_minor:
                status = CLOSED_UNPAID
            if status is CLOSED_REFUNDED and refunded is None:
                refunded = paid_minor
        if status is CLOSED_UNPAID:
            paid_minor = 0  # some tools write the amount due
        nick = row[nick_at]
        if nick:
            nick = plain(nick)
        other = row[new_nick_at]
        if other and (not nick or "*" in nick):
            other = plain(other)
            nick = other if other and "*" not in other else nick or other
        name = plain(row[name_at])
        where = None
        for place in address_from:
            if row[place]:
                where = address(row[place])
                if where is not None:
                    break
        text = row[expiry_at]
        expires_at = to_come(text, "虚拟号过期时间") if text else None
        mobile = phone(row[mobile_at], "receiver", expires_at, expires_at is not None)
        fixed = phone(row[town_phone_at]) if row[town_phone_at] else None
        if mobile is None:
            if plain(row[mobile_at]):
                notes.odd("phone_unclear", title(mobile_at), plain(row[mobile_at]))
            phones: tuple[Phone, ...] = (fixed,) if fixed is not None else ()
        elif fixed is None or fixed.number == mobile.number:
            phones = (mobile,)
        else:
            phones = (mobile, fixed)
        if nick and "*" not in nick:
            claims: tuple[Claim, ...] = (Claim(NICKNAME, nick, REALM),)
        elif not has_account and mobile is not None and not (mobile.virtual or mobile.masked):
            claims = (Claim(IdentityKind.PHONE, mobile.number),)
        else:
            hint = name_address(name, where)
            claims = (Claim(NAME_ADDRESS, hint),) if hint else ()
        person = Person(claims, name, nick, phones, "", where) if claims or name or phones or nick or where else None
        seller_note: str | None = None
        excluded = ""
        for place in notes_at:
            text = row[place]
            if text:
                text = plain(text)
                if text:
                    if marks(text):
                        excluded = "brushing"
                        notes.odd("brushing", title(place), "")
                    if place != flag_at:
                        seller_note = f"{seller_note}; {text}" if seller_note else text
        own = row[shop_at]
        text = row[finished_at_]
        finished_at = moment(text, finished_title) if text else None
        shipped_at = moment(row[shipped_at_], shipped_title) if row[shipped_at_] else None
        goods, freight, message = row[goods_at], row[freight_at], row[message_at]
        return Order(
            platform,
            plain(own) if own and not shop else shop,
            number,
            status,
            moment(row[created_at_], created_title),
            paid_at,
            shipped_at,
            finished_at,
            None,
            reason or None,
            currency,
            amount(goods, goods_title) if goods else None,
            None,
            amount(freight, freight_title) if freight else None,
            paid_minor,
            refunded,
            None,
            person,
            "",
            "",
            "",
            (plain(message) or None) if message else None,
            seller_note,
            excluded,
            stated_at,
            None,
            tenders_of(row, paid_minor) if tenders_of else None,
        )

    return row_to_order


def item_rows(reading: Reading) -> Grouped:
    """Several rows per order. What the order cost as a whole is left unsaid: freight is not in here."""
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at = reading.need(at("主订单编号", "订单编号"))
    sub_at = at("子订单编号")
    title_at, price_at = reading.need(at("标题", "商品标题")), reading.need(at("价格", "商品价格"))
    quantity_at = reading.need(at("购买数量"))
    spec_at, status_at, note_at = at("商品属性"), at("订单状态"), at("备注", "商家备注")
    code_at, outer_at, product_at = at("商家编码"), at("外部系统编号"), at("商品ID")
    paid_at_, refund_at, refund_state_at = at("买家实际支付金额", "买家实付金额"), at("退款金额"), at("退款状态")
    created_at_, paid_time_at, shop_at = at("订单创建时间"), at("订单付款时间"), at("店铺名称")
    knows_pay_time = paid_time_at < columns.width

    def line(row: list[str]) -> tuple[Line, OrderStatus | None]:
        count = quantity(row[quantity_at], title(quantity_at))
        price = amount(row[price_at], title(price_at))
        paid = amount(row[paid_at_], title(paid_at_))
        refunded = amount(row[refund_at], title(refund_at)) or 0
        state = plain(row[refund_state_at])
        if refunded and state and not any(word in state for word in ("成功", "完成", "退款完")):
            refunded = 0  # asked for, not given
        gross = None if price is None else (price * count + 500) // 1000
        total = paid if paid is not None else gross if gross is not None else 0
        status = status_of(row[status_at], reading, title(status_at)) if plain(row[status_at]) else None
        if not paid and gross is not None and status is not None and status in (OrderStatus.UNPAID, CLOSED_REFUNDED):
            total = gross  # nothing was paid, which does not make it a gift
        made = Line(
            plain(row[title_at]), count, total,
            plain(row[code_at]) or plain(row[outer_at]) or plain(row[product_at]), plain(row[outer_at]),
            plain(row[spec_at]), "", "", price,
            max(gross - total, 0) if gross is not None else 0,
            number_id(row[sub_at], title(sub_at)) if plain(row[sub_at]) else "", refunded,
        )  # fmt: skip
        return made, status

    def start(row: list[str]) -> str:
        return number_id(row[number_at], title(number_at))

    def finish(group: Group) -> Order:
        lines = [line(row) for row in group.each()]
        first = group.rows[0]
        paid_at = next((found for row in group.rows if (found := moment(row[paid_time_at], title(paid_time_at)))), None)
        statuses = [status for _, status in lines if status is not None]
        status = min(statuses) if statuses else None  # the line that is furthest behind
        if status is CLOSED_REFUNDED:
            status = closed(paid_at, "", reading) if knows_pay_time else None
        notes_said = [text for row in group.rows if (text := plain(row[note_at]))]
        excluded = "brushing" if any(BRUSHING.search(text) for text in notes_said) else ""
        if excluded:
            reading.notes.odd("brushing", title(note_at), "")
        refunded = sum(made.refunded_minor for made, _ in lines)
        shop = plain(first[shop_at])
        return Order(
            reading.platform,
            options.shop or shop,
            group.number,
            status,
            moment(first[created_at_], title(created_at_)),
            paid_at,
            currency=options.currency,
            # The lines leave out the freight the buyer paid, so they must not overrule the order report's figure.
            paid_minor=None,
            refunded_minor=refunded if refund_at < columns.width else None,
            lines=tuple(made for made, _ in lines),
            excluded=excluded,
            stated_at=options.stated_at,
        )

    return Grouped(start, finish)


def refund_rows(reading: Reading) -> RowReader:
    """One refund document per row. Only finished ones count; the others are news. Some reports name the sub-order instead
    of the order: the order is found by its line when the document is recorded."""
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at, order_at = reading.need(at("退款编号")), at("主订单编号", "订单编号")
    amount_at, status_at = reading.need(at("买家退款金额")), at("退款状态")
    done_at, asked_at = at("退款完结时间"), at("退款的申请时间")
    reason_at, code_at, sub_at, shop_at = (
        at("买家退款原因", "退款原因"),
        at("商家编码"),
        at("子订单编号", "子订单号"),
        at("店铺名称"),
    )

    def row_to_refund(row: list[str]) -> Refund:
        status = plain(row[status_at])
        finished_at = moment(row[done_at], title(done_at))
        given = amount(row[amount_at], title(amount_at))
        if given is None:
            raise RowError("amount_missing", title(amount_at))
        done = any(word in status for word in ("退款成功", "退款完成", "已退款", "完结"))
        if not status:
            done = finished_at is not None
        if "关闭" in status or "拒绝" in status:
            done = False
        sub_number = number_id(row[sub_at], title(sub_at)) if plain(row[sub_at]) else ""
        order_number = plain(row[order_at]) and number_id(row[order_at], title(order_at))
        if not (order_number or sub_number):
            raise RowError("number_missing", title(order_at) or title(sub_at))
        return Refund(
            reading.platform, options.shop or plain(row[shop_at]), order_number or sub_number, number_id(row[number_at], title(number_at)), given,
            finished_at if done else None, moment(row[asked_at], title(asked_at)), done, status, plain(row[reason_at]),
            sub_number, options.currency, (LineBack(sub_number, 0, code),) if (code := plain(row[code_at])) else (),
        )  # fmt: skip

    return row_to_refund


LAYOUTS = (
    Layout(
        "taobao.orders", "taobao", "Taobao/Tmall order report", "淘宝/天猫订单报表",
        must=("订单编号",), known=ORDER_HEADERS, rows=order_rows,
        generations=(
            Generation("simplified"),
            Generation("G0", ("买家会员名", "总金额", "订单创建时间")),
            Generation("G1", ("总金额", "是否手机订单")),
            Generation("G2", ("总金额", "退款金额", "确认收货时间")),
            Generation("G3", ("总金额", "退款金额", "主订单编号")),
            Generation("G4", ("总金额", "买家会员昵称")),
        ),
        not_with=("退款编号", "购买数量", "子订单编号"),
        any_of=(("买家实际支付金额", "买家实付金额", "总金额"), ("订单创建时间", "买家下单时间", "订单付款时间", "买家付款时间"),
                ("订单状态", "买家实际支付金额")),
    ),
    Layout(
        "taobao.items", "taobao", "Taobao/Tmall item report", "淘宝/天猫宝贝报表",
        must=("购买数量",), known=ITEM_HEADERS, grouped=item_rows, what="items",
        generations=(
            Generation("old", ("订单编号", "标题")),
            Generation("2022", ("子订单编号", "主订单编号", "标题")),
            Generation("newest", ("商品标题",)),
        ),
        not_with=("退款编号",),
        any_of=(("标题", "商品标题"), ("订单编号", "主订单编号"), ("价格", "商品价格")),
    ),
    Layout(
        "taobao.refunds", "taobao", "Taobao/Tmall refund report", "淘宝/天猫退款报表",
        must=("退款编号", "买家退款金额"), known=REFUND_HEADERS, rows=refund_rows, what="refunds",
        any_of=(("订单编号", "主订单编号", "子订单编号", "子订单号"),),
    ),
)  # fmt: skip
