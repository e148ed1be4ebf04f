"""Many at once on one balance, each in its own process: what is spent is never more than there was (T1, T4)."""

import multiprocessing
from collections import Counter
from datetime import timedelta

import pytest

from shuke.loyalty import queries
from tests.loyalty.books import CHARTER, START, member, order, publish, take

LATER = START + timedelta(days=20)


def _redeem(merchant_id: int, buyer: int, name: str, keys: list[tuple[str, int]], answers) -> None:
    from django.db import connections

    connections.close_all()  # a connection does not survive the fork
    from shuke.loyalty.actions import Ask, ask
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for key, amount in keys:
        told = ask(merchant=merchant, asks=[Ask(key, "burn", buyer, amount)], now=LATER, actor=name)[0]
        answers.put((key, told.done, tuple(sorted(told.figures.items()))))
    connections.close_all()


def _at_once(merchant_id: int, buyer: int, work: list[list[tuple[str, int]]]) -> list[tuple]:
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [
        fork.Process(target=_redeem, args=(merchant_id, buyer, f"till {i}", keys, answers))
        for i, keys in enumerate(work)
    ]
    for person in people:
        person.start()
    told = [answers.get(timeout=120) for keys in work for _ in keys]
    for person in people:
        person.join(timeout=60)
        assert person.exitcode == 0
    return told


@pytest.fixture
def books(transactional_db):
    from tests import cast

    lan = cast.lan()
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 900))  # 1,230 points
    from django.db import connections

    connections.close_all()
    return lan.merchant, buyer


def test_many_tills_never_spend_more_than_there_is(books):
    merchant, buyer = books
    work = [[(f"till{i}-{n}", 1 + (i + n) % 7 * 40) for n in range(12)] for i in range(4)]
    amounts = dict(pair for keys in work for pair in keys)
    told = _at_once(merchant.pk, buyer, work)
    spent = sum(amounts[key] for key, done, _ in told if done)
    left = queries.balance(merchant, buyer, LATER).available
    assert spent + left == 1230
    assert any(not done for _, done, _ in told)
    assert queries.verify(merchant).findings == []


def test_one_key_sent_by_all_at_once_has_one_effect_and_one_answer(books):
    merchant, buyer = books
    told = _at_once(merchant.pk, buyer, [[(f"key{n}", 100) for n in range(15)]] * 4)
    assert all(count == 4 for count in Counter(key for key, *_ in told).values())
    assert len({(key, done, figures) for key, done, figures in told}) == 15
    assert sum(1 for _, done, _ in set(told) if done) == 12
    assert queries.balance(merchant, buyer, LATER).available == 30
    assert queries.verify(merchant).findings == []


BUDGET = {**CHARTER, "earning": [
    {"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"},
    {"key": "gift", "name": {"zh": "赠", "en": "Gift"}, "kind": "fixed", "points": 30, "budget": {"points": 1000}},
    {"key": "sign", "name": {"zh": "签", "en": "Sign-in"}, "kind": "activity", "activity": "check_in", "points": 7,
     "limits": {"per_member": 100}, "budget": {"points": 100}},
]}  # fmt: skip


def _earn(merchant_id: int, buyers: list[int], name: str, answers) -> None:
    from django.db import connections

    connections.close_all()
    from shuke.loyalty.actions import Ask, ask
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for n, buyer in enumerate(buyers):
        take(merchant, buyer, order(f"{name}-{n}", 2 + n / 10, 100))
        key = f"sign-{name}-{n}"
        told = ask(merchant=merchant, asks=[Ask(key, "activity", buyer, ref="check_in")], now=LATER, actor=name)[0]
        answers.put(told.figures["amount"])
    connections.close_all()


def test_many_tills_never_give_more_than_the_budget(transactional_db):
    from django.db import connections

    from shuke.loyalty.models import Budget
    from tests import cast

    merchant = cast.lan().merchant
    publish(merchant, BUDGET)
    # Twelve members each, some of them served at two tills.
    buyers = [member(merchant, n) for n in range(36)]
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    tills = [
        fork.Process(target=_earn, args=(merchant.pk, buyers[i * 8 : i * 8 + 12], f"till{i}", answers))
        for i in range(4)
    ]
    for till in tills:
        till.start()
    signed = [answers.get(timeout=120) for _ in range(48)]
    for till in tills:
        till.join(timeout=60)
        assert till.exitcode == 0
    assert sum(signed) == 100  # 14 times 7, and the 2 that were left
    assert dict(Budget.objects.values_list("rule", "taken")) == {"gift": 1000, "sign": 100}
    assert queries.verify(merchant).findings == []
