"""Whole uploads: several files, ZIPs, folders, the Complete Journey, hostile input, memory."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.connect import importers
from shuke.connect.importers import TabularError, count_rows, read, recognise_file, recognise_files
from shuke.connect.samples import columns, layouts
from shuke.engine.facts import Claim, CouponUse, IdentityKind, Line, Order, OrderStatus, Person, Problem, Product
from tests.connect.importers.making import csv_bytes, csv_file, facts, orders, table, told, xlsx_file, zip_file
from tests.connect.importers.test_taobao_items_and_refunds import OLD
from tests.connect.importers.test_taobao_orders import ORDER, SALE, sale


def test_a_zip_of_files_is_opened_up_in_its_own_order(tmp_path):
    path = zip_file(tmp_path / "all.zip", {
        "报表/ExportOrderDetailList.csv": csv_bytes(table(columns.ITEMS_OLD, OLD)),
        "报表/ExportOrderList.csv": csv_bytes(table(columns.G1, SALE)),
        "__MACOSX/._x.csv": b"junk", "读我.txt": "请核对".encode("gb18030"), "empty.csv": b"",
    })  # fmt: skip
    found = recognise_file(path)
    assert (found.layout, [(one.file, one.layout) for one in found.members]) == (
        "zip",
        [("all.zip/报表/ExportOrderDetailList.csv", "taobao.items"), ("all.zip/报表/ExportOrderList.csv", "taobao.orders"), ("all.zip/读我.txt", "unknown")],
    )  # fmt: skip
    assert [one.layout for one in recognise_files([path])] == ["taobao.items", "taobao.orders", "unknown"]
    assert [(one.number, one.lines is None) for one in orders(path)] == [
        ("160500000000000001", False),
        ("160500000000000001", True),
    ]
    assert {one.file for one in facts(path) if isinstance(one, Problem)} == {
        "all.zip/报表/ExportOrderList.csv",
        "all.zip/读我.txt",
    }


def test_notes_and_pictures_beside_the_tables_are_passed_over_alone_they_are_refused(tmp_path):
    note = "请核对\n谢谢\n".encode("gb18030")
    path = zip_file(
        tmp_path / "all.zip", {"读我.txt": note, "图.png": b"\x89PNG", "a.csv": csv_bytes(table(columns.G1, SALE))}
    )
    assert [(one.code, one.reject) for one in facts(path) if isinstance(one, Problem)] == [
        ("left_out", False), ("left_out", False), ("sensitive_dropped", False),
    ]  # fmt: skip
    (tmp_path / "读我.txt").write_bytes(note)
    assert [(one.code, one.reject) for one in facts(tmp_path / "读我.txt") if isinstance(one, Problem)] == [
        ("not_a_table", True)
    ]


def test_a_bad_member_does_not_spoil_the_others(tmp_path):
    path = zip_file(
        tmp_path / "all.zip",
        {"a.csv": csv_bytes(table(columns.G1, SALE)), "b.pdf": b"%PDF-1.7", "c.xlsx": b"PK\x03\x04 cut"},
    )
    assert orders(path) == [ORDER]
    assert [(code, row) for code, row, _ in told(path)] == [
        ("sensitive_dropped", 0),
        ("left_out", 0),
        ("cut_off", 0),
    ]
    assert [one.layout for one in recognise_file(path).members] == ["taobao.orders", "not_a_table", "cut_off"]


def test_unpacked_files_do_not_stay_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    path = zip_file(tmp_path / "all.zip", {"a.csv": csv_bytes(table(columns.G1, SALE))})
    stream = read(path)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    recognise_file(path)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_path_inside_a_zip_is_never_used_as_one(tmp_path):
    path = zip_file(tmp_path / "evil.zip", {"../../outside.csv": csv_bytes(table(columns.G1, SALE))})
    assert orders(path) == [ORDER]
    assert not (tmp_path.parent.parent / "outside.csv").exists()


def test_reading_twice_gives_the_same_facts_in_the_same_order(tmp_path):
    paths = [made.path for made in layouts.write_all(tmp_path, at=datetime(2026, 1, 1)).values()]
    assert facts(paths) == facts(paths)


@pytest.mark.parametrize("sample", [layout.key for layout in layouts.CATALOGUE])
def test_every_sample_is_recognised_and_nothing_of_it_rejected(tmp_path, sample):
    made = layouts.write(tmp_path, sample, at=datetime(2026, 1, 1))
    found = recognise_file(made.path)
    family = sample.split("-")[0].replace("taobao", "taobao.").split(".")[0]
    assert found.layout.startswith(family), found
    assert found.confidence > 0.9
    currency = "USD" if family in ("shopify", "woocommerce") else "CNY"
    assert [one for one in facts(made.path, currency=currency) if isinstance(one, Problem) and one.reject] == []


def test_rows_are_counted_roughly_and_quickly(tmp_path):
    rows = table(columns.G1, *[SALE] * 500)
    assert count_rows(csv_file(tmp_path / "f.csv", rows)) == 500
    assert count_rows(xlsx_file(tmp_path / "f.xlsx", rows)) == 500
    path = zip_file(tmp_path / "f.zip", {"a.csv": csv_bytes(rows)})
    assert 100 < count_rows(path) < 2000
    assert count_rows(tmp_path / "nothing.csv") == 0


# --- the Complete Journey


def journey(folder: Path) -> Path:
    folder.mkdir()
    tables = {
        "products": """SELECT * FROM (VALUES (1, 5, 'GROCERY', 'National', 'FRZN ICE', 'ICE - CRUSHED/CUBED', '22 LB'),
                         (2, 5, 'FUEL', 'Private', 'COUPON/MISC ITEMS', 'GASOLINE-REG UNLEADED', NULL), (3, 5, 'PASTRY', NULL, NULL, NULL, NULL))
                         t(product_id, manufacturer_id, department, brand, product_category, product_type, package_size)""",
        "demographics": """SELECT 7::BIGINT household_id, '35-44' age, '50-74K' income, NULL::VARCHAR home_ownership, 'Married' marital_status,
                         '2' household_size, '2 Adults No Kids' household_comp, '0' kids_count""",
        "transactions": """SELECT * FROM (VALUES
                         (7, 330, 900, 1, 2, 3.00, 0.50, 1.00, 0.25, 1, TIMESTAMP '2017-01-01 11:53:26'),
                         (7, 330, 900, 2, 10000, 24.00, 0.00, 0.00, 0.00, 1, TIMESTAMP '2017-01-01 11:53:26'),
                         (8, 330, 901, 9, 0, 0.00, 0.00, 0.00, 0.00, 1, TIMESTAMP '2017-07-01 23:30:00'))
                         t(household_id, store_id, basket_id, product_id, quantity, sales_value, retail_disc, coupon_disc, coupon_match_disc,
                           week, transaction_timestamp)""",
        "coupon_redemptions": "SELECT 7::BIGINT household_id, 51::BIGINT coupon_upc, 26::BIGINT campaign_id, TIMESTAMP '2017-01-03' redemption_date",
        "campaigns": "SELECT 26::BIGINT campaign_id, 7::BIGINT household_id",
    }  # fmt: skip
    for name, query in tables.items():
        duckdb.sql(query).write_parquet(str(folder / f"{name}.parquet"))
    return folder


def household(number: int) -> tuple[Claim, ...]:
    return (Claim(IdentityKind.PLATFORM_ID, str(number), "completejourney"),)


def test_the_complete_journey_is_read_from_its_folder(tmp_path):
    first = datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)  # stamps are UTC
    second = datetime(2017, 7, 1, 23, 30, tzinfo=UTC)
    assert facts(journey(tmp_path / "data"), currency="USD") == [
        Problem("unused_table", 0, reject=False, file="campaigns.parquet"),
        Product("1", "ICE - CRUSHED/CUBED", "GROCERY/FRZN ICE/ICE - CRUSHED&CUBED", "National"),
        Product("2", "GASOLINE-REG UNLEADED", "FUEL/COUPON&MISC ITEMS/GASOLINE-REG UNLEADED", "Private"),
        Product("3", "PASTRY", "PASTRY"),
        Person(household(7), attributes=(("age", "35-44"), ("income", "50-74K"), ("marital_status", "Married"), ("household_size", "2"),
                                         ("household_comp", "2 Adults No Kids"), ("kids_count", "0"))),
        Order(
            "completejourney", "", "900", OrderStatus.FINISHED, first, first, None, first, currency="USD", goods_minor=2775,
            discount_minor=75, freight_minor=0, paid_minor=2700, refunded_minor=0,
            lines=(
                Line("ICE - CRUSHED/CUBED", 2000, 300, "1", "", "", "GROCERY/FRZN ICE/ICE - CRUSHED&CUBED", "National", 188, 75),
                Line("GASOLINE-REG UNLEADED", 10000, 2400, "2", "", "", "FUEL/COUPON&MISC ITEMS/GASOLINE-REG UNLEADED", "Private", 240, 0),
            ),
            person=Person(household(7)), store_code="330", channel="store",
        ),
        Order(
            "completejourney", "", "901", OrderStatus.FINISHED, second, second, None, second, currency="USD", goods_minor=0, discount_minor=0,
            freight_minor=0, paid_minor=0, refunded_minor=0, lines=(Line("", 0, 0, "9"),), person=Person(household(8)), store_code="330",
            channel="store",
        ),
        CouponUse(household(7)[0], "51", datetime(2017, 1, 3, 17, tzinfo=UTC), "26", "completejourney"),
    ]  # fmt: skip


def test_the_journeys_tables_may_come_one_by_one_zipped_or_cut(tmp_path):
    folder = journey(tmp_path / "data")
    files = sorted(folder.iterdir())
    zipped = tmp_path / "data.zip"
    with zipfile.ZipFile(zipped, "w") as target:
        for file in files:
            target.write(file, file.name)
    assert [one for one in facts(zipped, currency="USD") if not isinstance(one, Problem)] == [
        one for one in facts(folder, currency="USD") if not isinstance(one, Problem)
    ]
    assert [(one.layout, one.generation) for one in recognise_files([folder])] == [
        ("completejourney", file.stem) for file in files
    ]
    alone = [one for one in facts(folder / "transactions.parquet", currency="USD") if isinstance(one, Order)]
    assert [(order.number, order.lines[0].title if order.lines else "") for order in alone] == [
        ("900", ""),
        ("901", ""),
    ]
    (folder / "transactions.parquet").write_bytes((folder / "transactions.parquet").read_bytes()[:-50])
    assert told(folder / "transactions.parquet") == [("cut_off", 0, "")]
    assert count_rows(folder / "products.parquet") == 3


def test_lines_of_a_basket_may_lie_apart_in_the_file(tmp_path):
    folder = journey(tmp_path / "data")
    path = folder / "transactions.parquet"
    mixed = tmp_path / "mixed.parquet"
    duckdb.sql(f"SELECT * FROM '{path}' ORDER BY product_id DESC").write_parquet(str(mixed))
    assert duckdb.sql(f"SELECT basket_id FROM '{mixed}'").fetchall() == [(901,), (900,), (900,)]
    duckdb.sql(
        f"SELECT * FROM (FROM '{mixed}' UNION ALL SELECT * REPLACE (4 AS product_id) FROM '{path}' WHERE basket_id = 900 AND product_id = 1)"
    ).write_parquet(str(path.with_name("t.parquet")))
    found = orders(path.with_name("t.parquet"), currency="USD")
    assert [(order.number, [line.product_code for line in order.lines or ()]) for order in found] == [
        ("900", ["1", "2", "4"]),
        ("901", ["9"]),
    ]


def test_another_parquet_file_is_said_to_be_unknown(tmp_path):
    duckdb.sql("SELECT 1 AS household_id, 2 AS mood").write_parquet(str(tmp_path / "x.parquet"))
    assert recognise_file(tmp_path / "x.parquet").layout == "unknown"
    assert told(tmp_path / "x.parquet") == [("layout_unknown", 0, "")]


# --- hostile input

GOOD = csv_bytes(table(columns.G1, SALE, sale(订单编号="2")))


def survives(path: Path) -> None:
    """Facts or a reason, never a crash; and recognising agrees."""
    for fact in read(path):
        assert isinstance(fact, importers.Fact)
        assert not isinstance(fact, Problem) or importers.sentence(fact) != fact.code
    with contextlib.suppress(TabularError):
        recognise_file(path)
    assert count_rows(path) >= 0


fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(st.binary(max_size=3000))
def test_random_bytes_never_crash(tmp_path, content):
    path = tmp_path / "f"
    path.write_bytes(content)
    survives(path)


@fuzz
@given(st.data())
def test_a_mutated_report_never_crashes(tmp_path, data):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(content) - 1))
        what = data.draw(st.sampled_from(["flip", "cut", "insert", "double"]))
        if what == "flip":
            content[at] = data.draw(st.integers(0, 255))
        elif what == "cut":
            del content[at : at + data.draw(st.integers(1, 200))]
        elif what == "insert":
            content[at:at] = data.draw(
                st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\t", b"=", b"\xff", "，".encode(), b"<table>"])
            )
        else:
            content[at:at] = content[at : at + 300]
        if not content:
            content = bytearray(b"x")
    path = tmp_path / "f"
    path.write_bytes(bytes(content))
    survives(path)


@fuzz
@given(
    st.lists(st.lists(st.text(max_size=12), max_size=45), min_size=1, max_size=6),
    st.sampled_from(sorted(columns.TAOBAO_ORDERS)),
)
def test_any_cells_under_a_known_header_never_crash(tmp_path, rows, generation):
    survives(csv_file(tmp_path / "f.csv", [columns.TAOBAO_ORDERS[generation], *rows], encoding="utf-16"))


@pytest.mark.parametrize(
    "header", [columns.JD, columns.DOUYIN, columns.PINDUODUO, columns.YOUZAN_ORDERS, columns.YOUZAN_CUSTOMERS, columns.ALIBABA_1688,
               columns.SHOPIFY_ORDERS, columns.SHOPIFY_CUSTOMERS, columns.WOOCOMMERCE, columns.TAOBAO_REFUNDS, columns.ITEMS_2022,
               columns.PLAIN_ORDERS, columns.PLAIN_MEMBERS],
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(["", "1", "-1", "1.23E+17", "2024-01-01", "9.99", "已完成", "paid", "***", "x:y|z", "0"]), min_size=1, max_size=70), min_size=1, max_size=4))  # fmt: skip
def test_any_cells_under_any_header_never_crash(tmp_path, header, rows):
    survives(csv_file(tmp_path / "f.csv", [header, *rows], encoding="utf-8"))


@fuzz
@given(st.data())
def test_a_mutated_workbook_never_crashes(tmp_path, data):
    whole = tmp_path / "whole.xlsx"
    if not whole.exists():
        xlsx_file(whole, table(columns.G1, SALE))
    with zipfile.ZipFile(whole) as archive:
        members = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    name = data.draw(
        st.sampled_from(
            [
                "xl/worksheets/sheet1.xml",
                "xl/sharedStrings.xml",
                "xl/workbook.xml",
                "xl/styles.xml",
                "xl/_rels/workbook.xml.rels",
            ]
        )
    )
    content = members[name]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        content[at : at + data.draw(st.integers(0, 40))] = data.draw(
            st.sampled_from([b"", b"<", b">", b'"', b"</row>", b"<c r=", b"9", b"\xff", b"&x;"])
        )
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for key, value in members.items():
            archive.writestr(key, bytes(value))
    survives(path)


MEASURED = """
import resource, sys
from shuke.connect.importers import read, recognise_file
recognise_file(sys.argv[1])
for _ in read(sys.argv[1]): pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kb(path: Path) -> int:
    """Peak memory of a process that reads the file."""
    done = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_does_not_grow_with_the_file(tmp_path):
    assert resource.RUSAGE_SELF == 0

    def rows(count: int):
        yield columns.TAOBAO_SIMPLE
        for number in range(count):
            minute = f"{number // 60 % 24:02d}:{number % 60:02d}"
            day = f"2024-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}"
            yield [str(10**17 + number), f"买家{number}", f"{day} {minute}:00", f"{day} {minute}:30", f"{number % 500}.00", "交易成功",
                   "林", f"186{number:08d}", f"浙江省 杭州市 西湖区 文新街道 {number}号", "杯", "", ""]  # fmt: skip

    small = peak_kb(csv_file(tmp_path / "small.csv", rows(5_000)))
    large = peak_kb(csv_file(tmp_path / "large.csv", rows(200_000)))
    assert large - small < 40_000, f"{small} kB for 5,000 rows, {large} kB for 200,000"
