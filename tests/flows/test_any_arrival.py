"""The whole way in: whatever way the statements of a year arrive, members, orders and books end the same."""

import random
from datetime import timedelta

import pytest

from shuke.engine import facts
from shuke.flows.take_orders import take_orders
from shuke.loyalty import queries
from tests.flows.arrivals import buyer, come_in
from tests.loyalty.books import NOW, START, order, publish, refund

pytestmark = pytest.mark.django_db


def year(seed: int) -> list[facts.Order | facts.Refund]:
    """Five buyers. Orders are stated twice: when paid, and again when finished or given back; some by a document."""
    rng = random.Random(seed)
    what: list[facts.Order | facts.Refund] = []
    for n in range(40):
        day, yuan = rng.uniform(0, 400), rng.choice([29.9, 150, 420, 900])
        who = buyer(rng.randrange(5))
        paid_at = START + timedelta(days=day)
        early = order(
            f"T{n}", day, yuan, person=who, status=facts.OrderStatus.PAID, finished_at=None, lines=None,
            stated_at=paid_at + timedelta(hours=5),
        )  # fmt: skip
        late = order(f"T{n}", day, yuan, person=who, refunded_minor=2000 if n % 5 == 0 else 0)
        what += [early, late]
        if n % 7 == 0:
            what.append(refund(f"R{n}", f"T{n}", day + 12, yuan / 2))
    return what


@pytest.mark.parametrize("seed", range(4))
def test_members_orders_and_books_do_not_depend_on_arrival(lan, mingde, seed):
    what = year(seed)
    shuffled = random.Random(seed).sample(what, len(what))
    size = [1, 3, 10, 200][seed]
    parts = [shuffled[i : i + size] for i in range(0, len(shuffled), size)]
    assert come_in(lan.merchant, [what]) == come_in(mingde.merchant, [*parts, shuffled[:7]])


def test_goods_that_move_category_are_judged_anew_and_the_difference_is_booked(lan):
    """The charter gives more for 护肤. A product list that comes late, or is corrected, counts for the past as well."""
    publish(lan.merchant)

    def come(*what, products=()):
        take_orders(merchant=lan.merchant, orders=what, products=products, now=NOW, actor="test")

    def earned() -> int:
        assert queries.verify(lan.merchant).findings == []
        return queries.liability(lan.merchant, START + timedelta(days=2)).points

    unknown = (facts.Line("面霜", 1000, 30000, "Z9"),)
    come(order("T1", 1, 300, person=buyer(1), lines=unknown))
    assert earned() == 300 + 20 + 10  # first order, and a big one
    come(products=[facts.Product("Z9", "面霜", category="护肤/面霜")])
    assert earned() == 600 + 20 + 10
    come(products=[facts.Product("Z9", "面霜", category="家居")])
    assert earned() == 300 + 20 + 10
