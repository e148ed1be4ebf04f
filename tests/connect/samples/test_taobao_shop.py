"""The made-up shop: repeatable to the byte, realistic enough to show every feature, and true to what it tells."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from shuke.connect.samples import columns
from shuke.connect.samples.taobao_shop import Truth, make
from shuke.engine.facts import OrderStatus

END = datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("shop")
    return folder, make(folder, seed=7, end=END, buyers=240)


def read(path: Path) -> list[list[str]]:
    if path.suffix == ".xlsx":
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
        return [[str(cell) for cell in row] for row in rows]
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig") if raw.startswith(b"\xef\xbb\xbf") else raw.decode("gb18030")
    return list(csv.reader(io.StringIO(text)))


def table(path: Path, skip: int = 0) -> list[dict[str, str]]:
    header, *rows = read(path)[skip:]
    return [dict(zip([name.strip() for name in header], row, strict=True)) for row in rows]


def order_reports(folder: Path, truth: Truth) -> list[Path]:
    return [folder / name for name in truth.files if "ExportOrderList" in name]


def digests(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), int(path.stat().st_mtime))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_shop(tmp_path):
    one = make(tmp_path / "a", seed=1, end=END, buyers=60, days=400)
    same = make(tmp_path / "b", seed=1, end=END, buyers=60, days=400)
    other = make(tmp_path / "c", seed=2, end=END, buyers=60, days=400)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert one == same
    assert one.orders != other.orders


def test_a_shop_too_small_for_its_oddities_is_refused(tmp_path):
    with pytest.raises(ValueError, match="too small"):
        make(tmp_path, seed=1, end=END, buyers=5)
    with pytest.raises(ValueError, match="too small"):
        make(tmp_path, seed=1, end=END, buyers=100, days=90)


def test_every_generation_of_the_order_report_is_there_with_its_own_header(shop):
    folder, truth = shop
    headers = [tuple(read(path)[0]) for path in order_reports(folder, truth)]
    assert headers == [
        columns.G0,
        columns.G1,
        columns.G2_PAYMENT,
        columns.G3,
        columns.G4,
        columns.G4,
        columns.G3_EXTRA,
    ]
    items = [tuple(read(folder / name)[0]) for name in truth.files if "Detail" in name]
    assert [len(header) for header in items] == [10, 10, 18, 18, 18, 19]


def test_old_csv_is_gbk_and_new_csv_is_utf8_with_a_mark(shop):
    folder, truth = shop
    marked = [
        path.read_bytes().startswith(b"\xef\xbb\xbf") for path in order_reports(folder, truth) if path.suffix == ".csv"
    ]
    assert marked == [False, False, False, True, True, True]


def test_order_numbers_are_too_long_for_a_spreadsheet_and_come_guarded_in_the_old_files(shop):
    folder, truth = shop
    assert {len(order.number) for order in truth.orders if order.platform == "taobao"} == {19}
    first = order_reports(folder, truth)[0].read_bytes().decode("gb18030").splitlines()[1]
    assert first.startswith('="')
    second = order_reports(folder, truth)[1].read_bytes().decode("gb18030").splitlines()[1]
    assert second.startswith('"=""')


def test_a_later_export_moves_orders_forward_and_never_back(shop):
    folder, truth = shop
    rank = {
        "等待买家付款": 0,
        "买家已付款，等待卖家发货": 1,
        "卖家已发货，等待买家确认": 2,
        "交易成功": 3,
        "交易关闭": 3,
    }
    seen: dict[str, list[int]] = {}
    reports = sorted(order_reports(folder, truth), key=lambda path: path.stat().st_mtime)
    for path in reports:
        for row in table(path):
            seen.setdefault(row["订单编号"].strip('="'), []).append(rank[row["订单状态"]])
    assert all(ranks == sorted(ranks) for ranks in seen.values())
    assert sum(ranks[0] < ranks[-1] for ranks in seen.values()) > 10


def test_what_the_last_export_says_of_an_order_is_the_truth(shop):
    folder, truth = shop
    last: dict[str, dict[str, str]] = {}
    for path in sorted(order_reports(folder, truth), key=lambda path: path.stat().st_mtime):
        last |= {row["订单编号"].strip('="'): row for row in table(path)}
    orders = {order.number: order for order in truth.orders if order.platform == "taobao"}
    assert last.keys() == orders.keys()
    for number, row in last.items():
        order = orders[number]
        assert round(float(row["买家实际支付金额"]) * 100) == order.paid_minor
        assert (row["订单付款时间"] in ("", "null")) == (order.paid_at is None)
        closed = order.status in (OrderStatus.CLOSED_REFUNDED, OrderStatus.CLOSED_UNPAID)
        assert (row["订单状态"] == "交易关闭") == closed
        if "退款金额" in row:
            assert round(float(row["退款金额"]) * 100) == order.refunded_minor


def test_closed_before_payment_and_closed_after_payment_can_be_told_apart(shop):
    _, truth = shop
    unpaid = [order for order in truth.orders if order.status == OrderStatus.CLOSED_UNPAID]
    refunded = [order for order in truth.orders if order.status == OrderStatus.CLOSED_REFUNDED]
    assert unpaid
    assert refunded
    assert all(order.paid_at is None and order.paid_minor == 0 for order in unpaid)
    assert all(order.paid_at and order.refunded_minor == order.paid_minor and not order.purchase for order in refunded)


def test_refund_documents_add_up_to_what_orders_lost(shop):
    folder, truth = shop
    done: Counter[str] = Counter()
    for row in table(folder / next(name for name in truth.files if "Refund" in name)):
        if row["退款状态"] == "退款成功":
            done[row["订单编号"]] += round(float(row["买家退款金额"]) * 100)
    orders = [order for order in truth.orders if order.platform == "taobao"]
    assert dict(done) == {order.number: order.refunded_minor for order in orders if order.refunded_minor}
    assert sum(1 for refund in truth.refunds if not refund.done) > 0


def test_the_lines_of_each_order_are_in_some_item_report(shop):
    folder, truth = shop
    lines: dict[str, set[str]] = {}
    for name in truth.files:
        if "Detail" in name:
            for index, row in enumerate(table(folder / name)):
                number = (row.get("主订单编号") or row["订单编号"]).strip('="')
                lines.setdefault(number, set()).add(row.get("子订单编号", "").strip('="') or f"{name} {index}")
    assert lines.keys() == {order.number for order in truth.orders if order.platform == "taobao"}


def test_the_spoiled_file_has_exactly_the_rows_that_must_not_get_in(shop):
    folder, truth = shop
    rows = read(folder / "补录订单_另存.csv")
    assert Counter(reject.why for reject in truth.rejects) == {
        "lost_id": 10,
        "negative_amount": 1,
        "not_a_date": 1,
        "totals_row": 1,
    }
    assert all("E+18" in rows[reject.row - 1][0] for reject in truth.rejects if reject.why == "lost_id")
    assert len(rows) == 2 + 13 + 3  # title and header; ten lost, three sound; three kinds of junk


def test_a_renamed_account_shows_both_names_on_one_order(shop):
    folder, truth = shop
    shown: dict[str, set[str]] = {}
    for path in order_reports(folder, truth):
        for row in table(path):
            shown.setdefault(row["订单编号"].strip('="'), set()).add(row["买家会员名"])
    pairs = {frozenset(names) for names in shown.values() if len(names) > 1}
    assert {frozenset(pair) for pair in truth.linked_names} == pairs
    assert truth.linked_names


def test_masked_and_virtual_receivers_are_in_the_newest_exports_only(shop):
    folder, truth = shop
    for path in order_reports(folder, truth):
        rows = table(path)
        hidden = [row for row in rows if "*" in row["联系手机"] or "-" in row["联系手机"]]
        assert bool(hidden) == ("虚拟号过期时间" in rows[0])
        assert all(row["虚拟号过期时间"] for row in hidden if "-" in row["联系手机"])
    masked = [order for order in truth.orders if not order.person]
    assert masked
    assert all(order.created_at.year == 2025 for order in masked)


def test_families_share_a_receiver_and_some_people_have_two_accounts(shop):
    _, truth = shop
    families = Counter(person.family for person in truth.people if person.family)
    assert families
    assert set(families.values()) == {2}
    assert any(len(person.accounts) == 2 for person in truth.people)


def test_brushing_orders_are_marked_in_the_sellers_note_alone(shop):
    folder, truth = shop
    brushed = {order.number for order in truth.orders if order.excluded}
    noted = set()
    for path in order_reports(folder, truth):
        for row in table(path):
            if "刷单" in row.get("订单备注", "") + row.get("商家备忘", ""):
                noted.add(row["订单编号"].strip('="'))
    assert brushed == noted
    assert brushed


def test_trade_has_seasons_repeat_buyers_and_one_wholesaler(shop):
    _, truth = shop
    by_month = Counter((order.created_at.year, order.created_at.month) for order in truth.orders)
    assert by_month[2024, 11] > by_month[2024, 9] * 1.3
    assert by_month[2025, 6] > by_month[2025, 4]
    bought = Counter(order.person for order in truth.orders if order.purchase and order.person)
    assert 0.2 < sum(count == 1 for count in bought.values()) / len(bought) < 0.6
    assert max(bought.values()) > 15
    spent: Counter[str] = Counter()
    for order in truth.orders:
        spent[order.person] += order.net_minor
    kinds = {person.key: person.kind for person in truth.people}
    assert kinds[spent.most_common(1)[0][0]] == "wholesale"


def test_the_counter_list_knows_children_skin_and_the_accounts_of_those_who_told(shop):
    folder, truth = shop
    rows = table(folder / "柜台会员登记表.csv", skip=1)
    cards = {person.card: person for person in truth.people if person.card}
    assert {row["会员卡号"] for row in rows} == set(cards)
    for row in rows:
        person = cards[row["会员卡号"]]
        assert (row["姓名"], row["手机号"]) == (person.name, person.phone)
        assert row["淘宝会员名"] == (person.accounts[0][-1] if person.told_account else "")
    assert any(row["宝宝生日"] for row in rows)
    assert any(row["皮肤类型"] for row in rows)
    assert any(row["生日"].startswith("农历") for row in rows)


def test_no_phone_number_is_one_a_carrier_gives_out(shop):
    from shuke.connect.samples.taobao_shop.pools import PREFIXES

    _, truth = shop
    assert all(person.phone.startswith(PREFIXES) and len(person.phone) == 11 for person in truth.people)
    assert len({person.phone for person in truth.people}) == len(truth.people)
