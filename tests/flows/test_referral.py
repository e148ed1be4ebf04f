"""Referral through the flows: a column of a file, orders that come and go, the job of the timetable."""

from datetime import UTC, datetime, timedelta

import pytest

from shuke.engine.facts import Claim, IdentityKind, Order, OrderStatus, Person
from shuke.flows import referral as flow
from shuke.flows import timetable
from shuke.flows.take_orders import take_orders
from shuke.kit import jobs
from shuke.loyalty.models import Referral
from shuke.members.models import Member
from tests import cast
from tests.loyalty.friends import NOW, day, have, open_shop, someone, state

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_shop(merchant)
    return merchant


def friend(n, by):
    return Person(
        (Claim(IdentityKind.PHONE, f"+861390000000{n}", "", True),), f"朋友{n}", joined_at=day(30), brought_by=by
    )


def test_a_file_of_customers_says_who_brought_them(shop):
    ann = Member.objects.get(pk=someone(shop, 1))
    people = [friend(1, ann.card), friend(2, "00000000"), friend(3, "")]
    take_orders(merchant=shop, orders=[], people=people, now=NOW, actor="import")
    row = Referral.objects.get()
    assert (row.referrer_id, row.how, row.bound_at) == (ann.pk, "import", day(30))
    take_orders(merchant=shop, orders=[], people=people, now=NOW, actor="import")
    assert Referral.objects.count() == 1


def test_orders_wake_the_bond_and_the_timetable_pays(shop):
    ann = Member.objects.get(pk=someone(shop, 1))
    person = friend(1, ann.card)
    take_orders(merchant=shop, orders=[], people=[person], now=NOW, actor="import")
    at = day(40)
    told = Order(
        "taobao", "兰记护肤", "F1", OrderStatus.FINISHED, created_at=at, paid_at=at, finished_at=at, paid_minor=15000,
        person=person, stated_at=at,
    )  # fmt: skip
    take_orders(merchant=shop, orders=[told], now=NOW, actor="import")
    assert have(shop, ann.pk) == 0
    shop.clock_shift = round((NOW - datetime.now(UTC)).total_seconds()) + 60
    shop.save()
    timetable.install()
    timetable.tick(datetime.now(UTC) + timedelta(seconds=1))
    entry = next(e for e in timetable.TIMETABLE if e.job == flow.JOB)
    assert entry.wanted(shop, NOW + timedelta(minutes=1))
    assert jobs.Job.objects.filter(name="referral", merchant_id=shop.pk).count() == 1
    flow.settle_due(merchant=shop, now=NOW + timedelta(minutes=1), actor="clock")
    assert have(shop, ann.pk, NOW + timedelta(minutes=1)) == 100
    back = told._replace(status=OrderStatus.CLOSED_REFUNDED, refunded_minor=15000, closed_at=at, stated_at=NOW)
    take_orders(merchant=shop, orders=[back], now=NOW + timedelta(minutes=2), actor="import")
    flow.settle_due(merchant=shop, now=NOW + timedelta(minutes=2), actor="clock")
    assert have(shop, ann.pk, NOW + timedelta(minutes=2)) == 0


def test_a_refund_told_late_counts_on_its_own_day(shop):
    """A till that tells today what it gave back weeks ago: the reward was earned by then, and is kept as the charter says."""
    ann = Member.objects.get(pk=someone(shop, 1))
    person, at = friend(1, ann.card), day(32)
    told = Order(
        "pos",
        "XH",
        "F2",
        OrderStatus.FINISHED,
        created_at=at,
        paid_at=at,
        paid_minor=15000,
        person=person,
        stated_at=at,
    )
    take_orders(merchant=shop, orders=[told], people=[person], now=NOW, actor="till")
    seen = []
    for n, back_at in enumerate((day(45), day(35), None)):
        told = told._replace(refunded_minor=15000, refunded_at=back_at, stated_at=NOW + timedelta(minutes=n))
        take_orders(merchant=shop, orders=[told], now=NOW, actor="till")
        flow.settle_due(merchant=shop, now=NOW, actor="clock")
        seen.append(state(Referral.objects.get()))
    assert seen == [("returned", "refunded"), ("missed", "refunded"), ("missed", "refunded")]


def test_the_charters_editor_shows_the_part_and_can_put_it_in(lan, client):
    from shuke.engine.charter import document, form
    from tests.loyalty.books import CHARTER

    assert ("referral", "推荐有礼") in form.sections("zh")
    node = form.tree(CHARTER, "referral", "zh")
    assert node.kind == "maybe"
    raw = dict(CHARTER)
    assert form.change(raw, "put", "referral")
    sent = [("referral.friend.points", "50"), ("referral.steps.0.points", "100"), ("referral.watch.rush", "20")]
    raw["referral"] = form.read_form("referral", sent)["referral"]
    part = document.from_plain(raw).referral
    assert (part.friend.points, part.steps[0].points, part.watch.rush) == (50, 100, 20)
