"""Goods come back in several refunds on different days: every refund takes back what its own lines earned, whatever was told
first, in the books, in the engine alone and in a simulation. The points are computed here by hand, line by line."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from fractions import Fraction
from itertools import permutations

import pytest
from django.db import transaction

from shuke.engine import facts
from shuke.engine.charter import document
from shuke.flows.take_orders import take_orders
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Txn
from shuke.orders.models import Refund
from tests.flows.test_replay import UNTIL, both, simulated
from tests.loyalty.books import CHARTER, NOW, START, publish

pytestmark = pytest.mark.django_db
RULED = CHARTER | {
    "points": {"pending_days": 0, "expiry": {"kind": "never"}},
    "tiers": CHARTER["tiers"][:1],
    "earning": [
        CHARTER["earning"][0],
        {"key": "care", "name": {"zh": "护肤", "en": "Care"}, "kind": "per_amount", "points": 2, "when": {"categories": ["护肤"]}},
        {"key": "stick", "name": {"zh": "口红", "en": "Sticks"}, "kind": "per_item", "points": 7, "when": {"products": ["B1"]}},
    ],
}  # fmt: skip
# Goods, category, amount, pieces, the platform's number of the line. Lines add up to 359.97; paid was 341.97.
LINES = [("A1", "护肤/面霜", 12000, 2, "901"), ("B1", "彩妆/口红", 9999, 3, "902"), ("C1", "护肤/水", 13998, 1, "903")]
PAID = 34197
# Of each refund: day, money, line, pieces (None: as the money says).
REFUNDS = {
    "R1": (2, 5700, 0, 1),
    "R2": (4, 3166, 1, 1),
    "R3": (6, 13298, 2, 1),
    "R4": (9, 6333, 1, 2),
}


def points(gone: dict[int, int], net: int) -> int:
    """1 per yuan on all, 2 more on skin care, 7 per stick; what is left of the net lies on the lines that are left."""
    left = [amount - amount * gone.get(n, 0) // pieces for n, (_, _, amount, pieces, _) in enumerate(LINES)]
    whole = sum(left)
    if not whole:
        return 0
    care = Fraction(net * (left[0] + left[2]), whole)
    pieces_left = LINES[1][3] - gone.get(1, 0)
    return int(Fraction(net, 100) + 2 * Fraction(round(care), 100)) + 7 * pieces_left


def by_hand() -> dict[str, int]:
    found, gone, net = {}, {}, PAID
    before = points(gone, net)
    found["earn"] = before
    for name, (_, money, line, pieces) in sorted(REFUNDS.items(), key=lambda told: told[1]):
        gone[line] = gone.get(line, 0) + pieces
        net -= money
        found[name] = before - points(gone, net)
        before = points(gone, net)
    return found


def sold(**changes) -> facts.Order:
    at = START + timedelta(days=1)
    lines = tuple(facts.Line(c, p * 1000, a, c, category=k, sub_number=s) for c, k, a, p, s in LINES)
    who = facts.Person(claims=(facts.Claim(facts.IdentityKind.NICKNAME, "买家", "taobao"),), nickname="买家")
    told = facts.Order(
        "taobao", "兰记护肤", "T1", facts.OrderStatus.FINISHED, at, at, finished_at=at, goods_minor=35997, paid_minor=PAID,
        freight_minor=0, lines=lines, person=who, stated_at=at,
    )  # fmt: skip
    return told._replace(**changes)


def given_back(name: str, how: str = "place", **changes) -> facts.Refund:
    day, money, line, pieces = REFUNDS[name]
    product, *_, sub_number = LINES[line]
    named = {
        "place": facts.LineBack(position=line + 1, quantity_milli=pieces * 1000),
        "goods": facts.LineBack(product_code=product, quantity_milli=pieces * 1000),
        "number": facts.LineBack(sub_number),
    }
    at = START + timedelta(days=day)
    told = facts.Refund("taobao", "兰记护肤", "T1", name, money, at, lines=(named[how],) if how in named else ())
    return told._replace(**({"sub_number": sub_number} if how == "sub_number" else {}) | changes)


def tell(merchant, *what) -> None:
    take_orders(
        merchant=merchant, now=NOW, actor="test", orders=[one for one in what if isinstance(one, facts.Order)],
        refunds=[one for one in what if isinstance(one, facts.Refund)],
    )  # fmt: skip


def booked(merchant) -> dict[str, int]:
    """Points by event, as the books have them in the end."""
    actions.run_clock(merchant=merchant, now=NOW)
    assert queries.verify(merchant).findings == []
    found: dict[str, int] = {}
    for txn in Txn.objects.filter(merchant=merchant).prefetch_related("entry_set"):
        own = -sum(e.amount for e in txn.entry_set.all() if e.account == "issued")
        name = txn.event.rpartition(":")[2] if txn.event.startswith("refund:") else "earn"
        if own:
            found[name] = found.get(name, 0) + own
    return {name: n if name == "earn" else -n for name, n in found.items() if n}


def test_every_refund_takes_back_what_its_own_lines_earned(lan):
    publish(lan.merchant, RULED)
    tell(lan.merchant, sold())
    for name in REFUNDS:
        tell(lan.merchant, given_back(name))
    assert booked(lan.merchant) == by_hand()


def test_whatever_is_told_first(lan, mingde):
    publish(lan.merchant, RULED)
    tell(lan.merchant, sold(), *(given_back(name) for name in REFUNDS))
    wanted = queries.state_hash(lan.merchant), booked(lan.merchant)
    everything = [
        sold(),
        *(given_back(name, how) for name, how in zip(REFUNDS, ("place", "goods", "number", "sub_number"), strict=True)),
    ]
    for turn in random.Random(4).sample(list(permutations(everything)), 12):
        with transaction.atomic():
            publish(mingde.merchant, RULED)
            for one in turn:
                tell(mingde.merchant, one)
            tell(mingde.merchant, *turn[:2])  # and once more
            assert booked(mingde.merchant) == wanted[1]
            transaction.set_rollback(True)


def test_a_report_that_comes_again_with_the_goods_mends_what_was_shared(lan):
    publish(lan.merchant, RULED)
    tell(lan.merchant, sold(), *(given_back(name, "nothing") for name in REFUNDS))
    shared = booked(lan.merchant)
    assert shared != by_hand()
    told = [w for txn in Txn.objects.filter(event__endswith=":R1") for w in txn.why]
    assert {"rule": "goods_not_told"} in told
    tell(lan.merchant, *(given_back(name, "goods") for name in REFUNDS))
    assert booked(lan.merchant) == by_hand()
    tell(lan.merchant, *(given_back(name, "nothing") for name in REFUNDS))  # an older report forgets nothing
    assert booked(lan.merchant) == by_hand()
    assert {r.number for r in Refund.objects.filter(lines__isnull=False)} == set(REFUNDS)


def test_the_engine_alone_and_the_simulation_say_the_same():
    lines = [{"product": c, "category": k, "amount": f"{a / 100:.2f}", "quantity": p} for c, k, a, p, _ in LINES]
    events = [
        {"event": "join", "at": "2026-01-02", "member": "m"},
        {"event": "order", "at": "2026-01-03", "member": "m", "order": "T1", "paid": "359.97", "lines": lines},
        *(
            {"event": "return", "at": f"2026-01-{day + 5:02d}", "order": "T1", "id": name, "lines": [{"line": n + 1, "quantity": p}]}
            for name, (day, _, n, p) in REFUNDS.items()
        ),
    ]  # fmt: skip
    random.Random(1).shuffle(events)
    alone, books, merchant = both(RULED, events, UNTIL)
    assert json.dumps(alone) == json.dumps(books)
    left = simulated(merchant, document.from_plain(RULED))[0][0]
    assert left == books["members"]["m"]["available"] == 60 + 2 * 60  # one cream is not back
    _, books, merchant = both(RULED, [e for e in events if e.get("id") != "R4"], UNTIL)
    left = simulated(merchant, document.from_plain(RULED))[0][0]
    assert left == books["members"]["m"]["available"] == 60 + 2 * 60 + 66 + 2 * 7  # two sticks are not, either
