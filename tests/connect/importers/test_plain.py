"""Plain tables: by a mapping, or by a guess that leaves no doubt."""

from __future__ import annotations

import csv

import pytest

from shuke.connect import importers
from shuke.connect.importers import guess_mapping, unnumbered
from shuke.engine.facts import (
    Birthday,
    Claim,
    IdentityKind,
    Line,
    LineBack,
    Order,
    OrderStatus,
    Person,
    Phone,
    Problem,
    Product,
    Refund,
)
from tests.connect.importers.making import csv_file, facts, orders, people, problems, shanghai, told, xlsx_file

PHONE, CARD, EMAIL = IdentityKind.PHONE, IdentityKind.CARD, IdentityKind.EMAIL
TILL = [
    ["小票号", "消费时间", "会员手机", "实收金额", "门店"],
    ["A001", "2024/3/1 10:05", "18600000001", "88.50", "一号店"],
]
BUYER = Person((Claim(PHONE, "+8618600000001"),), "", "", (Phone("+8618600000001", "buyer"),))
SALE = Order(
    "pos", "", "A001", OrderStatus.FINISHED, shanghai(2024, 3, 1, 10, 5), shanghai(2024, 3, 1, 10, 5), paid_minor=8850,
    person=BUYER, store_code="一号店",
)  # fmt: skip
MAPPING = {
    "kind": "orders",
    "columns": {"number": "小票号", "created_at": "消费时间", "phone": "会员手机", "paid": "实收金额", "store": 4},
}


def test_a_mapping_says_what_the_columns_mean_by_name_or_place(tmp_path):
    assert facts(csv_file(tmp_path / "f.csv", TILL), mapping=MAPPING) == [SALE]


def test_a_clear_header_is_read_without_mapping_and_that_is_told(tmp_path):
    path = csv_file(tmp_path / "f.csv", TILL)
    found = importers.recognise_file(path)
    assert (found.layout, found.title_zh, found.header_row) == ("plain.orders", "普通订单表", 1)
    assert facts(path)[1:] == [SALE]
    assert told(path) == [("mapping_guessed", 0, "")]


def test_an_unclear_table_is_refused_with_what_it_has_and_lacks(tmp_path):
    path = csv_file(tmp_path / "f.csv", [["a1", "b2", "colour"], ["1", "2", "red"], ["3", "4", "blue"]])
    assert importers.recognise_file(path).layout == "unknown"
    found = facts(path)
    assert [one.code for one in found] == ["layout_unknown"]  # type: ignore[union-attr]
    text = importers.sentence(found[0])  # type: ignore[arg-type]
    assert "a1, b2, colour" in text
    assert "f.csv" in text


def test_a_layout_with_a_column_missing_is_named_with_the_column(tmp_path):
    header = [
        "主订单编号",
        "子订单编号",
        "选购商品",
        "商品规格",
        "商品数量",
        "商家编码",
        "收件人",
        "订单状态",
        "订单提交时间",
    ]
    path = csv_file(tmp_path / "f.csv", [header, ["1", "1", "杯", "", "1", "", "林", "已完成", "2024-01-01 10:00:00"]])
    found = importers.recognise_file(path)
    assert (found.layout, found.missing) == ("unknown", ("订单应付金额",))
    wrong = problems(path)
    assert [one.code for one in wrong] == ["columns_missing"]
    assert "Douyin shop orders" in importers.sentence(wrong[0])
    assert "抖店订单" in importers.sentence(wrong[0], "zh-hans")


def test_lines_of_one_receipt_are_brought_together(tmp_path):
    header = ["单号", "日期", "会员卡号", "商品名称", "商品编码", "数量", "单价", "小计", "备注"]
    rows = [
        ["7", "2024-03-01", "6001-22", "瓷杯", "CUP", "2", "30", "55", ""],
        ["", "", "", "瓷盘", "PLATE", "0.5", "10.00", "5", ""],  # hand-made sheets leave the number out
        ["8", "2024-03-01", "6001-22", "瓷杯", "CUP", "1", "30", "30", "刷单"],
    ]
    found = orders(csv_file(tmp_path / "f.csv", [header, *rows]))
    card = Person((Claim(CARD, "6001-22"),))
    assert found == [
        Order(
            "pos", "", "7", OrderStatus.FINISHED, shanghai(2024, 3, 1), shanghai(2024, 3, 1), paid_minor=6000,
            lines=(Line("瓷杯", 2000, 5500, "CUP", price_minor=3000, discount_minor=500), Line("瓷盘", 500, 500, "PLATE", price_minor=1000)),
            person=card,
        ),
        Order(
            "pos", "", "8", OrderStatus.FINISHED, shanghai(2024, 3, 1), shanghai(2024, 3, 1), paid_minor=3000,
            lines=(Line("瓷杯", 1000, 3000, "CUP", price_minor=3000),), person=card, seller_note="刷单", excluded="brushing",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("amounts", "paid"), [(("55", "55"), 5500), (("45", "10"), 5500)])
def test_an_amount_may_be_the_orders_on_every_row_or_the_rows_own(tmp_path, amounts, paid):
    header = ["单号", "日期", "手机号", "商品", "数量", "单价", "实付金额", "优惠金额"]
    rows = [
        ["7", "2024-03-01", "18600000001", "杯", "1", "50", amounts[0], "5"],
        ["7", "2024-03-01", "18600000001", "盘", "1", "10", amounts[1], "5"],
    ]
    assert orders(csv_file(tmp_path / "f.csv", [header, *rows]))[0].paid_minor == paid


def test_a_list_without_numbers_gets_the_same_ones_every_time(tmp_path):
    rows = [
        ["日期", "手机号", "金额"],
        ["2024-03-01", "18600000001", "9"],
        ["2024-03-01", "18600000001", "9"],
        ["2024-03-02", "18600000001", "9"],
    ]
    first = [order.number for order in orders(csv_file(tmp_path / "f.csv", rows))]
    again = [order.number for order in orders(csv_file(tmp_path / "g.csv", rows))]
    assert first == again
    assert len(set(first)) == 3  # two equal purchases on one day are two
    assert all(number.startswith("auto-") for number in first)


def test_own_words_formats_units_and_defaults_of_a_mapping(tmp_path):
    rows = [
        ["nr", "when", "sum", "how"],
        ["1", "01.03.2024 10:05", "88.50", "bezahlt"],
        ["2", "01.03.2024", "9000", "offen"],
    ]
    mapping = {
        "kind": "orders", "columns": {"number": "nr", "created_at": "when", "paid": "sum", "status": "how"},
        "date_formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"], "status_words": {"bezahlt": "paid", "offen": "unpaid"},
        "defaults": {"platform": "kasse", "currency": "EUR", "store": "01"},
    }  # fmt: skip
    found = orders(csv_file(tmp_path / "f.csv", rows, encoding="utf-8"), currency="EUR", mapping=mapping)
    assert [(o.platform, o.currency, o.status, o.paid_minor, o.created_at, o.store_code) for o in found] == [
        ("kasse", "EUR", OrderStatus.PAID, 8850, shanghai(2024, 3, 1, 10, 5), "01"),
        ("kasse", "EUR", OrderStatus.UNPAID, 900000, shanghai(2024, 3, 1), "01"),
    ]
    fen = {**mapping, "money_unit": "minor", "status_words": {"bezahlt": "paid", "offen": "unpaid"}}
    minor = facts(csv_file(tmp_path / "f.csv", rows, encoding="utf-8"), currency="EUR", mapping=fen)
    assert [getattr(one, "paid_minor", getattr(one, "code", None)) for one in minor] == ["bad_money", 9000]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "dreams"}, "mapping_kind"),
        ({"columns": {}}, "mapping_empty"),
        ({"columns": {"paid": "实收金额", "created_at": "消费时间", "mood": 1}}, "mapping_field"),
        ({"columns": {"number": "小票号"}}, "mapping_lacks"),
        ({"columns": {"paid": "实收", "created_at": "消费时间"}}, "mapping_column"),
        ({"columns": {"paid": 99, "created_at": "消费时间"}}, "mapping_column"),
        ({"money_unit": "pieces"}, "mapping_unit"),
        ({"status_words": {"好": "good"}}, "mapping_status"),
        ({"defaults": {"status": "good"}}, "mapping_status"),
        ({"defaults": {"currency": "EUR"}}, "file_other_currency"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_as_a_whole(tmp_path, change, code):
    found = facts(csv_file(tmp_path / "f.csv", TILL), mapping={**MAPPING, **change})
    assert [(one.code, one.row, one.reject) for one in found] == [(code, 0, True)]  # type: ignore[union-attr]
    assert importers.sentence(found[0]) != code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("currency", "own", "foreign"),
    [
        ("CNY", ["人民币", "RMB", "cny", "", "￥"], ["USD", "$", "€"]),
        ("USD", ["$", "US$", "usd", "", "美元"], ["HK$", "CNY", "¥"]),
    ],
)
def test_a_row_in_another_currency_is_kept_out_with_its_reason(tmp_path, currency, own, foreign):
    head, cells = ["订单号", "时间", "实付金额", "币种"], [*own, *foreign]
    path = csv_file(tmp_path / "f.csv", [head, *([f"N{n}", "2024-03-01", "9.90", one] for n, one in enumerate(cells))])
    assert [order.number for order in orders(path, currency=currency)] == [f"N{n}" for n in range(len(own))]
    assert told(path, currency=currency)[1:] == [("other_currency", n + 7, "币种") for n in range(len(foreign))]
    signed = csv_file(
        tmp_path / "g.csv", [head[:3], ["N1", "2024-03-01", foreign[-1] + "9"], ["N2", "2024-03-01", "9"]]
    )
    assert told(signed, currency=currency)[1][:2] == ("other_currency", 2)


def test_a_refund_has_its_day_if_the_table_says_it(tmp_path):
    rows = [
        ["订单号", "时间", "实付金额", "退款金额", "退款时间"],
        ["N1", "2024-03-01", "9", "3", "2024-03-20 10:00"],
        ["N2", "2024-03-01", "9", "3", "2024-02-20"],
        ["N3", "2024-03-01", "9", "", ""],
    ]
    path = csv_file(tmp_path / "f.csv", rows)
    assert [order.refunded_at for order in orders(path)] == [shanghai(2024, 3, 20, 10), None, None]
    assert told(path)[1:] == [("refund_before_order", 3, "退款时间")]


def test_rows_nobody_can_count_are_refused(tmp_path):
    rows = [
        ["单号", "日期", "金额"],
        ["1", "", "9"],
        ["2", "2024-01-01", ""],
        ["3", "2024-01-01", "-9"],
        ["4", "yesterday", "9"],
    ]
    assert told(csv_file(tmp_path / "f.csv", rows), mapping={"columns": {"number": 0, "created_at": 1, "paid": 2}}) == [
        ("date_missing", 2, "日期"), ("amount_missing", 3, "金额"), ("negative_amount", 4, "金额"), ("not_a_date", 5, "日期"),
    ]  # fmt: skip


MEMBERS = [
    ["会员卡号", "姓名", "手机号", "性别", "生日", "淘宝会员名", "积分余额", "登记日期", "皮肤类型", "同意短信"],
    ["6001-22", "林小满", "18600000001", "女", "农历1990年8月15日", "小熊妈妈", "1080", "2024-03-01", "混合", "是"],
]
MEMBER_MAPPING = {
    "kind": "customers",
    "columns": {"card": "会员卡号", "name": "姓名", "phone": "手机号", "gender": "性别", "birthday": "生日", "nickname": "淘宝会员名",
                "points": "积分余额", "joined_at": "登记日期"},
    "attributes": {"skin_type": "皮肤类型"}, "consents": {"sms:promotion": "同意短信"},
    "defaults": {"phone_verified": True, "nickname_platform": "taobao", "store": "01"},
}  # fmt: skip


def test_members_with_cards_own_attributes_and_consents(tmp_path):
    assert facts(xlsx_file(tmp_path / "f.xlsx", MEMBERS), mapping=MEMBER_MAPPING) == [
        Person(
            (Claim(CARD, "6001-22"), Claim(IdentityKind.NICKNAME, "小熊妈妈", "taobao"), Claim(PHONE, "+8618600000001", "", True)),
            "林小满", "小熊妈妈", (Phone("+8618600000001", "buyer"),), "", None, "f", Birthday(1990, 8, 15, True), (("skin_type", "混合"),),
            (("sms", "promotion", True),), shanghai(2024, 3, 1), "01", "", "", 1080, None, "pos",
        )
    ]  # fmt: skip


def test_an_unchecked_phone_beside_a_card_is_contact_data_only(tmp_path):
    mapping = {**MEMBER_MAPPING, "defaults": {}}
    found = people(csv_file(tmp_path / "f.csv", MEMBERS), mapping=mapping)
    assert found[0].claims == (Claim(CARD, "6001-22"),)


def test_a_row_that_says_nobody_is_refused_and_odd_cells_are_told(tmp_path):
    rows = [
        ["姓名", "手机号", "生日", "积分"],
        ["林", "186****0001", "", ""],
        ["周", "18600000001", "某天", "3"],
        ["吴", "18600000002", "", "-3"],
    ]
    path = csv_file(tmp_path / "f.csv", rows)
    mapping = {"kind": "customers", "columns": {"name": 0, "phone": 1, "birthday": 2, "points": 3}}
    assert told(path, mapping=mapping) == [
        ("nobody", 2, ""),
        ("birthday_unclear", 3, "生日"),
        ("bad_points", 4, "积分"),
    ]


def test_products_and_refunds(tmp_path):
    goods = csv_file(
        tmp_path / "g.csv", [["商品编码", "商品名称", "类目", "品牌", "单位"], ["CUP", "瓷杯", "厨房/杯", "窑口", "只"]]
    )
    assert facts(goods)[1:] == [Product("CUP", "瓷杯", "厨房/杯", "窑口", "只")]
    back = csv_file(
        tmp_path / "r.csv",
        [
            ["退款编号", "订单号", "退款金额", "退款时间", "退款状态", "退款原因", "商品编码", "退货数量"],
            ["R1", "A001", "8.50", "2024-03-05", "已完成", "破损", "", ""],
            ["R2", "A001", "8.50", "2024-03-05", "已完成", "破损", "CUP", "1"],
        ],
    )
    first = Refund("pos", "", "A001", "R1", 850, shanghai(2024, 3, 5), None, True, "已完成", "破损")
    cup = LineBack(product_code="CUP", quantity_milli=1000)
    assert facts(back)[1:] == [first, first._replace(number="R2", lines=(cup,))]


def test_a_refund_of_several_goods_is_one_refund(tmp_path):
    """Each row names other goods with their amount; the same goods twice, or a row without goods, is the same told again."""
    header = ["退款编号", "订单号", "退款金额", "退款时间", "退款状态", "退款原因", "商品编码", "退货数量"]
    rows = [
        ["R1", "A001", "8.50", "2024-03-05", "已完成", "破损", "CUP", "1"],
        ["R1", "A001", "3.00", "2024-03-06", "已完成", "破损", "LID", ""],
        ["R2", "A001", "5.00", "2024-03-07", "已完成", "", "POT", ""],
        ["R2", "A001", "6.00", "2024-03-08", "已完成", "", "POT", ""],
        ["R3", "A001", "1.00", "2024-03-09", "已完成", "", "", ""],
        ["R3", "A002", "1.00", "2024-03-09", "已完成", "", "", ""],
        ["R1", "A001", "11.50", "2024-03-09", "已完成", "", "", ""],
        ["R4", "A001", "1.00", "2024-03-09", "已完成", "", "CUP", ""],
        ["R4", "A001", "", "2024-03-09", "已完成", "", "LID", ""],
    ]
    told = facts(csv_file(tmp_path / "r.csv", [header, *rows]))[1:]
    backs = [one for one in told if isinstance(one, Refund)]
    assert [(one.number, one.order_number, one.amount_minor) for one in backs] == [
        ("R1", "A001", 1150), ("R2", "A001", 600), ("R3", "A001", 100), ("R3", "A002", 100), ("R1", "A001", 1150),
    ]  # fmt: skip
    assert backs[0].finished_at == shanghai(2024, 3, 6)
    assert backs[0].lines == (
        LineBack(product_code="CUP", quantity_milli=1000),
        LineBack(product_code="LID", amount_minor=300),
    )
    assert [(one.code, one.row) for one in told if isinstance(one, Problem)] == [
        ("amount_missing", 10), ("with_rejected_row", 9),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "kind", "columns"),
    [
        (["Order ID", "Date", "Customer", "Mobile", "Total"], "orders", {"number": 0, "created_at": 1, "name": 2, "phone": 3, "paid": 4}),
        (["订单编号", "付款时间", "实付金额（元）", "买家昵称"], "orders", {"number": 0, "paid_at": 1, "paid": 2, "nickname": 3}),
        (["Member card", "Full name", "Date of birth", "Points", "E-mail"], "customers", {"card": 0, "name": 1, "birthday": 2, "points": 3, "email": 4}),
        (["SKU", "Product name", "Brand", "Category"], "products", {"code": 0, "title": 1, "brand": 2, "category": 3}),
        (["Refund ID", "Order ID", "Refund amount", "Reason"], "refunds", {"number": 0, "order_number": 1, "amount": 2, "reason": 3}),
    ],
)  # fmt: skip
def test_headers_in_both_languages_are_guessed(header, kind, columns):
    guess = guess_mapping(header)
    assert (guess.kind, {field: column.place for field, column in guess.columns.items()}) == (kind, columns)


def test_a_guess_knows_how_sure_it_is_by_name_and_by_look():
    sure = guess_mapping(["单号", "日期", "金额"], [["1", "2024-01-01", "9.00"]], kind="orders")
    assert sure.confidence >= 0.8
    looks_wrong = guess_mapping(["单号", "日期", "金额"], [["1", "soon", "nine"]], kind="orders")
    assert looks_wrong.confidence < 0.5
    assert guess_mapping(["x", "y"], kind="orders").confidence == 0
    assert guess_mapping(["x", "y"], kind="orders").missing == (
        "paid / line_amount / goods / price",
        "created_at / paid_at",
    )


def test_the_guess_of_a_wizard_can_be_saved_and_used(tmp_path):
    guess = guess_mapping(TILL[0], TILL[1:])
    assert facts(csv_file(tmp_path / "f.csv", TILL), mapping=guess.mapping()) == [SALE]


def test_a_file_may_be_read_as_a_named_layout_and_only_as_a_known_one(tmp_path):
    path = csv_file(tmp_path / "f.csv", TILL)
    assert told(path, layout="plain.orders") == [("mapping_guessed", 0, "")]
    with pytest.raises(ValueError, match=r"no layout 'taoboa'.*taobao\.orders"):
        importers.read(path, layout="taoboa")
    assert {key: layout.key for key, layout in importers.LAYOUTS.items()} == {key: key for key in importers.LAYOUTS}
    assert all(layout.title_en and layout.title_zh for layout in importers.LAYOUTS.values())


# --- without order numbers

UNNUMBERED = ["时间", "手机", "金额", "备注"]
MONDAY = [
    ["2026-05-01 10:00:31", "18600000001", "128.00", ""],
    ["2026-05-01 10:00:31", "18600000001", "56.50", ""],
    ["2026-05-01 11:20:05", "18600000002", "30.00", ""],
]
BY = {"kind": "orders", "columns": {"created_at": "时间", "phone": "手机", "paid": "金额", "seller_note": "备注"}}


def made(path, rows, **mapping) -> dict[str, int | None]:
    found = orders(csv_file(path, [UNNUMBERED, *rows]), mapping={**BY, **mapping})
    assert len(found) == len({order.number for order in found})
    return {order.number: order.paid_minor for order in found}


def test_a_corrected_row_keeps_its_number_and_the_others_theirs(tmp_path):
    monday = made(tmp_path / "a.csv", MONDAY)
    first, second, third = monday
    corrected = [[*MONDAY[0][:2], "118.00", "改价"], *MONDAY[1:]]
    assert made(tmp_path / "b.csv", corrected) == {first: 11800, second: 5650, third: 3000}
    longer = [*MONDAY, ["2026-05-02 09:00:00", "18600000001", "9.00", ""]]
    assert list(made(tmp_path / "c.csv", longer))[:3] == [first, second, third]


@pytest.mark.parametrize(
    "resaved",
    [["2026/5/1 10:00", "186 0000 0001", "128", ""], ["2026年5月1日 10:00", "+8618600000001", "128.00元", "x"]],
)
def test_a_number_is_made_from_meaning_and_not_from_spelling(tmp_path, resaved):
    assert list(made(tmp_path / "a.csv", MONDAY[:1])) == list(made(tmp_path / "b.csv", [resaved]))


def test_where_nothing_stays_the_whole_row_decides(tmp_path):
    days = [["2026-05-01", "", "128.00", ""], ["2026-05-01", "", "30.00", ""], ["2026-05-01", "", "30.00", ""]]
    found = made(tmp_path / "a.csv", days)
    assert list(found.values()) == [12800, 3000, 3000]
    assert list(made(tmp_path / "b.csv", days[1:])) == list(found)[1:]  # part of the list harms nothing
    assert list(made(tmp_path / "c.csv", [[*days[0][:2], "118.00", ""]])) != list(found)[:1]


def test_a_person_may_decide_what_tells_purchases_apart(tmp_path):
    changed = [[*MONDAY[0][:2], "118.00", ""]]
    for identity, same in (("row", False), (["created_at", "phone"], True), (["created_at", "paid"], False)):
        before = list(made(tmp_path / "a.csv", MONDAY[:1], identity=identity))
        assert (list(made(tmp_path / "b.csv", changed, identity=identity)) == before) is same, identity
    for wrong in ("rows", [], ["number"]):
        path = csv_file(tmp_path / "f.csv", [UNNUMBERED, *MONDAY])
        assert told(path, mapping={**BY, "identity": wrong}) == [("mapping_identity", 0, "")]


def test_what_tells_purchases_apart_is_said_once_per_file(tmp_path):
    path = csv_file(tmp_path / "f.csv", [UNNUMBERED, *MONDAY])
    assert [(p.code, p.value) for p in problems(path, mapping=BY)] == [("numbers_made", "时间, 手机")]
    assert [p.code for p in problems(path, mapping={**BY, "identity": "row"})] == ["numbers_from_rows"]


@pytest.mark.parametrize("wrong", ["2", "0"], ids=["the second of two", "the first of two"])
def test_a_rejected_row_that_is_corrected_is_the_purchase_it_was(tmp_path, wrong):
    rows = [list(row) for row in MONDAY]
    at = 1 if wrong == "2" else 0
    rows[at][2] = "five"
    path = csv_file(tmp_path / "f.csv", [UNNUMBERED, *rows])
    rejected = tmp_path / "rejected.csv"
    assert importers.write_rejects(rejected, UNNUMBERED, problems(path, mapping=BY), numbers=True) == 1
    with open(rejected, encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    table[1][2] = MONDAY[at][2]
    again = orders(csv_file(tmp_path / "g.csv", table), mapping=BY)
    whole = list(made(tmp_path / "h.csv", MONDAY).items())
    assert [(order.number, order.paid_minor) for order in again] == [whole[at]]


def test_a_row_whose_date_was_wrong_becomes_what_the_corrected_export_would_make_it(tmp_path):
    rows = [*MONDAY[:2], ["someday", *MONDAY[2][1:]]]
    path = csv_file(tmp_path / "f.csv", [UNNUMBERED, *rows])
    rejected = tmp_path / "rejected.csv"
    importers.write_rejects(rejected, UNNUMBERED, problems(path, mapping=BY), numbers=True)
    with open(rejected, encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    table[1][0] = MONDAY[2][0]
    again = orders(csv_file(tmp_path / "g.csv", table), mapping=BY)
    assert [order.number for order in again] == list(made(tmp_path / "h.csv", MONDAY))[2:]


def test_alike_purchases_too_far_apart_to_be_counted_are_refused_and_never_mixed_up(tmp_path, monkeypatch):
    monkeypatch.setattr(unnumbered, "REMEMBERED", 10)
    between = [[f"2026-05-02 {i // 60:02d}:{i % 60:02d}:00", f"186{i:08d}", "1.00", ""] for i in range(1, 1400)]
    rows = [MONDAY[0], *between, *([*row[:1], "1" + row[1][1:-1] + "9", *row[2:]] for row in between), MONDAY[1]]
    found = told(csv_file(tmp_path / "f.csv", [UNNUMBERED, *rows]), mapping=BY)
    assert [one for one in found if one[0] != "numbers_made"] == [("order_scattered", len(rows) + 1, "")]
