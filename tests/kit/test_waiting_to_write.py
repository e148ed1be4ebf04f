"""SQLite has one writer: who waits gets in when the other is done, and is told in Django's words when that takes too long."""

from __future__ import annotations

import os
import sqlite3
import threading

import pytest
from django.db import OperationalError, connection

from shuke.kit.sqlite.base import DatabaseWrapper

pytestmark = [
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="about SQLite's only writer"),
    pytest.mark.django_db,
]


@pytest.fixture
def ours(tmp_path):
    """A connection of the product's kind to a database of its own, whose patience is a twentieth of a second."""
    told = {**connection.settings_dict, "NAME": str(tmp_path / "one.sqlite3")}
    told["OPTIONS"] = {**told["OPTIONS"], "timeout": 0.05}
    wrapper = DatabaseWrapper(told, "one")
    wrapper.ensure_connection()
    yield wrapper
    wrapper.connection.close()


@pytest.fixture
def other(ours, tmp_path):
    held = sqlite3.connect(tmp_path / "one.sqlite3", isolation_level=None, check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    yield held
    held.close()


def test_who_waits_too_long_is_told_so(ours, other):
    with pytest.raises(OperationalError, match="locked"):
        ours._start_transaction_under_autocommit()
    assert ours.connection.execute("PRAGMA busy_timeout").fetchone() == (50,), "as it was, for all other statements"


def test_who_waits_gets_in_when_the_other_is_done(ours, other):
    ours.settings_dict["OPTIONS"]["timeout"] = 30
    done = threading.Timer(0.02, other.execute, ["COMMIT"])
    done.start()
    ours._start_transaction_under_autocommit()
    assert ours.connection.in_transaction
    ours.connection.execute("ROLLBACK")
    done.join()
