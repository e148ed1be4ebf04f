"""The Taobao/Tmall order report, all generations and every oddity seen in real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shuke.connect import importers
from shuke.connect.samples import columns
from shuke.engine.facts import Address, Claim, IdentityKind, Order, OrderStatus, Person, Phone
from tests.connect.importers.making import (
    csv_file,
    facts,
    orders,
    problems,
    shanghai,
    table,
    text_file,
    told,
    xlsx_file,
)

SALE = {
    "订单编号": '="160500000000000001"', "买家会员名": "小熊妈妈", "买家应付货款": "88.00", "买家应付邮费": "6.00",
    "总金额": "94.00", "买家实际支付金额": "94.00", "订单状态": "交易成功", "买家留言": "请放门口", "收货人姓名": "林小满",
    "收货地址": "浙江省 杭州市 西湖区 文新街道 梧桐弄12号(310000)", "联系手机": "'18600000001", "订单创建时间": "2016-05-01 12:00:00",
    "订单付款时间": "2016-05-01 12:01:30", "宝贝标题": "燕麦洁面乳，温和，婴儿面霜", "订单备注": "老客户", "店铺名称": "小满铺",
    "订单关闭原因": "订单未关闭",
}  # fmt: skip
BUYER = Person(
    claims=(Claim(IdentityKind.NICKNAME, "小熊妈妈", "taobao"),),
    name="林小满",
    nickname="小熊妈妈",
    phones=(Phone("+8618600000001"),),
    address=Address("梧桐弄12号", "浙江省", "杭州市", "西湖区", "文新街道", "310000"),
)
ORDER = Order(
    platform="taobao",
    shop="小满铺",
    number="160500000000000001",
    status=OrderStatus.FINISHED,
    created_at=shanghai(2016, 5, 1, 12, 0, 0),
    paid_at=shanghai(2016, 5, 1, 12, 1, 30),
    goods_minor=8800,
    freight_minor=600,
    paid_minor=9400,
    person=BUYER,
    buyer_note="请放门口",
    seller_note="老客户",
)


def sale(**changes: str) -> dict[str, str]:
    return {**SALE, **changes}


def report(folder: Path, *rows: dict[str, str], header=columns.G1, encoding: str = "gb18030") -> Path:
    return csv_file(folder / "ExportOrderList.csv", table(header, *rows), encoding=encoding)


def only(folder: Path, header=columns.G1, **changes: str) -> Order:
    found = orders(report(folder, sale(**changes), header=header))
    assert len(found) == 1
    return found[0]


def test_it_reads_an_order_whole(tmp_path):
    assert orders(report(tmp_path, SALE)) == [ORDER]


@pytest.mark.parametrize(
    ("header", "generation"),
    [
        (columns.G0, "G0"),
        ((*columns.G0[:20], "订单关闭原因"), "G0"),
        (columns.G1, "G1"),
        (columns.G2, "G2"),
        (columns.G2_PAYMENT, "G2"),
        (columns.G3, "G3"),
        (columns.G3_EXTRA, "G3"),
        (columns.G4, "G4"),
    ],
)
def test_it_tells_the_generations_apart_and_reads_them_alike(tmp_path, header, generation):
    bare = {name.strip() for name in header}
    path = report(tmp_path, {key: value for key, value in SALE.items() if key in bare}, header=header)
    found = importers.recognise_file(path)
    assert (found.layout, found.generation, found.header_row, found.unknown, found.encoding) == (
        "taobao.orders", generation, 1, (), "gb18030",
    )  # fmt: skip
    expected = ORDER if "订单备注" in bare else ORDER._replace(seller_note=None, shop="")
    assert orders(path) == [expected]


def test_it_reads_the_simplified_layout_of_other_tools(tmp_path):
    row = {
        "订单编号": "160500000000000001", "买家会员名": "小熊妈妈", "买家下单时间": "2016/5/1 12:00", "买家付款时间": "2016/5/1 12:01",
        "买家实付金额": "94元", "订单状态": "交易成功", "收货人姓名": "林小满", "联系手机": "18600000001",
    }  # fmt: skip
    path = csv_file(tmp_path / "f.csv", table(columns.TAOBAO_SIMPLE, row))
    assert importers.recognise_file(path).generation == "simplified"
    assert orders(path) == [
        Order(
            "taobao", "", "160500000000000001", OrderStatus.FINISHED, shanghai(2016, 5, 1, 12, 0), shanghai(2016, 5, 1, 12, 1),
            paid_minor=9400, person=BUYER._replace(address=None),
        )
    ]  # fmt: skip


def test_titles_joined_by_a_full_width_comma_are_never_split_into_lines(tmp_path):
    assert only(tmp_path).lines is None


@pytest.mark.parametrize("written", ['="123456789012345678"', "123456789012345678", "'123456789012345678", "123456789012345678\t", '"123456789012345678"'])  # fmt: skip
def test_it_takes_numbers_out_of_their_wrapping(tmp_path, written):
    assert only(tmp_path, 订单编号=written).number == "123456789012345678"


@pytest.mark.parametrize("lost", ["1.23E+17", "1.2345E+17", '="1.23E+17"', "1.60500000000000E+17", "2E+18"])
def test_it_refuses_a_number_that_a_spreadsheet_has_shortened(tmp_path, lost):
    path = report(tmp_path, sale(订单编号=lost), SALE)
    assert told(path) == [("sensitive_dropped", 0, "买家支付宝账号"), ("lost_id", 2, "订单编号")]
    assert orders(path) == [ORDER]


@pytest.mark.parametrize("nothing", ["", "null", "NULL", '"null"', "-", "无退款申请"])
def test_words_for_nothing_are_nothing(tmp_path, nothing):
    found = only(tmp_path, columns.G2, 退款金额=nothing, 买家留言=nothing, 订单关闭原因=nothing)
    assert (found.refunded_minor, found.buyer_note, found.close_reason) == (None, None, None)


@pytest.mark.parametrize(("written", "minor"), [("1,288.50", 128850), ("88元", 8800), ("￥88.5", 8850), ("８８.００", 8800), ("0.1", 10), ("38.699999999999996", 3870)])  # fmt: skip
def test_money_is_understood_however_it_is_dressed(tmp_path, written, minor):
    assert only(tmp_path, 买家实际支付金额=written).paid_minor == minor


@pytest.mark.parametrize(("written", "code"), [("-5.00", "negative_amount"), ("many", "bad_money"), ("1.234", "bad_money"), ("NaN", "bad_money"), ("1e99", "bad_money")])  # fmt: skip
def test_a_wrong_amount_keeps_the_row_out_and_says_why(tmp_path, written, code):
    path = report(tmp_path, sale(买家实际支付金额=written))
    wrong = problems(path)[-1]
    assert (wrong.code, wrong.row, wrong.column, wrong.value, wrong.reject) == (
        code,
        2,
        "买家实际支付金额",
        written,
        True,
    )
    assert "买家实际支付金额" in importers.sentence(wrong)
    assert orders(path) == []


@pytest.mark.parametrize(
    "written", ["2016-05-01 12:01:30", "2016/5/1 12:01:30", "2016年5月1日 12:01:30", "2016-05-01T12:01:30", "20160501120130", "2016-05-01 04:01:30 +0000"]
)  # fmt: skip
def test_times_without_zone_are_the_shops_own(tmp_path, written):
    assert only(tmp_path, 订单付款时间=written).paid_at == datetime(2016, 5, 1, 4, 1, 30, tzinfo=UTC)


def test_times_may_lack_seconds_or_be_serials_of_a_spreadsheet(tmp_path):
    assert only(tmp_path, 订单付款时间="2016/5/1 9:05").paid_at == shanghai(2016, 5, 1, 9, 5)
    assert only(tmp_path, 订单付款时间="42491.5").paid_at == shanghai(2016, 5, 1, 12, 0)


def test_the_year_1970_is_filler_and_said_to_be(tmp_path):
    path = report(tmp_path, sale(确认收货时间="1970-01-01 08:00:00"), header=columns.G2)
    assert orders(path) == [ORDER]
    assert told(path)[-1] == ("filler_date", 2, "确认收货时间")


def test_an_unreadable_date_keeps_the_row_out(tmp_path):
    path = report(
        tmp_path,
        sale(订单创建时间="上周三"),
        sale(订单创建时间="2016-02-30 10:00:00"),
        sale(订单创建时间="9999-01-01 00:00:00"),
    )
    assert [one[:2] for one in told(path)[1:]] == [("not_a_date", 2), ("not_a_date", 3), ("not_a_date", 4)]


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("等待买家付款", OrderStatus.UNPAID),
        ("买家已付款，等待卖家发货", OrderStatus.PAID),
        ("买家已付款,等待卖家发货", OrderStatus.PAID),
        ("等待卖家发货", OrderStatus.PAID),
        ("卖家部分发货", OrderStatus.PART_SHIPPED),
        ("卖家已发货，等待买家确认", OrderStatus.SHIPPED),
        ("卖家已发货,等待买家确认", OrderStatus.SHIPPED),
        ("等待买家确认收货", OrderStatus.SHIPPED),
        ("买家已签收", OrderStatus.RECEIVED),
        ("交易成功", OrderStatus.FINISHED),
        ("没有创建外部交易", OrderStatus.UNPAID),
        ("余额宝0元购合约中", OrderStatus.UNPAID),
        ("外卡支付付款确认中", OrderStatus.UNPAID),
    ],
)
def test_every_status_word_is_known(tmp_path, written, status):
    assert only(tmp_path, 订单状态=written).status is status


def test_an_unknown_status_keeps_the_row_out(tmp_path):
    assert told(report(tmp_path, sale(订单状态="正在寻找")))[-1] == ("unknown_status", 2, "订单状态")


def test_closed_before_payment_was_never_a_purchase(tmp_path):
    found = only(tmp_path, 订单状态="交易关闭", 订单关闭原因="买家未付款", 订单付款时间="")
    assert (found.status, found.paid_minor, found.close_reason) == (OrderStatus.CLOSED_UNPAID, 0, "买家未付款")


def test_closed_after_payment_is_a_purchase_with_its_refund(tmp_path):
    found = only(tmp_path, 订单状态="交易关闭", 订单关闭原因="退款")
    assert (found.status, found.paid_minor, found.refunded_minor) == (OrderStatus.CLOSED_REFUNDED, 9400, 9400)
    stated = only(tmp_path, columns.G2, 订单状态="交易关闭", 退款金额="90.00")
    assert (stated.status, stated.refunded_minor) == (OrderStatus.CLOSED_REFUNDED, 9000)


def test_a_closed_order_that_contradicts_itself_is_believed_to_be_paid_and_told(tmp_path):
    path = report(tmp_path, sale(订单状态="交易关闭", 订单关闭原因="买家未付款"))
    assert orders(path)[0].status is OrderStatus.CLOSED_REFUNDED
    assert told(path)[-1] == ("closed_contradiction", 2, "订单关闭原因")


def test_brushing_orders_are_marked_in_notes_and_excluded(tmp_path):
    path = report(tmp_path, sale(订单备注="刷单 勿发货"))
    assert orders(path) == [ORDER._replace(excluded="brushing", seller_note="刷单 勿发货")]
    assert told(path)[-1] == ("brushing", 2, "订单备注")
    by_memo = only(tmp_path, columns.G4, 商家备忘="空包")
    assert by_memo.excluded == "brushing"
    assert only(tmp_path, 买家留言="不要刷单").excluded == ""  # the buyer's words decide nothing


def test_the_alipay_account_is_left_behind_and_said_to_be(tmp_path):
    path = report(
        tmp_path, sale(买家支付宝账号="someone@mail.example"), sale(买家支付宝账号="someone@mail.example", 订单编号="")
    )
    found = facts(path)
    assert told(path) == [("sensitive_dropped", 0, "买家支付宝账号"), ("number_missing", 3, "订单编号")]
    assert "someone@mail.example" not in repr(found)  # not in the rejected row either


@pytest.mark.parametrize("masked", ["小**", "t***1", "*"])
def test_masked_nicknames_are_nobodys_claim(tmp_path, masked):
    found = only(
        tmp_path, columns.G4, 买家会员名=masked, 收货人姓名="林**", 收货地址="浙江省 杭州市 西湖区 文新街道 ****"
    )
    assert found.person is not None
    assert found.person.claims == ()
    assert (found.person.nickname, found.person.name) == (masked, "林**")


def test_the_second_name_column_helps_where_the_first_is_masked(tmp_path):
    found = only(tmp_path, columns.G4, 买家会员名="小**", 买家会员昵称="小熊妈妈")
    assert found.person is not None
    assert found.person.claims == (Claim(IdentityKind.NICKNAME, "小熊妈妈", "taobao"),)


def test_virtual_numbers_are_kept_for_display_and_match_nobody(tmp_path):
    found = only(tmp_path, columns.G4, 联系手机="18400000001-7576", 虚拟号过期时间="2022-06-01 00:00:00")
    assert found.person is not None
    expires = shanghai(2022, 6, 1)
    assert found.person.phones == (Phone("18400000001-7576", "receiver", True, False, expires),)
    plain = only(tmp_path, columns.G4, 联系手机="18400000001", 虚拟号过期时间="2022-06-01 00:00:00")
    assert plain.person is not None
    assert plain.person.phones == (Phone("+8618400000001", "receiver", True, False, expires),)
    assert {claim.kind for claim in plain.person.claims} == {IdentityKind.NICKNAME}


def test_a_masked_phone_stays_masked(tmp_path):
    found = only(tmp_path, 联系手机="186****0001")
    assert found.person is not None
    assert found.person.phones == (Phone("186****0001", "receiver", False, True),)


def test_the_receivers_phone_is_no_claim_where_there_is_an_account(tmp_path):
    found = only(tmp_path, 买家会员名="")
    assert found.person is not None
    assert [claim.kind for claim in found.person.claims] == [IdentityKind.NAME_ADDRESS]


def test_without_an_account_column_the_phone_is_who_it_is(tmp_path):
    header = [name for name in columns.TAOBAO_SIMPLE if name != "买家会员名"]
    row = {
        "订单编号": "1",
        "买家下单时间": "2016/5/1 12:00",
        "买家实付金额": "9",
        "订单状态": "交易成功",
        "联系手机": "18600000001",
    }
    found = orders(csv_file(tmp_path / "f.csv", table(header, row)))[0]
    assert found.person is not None
    assert found.person.claims == (Claim(IdentityKind.PHONE, "+8618600000001", "", False),)


def test_a_corrected_address_replaces_the_first(tmp_path):
    found = only(tmp_path, 修改后的收货地址="上海 上海市 徐汇区 漕河泾街道 桂花里3号(000000)")
    assert found.person is not None
    assert found.person.address == Address("桂花里3号", "上海", "上海市", "徐汇区", "漕河泾街道")


def test_a_tmall_file_keeps_its_platform_and_shares_the_accounts(tmp_path):
    found = orders(report(tmp_path, SALE), platform="tmall")[0]
    assert found.platform == "tmall"
    assert found.person == BUYER


def test_another_shops_file_is_refused_as_a_whole(tmp_path):
    path = report(tmp_path, SALE, SALE)
    found = [one for one in problems(path, shop="大熊铺") if one.reject]
    assert [(one.code, one.row, one.value) for one in found] == [("other_shop", 0, "小满铺")]
    assert orders(path, shop="大熊铺") == []
    assert orders(path, shop="小满铺") == [ORDER, ORDER]


def test_a_foreign_row_in_our_own_file_is_refused_alone(tmp_path):
    path = report(tmp_path, SALE, sale(店铺名称="别家"), SALE)
    assert told(path, shop="小满铺")[1:] == [("other_shop_row", 3, "店铺名称")]
    assert len(orders(path, shop="小满铺")) == 2


# --- the table around the rows


def test_titles_above_the_header_and_a_second_header_row_are_passed_over(tmp_path):
    rows = table(columns.G1, SALE)
    english = ["Order number", "Buyer", *["text"] * (len(columns.G1) - 2)]
    path = csv_file(tmp_path / "f.csv", [["2016年5月订单"], [], rows[0], english, rows[1], rows[0], rows[1]])
    assert importers.recognise_file(path).header_row == 3
    assert orders(path) == [ORDER, ORDER]
    assert told(path) == [
        ("rows_above_header", 3, ""), ("sensitive_dropped", 0, "买家支付宝账号"), ("second_header", 4, ""), ("header_again", 6, ""),
    ]  # fmt: skip


def test_a_sum_below_the_table_is_passed_over(tmp_path):
    path = report(tmp_path, SALE, {"订单编号": "合计", "总金额": "94.00"})
    assert orders(path) == [ORDER]
    assert told(path)[-1] == ("totals_row", 3, "")


def test_half_a_file_gives_its_whole_rows_and_refuses_the_torn_one(tmp_path):
    whole = report(tmp_path, SALE, SALE).read_bytes()
    path = tmp_path / "half.csv"
    path.write_bytes(whole[: len(whole) - 60])
    assert orders(path) == [ORDER]
    assert told(path)[-1] == ("row_cut_off", 3, "")


def test_a_row_torn_by_a_line_break_is_refused_in_both_parts(tmp_path):
    header, row = table(columns.G1, SALE)
    line = ",".join(cell.replace(",", "，").replace("=", "").replace('"', "") for cell in row)
    torn = line.replace("请放门口", "请放\n门口")
    path = text_file(tmp_path / "f.csv", "\n".join([",".join(header), torn, line]) + "\n")
    assert [one[:2] for one in told(path)[1:]] == [("row_short", 2), ("not_a_number", 3)]
    assert orders(path) == [ORDER]


def test_a_comma_too_many_is_noticed(tmp_path):
    rows = table(columns.G1, SALE)
    rows[1].insert(12, "moved")
    rows[1][-1] = "no"
    path = csv_file(tmp_path / "f.csv", rows)
    assert told(path)[-1] == ("row_shifted", 2, "")


def test_the_same_rows_come_out_of_every_container(tmp_path):
    rows = table(columns.G1, SALE)
    html = "<html><meta charset=gb2312><table>" + "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows
    )
    places = {
        "utf8.csv": csv_file(tmp_path / "utf8.csv", rows, encoding="utf-8"),
        "bom.csv": csv_file(tmp_path / "bom.csv", rows, encoding="utf-8-sig"),
        "utf16.csv": csv_file(tmp_path / "utf16.csv", rows, encoding="utf-16", delimiter="\t"),
        "semicolon.csv": csv_file(tmp_path / "semicolon.csv", rows, delimiter=";"),
        "real.xlsx": xlsx_file(tmp_path / "real.xlsx", rows),
        "posing.xls": text_file(tmp_path / "posing.xls", html + "</table></html>"),
        "posing.csv": xlsx_file(tmp_path / "x.xlsx", rows).rename(tmp_path / "posing.csv"),
    }
    for name, path in places.items():
        assert orders(path) == [ORDER], name


def test_numbers_and_dates_of_a_spreadsheet_come_through(tmp_path):
    rows: list[list[object]] = [*table(columns.G1, SALE)]
    row = rows[1]
    names = [name.strip() for name in columns.G1]
    row[names.index("买家实际支付金额")] = 94.0
    row[names.index("订单创建时间")] = datetime(2016, 5, 1, 12, 0, 0)
    row[names.index("联系手机")] = 18600000001
    assert orders(xlsx_file(tmp_path / "f.xlsx", rows)) == [ORDER]
    row[names.index("订单编号")] = 160500000000000001
    assert told(xlsx_file(tmp_path / "g.xlsx", rows))[-1] == ("lost_id", 2, "订单编号")


def test_the_orders_may_stand_on_the_second_sheet(tmp_path):
    path = xlsx_file(tmp_path / "f.xlsx", table(columns.G1, SALE), sheets={"说明": [["导出说明"], ["请勿修改"]]})
    assert importers.recognise_file(path).sheet == "Sheet1"
    assert orders(path) == [ORDER]


def test_oddities_do_not_pile_up_by_the_million(tmp_path):
    path = report(tmp_path, *[sale(确认收货时间="1970-01-01 00:00:00")] * 80, header=columns.G2)
    found = problems(path)
    assert len(found) == 52  # one on the alipay column, fifty told, one that counts the rest
    assert (found[-1].code, dict(found[-1].params)) == ("more_oddities", {"kind": "filler_date", "count": "30"})


def test_a_trimmed_report_without_status_and_buyer_is_read_for_its_figures(tmp_path):
    """The table of 28,010 rows that circulates for practice has these seven columns and no more."""
    header = ["订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单创建时间", "订单付款时间 ", "退款金额"]
    rows = [
        ["1", "178.8", "0.0", "上海", "2020-02-21 00:00:00", "", "0.0"],
        ["2", "21.0", "21.0", "内蒙古自治区", "2020-02-20 23:59:54", "2020-02-21 00:00:02", "0.0"],
        ["3", "37.0", "0.0", "安徽省", "2020-02-20 23:59:35", "2020-02-20 23:59:41", "37.0"],
    ]
    path = csv_file(tmp_path / "tmall_order_report.csv", [header, *rows], encoding="utf-8")
    assert importers.recognise_file(path).layout == "taobao.orders"
    assert [(o.status, o.paid_minor, o.refunded_minor, o.paid_at is not None) for o in orders(path)] == [
        (None, 0, 0, False), (None, 2100, 0, True), (None, 0, 3700, True),
    ]  # fmt: skip
    assert told(path) == []
