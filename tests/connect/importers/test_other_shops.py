"""JD, Pinduoduo, Douyin, Youzan, 1688, Shopify, WooCommerce: one ugly file each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shuke.connect import importers
from shuke.connect.samples import columns
from shuke.engine.facts import Address, Birthday, Claim, IdentityKind, Line, Order, OrderStatus, Person, Phone
from tests.connect.importers.making import csv_file, orders, people, shanghai, table, told, xlsx_file

PHONE, EMAIL, NICKNAME, PLATFORM_ID, HINT = (
    IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.NICKNAME, IdentityKind.PLATFORM_ID, IdentityKind.NAME_ADDRESS,
)  # fmt: skip


def claims(order: Order) -> tuple[Claim, ...]:
    assert order.person is not None
    return order.person.claims


# --- JD

JD = {
    "订单号": "270000000001", "商品ID": "10001", "商品名称": "瓷杯", "货号": "CUP", "订购数量": "2", "下单时间": "2023-03-01 10:00:00",
    "京东价": "30.00", "订单金额": "66.00", "结算金额": "60.00", "余额支付": "0.00", "应付金额": "60.00", "运费金额": "6.00",
    "订单状态": "完成", "下单帐号": "jd_lin", "客户姓名": "林小满", "客户地址": "浙江杭州市西湖区梧桐弄12号", "联系电话": "186****0001",
    "付款确认时间": "2023-03-01 10:01:00", "订单完成时间": "2023-03-05 09:00:00", "商家备注等级（等级1-5为由高到低）": "3",
}  # fmt: skip


def test_jd_rows_of_one_order_become_one_order(tmp_path):
    header = [name.replace("（", "(").replace("）", ")") for name in columns.JD]
    second = {**JD, "商品ID": "10002", "商品名称": "瓷盘", "货号": "", "订购数量": "1", "京东价": "10.00"}
    rows = [{key.replace("（", "(").replace("）", ")"): value for key, value in row.items()} for row in (JD, second)]
    path = csv_file(tmp_path / "f.csv", table(header, *rows))
    assert importers.recognise_file(path)[:1] == ("jd.orders",)
    assert importers.recognise_file(path).unknown == ()
    assert orders(path) == [
        Order(
            "jd", "", "270000000001", OrderStatus.FINISHED, shanghai(2023, 3, 1, 10, 0), shanghai(2023, 3, 1, 10, 1),
            finished_at=shanghai(2023, 3, 5, 9, 0), goods_minor=7000, discount_minor=1600, freight_minor=600, paid_minor=6000,
            lines=(
                Line("瓷杯", 2000, 6000, "CUP", "10001", price_minor=3000),
                Line("瓷盘", 1000, 1000, "10002", "10002", price_minor=1000),
            ),
            person=Person(
                (Claim(NICKNAME, "jd_lin", "jd"),), "林小满", "jd_lin", (Phone("186****0001", masked=True),), "",
                Address("浙江杭州市西湖区梧桐弄12号"),
            ),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "paid", "status"),
    [
        ("(删除)等待付款", "", OrderStatus.CLOSED_UNPAID),
        ("（删除）等待出库", "2023-03-01 10:01:00", OrderStatus.CLOSED_REFUNDED),
        ("(锁定)等待出库", "2023-03-01 10:01:00", OrderStatus.PAID),
        ("等待确认收货", "2023-03-01 10:01:00", OrderStatus.SHIPPED),
        ("已取消", "", OrderStatus.CLOSED_UNPAID),
    ],
)
def test_jd_states(tmp_path, word, paid, status):
    path = csv_file(tmp_path / "f.csv", table(columns.JD, {**JD, "订单状态": word, "付款确认时间": paid}))
    assert orders(path)[0].status is status


# --- Pinduoduo

PDD = {
    "商品": "瓷杯，白色", "订单号": "230301-123456789012345", "订单状态": "已发货，待收货", "商品总价(元)": "60.00", "邮费(元)": "6.00",
    "店铺优惠折扣(元)": "5.00", "平台优惠折扣(元)": "1.00", "用户实付金额(元)": "60.00", "商家实收金额(元)": "61.00", "商品数量(件)": "2",
    "发货时间": "2023-03-02 10:00:00\t", "确认收货时间": "", "商品id": "5001", "商品规格": "白", "样式ID": "9", "商家编码-规格维度": "CUP-W",
    "商家编码-商品维度": "CUP", "售后状态": "无售后或售后取消", "订单成交时间": "2023-03-01 10:00:00",
}  # fmt: skip


def test_pinduoduo_knows_goods_and_nobody(tmp_path):
    path = csv_file(tmp_path / "f.csv", table(columns.PINDUODUO, PDD), encoding="utf-8-sig")
    assert orders(path) == [
        Order(
            "pinduoduo", "", "230301-123456789012345", OrderStatus.SHIPPED, shanghai(2023, 3, 1, 10, 0), shanghai(2023, 3, 1, 10, 0),
            shanghai(2023, 3, 2, 10, 0), goods_minor=6000, discount_minor=600, freight_minor=600, paid_minor=6000,
            lines=(Line("瓷杯，白色", 2000, 5400, "CUP", "CUP-W", "白", price_minor=3000, discount_minor=600),), person=None,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "after", "status"),
    [
        ("已取消", "", OrderStatus.CLOSED_UNPAID),
        ("待支付", "", OrderStatus.UNPAID),
        ("已发货，退款成功", "退款成功", OrderStatus.CLOSED_REFUNDED),
        ("未发货，退款成功", "", OrderStatus.CLOSED_REFUNDED),
        ("待发货", "", OrderStatus.PAID),
        ("已收货", "", OrderStatus.FINISHED),
    ],
)
def test_pinduoduo_states(tmp_path, word, after, status):
    path = csv_file(tmp_path / "f.csv", table(columns.PINDUODUO, {**PDD, "订单状态": word, "售后状态": after}))
    found = orders(path)[0]
    assert (found.status, found.paid_minor == 0) == (status, status in (OrderStatus.CLOSED_UNPAID, OrderStatus.UNPAID))


@pytest.mark.parametrize(
    ("paid", "status", "money"),
    [("", OrderStatus.CLOSED_UNPAID, (0, None)), ("2023-03-01 10:00:05", OrderStatus.CLOSED_REFUNDED, (6000, 6000))],
)
def test_pinduoduo_cancelled_after_payment_is_a_purchase_and_its_refund(tmp_path, paid, status, money):
    row = {**PDD, "订单状态": "已取消", "支付时间": paid}
    found = orders(csv_file(tmp_path / "f.csv", table([*columns.PINDUODUO, "支付时间"], row)))[0]
    assert (found.status, (found.paid_minor, found.refunded_minor)) == (status, money)


def test_pinduoduos_buyer_phone_is_nobody_and_leaves_no_trace(tmp_path):
    header = [*columns.PINDUODUO, "用户购买手机号"]
    path = csv_file(
        tmp_path / "f.csv", table(header, {**PDD, "用户购买手机号": "18600000001", "商品总价(元)": "x"}, PDD)
    )
    assert "18600000001" not in repr(list(importers.read(path)))
    assert orders(path)[0].person is None


# --- Douyin

DOUYIN = {
    "主订单编号": "5000000000000000001", "子订单编号": "5000000000000000001", "选购商品": "瓷杯", "商品规格": "白", "商品数量": "2",
    "商品ID": "3001", "商家编码": "CUP", "商品单价": "30.00", "订单应付金额": "61.00", "运费": "6.00", "优惠总金额": "5.00",
    "收件人": "林小满", "收件人手机号": "18600000001", "省": "浙江省", "市": "杭州市", "区": "西湖区", "街道": "文新街道", "详细地址": "梧桐弄12号",
    "订单提交时间": "2023-03-01 10:00:00", "支付完成时间": "2023-03-01 10:01:00", "订单完成时间": "2023-03-09 10:00:00",
    "订单状态": "已完成", "售后状态": "-", "流量来源": "直播",
}  # fmt: skip


def test_douyin_sub_orders_with_tabs_become_one_order_and_the_phone_is_who_it_is(tmp_path):
    other = {**DOUYIN, "子订单编号": "5000000000000000002", "选购商品": "瓷盘", "商家编码": "", "商品数量": "1", "商品单价": "10.00",
             "订单应付金额": "10.00", "运费": "0", "优惠总金额": "0", "售后状态": "退款成功"}  # fmt: skip
    rows = [[cell + "\t" if cell else cell for cell in row] for row in table(columns.DOUYIN, DOUYIN, other)[1:]]
    path = csv_file(tmp_path / "f.csv", [columns.DOUYIN, *rows], encoding="utf-8-sig")
    assert orders(path) == [
        Order(
            "douyin", "", "5000000000000000001", OrderStatus.FINISHED, shanghai(2023, 3, 1, 10, 0), shanghai(2023, 3, 1, 10, 1),
            finished_at=shanghai(2023, 3, 9, 10, 0), goods_minor=7000, discount_minor=500, freight_minor=600, paid_minor=7100,
            refunded_minor=1000,
            lines=(
                Line("瓷杯", 2000, 5500, "CUP", "3001", "白", price_minor=3000, discount_minor=500, sub_number="5000000000000000001"),
                Line("瓷盘", 1000, 1000, "3001", "3001", "白", price_minor=1000, sub_number="5000000000000000002", refunded_minor=1000),
            ),
            person=Person(
                (Claim(PHONE, "+8618600000001"),), "林小满", "", (Phone("+8618600000001"),), "",
                Address("梧桐弄12号", "浙江省", "杭州市", "西湖区", "文新街道"),
            ),
            channel="直播",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("written", ["18400000001-7576", "186****0001"])
def test_douyins_virtual_and_masked_numbers_are_nobody(tmp_path, written):
    found = orders(
        csv_file(tmp_path / "f.csv", table(columns.DOUYIN, {**DOUYIN, "收件人手机号": written, "收件人": "林*"}))
    )[0]
    assert claims(found) == ()
    assert found.person is not None
    assert [(phone.virtual, phone.masked) for phone in found.person.phones] == [("-" in written, "*" in written)]


def test_douyin_closed_orders(tmp_path):
    never = {**DOUYIN, "订单状态": "已关闭", "支付完成时间": "", "订单完成时间": "", "取消原因": "超时未支付"}
    back = {**DOUYIN, "主订单编号": "6", "订单状态": "已关闭", "售后状态": "退款成功"}
    path = csv_file(tmp_path / "f.csv", table(columns.DOUYIN, never, back))
    assert [(o.status, o.paid_minor, o.refunded_minor, o.close_reason) for o in orders(path)] == [
        (OrderStatus.CLOSED_UNPAID, 0, 0, "超时未支付"),
        (OrderStatus.CLOSED_REFUNDED, 6100, 6100, None),
    ]


def test_a_sub_order_never_paid_is_no_part_of_the_purchase(tmp_path):
    never = {**DOUYIN, "子订单编号": "5000000000000000009", "订单状态": "已关闭", "支付完成时间": ""}
    found = orders(csv_file(tmp_path / "f.csv", table(columns.DOUYIN, DOUYIN, never)))[0]
    assert (found.status, found.paid_minor, len(found.lines or ())) == (OrderStatus.FINISHED, 6100, 1)


# --- Youzan

YOUZAN = {
    "订单号": "E2023030110000000001", "归属店铺": "总店", "订单状态": "已完成", "订单创建时间": "2023-03-01 10:00:00", "买家付款时间": "2023-03-01 10:01:00",
    "交易成功时间": "2023-03-09 10:00:00", "商品金额合计": "60.00", "运费": "6.00", "店铺优惠合计": "5.00", "支付优惠合计": "1.00",
    "订单实付金额": "60.00", "全部商品名称": "瓷杯;瓷盘", "收货人省份": "浙江省", "收货人城市": "杭州市", "收货人地区": "西湖区",
    "详细收货地址/提货地址": "梧桐弄12号", "收货人/提货人": "林小满", "收货人手机号/提货人手机号": "13900000002", "买家昵称": "满满",
    "买家手机号": "18600000001", "下单网点": "一号店", "销售导购": "小周", "订单已退款金额": "10.00", "销售渠道": "网店",
}  # fmt: skip


def test_youzans_buyer_phone_is_a_verified_identity_and_the_nickname_none(tmp_path):
    path = csv_file(tmp_path / "f.csv", table(columns.YOUZAN_ORDERS, YOUZAN), encoding="utf-8-sig")
    assert importers.recognise_file(path).layout == "youzan.orders"
    assert orders(path) == [
        Order(
            "youzan", "总店", "E2023030110000000001", OrderStatus.FINISHED, shanghai(2023, 3, 1, 10, 0), shanghai(2023, 3, 1, 10, 1),
            finished_at=shanghai(2023, 3, 9, 10, 0), goods_minor=6000, discount_minor=600, freight_minor=600, paid_minor=6000,
            refunded_minor=1000,
            person=Person(
                (Claim(PHONE, "+8618600000001", "", True),), "林小满", "满满",
                (Phone("+8618600000001", "buyer"), Phone("+8613900000002")), "", Address("梧桐弄12号", "浙江省", "杭州市", "西湖区"),
            ),
            store_code="一号店", channel="网店", staff_code="小周",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("branch", "outlet", "chosen", "shop", "store"),
    [
        ("总店", "", "", "总店", ""),  # the shop on Youzan is no street store
        ("总店", "", "总店", "总店", ""),
        ("总店", "总店", "总店", "总店", ""),
        ("总店", "一号店", "总店", "总店", "一号店"),
        ("浦东分店", "", "总店", "总店", "浦东分店"),  # the head office's export
        ("", "", "总店", "总店", ""),
    ],
)
def test_youzans_own_shop_is_no_store_of_its_own(tmp_path, branch, outlet, chosen, shop, store):
    row = {**YOUZAN, "归属店铺": branch, "下单网点": outlet}
    found = orders(csv_file(tmp_path / "f.csv", table(columns.YOUZAN_ORDERS, row)), shop=chosen)
    assert [(order.shop, order.store_code) for order in found] == [(shop, store)]


def test_a_column_name_that_occurs_twice_is_taken_by_position(tmp_path):
    assert columns.YOUZAN_ORDERS.count("分销员") == 2
    path = csv_file(tmp_path / "f.csv", table(columns.YOUZAN_ORDERS, YOUZAN))
    assert len(importers.recognise_file(path).columns) == len(columns.YOUZAN_ORDERS)
    assert orders(path)[0].staff_code == "小周"


def test_youzan_closed_orders(tmp_path):
    never = {**YOUZAN, "订单状态": "已关闭", "买家付款时间": "-", "订单已退款金额": ""}
    back = {**YOUZAN, "订单状态": "已关闭", "订单已退款金额": ""}
    path = csv_file(tmp_path / "f.csv", table(columns.YOUZAN_ORDERS, never, back))
    assert [(o.status, o.paid_minor, o.refunded_minor) for o in orders(path)] == [
        (OrderStatus.CLOSED_UNPAID, 0, None),
        (OrderStatus.CLOSED_REFUNDED, 6000, 6000),
    ]


def test_youzan_customers(tmp_path):
    row = {"客户姓名": "林小满", "客户昵称": "满满", "客户手机号": "18600000001", "客户生日": "1990-02-03", "客户性别": "女", "标签": "宝妈",
           "成长值": "120", "客户积分": "1,080", "来源渠道": "小程序", "成为客户时间": "2022-01-01 10:00:00",
           "成为会员时间": "2022-02-01 10:00:00", "成为会员店铺": "总店", "客户储值余额": "0.00"}  # fmt: skip
    masked = {**row, "客户手机号": "186******01"}
    path = xlsx_file(tmp_path / "f.xlsx", table(columns.YOUZAN_CUSTOMERS, row, masked))
    assert people(path) == [
        Person(
            (Claim(PHONE, "+8618600000001", "", True),), "林小满", "满满", (Phone("+8618600000001", "member"),), "", None, "f",
            Birthday(1990, 2, 3), (("tags", "宝妈"),), (), shanghai(2022, 2, 1, 10, 0), "总店", "小程序", "", 1080, 120, "youzan",
        )
    ]  # fmt: skip
    assert told(path) == [("nobody", 3, "客户手机号")]


# --- 1688


def test_1688_repeats_no_order_cells(tmp_path):
    first = {"订单编号": "16880001", "买家公司名": "杭州某记", "买家会员名": "linxiaoman", "卖家会员名": "我们", "货品总价(元)": "70.00",
             "运费(元)": "6.00", "涨价或折扣(元)": "-5.00", "实付款(元)": "71.00", "订单状态": "交易成功", "订单创建时间": "2023-03-01 10:00:00",
             "订单付款时间": "2023-03-01 10:01:00", "收货人姓名": "林小满", "联系手机": "18600000001", "货品标题": "瓷杯", "单价(元)": "30.00",
             "数量": "2"}  # fmt: skip
    more = {"货品标题": "瓷盘", "单价(元)": "10.00", "数量": "1"}
    path = xlsx_file(tmp_path / "f.xlsx", table(columns.ALIBABA_1688, first, more, {**first, "订单编号": "16880002"}))
    found = orders(path)
    assert [(o.number, o.paid_minor, o.discount_minor, len(o.lines or ())) for o in found] == [
        ("16880001", 7100, 500, 2),
        ("16880002", 7100, 500, 1),
    ]
    assert claims(found[0]) == (Claim(NICKNAME, "linxiaoman", "1688"),)


# --- Shopify

SHOPIFY = {
    "Name": "#1001", "Email": "Anna.Marlow@Mail.example", "Financial Status": "paid", "Paid at": "2023-03-01 10:01:00 +0800",
    "Fulfillment Status": "fulfilled", "Fulfilled at": "2023-03-02 10:00:00 +0800", "Accepts Marketing": "yes", "Currency": "USD",
    "Subtotal": "65.00", "Shipping": "6.00", "Taxes": "4.20", "Total": "71.00", "Payment Method": "Shopify Payments", "Discount Amount": "5.00",
    "Created at": "2023-03-01 10:00:00 +0800", "Lineitem quantity": "2", "Lineitem name": "Cup - White", "Lineitem price": "30.00",
    "Lineitem sku": "CUP-W", "Lineitem discount": "0.00", "Shipping Name": "Anna Marlow", "Shipping Street": "3 Juniper Street",
    "Shipping City": "Albany", "Shipping Province": "NY", "Shipping Zip": "'12207", "Shipping Country": "US",
    "Shipping Phone": "(202) 555-0101", "Refunded Amount": "0.00", "Outstanding Balance": "0.00", "Source": "web",
}  # fmt: skip
SECOND = {
    "Name": "#1001",
    "Lineitem quantity": "1",
    "Lineitem name": "Plate",
    "Lineitem price": "10.00",
    "Lineitem sku": "PLATE",
}


def test_shopify_orders_have_lines_on_rows_of_their_own(tmp_path):
    path = csv_file(tmp_path / "f.csv", table(columns.SHOPIFY_ORDERS, SHOPIFY, SECOND), encoding="utf-8")
    at = lambda *parts: datetime(*parts, tzinfo=UTC)  # noqa: E731
    assert orders(path, currency="USD") == [
        Order(
            "shopify", "", "#1001", OrderStatus.FINISHED, at(2023, 3, 1, 2, 0), at(2023, 3, 1, 2, 1), at(2023, 3, 2, 2, 0),
            at(2023, 3, 2, 2, 0), currency="USD", goods_minor=7000, discount_minor=500, freight_minor=600, paid_minor=7100,
            refunded_minor=0,
            lines=(
                Line("Cup", 2000, 6000, "CUP-W", "CUP-W", "White", price_minor=3000),
                Line("Plate", 1000, 1000, "PLATE", "PLATE", price_minor=1000),
            ),
            person=Person(
                (Claim(EMAIL, "anna.marlow@mail.example"),), "Anna Marlow", "", (Phone("+12025550101"),), "anna.marlow@mail.example",
                Address("3 Juniper Street", "NY", "Albany", "", "", "12207"), consents=(("email", "promotion", True),),
            ),
            channel="web", tax_minor=420, tenders=(("card", 7100),),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Financial Status": "pending"}, OrderStatus.UNPAID),
        ({"Financial Status": "voided"}, OrderStatus.CLOSED_UNPAID),
        ({"Financial Status": "pending", "Cancelled at": "2023-03-03 10:00:00 +0800"}, OrderStatus.CLOSED_UNPAID),
        ({"Financial Status": "refunded", "Refunded Amount": "71.00"}, OrderStatus.CLOSED_REFUNDED),
        ({"Financial Status": "partially_refunded", "Refunded Amount": "10.00"}, OrderStatus.FINISHED),
        ({"Fulfillment Status": "partial"}, OrderStatus.PART_SHIPPED),
        ({"Fulfillment Status": "unfulfilled"}, OrderStatus.PAID),
    ],
)
def test_shopify_states(tmp_path, changes, status):
    path = csv_file(tmp_path / "f.csv", table(columns.SHOPIFY_ORDERS, {**SHOPIFY, **changes}))
    assert orders(path, currency="USD")[0].status is status


def test_shopify_orders_in_another_currency_are_kept_out(tmp_path):
    path = csv_file(tmp_path / "f.csv", table(columns.SHOPIFY_ORDERS, {**SHOPIFY, "Currency": "JPY", "Total": "7100", "Subtotal": "6500", "Shipping": "600", "Discount Amount": "500", "Taxes": "420", "Lineitem price": "3000"}))  # fmt: skip
    assert (orders(path, currency="CNY"), told(path, currency="CNY")) == ([], [("other_currency", 2, "Currency")])
    assert (orders(path, currency="JPY")[0].paid_minor, told(path, currency="JPY")) == (7100, [])


def test_shopify_customers(tmp_path):
    row = {"First Name": "Anna", "Last Name": "Marlow", "Email": "anna@mail.example", "Accepts Email Marketing": "yes",
           "Accepts SMS Marketing": "no", "Phone": "'+12025550101", "Total Spent": "71.00", "Tags": "newsletter"}  # fmt: skip
    path = csv_file(
        tmp_path / "f.csv", table(columns.SHOPIFY_CUSTOMERS, row, {**row, "Email": "", "Phone": ""}), encoding="utf-8"
    )
    assert people(path) == [
        Person(
            (Claim(EMAIL, "anna@mail.example"),), "Anna Marlow", "", (Phone("+12025550101", "member"),), "anna@mail.example",
            attributes=(("tags", "newsletter"),), consents=(("email", "promotion", True), ("sms", "promotion", False)),
        )
    ]  # fmt: skip
    assert told(path) == [("nobody", 3, "Email")]


def test_a_shopify_customer_number_comes_first(tmp_path):
    header = [*columns.SHOPIFY_ORDERS, "Customer ID"]
    found = orders(csv_file(tmp_path / "f.csv", table(header, {**SHOPIFY, "Customer ID": "'77001"})), currency="USD")[0]
    assert claims(found) == (Claim(PLATFORM_ID, "77001", "shopify"), Claim(EMAIL, "anna.marlow@mail.example"))


# --- WooCommerce

WOO = {
    "order_id": "501", "order_number": "501", "date": "2023-03-01 10:00:00", "status": "wc-completed", "shipping_total": "6.00",
    "discount_total": "5.00", "order_total": "71.00", "refunded_total": "-10.00", "order_currency": "USD", "customer_user": "42",
    "billing_first_name": "Anna", "billing_last_name": "Marlow", "billing_email": "anna@mail.example",
    "billing_phone": "202-555-0101", "shipping_country": "US", "paid_date": "2023-03-01 10:01:00",
    "completed_date": "2023-03-09 10:00:00", "order_item_1": "product_id:4959|2|60.00|size: Medium",
    "order_item_2": "name:Plate: small|product_id:4960|sku:PLATE|quantity:1|total:10.00",
}  # fmt: skip


def test_woocommerce_items_are_unpacked(tmp_path):
    path = csv_file(tmp_path / "f.csv", table(columns.WOOCOMMERCE, WOO), encoding="utf-8")
    assert told(path, currency="EUR", shop="cups") == [("other_currency", 2, "order_currency")]
    assert orders(path, currency="USD", shop="cups") == [
        Order(
            "woocommerce", "cups", "501", OrderStatus.FINISHED, shanghai(2023, 3, 1, 10, 0), shanghai(2023, 3, 1, 10, 1),
            finished_at=shanghai(2023, 3, 9, 10, 0), currency="USD", goods_minor=7000, discount_minor=500, freight_minor=600,
            paid_minor=7100, refunded_minor=1000,
            lines=(
                Line("", 2000, 6000, "4959", "", "size:Medium", price_minor=3000),
                Line("Plate: small", 1000, 1000, "PLATE", "PLATE", price_minor=1000),
            ),
            person=Person(
                (Claim(PLATFORM_ID, "42", "woocommerce:cups"),), "Anna Marlow", "", (Phone("+12025550101", "buyer"),), "anna@mail.example",
            ),
        )
    ]  # fmt: skip


def test_a_woocommerce_guest_is_known_by_mail(tmp_path):
    found = orders(
        csv_file(tmp_path / "f.csv", table(columns.WOOCOMMERCE, {**WOO, "customer_user": "0"})), currency="USD"
    )[0]
    assert claims(found) == (Claim(EMAIL, "anna@mail.example"),)


@pytest.mark.parametrize(
    ("word", "paid", "status"),
    [
        ("pending", "", OrderStatus.UNPAID),
        ("on-hold", "", OrderStatus.UNPAID),
        ("processing", "2023-03-01 10:01:00", OrderStatus.PAID),
        ("cancelled", "", OrderStatus.CLOSED_UNPAID),
        ("cancelled", "2023-03-01 10:01:00", OrderStatus.CLOSED_REFUNDED),
        ("failed", "", OrderStatus.CLOSED_UNPAID),
        ("wc-refunded", "2023-03-01 10:01:00", OrderStatus.CLOSED_REFUNDED),
    ],
)
def test_woocommerce_states(tmp_path, word, paid, status):
    path = csv_file(tmp_path / "f.csv", table(columns.WOOCOMMERCE, {**WOO, "status": word, "paid_date": paid}))
    assert orders(path, currency="USD")[0].status is status


def test_a_broken_item_keeps_the_order_out(tmp_path):
    path = csv_file(tmp_path / "f.csv", table(columns.WOOCOMMERCE, {**WOO, "order_item_1": "??"}))
    assert told(path, currency="USD") == [("bad_item", 2, "order_item")]
