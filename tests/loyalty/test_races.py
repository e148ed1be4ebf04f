"""Many at once on one balance, each in its own process: what is spent is never more than there was (T1, T4)."""

import multiprocessing
from collections import Counter
from datetime import timedelta

import pytest

from shuke.loyalty import queries
from tests.loyalty.books import START, member, order, publish, take

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
