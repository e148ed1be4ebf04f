"""Growth as the shop asks for it, recounted in plain SQL over the orders themselves."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from shuke.insight import actions
from shuke.insight.queries import growth
from shuke.kit import bulk
from shuke.members.models import Member
from tests.insight.test_members_behind import DAY, busy  # noqa: F401 - a shop with fourteen months of all sorts of habits
from tests.insight.till import at, night

pytestmark = pytest.mark.django_db

COUNTED = "o.merchant_id = %s AND o.excluded = '' AND o.status NOT IN (10, 70) AND NOT (o.net_minor <= 0 AND o.refunded_minor > 0)"


def plain(shop, first: date, last: date, more: str = "", *values) -> tuple[int, int, int]:
    """Orders, net revenue and buyers of some days."""
    moment = bulk.moment()
    days = [moment(at(shop, first.isoformat(), "00:00")), moment(at(shop, last.isoformat(), "23:59"))]
    sql = (
        "SELECT COUNT(*), COALESCE(SUM(o.net_minor), 0), COUNT(DISTINCT m.id) FROM orders_order o "
        "JOIN shops_store s ON s.id = COALESCE(o.sold_at_id, o.store_id) LEFT JOIN members_member m ON m.id = o.member_id AND m.state = 'active' "
        f"WHERE {COUNTED} AND o.paid_at >= %s AND o.paid_at <= %s {more}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [shop.merchant.pk, *days, *values])
        orders, net, buyers = cursor.fetchone()
    return int(orders), int(net), int(buyers)


def test_months_stores_and_channels_are_what_plain_sql_counts(busy):  # noqa: F811
    told = growth.growth(busy.merchant, since=date(2026, 1, 1))
    assert len(told.course[0]) == 11
    for row in told.course[0]:
        assert (row.orders, row.net_minor, row.buyers) == plain(busy, row.stretch.first, row.stretch.last)
    for by, column in (("store", "s.id"), ("channel", "s.platform")):
        parts = growth.growth(busy.merchant, since=date(2026, 1, 1), by=by)
        seen = 0
        for part in parts.parts:
            whole = parts.whole[part.number]
            key = int(part.key) if by == "store" and part.key != growth.NONE else part.key
            if part.key == growth.NONE:
                assert whole.orders == 0
                continue
            seen += whole.orders
            found = plain(busy, whole.stretch.first, whole.stretch.last, f"AND {column} = %s", key)
            assert (whole.orders, whole.net_minor, whole.buyers) == found
        assert seen == told.whole[0].orders


def test_ways_of_acquisition_and_their_cohorts_add_up(busy):  # noqa: F811
    for i, one in enumerate(Member.objects.filter(merchant=busy.merchant).order_by("pk")):
        Member.objects.filter(pk=one.pk).update(acquired_by=("", "朋友", "商场")[i % 3])
    actions.snapshot(merchant=busy.merchant, day=DAY, now=night(busy, DAY.isoformat()))
    told = growth.growth(busy.merchant, by="acquisition")
    assert {part.key for part in told.parts} == {"-", "朋友", "商场", "guests"}
    whole = growth.growth(busy.merchant).whole[0]
    assert sum(told.whole[part.number].net_minor for part in told.parts) == whole.net_minor
    assert sum(told.whole[part.number].members for part in told.parts) == whole.members
    ways, undivided = growth.cohorts(busy.merchant, by="acquisition"), growth.cohorts(busy.merchant)
    sizes = {part.key: ways.cohorts.together(part.number, 0)[0] for part in ways.parts}
    assert sum(sizes.values()) == undivided.cohorts.together(0, 0)[0] > 0


def test_what_makes_no_sense_is_refused(busy, lan):  # noqa: F811
    for wrong, code in (
        ({"grain": "hour"}, "grain"),
        ({"by": "moon"}, "by"),
        ({"since": DAY, "until": date(2026, 1, 1)}, "days"),
    ):
        with pytest.raises(growth.BadQuestion) as refusal:
            growth.growth(busy.merchant, **wrong)
        assert refusal.value.code == code
    with pytest.raises(growth.BadQuestion):
        growth.cohorts(busy.merchant, grain="day")
    with pytest.raises(growth.BadQuestion):
        growth.part_of(growth.growth(busy.merchant, by="store").parts, "nowhere")
