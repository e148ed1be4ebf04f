"""An import taken back: as if it had never been, or refused with the reason and what to do."""

from __future__ import annotations

import pytest

from shuke.flows import imports
from shuke.flows.take_orders import take_orders
from shuke.flows.undo_import import UndoRefused, undo
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries as books
from shuke.loyalty.models import Txn
from shuke.members.actions import Note, note
from shuke.members.models import Member, TimelineLine
from shuke.orders.actions import rows
from shuke.orders.models import BatchChange, Order, OrderLine, Refund
from shuke.orders.models import Order as OrderRow
from tests.cast import NOON as NOW
from tests.flows.arrivals import buyer
from tests.flows.test_imports import archive, counted, report, row, take
from tests.loyalty.books import order, publish

pytestmark = pytest.mark.django_db


def points(merchant) -> int:
    held = books.balances(merchant, Member.objects.values_list("id", flat=True), NOW)
    return sum(b.available + b.pending for b in held.values())


def test_undone_orders_members_and_points_are_gone_and_the_file_imports_as_new(lan, tmp_path):
    publish(lan.merchant)
    file = report(tmp_path / "orders.csv", [row(n) for n in range(7)])
    first = take(lan, file)
    before, earned = archive(lan.merchant), points(lan.merchant)
    assert earned > 0
    done = undo(merchant=lan.merchant, batch_id=first.pk, now=NOW, actor="lan.owner")
    assert (done.orders_removed, done.members_put_away, Order.objects.count(), OrderLine.objects.count()) == (
        7,
        5,
        0,
        0,
    )
    assert set(Member.objects.values_list("state", flat=True)) == {"undone"}
    assert points(lan.merchant) == 0
    assert books.verify(lan.merchant).findings == []
    again = take(lan, file)
    assert counted(again) == counted(first)
    assert (archive(lan.merchant), points(lan.merchant)) == (before, earned)
    assert Member.objects.count() == 5  # the same people woke up


def test_an_undone_update_gives_orders_lines_and_refunds_back_as_they_were(lan, tmp_path):
    items_header = ["主订单编号", "子订单编号", "标题", "价格", "购买数量", "商家编码", "订单状态", "买家实际支付金额"]

    def items(name, title):
        cells = [["700000000000000001", "700000000000000001", title, "80.00", "1", "A1", "交易成功", "80.00"]]
        return report(tmp_path / name, cells, items_header)

    take(lan, report(tmp_path / "ExportOrderList20260401.csv", [row(1, state="paid"), row(2)]))
    take(lan, items("ExportOrderDetailList20260401.csv", "面霜"))

    def everything():
        return (
            archive(lan.merchant),
            list(
                OrderRow.objects.order_by("id").values(
                    "number", "digest", "said", "older", "stated_at", "last_batch_id"
                )
            ),
            list(
                OrderLine.objects.order_by("order_id", "position").values_list(
                    "title", "product__title", "amount_minor"
                )
            ),
            list(Refund.objects.values_list("number", "order_id")),
        )

    before = everything()
    refund_header = ["订单编号", "退款编号", "买家退款金额", "退款状态", "退款完结时间", "退款的申请时间", "宝贝标题"]
    documents = [
        ["700000000000000001", "R1", "30.00", "退款成功", "2026-03-20 10:00:00", "2026-03-19 10:00:00", "面霜"]
    ]
    batch = take(
        lan,
        report(tmp_path / "ExportOrderList20260501.csv", [row(1), row(2, refund="10.00")]),
        items("ExportOrderDetailList20260501.csv", "面霜 大瓶"),
        report(tmp_path / "refunds20260501.csv", documents, refund_header),
    )
    assert everything() != before
    done = undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert (done.orders_removed, done.orders_restored, done.refunds_removed) == (0, 2, 1)
    assert everything() == before
    assert not BatchChange.objects.filter(batch=batch).exists()
    assert TimelineLine.objects.filter(kind="import.undone", ref=f"batch:{batch.pk}").count() == 2


@pytest.mark.parametrize("later", [("stated_refund_at",), ("tax_minor", "tenders", "stated_refund_at")])
def test_an_import_that_an_older_version_made_is_undone(lan, tmp_path, later):
    """It kept the former rows without names, and without the columns that came later. Those nobody had stated then."""
    publish(lan.merchant)
    take(lan, report(tmp_path / "ExportOrderList20260401.csv", [row(1, state="paid"), row(2)]))
    before = list(OrderRow.objects.order_by("id").values())
    batch = take(lan, report(tmp_path / "ExportOrderList20260501.csv", [row(1), row(2, refund="10.00"), row(3)]))
    for change in BatchChange.objects.filter(batch=batch, what="order"):
        change.before["body"] = [change.before["body"][name] for name in rows.BODY if name not in later]
        change.save()
    done = undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert (done.orders_removed, done.orders_restored) == (1, 2)
    assert list(OrderRow.objects.order_by("id").values()) == before
    assert books.verify(lan.merchant).findings == []


def test_a_refund_document_that_only_tells_the_day_is_undone(lan, tmp_path):
    """The order had told the money already, and its last day; the document moves a part of it to its own day, in the books too."""
    publish(lan.merchant)
    told = order("700000000000000001", 400, 88, refunded_minor=3000, refunded_at=NOW, stated_at=NOW)
    take_orders(merchant=lan.merchant, orders=[told._replace(person=buyer(1))], now=NOW, actor="api")
    documents = [
        ["700000000000000001", "R1", "20.00", "退款成功", "2026-03-20 10:00:00", "2026-03-19 10:00:00", "面霜"]
    ]
    header = ["订单编号", "退款编号", "买家退款金额", "退款状态", "退款完结时间", "退款的申请时间", "宝贝标题"]
    batch = take(lan, report(tmp_path / "refunds20260501.csv", documents, header))
    assert books.verify(lan.merchant).findings == []
    (moved,) = Txn.objects.filter(event__endswith=":R1")
    assert moved.at.date().isoformat() == "2026-03-20"
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert books.verify(lan.merchant).findings == []


def test_a_later_import_of_the_same_orders_has_to_be_undone_first(lan, tmp_path):
    first = take(lan, report(tmp_path / "ExportOrderList20260401.csv", [row(1, state="paid"), row(2)]))
    second = take(lan, report(tmp_path / "ExportOrderList20260501.csv", [row(1)]))
    with pytest.raises(UndoRefused) as refused:
        undo(merchant=lan.merchant, batch_id=first.pk, now=NOW, actor="lan.owner")
    assert (refused.value.code, refused.value.params["later"]) == ("changed_later", str(second.pk))
    assert "700000000000000001" in str(refused.value)
    assert Order.objects.count() == 2
    undo(merchant=lan.merchant, batch_id=second.pk, now=NOW, actor="lan.owner")
    undo(merchant=lan.merchant, batch_id=first.pk, now=NOW, actor="lan.owner")
    assert Order.objects.count() == 0


def test_points_that_were_spent_stand_in_the_way(lan, tmp_path):
    publish(lan.merchant)
    batch = take(lan, report(tmp_path / "orders.csv", [row(1, paid="500.00")]))
    member = Member.objects.get()
    held = books.balance(lan.merchant, member.pk, NOW)
    assert held.available > 0
    loyalty.ask(
        merchant=lan.merchant,
        asks=[loyalty.Ask("till:1", "burn", member.pk, held.available)],
        now=NOW,
        actor="lan.assistant",
    )
    with pytest.raises(UndoRefused) as refused:
        undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert refused.value.code == "points_spent"
    assert Order.objects.count() == 1


def test_a_member_somebody_has_dealt_with_since_stays(lan, tmp_path):
    batch = take(lan, report(tmp_path / "orders.csv", [row(1), row(2)]))
    known = Member.objects.get(nickname="买家1")
    note(merchant=lan.merchant, lines=[Note(known.pk, NOW, "note", "", {"by": "lan.assistant"})], now=NOW)
    done = undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert done.members_put_away == 1
    assert Member.objects.get(pk=known.pk).state == "active"


def test_a_single_sale_on_the_same_order_since_is_named(lan, tmp_path):
    batch = take(lan, report(tmp_path / "orders.csv", [row(1, state="paid")]))
    told = order("700000000000000001", 500, 88.0, stated_at=NOW)
    take_orders(merchant=lan.merchant, orders=[told], now=NOW, actor="api")
    with pytest.raises(UndoRefused, match="one by one"):
        undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")


def test_it_is_undone_once_and_by_its_own_merchant_only(lan, mingde, tmp_path):
    batch = take(lan, report(tmp_path / "orders.csv", [row(1)]))
    with pytest.raises(UndoRefused, match="no import"):
        undo(merchant=mingde.merchant, batch_id=batch.pk, now=NOW, actor="mingde.owner")
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    with pytest.raises(UndoRefused, match="already"):
        undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    with pytest.raises(imports.NothingToRun):
        imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
