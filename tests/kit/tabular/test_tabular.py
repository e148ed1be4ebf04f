"""Strangers' table files: what they are, row by row, and what is refused."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from shuke.kit.tabular import MOST_UNPACKED, Limits, TabularError, archive, header, open_table
from tests.kit.tabular import xls

ROWS = [["订单编号", "标题", "金额"], ["1", '瓷杯，白 "大"', "8.50"], [], ["2", "两行\n标题", ""]]


def csv_bytes(rows=ROWS, encoding="gb18030", delimiter=",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def made(folder: Path, content: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refusal(path: Path, limits: Limits | None = None) -> TabularError:
    with pytest.raises(TabularError) as caught:
        for _ in open_table(path, limits=limits or Limits()).rows():
            pass
    return caught.value


def parts(**replaced: bytes | None) -> dict[str, bytes]:
    """The members of a minimal workbook; some replaced, added, or (None) left out."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    base: dict[str, bytes | None] = {
        "[Content_Types].xml": b"<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="rId1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{rel}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>'.encode(),
        "xl/sharedStrings.xml": b"<sst><si><t>one</t></si></sst>",
        "xl/worksheets/sheet1.xml": b'<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>',
    }
    names = {"sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml", "book": "xl/workbook.xml"}
    base.update({names.get(key, key): value for key, value in replaced.items()})
    return {name: content for name, content in base.items() if content is not None}


def workbook(folder: Path, **replaced: bytes | None) -> Path:
    path = folder / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts(**replaced).items():
            target.writestr(name, content)
    return path


def sheet_rows(folder: Path, cells: str, **more: bytes | None) -> list[list[str]]:
    sheet = f"<worksheet><sheetData>{cells}</sheetData></worksheet>".encode()
    return list(open_table(workbook(folder, sheet=sheet, **more)).rows())


# --- text files


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)  # fmt: skip
def test_text_is_read_in_the_encoding_it_is_in(tmp_path, encoding, found):
    table = open_table(made(tmp_path, csv_bytes(encoding=encoding)))
    assert (table.kind, table.encoding, table.delimiter) == ("csv", found, ",")
    assert list(table.rows()) == ROWS


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    price = "8.50" if delimiter == "，" else "8,50"
    rows = [["编号", "标题", "金额"], ["1", "杯 白", price], ["2", "盘", price]]
    table = open_table(made(tmp_path, csv_bytes(rows, delimiter=delimiter)))
    assert table.delimiter == delimiter
    assert list(table.rows()) == rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(tmp_path, end):
    table = open_table(made(tmp_path, end.join(["a,b", "1,2", "3,4"]).encode()))
    assert list(table.rows()) == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_exotic_separators_do_not_end_a_line(tmp_path):
    rows = [["a", "b"], ["1\u2028x", "2\x0cy"]]
    assert list(open_table(made(tmp_path, csv_bytes(rows, "utf-8"))).rows()) == rows


def test_the_first_unusual_character_may_come_late(tmp_path):
    rows = [["id", "text"], *([str(n), "plain"] for n in range(200_000)), ["x", "瓷杯"]]
    table = open_table(made(tmp_path, csv_bytes(rows)))
    assert table.encoding == "gb18030"
    assert list(table.rows())[-1] == ["x", "瓷杯"]


def test_a_character_cut_at_the_very_end_cuts_the_row_and_no_more(tmp_path):
    whole = csv_bytes([["编号", "标题"], ["1", "瓷杯"]])
    table = open_table(made(tmp_path, whole[:-3]))
    assert list(table.rows()) == [["编号", "标题"], ["1", "瓷"]]
    assert not table.ends_cleanly()


def test_what_stands_before_a_wrong_byte_comes_out_first(tmp_path):
    path = made(tmp_path, csv_bytes([["编号", "标题"], *[["1", "瓷杯"]] * 20_000], "utf-8") + b"2,\xff\xfe\xff\n")
    seen: list[list[str]] = []
    with pytest.raises(TabularError) as caught:
        seen.extend(open_table(path).rows())
    assert (caught.value.code, len(seen), caught.value.params["row"]) == ("wrong_encoding", 20_001, "20002")


# --- workbooks


def test_cells_of_a_workbook_come_out_as_text(tmp_path):
    path = tmp_path / "f.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy/m/d h:mm"})
        clock = book.add_format({"num_format": 'h"时"mm"分"'})
        money = book.add_format({"num_format": '"¥"#,##0.00'})
        sheet.write_row(0, 0, ["文字 <&>", 12, 12.5, 0.1 + 0.2, 1e-7, True])
        sheet.write_datetime(2, 1, datetime(2024, 5, 1, 13, 30), day)
        sheet.write_number(2, 2, 0.5, clock)
        sheet.write_number(2, 3, 8.5, money)
        sheet.write_formula(2, 4, "=1+1", None, 2)
        sheet.write_formula(2, 5, '="12"', None, "12")
        sheet.write_number(3, 0, 123456789012345)
        sheet.write_number(3, 1, 160500000000000001)
        sheet.write_rich_string(4, 0, "rich ", book.add_format({"bold": True}), "text")
    assert list(open_table(path).rows()) == [
        ["文字 <&>", "12", "12.5", "0.3", "0.0000001", "TRUE"],
        [],
        ["", "2024-05-01 13:30:00", "12:00:00", "8.5", "2", "12"],
        ["123456789012345", "1.60500000000000E+17"],
        ["rich text"],
    ]


def test_sheets_may_be_written_in_unusual_ways(tmp_path):
    prefixed = {
        "book": b'<x:workbook xmlns:x="m" xmlns:q="r"><x:sheets><x:sheet name="S" q:id="rId1"/></x:sheets></x:workbook>',
        "strings": b'<x:sst><x:si/><x:si><x:t xml:space="preserve"> a </x:t></x:si></x:sst>',
        "sheet": b'<x:worksheet><x:sheetData><x:row r="1"><x:c r="A1" t="s"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>',
    }
    assert list(open_table(workbook(tmp_path, **prefixed)).rows()) == [[" a "]]
    assert sheet_rows(
        tmp_path, '<row><c><v>1</v></c><c t="inlineStr"><is><t>b</t></is></c></row><row/><row><c><v>2</v></c></row>'
    ) == [["1", "b"], ["2"]]
    assert sheet_rows(tmp_path, '<row r="2"><c t="str" s="1" r="B2"><f>x</f><v>late</v></c></row>') == [
        [],
        ["", "late"],
    ]
    assert sheet_rows(
        tmp_path,
        '<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[<b>]]></t></is></c><c r="B1" t="e"><v>#N/A</v></c></row>',
    ) == [["<b>", "#N/A"]]
    assert sheet_rows(
        tmp_path, '<row r="1"><c r="A1" t="inlineStr"><is><t>a_x000D_b_x0000__xD800_</t></is></c></row>'
    ) == [["a\rb"]]
    assert sheet_rows(tmp_path, '<row r="1"><c r="C1"><v>3</v></c><c r="A1"><v>1</v></c></row>') == [["1", "", "3"]]


def test_hidden_sheets_are_not_read_and_a_sheet_can_be_named(tmp_path):
    path = tmp_path / "f.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("secret", "one", "two"):
            sheet = book.add_worksheet(name)
            sheet.write_string(0, 0, name)
        book.get_worksheet_by_name("one").activate()
        book.get_worksheet_by_name("one").set_first_sheet()
        book.get_worksheet_by_name("secret").hide()
    assert open_table(path).sheets == ("one", "two")
    assert list(open_table(path).rows()) == [["one"]]
    assert list(open_table(path, sheet="two").rows()) == [["two"]]
    with pytest.raises(TabularError, match="no_sheet"):
        open_table(path, sheet="secret")


def test_old_workbooks_are_read(tmp_path):
    path = xls.write(tmp_path / "f.xls", [["订单编号", "金额"], ["'1", 8.5], ["2", 160500000000000001.0], ["3", 12.0]])
    table = open_table(path)
    assert table.kind == "xls"
    assert list(table.rows()) == [["订单编号", "金额"], ["'1", "8.5"], ["2", "1.60500000000000E+17"], ["3", "12"]]


def test_html_posing_as_a_workbook_is_read(tmp_path):
    page = (
        "<html><head><meta charset='gb2312'></head><body><p>x</p><table><tr><th colspan=2>标题</th><th>金额</th></tr>"
        "<tr><td>1<td>瓷杯&amp;盘<br>大<td>&nbsp;8.5 </tr><tr><td><table><tr><td>in</td></tr></table>z</td></tr></table>"
    )
    table = open_table(made(tmp_path, (page + "</body>").encode("gb18030"), "f.xls"))
    assert (table.kind, table.encoding) == ("html", "gb18030")
    assert list(table.rows()) == [["标题", "", "金额"], ["1", "瓷杯&盘\n大", "8.5"], ["inz"]]


# --- what is refused


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        (b"%PDF-1.7 ...", "not_a_table"),
        (b"\x89PNG\r\n", "not_a_table"),
        (bytes(range(256)) * 40, "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "cut_off"),
        (b"PK\x03\x04 and nothing more", "cut_off"),
        (b"PAR1", "not_a_table"),
        (b'a,b\n1,"never closed' + b"x\n" * 900_000, "cut_off"),
        (b"a" * 5_000_000, "line_too_long"),
        (b"a,b\n" + b"," * 3_000 + b"\n", "too_many_columns"),
        ("编号,标题\n1,瓷杯\n".encode() + b"\x80\x81\xff\xff\xff\n", "wrong_encoding"),
        (b"<html><body>Session expired, please sign in</body></html>", "not_a_table"),
        (b"<table><tr><td>1</td></tr><tr><td>2</td></tr>", "cut_off"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_a_reason(tmp_path, content, code):
    assert refusal(made(tmp_path, content)).code == code


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "nothing.csv").code == "missing"
    assert refusal(tmp_path).code == "not_a_table"


@pytest.mark.parametrize("keep", [10, 200, 0.3, 0.6, 0.95])
def test_half_a_workbook_is_refused(tmp_path, keep):
    whole = workbook(tmp_path).read_bytes()
    cut = whole[: keep if isinstance(keep, int) else int(len(whole) * keep)]
    assert refusal(made(tmp_path, cut)).code == "cut_off"


def test_bombs_are_refused_before_they_are_unpacked(tmp_path):
    ratio = refusal(workbook(tmp_path, sheet=b"<worksheet>" + b"0" * 20_000_000))
    assert (ratio.code, int(ratio.params["ratio"]) > 100) == ("bomb", True)
    huge = workbook(tmp_path, sheet=b"<worksheet><sheetData>" + b"0" * 210_000_000)
    assert refusal(huge).code == refusal(huge, Limits(unpacked=MOST_UNPACKED)).code == "bomb"
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as target:
        for number in range(1_001):
            target.writestr(f"{number}.csv", b"a,b\n")
    assert refusal(many).code == "too_many_members"


def test_limits_can_be_widened(tmp_path):
    path = workbook(tmp_path, sheet=b'<worksheet><row r="1"><c r="A1"><v>1</v></c></row>' + b" " * 12_000_000)
    assert refusal(path).code == "bomb"
    assert list(open_table(path, limits=Limits(ratio=100_000)).rows()) == [["1"]]


def test_absurd_numbers_in_a_workbook_are_only_text(tmp_path):
    digits = "9" * 5_000
    assert sheet_rows(
        tmp_path, f'<row r="{digits}"><c r="A1"><v>{digits}</v></c><c r="B1" t="s"><v>0</v></c></row>'
    ) == [["INF", "one"]]
    styles = b'<styleSheet><numFmts><numFmt numFmtId="x" formatCode="yyyy"/></numFmts><cellXfs><xf numFmtId="x"/></cellXfs></styleSheet>'
    rels = parts()["xl/_rels/workbook.xml.rels"].replace(
        b"</Rel", b'<Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Rel', 1
    )
    more = {"xl/_rels/workbook.xml.rels": rels, "xl/styles.xml": styles}
    assert sheet_rows(tmp_path, '<row r="1"><c r="A1" s="0"><v>1e300</v></c></row>', **more) == [["1e300"]]


@pytest.mark.parametrize("part", ["sheet", "strings", "book"])
def test_document_definitions_are_refused_wherever_they_stand(tmp_path, part):
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    root = {"sheet": b'<worksheet><row r="1"><c r="A1" t="s"><v>0</v></c></row></worksheet>',
            "strings": b"<sst><si><t>&e;</t></si></sst>", "book": parts()["xl/workbook.xml"]}[part]  # fmt: skip
    assert refusal(workbook(tmp_path, **{part: evil + root})).code == "unsafe_xml"


def test_a_million_columns_are_refused(tmp_path):
    assert refusal(made(tmp_path, b"x," * 1_000_000 + b"\n" + b"1,2\n")).code == "too_many_columns"
    far = b'<worksheet><row r="1"><c r="ZZZZ1"><v>1</v></c></row></worksheet>'
    assert refusal(workbook(tmp_path, sheet=far)).code == "too_many_columns"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sheet": b'<worksheet><row r="1"><c r="A1" t="s"><v>7</v></c></row></worksheet>'}, "cut_off"),
        ({"sheet": b"no xml at all"}, "cut_off"),
        ({"book": b"<workbook"}, "cut_off"),
        ({"sheet": None}, "no_sheet"),
        ({"strings": b"<sst><si><t>\xff\xff</t></si></sst>"}, "cut_off"),
        ({"sheet": b'<worksheet><row r="1"><c r="A1" t="str"><v>\xff</v></c></row></worksheet>'}, "wrong_encoding"),
        ({"book": None}, "not_a_table"),
    ],
)
def test_workbooks_that_lie_about_themselves_are_refused(tmp_path, change, code):
    assert refusal(workbook(tmp_path, **change)).code == code


def test_a_row_number_far_ahead_is_not_filled_up_to(tmp_path):
    assert sheet_rows(tmp_path, '<row r="99999999999"><c r="A1"><v>1</v></c></row>') == [["1"]]


# --- zips and headers


def test_names_inside_a_chinese_zip_are_readable(tmp_path):
    member = zipfile.ZipInfo("订单.csv".encode("gb18030").decode("cp437"))
    assert archive.shown_name(member) == "订单.csv"


def test_header_names_are_compared_in_their_normal_form():
    assert header.normal("收货地址 ") == header.normal("收货地址") == "收货地址"
    assert header.normal("邮费（元）") == header.normal("邮费(元)") == header.normal(" 邮费 ( 元 ) ")
    assert header.normal("\ufeffLineitem Name") == "lineitemname"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([["Report of July"], [], ["id", "day", "sum"], ["1", "2024-01-01", "9"]], 2),
        ([["id", "day", "sum"], ["1", "2024-01-01", "9"]], 0),
        ([["1", "2024-01-01", "9"], ["2", "2024-01-02", "9"]], -1),
        ([], -1),
    ],
)
def test_a_header_row_is_guessed_by_its_looks(rows, found):
    assert header.guess_row(rows) == found
