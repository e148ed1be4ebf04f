"""Points brought along from another system: docs/algorithms/opening-balances.md, case by case."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from shuke.flows import imports
from shuke.flows.imports import reading
from shuke.flows.undo_import import UndoRefused, undo
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries as books
from shuke.members.models import Member
from tests.cast import NOON as NOW
from tests.flows.test_imports import begin, counted
from tests.loyalty.books import publish

pytestmark = pytest.mark.django_db

YOUZAN = ["客户姓名", "客户手机号", "客户积分", "成为客户时间"]
LIN, CHEN = "13800000001", "13900000002"


def customers(path: Path, *rows: tuple[str, str]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([YOUZAN, *(["某人", who, points, "2026-01-05 10:00:00"] for who, points in rows)])
    return path


def take(lan, path: Path, **options) -> imports.ImportBatch:
    """Preview and run; both must count alike."""
    batch = begin(lan, path, **options)
    seen = imports.preview(batch, now=NOW)
    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert (counted(seen), seen.odd) == (counted(done), done.counts["odd"])
    return done


def points(merchant) -> list[int]:
    held = books.balances(merchant, Member.objects.order_by("id").values_list("id", flat=True), NOW)
    assert books.verify(merchant).findings == []
    return [one.available for one in held.values()]


def test_a_balance_is_taken_over_once_however_often_it_is_told(lan, tmp_path):
    publish(lan.merchant)
    first = take(lan, customers(tmp_path / "a.csv", (LIN, "1,080"), (CHEN, "0"), (LIN, "1080")))
    assert (first.counts["openings"], points(lan.merchant)) == (1, [1080, 0])
    again = take(lan, customers(tmp_path / "b.csv", (LIN, "1080"), (CHEN, "")))
    assert (again.counts["openings"], again.counts["oddities"], points(lan.merchant)) == (0, 0, [1080, 0])


def test_another_balance_is_told_and_not_booked(lan, tmp_path):
    publish(lan.merchant)
    first = take(lan, customers(tmp_path / "a.csv", (LIN, "100")))
    later = take(lan, customers(tmp_path / "b.csv", (LIN, "120"), (CHEN, "7")))
    assert (later.counts["openings"], later.counts["odd"], points(lan.merchant)) == (
        1,
        {"opening_differs": 1},
        [100, 7],
    )
    told = later.counts["examples"]["opening_differs"][0]
    assert dict(told["params"]) == {"stands": "100", "batch": str(first.pk)}


def test_of_two_balances_in_one_file_the_first_counts(lan, tmp_path, monkeypatch):
    publish(lan.merchant)
    for size in (20_000, 1):
        monkeypatch.setattr(reading, "FACTS", size)
        done = take(
            lan, customers(tmp_path / f"{size}.csv", (LIN if size > 1 else CHEN, "5"), (LIN if size > 1 else CHEN, "9"))
        )
        assert (done.counts["openings"], done.counts["odd"]) == (1, {"opening_differs": 1})
    assert points(lan.merchant) == [5, 5]


def test_a_wrong_balance_is_taken_back_with_its_import_and_the_right_one_counts(lan, tmp_path):
    publish(lan.merchant)
    wrong, right = customers(tmp_path / "a.csv", (LIN, "9999")), customers(tmp_path / "b.csv", (LIN, "99"))
    batch = take(lan, wrong)
    done = undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert (done.openings, points(lan.merchant)) == (1, [0])
    assert (take(lan, right).counts["openings"], points(lan.merchant)) == (1, [99])
    take(lan, wrong)  # the former one again: told, not booked
    assert points(lan.merchant) == [99]


def test_the_very_file_that_was_taken_back_can_come_again(lan, tmp_path):
    publish(lan.merchant)
    file = customers(tmp_path / "a.csv", (LIN, "50"))
    for _ in range(2):
        batch = take(lan, file)
        assert points(lan.merchant) == [50]
        undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
        assert points(lan.merchant) == [0]


def test_points_spent_since_stand_in_the_way(lan, tmp_path):
    publish(lan.merchant)
    batch = take(lan, customers(tmp_path / "a.csv", (LIN, "50")))
    ask = loyalty.Ask("till:1", "burn", Member.objects.get().pk, 20)
    loyalty.ask(merchant=lan.merchant, asks=[ask], now=NOW, actor="lan.assistant")
    with pytest.raises(UndoRefused) as refused:
        undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert (refused.value.code, refused.value.params["points"]) == ("opening_spent", "20")
    assert (points(lan.merchant), Member.objects.get().state) == ([30], "active")


def test_two_systems_are_two_balances(lan, tmp_path):
    publish(lan.merchant)
    take(lan, customers(tmp_path / "a.csv", (LIN, "50")))
    till = tmp_path / "till.csv"
    till.write_text(f"手机,积分,姓名\n{LIN},30,某人\n")
    by = {"kind": "customers", "columns": {"phone": "手机", "points": "积分"}, "defaults": {"phone_verified": True}}
    assert take(lan, till, mapping=by).counts["openings"] == 1
    assert points(lan.merchant) == [80]


def test_without_a_charter_it_is_said_and_the_file_brings_them_once_there_is_one(lan, tmp_path):
    file = customers(tmp_path / "a.csv", (LIN, "50"))
    early = take(lan, file)
    assert (early.counts["openings"], early.counts["odd"]) == (0, {"opening_without_charter": 1})
    publish(lan.merchant)
    assert (take(lan, file).counts["openings"], points(lan.merchant)) == (1, [50])
