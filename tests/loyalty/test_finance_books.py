"""Closing months: what is handed over stays, what comes late is in the open month, and nothing is booked twice."""

import random
from datetime import timedelta

import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction

from shuke.engine.finance import journal, months
from shuke.engine.finance.policy import Policy
from shuke.loyalty import actions
from shuke.loyalty.actions import Ask
from shuke.loyalty.actions.closing import close_month, set_finance_policy
from shuke.loyalty.models import ClosedMonth
from shuke.loyalty.queries import cohorts, finance
from shuke.loyalty.queries.as_of import as_of
from shuke.loyalty.queries.finance import CannotClose
from shuke.shops.models import Merchant
from tests.loyalty.books import NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db
JANUARY = months.read("2025-01")


@pytest.fixture
def sold(lan):
    """Four months of sales to one member, some points of which are spent."""
    publish(lan.merchant)
    buyer = member(lan.merchant)
    for n, day in enumerate((5, 15, 40, 70, 100)):
        take(lan.merchant, buyer, order(f"o{n}", day, 200))
        if n:
            ask = Ask(f"b{n}", "burn", buyer, 50)
            actions.ask(merchant=lan.merchant, asks=[ask], now=START + timedelta(days=day + 6), actor="till")
    return buyer


def months_end(month: int):
    """The first moment at which a month can be closed, in Shanghai."""
    return cohorts.month_ends(Merchant.objects.get(), month, month)[0]


def close(lan, month, now=NOW):
    return close_month(merchant=lan.merchant, month=month, now=now, actor="owner")


def test_a_closed_month_is_the_same_for_ever_and_late_facts_land_in_the_open_one(lan, sold):
    first = close(lan, JANUARY)
    kept = journal.canonical(first.document)
    take(lan.merchant, sold, order("late", 20, 1000))  # of January, told after it was closed
    assert journal.canonical(finance.sheet(lan.merchant, JANUARY, NOW).document) == kept
    assert close(lan, JANUARY).pk == first.pk
    february = finance.sheet(lan.merchant, JANUARY + 1, NOW)
    assert february.document["late"]["deferred"] > 0
    late = [e for e in february.entries() if e.number == "P202502-000"]
    assert late[0].debit == february.document["late"]["deferred"]
    assert close(lan, JANUARY + 1).document == february.document
    assert finance.chain_is_whole(lan.merchant)


@pytest.mark.parametrize("method", ["deferral", "provision"])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_late_closed_months_add_up_to_the_running_total(lan, seed, method):
    rng = random.Random(seed)
    publish(lan.merchant)
    set_finance_policy(merchant=lan.merchant, policy=Policy(method=method), now=NOW, actor="owner")
    buyers = [member(lan.merchant, n) for n in (1, 2)]
    take(lan.merchant, buyers[0], order("first", 3, 300))
    booked: dict[str, int] = {}
    for month in range(JANUARY, JANUARY + 6):
        for n in range(3):  # some of them long ago
            take(lan.merchant, rng.choice(buyers), order(f"{month}-{n}", rng.uniform(0, 170), rng.choice([90, 400])))
        if rng.random() < 0.6:
            take(lan.merchant, buyers[0], refund(f"r{month}", "first", rng.uniform(4, 150), 20))
        spend = Ask(f"b{month}", "burn", rng.choice(buyers), 30)
        actions.ask(merchant=lan.merchant, asks=[spend], now=START + timedelta(days=180, hours=month % 7), actor="till")
        kept = close(lan, month)
        assert journal.balanced(journal.entries(kept.document, "month"))
        for flow, amount in kept.document["totals"].items():
            booked[flow] = booked.get(flow, 0) + kept.document["own"][flow] + kept.document["late"][flow]
            assert booked[flow] == amount
    found = finance.books(lan.merchant, months_end(month)).months[-1]
    assert found.balance == kept.document["figures"]["balance"]


def test_months_are_closed_in_turn_and_only_when_they_are_over(lan, sold):
    with pytest.raises(CannotClose, match="2025-01 is not over yet"):
        close(lan, JANUARY, now=months_end(JANUARY) - timedelta(seconds=1))
    close(lan, JANUARY, now=months_end(JANUARY))
    with pytest.raises(CannotClose, match="the next one is 2025-02"):
        close(lan, JANUARY + 3)
    assert ClosedMonth.objects.count() == 1


def test_months_before_the_first_closed_one_and_to_come_are_refused(lan, sold):
    close(lan, JANUARY + 1)
    with pytest.raises(finance.NotInTheBooks):
        finance.sheet(lan.merchant, JANUARY, NOW)
    with pytest.raises(finance.NotInTheBooks):
        finance.sheet(lan.merchant, months.read("2030-01"), NOW)


def test_the_first_closed_month_brings_all_that_was_before_it_forward(lan, sold):
    kept = close(lan, JANUARY + 2).document
    before = finance.books(lan.merchant, months_end(JANUARY + 1)).months[-1]
    assert kept["late"] == {"deferred": before.first, "recognised": before.second}


def test_a_closed_month_cannot_be_changed_or_deleted(lan, sold):
    close(lan, JANUARY)
    for sql in ("UPDATE loyalty_closed_month SET month = month + 1", "DELETE FROM loyalty_closed_month"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert finance.chain_is_whole(lan.merchant)


def test_while_the_past_is_thin_no_breakage_is_booked(lan, sold):
    """200.00 of goods give 266 points worth 0.01 each (and 20 for the first): allocated as if all were redeemed."""
    document = finance.sheet(lan.merchant, JANUARY, NOW).document
    issued = 20 + 2 * 266
    price, alone = 40_000, issued
    assert document["own"]["deferred"] == round(price * alone / (price + alone))


def test_an_expectation_set_by_hand_is_used_as_it_is(lan, sold):
    set_finance_policy(merchant=lan.merchant, policy=Policy(expected_percent=50), now=NOW, actor="owner")
    document = finance.sheet(lan.merchant, JANUARY, NOW).document
    alone = (20 + 2 * 266) // 2
    assert document["own"]["deferred"] == round(40_000 * alone / (40_000 + alone))


def test_nothing_is_booked_by_the_third_way(lan, sold):
    set_finance_policy(merchant=lan.merchant, policy=Policy(method="none"), now=NOW, actor="owner")
    found = finance.sheet(lan.merchant, JANUARY, NOW)
    assert found.entries() == []
    assert found.document["figures"]["lines"]


def test_a_refund_makes_the_deferral_smaller_and_leaves_nothing_of_an_order_given_back(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 5, 200))
    assert finance.books(lan.merchant, months_end(JANUARY)).months[-1].first > 0
    take(lan.merchant, buyer, refund("r", "a", 8, 200))
    assert finance.books(lan.merchant, months_end(JANUARY)).months[-1].first == 0


def test_what_lapses_ahead_rests_on_months_past(lan, sold):
    now = START + timedelta(days=110)
    actions.run_clock(merchant=lan.merchant, now=now)
    found = finance.lapsing(lan.merchant, now)
    assert [months.label(one.month) for one in found] == ["2025-04", "2025-05", "2025-06", "2025-07"]
    assert sum(one.due for one in found) == as_of(lan.merchant, now).points


def test_a_shop_without_points_has_nothing_to_report(lan):
    publish(lan.merchant)
    with pytest.raises(finance.NothingIssued):
        finance.books(lan.merchant, NOW)
    with pytest.raises(finance.NothingIssued):
        finance.breakage_of(lan.merchant, NOW)
    assert finance.lapsing(lan.merchant, NOW) == []
