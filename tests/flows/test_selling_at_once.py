"""Several tills at the same instant: one sale by one key, one basket by one receipt, points spent once, and the list of the cash
register coming in between."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connections

from shuke.flows import selling
from shuke.flows.take_orders import take_orders
from shuke.kit.refusal import Refusal
from shuke.loyalty import queries
from shuke.loyalty.models import Checkout
from shuke.orders.models import Order, Refund
from tests import cast
from tests.flows.test_selling import RULES, basket, exported, sell
from tests.loyalty.books import NOW, member, order, publish, take

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop():
    merchant = cast.lan().merchant
    publish(merchant, RULES)
    return merchant


@pytest.fixture
def ann(shop):
    who = member(shop)
    take(shop, who, order("a", 480, 500))
    return who


def _do(deed: Callable[[], object], start, answers) -> None:
    connections.close_all()  # a connection does not survive the fork
    start.wait(60)
    try:
        deed()
        answers.put("")
    except Refusal as refused:
        answers.put(refused.code)
    except Exception as error:
        answers.put(repr(error))
    connections.close_all()


def at_once(*deeds: Callable[[], object]) -> Counter[str]:
    """What each answered: "" done, else the code of the refusal."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers, start = fork.Queue(), fork.Barrier(len(deeds))
    tills = [fork.Process(target=_do, args=(deed, start, answers)) for deed in deeds]
    for till in tills:
        till.start()
    told = Counter(answers.get(timeout=240) for _ in deeds)
    for till in tills:
        till.join(timeout=60)
    return told


def sound(shop):
    assert queries.verify(shop).findings == []


def test_one_key_is_one_sale_and_one_return(shop, ann):
    assert at_once(*[lambda: sell(shop, ann, asks={"points": 100})] * 4) == {"": 4}
    assert (Order.objects.filter(number="S-1").count(), Checkout.objects.count()) == (1, 1)

    def back():
        selling.take_back(merchant=shop, key="k1", return_key="r1", quantities={"2": 1000}, now=NOW, actor="till")

    assert at_once(*[back] * 3) == {"": 3}
    assert Refund.objects.count() == 1
    sound(shop)


def test_one_receipt_is_one_basket_and_the_others_hold_nothing(shop, ann):
    told = at_once(*[lambda key=f"k{n}": sell(shop, ann, key, asks={"points": 50}) for n in range(4)])
    assert told == {"": 1, "order_taken": 3}
    assert Counter(Checkout.objects.values_list("state", flat=True)) == {"captured": 1, "released": 3}
    sound(shop)


def test_points_are_spent_once_and_the_other_till_hears_the_new_price(shop, ann):
    have = queries.balance(shop, ann, NOW).available
    lines = [{"price_minor": 100_000}]
    due = 100_000 - have

    def till(n):
        engine, told = basket(lines, points=have)
        selling.hold_and_sell(
            merchant=shop, key=f"t{n}", basket=engine, told=told, member_id=ann, expect_due=due, callers=["till"], store="XH",
            number=f"T-{n}", now=NOW, actor="till",
        )  # fmt: skip

    told = at_once(*[lambda n=n: till(n) for n in range(3)])
    assert told == {"": 1, "price_changed": 2}
    assert Order.objects.filter(number__startswith="T-").count() == 1
    sound(shop)


def test_the_list_of_the_cash_register_comes_at_the_same_moment(shop, ann):
    def listed():
        take_orders(merchant=shop, orders=[exported()], now=NOW, actor="import")

    def back():
        selling.take_back(merchant=shop, key="k1", return_key="r1", quantities={"2": 1000}, now=NOW, actor="till")

    assert at_once(lambda: sell(shop, ann), listed, lambda: sell(shop, ann, "k2", number="S-2"), listed) == {"": 4}
    one = Order.objects.get(number="S-1")
    assert (one.member_id, one.paid_minor) == (ann, 17_800)
    assert set(at_once(back, listed, lambda: sell(shop, ann, "k3", number="S-3"))) == {""}
    sound(shop)
