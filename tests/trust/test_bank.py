"""T3 and T9: points are handed round while tills, connections and the whole database server are killed. Every read adds up to the
same, nothing acknowledged is lost, and what had no answer has exactly one when it is asked again."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from shuke.loyalty import queries
from tests import cast
from tests.trust import SEED, size
from tests.trust.bank import EACH, MEMBERS, Bank, Found, run
from tests.trust.own_postgres import own_server, programs
from tests.trust.shop import furnish

pytestmark = pytest.mark.django_db(transaction=True)
KILLED_TILLS = size(6, 240)
DEEDS = size(4, 400)  # each of the four below, again and again
on_postgres = pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="about PostgreSQL's processes")
with_a_server = pytest.mark.skipif(programs() is None, reason="no PostgreSQL programs on this machine")


def check(bank: Bank, found: Found) -> None:
    assert found.odd == []
    assert found.wrong == []
    assert queries.verify(bank.merchant).findings == []


def test_the_bank_adds_up_while_tills_are_killed(tmp_path):
    bank = Bank(*furnish(MEMBERS, EACH), tmp_path)
    run(bank, KILLED_TILLS, 0.1, [bank.kill_a_till], seed=SEED + 3)
    check(bank, bank.found())


def test_the_reader_sees_a_till_that_takes_first_and_gives_later(tmp_path):
    bank = Bank(*furnish(MEMBERS, EACH), tmp_path, careless=True)
    run(bank, 2, 0.1, [bank.kill_a_till], seed=4)
    assert bank.reads()[1]


@on_postgres
@with_a_server
def test_the_bank_adds_up_while_the_server_is_killed(tmp_path):
    with own_server() as server:

        def everything(_rng) -> None:
            server.kill_all()
            server.start()

        # The planted fault first: commits that do not wait for the disk are lost, and the harness sees it.
        set_commits("off")
        (tmp_path / "hasty").mkdir()
        hasty = Bank(*furnish(MEMBERS, EACH, cast.mingde), tmp_path / "hasty")
        run(hasty, 1, 0.2, [everything], seed=6)
        assert hasty.found().wrong
        set_commits("on")

        bank = Bank(*furnish(MEMBERS, EACH), tmp_path)
        deeds = [
            lambda _rng: server.kill_backend(),
            everything,
            bank.kill_a_till,
            lambda _rng: server.restart_at_once(),
        ]
        run(bank, DEEDS, 0.2, deeds, seed=SEED + 5, answers=size(5, 65))
        check(bank, bank.found())  # every till went on by itself: who has to be started again would wait for ever


def set_commits(how: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SYSTEM SET synchronous_commit = {how}")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()
