"""Tax and means of payment, from every layout that has them."""

import pytest

from shuke.connect.samples import columns
from shuke.engine import tenders
from tests.connect.importers import test_other_shops as shops
from tests.connect.importers.making import csv_file, orders, table, xlsx_file


def read(tmp_path, header, row, **more):
    (found,) = orders(xlsx_file(tmp_path / "f.xlsx", table(header, row)), **more)
    return found.tax_minor, found.tenders


@pytest.mark.parametrize(
    ("header", "row", "tax", "paid_with"),
    [
        (columns.SHOPIFY_ORDERS, shops.SHOPIFY | {"Taxes": "5.90", "Payment Method": "PayPal"}, 590, (("paypal", 7100),)),
        (columns.SHOPIFY_ORDERS, shops.SHOPIFY | {"Taxes": "", "Payment Method": ""}, None, None),
        (columns.SHOPIFY_ORDERS, shops.SHOPIFY | {"Payment Method": "gift_card + Stripe"}, 420, (("card+gift_cards", 7100),)),
        (columns.SHOPIFY_ORDERS, shops.SHOPIFY | {"Financial Status": "pending"}, 420, None),  # nothing was paid yet
        ((*columns.WOOCOMMERCE, "payment_method_title"), shops.WOO | {"tax_total": "6.10", "payment_method_title": "Cash on delivery"}, 610, (("on_delivery", 7100),)),
        (columns.YOUZAN_ORDERS, shops.YOUZAN | {"付款方式": "微信支付"}, None, (("wechat", 6000),)),
        (columns.YOUZAN_ORDERS, shops.YOUZAN | {"付款方式": "E卡通"}, None, (("stored_value", 6000),)),
        (columns.YOUZAN_ORDERS, shops.YOUZAN | {"付款方式": "本店购物券"}, None, (("本店购物券", 6000),)),
        (columns.DOUYIN, shops.DOUYIN | {"支付方式": "支付宝"}, None, (("alipay", 6100),)),
    ],
)  # fmt: skip
def test_layouts_that_name_it(tmp_path, header, row, tax, paid_with):
    currency = row.get("Currency") or row.get("order_currency") or "CNY"
    assert read(tmp_path, header, row, currency=currency) == (tax, paid_with)


def test_jd_tells_what_its_balance_paid(tmp_path):
    path = csv_file(
        tmp_path / "f.csv", table((*columns.JD, "支付方式"), shops.JD | {"余额支付": "12.00", "支付方式": "在线支付"})
    )
    assert orders(path)[0].tenders == (("platform", 6000),)
    path = csv_file(
        tmp_path / "g.csv", table((*columns.JD, "支付方式"), shops.JD | {"余额支付": "12.00", "支付方式": "货到付款"})
    )
    assert orders(path)[0].tenders == (("on_delivery", 4800), ("platform", 1200))


TAOBAO = {
    "订单编号": "1", "买家会员名": "小满", "买家应付货款": "100.00", "总金额": "100.00", "买家实际支付金额": "100.00", "订单状态": "交易成功",
    "订单创建时间": "2023-03-01 10:00:00", "订单付款时间": "2023-03-01 10:01:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "paid_with"),
    [
        ({}, None),
        ({"天猫卡券抵扣": "5.00"}, (("platform", 500),)),  # nothing was taken off: the voucher is within
        ({"天猫卡券抵扣": "5.00", "买家实际支付金额": "95.00"}, None),  # it was taken off before
        ({"天猫卡券抵扣": "5.00", "集分宝抵扣": "2.00", "买家实际支付金额": "95.00"}, (("platform", 200),)),  # at least so much
        ({"含应开票给个人的个人红包": "3.00元"}, (("platform", 300),)),
        ({"买家实际支付积分": "150", "买家实际支付金额": "98.50"}, (("points", 150),)),  # beside what was paid
        ({"买家实际支付积分": "150"}, (("platform", 150),)),  # the sums show it within
        ({"买家实际支付积分": "150", "买家实际支付金额": "98.50", "天猫卡券抵扣": "4"}, (("platform", 400), ("points", 150))),
        ({"支付详情": "支付宝:100.00"}, (("alipay", 10_000),)),
        ({"支付详情": "支付宝:100.00", "天猫卡券抵扣": "5.00"}, (("alipay", 9500), ("platform", 500))),
        ({"支付详情": "支付宝:88.00；红包:12.00"}, (("alipay", 8800), ("platform", 1200))),
        ({"支付详情": "支付宝:88.00；红包:1.00"}, None),  # does not add up
        ({"支付详情": "2023030122001-某某计划"}, None),
        ({"天猫卡券抵扣": "见备注"}, None),
        ({"天猫卡券抵扣": "5.00", "总金额": ""}, None),  # nothing proves it
        ({"天猫卡券抵扣": "5.00", "订单状态": "等待买家付款", "买家实际支付金额": "0.00"}, None),
    ],
)  # fmt: skip
def test_taobaos_vouchers_points_and_details(tmp_path, told, paid_with):
    assert read(tmp_path, columns.G4, TAOBAO | told) == (None, paid_with)


@pytest.mark.parametrize(
    ("told", "paid_with"),
    [
        ({"红包抵扣": "4.00"}, (("platform", 400), ("wechat", 5700))),
        ({"红包抵扣": "4.00", "支付优惠": "1.00"}, (("platform", 500), ("wechat", 5600))),
        ({"红包抵扣": "4.00", "订单应付金额": "57.00"}, (("wechat", 5700),)),
        ({"红包抵扣": "4.00", "商家改价": "-2.00"}, (("wechat", 6100),)),
        ({"红包抵扣": "4.00", "平台优惠": "2.00", "商家优惠": "3.00"}, (("platform", 400), ("wechat", 5700))),
        ({"红包抵扣": "4.00", "优惠总金额": "9.00", "商家优惠": "5.00", "订单应付金额": "57.00"}, (("wechat", 5700),)),
    ],
)
def test_douyins_red_packets(tmp_path, told, paid_with):
    row = shops.DOUYIN | {"支付方式": "微信"} | told
    assert read(tmp_path, columns.DOUYIN, row)[1] == paid_with


def test_douyin_may_name_tax(tmp_path):
    assert read(tmp_path, (*columns.DOUYIN, "税费"), shops.DOUYIN | {"税费": "5.55"})[0] == 555


@pytest.mark.parametrize(
    ("told", "paid", "paid_with"),
    [
        ({"支付优惠合计": "5.00", "应收订单金额": "60.00"}, 6000, (("platform", 500), ("wechat", 5500))),
        ({"支付优惠合计": "5.00", "应收订单金额": "65.00"}, 6000, (("wechat", 6000),)),
        ({"支付优惠合计": "5.00", "应收订单金额": ""}, 6000, (("wechat", 6000),)),
        ({"付款方式": "微信支付:40.00;储值卡:20.00"}, 6000, (("stored_value", 2000), ("wechat", 4000))),
        ({"付款方式": "微信支付:40.00;储值卡:2.00"}, 6000, (("stored_value+wechat", 6000),)),
        ({"付款方式": "积分"}, 0, (("points", 6000),)),
    ],
)
def test_youzans_offers_and_several_means(tmp_path, told, paid, paid_with):
    row = shops.YOUZAN | {"付款方式": "微信支付"} | told
    (found,) = orders(xlsx_file(tmp_path / "f.xlsx", table(columns.YOUZAN_ORDERS, row)))
    assert (found.paid_minor, found.tenders) == (paid, paid_with)


def test_a_table_of_ones_own_has_a_field_for_each(tmp_path):
    header = ("单号", "日期", "实付", "手机", "税额", "支付方式")
    row = dict(zip(header, ("A1", "2023-03-01 10:00:00", "113.00", "18600000001", "13.00", "现金"), strict=True))
    (found,) = orders(xlsx_file(tmp_path / "f.xlsx", table(header, row)))
    assert (found.tax_minor, found.tenders) == (1300, (("cash", 11300),))


def test_what_points_paid_is_no_money(tmp_path):
    header = ("单号", "日期", "实付", "手机", "支付方式", "退款金额")
    row = dict(
        zip(
            header, ("A1", "2023-03-01 10:00:00", "113.00", "18600000001", "现金:100;积分:13.00", "113.00"), strict=True
        )
    )
    (found,) = orders(xlsx_file(tmp_path / "f.xlsx", table(header, row)))
    assert (found.paid_minor, found.refunded_minor, found.tenders) == (
        10000,
        10000,
        (("cash", 10000), ("points", 1300)),
    )


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("微信支付", "wechat"), (" WeChat Pay ", "wechat"), ("现金", "cash"), ("VISA", "card"), ("储值卡+现金", "cash+stored_value"),
        ("现金、储值余额", "cash+stored_value"), ("店长签单", "店长签单"), ("", ""), ("+", ""), ("x" * 90, "x" * 40),
    ],
)  # fmt: skip
def test_one_word_per_means_of_payment(told, code):
    assert tenders.code_of(told) == code


def test_every_code_has_a_word_in_both_languages():
    codes = {tenders.code_of(word) for words in tenders._WORDS.values() for word in words.split(",")}
    assert codes == set(tenders._WORDS) <= tenders.NAMES.keys()
    assert tenders.name("cash", "zh-hans") == "现金"
    assert tenders.name("店长签单", "en") == "店长签单"
    assert tenders.name("cash+stored_value", "en") == "cash + stored value"
