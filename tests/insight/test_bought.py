"""Who bought in a stretch of days, where summer time begins and ends. Recounted order by order."""

from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from shuke.insight import actions
from shuke.insight.queries.bought import Place, _offsets, buyers
from shuke.insight.queries.directory import count
from shuke.insight.queries.filters import parse, period
from shuke.kit import clock
from shuke.members.models import Member
from shuke.orders.models import Order
from shuke.shops.models import Merchant
from tests.cast import NOON
from tests.insight.till import member, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def new_york(lan):
    Merchant.objects.filter(pk=lan.merchant.pk).update(zone="America/New_York")
    lan.merchant.refresh_from_db()
    luck = Random(4)
    people = [member(lan, f"m{i}", "2025-01-01") for i in range(12)]
    for buyer in people[:11]:
        for _ in range(luck.choice((1, 2, 3, 6))):
            day = date(2026, 2, 20) + timedelta(days=luck.randint(0, 45))
            sell(
                lan, buyer, str(day), luck.choice((0, 500)), time=luck.choice(("00:10", "12:00", "23:50")),
                refunded=luck.choice((0, 0, 300)), sold_at=luck.choice((None, lan.second)),
            )  # fmt: skip
    for day in ("2026-03-07", "2026-03-08"):  # the night in which an hour is missing
        sell(lan, people[11], day, 900, time="23:30")
    return lan


def recounted(shop, start, end, *, store=None, least_days=1) -> set[int]:
    days: dict[int, set[date]] = {}
    for order in Order.objects.filter(merchant=shop.merchant):
        day = clock.day_of(order.paid_at, shop.merchant.tz)
        whole_back = order.net_minor <= 0 and order.refunded_minor > 0
        if start <= day < end and not whole_back and store in (None, order.sold_at_id or order.store_id):
            days.setdefault(order.member_id, set()).add(day)
    return {who for who, seen in days.items() if len(seen) >= least_days}


@pytest.mark.parametrize("least", [1, 2, 3])
def test_buyers_are_those_whose_orders_say_so(new_york, least):
    sizes = set()
    for start, end in ((date(2026, 2, 1), date(2026, 5, 1)), (date(2026, 3, 7), date(2026, 3, 10))):
        for store in (None, new_york.street.pk, new_york.second.pk):
            wanted = recounted(new_york, start, end, store=store, least_days=least)
            asked = buyers(new_york.merchant, start, end, place=Place(store), least_days=least)
            assert set(Member.objects.filter(pk__in=asked).values_list("pk", flat=True)) == wanted
            sizes.add(len(wanted))
    assert len(sizes) > 2


def test_a_list_of_those_who_bought_then_and_not_since(new_york):
    pairs = [("paid", "2026-02"), ("unpaid", "2026-03-01..2026-04-30")]
    then = recounted(new_york, date(2026, 2, 1), date(2026, 3, 1))
    since = recounted(new_york, date(2026, 3, 1), date(2026, 5, 1))
    assert count(new_york.merchant, parse(pairs), now=NOON) == len(then - since) > 0


def test_a_list_of_those_who_left_one_store_and_perhaps_not_the_shop(new_york):
    then, since = (date(2026, 2, 1), date(2026, 3, 16)), (date(2026, 3, 16), date(2026, 5, 1))
    elsewhere = set()
    for here in (new_york.street.pk, new_york.second.pk):
        pairs = [("paid", "2026-02-01..2026-03-15"), ("unpaid", "2026-03-16..2026-04-30"), ("bought_in", str(here))]
        gone = recounted(new_york, *then, store=here) - recounted(new_york, *since, store=here)
        assert count(new_york.merchant, parse(pairs), now=NOON) == len(gone)
        elsewhere |= gone & recounted(new_york, *since)
    assert elsewhere


def test_lists_by_platform_and_by_where_members_began(new_york):
    merchant = new_york.merchant
    actions.snapshot(merchant=merchant, day=date(2026, 4, 20), now=NOON)
    orders = list(Order.objects.filter(merchant=merchant, member__isnull=False).select_related("store", "sold_at"))
    counted = [o for o in orders if not (o.net_minor <= 0 and o.refunded_minor > 0)]
    first = {o.member_id: o for o in sorted(counted, key=lambda o: o.paid_at, reverse=True)}

    def many(*pairs: tuple[str, str]) -> int:
        return count(merchant, parse(pairs), now=NOON)

    for platform in {new_york.street.platform, new_york.online.platform}:
        on = {o.member_id for o in counted if (o.sold_at or o.store).platform == platform}
        assert many(("paid", "2026-01..2026-04"), ("bought_on", platform)) == len(on)
        began = {who for who, o in first.items() if (o.sold_at or o.store).platform == platform}
        assert many(("first", "2026-01..2026-04"), ("first_on", platform)) == len(began)
        assert many(("first_on", platform)) == len(began)
    began = {who for who, o in first.items() if (o.sold_at or o.store) == new_york.second}
    assert many(("first", "2026-01..2026-04"), ("first_in", str(new_york.second.pk))) == len(began)
    people = Member.objects.filter(merchant=merchant)
    people.filter(pk__in=people.values("pk")[:3]).update(home_store=new_york.online, acquired_by="朋友")
    assert many(("store", "0")) == many(("by", "-")) == many(("home_on", "-")) == people.count() - 3 > 0
    assert many(("home_on", new_york.online.platform)) == many(("by", "朋友")) == 3


def test_offsets_change_at_the_hour_they_do():
    zone = ZoneInfo("America/New_York")
    first, last = clock.day_start(date(2026, 1, 1), zone), clock.day_start(date(2027, 1, 1), zone)
    told = [(until.isoformat(), offset // 3600) for until, offset in _offsets(zone, first, last)]
    assert told == [
        ("2026-03-08T07:00:00+00:00", -5),
        ("2026-11-01T06:00:00+00:00", -4),
        ("2027-01-01T05:00:00+00:00", -5),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05", (date(2026, 5, 1), date(2026, 6, 1))),
        ("2026-05-03..2026-06", (date(2026, 5, 3), date(2026, 7, 1))),
        ("..2026-05-03", (None, date(2026, 5, 4))),
        ("2026..", (date(2026, 1, 1), None)),
        ("..", None),
        ("2026-06..2026-05", None),
        ("2026-13..2027", None),
    ],
)
def test_periods(text, expected):
    assert period(text) == expected
