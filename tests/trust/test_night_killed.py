"""A night in which points lapse, killed in the middle, run twice at once and raced by tills: each lot lapses once (T14)."""

import multiprocessing
import os
import signal
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import Sum

from shuke.kit.turns import Turns
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, lapsing
from shuke.loyalty.models import Txn, Wallet
from tests import cast
from tests.loyalty.books import START, member, order, publish, take
from tests.trust import chance, size
from tests.trust.exercise_book import CHARTER
from tests.trust.test_storms import storm

END = START + timedelta(days=125)  # the points of the first days have lapsed by then
PEOPLE = size(40, 10_000)  # each with two lots that end
KILLS = size(2, 50)


@pytest.fixture
def shop(transactional_db, monkeypatch):
    monkeypatch.setattr(lapsing, "_TURN", {"first": 2, "fewest": 2, "most": 2})
    # So that there is a middle.
    monkeypatch.setattr(Turns, "_fitting", lambda self, allowed: time.sleep(0.01) or 2)
    merchant = cast.lan().merchant
    publish(merchant, CHARTER)
    people = [member(merchant, n) for n in range(PEOPLE)]
    for n, buyer in enumerate(people):
        take(merchant, buyer, order(f"a{n}", 1, 100), order(f"b{n}", 2, 50))
    connections.close_all()
    return merchant, people


def _night(merchant) -> None:
    connections.close_all()  # a connection does not survive the fork
    actions.run_clock(merchant=merchant, now=END)
    os._exit(0)


def lapses(merchant):
    return Txn.objects.filter(merchant=merchant, kind="expire")


def wait_for_postings(merchant, count: int, night) -> None:
    while lapses(merchant).count() < count and night.is_alive():
        time.sleep(0.01)


def test_a_night_killed_doubled_and_raced_lets_each_lot_lapse_once(shop):
    merchant, people = shop
    rng = chance("night")
    for n in range(KILLS):
        nights = [multiprocessing.get_context("fork").Process(target=_night, args=(merchant,)) for _ in range(2)]
        for night in nights:
            night.start()
        for night in nights:
            wait_for_postings(merchant, PEOPLE * n // KILLS // 2, night)  # half of the work is done between kills
            time.sleep(rng.uniform(0, 0.02))
            os.kill(night.pid, signal.SIGKILL)
            night.join(timeout=60)
            assert night.exitcode in (0, -signal.SIGKILL)  # and did not fall over the other
        connections.close_all()
    assert queries.verify(merchant).findings == []  # whatever was done is whole
    connections.close_all()
    spends = [Ask(f"s{n}", "burn", buyer, 70) for n, buyer in enumerate(people[::-1])]  # a till with a slow clock
    clock = [("clock", 0, None, END)]
    told = storm(merchant, [clock, list(clock), spends])
    assert not [t for t in told if isinstance(t[2], str)]
    actions.run_clock(merchant=merchant, now=END)
    assert Wallet.objects.filter(merchant=merchant).aggregate(n=Sum("balance"))["n"] == 0
    spent = 70 * sum(answer[0] for _, job, answer in told if isinstance(job, Ask))
    lapsed = lapses(merchant).filter(entry__account="breakage")
    assert lapsed.aggregate(n=Sum("entry__amount"))["n"] + spent == PEOPLE * 150
    assert queries.verify(merchant).findings == []
