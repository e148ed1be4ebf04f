"""Tax and tenders of an order: told in pieces and in any order, they reach the archive, the page and the earning rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from shuke.connect.samples import layouts
from shuke.flows.undo_import import undo
from shuke.loyalty import queries
from shuke.orders.models import Order
from tests.cast import NOON
from tests.doors.api.test_api import SALE, Till
from tests.flows.test_imports import report
from tests.flows.test_imports import take as import_file
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, take

BASE = {"tax": False, "stored_value": False, "without_tenders": ["voucher", "on_delivery"]}


def with_base(base):
    return CHARTER | {"points": CHARTER["points"] | {"base": base}, "earning": CHARTER["earning"][:1]}


def earned(shop, who):
    return queries.balance(shop, who, NOW).available + queries.balance(shop, who, NOW).pending


@pytest.mark.parametrize(
    ("base", "told", "points"),
    [
        ({}, {"tax_minor": 1300, "tenders": (("cash", 11300),)}, 113),
        (BASE, {"tax_minor": 1300, "tenders": (("cash", 11300),)}, 100),
        (BASE, {"tax_minor": None, "tenders": None}, 113),
        (BASE, {"tax_minor": 1300, "tenders": (("cash", 6300), ("stored_value", 5000))}, 50),
        (BASE, {"tax_minor": 0, "tenders": (("gift_cards", 1300), ("voucher", 9000), ("wechat", 1000))}, 10),
        (BASE, {"tax_minor": 9000, "tenders": (("on_delivery", 11300),)}, 0),
    ],
)
def test_what_counts_is_the_charters_word(lan, base, told, points):
    publish(lan.merchant, with_base(base))
    who = member(lan.merchant)
    take(lan.merchant, who, order("a", 500, 113, lines=None, **told))
    assert earned(lan.merchant, who) == points
    assert queries.verify(lan.merchant).findings == []


STATEMENTS = {
    "the till": {"tenders": (("cash", 6300), ("stored_value", 5000)), "stated_at": START + timedelta(days=501)},
    "the book-keeper": {"tax_minor": 1300, "stated_at": START + timedelta(days=502)},
    "a poorer export": {"stated_at": START + timedelta(days=503)},
    "a correction": {"tax_minor": 900, "stated_at": START + timedelta(days=504)},
}


@pytest.mark.parametrize("turn", list(permutations(STATEMENTS))[::3])
def test_told_in_pieces_in_any_order_the_books_end_alike(lan, turn):
    publish(lan.merchant, with_base(BASE))
    who = member(lan.merchant)
    for name in [*turn, turn[0]]:
        take(lan.merchant, who, order("a", 500, 113, lines=None, **STATEMENTS[name]))
    row = Order.objects.get()
    assert (row.tax_minor, row.tenders) == (900, [["cash", 6300], ["stored_value", 5000]])
    assert earned(lan.merchant, who) == 54
    assert queries.verify(lan.merchant).findings == []


HEADER = ["订单号", "日期", "实付", "手机", "税额", "支付方式"]


def test_an_import_undone_gives_tax_and_tenders_back_as_they_were(lan, tmp_path):
    first = report(
        tmp_path / "a.csv", [["A1", "2026-05-01 10:00:00", "113.00", "18600000001", "13.00", "现金"]], HEADER
    )
    import_file(lan, first)
    row = Order.objects.get()
    assert (row.tax_minor, row.tenders) == (1300, [["cash", 11300]])
    more = report(
        tmp_path / "b.csv", [["A1", "2026-05-01 10:00:00", "113.00", "18600000001", "9.00", "微信支付"]], HEADER
    )
    batch = import_file(lan, more)
    row.refresh_from_db()
    assert (row.tax_minor, row.tenders) == (1300, [["wechat", 11300]])  # of the same moment the larger counts
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOON, actor="lan.owner")
    row.refresh_from_db()
    assert (row.tax_minor, row.tenders) == (1300, [["cash", 11300]])


def test_a_report_of_taobaos_earns_on_money_paid(lan, tmp_path):
    publish(lan.merchant, with_base({"without_tenders": ["platform"]}))
    made = layouts.write(tmp_path, "taobao-orders-g1", at=datetime(2026, 5, 20, 12))
    import_file(lan, made.path, shop="")
    told = dict(zip(made.numbers, made.tenders, strict=True))
    sold = list(Order.objects.filter(member__isnull=False, net_minor__gt=0, refunded_minor=0))
    assert any(row.tenders and "platform" in dict(row.tenders) for row in sold)
    for row in sold:
        paid_by = dict(told[row.number] or ())
        assert row.tenders == ([list(one) for one in told[row.number]] if paid_by else None)
        assert earned(lan.merchant, row.member_id) == (row.net_minor - paid_by.get("platform", 0)) // 100


def test_the_api_tells_and_the_page_shows(lan, client):
    publish(lan.merchant)
    till = Till(lan.merchant, may_write=True)
    sale = SALE | {
        "tax_minor": 1472,
        "tenders": [{"tender": "现金", "amount_minor": 800}, {"tender": "wechat", "amount_minor": 12_000}],
    }
    assert till.sell(sale)[0] == 200
    row = Order.objects.get()
    assert (row.tax_minor, row.tenders) == (1472, [["cash", 800], ["wechat", 12_000]])
    client.force_login(lan.owner)
    client.cookies["django_language"] = "en"
    page = client.get(f"/members/{row.member_id}/orders").content.decode()
    assert "¥14.72 tax in it" in page
    assert "WeChat Pay ¥120.00" in page
    assert "cash ¥8.00" in page
