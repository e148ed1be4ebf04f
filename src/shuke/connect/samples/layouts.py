"""One small made-up file of every layout we read: examples for sellers to download, and food for tests.

    made = write(folder, "douyin-orders", at=datetime(2026, 1, 1))     # → Made(path, numbers, paid)
    everything = write_all(folder, at=…)

`at` is naive Chinese time: the moment the file pretends to have been exported. `CATALOGUE` lists the keys with a
title in both languages. To add a layout: its header goes to `columns`, its row factory to `rows`, a line here.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from shuke.engine.tenders import Tenders

from . import abroad, columns, rows
from .rows import Basket
from .sheets import Row, write_csv, write_xlsx
from .taobao_shop import pools, reports
from .taobao_shop.buying import Sale, Trade
from .taobao_shop.people import Census


class Layout(NamedTuple):
    key: str
    english: str
    chinese: str
    file: str


class Made(NamedTuple):
    """A written sample. `numbers` are the order numbers (or card, phone, e-mail of customers) that must be read from
    it, `paid` what each order's buyer paid in minor units (empty where the layout does not say)."""

    path: Path
    numbers: tuple[str, ...]
    paid: tuple[int, ...] = ()
    tenders: tuple[Tenders | None, ...] = ()  # how they were paid, as the layout tells it


CATALOGUE = (
    Layout("taobao-orders-g0", "Taobao orders, 2012", "淘宝订单报表 2012 版", "淘宝订单2012.csv"),
    Layout("taobao-orders-g1", "Taobao orders, 2016", "淘宝订单报表 2016 版", "淘宝订单2016.csv"),
    Layout("taobao-orders-g2", "Taobao orders, 2018", "淘宝订单报表 2018 版", "淘宝订单2018.csv"),
    Layout("taobao-orders-g2-payment", "Taobao orders, 2018 with payment", "淘宝订单报表 2018 版（含支付单号）", "淘宝订单2018支付.csv"),
    Layout("taobao-orders-g3", "Taobao orders, 2020", "淘宝订单报表 2020 版", "淘宝订单2020.csv"),
    Layout("taobao-orders-g3-extra", "Taobao orders, 2020 with cash-back", "淘宝订单报表 2020 版（含返现）", "淘宝订单2020返现.csv"),
    Layout("taobao-orders-g4", "Taobao orders, since 2022", "淘宝订单报表 2022 版", "淘宝订单2022.xlsx"),
    Layout("taobao-items-old", "Taobao items, old", "淘宝宝贝报表 旧版", "淘宝宝贝旧版.csv"),
    Layout("taobao-items-2022", "Taobao items, 2022", "淘宝宝贝报表 2022 版", "淘宝宝贝2022.csv"),
    Layout("taobao-items-new", "Taobao items, newest", "淘宝宝贝报表 新版", "淘宝宝贝新版.xlsx"),
    Layout("taobao-refunds", "Taobao refunds", "淘宝退款报表", "淘宝退款.xlsx"),
    Layout("taobao-simple", "Taobao orders from a third-party tool", "第三方工具导出的淘宝订单", "淘宝订单简版.csv"),
    Layout("pinduoduo-orders", "Pinduoduo orders (goods only)", "拼多多订单（仅商品统计）", "拼多多订单.csv"),
    Layout("douyin-orders", "Douyin shop orders", "抖店订单", "抖店订单.csv"),
    Layout("jd-orders", "JD orders", "京东订单", "京东订单.csv"),
    Layout("youzan-orders", "Youzan orders", "有赞订单", "有赞订单.csv"),
    Layout("youzan-customers", "Youzan customers", "有赞客户", "有赞客户.xlsx"),
    Layout("1688-orders", "1688 orders", "1688 订单", "1688订单.xlsx"),
    Layout("shopify-orders", "Shopify orders", "Shopify 订单", "shopify_orders.csv"),
    Layout("shopify-customers", "Shopify customers", "Shopify 客户", "shopify_customers.csv"),
    Layout("woocommerce-orders", "WooCommerce orders", "WooCommerce 订单", "woocommerce_orders.csv"),
    Layout("plain-orders", "Plain table of purchases", "自制消费记录表", "消费记录.csv"),
    Layout("plain-members", "Plain table of members", "自制会员登记表", "会员登记表.csv"),
)  # fmt: skip
BY_KEY = {layout.key: layout for layout in CATALOGUE}


def write(folder: Path, key: str, *, at: datetime, seed: int = 1, count: int = 12) -> Made:
    """Writes one sample with `count` orders or customers. KeyError for a key that is not in CATALOGUE."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / BY_KEY[key].file
    dice = random.Random(f"{seed}/{key}")
    if key.startswith("taobao-") and key != "taobao-simple":
        return _taobao(path, key, dice, at, count)
    baskets = [rows.basket(dice, at, serial) for serial in range(count)]
    if key in ("shopify-orders", "shopify-customers", "woocommerce-orders"):
        baskets = [abroad.american(dice, basket) for basket in baskets]
    if key == "pinduoduo-orders":  # one product per order
        baskets = [rows.single(basket) for basket in baskets]
    header, factory = FACTORIES[key]
    table: list[Row] = [header]
    for basket in baskets:
        table += factory(basket)
    if path.suffix == ".xlsx":
        write_xlsx(path, table, made_at=at)
    else:
        # Shopify and WooCommerce write UTF-8 without a mark; the Chinese platforms put one for Excel, JD writes GBK.
        plain = key.split("-")[0] in ("shopify", "woocommerce")
        write_csv(
            path, table, encoding="utf-8" if plain else "gb18030" if key == "jd-orders" else "utf-8-sig", made_at=at
        )
    named = rows.NAMED_BY.get(key, lambda basket: basket.number)
    paid = () if key.endswith(("customers", "members")) else tuple(rows.paid(basket) for basket in baskets)
    tenders = tuple(rows.tenders(key, basket) for basket in baskets) if paid else ()
    return Made(path, tuple(named(basket) for basket in baskets), paid, tenders)


def write_all(folder: Path, *, at: datetime, seed: int = 1, count: int = 12) -> dict[str, Made]:
    return {layout.key: write(folder, layout.key, at=at, seed=seed, count=count) for layout in CATALOGUE}


FACTORIES: dict[str, tuple[tuple[str, ...], Callable[[Basket], list[Row]]]] = {
    "taobao-simple": (columns.TAOBAO_SIMPLE, rows.taobao_simple),
    "pinduoduo-orders": (columns.PINDUODUO, rows.pinduoduo),
    "douyin-orders": (columns.DOUYIN, rows.douyin),
    "jd-orders": (columns.JD, rows.jd),
    "youzan-orders": (columns.YOUZAN_ORDERS, rows.youzan_order),
    "youzan-customers": (columns.YOUZAN_CUSTOMERS, rows.youzan_customer),
    "1688-orders": (columns.ALIBABA_1688, rows.alibaba_1688),
    "shopify-orders": (columns.SHOPIFY_ORDERS, abroad.shopify_order),
    "shopify-customers": (columns.SHOPIFY_CUSTOMERS, abroad.shopify_customer),
    "woocommerce-orders": (columns.WOOCOMMERCE, abroad.woocommerce),
    "plain-orders": (columns.PLAIN_ORDERS, rows.plain_order),
    "plain-members": (columns.PLAIN_MEMBERS, rows.plain_member),
}


def _taobao(path: Path, key: str, dice: random.Random, at: datetime, count: int) -> Made:
    """The Taobao reports come from the made-up shop's own pen, so that they carry its oddities."""
    sales = small_trade(dice, at=at, count=count)
    what = key.removeprefix("taobao-")
    if what.startswith("orders-"):
        layout = what.removeprefix("orders-")
        kind = {"g0": "gbk-equals", "g3": "utf8", "g3-extra": "utf8", "g4": "xlsx"}.get(layout, "gbk-quoted")
        made = reports.order_report(path.parent, sales, at=at, layout=layout, kind=kind)
    elif what.startswith("items-"):
        kind = {"items-old": "gbk", "items-2022": "utf8", "items-new": "xlsx"}[what]
        made = reports.item_report(path.parent, sales, at=at, layout=what, kind=kind)
    else:
        made = reports.refund_report(path.parent, sales, at=at)
        made.replace(path)
        return Made(path, tuple(one.number for sale in sales for one in sale.returns if one.requested <= at))
    made.replace(path)
    paid = tuple(sale.paid for sale in sales) if what.startswith("orders-") else ()
    tenders = tuple(reports.tenders(sale, what.removeprefix("orders-")) for sale in sales) if paid else ()
    return Made(path, tuple(sale.number for sale in sales), paid, tenders)


def small_trade(dice: random.Random, *, at: datetime, count: int) -> list[Sale]:
    """`count` sales of as many people in the 60 days before `at`; every third one has a refund story."""
    start = (at - timedelta(days=60)).date()
    trade = Trade(dice, start, at)
    census = Census(dice, start, at.date())
    sales: list[Sale] = []
    while len(sales) < count:
        person = census.person(len(sales) + 1, "regular", start)
        sale = trade.sale(person, trade.moment_on(dice.randrange(0, 25)), person.skin_step)
        if len(sales) % 3 == 0 and not (sale.returns and sale.returns[0].granted):
            continue
        chance = dice.random()
        sale.privacy = "masked" if chance < 0.3 else "virtual" if chance < 0.5 else ""
        sale.voucher = 400 if len(sales) % 4 == 1 else 0
        sale.virtual = f"{pools.phone(dice)}-{dice.randrange(10000):04d}"
        sales.append(sale)
    return sorted(sales, key=lambda sale: (sale.created, sale.number), reverse=True)
