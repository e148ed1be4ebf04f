"""A till's list without order numbers: corrected at its source or row by row, it never makes a purchase twice."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from django.conf import settings

from shuke.flows import imports
from shuke.flows.imports.starting import header_digest
from shuke.loyalty import queries as books
from shuke.members.models import Member
from shuke.orders import actions as archive
from shuke.orders.models import Order
from tests.cast import NOON as NOW
from tests.flows.test_imports import begin, counted, report, take
from tests.loyalty.books import publish

pytestmark = pytest.mark.django_db

HEADER = ["何时", "谁", "几钱", "店员"]
ROWS = [
    ["2026-05-01 10:00:31", "18600000001", "128.00", "小王"],
    ["2026-05-01 10:00:31", "18600000001", "56.50", "小王"],
    ["2026-05-02 11:20:05", "18600000002", "30.00", "小李"],
]
BY = {
    "kind": "orders",
    "columns": {"created_at": 0, "phone": 1, "paid": 2, "staff": 3},
    "defaults": {"store": "XH"},
    "header_row": 1,
}


@pytest.fixture(autouse=True)
def known_columns(lan):
    archive.save_mapping(merchant=lan.merchant, name="老收银", header_digest=header_digest(HEADER), mapping=BY, now=NOW)


def paid(merchant) -> list[int]:
    return sorted(Order.objects.filter(merchant=merchant).values_list("paid_minor", flat=True))


def points(merchant) -> int:
    held = books.balances(merchant, Member.objects.values_list("id", flat=True), NOW)
    return sum(b.available + b.pending for b in held.values())


def test_the_list_corrected_at_its_source_corrects_the_purchase_and_its_points(lan, tmp_path):
    publish(lan.merchant)
    first = take(lan, report(tmp_path / "till20260503.csv", ROWS, HEADER))
    assert (counted(first)["orders_new"], paid(lan.merchant)) == (3, [3000, 5650, 12800])
    earned = points(lan.merchant)
    corrected = [[*ROWS[0][:2], "118.00", "小王"], *ROWS[1:]]
    batch = begin(lan, report(tmp_path / "till20260503.csv", corrected, HEADER))
    seen = imports.preview(batch, now=NOW)
    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert counted(seen) == counted(done) == {"orders_changed": 1, "orders_same": 2, "oddities": 1}
    assert paid(lan.merchant) == [3000, 5650, 11800]
    assert points(lan.merchant) == earned - 10


def test_a_row_kept_out_is_corrected_and_sent_as_often_as_you_like(lan, tmp_path):
    wrong = [ROWS[0], [*ROWS[1][:2], "fifty", "小王"], ROWS[2]]
    batch = take(lan, report(tmp_path / "till.csv", wrong, HEADER))
    assert (counted(batch)["orders_new"], counted(batch)["rejected"]) == (2, 1)
    given = Path(settings.SHUKE_HOME) / batch.rejects_path
    with open(given, encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == [*HEADER, "shuke:row", "shuke:column", "shuke:reason", "shuke:number"]
    table[1][2] = "56.50"
    fixed = tmp_path / "fixed.csv"
    with open(fixed, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(table)
    for _ in range(2):
        again = take(lan, fixed)
        assert again.files[0]["mapping_name"] == "老收银"  # known although it has columns of ours
        assert paid(lan.merchant) == [3000, 5650, 12800]
    whole = take(lan, report(tmp_path / "whole.csv", ROWS, HEADER))
    assert whole.counts["orders_new"] == 0
    assert paid(lan.merchant) == [3000, 5650, 12800]


def test_a_saved_mapping_holds_when_a_title_was_put_above_the_header(lan, tmp_path):
    batch = take(lan, report(tmp_path / "till.csv", [HEADER, *ROWS], ["五月报表", "", "", ""]))
    assert (counted(batch)["orders_new"], batch.counts["rejected"]) == (3, 0)
