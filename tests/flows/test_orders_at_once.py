"""The same instant: orders told with their refunds by several callers, a till that captures a basket while the archive hears that
its order was refunded, an import taken back while somebody speaks of its orders or spends its points. Nobody hears of the other,
and the books end as if one had come after the other."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction

from shuke.flows import checkout
from shuke.flows.take_orders import take_orders
from shuke.flows.undo_import import UndoRefused, undo
from shuke.kit import bulk
from shuke.loyalty import queries
from shuke.loyalty.actions import Ask, ask
from shuke.loyalty.models import Checkout
from shuke.members.models import Member
from shuke.orders.models import Order
from tests import cast
from tests.flows.arrivals import buyer
from tests.flows.test_imports import report, row
from tests.flows.test_imports import take as import_file
from tests.flows.test_refunds_told_late import EVENT, SOLD, day, open_shop
from tests.loyalty.books import CHARTER, NOW, member, order, publish, refund
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


def test_nor_do_those_who_bring_the_same_new_buyer_with_refunds_and_without():
    """Who is made a member first is waited for as well."""
    lan = cast.lan()
    publish(lan.merchant)
    rounds = []
    for n in range(12):
        one = order(f"n{n}", n, 100, person=buyer(n))
        rounds.append((([one], []), ([one], [refund(f"rn{n}", f"n{n}", n + 5, 40)])))
    work = [[pair[till % 2] for pair in rounds] for till in range(TILLS)]
    assert at_once(lan.merchant, work) == []
    assert list(Order.objects.values_list("refunded_minor", flat=True)) == [4000] * 12
    assert Member.objects.count() == 12
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


@pytest.fixture
def imported(tmp_path):
    lan = cast.lan()
    publish(lan.merchant, CHARTER | {"points": CHARTER["points"] | {"pending_days": 0}})
    batch = import_file(lan, report(tmp_path / "orders.csv", [row(1)]))
    return lan.merchant, batch, Member.objects.get()


def undo_it(merchant, batch) -> None:
    undo(merchant=merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")


def told_later(merchant) -> None:
    known = Order.objects.get()
    again = order(known.number, 0, 80, seller_note="gift", lines=None)
    take_orders(merchant=merchant, orders=[again], now=NOW, actor="till")


def spend(merchant, who) -> None:
    assert ask(merchant=merchant, asks=[Ask("s", "burn", who.pk, 5)], now=NOW, actor="till")[0].done


def test_what_is_told_of_an_order_while_its_import_is_taken_back_comes_behind_it(imported):
    merchant, batch, _who = imported
    number = Order.objects.get().number
    again = order(number, 0, 80, lines=None)
    with meanwhile(lambda: take_orders(merchant=merchant, orders=[again], now=NOW, actor="till")):
        undo_it(merchant, batch)
    assert list(Order.objects.values_list("number", "batch_id")) == [(number, None)]
    assert queries.verify(merchant).findings == []


@pytest.mark.parametrize(("deed", "code"), [("told", "changed_later"), ("spent", "points_spent")])
def test_an_import_is_not_taken_back_while_something_comes_to_depend_on_it(imported, deed, code):
    merchant, batch, who = imported
    with pytest.raises(UndoRefused) as refused, meanwhile(lambda: undo_it(merchant, batch)):
        told_later(merchant) if deed == "told" else spend(merchant, who)
    assert refused.value.code == code
    assert Order.objects.count() == 1
    assert queries.verify(merchant).findings == []
