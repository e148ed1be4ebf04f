"""A register's list of refunds beside what the counter took back: counted as told, and said before anything is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.engine.facts import LineBack, Order, OrderStatus, Refund
from shuke.flows import imports
from shuke.flows.take_orders import take_orders
from shuke.flows.undo_import import undo
from shuke.orders.models import Order as Row
from shuke.orders.models import Refund as Document
from tests.flows.test_imports import NOW, begin

pytestmark = pytest.mark.django_db
DAY = NOW - timedelta(days=20)


@pytest.fixture
def counter(lan):
    """Orders 1 and 2 of 100.00 at the till; of order 1 30.00 came back over the counter."""

    def back(number, order, money, **more):
        told = Refund("pos", "XH", order, number, money, DAY, DAY)._replace(**more)
        take_orders(merchant=lan.merchant, orders=[], refunds=[told], now=NOW, actor="test")

    orders = [
        Order("pos", "XH", n, OrderStatus.FINISHED, DAY, DAY, finished_at=DAY, paid_minor=10_000, lines=())
        for n in "12"
    ]
    take_orders(merchant=lan.merchant, orders=orders, refunds=[], now=NOW, actor="test")
    back("1-R1", "1", 3_000)
    return back


@pytest.fixture
def listed(lan, tmp_path):
    """A register's list: refund, order, money, days after the counter's."""

    def file(*rows, name="refunds.csv"):
        day = lambda days: f"{(DAY + timedelta(days=days)):%Y-%m-%d}" if days is not None else ""  # noqa: E731
        text = "\n".join(["退款编号,订单编号,退款金额,退款时间", *(f"{n},{o},{m},{day(d)}" for n, o, m, d in rows)])
        (tmp_path / name).write_text(text + "\n")
        return begin(lan, tmp_path / name, platform="pos", shop="XH")

    return file


def said(told) -> list[tuple[str, str]]:
    """Which refund of the list, beside which told before."""
    return [(p.value, dict(p.params)["other"]) for p in told.get("refund_told_twice", ())]


@pytest.mark.parametrize(
    ("rows", "twice"),
    [
        ([("X1", "1", "30.00", 0)], [("X1", "1-R1")]),
        ([("X1", "1", "30.00", 2)], [("X1", "1-R1")]),
        ([("X1", "1", "30.00", 9)], []),  # another day's
        ([("X1", "1", "29.99", 0)], []),
        ([("X1", "2", "30.00", 0)], []),
        ([("1-R1", "1", "30.00", 0)], []),  # the same return, by its own number
        (
            [("1-R1", "1", "30.00", 0), ("X1", "1", "30.00", 0)],
            [],
        ),  # a list that knows the counter's knows what else there was
        ([("X1", "1", "30.00", 0), ("X2", "1", "30.00", 0)], [("X1", "1-R1")]),  # each stands for one
    ],
)
def test_what_may_be_the_counters_return_is_said_and_counts_as_told(lan, counter, listed, rows, twice):
    batch = listed(*rows)
    seen = imports.preview(batch, now=NOW)
    assert said(seen.examples) == twice
    assert Row.objects.get(number="1").refunded_minor == 3_000  # nothing was written
    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert done.counts["odd"].get("refund_told_twice", 0) == seen.odd.get("refund_told_twice", 0) == len(twice)
    new = sum(round(float(money) * 100) for number, order, money, _ in rows if order == "1" and number != "1-R1")
    assert Row.objects.get(number="1").refunded_minor == 3_000 + new


def test_a_list_sent_again_or_gone_on_says_it_once(lan, counter, listed):
    first = listed(("X1", "1", "30.00", 0))
    imports.run(merchant=lan.merchant, batch_id=first.pk, now=NOW)
    again = listed(("X1", "1", "30.00", 0), ("X2", "1", "30.00", 1), name="more.csv")
    assert said(imports.preview(again, now=NOW).examples) == []  # X1 stands for the counter's; X2 is another
    counter("1-R2", "1", 3_000, finished_at=DAY + timedelta(days=1))
    assert said(imports.preview(again, now=NOW).examples) == [("X2", "1-R2")]


def test_a_list_without_goods_takes_none_away_and_its_undo_leaves_what_was_known(lan, counter, listed):
    goods = (LineBack(position=1, quantity_milli=1_000),)
    counter("1-R2", "1", 2_000, lines=goods, reason="漏液")
    kept = ("amount_minor", "finished_at", "reason", "lines", "older")

    def known():
        return Document.objects.filter(number="1-R2").values_list(*kept).get()

    before = known()
    batch = listed(("1-R2", "1", "25.00", 2))
    assert imports.preview(batch, now=NOW).counts["refunds_changed"] == 1
    imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    amount, _, reason, lines, older = known()
    assert (amount, reason, lines, sorted(older)) == (2_500, "漏液", before[3], ["lines", "reason", "requested_at"])
    less = listed(("1-R2", "1", "15.00", 3), name="less.csv")
    imports.run(merchant=lan.merchant, batch_id=less.pk, now=NOW)
    assert known()[3] is None  # a piece that brought 20.00 back does not fit into 15.00
    for one in (less, batch):
        undo(merchant=lan.merchant, batch_id=one.pk, now=NOW, actor="test")
        assert known()[3] == before[3]
    assert known() == before
