"""The chains of seals: how many postings one covers, and those that the end of a chain does not show."""

from datetime import timedelta

import pytest

from shuke.kit import ids
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import sealing, stored
from shuke.loyalty.models import Seal, StoredLot, StoredPurse, StoredSeal, StoredTxn, Txn
from shuke.loyalty.queries import chain
from tests.loyalty.books import CHARTER, START, member, order, publish, take
from tests.loyalty.stored import do, open_stored

pytestmark = pytest.mark.django_db

NOW = START + timedelta(days=9)


@pytest.fixture(params=["points", "stored"])
def sealed(request, lan):
    """Five postings without a seal; how they are sealed, and by what."""
    if request.param == "stored":
        open_stored(lan.merchant)
        who = member(lan.merchant)
        for n in range(1, 6):
            do(lan.merchant, who, "top_up", 100, f"a{n}", NOW)
        assert StoredTxn.objects.count() == 5
        return lan.merchant, actions.seal_stored, StoredSeal
    publish(lan.merchant, CHARTER)
    who = member(lan.merchant)
    take(lan.merchant, who, *[order(f"a{n}", n, 100) for n in range(1, 6)])
    assert Txn.objects.count() == 5
    return lan.merchant, actions.seal, Seal


def test_a_seal_covers_as_many_postings_as_fit_a_turn(sealed, monkeypatch):
    merchant, seal, kind = sealed
    for few in ("_SQLITE", "_POSTGRES"):
        monkeypatch.setattr(sealing, few, {"first": 2, "fewest": 2, "most": 2})
    assert seal(merchant=merchant, now=NOW) == 5
    assert list(kind.objects.order_by("number").values_list("number", "count")) == [(1, 2), (2, 2), (3, 1)]
    first, second = kind.objects.order_by("number")[:2]
    assert first.first_id < first.last_id < second.first_id  # so nothing but its own postings is read to prove it
    assert queries.verify(merchant).findings == []
    assert seal(merchant=merchant, now=NOW) == 0


def test_postings_that_the_end_of_the_chain_does_not_show_are_left_to_the_night(sealed, monkeypatch):
    merchant, seal, kind = sealed
    monkeypatch.setattr(chain, "_LOOK_BACK", -ids.MILLISECOND * 3600_000)  # all of them were begun long ago
    kind.objects.create(
        merchant=merchant, number=1, count=0, previous=b"", digest=b"", last_id=ids.new(), sealed_at=NOW
    )
    assert seal(merchant=merchant, now=NOW, count=False) == 0
    assert seal(merchant=merchant, now=NOW) == 5
    assert seal(merchant=merchant, now=NOW) == 0


def test_a_seal_made_before_it_knew_its_span_is_still_proved(lan):
    open_stored(lan.merchant)
    do(lan.merchant, member(lan.merchant), "top_up", 100)
    actions.seal_stored(merchant=lan.merchant, now=NOW)
    seal = StoredSeal.objects.get()
    seal.first_id = seal.last_id = None
    assert list(chain_of_stored().faults(lan.merchant, None, seal)) == []


def chain_of_stored():
    from shuke.loyalty.queries.stored.chain import STORED

    return STORED


def test_bonus_of_many_purses_lapses_in_turns_that_let_others_in(lan, monkeypatch):
    from shuke.loyalty.actions.stored import clock

    monkeypatch.setattr(clock, "_TURN", {"first": 2, "fewest": 2, "most": 2})
    turns = []
    advance = clock._advance
    monkeypatch.setattr(
        clock, "_advance", lambda merchant, due, now: turns.append(len(due)) or advance(merchant, due, now)
    )
    open_stored(lan.merchant)
    for n in range(1, 6):
        do(lan.merchant, member(lan.merchant, n), "top_up", 1000, now=NOW)
    late = NOW + timedelta(days=400)
    assert stored.run_stored_clock(merchant=lan.merchant, now=late) == 5
    assert turns == [2, 2, 1]
    assert not StoredLot.objects.filter(kind="bonus", remaining__gt=0).exists()
    assert not StoredPurse.objects.filter(next_due_at__isnull=False).exists()
    assert stored.run_stored_clock(merchant=lan.merchant, now=late) == 0
    actions.seal_stored(merchant=lan.merchant, now=late)
    assert queries.verify(lan.merchant).findings == []
