"""Workbooks larger than anyone would hold in memory: allowed when somebody says so, and read as a stream."""

from __future__ import annotations

import random
import tracemalloc
import zipfile
from collections import deque
from pathlib import Path

import pytest

from shuke.kit.tabular import Limits, TabularError, open_table
from shuke.kit.tabular import strings as shared
from tests.kit.tabular.test_tabular import parts

COLUMNS = "ABCD"


def big(path: Path, rows: int) -> Path:
    """A workbook whose every cell is a string of its own, as order numbers, names and addresses are."""
    dice = random.Random(7)
    texts = (f"<si><t>{i}-{dice.getrandbits(160):x}</t></si>" for i in range(rows * len(COLUMNS)))
    cells = (
        f'<row r="{y + 1}">'
        + "".join(f'<c r="{c}{y + 1}" t="s"><v>{y * len(COLUMNS) + x}</v></c>' for x, c in enumerate(COLUMNS))
        + "</row>"
        for y in range(rows)
    )
    whole = parts(
        strings=f"<sst>{''.join(texts)}</sst>".encode(),
        sheet=f"<worksheet><sheetData>{''.join(cells)}</sheetData></worksheet>".encode(),
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name, content in whole.items():
            target.writestr(name, content)
    return path


def peak(path: Path) -> int:
    """Most bytes held while the workbook is read from first to last row."""
    tracemalloc.start()
    try:
        deque(open_table(path, limits=Limits(unpacked=10**9)).rows(), maxlen=1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_workbook(tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "IN_MEMORY", 500_000)
    monkeypatch.setattr(shared, "_GROUPS_KEPT", 32)
    small, large = big(tmp_path / "small.xlsx", 25_000), big(tmp_path / "large.xlsx", 75_000)
    assert peak(large) < peak(small) * 1.1


def test_strings_are_the_same_whether_they_fit_into_memory_or_not(tmp_path, monkeypatch):
    path = big(tmp_path / "book.xlsx", 3_000)
    held = list(open_table(path).rows())
    monkeypatch.setattr(shared, "IN_MEMORY", 1_000)
    monkeypatch.setattr(shared, "_GROUPS_KEPT", 2)
    assert list(open_table(path).rows()) == held
    assert held[2_999][3].startswith("11999-")


def test_strings_may_be_asked_for_in_any_order_and_beyond_their_end():
    texts = shared.Strings(iter([[b"%d" % i for i in range(start, start + 50)] for start in range(0, 500, 50)]))
    assert [texts[i] for i in (499, 0, 63, 64, 130, 499)] == ["499", "0", "63", "64", "130", "499"]
    for wrong in (500, 10_000, -1):
        with pytest.raises(IndexError):
            texts[wrong]


def test_nul_inside_a_string_cannot_shift_the_others():
    texts = shared.Strings(iter([[b"a\0b", b"c"]]))
    assert [texts[0], texts[1]] == ["ab", "c"]


def test_more_than_is_allowed_is_refused_with_the_figure_that_would_do(tmp_path):
    path = big(tmp_path / "book.xlsx", 9_000)
    with pytest.raises(TabularError) as refused:
        open_table(path, limits=Limits(unpacked=1_000_000))
    assert refused.value.code == "unpacks_too_big"
    needed = int(refused.value.params["unpacked_mb"]) * 1_000_000
    assert sum(1 for _ in open_table(path, limits=Limits(unpacked=needed)).rows()) == 9_000
