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
    assert read(tmp_path, header, row) == (tax, paid_with)


def test_jd_tells_what_its_balance_paid(tmp_path):
    path = csv_file(
        tmp_path / "f.csv", table((*columns.JD, "支付方式"), shops.JD | {"余额支付": "12.00", "支付方式": "在线支付"})
    )
    assert orders(path)[0].tenders == (("platform", 6000),)
    path = csv_file(
        tmp_path / "g.csv", table((*columns.JD, "支付方式"), shops.JD | {"余额支付": "12.00", "支付方式": "货到付款"})
    )
    assert orders(path)[0].tenders == (("on_delivery", 4800), ("platform", 1200))


def test_a_table_of_ones_own_has_a_field_for_each(tmp_path):
    header = ("单号", "日期", "实付", "手机", "税额", "支付方式")
    row = dict(zip(header, ("A1", "2023-03-01 10:00:00", "113.00", "18600000001", "13.00", "现金"), strict=True))
    (found,) = orders(xlsx_file(tmp_path / "f.xlsx", table(header, row)))
    assert (found.tax_minor, found.tenders) == (1300, (("cash", 11300),))


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
