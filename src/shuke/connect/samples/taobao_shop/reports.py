"""Writes sales as Taobao's back office exported them, generation by generation. One function per report.

A report shows the world at the moment it was made: statuses, refunds and account names of that time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from shuke.engine.facts import OrderStatus
from shuke.engine.tenders import Tenders, told_together

from .. import columns
from ..sheets import write_csv, write_raw_csv, write_xlsx
from .buying import Return, Sale

SHOP = "小满母婴美肤屋"
SHOP_ID = "580012047"

STATUS = {
    OrderStatus.UNPAID: "等待买家付款",
    OrderStatus.PAID: "买家已付款，等待卖家发货",
    OrderStatus.SHIPPED: "卖家已发货，等待买家确认",
    OrderStatus.FINISHED: "交易成功",
    OrderStatus.CLOSED_UNPAID: "交易关闭",
    OrderStatus.CLOSED_REFUNDED: "交易关闭",
}


def money(fen: int) -> str:
    return f"{fen / 100:.2f}"


def moment(value: datetime | None, nothing: str = "") -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S") if value else nothing


def happened(value: datetime | None, at: datetime, nothing: str = "") -> str:
    return moment(value, nothing) if value and value <= at else nothing


def hide(text: str) -> str:
    """张** and 小***7, the way privacy rules of the newest exports blur them."""
    return text[0] + "**" if len(text) <= 3 else text[0] + "***" + text[-1]


def hide_phone(number: str) -> str:
    return number[:3] + "****" + number[-4:]


def order_cells(sale: Sale, at: datetime, *, newest: bool = False) -> dict[str, str]:
    """Everything any order report may show of a sale, by column name without the stray spaces.

    `newest`: as the exports since 2022 do, receivers may be masked or behind a virtual number.
    """
    status = sale.status_at(at)
    assert status is not None, "a report cannot show an order of the future"
    paid = sale.paid if status not in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID) else 0
    refunded = sale.refunded_at(at)
    to = sale.receiver
    name, phone, detail, virtual_until = to.name, to.phone, to.detail, ""
    if newest and sale.privacy == "masked":
        name, phone, detail = hide(name), hide_phone(phone), "***"
    elif newest and sale.privacy == "virtual":
        phone, virtual_until = sale.virtual, moment(sale.created + timedelta(days=45))
        name = hide(name)
    account = sale.account.name_at(at)
    if newest and sale.hidden_buyer:
        account = hide(account)
    address = f"{to.place.province} {to.place.city} {to.place.district} {detail}({to.place.postcode})"
    closed = status in (OrderStatus.CLOSED_UNPAID, OrderStatus.CLOSED_REFUNDED)
    finished = status == OrderStatus.FINISHED
    sent = sale.shipped_at is not None and sale.shipped_at <= at
    return {
        "订单编号": sale.number,
        "主订单编号": sale.number,
        "买家会员名": account,
        "买家会员昵称": account,
        "买家支付宝账号": hide_phone(sale.person.phone)
        if sale.account.number % 3
        else f"b{sale.account.number}@example.com",
        "支付单号": pay_number(sale) if paid else "",
        "支付详情": f"支付宝:{money(paid)}" if paid else "",
        "买家应付货款": money(sale.goods_due),
        "买家应付邮费": money(sale.freight),
        "买家支付积分": str(sale.coins),
        "总金额": money(sale.total),
        "返点积分": "0",
        "买家实际支付金额": money(paid),
        "买家实际支付积分": str(sale.coins if paid else 0),
        "订单状态": STATUS[status],
        "买家留言": sale.buyer_note,
        "收货人姓名": name,
        "收货地址": address,
        "运送方式": "快递",
        "联系电话": "",
        "联系手机": phone,
        "虚拟号过期时间": virtual_until,
        "订单创建时间": moment(sale.created),
        "订单付款时间": happened(sale.paid_at, at),
        "宝贝标题": "，".join(item.good.title for item in sale.items),
        "宝贝种类": str(len(sale.items)),
        "物流单号": ("No:" if sale.account.number % 2 else "") + sale.parcel if sent else "",
        "物流公司": sale.courier if sent else "",
        "订单备注": sale.seller_note,
        "商家备忘": sale.seller_note,
        "宝贝总数量": str(sum(item.quantity for item in sale.items)),
        "店铺Id": SHOP_ID,
        "店铺名称": SHOP,
        "订单关闭原因": sale.close_reason if closed else "订单未关闭",
        "是否手机订单": "手机订单" if sale.account.number % 10 else "",
        "退款金额": money(refunded),
        "确认收货时间": happened(sale.finished_at, at),
        "打款商家金额": f"{money(paid - refunded)}元" if finished else "0.00元",
        "发货时间": happened(sale.shipped_at, at),
        "天猫卡券抵扣": money(sale.voucher if paid else 0),
        "是否代付": "否",
    }


def tenders(sale: Sale, layout: str) -> Tenders | None:
    """How it was paid, as an order report of this generation tells it. Coins stand beside what was paid."""
    columns_of = [name.strip() for name in columns.TAOBAO_ORDERS[layout]]
    if not sale.paid:
        return None
    voucher = sale.voucher if "天猫卡券抵扣" in columns_of else 0
    rest = sale.paid - voucher if "支付详情" in columns_of else 0
    return told_together([("points", sale.coins), ("platform", voucher), ("alipay", rest)])


def pay_number(sale: Sale) -> str:
    return f"{sale.created:%Y%m%d}22001{sale.number[-15:]}"


def order_report(folder: Path, sales: Iterable[Sale], *, at: datetime, layout: str, kind: str) -> Path:
    """ExportOrderList<stamp>, newest order first as the back office lists them.

    `kind`: gbk-equals (ids as ="…"), gbk-quoted (ids as ="…" inside CSV quotes, phones with '), utf8, xlsx.
    """
    header = columns.TAOBAO_ORDERS[layout]
    newest = layout == "g4"
    shown = sorted((s for s in sales if s.created <= at), key=lambda s: (s.created, s.number), reverse=True)
    names = [name.strip() for name in header]
    rows = []
    for sale in shown:
        cells = order_cells(sale, at, newest=newest)
        rows.append([cells.get(name, "") for name in names])
    stem = f"ExportOrderList{at:%Y%m%d%H%M}"
    if kind == "xlsx":
        return write_xlsx(folder / f"{stem}.xlsx", [header, *rows], made_at=at, sheet="订单报表")
    if kind == "utf8":
        empty = "null" if layout == "g3" else ""  # one generation of the back office writes out its nothing
        places = [i for i, name in enumerate(names) if name in ("订单付款时间", "确认收货时间", "买家留言")]
        for row in rows:
            for i in places:
                row[i] = row[i] or empty
        return write_csv(folder / f"{stem}.csv", [header, *rows], made_at=at)
    phone = header.index("联系手机")
    for row in rows:
        row[phone] = "'" + row[phone]
        row[0] = f'="{row[0]}"'
    lines = [",".join(header)]
    for row in rows:
        if kind == "gbk-equals":
            lines.append(row[0] + "," + csv_line(row[1:]))
        else:
            lines.append(csv_line(row, always=True))
    return write_raw_csv(folder / f"{stem}.csv", lines, encoding="gb18030", made_at=at)


def csv_line(cells: list[str], *, always: bool = False) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="", quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL).writerow(cells)
    return text.getvalue()


def item_cells(sale: Sale, index: int, at: datetime) -> dict[str, str]:
    """Everything any item report may show of one line."""
    item = sale.items[index]
    status = sale.status_at(at)
    assert status is not None, "a report cannot show an order of the future"
    paid = status not in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
    own = [r for r in sale.returns if r.requested <= at and r.item in (index, None)]
    back = line_refund(sale, index, at)
    return {
        "订单编号": sale.number,
        "子订单编号": item.number,
        "主订单编号": sale.number,
        "标题": item.good.title,
        "商品标题": item.good.title,
        "价格": money(item.price),
        "商品价格": money(item.price),
        "购买数量": str(item.quantity),
        "外部系统编号": item.good.code,
        "商品属性": item.spec,
        "备注": sale.seller_note,
        "商家备注": sale.seller_note,
        "订单状态": STATUS[status],
        "商家编码": item.good.code,
        "支付单号": pay_number(sale) if paid else "",
        "买家应付货款": money(item.due),
        "买家实际支付金额": money(item.paid if paid else 0),
        "买家实付金额": money(item.paid if paid else 0),
        "退款状态": return_status(own[-1], at) if own else "没有申请退款",
        "退款金额": money(back) if own else "无退款申请",
        "订单创建时间": moment(sale.created),
        "订单付款时间": happened(sale.paid_at, at),
        "商品ID": item.good.item_id,
    }


def line_refund(sale: Sale, index: int, at: datetime) -> int:
    """What came back for one line. A whole order's refund is the freight too, which belongs to no line."""
    total = 0
    for one in sale.returns_at(at):
        total += one.amount if one.item == index else sale.items[index].paid if one.item is None else 0
    return total


def return_status(one: Return, at: datetime) -> str:
    if one.finished > at:
        return "买家已经申请退款，等待卖家同意"
    return "退款成功" if one.granted else "退款关闭"


def item_report(folder: Path, sales: Iterable[Sale], *, at: datetime, layout: str, kind: str) -> Path:
    """ExportOrderDetailList<stamp>. `kind`: gbk | utf8 | xlsx."""
    header = columns.TAOBAO_ITEMS[layout]
    rows = []
    for sale in sorted((s for s in sales if s.created <= at), key=lambda s: (s.created, s.number), reverse=True):
        for index in range(len(sale.items)):
            cells = item_cells(sale, index, at)
            rows.append([cells.get(name, "") for name in header])
    stem = f"ExportOrderDetailList{at:%Y%m%d%H%M}"
    if kind == "xlsx":
        return write_xlsx(folder / f"{stem}.xlsx", [header, *rows], made_at=at, sheet="宝贝报表")
    if kind == "utf8":
        return write_csv(folder / f"{stem}.csv", [header, *rows], made_at=at)
    for row in rows:
        row[0] = f'="{row[0]}"'
    lines = [",".join(header), *(csv_line(row, always=True) for row in rows)]
    return write_raw_csv(folder / f"{stem}.csv", lines, encoding="gb18030", made_at=at)


def refund_report(folder: Path, sales: Iterable[Sale], *, at: datetime) -> Path:
    """Every refund request so far, finished, under way and refused."""
    rows = []
    for sale in sales:
        for one in sale.returns:
            if one.requested > at:
                continue
            items = sale.items if one.item is None else [sale.items[one.item]]
            done = one.granted and one.finished <= at
            # A refused request was for the whole sum; the report states what was asked.
            rows.append(
                {
                    "订单编号": sale.number,
                    "退款编号": one.number,
                    "支付宝交易号": pay_number(sale),
                    "订单付款时间": moment(sale.paid_at),
                    "商家编码": items[0].good.code,
                    "退款完结时间": moment(one.finished) if one.finished <= at else "",
                    "买家会员名称": sale.account.name_at(at)
                    if not sale.hidden_buyer
                    else hide(sale.account.name_at(at)),
                    "买家实际支付金额": money(sale.paid),
                    "宝贝标题": "，".join(item.good.title for item in items),
                    "买家退款金额": money(one.amount),
                    "手工退款/系统退款": "手工退款" if one.goods_back or not done else "系统退款",
                    "是否需要退货": "需要退货" if one.goods_back else "不需要退货",
                    "退款的申请时间": moment(one.requested),
                    "超时时间": moment(one.requested + timedelta(days=7)),
                    "退款状态": return_status(one, at),
                    "货物状态": "买家已退货"
                    if one.goods_back
                    else "买家未收到货"
                    if sale.shipped_at is None
                    else "买家已收到货",
                }
            )
    rows.sort(key=lambda row: (row["退款的申请时间"], row["退款编号"]), reverse=True)
    body = [[row[name] for name in columns.TAOBAO_REFUNDS] for row in rows]
    return write_xlsx(
        folder / f"ExportRefundList{at:%Y%m%d%H%M}.xlsx", [columns.TAOBAO_REFUNDS, *body], made_at=at, sheet="退款报表"
    )
