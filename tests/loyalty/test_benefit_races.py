"""Tills that hand out to one member at the same moment, each in its own process."""

import multiprocessing
import time
from datetime import timedelta

import pytest
from django.db import connection

from shuke.loyalty.models import BenefitUse
from tests.loyalty.books import CHARTER, START, member, publish
from tests.loyalty.test_benefits import RIGHTS

NOW = START + timedelta(days=20)


def _till(merchant_id, who, keys, answers, locked):
    from django.db import connections

    connections.close_all()
    from shuke.loyalty.actions import benefits
    from shuke.shops.models import Merchant

    if not locked:  # the planted fault: look, think, write
        look = benefits.stored.known
        benefits.lock_heads = lambda *_: {}
        benefits.stored.known = lambda *told: (look(*told), time.sleep(1))[0]
    merchant = Merchant.objects.get(pk=merchant_id)
    for key in keys:
        told = benefits.hand_out(merchant=merchant, member_id=who, benefit="wrap", key=key, now=NOW, actor="till")
        answers.put((key, told.done))
    connections.close_all()


def at_once(merchant, who, work, locked=True):
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    tills = [fork.Process(target=_till, args=(merchant.pk, who, keys, answers, locked)) for keys in work]
    for till in tills:
        till.start()
    told = [answers.get(timeout=120) for keys in work for _ in keys]
    for till in tills:
        till.join(timeout=60)
        assert till.exitcode == 0
    return told


@pytest.fixture
def shop(transactional_db):
    from tests import cast

    lan = cast.lan()
    publish(lan.merchant, {**CHARTER, "rights": RIGHTS})
    return lan


def test_a_quota_of_two_is_two_however_many_tills(shop):
    who = member(shop.merchant)
    told = at_once(shop.merchant, who, [[f"t{i}-{n}" for n in range(6)] for i in range(4)])
    assert sum(done for _, done in told) == 2
    assert BenefitUse.objects.filter(state="done").count() == 2


def test_one_key_at_all_tills_is_one_hand_out(shop):
    who = member(shop.merchant)
    told = at_once(shop.merchant, who, [["one"] * 3] * 4)
    assert all(done for _, done in told)
    assert BenefitUse.objects.count() == 1


def test_without_the_lock_the_quota_would_be_overspent(shop):
    """The harness first catches the fault it is there for. (On SQLite the transaction itself is the lock.)"""
    if connection.vendor == "sqlite":
        pytest.skip("every writing transaction of SQLite is alone")
    who = member(shop.merchant)
    told = at_once(shop.merchant, who, [[f"t{i}"] for i in range(4)], locked=False)
    assert sum(done for _, done in told) > 2
