"""What is said about a problem, and the file of rejected rows."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

import shuke
from shuke.connect import importers
from shuke.connect.importers.problems import SENTENCES, harmless, sentence, write_rejects
from shuke.connect.samples import columns
from shuke.engine.facts import Problem
from tests.connect.importers.making import csv_file, facts, orders, problems, table
from tests.connect.importers.test_taobao_orders import ORDER, sale

HERE = Path(shuke.__file__).parent


def test_every_code_that_is_raised_has_its_sentence_in_both_languages():
    raised: set[str] = set()
    for path in [*(HERE / "connect" / "importers").glob("*.py"), *(HERE / "kit" / "tabular").glob("*.py")]:
        text = path.read_text()
        raised |= set(re.findall(r'(?:RowError|TabularError|Problem|BadMapping|odd|told)\(\s*"([a-z_]+)"', text))
    raised |= {"unknown_status", "status_missing", "unused_table"}
    assert raised - set(SENTENCES) == set()
    assert raised >= {"lost_id", "bomb", "mapping_kind", "filler_date", "header_again"}
    for code, (english, chinese) in SENTENCES.items():
        assert english.endswith("."), code
        assert chinese.endswith("。"), code
        fields = re.findall(r"{(\w+)}", english)
        assert set(re.findall(r"{(\w+)}", chinese)) <= {*fields, *(f"{one}_zh" for one in fields), "row"}, code


def test_a_sentence_says_what_where_and_what_to_do():
    problem = Problem("lost_id", 7, "订单编号", "1.23E+17", file="orders.csv")
    assert sentence(problem).startswith("The number '1.23E+17' was shortened by a spreadsheet")
    assert sentence(problem, "zh-hans").startswith("编号“1.23E+17”已被表格软件")
    assert sentence(Problem("cut_off", 0)) == "– is damaged or only half there (–; row –). Download or export it again."


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_rejected_rows_can_be_corrected_and_sent_again(tmp_path, ending):
    rows = table(columns.G1, sale(), sale(订单编号="1.6E+17"), sale(订单编号="=2+3", 买家实际支付金额="lots"))
    path = csv_file(tmp_path / "f.csv", rows)
    assert orders(path) == [ORDER]
    rejected = tmp_path / f"rejected.{ending}"
    assert write_rejects(rejected, columns.G1, problems(path), language="zh") == 2
    if ending == "csv":
        with open(rejected, encoding="utf-8-sig", newline="") as file:
            again = list(csv.reader(file))
        assert rejected.read_bytes().startswith(b"\xef\xbb\xbf")
    else:
        again = CalamineWorkbook.from_path(str(rejected)).get_sheet_by_index(0).to_python()
    assert again[0] == [*columns.G1, "shuke:row", "shuke:column", "shuke:reason"]
    assert again[1][-3:-1] == ["3", "订单编号"]
    assert "丢失" in again[1][-1]
    assert importers.recognise_file(rejected).unknown == ()
    for row in again[1:]:
        row[0], row[8] = "160500000000000001", "94.00"
    assert orders(csv_file(tmp_path / "corrected.csv", again)) == [ORDER, ORDER]


def test_a_plain_files_rejects_are_guessed_as_the_file_itself(tmp_path):
    rows = [["退款编号", "订单号", "退款金额", "退款时间"], ["R1", "A1", "-1", "2024-03-05"]]
    path = csv_file(tmp_path / "f.csv", rows)
    write_rejects(tmp_path / "r.csv", rows[0], problems(path))
    assert (
        importers.guess_mapping(rows[0]).columns
        == importers.guess_mapping([*rows[0], "shuke:row", "shuke:column", "shuke:reason"]).columns
    )
    assert [one.code for one in problems(tmp_path / "r.csv")] == ["mapping_guessed", "negative_amount"]


def test_reasons_of_a_whole_file_and_oddities_are_no_rows(tmp_path):
    found = [
        Problem("empty", 0),
        Problem("filler_date", 3, reject=False, raw=("a",)),
        Problem("lost_id", 4, raw=("b",)),
    ]
    assert write_rejects(tmp_path / "r.csv", ["x"], found) == 1


def test_a_shifted_row_keeps_all_its_cells(tmp_path):
    problem = Problem("row_shifted", 2, raw=("1", "a", "b", "c"))
    assert write_rejects(tmp_path / "r.csv", ["id", "text"], [problem]) == 1
    assert (tmp_path / "r.csv").read_text("utf-8-sig").splitlines()[1].startswith("1,a b c,2,,")


@given(st.text(max_size=40))
def test_no_cell_of_the_csv_is_a_live_formula_and_the_text_comes_back(text):
    escaped = harmless(text)
    assert not escaped.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    back = escaped[1:] if escaped.startswith("'") and escaped != text else escaped
    assert back == text


@pytest.mark.parametrize("hostile", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(1)"])
def test_hostile_cells_are_text_in_both_formats(tmp_path, hostile):
    problem = Problem("number_missing", 2, "x", "", raw=(hostile, "1"))
    write_rejects(tmp_path / "r.csv", ["a", "b"], [problem])
    with open(tmp_path / "r.csv", encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][0] == "'" + hostile
    write_rejects(tmp_path / "r.xlsx", ["a", "b"], [problem])
    import zipfile

    with zipfile.ZipFile(tmp_path / "r.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_facts_file_problem_carries_the_files_name(tmp_path):
    path = tmp_path / "nothing.csv"
    path.write_bytes(b"")
    found = facts([path, tmp_path / "absent.csv"])
    assert [(one.code, one.file) for one in found] == [("empty", "nothing.csv"), ("missing", "absent.csv")]  # type: ignore[union-attr]
    assert importers.sentence(found[1]) == "There is no file absent.csv. Check the path."  # type: ignore[arg-type]
