"""Many tills at once, each in its own process: stored value is never spent twice, no card is redeemed twice."""

from __future__ import annotations

import multiprocessing

import pytest

from shuke.loyalty import queries
from shuke.loyalty.actions import stored
from shuke.loyalty.queries import stored as books
from tests.loyalty.books import NOW, member
from tests.loyalty.stored import do, open_stored


def _work(merchant_id: int, name: str, jobs: list[tuple], answers) -> None:
    from django.db import connections

    connections.close_all()  # a connection does not survive the fork
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for kind, key, who, amount, more in jobs:
        try:
            if kind == "redeem":
                told = stored.redeem_card(merchant=merchant, card_id=more, member_id=who, key=key, now=NOW, actor=name)
            else:
                one = stored.Ask(key, kind, who, amount, **more)
                [told] = stored.ask(merchant=merchant, asks=[one], now=NOW, actor=name)
            answers.put((kind, key, told.done and not told.replayed, told.code, told.figures))
        except (stored.StoredRefused, stored.KeyReused) as refused:
            answers.put((kind, key, False, getattr(refused, "code", "key_reused"), {}))
    connections.close_all()


def at_once(merchant, work: list[list[tuple]]) -> list[tuple]:
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [fork.Process(target=_work, args=(merchant.pk, f"till {i}", jobs, answers)) for i, jobs in enumerate(work)]
    for person in people:
        person.start()
    told = [answers.get(timeout=120) for jobs in work for _ in jobs]
    for person in people:
        person.join(timeout=60)
        assert person.exitcode == 0
    return told


@pytest.fixture
def shop(transactional_db):
    from tests import cast

    merchant = cast.lan().merchant
    open_stored(merchant, ladder=[], most_balance=0, cards={"most": 1000})
    return merchant


def sound(merchant):
    assert queries.verify(merchant).findings == []


def test_never_more_is_spent_than_there_is(shop):
    ann = member(shop)
    do(shop, ann, "top_up", 100)
    work = [[("spend", f"s{i}-{n}", ann, 700 + i, {}) for n in range(6)] for i in range(4)]
    told = at_once(shop, work)
    spent = sum(figures["amount"] for _, _, done, _, figures in told if done)
    assert {code for *_, code, _ in told} == {"", "not_enough"}
    assert books.balance(shop, ann, NOW).available == 10_000 - spent < 703
    sound(shop)


def test_one_key_is_one_payment_however_many_send_it(shop):
    ann, bob = member(shop), member(shop, 2)
    for who in (ann, bob):
        do(shop, who, "top_up", 100)
    work = [
        [("spend", "same", who, 300, {}), ("top_up", f"new{i}", who, 100, {})]
        for i, who in enumerate([ann, ann, bob, bob])
    ]
    told = at_once(shop, work)
    assert sum(done for kind, _, done, *_ in told if kind == "spend") == 1
    assert sum(books.balance(shop, who, NOW).available for who in (ann, bob)) == 20_000 - 300 + 400
    sound(shop)


def test_a_hold_is_resolved_once_and_a_payment_comes_back_once(shop):
    ann = member(shop)
    do(shop, ann, "top_up", 100)
    do(shop, ann, "hold", 50, "h")
    told = at_once(
        shop,
        [[("capture" if i % 2 else "release", f"c{i}", ann, 3000 if i % 2 else 0, {"ref": "h"})] for i in range(4)],
    )
    assert sum(done for _, _, done, *_ in told) == 1
    paid = do(shop, ann, "spend", 20)
    told = at_once(shop, [[("return", f"r{i}-{n}", ann, 700, {"ref": paid.key}) for n in range(2)] for i in range(4)])
    assert sum(done for _, _, done, *_ in told) == 2, "2 × 7.00 of 20.00, the third would be too much"
    sound(shop)


def test_a_card_is_redeemed_once(shop):
    batch = stored.begin_cards(merchant=shop, count=1, value=50_000, now=NOW, actor="t")
    stored.make_cards(batch_id=batch.pk)
    [card] = books.cards_of_batch(shop, batch.pk, 1, 1)
    stored.sell_cards(merchant=shop, cards=[card.pk], key="sale", now=NOW, actor="t")
    people = [member(shop, n) for n in range(1, 5)]
    told = at_once(shop, [[("redeem", f"k{who}", who, 0, card.pk)] for who in people])
    assert sum(done for _, _, done, *_ in told) == 1
    assert sum(books.balance(shop, who, NOW).available for who in people) == 50_000
    sound(shop)
