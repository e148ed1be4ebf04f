"""Imports as a seller lives them: from files to rows, looked at before, done again, torn, killed and gone on with."""

from __future__ import annotations

import csv
import errno
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from shuke.engine.facts import OrderStatus
from shuke.flows import imports
from shuke.flows.imports import reading, running, starting
from shuke.flows.undo_import import undo
from shuke.kit import jobs
from shuke.members.models import Member, TimelineLine
from shuke.orders.models import BatchChange, ImportBatch, Order, OrderLine, Refund
from tests.cast import NOON as NOW

pytestmark = pytest.mark.django_db

HEADER = [
    "订单编号", "买家会员名", "买家应付货款", "买家应付邮费", "总金额", "买家实际支付金额", "订单状态", "收货人姓名",
    "收货地址 ", "联系手机", "订单创建时间", "订单付款时间 ", "宝贝标题 ", "订单关闭原因", "退款金额", "确认收货时间",
]  # fmt: skip
STATES = {"finished": "交易成功", "paid": "买家已付款，等待卖家发货", "unpaid": "等待买家付款", "closed": "交易关闭"}


def row(
    number: int, *, state: str = "finished", paid: str = "88.00", refund: str = "", buyer: str = "", why: str = ""
) -> list[str]:
    day = f"2026-03-{number % 28 + 1:02d}"
    bought = state not in ("unpaid", "closed") or (state == "closed" and refund)
    return [
        f'="{700000000000000000 + number}"', buyer or f"买家{number % 5}", paid, "8.00", paid, paid if bought else "0.00",
        STATES[state], "某人", "上海 上海市 徐汇区 某路1号(200030)", f"'1380000{number % 5:04d}", f"{day} 10:00:00",
        f"{day} 10:05:00" if bought else "", "面霜", why or "订单未关闭", refund, f"{day} 20:00:00" if state == "finished" else "",
    ]  # fmt: skip


def report(path: Path, rows: list[list[str]], header: list[str] = HEADER) -> Path:
    with open(path, "w", encoding="gbk", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def begin(shop, /, *paths: Path, now: datetime = NOW, **options) -> ImportBatch:
    options = {"shop": "兰记护肤", **options}
    return imports.start(
        merchant=shop.merchant, files=[(p, p.name) for p in paths], options=options, now=now, actor="lan.owner"
    )


def take(shop, /, *paths: Path, now: datetime = NOW, **options) -> ImportBatch:
    batch = begin(shop, *paths, now=now, **options)
    return imports.run(merchant=shop.merchant, batch_id=batch.pk, now=now)


def archive(merchant) -> list[tuple]:
    return list(
        Order.objects.filter(merchant=merchant)
        .order_by("number")
        .values_list("number", "status", "paid_at", "paid_minor", "refunded_minor", "net_minor", "member__nickname")
    )


def counted(batch_or_preview) -> dict[str, int]:
    counts = batch_or_preview.counts
    return {name: counts[name] for name in imports.COUNTS if counts[name]}


def test_a_row_of_a_day_that_has_not_come_is_given_back_and_the_rest_comes_in(lan, tmp_path):
    """Books that had gone on to that day would let everything lapse that the member has."""
    odd = [cell.replace("2026-03", "2062-03") for cell in row(2)]
    virtual = [*row(3), "2027-01-01 00:00:00"]  # a virtual number ends when it ends
    batch = take(lan, report(tmp_path / "a.csv", [[*row(1), ""], [*odd, ""], virtual], [*HEADER, "虚拟号过期时间"]))
    assert (batch.state, batch.counts["rejected"], Order.objects.count()) == (ImportBatch.State.DONE, 1, 2)
    assert [(one["code"], one["value"]) for one in batch.counts["bad"]] == [("in_future", "2062-03-03 10:05:00")]


def test_a_report_becomes_orders_members_and_lines_on_their_timeline(lan, tmp_path):
    rows = [
        row(1),
        row(2, state="unpaid"),
        row(3, state="closed", why="买家未付款"),
        row(4, state="closed", refund="88.00"),
    ]
    batch = take(lan, report(tmp_path / "ExportOrderList20260401.csv", rows))
    assert (batch.state, batch.error, batch.rejects_path) == ("done", "", "")
    assert batch.files[0]["layout"] == "taobao.orders"
    found = {number[-1]: tuple(rest) for number, *rest in archive(lan.merchant)}
    paid = datetime(2026, 3, 2, 2, 5, tzinfo=UTC)
    assert found == {
        "1": (OrderStatus.FINISHED, paid, 8800, 0, 8000, "买家1"),
        "2": (OrderStatus.UNPAID, None, 0, 0, 0, "买家2"),
        "3": (OrderStatus.CLOSED_UNPAID, None, 0, 0, 0, "买家3"),
        "4": (OrderStatus.CLOSED_REFUNDED, paid.replace(day=5), 8800, 8800, 0, "买家4"),
    }
    told = TimelineLine.objects.filter(merchant=lan.merchant, kind__startswith="order.").order_by("ref", "id")
    assert [(t.ref[-1], t.kind) for t in told] == [
        ("1", "order.paid"), ("2", "order.placed"), ("3", "order.closed"), ("4", "order.paid"), ("4", "order.refunded"),
    ]  # fmt: skip


def test_the_preview_says_what_the_run_then_does_and_writes_nothing(lan, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "ORDERS", 4)
    take(lan, report(tmp_path / "ExportOrderList20260401.csv", [row(n, state="paid") for n in range(6)]))
    changed = [row(n) for n in range(3)] + [row(n, state="paid") for n in range(3, 6)]
    new = [row(n, buyer=f"新客{n % 3}", refund="200.00" if n == 20 else "") for n in range(10, 24)]
    lost = row(30)
    lost[0] = "7.00E+17"
    again = [row(11, buyer="新客2"), row(0)]
    file = report(tmp_path / "ExportOrderList20260402.csv", [*changed, *new, lost, *again])
    batch = begin(lan, file)
    before = (Order.objects.count(), Member.objects.count(), TimelineLine.objects.count(), archive(lan.merchant))
    seen = imports.preview(batch, now=NOW)
    assert (
        Order.objects.count(),
        Member.objects.count(),
        TimelineLine.objects.count(),
        archive(lan.merchant),
    ) == before
    assert seen.failure is None
    assert [(p.row, p.code) for p in seen.bad] == [(22, "lost_id")]
    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert counted(done) == counted(seen)
    expected = {"orders_new": 14, "orders_changed": 3, "members_new": 3, "rejected": 1}
    assert {name: seen.counts[name] for name in expected} == expected
    assert seen.odd == done.counts["odd"]
    assert seen.odd["refund_over_paid"] == 1


def test_the_same_file_again_changes_nothing(lan, tmp_path):
    file = report(tmp_path / "orders.csv", [row(n) for n in range(8)])
    take(lan, file)
    os.utime(file, (1, 1))  # a copy with another time is the same file all the same
    before = (archive(lan.merchant), list(TimelineLine.objects.order_by("id").values_list("id", "kind")))
    again = take(lan, file)
    assert counted(again) == {"orders_same": 8}
    assert (archive(lan.merchant), list(TimelineLine.objects.order_by("id").values_list("id", "kind"))) == before
    assert not BatchChange.objects.filter(batch=again).exists()


def test_a_later_report_moves_orders_on_and_an_older_one_never_back(lan, tmp_path):
    early = report(tmp_path / "ExportOrderList20260310.csv", [row(1, state="paid"), row(2, state="paid")])
    late = report(tmp_path / "ExportOrderList20260401.csv", [row(1), row(2, refund="20.00")])
    take(lan, late)
    after_late = archive(lan.merchant)
    take(lan, early)
    assert archive(lan.merchant) == after_late
    assert [(r[1], r[4]) for r in after_late] == [(OrderStatus.FINISHED, 0), (OrderStatus.FINISHED, 2000)]


def test_refund_documents_wait_for_their_order(lan, tmp_path):
    header = ["订单编号", "退款编号", "买家退款金额", "退款状态", "退款完结时间", "退款的申请时间", "宝贝标题"]
    documents = report(
        tmp_path / "refunds20260405.csv",
        [["700000000000000001", "R1", "30.00", "退款成功", "2026-03-20 10:00:00", "2026-03-19 10:00:00", "面霜"]],
        header,
    )
    first = take(lan, documents)
    assert (first.counts["refunds_new"], first.counts["refunds_parked"]) == (1, 1)
    take(lan, report(tmp_path / "orders.csv", [row(1)]))
    order = Order.objects.get(merchant=lan.merchant)
    assert (order.refunded_minor, order.net_minor) == (3000, 5000)
    assert Refund.objects.get().order_id == order.pk


def test_rejected_rows_come_back_as_a_file_that_can_be_corrected_and_sent_again(lan, tmp_path):
    bad = row(2)
    bad[0] = "7.00E+17"
    batch = take(lan, report(tmp_path / "orders.csv", [row(1), bad]), language="zh")
    given = Path(settings.SHUKE_HOME) / batch.rejects_path
    with open(given, encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    assert len(table) == 2
    table[1][0] = "700000000000000002"
    table[1][9] = ""  # the phone is masked in what is given out
    fixed = tmp_path / "corrected.csv"
    with open(fixed, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(table)
    again = take(lan, fixed)
    assert (again.counts["orders_new"], again.counts["rejected"]) == (1, 0)


def test_what_is_no_table_fails_with_a_sentence_and_leaves_nothing(lan, tmp_path):
    picture = tmp_path / "photo.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    good = report(tmp_path / "orders.csv", [row(1)])
    batch = begin(lan, good, picture)
    assert batch.state == "failed"
    assert "photo.csv" in batch.error
    assert not (Path(settings.SHUKE_HOME) / "uploads" / str(lan.merchant.pk) / str(batch.pk)).exists()
    with pytest.raises(imports.NothingToRun):
        imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)


def test_another_shops_file_found_half_way_is_taken_out_again_as_a_whole(lan, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "ORDERS", 2)
    good = report(tmp_path / "a.csv", [row(n) for n in range(6)])
    header = [*HEADER, "店铺名称"]
    other = report(tmp_path / "b.csv", [[*row(9), "别人家的店"]], header)
    batch = take(lan, good, other)
    assert batch.state == "failed"
    assert "别人家的店" in batch.error
    assert (Order.objects.count(), OrderLine.objects.count(), batch.offset) == (0, 0, 0)
    assert set(Member.objects.values_list("state", flat=True)) == {"undone"}


def test_a_full_disk_while_storing_is_said_and_leaves_nothing(lan, tmp_path, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(starting, "_store", no_room)
    batch = begin(lan, report(tmp_path / "orders.csv", [row(1)]))
    assert (batch.state, "disk is full" in batch.error) == ("failed", True)


def test_a_full_disk_while_running_keeps_whole_chunks_and_is_resumed(lan, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "ORDERS", 3)
    batch = begin(lan, report(tmp_path / "orders.csv", [row(n) for n in range(9)]))
    real, calls = running.take_orders, []

    def once_full(**told):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(**told)

    monkeypatch.setattr(running, "take_orders", once_full)
    stopped = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert (stopped.state, stopped.offset, Order.objects.count()) == ("failed", 3, 3)
    resumed = imports.resume(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert (resumed.state, counted(resumed)["orders_new"], Order.objects.count()) == ("done", 9, 9)


def test_an_unknown_option_is_refused_by_name(lan, tmp_path):
    with pytest.raises(imports.BadOption, match="shoop"):
        begin(lan, report(tmp_path / "orders.csv", [row(1)]), shoop="x")


def test_the_worker_runs_an_upload_and_shows_how_far_it_is(lan, tmp_path):
    batch = begin(lan, report(tmp_path / "orders.csv", [row(n) for n in range(4)]))
    job = imports.enqueue(batch, now=NOW)
    held = jobs.claim(worker="w", now=NOW)
    assert held is not None
    assert jobs.run(held) == "done"
    batch.refresh_from_db()
    assert (batch.state, Order.objects.count()) == ("done", 4)
    shown = jobs.find(job, merchant_id=lan.merchant.pk)
    assert shown is not None
    assert shown.progress["note"] == "rows"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at_chunk", [1, 3])
def test_a_run_killed_inside_a_chunk_goes_on_exactly_there(lan, mingde, tmp_path, monkeypatch, at_chunk):
    monkeypatch.setattr(reading, "ORDERS", 5)
    lost = row(40)
    lost[0] = "7.00E+17"
    file = report(tmp_path / "orders.csv", [lost, *[row(n) for n in range(22)], [*lost[:-1], "x"]])
    batch = begin(lan, file)
    connections.close_all()
    child = os.fork()
    if not child:  # pragma: no cover - dies
        real, calls = running.archive.advance_batch, []

        def deadly(**told):
            moved = real(**told)
            calls.append(1)
            if len(calls) == at_chunk:
                os.kill(os.getpid(), signal.SIGKILL)  # written, not committed
            return moved

        monkeypatch.setattr(running.archive, "advance_batch", deadly)
        try:
            imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    connection.ensure_connection()
    batch.refresh_from_db()
    assert batch.state == "running"
    assert Order.objects.filter(merchant=lan.merchant).count() == batch.counts.get("orders_new", 0)
    assert (batch.offset == 0) == (at_chunk == 1)

    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    calm = take(mingde, file)
    assert counted(done) == counted(calm)
    assert archive(lan.merchant) == archive(mingde.merchant)
    given = [Path(settings.SHUKE_HOME) / b.rejects_path for b in (done, calm)]
    assert given[0].read_bytes() == given[1].read_bytes()


ITEMS = ["主订单编号", "子订单编号", "标题", "价格", "购买数量", "商家编码", "订单状态", "买家实际支付金额"]
ITEM_ROWS = [
    ["700000000000000001", "700000000000000901", "面霜", "60.00", "1", "A1", "交易成功", "60.00"],
    ["700000000000000001", "700000000000000902", "口红", "20.00", "1", "B1", "交易成功", "20.00"],
]
BY_LINE = ["子订单编号", "退款编号", "买家退款金额", "退款状态", "退款完结时间", "退款的申请时间", "宝贝标题"]
BY_LINE_ROWS = [["700000000000000902", "R1", "20.00", "退款成功", "2026-03-20 10:00:00", "2026-03-19 10:00:00", "口红"]]


def by_line(folder: Path, header: list[str] = BY_LINE) -> dict[str, Path]:
    """An order, its two lines, and a refund that names only the second line."""
    return {
        "orders": report(folder / "ExportOrderList20260401.csv", [row(1)]),
        "items": report(folder / "ExportOrderDetailList20260401.csv", ITEM_ROWS, ITEMS),
        "refunds": report(folder / "refunds20260402.csv", BY_LINE_ROWS, header),
    }


def refunded(merchant) -> list[tuple]:
    orders = Order.objects.filter(merchant=merchant).values_list("number", "refunded_minor", "net_minor")
    documents = Refund.objects.filter(merchant=merchant).values_list("order__number", "order_number", "named")
    return [*orders, *documents]


AS_BOUGHT = [
    ("700000000000000001", 2000, 6000),
    ("700000000000000001", "700000000000000001", "700000000000000902"),
]


@pytest.mark.parametrize(
    "arrival", [("orders", "items", "refunds"), ("refunds", "orders", "items"), ("items", "refunds", "orders")]
)
@pytest.mark.parametrize("header", [BY_LINE, ["订单编号", *BY_LINE[1:]]], ids=["its own column", "as the order's"])
def test_a_refund_that_names_only_a_line_finds_its_order_whichever_comes_first(lan, tmp_path, arrival, header):
    files = by_line(tmp_path, header)
    for name in arrival:
        batch = begin(lan, files[name])
        seen = imports.preview(batch, now=NOW)
        done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
        assert counted(seen) == counted(done)
        assert done.counts["refunds_parked"] == (name == "refunds" and arrival[0] == "refunds")
    assert refunded(lan.merchant) == AS_BOUGHT
    assert counted(take(lan, files["refunds"])) == {"refunds_same": 1}


def test_one_upload_knows_the_lines_its_refunds_name_in_whatever_order_the_files_are_given(lan, tmp_path):
    files = by_line(tmp_path)
    batch = begin(lan, files["refunds"], files["items"], files["orders"])
    seen = imports.preview(batch, now=NOW)
    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert counted(seen) == counted(done) == {"orders_new": 1, "refunds_new": 1, "members_new": 1}
    assert refunded(lan.merchant) == AS_BOUGHT


def test_lines_taken_back_leave_the_refund_waiting_and_brought_again_it_is_found_again(lan, tmp_path):
    files = by_line(tmp_path)
    take(lan, files["refunds"])
    take(lan, files["orders"])
    lines = take(lan, files["items"])
    assert refunded(lan.merchant) == AS_BOUGHT
    undo(merchant=lan.merchant, batch_id=lines.pk, now=NOW, actor="lan.owner")
    assert refunded(lan.merchant) == [("700000000000000001", 0, 8000), (None, "700000000000000902", "")]
    take(lan, files["items"])
    assert refunded(lan.merchant) == AS_BOUGHT


def test_lines_replaced_and_put_back_keep_the_refund_they_had(lan, tmp_path):
    files = by_line(tmp_path)
    take(lan, files["orders"], files["items"], files["refunds"])
    dearer = [[*ITEM_ROWS[0][:2], "面霜 大瓶", *ITEM_ROWS[0][3:]], ITEM_ROWS[1]]
    later = take(lan, report(tmp_path / "ExportOrderDetailList20260501.csv", dearer, ITEMS))
    assert later.counts["orders_changed"] == 1
    undo(merchant=lan.merchant, batch_id=later.pk, now=NOW, actor="lan.owner")
    assert refunded(lan.merchant) == AS_BOUGHT
