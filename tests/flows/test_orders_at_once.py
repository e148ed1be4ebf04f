"""The same instant: orders told with their refunds by several callers, and a till that captures a basket while the archive
hears that its order was refunded. Nobody hears of the other, and the books end as if one had come after the other."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction

from shuke.flows import checkout
from shuke.flows.take_orders import take_orders
from shuke.kit import bulk
from shuke.loyalty import queries
from shuke.loyalty.models import Checkout
from shuke.orders.models import Order
from tests import cast
from tests.flows.test_refunds_told_late import EVENT, SOLD, day, open_shop
from tests.loyalty.books import NOW, member, order, publish, refund
from tests.loyalty.till import basket

pytestmark = pytest.mark.django_db(transaction=True)
TILLS, EACH = 4, 6


def _tell(merchant_id: int, bodies: list[tuple], start, answers) -> None:
    connections.close_all()  # a connection does not survive the fork
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    start.wait(60)
    for orders, refunds in bodies:
        try:
            take_orders(merchant=merchant, orders=orders, refunds=refunds, now=NOW, actor="till")
            answers.put("")
        except Exception as error:
            answers.put(repr(error))
    connections.close_all()


def at_once(merchant, work: list[list[tuple]]) -> list[str]:
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers, start = fork.Queue(), fork.Barrier(len(work))
    tills = [fork.Process(target=_tell, args=(merchant.pk, bodies, start, answers)) for bodies in work]
    for till in tills:
        till.start()
    told = [answers.get(timeout=240) for bodies in work for _ in bodies]
    for till in tills:
        till.join(timeout=60)
        assert till.exitcode == 0
    return [one for one in told if one]


def test_orders_told_with_their_refunds_do_not_get_in_each_other_s_way():
    lan = cast.lan()
    publish(lan.merchant)
    member(lan.merchant)
    work = [
        [([order(f"{till}-{n}", n, 100)], [refund(f"r{till}-{n}", f"{till}-{n}", n + 5, 40)]) for n in range(EACH)]
        for till in range(TILLS)
    ]
    assert at_once(lan.merchant, work) == []
    assert set(Order.objects.values_list("refunded_minor", flat=True)) == {4000}
    assert Order.objects.count() == TILLS * EACH
    assert queries.verify(lan.merchant).findings == []


def test_nor_do_those_who_name_each_other_s_orders():
    lan = cast.lan()
    publish(lan.merchant)
    member(lan.merchant)
    pair = [order("a", 1, 100), order("b", 2, 100)]
    back = [refund("ra", "a", 5, 40), refund("rb", "b", 5, 40)]
    work = [
        [(pair[:1], back[1:]), (pair[1:], back[:1]), (pair[::-1], back), (pair, back[::-1])][::way] * 3
        for way in (1, -1, 1, -1)
    ]
    assert at_once(lan.merchant, work) == []
    assert sorted(Order.objects.values_list("number", "refunded_minor")) == [("a", 4000), ("b", 4000)]
    assert queries.verify(lan.merchant).findings == []


@contextmanager
def meanwhile(deed: Callable[[], object]):
    """`deed` is begun by somebody else while the body's transaction is open, and has to be let through by its end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            deed()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=run)
    with transaction.atomic():
        yield
        other.start()
        other.join(1.5 if bulk.is_postgres() else 0.3)
        assert other.is_alive(), "it went by without waiting"
    other.join(30)
    assert not other.is_alive()
    if failed:
        raise failed[0]


@pytest.mark.parametrize("first", ["the till", "the archive"])
@pytest.mark.parametrize("by", ["documents", "the order"])
def test_a_basket_captured_while_its_refund_is_told_gets_its_points_back(first, by):
    """The archive knows nobody for the order, so no wallet stands between the two."""
    lan = cast.lan()
    merchant = lan.merchant
    open_shop(merchant)
    same = {"merchant": merchant, "key": "second", "now": day(SOLD), "actor": "till"}
    engine, told = basket(50, points=200)
    who = Checkout.objects.get().member_id
    checkout.hold(basket=engine, told=told, member_id=who, **same)
    event = EVENT.removesuffix("s") + "t"

    def till() -> None:
        checkout.capture(order_event=event, **same)

    told_order = order("t", SOLD, 48, lines=None, finished_at=None)
    took = {"merchant": merchant, "now": NOW, "actor": "test"}

    def archive() -> None:
        if by == "documents":
            take_orders(orders=[told_order], refunds=[refund("rt", "t", SOLD + 3, 48)], **took)
        else:
            take_orders(orders=[told_order._replace(refunded_minor=4800)], **took)

    one, other = (till, archive) if first == "the till" else (archive, till)
    connection.ensure_connection()
    with meanwhile(other):
        one()
    assert Checkout.objects.get(key="second").returned_points == 200
    assert queries.verify(merchant).findings == []
