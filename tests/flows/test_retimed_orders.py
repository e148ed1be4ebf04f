"""An order told anew with a later time is the same order: it moves in the books, it does not earn twice."""

from datetime import timedelta

import pytest

from shuke.engine.facts import OrderStatus
from shuke.flows.take_orders import take_orders
from shuke.loyalty import queries
from shuke.loyalty.models import Lot
from tests.flows.test_any_arrival import buyer
from tests.loyalty.books import NOW, START, order, publish

pytestmark = pytest.mark.django_db


def tell(lan, *orders) -> None:
    take_orders(merchant=lan.merchant, orders=list(orders), now=NOW, actor="test")


@pytest.mark.parametrize("yuan", [100, 130], ids=["same price", "another price"])
def test_an_order_moves_to_a_later_time_than_all_that_is_booked(lan, yuan):
    publish(lan.merchant)
    tell(lan, order("a", 10, 100, person=buyer(1)))
    tell(lan, order("a", 50, yuan, person=buyer(1), stated_at=NOW))
    (lot,) = Lot.objects.all()
    assert (lot.earned_at, lot.granted) == (START + timedelta(days=50), 20 + yuan + yuan // 3)
    assert queries.verify(lan.merchant).findings == []


def test_an_order_that_is_paid_later_earns_then(lan):
    publish(lan.merchant)
    tell(lan, order("a", 10, 100, person=buyer(1)), order("b", 12, 80, person=buyer(1), status=OrderStatus.UNPAID, paid_at=None, finished_at=None))  # fmt: skip
    tell(lan, order("b", 20, 80, person=buyer(1), created_at=START + timedelta(days=12), stated_at=NOW))
    assert Lot.objects.count() == 2
    assert queries.verify(lan.merchant).findings == []
