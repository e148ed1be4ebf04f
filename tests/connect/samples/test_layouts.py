"""Each layout has a sample that is written the same way every time, with the header the platform writes."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import pytest

from shuke.connect.samples import columns, layouts

AT = datetime(2026, 1, 1, 12)


@pytest.mark.parametrize("layout", layouts.CATALOGUE, ids=lambda layout: layout.key)
def test_a_sample_is_the_same_file_every_time(layout, tmp_path):
    one = layouts.write(tmp_path / "a", layout.key, at=AT)
    two = layouts.write(tmp_path / "b", layout.key, at=AT)
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.path.name == layout.file
    assert one._replace(path=None) == two._replace(path=None)
    assert len(set(one.numbers)) == len(one.numbers) > 0
    assert not one.paid or len(one.paid) == len(one.numbers)


def test_every_title_file_name_and_key_is_used_once():
    for part in range(4):
        assert len({layout[part] for layout in layouts.CATALOGUE}) == len(layouts.CATALOGUE)


def test_the_generations_have_as_many_columns_as_the_platform_writes():
    assert {name: len(header) for name, header in columns.TAOBAO_ORDERS.items()} == {
        "g0": 28,
        "g1": 41,
        "g2": 54,
        "g2-payment": 56,
        "g3": 61,
        "g3-extra": 68,
        "g4": 62,
    }
    assert [name for name in columns.G1 if name.endswith(" ")] == [
        "收货地址 ", "联系电话 ", "订单付款时间 ", "宝贝标题 ", "宝贝种类 ", "物流单号 ",
    ]  # fmt: skip
    assert columns.YOUZAN_ORDERS.count("分销员") == 2


def test_a_shopify_order_of_several_lines_has_its_totals_on_the_first_row_only(tmp_path):
    made = layouts.write(tmp_path, "shopify-orders", at=AT, count=20)
    rows = list(csv.DictReader(io.StringIO(made.path.read_text())))
    assert len(rows) > len(made.numbers)
    totals: dict[str, list[str]] = {}
    for row in rows:
        totals.setdefault(row["Name"], []).append(row["Total"])
    assert tuple(totals) == made.numbers
    assert all(first and not any(rest) for first, *rest in totals.values())


def test_douyin_guards_its_long_numbers_with_a_tab(tmp_path):
    made = layouts.write(tmp_path, "douyin-orders", at=AT)
    rows = list(csv.DictReader(io.StringIO(made.path.read_text(encoding="utf-8-sig"))))
    assert all(row["主订单编号"].endswith("\t") for row in rows)
    assert {row["主订单编号"].strip() for row in rows} == set(made.numbers)
