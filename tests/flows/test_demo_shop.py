"""The shop that the demo makes: true to its files, with right books, and something to see on every page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shuke.engine import draws
from shuke.flows.demo import DemoReport, furnishing
from shuke.flows.demo import histories as described
from shuke.flows.stats import stats
from shuke.loyalty.models import (
    BenefitUse,
    Correction,
    Coupon,
    CouponBatch,
    Draw,
    Family,
    Gift,
    GiftOrder,
    ManualTier,
    PublishedCharter,
    Referral,
    TierChange,
)  # fmt: skip
from shuke.loyalty.queries import charters, state_hash, verify
from shuke.loyalty.queries import draws as shown
from shuke.members.models import AttributeKind, Consent, Member
from shuke.orders.models import Order
from shuke.shops import queries
from shuke.shops.models import Merchant, Staff
from tests.flows.test_demo import NOW, run, small

pytestmark = pytest.mark.django_db
HISTORY_ENDS = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def report(kept, home) -> DemoReport:
    with pytest.MonkeyPatch.context() as patch:
        small(patch, home)
        yield kept(lambda: run(home))


def test_the_taobao_demo_is_the_truth_of_its_files(report, home):
    assert report.made
    assert report.merchant == "小满母婴美肤"
    truth = described.taobao_shop.make(
        home / "again", seed=described.TAOBAO_SEED, end=datetime(2026, 1, 1), buyers=40, days=400
    )
    told = {
        (o.store.platform, o.number): (o.status, o.paid_at, o.paid_minor, o.refunded_minor, o.net_minor, o.excluded)
        for o in Order.objects.select_related("store")
    }
    assert told == {
        (o.platform, o.number): (
            int(o.status),
            o.paid_at,
            o.paid_minor,
            o.refunded_minor,
            0 if o.excluded else o.net_minor,
            o.excluded,
        )
        for o in truth.orders
    }
    assert report.rejected == sum(reject.why != "totals_row" for reject in truth.rejects)
    assert Path(report.rejects[0]).exists()


def test_no_member_has_orders_of_two_people(report, home):
    truth = described.taobao_shop.make(
        home / "again", seed=described.TAOBAO_SEED, end=datetime(2026, 1, 1), buyers=40, days=400
    )
    person_of = {order.number: order.person for order in truth.orders}
    people: dict[int | None, set[str]] = {}
    for number, member in Order.objects.values_list("number", "member_id"):
        people.setdefault(member, set()).add(person_of[number])
    assert people.pop(None, {""}) == {""}  # only buyers that every export masks stay unknown
    assert {member: who for member, who in people.items() if len(who) > 1} == {}


def test_its_books_are_right_and_true_to_history(report):
    merchant = Merchant.objects.get()
    report = verify(merchant)
    assert list(report.findings) == []
    assert PublishedCharter.objects.get().effective_from < Order.objects.order_by("created_at")[0].created_at
    moments = list(TierChange.objects.filter(cause="reached").values_list("at", flat=True))
    assert moments
    assert max(moments) < HISTORY_ENDS < NOW
    assert len({(moment.year, moment.month) for moment in moments}) > 5


def test_every_page_of_rewards_has_something_to_show(report):
    assert Gift.objects.count() == len(furnishing.SHELF)
    assert {"held", "done", "returned", "cancelled"} <= set(GiftOrder.objects.values_list("state", flat=True))
    assert not GiftOrder.objects.exclude(code="").exists()  # nobody asked for what they cannot have
    over, running = Draw.objects.order_by("opens_at")
    assert (over.state, running.state) == ("revealed", "committed")
    assert over.issued
    assert running.issued
    assert draws.verify(json.loads(json.dumps(shown.file(over)))).holds
    assert Coupon.objects.filter(key="new_year", source="hand").exists()
    assert CouponBatch.objects.get().count == 200
    assert BenefitUse.objects.filter(state="done").exists()
    assert Referral.objects.exists()
    assert Family.objects.exists()
    assert Correction.objects.exclude(state="done").get().state == "waiting"
    assert ManualTier.objects.get().reason
    assert charters.drafts(Merchant.objects.get())


def test_its_last_weeks_are_lived_once(report):
    merchant = Merchant.objects.get()
    before = state_hash(merchant)
    furnishing.furnish(merchant, described.TAOBAO.ends)
    assert state_hash(merchant) == before
    assert CouponBatch.objects.count() == 1


def test_its_members_have_what_the_counter_wrote_down(report):
    assert set(AttributeKind.objects.filter(type="date").values_list("key", flat=True)) == {"child_birthday"}
    assert Member.objects.filter(attributes__has_key="skin_type").exists()
    assert Member.objects.filter(attributes__has_key="child_birthday").exists()
    assert Member.objects.filter(birth_lunar=True).exists() or Member.objects.filter(birth_month__isnull=False).exists()
    assert Consent.objects.filter(channel="sms", purpose="promotion").exists()


def test_its_clock_stands_at_the_end_of_its_history_and_ticks_on(report):
    merchant = Merchant.objects.get()
    began = NOW + timedelta(seconds=merchant.clock_shift)
    ends = described.TAOBAO.ends
    assert ends - timedelta(minutes=10) < began <= ends
    assert report.clock == ends.isoformat()
    assert queries.now(merchant) - datetime.now(UTC) == pytest.approx(
        timedelta(seconds=merchant.clock_shift), abs=timedelta(seconds=5)
    )


def test_everybody_it_names_can_sign_in_with_the_password_it_tells(report, home):
    told = {(user["username"], user["name"], user["role"]) for user in report.users}
    assert told == {(person.username, person.name, person.role) for person in Staff.objects.all()}
    assert all(person.check_password(report.password) for person in Staff.objects.all())
    for secret in ("password", "done.json"):
        assert (home / "demo" / "taobao" / secret).stat().st_mode & 0o077 == 0


def test_a_second_run_says_so_and_changes_nothing(report, home):
    merchant = Merchant.objects.get()
    before = (stats(merchant), state_hash(merchant))
    second = run(home)
    assert not second.made
    assert (second.password, second.users, second.counts) == (report.password, report.users, report.counts)
    assert (stats(Merchant.objects.get()), state_hash(merchant)) == before
