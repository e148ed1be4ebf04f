"""Row factories: one made-up basket, written the way each platform writes it. `taobao_shop.reports` has Taobao's own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shuke.engine.facts import OrderStatus
from shuke.engine.tenders import Tenders, told_together

from . import columns
from .sheets import Row
from .taobao_shop import goods, pools
from .taobao_shop.people import SKIN_TYPES, with_check_digit


class Piece(NamedTuple):
    code: str
    title: str
    spec: str
    quantity: int
    price: int
    item_id: str


@dataclass(frozen=True)
class Basket:
    """One order and its buyer. Money in minor units; naive Chinese times."""

    number: str
    name: str
    nickname: str
    female: bool
    born: date
    phone: str
    email: str
    place: pools.Place
    detail: str
    pieces: tuple[Piece, ...]
    created: datetime
    status: OrderStatus
    discount: int
    freight: int
    refunded: int
    card: str
    packet: int = 0  # of what was paid, the platform's money: red packets, the pay channel's offers, balance

    @property
    def goods_total(self) -> int:
        return sum(piece.price * piece.quantity for piece in self.pieces)

    @property
    def total(self) -> int:
        return self.goods_total - self.discount + self.freight

    @property
    def paid_at(self) -> datetime | None:
        unpaid = self.status in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
        return None if unpaid else self.created + timedelta(seconds=77)

    @property
    def shipped_at(self) -> datetime | None:
        return self.created + timedelta(days=1) if self.status in (OrderStatus.SHIPPED, OrderStatus.FINISHED) else None

    @property
    def finished_at(self) -> datetime | None:
        return self.created + timedelta(days=6) if self.status == OrderStatus.FINISHED else None


LIVES = (
    OrderStatus.FINISHED, OrderStatus.FINISHED, OrderStatus.SHIPPED, OrderStatus.CLOSED_UNPAID,
    OrderStatus.FINISHED, OrderStatus.CLOSED_REFUNDED, OrderStatus.PAID, OrderStatus.FINISHED,
)  # fmt: skip


def basket(dice: random.Random, at: datetime, serial: int) -> Basket:
    """Statuses take turns, so that a file of eight has every one."""
    status = LIVES[serial % len(LIVES)]
    created = (at - timedelta(days=10 + serial * 3, seconds=dice.randrange(80_000))).replace(microsecond=0)
    chosen = dice.sample(goods.ALL, dice.choice((1, 1, 2, 3)))
    pieces = tuple(
        Piece(g.code, g.title, goods.spec_text(dice, g), dice.choice((1, 1, 2)), g.price, g.item_id) for g in chosen
    )
    female = dice.random() < 0.8
    born = date(dice.randrange(1976, 2003), dice.randrange(1, 13), dice.randrange(1, 28))
    made = Basket(
        number=f"{created:%y%m%d}{dice.randrange(10**11):011d}{serial % 10}",
        name=pools.person_name(dice, female=female),
        nickname=pools.nickname(dice, born.year),
        female=female,
        born=born,
        phone=pools.phone(dice),
        email=f"buyer{serial + 1}@example.com",
        place=pools.place(dice),
        detail=pools.address_detail(dice),
        pieces=pieces,
        created=created,
        status=status,
        discount=500 if serial % 4 == 1 else 0,
        freight=800 if serial % 5 == 2 else 0,
        packet=300 if serial % 4 == 2 else 0,
        refunded=0,
        card=with_check_digit(f"6001{dice.randrange(10**7):07d}"),
    )
    if status == OrderStatus.CLOSED_REFUNDED:
        return replace(made, refunded=made.total)
    if serial % len(LIVES) == 4:
        return replace(made, refunded=pieces[0].price // 4)
    return made


def single(one: Basket) -> Basket:
    """The same basket with its first product alone."""
    less = replace(one, pieces=one.pieces[:1])
    return replace(less, refunded=less.total if one.status == OrderStatus.CLOSED_REFUNDED else 0)


def paid(one: Basket) -> int:
    return one.total if one.paid_at else 0


def tenders(key: str, one: Basket) -> Tenders | None:
    """How a basket was paid, as the layout tells it."""
    means = {
        "douyin-orders": "wechat",
        "youzan-orders": "wechat",
        "jd-orders": "",
        "shopify-orders": "card",
        "woocommerce-orders": "card",
    }
    if key not in means or one.paid_at is None:
        return None
    packet = one.packet if key in ("douyin-orders", "youzan-orders", "jd-orders") else 0
    return told_together([("platform", packet), (means[key], one.total - packet)])


def money(minor: int) -> str:
    return f"{minor / 100:.2f}"


def when(value: datetime | None, nothing: str = "") -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S") if value else nothing


def ordered(header: tuple[str, ...], cells: dict[str, str]) -> list[str]:
    unknown = cells.keys() - set(header)
    assert not unknown, f"no such columns: {unknown}"
    return [cells.get(name, "") for name in header]


_TAOBAO_STATUS = {
    OrderStatus.PAID: "买家已付款,等待卖家发货", OrderStatus.SHIPPED: "卖家已发货,等待买家确认", OrderStatus.FINISHED: "交易成功",
    OrderStatus.CLOSED_UNPAID: "交易关闭", OrderStatus.CLOSED_REFUNDED: "交易关闭",
}  # fmt: skip


def _address(one: Basket) -> str:
    return f"{one.place.province} {one.place.city} {one.place.district} {one.detail}"


def taobao_simple(one: Basket) -> list[Row]:
    return [
        ordered(columns.TAOBAO_SIMPLE, {
            "订单编号": one.number, "买家会员名": one.nickname, "买家下单时间": when(one.created),
            "买家付款时间": when(one.paid_at), "买家实付金额": money(paid(one)), "订单状态": _TAOBAO_STATUS[one.status],
            "收货人姓名": one.name, "联系手机": one.phone, "收货地址": _address(one),
            "宝贝标题": "，".join(p.title for p in one.pieces), "宝贝规格": one.pieces[0].spec,
            "运单号": "YT0001" + one.number[-6:] if one.shipped_at else "",
        })
    ]  # fmt: skip


def pinduoduo(one: Basket) -> list[Row]:
    """One product per order, no buyer at all."""
    piece = one.pieces[0]
    status = {
        OrderStatus.PAID: "待发货", OrderStatus.SHIPPED: "已发货，待收货", OrderStatus.FINISHED: "已收货",
        OrderStatus.CLOSED_UNPAID: "已取消", OrderStatus.CLOSED_REFUNDED: "已发货，退款成功",
    }[one.status]  # fmt: skip
    return [
        ordered(columns.PINDUODUO, {
            "商品": piece.title, "订单号": f"{one.created:%y%m%d}-{one.number[-15:]}", "订单状态": status,
            "商品总价(元)": money(one.goods_total), "邮费(元)": money(one.freight), "店铺优惠折扣(元)": money(one.discount),
            "平台优惠折扣(元)": "0.00", "多多支付立减金额(元)": "0.00", "用户实付金额(元)": money(paid(one)),
            "商家实收金额(元)": money(paid(one)), "商品数量(件)": str(piece.quantity),
            "发货时间": when(one.shipped_at), "确认收货时间": when(one.finished_at), "商品id": piece.item_id,
            "商品规格": piece.spec, "样式ID": piece.item_id[::-1], "商家编码-规格维度": piece.code,
            "商家编码-商品维度": piece.code, "售后状态": "退款成功" if one.status == OrderStatus.CLOSED_REFUNDED else "无售后",
            "订单成交时间": when(one.paid_at or one.created), "是否分期": "否",
        })
    ]  # fmt: skip


def douyin(one: Basket) -> list[Row]:
    """One row per sub-order, every cell with a tab behind it, as the platform guards long numbers."""
    status = {
        OrderStatus.PAID: "待发货", OrderStatus.SHIPPED: "已发货", OrderStatus.FINISHED: "已完成",
        OrderStatus.CLOSED_UNPAID: "已关闭", OrderStatus.CLOSED_REFUNDED: "已关闭",
    }[one.status]  # fmt: skip
    out: list[Row] = []
    for index, piece in enumerate(one.pieces):
        own = piece.price * piece.quantity
        off = one.discount if index == 0 else 0
        freight = one.freight if index == 0 else 0
        cells = {
            "主订单编号": one.number, "子订单编号": one.number[:-1] + str((int(one.number[-1]) + index + 1) % 10),
            "选购商品": piece.title, "商品规格": piece.spec, "商品数量": str(piece.quantity), "商品ID": piece.item_id,
            "商家编码": piece.code, "商品单价": money(piece.price), "订单应付金额": money(own - off + freight),
            "运费": money(freight), "优惠总金额": money(off), "平台优惠": "0.00", "商家优惠": money(off), "达人优惠": "0.00",
            "支付方式": "微信" if one.paid_at else "-", "红包抵扣": money(one.packet if index == 0 else 0), "支付优惠": "0.00", "收件人": one.name[0] + "**",
            "收件人手机号": f"{one.phone}-{one.number[-4:]}" if int(one.number[-1]) % 2 else one.phone[:3] + "****" + one.phone[-4:],
            "省": one.place.province, "市": one.place.city, "区": one.place.district, "街道": "", "详细地址": "*" * 6,
            "订单提交时间": when(one.created), "支付完成时间": when(one.paid_at), "订单完成时间": when(one.finished_at),
            "APP渠道": "抖音", "流量来源": "直播", "订单状态": status, "订单类型": "普通订单",
            "售后状态": "退款成功" if one.status == OrderStatus.CLOSED_REFUNDED else "-",
            "取消原因": "超时未支付" if one.status == OrderStatus.CLOSED_UNPAID else "", "发货时间": when(one.shipped_at),
        }  # fmt: skip
        out.append([cell + "\t" if cell else "" for cell in ordered(columns.DOUYIN, cells)])
    return out


def jd(one: Basket) -> list[Row]:
    """One row per product; the order's amounts repeat on each."""
    status = {
        OrderStatus.PAID: "等待出库", OrderStatus.SHIPPED: "等待确认收货", OrderStatus.FINISHED: "完成",
        OrderStatus.CLOSED_UNPAID: "(删除)等待付款", OrderStatus.CLOSED_REFUNDED: "(锁定)已取消",
    }[one.status]  # fmt: skip
    return [
        ordered(columns.JD, {
            "订单号": one.number[:12], "商品ID": piece.item_id, "商品名称": piece.title, "货号": piece.code,
            "订购数量": str(piece.quantity), "下单时间": when(one.created), "京东价": money(piece.price),
            "订单金额": money(one.goods_total + one.freight), "结算金额": money(one.total), "余额支付": money(one.packet),
            "应付金额": money(one.total - one.packet), "运费金额": money(one.freight), "服务费": "0.00", "订单状态": status,
            "订单类型": "SOP", "下单帐号": f"jd_{one.nickname}", "客户姓名": one.name, "客户地址": _address(one),
            "联系电话": one.phone, "商家备注等级（等级1-5为由高到低）": "3", "发票类型": "电子发票",
            "付款确认时间": when(one.paid_at), "订单完成时间": when(one.finished_at), "订单来源": "京东APP", "订单渠道": "APP",
        })
        for piece in one.pieces
    ]  # fmt: skip


def youzan_order(one: Basket) -> list[Row]:
    status = {
        OrderStatus.PAID: "待发货", OrderStatus.SHIPPED: "已发货", OrderStatus.FINISHED: "已完成",
        OrderStatus.CLOSED_UNPAID: "已关闭", OrderStatus.CLOSED_REFUNDED: "已关闭",
    }[one.status]  # fmt: skip
    whole = one.refunded == one.total
    return [
        ordered(columns.YOUZAN_ORDERS, {
            "订单号": f"E{one.number}", "销售渠道": "网店", "归属店铺": "小满美肤", "订单类型": "普通订单", "订单状态": status,
            "订单来源": "微信小程序", "订单创建时间": when(one.created), "买家付款时间": when(one.paid_at, "-"),
            "交易成功时间": when(one.finished_at, "-"), "付款方式": "微信支付" if one.paid_at else "",
            "商品金额合计": money(one.goods_total), "运费": money(one.freight), "店铺优惠合计": money(one.discount),
            "应收订单金额": money(one.total), "订单实付金额": money(paid(one)), "支付优惠合计": money(one.packet),
            "订单实收金额": money(paid(one)), "订单抵用积分数": "0", "全部商品名称": ";".join(p.title for p in one.pieces),
            "商品种类数": str(len(one.pieces)), "订单配送方式": "快递发货", "收货人省份": one.place.province,
            "收货人城市": one.place.city, "收货人地区": one.place.district, "详细收货地址/提货地址": one.detail,
            "收货人/提货人": one.name, "收货人手机号/提货人手机号": one.phone, "买家昵称": one.nickname, "买家是否会员": "是",
            "买家手机号": one.phone, "订单退款状态": ("全额退款" if whole else "部分退款") if one.refunded else "",
            "订单已退款金额": money(one.refunded),
        })
    ]  # fmt: skip


def youzan_customer(one: Basket) -> list[Row]:
    return [
        ordered(columns.YOUZAN_CUSTOMERS, {
            "客户姓名": one.name, "客户昵称": one.nickname, "客户手机号": one.phone, "客户生日": one.born.isoformat(),
            "客户性别": "女" if one.female else "男", "标签": "敏感肌,宝妈", "是否会员": "是", "成长值": str(one.total // 100),
            "客户积分": str(one.total // 100), "客户储值余额": "0.00", "消费次数": "1" if one.paid_at else "0",
            "消费金额": money(paid(one)), "累计退款金额": money(one.refunded), "累计退款订单数": "1" if one.refunded else "0",
            "上次消费时间": when(one.paid_at, "-"), "来源渠道": "微信小程序", "来源方式": "扫码",
            "成为客户时间": when(one.created), "成为会员时间": when(one.created), "成为会员店铺": "小满美肤",
            "微信地域": one.place.province,
        })
    ]  # fmt: skip


def alibaba_1688(one: Basket) -> list[Row]:
    """Multi-line orders repeat the order cells only on their first row."""
    status = {
        OrderStatus.PAID: "等待卖家发货", OrderStatus.SHIPPED: "等待买家确认收货", OrderStatus.FINISHED: "交易成功",
        OrderStatus.CLOSED_UNPAID: "交易关闭", OrderStatus.CLOSED_REFUNDED: "交易关闭",
    }[one.status]  # fmt: skip
    out: list[Row] = []
    for index, piece in enumerate(one.pieces):
        cells = {
            "货品标题": piece.title, "单价(元)": money(piece.price), "数量": str(piece.quantity), "单位": "件",
        }  # fmt: skip
        if index == 0:
            cells |= {
                "订单编号": one.number, "买家公司名": f"{one.place.city}{one.name[0]}记母婴店", "买家会员名": one.nickname,
                "卖家公司名": "小满贸易", "卖家会员名": "小满批发", "货品总价(元)": money(one.goods_total),
                "运费(元)": money(one.freight), "涨价或折扣(元)": money(-one.discount), "实付款(元)": money(paid(one)),
                "订单状态": status, "订单创建时间": when(one.created), "订单付款时间": when(one.paid_at), "发货方": "卖家",
                "收货人姓名": one.name, "收货地址": _address(one), "联系手机": one.phone,
            }  # fmt: skip
        out.append(ordered(columns.ALIBABA_1688, cells))
    return out


def plain_order(one: Basket) -> list[Row]:
    """A till's list: one row per product, order cells on each."""
    return [
        ordered(columns.PLAIN_ORDERS, {
            "单号": one.number, "下单时间": f"{one.created:%Y/%m/%d %H:%M}", "付款时间": f"{one.paid_at:%Y/%m/%d %H:%M}" if one.paid_at else "",
            "手机号": one.phone, "姓名": one.name, "会员卡号": one.card, "实付金额": money(paid(one)),
            "优惠金额": money(one.discount), "商品": piece.title, "数量": str(piece.quantity), "单价": money(piece.price),
            "商品编码": piece.code, "门店": "一号店", "导购": "小周",
        })
        for piece in one.pieces
    ]  # fmt: skip


def plain_member(one: Basket) -> list[Row]:
    skin = SKIN_TYPES[int(one.number[-2]) % len(SKIN_TYPES)]
    return [
        ordered(columns.PLAIN_MEMBERS, {
            "会员卡号": one.card, "姓名": one.name, "手机号": one.phone, "性别": "女" if one.female else "男",
            "生日": one.born.isoformat(), "淘宝会员名": one.nickname, "皮肤类型": skin, "护肤需求": goods.SKIN_STEPS[int(one.number[-3]) % 4],
            "职业": "教师", "收入档": "5千至1万", "登记日期": one.created.date().isoformat(), "来源": "路过",
            "积分余额": str(one.total // 1000), "同意短信": "是" if one.female else "否",
        })
    ]  # fmt: skip


# What a row is known by, where that is not simply the order number.
NAMED_BY: dict[str, Callable[[Basket], str]] = {
    "pinduoduo-orders": lambda one: f"{one.created:%y%m%d}-{one.number[-15:]}",
    "jd-orders": lambda one: one.number[:12],
    "youzan-orders": lambda one: f"E{one.number}",
    "woocommerce-orders": lambda one: one.number.removeprefix("#"),
    "youzan-customers": lambda one: one.phone,
    "shopify-customers": lambda one: one.email,
    "plain-members": lambda one: one.card,
}
