"""The chain of seals: how many postings one covers, and those that the end of the chain does not show."""

from datetime import timedelta

import pytest

from shuke.kit import ids
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import sealing
from shuke.loyalty.models import Seal, Txn
from shuke.loyalty.queries import chain
from tests.loyalty.books import CHARTER, START, member, order, publish, take

pytestmark = pytest.mark.django_db

NOW = START + timedelta(days=9)


@pytest.fixture
def merchant(lan):
    """Five postings without a seal."""
    publish(lan.merchant, CHARTER)
    who = member(lan.merchant)
    take(lan.merchant, who, *[order(f"a{n}", n, 100) for n in range(1, 6)])
    assert Txn.objects.count() == 5
    return lan.merchant


def test_a_seal_covers_as_many_postings_as_fit_a_turn(merchant, monkeypatch):
    for few in ("_SQLITE", "_POSTGRES"):
        monkeypatch.setattr(sealing, few, {"first": 2, "fewest": 2, "most": 2})
    assert actions.seal(merchant=merchant, now=NOW) == 5
    assert list(Seal.objects.order_by("number").values_list("number", "count")) == [(1, 2), (2, 2), (3, 1)]
    assert queries.verify(merchant).findings == []
    assert actions.seal(merchant=merchant, now=NOW) == 0


def test_postings_that_the_end_of_the_chain_does_not_show_are_left_to_the_night(merchant, monkeypatch):
    monkeypatch.setattr(chain, "_LOOK_BACK", -ids.MILLISECOND * 3600_000)  # all of them were begun long ago
    Seal.objects.create(
        merchant=merchant, number=1, count=0, previous=b"", digest=b"", last_id=ids.new(), sealed_at=NOW
    )
    assert actions.seal(merchant=merchant, now=NOW, count=False) == 0
    assert actions.seal(merchant=merchant, now=NOW) == 5
    assert actions.seal(merchant=merchant, now=NOW) == 0
