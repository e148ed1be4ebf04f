"""T12: a day's orders and refunds come in again and again, one in ten of them twice and one refund in twenty before its order, in
another order each time and in parts of any size: members, orders and books end the same."""

from __future__ import annotations

import pytest
from django.db import transaction

from shuke.engine import facts
from tests import cast
from tests.flows.arrivals import Told, buyer, come_in
from tests.loyalty.books import order, refund
from tests.trust import chance, size

pytestmark = pytest.mark.django_db
ORDERS = size(160, 5000)
WAYS = size(2, 100)


def day() -> tuple[list[Told], list[Told]]:
    """What was told, in good order: orders, then refunds."""
    rng = chance("day")
    orders, refunds = [], []
    for n in range(ORDERS):
        when, yuan, who = rng.uniform(30, 31), rng.choice([9.9, 58, 199, 320, 899]), buyer(rng.randrange(ORDERS // 8))
        orders.append(order(f"D{n}", when, yuan, person=who))
        if rng.random() < 0.2:
            refunds.append(refund(f"R{n}", f"D{n}", when + rng.uniform(0.1, 40), round(yuan * rng.uniform(0.1, 1), 2)))
    return orders, refunds


def arrival(seed: int) -> list[list[Told]]:
    rng = chance(seed)
    orders, refunds = day()
    early = set(rng.sample(refunds, max(1, len(refunds) // 20)))
    told = [*orders, *(r for r in refunds if r not in early)]
    told += rng.sample(told, len(told) // 10)
    first: list[Told] = list(early)
    rng.shuffle(told)
    told = first + told
    parts, most = [], rng.choice([7, 40, 250])
    while told:
        n = rng.randint(1, most)
        parts.append(told[:n])
        told = told[n:]
    return parts


def outcome(parts: list[list[Told]]) -> tuple[str, list[tuple]]:
    with transaction.atomic():
        found = come_in(cast.lan().merchant, parts)
        transaction.set_rollback(True)
    return found


def careless(parts: list[list[Told]]) -> list[list[Told]]:
    """The planted fault: a refund whose order is not there yet is dropped."""
    known: set[str] = set()
    kept = []
    for part in parts:
        known |= {x.number for x in part if isinstance(x, facts.Order)}
        kept.append([x for x in part if isinstance(x, facts.Order) or x.order_number in known])
    return kept


def test_a_day_ends_the_same_however_it_comes_in():
    orders, refunds = day()
    expected = outcome([orders, refunds])
    assert len(expected[1]) == ORDERS
    assert outcome(careless(arrival(0))) != expected
    for seed in range(WAYS):
        assert outcome(arrival(seed)) == expected, seed
