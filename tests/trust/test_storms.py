"""Many processes at once, each with a connection of its own: one effect per key, nothing spent twice, no error but a refusal
(T1, T4, T5, T14). The first test plants a fault, to show that the storm would see one."""

import multiprocessing
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import Sum

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, Transfer
from shuke.loyalty.models import Entry
from tests.loyalty.books import START, order, refund, take
from tests.trust import SEED, SOAK, chance, size
from tests.trust.shop import LATER, figures, furnish

TILLS = 8 if SOAK else 4
SENT = 7 if SOAK else 1  # times each till sends a key


def _till(merchant_id: int, number: int, work, careless: bool, answers, start) -> None:
    connections.close_all()  # a connection does not survive the fork
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    if careless:
        _forget_to_lock()
    start.wait(60)
    for job in work:
        try:
            answers.put((number, job, _do(merchant, job, f"till {number}")))
        except Exception as error:
            answers.put((number, job, type(error).__name__))
    connections.close_all()


def _do(merchant, job, actor: str):
    if isinstance(job, Ask):
        told = actions.ask(merchant=merchant, asks=[job], now=LATER, actor=actor)[0]
        return told.done, told.code, tuple(sorted(told.figures.items()))
    if isinstance(job, Transfer):
        told = actions.transfer(merchant=merchant, transfers=[job], now=LATER, actor=actor)[0]
        return told.done, told.code, tuple(sorted(told.figures.items()))
    kind, buyer, what, at = job
    if kind == "clock":
        actions.run_clock(merchant=merchant, now=at)
    else:
        take(merchant, buyer, what, now=at)
    return True


def _forget_to_lock() -> None:
    """The planted fault: what is available is read before the transaction that spends it, as a careless till would."""
    from shuke.loyalty.actions import requests

    real = requests.stored.read_heads
    stale: dict = {}

    def read(rows):
        found = real(rows)
        return {m: stale.setdefault(m, head) for m, head in found.items()}

    requests.stored.read_heads = read


def storm(merchant, work: list[list], careless: bool = False) -> list[tuple]:
    connections.close_all()  # a connection does not survive the fork
    fork = multiprocessing.get_context("fork")
    answers, start = fork.Queue(), fork.Barrier(len(work))
    tills = [
        fork.Process(target=_till, args=(merchant.pk, i, jobs, careless, answers, start)) for i, jobs in enumerate(work)
    ]
    for till in tills:
        till.start()
    told = [answers.get(timeout=240) for jobs in work for _ in jobs]
    for till in tills:
        till.join(timeout=60)
        assert till.exitcode == 0
    return told


@pytest.fixture
def shop(transactional_db):
    return furnish()


def test_the_storm_sees_a_till_that_does_not_look_at_the_books(shop):
    merchant, (buyer, *_) = shop
    work = [[Ask(f"{till}-{n}", "burn", buyer, 90) for n in range(6)] for till in range(TILLS)]
    told = storm(merchant, work, careless=True)
    spent = sum(90 for *_, answer in told if isinstance(answer, tuple) and answer[0])
    refused_by_the_database = [answer for *_, answer in told if isinstance(answer, str)]
    assert spent > 1000 or refused_by_the_database


@pytest.mark.parametrize("seed", range(SEED, SEED + size(2, 200)))
def test_of_one_balance_exactly_what_there_is_is_spent(shop, seed):
    merchant, (buyer, *_) = shop
    rng = chance(seed)
    work = [[Ask(f"{till}-{n}", "burn", buyer, rng.randint(1, 7)) for n in range(75)] for till in range(TILLS)]
    told = storm(merchant, work)
    assert {answer[1] for *_, answer in told if not answer[0]} == {"not_enough"}
    spent = sum(job.amount for _, job, answer in told if answer[0])
    assert figures(merchant, buyer) == (1000 - spent, 0, 0, 0)
    assert 1000 - 7 < spent <= 1000
    assert queries.verify(merchant).findings == []


def test_a_balance_is_given_away_once_though_twenty_ask(shop):
    merchant, buyers = shop
    for n in range(size(1, 500)):
        held = {buyer: figures(merchant, buyer)[0] for buyer in buyers}
        giver = max(buyers, key=held.__getitem__)
        others = [buyer for buyer in buyers if buyer != giver]
        gifts = [Transfer(f"{n}-{i}", giver, others[i % 2], held[giver]) for i in range(20)]
        told = storm(merchant, [gifts[till::TILLS] for till in range(TILLS)])
        assert Counter(answer[:2] for *_, answer in told) == {(True, ""): 1, (False, "not_enough"): 19}
        assert sum(figures(merchant, buyer)[0] for buyer in buyers) == 3000
    assert queries.verify(merchant).findings == []


def test_each_key_has_one_effect_and_altered_bodies_are_errors(shop):
    merchant, buyers = shop
    rng = chance("keys")
    keys = [
        Ask(f"key{n}", rng.choice(["burn", "adjust"]), rng.choice(buyers), rng.randint(1, 60))
        for n in range(size(30, 20_000))
    ]
    first: dict[str, tuple] = {}
    for at in range(0, len(keys), 200):
        work = []
        for _ in range(TILLS):
            mine = [k._replace(amount=k.amount + 1) if rng.random() < 0.1 else k for k in keys[at : at + 200] * SENT]
            rng.shuffle(mine)
            work.append(mine)
        for _, job, answer in storm(merchant, work):
            if answer == "KeyReused":
                continue
            assert isinstance(answer, tuple), (job, answer)
            assert first.setdefault(job.key, (job, answer)) == (job, answer)
    effect = Counter()
    for job, (done, *_) in first.values():
        if done:
            effect[job.member_id] += job.amount if job.kind == "adjust" else -job.amount
    assert len(first) == len(keys)
    answered, month_later = list(first.values()), LATER + timedelta(days=30)
    for at in range(0, len(answered), 200):  # many in one call, and it is still the first answer
        some = answered[at : at + 200]
        told = actions.ask(merchant=merchant, asks=[job for job, _ in some], now=month_later, actor="till")
        assert [(t.replayed, t.done, t.code, tuple(sorted(t.figures.items()))) for t in told] == [
            (True, *answer) for _, answer in some
        ]
    for buyer in buyers:
        assert figures(merchant, buyer) == (1000 + effect[buyer], 0, 0, 0)
    assert queries.verify(merchant).findings == []


def test_one_hold_is_captured_once_and_released_never_after(shop):
    merchant, (buyer, *_) = shop
    for n in range(size(4, 100)):
        hold = Ask(f"hold{n}", "hold", buyer, 5, until=LATER + timedelta(hours=1))
        assert actions.ask(merchant=merchant, asks=[hold], now=LATER, actor="till")[0].done
        work = [
            [
                ask
                for i in range(SENT * 2)
                for ask in (
                    Ask(f"c{n}-{till}-{i}", "capture", buyer, 4, ref=hold.key),
                    Ask(f"r{n}-{till}-{i}", "release", buyer, ref=hold.key),
                )
            ]
            for till in range(TILLS)
        ]
        for i, jobs in enumerate(work):
            if i % 2:
                jobs.reverse()
        told = storm(merchant, work)
        assert sum(answer[0] for *_, answer in told) == 1
        assert {answer[1] for *_, answer in told if not answer[0]} == {"no_such_hold"}
    assert queries.verify(merchant).findings == []


def test_refunds_and_spends_at_once_take_back_what_was_earned_and_no_more(shop):
    merchant, buyers = shop
    rng = chance("refunds")
    for n in range(size(2, 800)):
        numbers = [f"x{n}-{i}" for i in range(6)]
        for i, number in enumerate(numbers):
            take(merchant, buyers[i % 3], order(number, 2 + i, 100), now=LATER)
        half = [("refund", buyers[i % 3], refund(f"{x}a", x, 12, 50), LATER) for i, x in enumerate(numbers)]
        rest = [("refund", buyers[i % 3], refund(f"{x}b", x, 13, 50), LATER) for i, x in enumerate(numbers)]
        again = [("refund", buyers[i % 3], refund(f"{x}a", x, 12, 50), LATER) for i, x in enumerate(numbers)]
        spends = [Ask(f"s{n}-{i}", "burn", buyers[i % 3], rng.randint(1, 80)) for i in range(9)]
        for jobs in (half, rest, again, spends):
            rng.shuffle(jobs)
        told = storm(merchant, [half, rest, again, spends])
        assert not [t for t in told if isinstance(t[2], str)]
    held = [figures(merchant, buyer) for buyer in buyers]
    kept = sum(available + pending - debt for available, pending, _, debt in held)
    assert kept + _booked(merchant, "spent") == 3000
    assert queries.verify(merchant).findings == []


def _booked(merchant, account: str) -> int:
    return Entry.objects.filter(merchant=merchant, account=account).aggregate(n=Sum("amount"))["n"] or 0


def test_points_handed_round_in_rings_neither_grow_nor_vanish(shop):
    merchant, buyers = shop
    work = []
    for till in range(TILLS):
        ring = buyers if till % 2 else buyers[::-1]
        work.append([Transfer(f"{till}-{n}", ring[n % 3], ring[(n + 1) % 3], 400) for n in range(size(9, 2_000))])
    told = storm(merchant, work)
    assert not [t for t in told if isinstance(t[2], str)]  # no deadlock came to the surface
    held = [figures(merchant, buyer) for buyer in buyers]
    assert sum(h[0] for h in held) == 3000
    assert all(h[0] >= 0 and h[1:] == (0, 0, 0) for h in held)
    assert queries.verify(merchant).findings == []


def test_points_lapse_once_though_two_clocks_run_and_a_till_spends(shop):
    merchant, buyers = shop
    end = START + timedelta(days=125)  # the points of the first day have lapsed by then
    spends = [Ask(f"last{i}", "burn", buyers[i % 3], 70) for i in range(9)]
    clock = [("clock", 0, None, end)]
    told = storm(merchant, [clock, list(clock), spends])
    assert not [t for t in told if isinstance(t[2], str)]
    actions.run_clock(merchant=merchant, now=end)
    for buyer in buyers:
        assert figures(merchant, buyer, end)[0] == 0
    assert queries.verify(merchant).findings == []
    assert _booked(merchant, "breakage") + _booked(merchant, "spent") == 3000
