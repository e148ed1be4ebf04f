"""`shuke import`: from a till's table to members with points, seen first, taken in, known again, taken back."""

from __future__ import annotations

import csv
import json
import re

import pytest

from shuke.flows.open_shop import open_shop
from shuke.members.models import Member, MemberState
from shuke.orders.models import ImportBatch, Order
from tests import cast
from tests.connect.importers.making import xlsx_file, zip_file

HEADER = ["单号", "日期", "实收", "商品名称", "数量", "手机", "姓名"]
ROWS = [
    ["T-1", "2026-05-01 10:00:00", "128.00", "洁面乳", "1", "13800001234", "张小明"],
    ["T-2", "2026-05-02 11:30:00", "56.50", "面霜", "1", "13800001234", "张小明"],
    ["T-3", "2026-05-03 12:00:00", "abc", "面霜", "1", "13900005678", "李丽"],
]
MAP = [
    "--map", "number=单号", "--map", "created_at=日期", "--map", "paid=实收", "--map", "title=商品名称",
    "--map", "quantity=数量", "--map", "phone=手机", "--map", "name=姓名",
]  # fmt: skip


@pytest.fixture
def shop(db):
    return open_shop(name="兰记", now=cast.OPENED, stores=[("pos", "XH", "徐汇店")]).merchant


@pytest.fixture
def till(tmp_path):
    file = tmp_path / "till.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([HEADER, *ROWS])
    return file


def test_a_preview_weighs_every_row_and_writes_nothing(shop, shuke, till):
    said = shuke("import", str(till), *MAP, "--shop", "XH", "--preview", "--json")
    assert said.code == 0, said
    counts = said.json["counts"]
    assert (counts["orders_new"], counts["rejected"]) == (2, 1)
    assert len(said.json["bad"]) == 1
    assert not Order.objects.exists()
    assert not Member.objects.exists()
    assert shuke("import", "--resume", str(said.json["batch"]), "--json").json["counts"]["orders_new"] == 2
    assert Order.objects.count() == 2


def test_a_file_is_taken_in_once_and_its_rejected_rows_come_back(shop, shuke, till):
    said = shuke("import", str(till), *MAP, "--shop", "XH", "--json")
    assert said.code == 0, said
    assert said.json["state"] == "done"
    with open(said.json["rejects"], encoding="utf-8-sig") as handle:
        rejected = list(csv.DictReader(handle))
    assert [row["单号"] for row in rejected] == ["T-3"]
    again = shuke("import", str(till), *MAP, "--shop", "XH", "--json").json["counts"]
    assert (again["orders_new"], again["orders_changed"], again["orders_same"], again["members_new"]) == (0, 0, 2, 0)
    assert Order.objects.count() == 2
    balance = shuke("points", "balance", "1234", "--json").json
    assert balance["balance"] == 128 + 56


def test_an_import_is_taken_back(shop, shuke, till):
    batch = shuke("import", str(till), *MAP, "--shop", "XH", "--json").json["batch"]
    undone = shuke("import", "--undo", str(batch), "--json")
    assert (undone.code, undone.json.get("orders_removed")) == (0, 2), undone
    assert not Order.objects.exists()
    assert set(Member.objects.values_list("state", flat=True)) <= {MemberState.UNDONE}
    assert shuke("import", "--undo", str(batch)).code == 1
    assert shuke("ledger", "verify").code == 0


def test_a_saved_mapping_is_read_from_a_file(shop, shuke, till, tmp_path):
    mapping = tmp_path / "mapping.json"
    columns = dict(zip(["number", "created_at", "paid", "title", "quantity", "phone", "name"], HEADER, strict=True))
    mapping.write_text(json.dumps({"kind": "orders", "columns": columns}), encoding="utf-8")
    assert (
        shuke("import", str(till), "--map", f"@{mapping}", "--shop", "XH", "--json").json["counts"]["orders_new"] == 2
    )


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "empty.csv"), (b"%PDF-1.7 \x00\x01\x02", "letter.csv"), (b"PK\x03\x04half a zip", "half.xlsx")],
    ids=["empty", "no table", "half a file"],
)
def test_what_is_no_table_is_refused_in_a_sentence(shop, shuke, tmp_path, content, name):
    file = tmp_path / name
    file.write_bytes(content)
    said = shuke("import", str(file), "--json")
    assert said.code == 1, said
    assert name in said.json["error"]
    assert not Order.objects.exists()


def test_a_file_that_is_not_there_and_a_layout_that_does_not_exist(shop, shuke, till, tmp_path):
    assert shuke("import", str(tmp_path / "no.csv")).code != 0
    unknown = shuke("import", str(till), "--as", "ebay")
    assert (unknown.code, "taobao" in unknown.err) == (1, True)
    assert shuke("import").code == 2
    assert shuke("import", str(till), "--map", "phone").code == 2
    assert not ImportBatch.objects.filter(state=ImportBatch.State.DONE).exists()


def test_a_workbook_that_unpacks_to_more_than_allowed_is_taken_when_somebody_says_so(shop, shuke, tmp_path, settings):
    settings.SHUKE_MAX_UNPACKED = 1
    rows = [
        [f"T-{i}", "2026-05-01 10:00:00", f"{i}.50", f"{i:x}" * 20, "1", f"138{i:08d}", "张小明"] for i in range(3_000)
    ]
    file = xlsx_file(tmp_path / "till.xlsx", [HEADER, *rows])
    refused = shuke("import", str(file), *MAP, "--shop", "XH")
    assert refused.code == 1
    allow = re.search(r"--max-unpacked (\d+)`", refused.err)
    assert allow is not None, refused.err
    assert "SHUKE_MAX_UNPACKED" in refused.err
    assert not Order.objects.exists()
    said = shuke("import", str(file), *MAP, "--shop", "XH", "--max-unpacked", allow.group(1), "--json")
    assert (said.code, said.json["counts"]["orders_new"]) == (0, 3_000), said
    assert shuke("import", str(file), "--max-unpacked", "999999").code == 2


def test_no_option_opens_a_bomb(shop, shuke, tmp_path):
    file = zip_file(tmp_path / "orders.zip", {"orders.csv": b"a,b\n" + b"0" * 3_000_000})
    refused = shuke("import", str(file), "--max-unpacked", "20000")
    assert (refused.code, "far more than honest tables" in refused.err) == (1, True)
    assert "--max-unpacked" not in refused.err


def test_what_makes_a_row_the_same_purchase_can_be_said(shop, shuke, tmp_path):
    file = tmp_path / "till.csv"
    by = MAP[2:]  # without --map number=…

    def take(*more, price="128.00"):
        file.write_text(f"日期,实收,商品名称,数量,手机,姓名\n2026-05-01 10:00:00,{price},洁面乳,1,13800001234,张小明\n")
        counts = shuke("import", str(file), *by, *more, "--json").json["counts"]
        return counts["orders_new"], counts["orders_changed"]

    assert take() == (1, 0)
    assert take(price="118.00") == (0, 1)
    assert take("--identity", "row") == (1, 0)
    assert take("--identity", "created_at, phone") == (1, 0)
    assert take("--identity", "created_at,phone", price="99.00") == (0, 1)
    wrong = shuke("import", str(file), *by, "--identity", "receipt")
    assert (wrong.code, "identity" in wrong.err) == (1, True)
    assert shuke("import", str(file), "--identity", "row").code == 2
