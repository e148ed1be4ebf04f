"""What the clock owes between two orders: found by replaying random lists of events through the books."""

from datetime import timedelta

import pytest

from shuke.loyalty import actions, queries
from shuke.loyalty.models import Hold, Txn
from tests.loyalty.books import CHARTER, START, member, order, publish, take

pytestmark = pytest.mark.django_db


def test_a_hold_that_timed_out_before_an_order_is_closed_with_it(lan):
    """The order books the time-out; the next request must not find the hold open and book it again."""
    publish(lan.merchant)
    who = member(lan.merchant)
    at = START + timedelta(days=10)
    ask = actions.Ask("a", "adjust", who, 50)
    actions.ask(merchant=lan.merchant, asks=[ask], now=at, actor="t")
    hold = actions.Ask("h", "hold", who, 20, until=at + timedelta(hours=1))
    actions.ask(merchant=lan.merchant, asks=[hold], now=at, actor="t")
    take(lan.merchant, who, order("1", 12, 100), now=at + timedelta(days=3))
    assert Hold.objects.get().state == "timed_out"
    (answer,) = actions.ask(
        merchant=lan.merchant, asks=[actions.Ask("b", "burn", who, 50)], now=at + timedelta(days=4), actor="t"
    )
    assert answer.done
    assert Txn.objects.filter(kind="timeout").count() == 1
    assert queries.verify(lan.merchant).findings == []


def test_points_given_after_a_rolling_balance_has_lapsed_begin_a_new_life(lan):
    publish(lan.merchant, CHARTER | {"points": {"expiry": {"kind": "activity", "months": 2}, "pending_days": 0}})
    who = member(lan.merchant)
    take(lan.merchant, who, order("1", 1, 100), now=START + timedelta(days=2))
    late = START + timedelta(days=120)
    actions.ask(merchant=lan.merchant, asks=[actions.Ask("a", "adjust", who, 50)], now=late, actor="t")
    assert queries.balance(lan.merchant, who, late).available == 50
    take(lan.merchant, who, order("2", 150, 100), now=START + timedelta(days=151))
    ends = {lot.expires_at for lot in queries.open_lots(lan.merchant, who) if lot.remaining}
    assert len(ends) == 1  # the purchase prolongs the whole balance
    assert min(ends) > START + timedelta(days=200)
    actions.run_clock(merchant=lan.merchant, now=START + timedelta(days=400))
    assert queries.balance(lan.merchant, who, START + timedelta(days=400)).balance == 0
    assert queries.verify(lan.merchant).findings == []
