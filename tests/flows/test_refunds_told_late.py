"""Points and coupons that paid for a basket come back on the day of the refund, whenever and in whatever order it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine import facts
from shuke.flows import checkout, merge_members, undo_import
from shuke.flows.take_orders import take_orders
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import coupons
from shuke.loyalty.models import Checkout, Coupon, CouponTally, Entry, Lot, Txn, Use
from shuke.orders.models import ImportBatch, Order
from tests import cast
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, refund, take
from tests.loyalty.till import basket, template

pytestmark = pytest.mark.django_db
EVENT = "order:taobao:兰记护肤:s"
SOLD = 320.0  # day on which the basket was paid: 2025-11-17
Told = facts.Order | facts.Refund


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def open_shop(merchant, *, grace: int = 0, back_to: tuple[str, ...] = ()) -> int:
    """Ann pays 100.00 with a coupon of 10.00, 8.00 in points of two lots, and 82.00; the older lot ends on the last of
    November, the other on the last of January."""
    points = CHARTER["points"] | {"returned_grace_days": grace}
    selling = {"points": {"share": 50}, "back_to": list(back_to)}
    publish(merchant, CHARTER | {"points": points, "selling": selling})
    template(merchant, valid={"until_date": "2025-12-31"}, returned_grace_days=10)
    ann = member(merchant)
    take(merchant, ann, order("a", 230, 300), order("b", 300, 420), now=day(310))
    issue = coupons.Issue("ten", ann, "hand")
    (given_,) = coupons.issue(merchant=merchant, issues=[issue], now=day(310), actor="test")
    engine, told = basket(100, coupons=[str(given_.coupons[0])], points=800)
    same = {"merchant": merchant, "key": "basket", "now": day(SOLD), "actor": "till"}
    checkout.hold(basket=engine, told=told, member_id=ann, **same)
    checkout.capture(order_event=EVENT, **same)
    return ann


def sold(**changes) -> facts.Order:
    return order("s", SOLD, 82, lines=None, person=None, finished_at=None, **changes)


def tell(merchant, *what: Told, now: datetime = NOW) -> None:
    orders = [one for one in what if isinstance(one, facts.Order)]
    take_orders(
        merchant=merchant,
        orders=orders,
        refunds=[one for one in what if isinstance(one, facts.Refund)],
        now=now,
        actor="test",
    )


def state(merchant) -> tuple:
    """What everybody holds when all nights have passed; the books are what the facts say."""
    actions.run_clock(merchant=merchant, now=NOW)
    coupons.expire(merchant=merchant, now=NOW)
    assert queries.verify(merchant).findings == []
    held = Coupon.objects.filter(merchant=merchant).values_list("state", "valid_until", "amount_minor")
    tallies = CouponTally.objects.filter(merchant=merchant).values_list("redeemed", "expired", "spent_minor")
    return queries.state_hash(merchant), list(held), list(tallies), Checkout.objects.get().returned_points


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def came_back(merchant, *whose: int) -> list[tuple[float, int]]:
    """Day and points of what came back of the basket, as the books have it now."""
    found: dict[str, list] = {}
    postings = Txn.objects.filter(merchant=merchant, event__startswith="return:").order_by("id")
    for txn in postings.filter(member_id__in=whose) if whose else postings:
        one = found.setdefault(txn.event, [(txn.at - START) / timedelta(days=1), 0])
        one[1] -= sum(Entry.objects.filter(txn=txn, account="spent").values_list("amount", flat=True))
    return sorted((round(at, 3), points) for at, points in found.values() if points)


# ---- worked by hand --------------------------------------------------------------------------------------------------


def test_points_that_come_back_lapse_with_the_lots_they_came_from(lan):
    """Refunded on 27 November: the member had both lots for days and weeks. Told half a year later, nothing is won by it."""
    open_shop(lan.merchant, grace=30)
    first, second = Lot.objects.order_by("earned_at")
    taken = {use.lot_id: use.amount for use in Use.objects.filter(kind="burn")}
    assert sum(taken.values()) == 800
    assert taken[first.pk] > 0
    tell(lan.merchant, sold(), refund("R", "s", 330, 82))
    assert came_back(lan.merchant) == [(330, 800)]
    state(lan.merchant)
    assert Lot.objects.count() == 2  # none that lives on for the grace
    assert queries.balance(lan.merchant, first.member_id, NOW).balance == 0
    lapsed = Txn.objects.filter(kind__in=["expire", "correct"], event__startswith="expire:").values_list(
        "at", flat=True
    )
    assert {first.expires_at, second.expires_at} <= set(lapsed)


def test_a_refund_after_their_end_gets_the_grace_of_its_own_day(lan):
    ann = open_shop(lan.merchant, grace=30)
    tell(lan.merchant, sold(), refund("R", "s", 420, 82), now=day(440))
    told = queries.balance(lan.merchant, ann, day(440))
    assert (told.available, [points for _, points in told.next_expiry]) == (800, [800])
    ends = {lot.expires_at for lot in Lot.objects.filter(remaining__gt=0)}
    assert [(end.astimezone(lan.merchant.tz).date() - day(420).date()).days for end in ends] == [31]


def test_a_coupon_that_ran_out_since_the_refund_has_run_out(lan):
    """Valid to the end of the year. Given back in November it was there again until then; in January it lives ten days more."""
    for refunded, now, expected in [
        (330, 340, "open"),
        (330, 420, "expired"),
        (390, 395, "open"),
        (390, 410, "expired"),
    ]:
        with taken_back():
            open_shop(lan.merchant)
            tell(lan.merchant, sold(), refund("R", "s", refunded, 82), now=day(now))
            coupon, tally = Coupon.objects.get(), CouponTally.objects.get()
            assert (coupon.state, tally.redeemed, tally.spent_minor) == (expected, 0, 0), (refunded, now)
            until = coupon.valid_until.astimezone(lan.merchant.tz).date()
            assert until.isoformat() == ("2026-01-01" if refunded == 330 else "2026-02-06")
            assert queries.verify(lan.merchant).findings == []


def test_parts_come_back_each_on_its_day_also_when_the_later_is_told_first(lan):
    open_shop(lan.merchant, back_to=("points", "cash"))
    tell(lan.merchant, sold(), refund("R2", "s", 350, 60))
    assert came_back(lan.merchant) == [(350, 800)]
    tell(lan.merchant, refund("R1", "s", 330, 22))
    assert came_back(lan.merchant) == [(330, 800)]  # into points first: the first refund gives all of them back
    state(lan.merchant)


def test_a_refund_corrected_downwards_takes_the_points_along(lan):
    """A later statement of the platform says less was refunded. Which one comes in first is no matter."""
    more = sold(refunded_minor=6150, stated_at=day(340), refunded_at=day(335))
    less = sold(refunded_minor=2050, stated_at=day(350), refunded_at=day(335))
    ends = []
    for first, second in ([more, less], [less, more]):
        with taken_back():
            open_shop(lan.merchant)
            tell(lan.merchant, first)
            tell(lan.merchant, second)
            assert came_back(lan.merchant) == [(335, 200)]
            ends.append(state(lan.merchant)[1:])
    assert ends[0] == ends[1]
    assert ends[0][-1] == 200


def test_goods_told_at_the_till_know_better_than_the_money_of_the_archive(lan):
    """Told after it: no point comes back twice, and the archive's word no longer counts."""
    open_shop(lan.merchant)
    tell(lan.merchant, sold(), refund("R1", "s", 330, 20.5))
    assert came_back(lan.merchant) == [(330, 200)]
    back = checkout.give_back(
        merchant=lan.merchant, key="basket", return_key="r", quantities={"a": 500}, now=day(340), actor="till"
    )
    assert back.back["points"] == 200  # half of the basket: 400 in all
    assert came_back(lan.merchant) == [(340, 400)]
    tell(lan.merchant, refund("R2", "s", 345, 20.5))
    assert came_back(lan.merchant) == [(340, 400)]
    state(lan.merchant)


def test_an_import_that_told_the_refund_is_undone(lan):
    """What followed the refund goes with it, also where the buyer of the order is not who paid the basket."""
    ann = open_shop(lan.merchant)
    tell(lan.merchant, sold())
    batch = ImportBatch.objects.create(merchant=lan.merchant, started_at=day(360), state=ImportBatch.State.DONE)
    take_orders(
        merchant=lan.merchant,
        orders=[],
        refunds=[refund("R", "s", 330, 82)],
        now=day(361),
        batch_id=batch.pk,
        actor="t",
    )
    assert came_back(lan.merchant) == [(330, 800)]
    undo_import.undo(merchant=lan.merchant, batch_id=batch.pk, now=day(362), actor="t")
    assert Order.objects.get(number="s").refunded_minor == 0
    assert came_back(lan.merchant) == []
    assert Checkout.objects.get().returned_points == 0
    assert queries.balance(lan.merchant, ann, day(362)).available >= 0
    state(lan.merchant)


def test_what_an_older_version_gave_back_on_the_day_it_was_told_stays_there(lan):
    """Homes hold such returns as requests of the till. They count, and the rest follows on its day."""
    ann = open_shop(lan.merchant)
    row = Checkout.objects.get()
    asked = actions.Ask(f"checkout:{row.pk}:back:200", "return", ann, 200, ref=f"checkout:{row.pk}:paid")
    (done,) = actions.ask(merchant=lan.merchant, asks=[asked], now=day(345), actor="t")
    assert done.done
    Checkout.objects.update(returned={"*": 2050}, returned_points=200, returned_due_minor=2050)
    tell(lan.merchant, sold(), refund("R1", "s", 330, 20.5), refund("R2", "s", 340, 41))
    assert came_back(lan.merchant) == [(340, 400), (345, 200)]
    assert state(lan.merchant)[-1] == 600


def test_points_follow_whoever_the_payer_lives_on_in_and_go_along_when_they_are_parted(lan):
    ann, bob = open_shop(lan.merchant), member(lan.merchant, 2)
    tell(lan.merchant, sold())
    same = {"merchant": lan.merchant, "reason": "one person", "actor": "t"}
    done = merge_members.merge(survivor_id=bob, absorbed_id=ann, now=day(325), **same)
    tell(lan.merchant, refund("R1", "s", 330, 41), now=day(331))
    assert came_back(lan.merchant, bob) == [(330, 400)]
    merge_members.unmerge(merge_id=done.merge.pk, now=day(332), **same)
    tell(lan.merchant, refund("R2", "s", 333, 41), now=day(334))
    assert (came_back(lan.merchant, ann), came_back(lan.merchant, bob)) == ([(330, 400), (333, 400)], [])
    state(lan.merchant)


# ---- whatever the order ----------------------------------------------------------------------------------------------


def test_every_order_of_telling_ends_alike(lan):
    what = {
        "paid": [sold()],
        "refunded": [sold(refunded_minor=6000, stated_at=day(400), refunded_at=day(398))],
        "R1": [refund("R1", "s", 331, 10)],
        "R2": [refund("R2", "s", 350, 30.5)],
    }
    ends = set()
    open_shop(lan.merchant, grace=5)
    for turn in permutations(what):
        with taken_back():
            for name in (*turn, turn[0]):
                tell(lan.merchant, *what[name])
            assert [at for at, _ in came_back(lan.merchant)] == [331, 350, 398]
            ends.add(repr(state(lan.merchant)))
    assert len(ends) == 1


documents = st.lists(st.tuples(st.integers(321, 440), st.integers(1, 30)), min_size=1, max_size=4)


@given(
    told=documents,
    grace=st.sampled_from([0, 7, 60]),
    back_to=st.sampled_from([(), ("points", "cash"), ("cash", "points")]),
    data=st.data(),
)
@settings(
    max_examples=30 if connection.vendor == "sqlite" else 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_told_late_in_any_order_it_is_as_if_told_on_the_day(db, told, grace, back_to, data):
    """On its day, night after night; or half a year later, shuffled, in parts, twice: one and the same state."""
    facts_ = [refund(f"R{n}", "s", at, yuan) for n, (at, yuan) in enumerate(told)]
    with taken_back():
        merchant = cast.lan().merchant
        open_shop(merchant, grace=grace, back_to=back_to)
        with taken_back():
            tell(merchant, sold(), now=day(SOLD + 0.01))
            for one in sorted(facts_, key=lambda one: one.finished_at):
                tell(merchant, one, now=one.finished_at + timedelta(minutes=1))
                night = one.finished_at + timedelta(hours=20)
                actions.run_clock(merchant=merchant, now=night)
            on_the_day = state(merchant)
        shuffled = data.draw(st.permutations([sold(), *facts_]))
        cut = data.draw(st.integers(0, len(shuffled)))
        for part in (shuffled[:cut], shuffled[cut:], shuffled[:1]):
            tell(merchant, *part)
        assert state(merchant) == on_the_day
