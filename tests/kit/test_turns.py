"""Long work in turns: how long they are, whom they let in, and that the connection is afterwards what it was."""

import contextlib
import sqlite3
from unittest import mock

import psycopg
import pytest
from django.db import connection, transaction

from shuke.kit import bulk, turns
from shuke.kit.turns import Turns


class Clock:
    """Stands in for `time`: whoever sleeps moves it on."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def monotonic(self):
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    monkeypatch.setattr(turns, "connection", mock.Mock(in_atomic_block=False))
    monkeypatch.setattr(turns.Turns, "_hurry", lambda self: ["nothing"])
    monkeypatch.setattr(turns, "_carry_log", lambda: clock.slept.append("log"))
    return clock


def take(some: Turns, clock: Clock, lasting: float) -> int:
    with some.one():
        clock.now += lasting
    return some.size


def test_turns_grow_while_locks_are_short_and_shrink_when_they_are_long(clock, monkeypatch):
    monkeypatch.setattr(bulk, "is_postgres", lambda: True)
    monkeypatch.setattr(Turns, "_count", lambda self: 0)
    some = Turns(first=100, fewest=20, most=1000)
    assert take(some, clock, 0.01) == 200
    assert take(some, clock, 0.2) == 100
    assert take(some, clock, 10.0) == 20
    assert [take(some, clock, 0.001) for _ in range(7)][-2:] == [1000, 1000]
    assert clock.slept == []  # nobody wrote, nobody is waited for


def test_on_sqlite_the_file_is_left_free_after_each_turn_and_for_longer_once_somebody_came(clock, monkeypatch):
    counts = iter([7, 7, 8, 8, 8, 8])
    monkeypatch.setattr(bulk, "is_postgres", lambda: False)
    monkeypatch.setattr(Turns, "_count", lambda self: next(counts))
    monkeypatch.setattr(turns, "_LOG_FOR", (9, 9))
    some = Turns(first=100, fewest=10, most=1000)
    alone, beside = turns._SQLITE
    assert take(some, clock, alone) == 100  # the first lets nobody in: it may be the last
    assert take(some, clock, alone) == 100
    assert take(some, clock, alone) == 10  # somebody wrote in the pause: 6 would fit
    assert clock.slept == [turns._PAUSE] * 2
    assert take(some, clock, beside / 2) == 20
    assert clock.slept[2:] == [alone]  # as long as what they had waited for
    clock.now += turns._REMEMBERED
    assert take(some, clock, beside) == 40  # may lock for longer again, and comes to that by doubling


def test_on_sqlite_the_log_is_carried_into_the_file_between_turns(clock, monkeypatch):
    monkeypatch.setattr(bulk, "is_postgres", lambda: False)
    monkeypatch.setattr(Turns, "_count", lambda self: 0)
    some = Turns(first=1, fewest=1, most=1)
    for _ in range(3):
        take(some, clock, turns._LOG_FOR[0])
    assert clock.slept == ["log", turns._PAUSE] * 2


def test_on_postgres_a_turn_is_short_and_followed_by_a_pause_once_others_commit(clock, monkeypatch):
    counts = iter([3, 3, 4, 4, 6, 6, 7])  # at first, then before and after each turn: one of two is our own
    monkeypatch.setattr(bulk, "is_postgres", lambda: True)
    monkeypatch.setattr(Turns, "_count", lambda self: next(counts))
    some = Turns(first=100, fewest=10, most=1000)
    alone, beside = turns._POSTGRES
    assert [take(some, clock, alone), take(some, clock, alone)] == [100, 100]
    assert take(some, clock, alone) == round(100 * beside / alone)
    assert clock.slept == []
    take(some, clock, beside)
    assert clock.slept == [alone / 2]


def _state() -> list:
    if bulk.is_postgres():
        return bulk.select("SHOW synchronous_commit", [])
    return [bulk.select(f"PRAGMA {name}", []) for name in ("synchronous", "wal_autocheckpoint", "busy_timeout")]


@pytest.mark.django_db(transaction=True)
def test_turns_do_not_wait_for_the_disk_and_leave_the_connection_as_it_was(monkeypatch):
    monkeypatch.setattr(turns, "_LOG_FOR", (0.0, 0.0))
    if bulk.is_postgres():
        bulk.execute("SET synchronous_commit = local", [])
    before, seen = _state(), []
    with contextlib.suppress(KeyError), Turns(first=1, fewest=1, most=1) as some:
        for _ in range(3):
            with some.one():
                seen.append(_state())
        raise KeyError
    assert seen[0] == before  # work of one turn is as safe as any
    assert seen[1] == seen[2] != before
    assert _state() == before


@pytest.mark.django_db(transaction=True)
def test_what_others_commit_between_two_turns_or_in_one_is_seen(monkeypatch):
    monkeypatch.setattr(turns, "_REMEMBERED", 1e6)
    some = Turns(first=1, fewest=1, most=1)
    with some:
        for _ in range(3):
            with some.one():
                _write_oneself()
        assert not some._beside()  # what one does oneself
        with some.one():
            if bulk.is_postgres():
                _somebody_writes()
        if not bulk.is_postgres():
            _somebody_writes()
        with some.one():
            pass
        assert some._beside()


@transaction.atomic
def _write_oneself() -> None:
    bulk.execute("CREATE TABLE oneself (id INTEGER)", [])
    bulk.execute("DROP TABLE oneself", [])


def _somebody_writes() -> None:
    name = connection.settings_dict["NAME"]
    if bulk.is_postgres():
        till = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True)
    else:
        till = sqlite3.connect(name, uri=True)
    with contextlib.closing(till):
        for _ in range(2):
            till.execute("CREATE TABLE somebody_else (id INTEGER)")
            till.execute("DROP TABLE somebody_else")


@pytest.mark.django_db
def test_within_a_transaction_nobody_is_let_in_and_nothing_is_changed():
    before = _state()
    with Turns(first=1, fewest=1, most=1) as some:
        for _ in range(3):
            with some.one():
                pass
            assert _state() == before
