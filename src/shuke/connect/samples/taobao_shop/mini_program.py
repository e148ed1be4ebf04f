"""The shop's own mini-program on Youzan: orders and customers whose phone is verified, because they sign in with it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from shuke.engine.facts import OrderStatus

from .. import columns
from ..sheets import write_csv, write_xlsx
from . import goods, pools
from .people import SKIN_TYPES, Account, Person
from .reports import SHOP, moment, money

MINI = SHOP + "小程序"
STATUS = {
    OrderStatus.UNPAID: "待付款",
    OrderStatus.PAID: "待发货",
    OrderStatus.SHIPPED: "已发货",
    OrderStatus.FINISHED: "已完成",
    OrderStatus.CLOSED_UNPAID: "已关闭",
    OrderStatus.CLOSED_REFUNDED: "已关闭",
}


@dataclass
class MiniSale:
    number: str
    person: Person
    created: datetime
    paid_at: datetime | None
    finished_at: datetime | None
    status: OrderStatus
    items: list[tuple[goods.Good, int]]
    goods_total: int
    discount: int
    freight: int
    refunded: int

    @property
    def paid(self) -> int:
        return self.goods_total - self.discount + self.freight if self.paid_at else 0


def write(
    folder: Path, dice: random.Random, people: list[Person], *, at: datetime
) -> tuple[Path, Path, list[MiniSale]]:
    """Both files. Adds a few people to `people` who never were on Taobao."""
    _mini_only(dice, people, at.date())
    sales = [sale for person in people if person.mini_program for sale in _buys(dice, person, at)]
    sales.sort(key=lambda sale: (sale.created, sale.number), reverse=True)
    orders = write_csv(
        folder / f"有赞订单{at:%Y%m%d}.csv", [columns.YOUZAN_ORDERS, *map(_order_row, sales)], made_at=at
    )
    by_person: dict[str, list[MiniSale]] = {}
    for sale in sales:
        by_person.setdefault(sale.person.key, []).append(sale)
    rows = [_customer_row(dice, person, by_person.get(person.key, [])) for person in people if person.mini_program]
    customers = write_xlsx(
        folder / f"有赞客户{at:%Y%m%d}.xlsx", [columns.YOUZAN_CUSTOMERS, *rows], made_at=at, sheet="客户列表"
    )
    return orders, customers, sales


def _mini_only(dice: random.Random, people: list[Person], end: date) -> None:
    taken = {person.phone for person in people}
    for index in range(len(people) // 20):
        born = date(dice.randrange(1980, 2004), 1, 1) + timedelta(days=dice.randrange(365))
        number = pools.phone(dice)
        if number in taken:
            continue
        taken.add(number)
        arrives = end - timedelta(days=dice.randrange(5, 400))
        female = dice.random() < 0.9
        people.append(
            Person(
                key=f"M{index + 1:05d}", kind="mini_only", name=pools.person_name(dice, female=female), female=female,
                born=born, lunar=False, phone=number, place=pools.place(dice), detail=pools.address_detail(dice),
                accounts=[Account(0, [(datetime(2003, 5, 10), pools.nickname(dice, born.year))])], wants="skin",
                skin_step=dice.randrange(3), skin_type=dice.choice(SKIN_TYPES), arrives=arrives, rate=1 / 60,
                leaves_after=0.3, mini_program=arrives,
            )
        )  # fmt: skip


def _buys(dice: random.Random, person: Person, at: datetime) -> list[MiniSale]:
    assert person.mini_program is not None
    sales = []
    created = datetime.combine(person.mini_program, datetime.min.time()) + timedelta(
        seconds=dice.randrange(28800, 82800)
    )
    while created < at:
        sales.append(_sale(dice, person, created, at))
        if dice.random() < 0.3:
            break
        created += timedelta(days=1 + dice.expovariate(1 / 55), seconds=dice.randrange(3600))
        created = created.replace(microsecond=0)
    return sales


def _sale(dice: random.Random, person: Person, created: datetime, at: datetime) -> MiniSale:
    wanted = {goods.pick_skin(dice, person.skin_step) for _ in range(dice.choice((1, 1, 2, 3)))}
    items = [(good, dice.choice((1, 1, 1, 2))) for good in sorted(wanted)]
    total = sum(good.price * count for good, count in items)
    discount = 1000 if total >= 12900 else 0
    paid_at: datetime | None = created + timedelta(seconds=dice.randrange(5, 200))
    finished: datetime | None = created + timedelta(days=dice.randrange(4, 12), seconds=dice.randrange(86400))
    refunded = 0
    freight = 0 if total >= 5900 else 600
    status = OrderStatus.FINISHED
    chance = dice.random()
    if chance < 0.05:
        paid_at = finished = None
        status = OrderStatus.CLOSED_UNPAID if at - created > timedelta(hours=1) else OrderStatus.UNPAID
    elif chance < 0.08:
        finished, refunded, status = None, total - discount + freight, OrderStatus.CLOSED_REFUNDED
    elif chance < 0.11:
        refunded = items[0][0].price // 5
    if finished and finished > at:
        finished, refunded = None, 0
        status = OrderStatus.SHIPPED if at - created > timedelta(days=2) else OrderStatus.PAID
    if paid_at and paid_at > at:
        paid_at, status, refunded = None, OrderStatus.UNPAID, 0
    number = f"E{created:%Y%m%d%H%M%S}{dice.randrange(10**10):010d}"
    return MiniSale(number, person, created, paid_at, finished, status, items, total, discount, freight, refunded)


def _order_row(sale: MiniSale) -> list[str]:
    person = sale.person
    whole = sale.refunded and sale.refunded == sale.paid
    cells = {
        "订单号": sale.number,
        "销售渠道": "网店",
        "归属店铺": MINI,
        "订单类型": "普通订单",
        "订单状态": STATUS[sale.status],
        "订单来源": "微信小程序",
        "订单创建时间": moment(sale.created),
        "买家付款时间": moment(sale.paid_at, "-"),
        "交易成功时间": moment(sale.finished_at, "-"),
        "付款方式": "微信支付" if sale.paid_at else "",
        "商品金额合计": money(sale.goods_total),
        "运费": money(sale.freight),
        "店铺优惠合计": money(sale.discount),
        "应收订单金额": money(sale.goods_total - sale.discount + sale.freight),
        "订单实付金额": money(sale.paid),
        "支付优惠合计": "0.00",
        "订单实收金额": money(sale.paid),
        "订单抵用积分数": "0",
        "全部商品名称": ";".join(good.title for good, _ in sale.items),
        "商品种类数": str(len(sale.items)),
        "订单配送方式": "快递发货",
        "收货人省份": person.place.province,
        "收货人城市": person.place.city,
        "收货人地区": person.place.district,
        "详细收货地址/提货地址": person.detail,
        "收货人/提货人": person.name,
        "收货人手机号/提货人手机号": person.phone,
        "买家昵称": person.accounts[-1].names[-1][1] if person.kind == "mini_only" else person.name[-1] + "姐",
        "买家是否会员": "是",
        "买家手机号": person.phone,
        "订单退款状态": "全额退款" if whole else "部分退款" if sale.refunded else "",
        "订单已退款金额": money(sale.refunded),
    }
    return [cells.get(name, "") for name in columns.YOUZAN_ORDERS]


def _customer_row(dice: random.Random, person: Person, sales: list[MiniSale]) -> list[str]:
    assert person.mini_program is not None
    paid = [sale for sale in sales if sale.paid_at]
    spent, back = sum(sale.paid for sale in paid), sum(sale.refunded for sale in paid)
    tags = [goods.SKIN_STEPS[person.skin_now], person.skin_type + "肌肤"]
    if person.children:
        tags.append("二胎" if len(person.children) > 1 else "宝妈" if person.female else "宝爸")
    since = datetime.combine(person.mini_program, datetime.min.time()) + timedelta(hours=9)
    cells = {
        "客户姓名": person.name,
        "客户昵称": person.name[-1] + "姐",
        "客户手机号": person.phone,
        "客户生日": person.born.isoformat() if not person.lunar and dice.random() < 0.6 else "",
        "客户性别": "女" if person.female else "男",
        "标签": ",".join(tags),
        "是否会员": "是",
        "成长值": str(spent // 100),
        "免费等级": "VIP1",
        "客户积分": "0",  # points begin with this shop's charter, which sees the orders themselves
        "客户储值余额": "0.00",
        "消费次数": str(len(paid)),
        "消费金额": money(spent),
        "累计退款金额": money(back),
        "累计退款订单数": str(sum(1 for sale in paid if sale.refunded)),
        "笔单价": money(spent // len(paid) if paid else 0),
        "上次消费时间": moment(max((s.paid_at for s in paid if s.paid_at), default=None), "-"),
        "企微好友": "是" if dice.random() < 0.4 else "否",
        "来源渠道": "微信小程序",
        "来源方式": dice.choice(("扫码", "分享", "公众号菜单", "包裹卡")),
        "成为客户时间": moment(since),
        "成为会员时间": moment(since + timedelta(minutes=1)),
        "成为会员店铺": MINI,
        "微信地域": person.place.province,
    }
    return [cells.get(name, "") for name in columns.YOUZAN_CUSTOMERS]
