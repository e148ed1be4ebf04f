"""Fixtures for every test. The people are in cast.py; the settings of the run are in settings.py."""

from __future__ import annotations

import os
import shutil
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests import cast

# No test may depend on how busy the machine is.
# Derandomized: a run that fails fails again, on every machine. `--hypothesis-seed=N` looks elsewhere.
# Where only the verdict counts (tests/trust/mutants.py), nobody waits for the smallest example.
PHASES = (Phase.explicit, Phase.generate) if os.environ.get("SHUKE_NO_SHRINKING") else tuple(Phase)
settings.register_profile(
    "house", derandomize=True, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
# A seed is not looked at where nothing is random.
settings.register_profile("elsewhere", settings.get_profile("house"), derandomize=False, database=None)


def pytest_configure(config):
    if config.getoption("--hypothesis-seed") is not None:
        settings.load_profile("elsewhere")


CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def django_db_keepdb(request):
    """Tables that were made beforehand are kept, and the migrations find nothing to do."""
    from django.db import connection

    made = bool(os.environ.get("SHUKE_TEST_TABLES")) and connection.vendor == "sqlite"
    return made or request.config.getvalue("reuse_db")


@pytest.fixture(autouse=True, scope="session")
def _doors_are_open():
    """Modules of the doors are imported before any test puts another clock in the place of the shop's: a module that is
    first imported meanwhile would keep that clock for all tests after it."""
    from django.urls import get_resolver

    assert get_resolver().url_patterns


@pytest.fixture
def lan(db) -> cast.Shop:
    """Lan's Shop 兰记: the merchant most tests are about."""
    return cast.lan()


@pytest.fixture
def mingde(db) -> cast.Shop:
    """明德母婴: another merchant on the same installation, of whom Lan must never see anything."""
    return cast.mingde()


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker):
    """kept(build) → what `build` made in the database, for every test of the file: for a shop that takes long to furnish and
    that all of them look at. Each test takes back what it did itself; after the file everything is emptied."""
    from django.core.management import call_command

    def make(build):
        with django_db_blocker.unblock():
            return build()

    yield make
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)  # a busy machine is not a broken page
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "headless": True,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ],
    }


@pytest.fixture(autouse=True, scope="session")
def _books_can_be_emptied_between_tests():
    """Tests that commit are cleaned up with DELETE on SQLite, which the append-only triggers rightly refuse: they step
    aside for the emptying and come back. PostgreSQL truncates, which fires no row triggers."""
    from django.db import connection

    if connection.vendor != "sqlite":
        yield
        return
    operations = type(connection.ops)
    empty = operations.execute_sql_flush

    def flush(self, sql_list):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
        empty(self, sql_list)
        with self.connection.cursor() as cursor:
            for _, sql in triggers:
                cursor.execute(sql)

    operations.execute_sql_flush = flush
    yield
    operations.execute_sql_flush = empty


# Ten seconds and more of one file, most of it in a few tests.
LONGEST = {
    "tests/flows/test_demo.py",
    "tests/doors/api/test_odd_input.py",
    "tests/trust/test_mutants.py",
    "tests/doors/cli/test_bad_input.py",
    "tests/engine/replay/test_documented.py",
    "tests/engine/ledger/test_laws.py",
    "tests/insight/test_profit.py",
    "tests/flows/test_replay.py",
    "tests/doors/cli/test_program.py",
    "tests/doors/cli/test_words.py",
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        # A file goes to one process as a whole (.ci/test): who is given a long one last leaves the other idle meanwhile.
        tests = Counter(item.path for item in items)
        long = {path: str(path.relative_to(config.rootpath)) in LONGEST for path in tests}
        items.sort(key=lambda item: (not long[item.path], -tests[item.path], str(item.path)))
    if CHROMIUM:
        return
    skip = pytest.mark.skip(reason="no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(skip)
