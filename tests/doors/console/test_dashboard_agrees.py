"""Every number opens a list of exactly as many members: all links of all pages with figures are walked and counted.

Over a real snapshot of a busy little shop with points that lapse in several months, looked at two days later.
"""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from shuke.insight import actions
from shuke.insight.queries.directory import count
from shuke.insight.queries.filters import parse
from shuke.kit import clock
from shuke.loyalty import actions as loyalty
from shuke.loyalty.models import Lot
from shuke.loyalty.queries import expiring
from shuke.orders.models import Order
from shuke.shops import queries as shops
from shuke.shops.models import Merchant
from tests import cast
from tests.doors.console.claims import claims, links, points_claims, without_figure
from tests.insight.test_members_behind import DAY, open_busy
from tests.insight.till import member, night, sell
from tests.loyalty import books

pytestmark = pytest.mark.django_db


def build() -> cast.Shop:
    """Two days after the last snapshot: who came since is in no figure and in no list."""
    busy = open_busy(cast.lan())
    moment = night(busy, str(DAY))
    books.publish(busy.merchant)
    sell(busy, Order.objects.filter(merchant=busy.merchant, member__isnull=False).first().member, str(DAY), 30_000)
    paid = list(Order.objects.filter(merchant=busy.merchant, member__isnull=False).values_list("pk", flat=True))
    loyalty.settle(merchant=busy.merchant, order_ids=paid, now=moment, actor="test")
    actions.snapshot(merchant=busy.merchant, day=DAY, now=moment)
    late = member(busy, "昨天来的", "2026-12-01")
    sell(busy, late, "2026-12-02", 5_000, sold_at=busy.second)
    shift = int((moment + timedelta(days=2) - clock.utc_now()).total_seconds())
    Merchant.objects.filter(pk=busy.merchant.pk).update(clock_shift=shift)
    busy.merchant.refresh_from_db()
    busy.owner.refresh_from_db()
    return busy


@pytest.fixture(scope="module")
def opened(kept):
    return kept(build)


@pytest.fixture
def busy(db, opened):
    return copy.deepcopy(opened)


@pytest.fixture
def pages(busy, see):
    """A reader of the console's pages."""
    client = see(busy.owner)

    def page(path: str) -> str:
        answer = client.get(path)
        assert answer.status_code == 200, path
        return answer.content.decode()

    return page


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("/", 150),
        ("/insight/rfm", 12),
        ("/insight/pyramid", 20),
        ("/insight/movement?what=rfm", 5),
        ("/insight/movement?what=layer", 4),
        ("/insight/movement?what=stage", 6),
        ("/insight/points", 3),
    ],
)
def test_every_number_opens_as_many_members_as_it_says(busy, pages, path, least):
    page = pages(path)
    told = claims(page, busy.merchant, shops.now(busy.merchant))
    assert [claim for claim in told if claim.claimed != claim.found] == []
    assert sum(claim.claimed > 0 for claim in told) >= least
    assert len({claim.claimed for claim in told}) > 2


def test_no_link_to_a_filtered_list_keeps_its_number_to_itself(pages):
    for path in ("/", "/insight/rfm", "/insight/movement", "/insight/points"):
        assert without_figure(pages(path)) == []


def test_points_in_a_state_open_to_members_who_hold_such(busy, pages):
    told = points_claims(pages("/"), busy.merchant, shops.now(busy.merchant))
    assert {("holding=pending" in url, points > 0, found > 0) for url, points, found in told} == {
        (True, True, True),
        (False, True, True),
    }


def test_every_month_of_the_liability_opens_to_its_lots_and_their_sum(busy, pages):
    now = shops.now(busy.merchant)
    months = [link["href"].partition("=")[2] for link in links(pages("/insight/points"), "?month=")]
    assert len(months) >= 3
    whole = 0
    for month in months:
        lots = expiring.lots(busy.merchant, month, now)
        number, points = expiring.totals(busy.merchant, month, now)
        assert (number, points) == (len(lots), sum(lot.remaining for lot in lots))
        held = {lot.member_id for lot in lots}
        assert count(busy.merchant, parse([("expires", month)]), now=now) == len(held)
        page = pages(f"/insight/points?month={month}")
        assert f"{points:,} points" in page
        told = {link["href"] for link in links(page, "/members/") if link["href"].endswith("/points")}
        assert told == {f"/members/{pk}/points" for pk in held}
        whole += points
    assert whole == sum(lot.remaining for lot in expiring_lots(busy, now))


def expiring_lots(shop, now):
    return [lot for lot in Lot.objects.filter(merchant=shop.merchant) if lot.expires_at is None or lot.expires_at > now]
