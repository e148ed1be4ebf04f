"""Odd lists in any order of arrival: one instant for everything, equal amounts, nothing paid, lines of nothing, many refunds with
and without goods, one refund told twice with other amounts, more given back than was paid, cancelled and then refunded, exchanged."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import transaction

from shuke.engine import facts
from shuke.loyalty.models import Entry
from tests.flows.arrivals import buyer, come_in
from tests.flows.test_returns_by_line import RULED
from tests.loyalty.books import START, order
from tests.trust import size

pytestmark = pytest.mark.django_db
ODD = RULED | {
    "tiers": [*RULED["tiers"], {"key": "gold", "name": {"zh": "金", "en": "Gold"}, "multiplier": "1.5",
                                "reach": {"measure": "amount", "at_least": 500}}],
    "points": {"pending_days": 3, "expiry": {"kind": "months", "months": 2, "to_month_end": True}, "caps": {"per_day": 900}},
    "earning": [
        *RULED["earning"],
        {"key": "third", "name": {"zh": "三", "en": "Third"}, "kind": "fixed", "points": 33, "when": {"nth_purchases": [1, 3]}},
        {"key": "whole", "name": {"zh": "满", "en": "Full"}, "kind": "per_amount", "points": 4, "per": 30, "whole": True,
         "caps": {"per_month": 50}},
    ],
}  # fmt: skip
GOODS = [("A1", "护肤/面霜"), ("B1", "彩妆/口红"), ("C1", "护肤/水")]


def odd(seed: int) -> list[facts.Order | facts.Refund]:
    rng = random.Random(seed)
    what: list[facts.Order | facts.Refund] = []
    moments = [rng.choice([5, 5, 40.5, rng.uniform(0, 200)]) for _ in range(4)]
    for n in range(rng.randint(4, 9)):
        day, who = rng.choice(moments), buyer(rng.randrange(2))
        lines = tuple(
            facts.Line(code, 1000 * rng.randint(1, 3), rng.choice([0, 0, 1, 3333, 10000]), code, category=category,
                       sub_number=f"{n}{place}")
            for place, (code, category) in enumerate(rng.choices(GOODS, k=rng.randint(1, 4)))
        )  # fmt: skip
        total = sum(line.amount_minor for line in lines)
        paid = rng.choice([total, total, total * 9 // 10, 0])
        bought = order(f"T{n}", day, 0, person=who, lines=lines, goods_minor=total, paid_minor=paid)
        status = rng.choice([facts.OrderStatus.FINISHED] * 3 + [facts.OrderStatus.CLOSED_REFUNDED])
        early = bought._replace(status=facts.OrderStatus.PAID, finished_at=None, stated_at=START + timedelta(days=day))
        what += [early, bought._replace(status=status)]
        if rng.random() < 0.3:  # what came back of the lines, as only the order tells it
            told = tuple(line._replace(refunded_minor=rng.choice([0, line.amount_minor])) for line in lines)
            later = bought.stated_at + timedelta(days=1)
            what.append(
                bought._replace(lines=told, refunded_minor=sum(one.refunded_minor for one in told), stated_at=later)
            )
        for k in range(rng.choice([0, 1, 2, 5])):
            place = rng.randrange(len(lines))
            line = lines[place]
            named = rng.choice(
                [
                    (),
                    (facts.LineBack(position=place + 1, quantity_milli=1000),),
                    (facts.LineBack(product_code=line.product_code),),
                    (facts.LineBack(line.sub_number, quantity_milli=1000, amount_minor=line.amount_minor // 2),),
                    (facts.LineBack("no such line"),),
                ]
            )
            amount = rng.choice([0, 1, line.amount_minor, line.amount_minor // 3, paid, paid + 100])
            at = START + timedelta(days=rng.choice([day, day, day + 1, day + 30]))
            told = facts.Refund("taobao", "兰记护肤", f"T{n}", f"R{n}.{k}", amount, at, lines=named)
            what.append(told)
            if rng.random() < 0.3:  # the same refund once more: another amount, another day, goods, not yet done
                again = rng.choice(
                    [
                        {"amount_minor": amount + 7},
                        {"finished_at": at + timedelta(days=1)},
                        {"lines": ()},
                        {"done": False},
                    ]
                )
                what.append(told._replace(**again))
    return what


def arrived(merchant, parts) -> tuple:
    """State, orders, and what every event came to in the end."""
    with transaction.atomic():
        state = come_in(merchant, parts, charter=ODD)
        told: dict[tuple[str, str], int] = {}
        for event, account, amount in Entry.objects.filter(merchant=merchant).values_list(
            "txn__event", "account", "amount"
        ):
            told[event, account] = told.get((event, account), 0) + amount
        transaction.set_rollback(True)
    return state, {key: n for key, n in told.items() if n}


@pytest.mark.parametrize("seed", range(size(3, 100)))
def test_odd_lists_end_the_same_in_every_order_of_arrival(lan, seed):
    what = odd(seed)
    turn = random.Random(seed).sample(what, len(what))
    at_once = (2, 1, 5)[seed % 3]
    parts = [turn[i : i + at_once] for i in range(0, len(turn), at_once)]
    assert arrived(lan.merchant, [*parts, turn[:3]]) == arrived(lan.merchant, [what])
