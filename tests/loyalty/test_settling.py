"""Settling: whatever way facts arrive, the books end in the same state, and every invariant holds."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine import facts
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Entry, Lot, TierChange, Txn, Wallet
from shuke.members.models import Member
from shuke.orders.actions import record
from shuke.orders.models import Order
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db


def year(seed: int) -> list[facts.Order | facts.Refund]:
    """Fourteen months of one buyer: orders, refund documents, an order closed after payment, one never paid."""
    rng = random.Random(seed)
    what: list[facts.Order | facts.Refund] = []
    for n in range(25):
        yuan = rng.choice([19.9, 88, 150, 320.5, 700])
        day = rng.uniform(0, 420)
        what.append(order(f"T{n}", day, yuan))
        if n % 6 == 0:
            what += [refund(f"R{n}a", f"T{n}", day + 2, yuan / 4), refund(f"R{n}b", f"T{n}", day + 40, yuan / 2)]
    what.append(order("C1", 100, 200, status=facts.OrderStatus.CLOSED_REFUNDED, closed_at=START + timedelta(days=104)))
    what.append(order("C2", 110, 200, status=facts.OrderStatus.CLOSED_UNPAID, paid_at=None, paid_minor=0))
    return what


def state(lan, arrangement: list[list]) -> str:
    publish(lan.merchant)
    buyer = member(lan.merchant)
    for part in arrangement:
        take(lan.merchant, buyer, *part)
    actions.run_clock(merchant=lan.merchant, now=NOW)
    report = queries.verify(lan.merchant)
    assert report.findings == []
    return queries.state_hash(lan.merchant)


ARRANGEMENTS = {
    "one by one in time order": lambda f: [
        [x] for x in sorted(f, key=lambda x: getattr(x, "paid_at", None) or x.finished_at)
    ],
    "one by one, newest first": lambda f: [
        [x] for x in sorted(f, key=lambda x: getattr(x, "paid_at", None) or x.finished_at)
    ][::-1],
    "refunds before their orders": lambda f: [
        [x for x in f if isinstance(x, facts.Refund)],
        [x for x in f if isinstance(x, facts.Order)],
    ],
    "in batches of four, shuffled": lambda f: (lambda s: [s[i : i + 4] for i in range(0, len(s), 4)])(
        random.Random(7).sample(f, len(f))
    ),
    "everything twice": lambda f: [f, f],
    "twice, the second time one by one": lambda f: [f[::2], *[[x] for x in f]],
}


@pytest.mark.parametrize("way", ARRANGEMENTS)
def test_any_arrival_ends_in_the_state_of_one_batch(lan, mingde, way):
    assert state(lan, [year(3)]) == state(mingde, ARRANGEMENTS[way](year(3)))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 40), max_size=5), shuffle=st.randoms())
def test_any_split_and_order_of_any_year(lan, mingde, django_db_blocker, seed, cuts, shuffle):
    from django.db import transaction

    what = year(seed)
    mixed = list(what)
    shuffle.shuffle(mixed)
    bounds = sorted({0, len(mixed), *(c for c in cuts if c < len(mixed))})
    parts = [mixed[a:b] for a, b in pairwise(bounds)]
    with transaction.atomic():
        assert state(lan, [what]) == state(mingde, parts)
        transaction.set_rollback(True)


def test_the_same_again_writes_nothing(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, *year(1))
    before = Txn.objects.count(), Entry.objects.count(), list(Wallet.objects.values_list("seq", "balance"))
    take(lan.merchant, buyer, *year(1))
    assert before == (Txn.objects.count(), Entry.objects.count(), list(Wallet.objects.values_list("seq", "balance")))


def test_a_late_order_mends_what_came_after_it_with_postings_of_their_own(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("late", 40, 100))
    take(lan.merchant, buyer, order("early", 10, 900))  # had it come first, "late" would have been bought as gold
    kinds = list(Txn.objects.order_by("id").values_list("event", "kind"))
    assert kinds == [
        ("order:taobao:兰记护肤:late", "earn"),
        ("order:taobao:兰记护肤:early", "earn"),
        ("order:taobao:兰记护肤:late", "correct"),
    ]
    # 900 + 300 skin care + 20 first + 10 big; then (100 + 33.33) × 1.5, and no longer the first
    assert dict(Lot.objects.values_list("key", "granted")) == {
        "order:taobao:兰记护肤:early": 1230,
        "order:taobao:兰记护肤:late": 199,
    }
    assert queries.earned_by_event(lan.merchant, ["order:taobao:兰记护肤:late"]) == {"order:taobao:兰记护肤:late": 199}


def test_an_order_that_vanishes_takes_its_points_along(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 900), order("b", 2, 90))
    Order.objects.filter(number="a").delete()
    actions.settle(merchant=lan.merchant, order_ids=[], also_members=[buyer], now=NOW, actor="test")
    assert queries.verify(lan.merchant).findings == []
    assert list(TierChange.objects.filter(superseded_at=None).values_list("after", flat=True)) == ["member"]
    take(lan.merchant, buyer, order("a", 1, 900))
    assert queries.verify(lan.merchant).findings == []


def test_nothing_is_settled_without_a_charter_and_everything_once_there_is_one(lan):
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 90))
    assert not Txn.objects.exists()
    publish(lan.merchant)
    take(lan.merchant, buyer, order("b", 2, 90))
    assert Txn.objects.filter(kind="earn").count() == 2


def test_two_merchants_never_share_books(lan, mingde):
    publish(lan.merchant)
    publish(mingde.merchant)
    take(lan.merchant, member(lan.merchant), order("a", 1, 90))
    take(mingde.merchant, member(mingde.merchant), order("a", 1, 500))
    assert queries.liability(lan.merchant, START + timedelta(days=2)).points == 90 + 30 + 20
    assert queries.liability(mingde.merchant, START + timedelta(days=2)).points == 500 + 166 + 20 + 10


def test_a_batch_takes_a_handful_of_statements(lan, django_assert_max_num_queries):
    publish(lan.merchant)
    buyers = [member(lan.merchant, n) for n in range(60)]
    orders = [order(f"T{n}", 1 + n / 10, 88) for n in range(600)]
    ids = [
        r.order_id
        for r in record(merchant=lan.merchant, orders=orders, member_ids=[buyers[n % 60] for n in range(600)], now=NOW)
    ]
    with django_assert_max_num_queries(40):
        actions.settle(merchant=lan.merchant, order_ids=ids, now=NOW, actor="test")
    assert Txn.objects.filter(kind="earn").count() == 600


BIRTHDAYS = {**CHARTER, "earning": [*CHARTER["earning"][:1], {
    "key": "birthday", "name": {"zh": "生日", "en": "Birthday"}, "kind": "multiply", "times": 2, "when": {"birthday": "month"},
}]}  # fmt: skip


def test_the_first_birthday_we_hear_of_counts_for_the_past_and_a_corrected_one_from_then_on(lan):
    publish(lan.merchant, BIRTHDAYS)
    buyer = member(lan.merchant)

    def again(now, actor):
        actions.settle(merchant=lan.merchant, order_ids=[], also_members=[buyer], now=now, actor=actor)

    take(lan.merchant, buyer, order("jan", 5, 100), order("feb", 40, 100))
    Member.objects.filter(pk=buyer).update(birth_month=1, birth_day=20)
    again(NOW, "import")
    Member.objects.filter(pk=buyer).update(birth_month=2, birth_day=20)  # somebody would like February doubled as well
    again(NOW, "owner")
    postings = Txn.objects.count()
    again(NOW, "owner")
    assert Txn.objects.count() == postings
    granted = Lot.objects.order_by("key").values_list("granted", flat=True)
    assert list(granted) == [100, 200]
    assert queries.verify(lan.merchant).findings == []


def test_a_pay_time_told_anew_moves_the_lot_along(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 100), order("b", 2, 100))
    later = order("a", 1.5, 100, stated_at=START + timedelta(days=90))
    take(lan.merchant, buyer, later)
    assert queries.verify(lan.merchant).findings == []
    assert Lot.objects.get(key__endswith=":a").earned_at == later.paid_at
