"""T11 on PostgreSQL: at whichever statement the server goes away or its disk is full, a request is done whole or not at all, the API
says so, and the same key succeeds afterwards. (On SQLite every single write fails: test_failing_disk.py.)"""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection, connections

from shuke.loyalty import queries
from shuke.loyalty.actions import settling, transfers
from tests.trust import SEED
from tests.trust.deeds import DEEDS, Deed, EveryTill, is_done_now, strikes
from tests.trust.rows import rows
from tests.trust.shop import LATER

pytestmark = [
    pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="about PostgreSQL's connections"),
    pytest.mark.django_db(transaction=True),
]


READS = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Fault:
    """At the nth statement of a request something real happens to it."""

    def __init__(self, how: str, nth: int) -> None:
        self.how, self.nth, self.seen, self.hit = how, nth, 0, False
        self.committed = False  # before it struck: what came after only tells what was done

    def __call__(self, execute, sql, params, many, context):
        self.seen += self.how == "gone" or not sql.startswith(READS)  # who only reads needs no space
        if self.seen == self.nth and not self.hit:
            self.hit = True
            self.strike()
        return execute(sql, params, many, context)

    def strike(self) -> None:
        if self.how == "gone":  # somebody stops the server, or its machine dies: this connection is no more
            with psycopg.connect(**_address(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        else:  # the server raises what it raises when a table cannot grow
            with connection.wrap_database_errors, connection.connection.cursor() as cursor:
                cursor.execute(
                    "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
                )


def _address() -> dict:
    told = connection.get_connection_params()
    return {key: told[key] for key in ("host", "port", "user", "password", "dbname") if told.get(key)}


@contextmanager
def struck(fault: Fault):
    """Statements pass by the fault; so does the commit, which is the last of them."""
    wrapper = connections["default"]
    commit = wrapper._commit

    def commits():
        fault(lambda *_: None, "COMMIT", None, False, {})
        commit()
        fault.committed = fault.committed or not fault.hit

    wrapper._commit = commits
    try:
        with wrapper.execute_wrapper(fault):
            yield
    finally:
        del wrapper._commit


def every_statement_fails_once(till: EveryTill, deed: Deed, how: str, *, first: int = 1, step: int = 1) -> list[str]:
    """What was wrong when the first statement failed, then the one `step` later, until there is none."""
    wrong, n = [], first
    with psycopg.connect(**_address(), autocommit=True) as other:
        while True:
            key = f"{deed.name.replace(' ', '-')}-{how}-{n}"
            send = till.make_ready(deed, key)
            before, fault = rows(other), Fault(how, n)
            with struck(fault):
                status, told = send()
            if not fault.hit:
                return [] if n > step else ["nothing could fail"]
            if (status, told.get("code")) != {"gone": (503, "no_database"), "full": (507, "disk_full")}[how]:
                wrong.append(f"{key}: {status} {told}")
            wrote = rows(other) != before
            if wrote and not fault.committed:
                wrong.append(f"{key}: something was written")
            again = send()
            if (not wrote and not is_done_now(again)) or (deed.again and again[0] != 200) or rows(other) == before:
                wrong.append(f"{key}: {again} when it was sent again")
            if wrong:
                return wrong
            n += step


@pytest.fixture
def till(monkeypatch):
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: LATER)
    yield (made := EveryTill())
    connections.close_all()
    assert queries.verify(made.merchant).findings == []


@pytest.mark.parametrize("how", ["gone", "full"])
def test_a_request_is_done_whole_or_not_at_all_whichever_statement_fails(till, how):
    wrong = []
    for deed, step in strikes(give=4, sell=9):
        wrong += every_statement_fails_once(till, deed, how, first=1 + SEED % step, step=step)
    assert not wrong, "\n".join(wrong)


def test_lost_connections_show_a_till_that_writes_piece_by_piece(monkeypatch):
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: LATER)
    till = EveryTill()
    for room in (transfers, settling):  # the planted fault
        monkeypatch.setattr(room, "transaction", SimpleNamespace(atomic=nullcontext))
    [give] = [deed for deed in DEEDS if deed.name == "give"]
    wrong = every_statement_fails_once(till, give, "full")
    assert any("something was written" in w for w in wrong)
