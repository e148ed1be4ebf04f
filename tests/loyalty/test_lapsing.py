"""Points that lapse in sets: after a night by statements the books are, row by row, what the fold's night makes of them."""

import random
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.charter import document
from shuke.kit import bulk
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, clock, lapsing
from shuke.loyalty.models import Txn, Wallet
from tests import cast
from tests.loyalty.books import CHARTER, START, member, order, publish, refund, take
from tests.loyalty.test_rich_charter import RICH, ROLLING
from tests.trust import size
from tests.trust.exercise_book import CHARTER as PLAIN

pytestmark = pytest.mark.django_db

ROWS = {
    "posting": "SELECT key, payload, member_id, event, kind, at, posted_at, actor, charter_version, why, outcome, growth, "
    "growth_expires_at FROM loyalty_txn WHERE merchant_id = %s",
    "leg": "SELECT t.key, e.account, e.member_id, e.amount, e.seq, e.balance_after FROM loyalty_entry e "
    "JOIN loyalty_txn t ON t.id = e.txn_id WHERE e.merchant_id = %s",
    "lot": "SELECT member_id, key, granted, remaining, held, earned_at, available_at, expires_at FROM loyalty_lot "
    "WHERE merchant_id = %s",
    "use": "SELECT t.key, l.key, u.kind, u.amount FROM loyalty_use u JOIN loyalty_txn t ON t.id = u.txn_id "
    "JOIN loyalty_lot l ON l.id = u.lot_id WHERE u.merchant_id = %s",
    "wallet": "SELECT member_id, balance, held, debt, seq, tier, tier_since, growth, next_expiry_at, next_review_at, settled_to, "
    "birthdays, standing FROM loyalty_wallet WHERE merchant_id = %s",
    "timeline": "SELECT member_id, at, noted_at, kind, ref, body FROM members_timeline WHERE merchant_id = %s",
    "hold": "SELECT member_id, key, state, resolved_at, lots FROM loyalty_hold WHERE merchant_id = %s",
    "tier": "SELECT member_id, at, before, after, cause, superseded_at FROM loyalty_tier_change WHERE merchant_id = %s",
}


def rows(merchant) -> dict[str, list[str]]:
    """Everything a night may write, without ids, in one order."""
    return {
        what: sorted(
            str([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in bulk.select(sql, [merchant.pk])
        )
        for what, sql in ROWS.items()
    }


def by_the_fold(merchant, now) -> None:
    with mock.patch.object(clock, "lapse", return_value=(0, 0)):
        actions.run_clock(merchant=merchant, now=now)


def in_sets(merchant, now) -> None:
    actions.run_clock(merchant=merchant, now=now)


def after(night, merchant, now) -> dict[str, list[str]]:
    """The books after a night that is then forgotten."""
    with transaction.atomic():
        night(merchant, now)
        found = rows(merchant)
        found["hash"] = [queries.state_hash(merchant)]
        assert queries.verify(merchant).findings == []
        transaction.set_rollback(True)
    return found


def _live(merchant, charter: dict, people: list[int], rng: random.Random) -> None:
    """A year of orders, refunds, spends, holds and points given by hand with an end of their own."""
    publish(merchant, charter)
    orders: list[tuple[int, str, float, int]] = []
    for n in range(rng.randint(6, 24)):
        who, day, yuan = rng.choice(people), rng.uniform(0, 330), rng.randint(5, 900)
        orders.append((who, f"a{n}", day, yuan))
        take(merchant, who, order(f"a{n}", day, yuan), now=START + timedelta(days=rng.choice([day + 1, 340])))
    for who, number, day, yuan in rng.sample(orders, len(orders) // 4):
        take(merchant, who, refund(f"R{number}", number, day + rng.randint(1, 40), yuan / rng.randint(1, 3)))
    now = START + timedelta(days=345)
    for n in range(rng.randint(0, 8)):
        now += timedelta(hours=rng.randint(0, 90))
        who = rng.choice(people)
        amount, kind = rng.randint(1, 150), rng.choice(["burn", "hold", "adjust", "activity"])
        ends = None if rng.random() < 0.5 else now + timedelta(minutes=rng.randint(5, 60_000))
        more = {"hold": {"until": now + timedelta(days=rng.randint(1, 60))}, "adjust": {"expires_at": ends}}.get(
            kind, {}
        )
        ref = "sign_in" if kind == "activity" else ""
        actions.ask(merchant=merchant, asks=[Ask(f"k{n}", kind, who, amount, ref, **more)], now=now, actor="till")


def _second_version(merchant, charter: dict, rng: random.Random) -> None:
    """Another version of the charter, sometimes with other tiers."""
    tiers = charter["tiers"]
    if len(tiers) > 1 and rng.random() < 0.5:
        tiers = [tiers[0], {**tiers[1], "key": "other"}, *tiers[2:]]
    now = START + timedelta(days=380)
    changed = {**charter, "tiers": tiers, "name": {"zh": "新章程", "en": "New charter"}}
    try:
        plain = document.from_plain(changed)
    except document.CharterInvalid:  # a rule still names the tier that is gone
        plain = document.from_plain({**changed, "tiers": charter["tiers"]})
    actions.publish_charter(
        merchant=merchant, charter=plain, effective_from=now + timedelta(days=rng.randint(0, 60)), now=now, actor="test"
    )


@settings(max_examples=size(30, 3_000), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    seed=st.integers(0, 10**6),
    charter=st.sampled_from([PLAIN, CHARTER, RICH, ROLLING]),
    night=st.integers(0, 300),
    changed=st.booleans(),
)
def test_a_night_in_sets_is_a_night_of_folds(db, seed, charter, night, changed):
    rng = random.Random(seed)
    with transaction.atomic():
        merchant = cast.lan().merchant
        people = [member(merchant, n) for n in range(1, 6)]
        _live(merchant, charter, people, rng)
        if changed:
            _second_version(merchant, charter, rng)
        now = START + timedelta(days=380 + night)
        assert after(in_sets, merchant, now) == after(by_the_fold, merchant, now)
        transaction.set_rollback(True)


@pytest.fixture
def shop(lan):
    """Nine members whose points all end, most of them on one day, one with two ends to come."""
    publish(lan.merchant, PLAIN)
    people = [member(lan.merchant, n) for n in range(1, 10)]
    for n, buyer in enumerate(people):
        take(lan.merchant, buyer, order(f"a{n}", 1, 100 + n), order(f"b{n}", 2, 50))
    take(lan.merchant, people[0], order("later", 70, 30))
    return lan.merchant, people


END = datetime(2025, 4, 30, 16, tzinfo=UTC)  # the midnight in Shanghai at which all but one lot ends


def test_simple_members_are_booked_by_statements_and_nothing_is_left_for_the_fold(shop):
    merchant, _ = shop
    with mock.patch.object(clock, "advance", side_effect=AssertionError("the fold was asked")):
        done = actions.run_clock(merchant=merchant, now=END)
    assert (done.members, done.postings) == (9, 9)
    held = Wallet.objects.filter(merchant=merchant).order_by("member_id").values_list("balance", "next_expiry_at")
    assert list(held) == [(30, END + timedelta(days=61)), *[(0, None)] * 8]
    assert queries.verify(merchant).findings == []
    again = actions.run_clock(merchant=merchant, now=END)
    assert (again.members, again.postings) == (0, 0)


def test_each_end_is_told_with_the_version_then_in_force_and_new_tiers_are_left_to_the_fold(lan):
    gold = {"key": "gold", "name": {"zh": "金卡", "en": "Gold"}, "reach": {"measure": "amount", "at_least": 80}}
    charter = {**PLAIN, "tiers": [*PLAIN["tiers"], gold], "grading": {"window": {"kind": "lifetime"}}}
    publish(lan.merchant, charter)
    people = [member(lan.merchant, n) for n in (1, 2)]
    for n, buyer in enumerate(people):
        take(lan.merchant, buyer, *[order(f"a{n}{i}", 30 * i + 1, 50 + 50 * n) for i in range(6)])
    for day, key in ((100, "gold"), (150, "gold"), (200, "silver")):
        plain = {**charter, "tiers": [*PLAIN["tiers"], {**gold, "key": key}]}
        begun = START + timedelta(days=day)
        actions.publish_charter(
            merchant=lan.merchant, charter=document.from_plain(plain), effective_from=begun, now=begun, actor="test"
        )
    for day, folded in ((190, False), (300, True)):
        now = START + timedelta(days=day)
        with mock.patch.object(clock, "advance", wraps=clock.advance) as fold:
            assert after(in_sets, lan.merchant, now) == after(by_the_fold, lan.merchant, now)
        assert fold.call_count == 1 + folded  # once it was the fold's own night
    in_sets(lan.merchant, START + timedelta(days=300))
    told = Txn.objects.filter(merchant=lan.merchant, kind="expire", member_id=people[0]).order_by("at")
    assert list(told.values_list("charter_version", flat=True)) == [1, 1, 3, 4, 4, 4]  # two with later orders


def test_who_owes_or_has_points_set_aside_is_left_to_the_fold(shop):
    merchant, people = shop
    day = START + timedelta(days=80)
    asks = [
        Ask("hold", "hold", people[1], 40, until=END + timedelta(days=1)),
        Ask("all", "burn", people[2], 152),
    ]
    actions.ask(merchant=merchant, asks=asks, now=day, actor="till")
    take(merchant, people[2], refund("R", "a2", 81, 102))  # what was spent is owed now
    folded: list[int] = []
    real = clock.advance
    with mock.patch.object(clock, "advance", side_effect=lambda m, due, now: folded.extend(due) or real(m, due, now)):
        actions.run_clock(merchant=merchant, now=END)
    assert folded == [people[1]]  # who owes has no points that could end
    assert queries.verify(merchant).findings == []


def test_a_night_killed_between_two_batches_is_taken_up_again(shop, monkeypatch):
    merchant, _ = shop
    wanted = after(by_the_fold, merchant, END)
    monkeypatch.setattr(lapsing, "_TURN", {"first": 2, "fewest": 2, "most": 2})
    real, calls = lapsing._take_from_lots, []

    def dies_in_the_third(merchant, lots):
        calls.append(lots)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(merchant, lots)

    with mock.patch.object(lapsing, "_take_from_lots", dies_in_the_third), pytest.raises(KeyboardInterrupt):
        actions.run_clock(merchant=merchant, now=END)
    assert Wallet.objects.filter(merchant=merchant, next_expiry_at__lte=END).count() == 5
    assert queries.verify(merchant).findings == []
    assert after(in_sets, merchant, END) == wanted


def test_lots_that_end_within_one_minute_are_two_postings(lan):
    publish(lan.merchant, CHARTER)
    who = member(lan.merchant)
    for n, seconds in enumerate((10, 40.5, 60)):
        end = START + timedelta(days=9, seconds=seconds)
        one = Ask(f"end{n}", "adjust", who, 10 + n, expires_at=end, reason="gift")
        actions.ask(merchant=lan.merchant, asks=[one], now=START + timedelta(days=1), actor="ann")
    late = START + timedelta(days=10)
    assert after(in_sets, lan.merchant, late) == after(by_the_fold, lan.merchant, late)
    in_sets(lan.merchant, late)
    names = Txn.objects.filter(kind="expire").order_by("at").values_list("event", flat=True)
    assert [name.count(":") for name in names] == [3, 3, 2]
