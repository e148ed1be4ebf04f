"""T27 in small: many tills do everything a till can, at random, at two members, while the clock runs. Nobody meets an error of the
server, and at the end all books are right."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta

import pytest
from django.db import connections

from shuke.flows import referral
from shuke.loyalty import actions, queries
from shuke.shops.models import Merchant
from tests.trust import SOAK, chance, size
from tests.trust.deeds import DEEDS, EveryTill, NotReady, furnish
from tests.trust.shop import LATER

pytestmark = pytest.mark.django_db(transaction=True)
TILLS = 8 if SOAK else 3
REQUESTS = size(16, 1_000)


def _till(merchant_id: int, number: int, answers) -> None:
    connections.close_all()  # a connection does not survive the fork
    rng = chance(f"till {number}")
    till = EveryTill(Merchant.objects.get(pk=merchant_id), number)
    for n in range(REQUESTS):
        deed = rng.choice(DEEDS)
        if rng.random() < 0.5:
            till.me, till.other = till.other, till.me
        try:
            send = till.make_ready(deed, f"{number}-{n}")
            told = [send() for _ in range(rng.choice((1, 1, 2)))]
        except NotReady as why:
            told = [(500 if ": 5" in str(why) else 409, str(why))]
        except Exception as error:
            told = [(500, repr(error))]
        answers.put([(status, deed.name, str(body)[:500] if status != 200 else "") for status, body in told])
    connections.close_all()


def _clock(merchant_id: int, answers, over) -> None:
    connections.close_all()
    merchant, n = Merchant.objects.get(pk=merchant_id), 0
    while not over.is_set():
        n += 1
        try:
            actions.run_clock(merchant=merchant, now=LATER + timedelta(minutes=n))
            referral.settle_due(merchant=merchant, now=LATER + timedelta(minutes=n), actor="clock")
            actions.seal(merchant=merchant, now=LATER + timedelta(minutes=n))
            answers.put([(200, "clock", "")])
        except Exception as error:
            answers.put([(500, "clock", repr(error))])
        over.wait(0.2)
    answers.put(None)
    connections.close_all()


def test_tills_that_do_everything_do_not_get_in_each_other_s_way(monkeypatch):
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: LATER)
    merchant = furnish()
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers, over = fork.Queue(), fork.Event()
    tills = [fork.Process(target=_till, args=(merchant.pk, n, answers)) for n in range(TILLS)]
    clock = fork.Process(target=_clock, args=(merchant.pk, answers, over))
    for one in (*tills, clock):
        one.start()
    told, served = [], 0
    while served < TILLS * REQUESTS:
        some = answers.get(timeout=300)
        served += some[0][1] != "clock"
        told += some
    over.set()
    while (some := answers.get(timeout=300)) is not None:
        told += some
    for one in (*tills, clock):
        one.join(timeout=60)
        assert one.exitcode == 0
    assert not (wrong := [t for t in told if t[0] >= 500]), wrong[:5]
    assert sum(status == 200 for status, *_ in told) > len(told) / 2, told[:20]
    assert queries.verify(merchant).findings == []
    connections.close_all()
