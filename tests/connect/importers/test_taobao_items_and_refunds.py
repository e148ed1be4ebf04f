"""The item report (several rows per order) and the refund report."""

from __future__ import annotations

import pytest

from shuke.connect import importers
from shuke.connect.samples import columns
from shuke.engine.facts import Line, LineBack, Order, OrderStatus, Refund
from tests.connect.importers.making import csv_file, facts, orders, refunds, shanghai, table, told, xlsx_file

OLD = {
    "订单编号": "160500000000000001", "标题": "燕麦洁面乳，温和", "价格": "44.00", "购买数量": "2", "外部系统编号": "W-1",
    "商品属性": "规格:100ml", "订单状态": "交易成功", "商家编码": "OAT-100",
}  # fmt: skip
NEW = {
    "子订单编号": "160500000000000011", "主订单编号": "160500000000000001", "标题": "燕麦洁面乳，温和", "价格": "44.00", "购买数量": "2",
    "商品属性": "规格:100ml", "订单状态": "交易成功", "商家编码": "OAT-100", "买家实际支付金额": "80.00", "退款状态": "没有申请退款",
    "退款金额": "无退款申请", "订单创建时间": "2022-05-01 12:00:00", "订单付款时间": "2022-05-01 12:01:00",
}  # fmt: skip


def test_the_old_report_gives_lines_and_leaves_the_order_unsaid(tmp_path):
    path = csv_file(
        tmp_path / "f.csv",
        table(columns.ITEMS_OLD, OLD, {**OLD, "标题": "雨鞋", "价格": "20", "购买数量": "1", "商家编码": "R"}),
    )
    assert importers.recognise_file(path)[:2] == ("taobao.items", "old")
    assert orders(path) == [
        Order(
            "taobao", "", "160500000000000001", OrderStatus.FINISHED,
            lines=(
                Line("燕麦洁面乳，温和", 2000, 8800, "OAT-100", "W-1", "规格:100ml", price_minor=4400),
                Line("雨鞋", 1000, 2000, "R", "W-1", "规格:100ml", price_minor=2000),
            ),
        )
    ]  # fmt: skip


def test_the_report_of_2022_knows_sub_orders_what_was_paid_and_given_back(tmp_path):
    other = {
        **NEW,
        "子订单编号": "160500000000000012",
        "买家实际支付金额": "20",
        "价格": "20",
        "购买数量": "1",
        "退款状态": "退款成功",
        "退款金额": "20.00",
    }
    path = csv_file(tmp_path / "f.csv", table(columns.ITEMS_2022, NEW, other), encoding="utf-8-sig")
    assert importers.recognise_file(path)[:2] == ("taobao.items", "2022")
    assert orders(path) == [
        Order(
            "taobao", "", "160500000000000001", OrderStatus.FINISHED, shanghai(2022, 5, 1, 12, 0), shanghai(2022, 5, 1, 12, 1),
            refunded_minor=2000,
            lines=(
                Line("燕麦洁面乳，温和", 2000, 8000, "OAT-100", "", "规格:100ml", price_minor=4400, discount_minor=800, sub_number="160500000000000011"),
                Line("燕麦洁面乳，温和", 1000, 2000, "OAT-100", "", "规格:100ml", price_minor=2000, sub_number="160500000000000012", refunded_minor=2000),
            ),
        )
    ]  # fmt: skip


def test_the_newest_names_are_understood(tmp_path):
    row = {**{k: v for k, v in NEW.items() if k not in ("标题", "价格", "买家实际支付金额", "商家编码")},
           "商品标题": "燕麦洁面乳，温和", "商品价格": "44.00", "买家实付金额": "80.00", "商品ID": "700001", "商家备注": "刷单"}  # fmt: skip
    path = xlsx_file(tmp_path / "f.xlsx", table(columns.ITEMS_NEW, row))
    assert importers.recognise_file(path)[:2] == ("taobao.items", "newest")
    found = orders(path)[0]
    assert found.lines is not None
    assert (found.lines[0].title, found.lines[0].product_code, found.excluded) == (
        "燕麦洁面乳，温和",
        "700001",
        "brushing",
    )


def test_a_refund_asked_for_is_not_one_given(tmp_path):
    row = {**NEW, "退款状态": "退款中", "退款金额": "80.00"}
    found = orders(csv_file(tmp_path / "f.csv", table(columns.ITEMS_2022, row)))[0]
    assert found.lines is not None
    assert (found.lines[0].refunded_minor, found.refunded_minor) == (0, 0)


def test_an_order_takes_the_status_of_its_line_that_is_furthest_behind(tmp_path):
    rows = [{**NEW, "订单状态": word} for word in ("交易关闭", "卖家已发货,等待买家确认", "交易成功")]
    assert orders(csv_file(tmp_path / "f.csv", table(columns.ITEMS_2022, *rows)))[0].status is OrderStatus.SHIPPED


def test_the_old_report_cannot_tell_whether_a_closed_order_was_paid(tmp_path):
    assert (
        orders(csv_file(tmp_path / "f.csv", table(columns.ITEMS_OLD, {**OLD, "订单状态": "交易关闭"})))[0].status
        is None
    )
    closed = {**NEW, "订单状态": "交易关闭"}
    assert (
        orders(csv_file(tmp_path / "g.csv", table(columns.ITEMS_2022, closed)))[0].status is OrderStatus.CLOSED_REFUNDED
    )
    unpaid = {**closed, "订单付款时间": ""}
    assert (
        orders(csv_file(tmp_path / "h.csv", table(columns.ITEMS_2022, unpaid)))[0].status is OrderStatus.CLOSED_UNPAID
    )


def test_rows_of_one_order_need_not_be_neighbours(tmp_path):
    rows = [{**OLD, "订单编号": number} for number in ("101", "102", "101", "103", "102")]
    found = orders(csv_file(tmp_path / "f.csv", table(columns.ITEMS_OLD, *rows)))
    assert sorted((order.number, len(order.lines or ())) for order in found) == [("101", 2), ("102", 2), ("103", 1)]


def test_rows_torn_far_apart_are_refused_rather_than_halved(tmp_path):
    rows = [{**OLD, "订单编号": str(number)} for number in (1, *range(100, 2200), 1)]
    path = csv_file(tmp_path / "f.csv", table(columns.ITEMS_OLD, *rows))
    assert told(path) == [("order_scattered", 2103, "")]
    assert len(orders(path)) == 2101


def test_one_bad_row_keeps_its_whole_order_out(tmp_path):
    path = csv_file(
        tmp_path / "f.csv", table(columns.ITEMS_OLD, OLD, {**OLD, "价格": "dear"}, {**OLD, "订单编号": "7"})
    )
    assert told(path) == [("bad_money", 3, "价格"), ("with_rejected_row", 2, "")]
    assert [order.number for order in orders(path)] == ["7"]


def test_order_and_item_report_of_one_upload_come_out_for_the_same_shop(tmp_path):
    head = {"订单编号": "160500000000000001", "买家会员名": "小熊妈妈", "总金额": "88", "买家实际支付金额": "88", "订单状态": "交易成功",
            "订单创建时间": "2016-05-01 12:00:00", "订单付款时间": "2016-05-01 12:00:00", "店铺名称": "小满铺"}  # fmt: skip
    one = csv_file(tmp_path / "ExportOrderList.csv", table(columns.G1, head))
    two = csv_file(tmp_path / "ExportOrderDetailList.csv", table(columns.ITEMS_OLD, OLD))
    assert importers.recognise_file(one).shop == "小满铺"
    found = orders([two, one])
    assert [(order.shop, order.number, order.lines is None, order.person is None) for order in found] == [
        ("小满铺", "160500000000000001", False, True),
        ("小满铺", "160500000000000001", True, False),
    ]


def test_where_two_shops_are_named_no_third_file_is_given_to_either(tmp_path):
    named = [
        csv_file(tmp_path / f"{shop}.csv", table(columns.G1, {"订单编号": "1", "总金额": "8", "订单状态": "等待买家付款", "店铺名称": shop,
                                                            "订单创建时间": "2016-05-01 12:00:00"}))
        for shop in ("小满铺", "大满铺")
    ]  # fmt: skip
    items = csv_file(tmp_path / "items.csv", table(columns.ITEMS_OLD, OLD))
    assert [order.shop for order in orders([*named, items])] == ["小满铺", "大满铺", ""]
    assert [order.shop for order in orders([items], shops={"taobao": "小满铺"})] == ["小满铺"]
    assert [order.shop for order in orders([items], shops={"taobao": "小满铺"}, platform="tmall")] == ["小满铺"]


REFUND = {
    "订单编号": "160500000000000001", "退款编号": "900000000001", "退款完结时间": "2016-05-09 10:00:00", "买家会员名称": "小熊妈妈",
    "买家实际支付金额": "94.00", "宝贝标题": "燕麦洁面乳", "买家退款金额": "20.00", "手工退款/系统退款": "系统退款",
    "退款的申请时间": "2016-05-07 10:00:00", "退款状态": "退款成功", "商家编码": "OAT-100",
}  # fmt: skip


def test_a_refund_document_is_read_whole(tmp_path):
    path = xlsx_file(tmp_path / "f.xlsx", table(columns.TAOBAO_REFUNDS, REFUND))
    assert importers.recognise_file(path).layout == "taobao.refunds"
    assert facts(path) == [
        Refund(
            "taobao", "", "160500000000000001", "900000000001", 2000, shanghai(2016, 5, 9, 10, 0), shanghai(2016, 5, 7, 10, 0), True,
            "退款成功", lines=(LineBack(product_code="OAT-100"),),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "done"),
    [("退款成功", True), ("退款关闭", False), ("卖家拒绝退款", False), ("退款处理中", False), ("", True)],
)
def test_only_finished_refunds_count(tmp_path, status, done):
    found = refunds(csv_file(tmp_path / "f.csv", table(columns.TAOBAO_REFUNDS, {**REFUND, "退款状态": status})))[0]
    assert (found.done, found.finished_at is not None) == (done, done)


def test_a_refund_without_amount_or_with_a_lost_number_is_refused(tmp_path):
    rows = [{**REFUND, "买家退款金额": ""}, {**REFUND, "退款编号": "9E+11"}, {**REFUND, "订单编号": "1.6E+17"}]
    path = csv_file(tmp_path / "f.csv", table(columns.TAOBAO_REFUNDS, *rows))
    assert told(path) == [("amount_missing", 2, "买家退款金额"), ("lost_id", 3, "退款编号"), ("lost_id", 4, "订单编号")]
