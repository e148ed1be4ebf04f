"""Youzan: orders and customers. The buyer's phone was verified at sign-in, so it is a strong identity.

Nicknames there are WeChat names: not unique, never an identity. All product names stand in one cell: no lines.
归属店铺 is the shop on Youzan whose order it is. Only where somebody said the file is of another one (the head office of
a chain exports for its branches) does it name a store; 下单网点 always does.
"""

from __future__ import annotations

from shuke.connect.importers import plain as plain_files
from shuke.connect.importers.cells import BRUSHING, RowError, is_mobile, name_address, number_id, phone, placed, plain
from shuke.connect.importers.layouts import Layout, Reading, RowReader, known
from shuke.engine.facts import Claim, IdentityKind, Order, OrderStatus, Person, Phone
from shuke.engine.tenders import money_of, paid_with, within
from shuke.kit.tabular.header import normal

ORDER_HEADERS = known(
    """订单号,销售渠道,归属店铺,订单类型,订单状态,推广方式,订单来源,订单创建时间,买家付款时间,交易成功时间,付款方式,支付流水号,商品金额合计,运费,店铺优惠合计,
    应收订单金额,订单实付金额,支付优惠合计,订单实收金额,订单抵用积分数,全部商品名称,商品种类数,订单配送方式,收货人省份,收货人城市,收货人地区,
    详细收货地址/提货地址,收货人/提货人,收货人手机号/提货人手机号,买家备注,订单星级,买家昵称,买家是否会员,买家手机号,下单网点,收银员,分销员,销售导购,
    专属导购,订单退款状态,订单已退款金额,商家订单备注,周期购信息,发货时间,核销网点,核销人"""
)
CUSTOMER_HEADERS = known(
    """客户姓名,客户昵称,客户手机号,客户生日,客户性别,标签,是否会员,成长值,免费等级,付费等级,权益卡,客户积分,客户储值余额,消费次数,消费金额,累计退款金额,
    累计退款订单数,笔单价,上次消费时间,分销员,导购员,企微好友,来源渠道,来源方式,成为客户时间,成为会员时间,成为会员店铺,公众号,公众号关注时间,
    最近浏览时间,微信地域,所属区域,客户备注"""
)
CLOSED = OrderStatus.CLOSED_REFUNDED
_STATUS = {
    "待付款": OrderStatus.UNPAID, "待支付": OrderStatus.UNPAID, "待确认": OrderStatus.PAID, "待接单": OrderStatus.PAID,
    "待成团": OrderStatus.PAID, "待发货": OrderStatus.PAID, "已付款": OrderStatus.PAID, "部分发货": OrderStatus.PART_SHIPPED,
    "已发货": OrderStatus.SHIPPED, "待收货": OrderStatus.SHIPPED, "待自提": OrderStatus.SHIPPED, "已收货": OrderStatus.RECEIVED,
    "已完成": OrderStatus.FINISHED, "交易完成": OrderStatus.FINISHED, "交易成功": OrderStatus.FINISHED,
    "已关闭": CLOSED, "交易关闭": CLOSED, "已取消": CLOSED, "退款成功": CLOSED,
}  # fmt: skip


def order_rows(reading: Reading) -> RowReader:
    columns, options = reading.columns, reading.options
    at, title, amount, moment = columns.at, columns.title, reading.amount, reading.moment
    number_at, status_at = reading.need(at("订单号")), reading.need(at("订单状态"))
    created_at_, paid_time_at, done_at = reading.need(at("订单创建时间")), at("买家付款时间"), at("交易成功时间")
    shipped_at_ = at("发货时间")
    goods_at, freight_at, off_at, pay_off_at = at("商品金额合计"), at("运费"), at("店铺优惠合计"), at("支付优惠合计")
    paid_at_, refund_at = reading.need(at("订单实付金额")), at("订单已退款金额")
    places = at("收货人省份"), at("收货人城市"), at("收货人地区"), at("详细收货地址/提货地址")
    name_at, receiver_at = at("收货人/提货人"), at("收货人手机号/提货人手机号")
    nick_at, buyer_at = at("买家昵称"), at("买家手机号")
    tender_at, due_at = at("付款方式"), at("应收订单金额")
    message_at, note_at = at("买家备注"), at("商家订单备注")
    store_at, branch_at, guide_at, cashier_at = at("下单网点"), at("归属店铺"), at("销售导购", "专属导购"), at("收银员")
    channel_at = at("销售渠道")

    def row_to_order(row: list[str]) -> Order:
        number = number_id(row[number_at], title(number_at))
        bare = plain(row[status_at])
        status = _STATUS.get(bare)
        if status is None:
            raise RowError("unknown_status" if bare else "status_missing", title(status_at), row[status_at])
        paid_at = moment(row[paid_time_at], title(paid_time_at))
        paid = amount(row[paid_at_], title(paid_at_))
        refunded = amount(row[refund_at], title(refund_at))
        if status is CLOSED:
            if paid_at is None:
                status, paid = OrderStatus.CLOSED_UNPAID, 0
            elif refunded is None:
                refunded = paid
        off, pay_off = amount(row[off_at], title(off_at)), amount(row[pay_off_at], title(pay_off_at))
        # What the pay channel gave may have been taken off before or stand within what was paid: the row's sums tell.
        platform = within(paid or 0, amount.aside(row[due_at]), pay_off) if pay_off and row[due_at] else 0
        pay_off = pay_off - platform if pay_off else pay_off
        tenders = paid_with(plain(row[tender_at]), paid, platform)
        if tenders and (in_money := money_of(paid, tenders) or 0) < (paid or 0):
            paid, refunded = in_money, refunded and min(refunded, in_money)
        name, nick = plain(row[name_at]), plain(row[nick_at])
        where = placed(*(row[place] for place in places))
        buyer, receiver = phone(row[buyer_at], "buyer"), phone(row[receiver_at])
        claims: tuple[Claim, ...] = ()
        if buyer is not None and is_mobile(buyer):
            claims = (Claim(IdentityKind.PHONE, buyer.number, "", True),)
        elif hint := name_address(name, where):
            claims = (Claim(IdentityKind.NAME_ADDRESS, hint),)
        phones: tuple[Phone, ...] = tuple(one for one in (buyer, receiver) if one is not None)
        if len(phones) == 2 and phones[0].number == phones[1].number:
            phones = phones[:1]
        branch = plain(row[branch_at])
        shop = options.shop or branch
        store = plain(row[store_at]) or branch
        note = plain(row[note_at])
        excluded = "brushing" if note and BRUSHING.search(note) else ""
        if excluded:
            reading.notes.odd("brushing", title(note_at))
        person = Person(claims, name, nick, phones, "", where) if claims or name or nick or phones or where else None
        return Order(
            reading.platform, shop, number, status, moment(row[created_at_], title(created_at_)), paid_at,
            moment(row[shipped_at_], title(shipped_at_)), moment(row[done_at], title(done_at)), currency=options.currency,
            goods_minor=amount(row[goods_at], title(goods_at)),
            discount_minor=None if off is None and pay_off is None else (off or 0) + (pay_off or 0),
            freight_minor=amount(row[freight_at], title(freight_at)), paid_minor=paid, refunded_minor=refunded, lines=None,
            person=person, store_code="" if normal(store) == normal(shop) else store, channel=plain(row[channel_at])[:30],
            staff_code=(plain(row[guide_at]) or plain(row[cashier_at]))[:40], buyer_note=plain(row[message_at]) or None,
            seller_note=note or None, excluded=excluded, stated_at=options.stated_at,
            tenders=tenders,
        )  # fmt: skip

    return row_to_order


def customer_rows(reading: Reading) -> RowReader:
    columns = reading.columns
    at, title, moment = columns.at, columns.title, reading.moment
    name_at, nick_at, phone_at = at("客户姓名"), at("客户昵称"), reading.need(at("客户手机号"))
    born_at, gender_at, tags_at = at("客户生日"), at("客户性别"), at("标签")
    growth_at, points_at, level_at, balance_at = at("成长值"), at("客户积分"), at("免费等级"), at("客户储值余额")
    source_at, since_at, member_at, store_at = (
        at("来源渠道"),
        at("成为客户时间"),
        at("成为会员时间"),
        at("成为会员店铺"),
    )
    note_at, region_at = at("客户备注"), at("微信地域")

    def row_to_person(row: list[str]) -> Person:
        number = phone(row[phone_at], "member")
        if number is None or not is_mobile(number):
            raise RowError("nobody", title(phone_at), row[phone_at])
        born = plain_files.birthday(row[born_at])
        if born is None and plain(row[born_at]):
            reading.notes.odd("birthday_unclear", title(born_at), plain(row[born_at]))
        said = (
            ("tags", tags_at),
            ("youzan_level", level_at),
            ("stored_value", balance_at),
            ("wechat_region", region_at),
        )
        attributes = tuple(
            (key, text) for key, place in said if (text := plain(row[place])) and text not in ("0", "0.00")
        )
        joined_at = moment(row[member_at], title(member_at)) or moment(row[since_at], title(since_at))
        name, nick = plain(row[name_at]), plain(row[nick_at])
        return Person(
            (Claim(IdentityKind.PHONE, number.number, "", True),), name, nick, (number,), "", None,
            plain_files.gender(row[gender_at]), born, attributes, (), joined_at, plain(row[store_at]), plain(row[source_at]),
            plain(row[note_at]), plain_files.points(row[points_at], title(points_at)),
            plain_files.points(row[growth_at], title(growth_at)), reading.platform,
        )  # fmt: skip

    return row_to_person


LAYOUTS = (
    Layout(
        "youzan.orders", "youzan", "Youzan orders", "有赞订单", ("订单号", "订单状态", "订单实付金额", "订单创建时间"), ORDER_HEADERS,
        rows=order_rows,
    ),
    Layout(
        "youzan.customers", "youzan", "Youzan customers", "有赞客户", ("客户手机号",), CUSTOMER_HEADERS, rows=customer_rows,
        any_of=(("成为客户时间", "客户积分", "成为会员时间"),), what="customers",
    ),
)  # fmt: skip
