"""Verify reads one moment: who sells meanwhile is no finding, for one process and for several."""

from __future__ import annotations

import importlib
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from shuke.kit import abreast
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Txn
from shuke.loyalty.queries import refolding
from tests import cast
from tests.loyalty.books import NOW, START, member, order, publish, take

pytestmark = pytest.mark.django_db(transaction=True)
verifying = importlib.import_module("shuke.loyalty.queries.verify")


@pytest.fixture
def shop():
    merchant = cast.lan().merchant
    publish(merchant)
    for n in (1, 2, 3):
        take(merchant, member(merchant, n), order(str(n), n, 500))
    actions.seal(merchant=merchant, now=NOW)
    return merchant


def sell(merchant, buyer: int, key: str) -> None:
    """In a thread, so with another connection."""

    def till() -> None:
        one = actions.Ask(key, "burn", buyer, 10)
        assert actions.ask(merchant=merchant, asks=[one], now=START + timedelta(days=100), actor="till")[0].done
        connections.close_all()

    thread = threading.Thread(target=till)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def sells_while_members_are_read(monkeypatch, merchant) -> None:
    """Between reading a member's lots and their facts somebody sells to them."""
    refolded = refolding._refolded

    def selling(merchant, heads):
        for m in heads:
            sell(merchant, m, f"during {m}")
        return refolded(merchant, heads)

    monkeypatch.setattr(refolding, "_refolded", selling)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_sale_during_a_verify_is_no_finding(shop, monkeypatch, processes):
    monkeypatch.setattr(verifying, "processes_for", lambda merchant: processes)
    monkeypatch.setattr(verifying, "FOLDED_AT_ONCE", 1)
    sells_while_members_are_read(monkeypatch, shop)
    report = queries.verify(shop)
    assert Txn.objects.filter(key__startswith="during").count() == 3
    assert report.findings == []
    monkeypatch.undo()
    after = queries.verify(shop)
    assert after.findings == []
    assert after.figures["txn"] == report.figures["txn"] + 3, "the figures are of the same moment"


def test_without_one_moment_it_would_be_a_finding(shop, monkeypatch):
    monkeypatch.setattr(abreast, "_begin", lambda snapshot: None)
    monkeypatch.setattr(abreast, "_run", lambda sql: [])
    sells_while_members_are_read(monkeypatch, shop)
    assert {found.invariant for found in queries.verify(shop).findings} >= {"I10"}


def test_all_processes_see_the_same_and_leave_nothing_open(shop):
    def count(_part) -> int:
        return Txn.objects.count()

    before = Txn.objects.count()
    with abreast.standing_still(count, processes=2) as spread:
        sell(shop, shop_member(shop), "later")
        assert {n for _, n in spread(range(6))} == {before}
        assert count(0) == before
    assert count(0) == before + 1
    sell(shop, shop_member(shop), "last")  # nobody holds a lock or a transaction any more
    assert not connection.in_atomic_block


def shop_member(merchant) -> int:
    return Txn.objects.filter(merchant=merchant).values_list("member_id", flat=True)[0]
