"""T10 and T11 on SQLite: whichever write fails, a request is done whole or not at all and can be sent again; whatever a power
cut leaves of the files, no acknowledged point is lost. Each harness first sees a planted fault."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from django.db import DatabaseError, connection

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, Transfer, requests
from tests import tables
from tests.trust import SEED, SOAK, size
from tests.trust.disk import FULL, IOERR_WRITE, books_on, disk
from tests.trust.shop import LATER, figures, furnish
from tests.trust.till import Till, give, is_done_now, sell, spend

pytestmark = [
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="about SQLite's files"),
    pytest.mark.django_db(transaction=True),
]
CUTS = size(40, 20_000)
OFF, NORMAL = "PRAGMA synchronous=OFF;", "PRAGMA synchronous=NORMAL;"
EAGER = "PRAGMA wal_autocheckpoint=20;"  # so that cuts fall into checkpoints as well


@pytest.fixture
def shop(tmp_path):
    """Path of a shop's own database, its merchant and three members with 1,000 points each."""
    path = tmp_path / "shop.sqlite3"
    connection.close()
    tables.copy(path)
    disk().forget()
    with books_on(path):
        merchant, buyers = furnish()
    yield path, merchant, buyers
    disk().mend()


def rows(path: Path) -> bytes:
    """A hash of every row of every table, read past the failing disk."""
    told = hashlib.blake2b()
    with closing(sqlite3.connect(path)) as plain:
        tables = plain.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in tables:
            told.update(f"{table}{plain.execute(f'SELECT * FROM {table} ORDER BY 1').fetchall()}".encode())
    return told.digest()


# -- T11 ---------------------------------------------------------------------------------------------------------


def every_write_fails_once(path: Path, till: Till, work, *, code: int, step: int = 1) -> tuple[int, list[str]]:
    """How many requests met the failing disk, and what was wrong."""
    wrong, met, n = [], 0, 1
    while True:
        before = rows(path)
        disk().fail(n, code=code, for_good=code == FULL)
        key = f"{work.__name__}-{code}-{n}"
        status, told = work(till, key)
        disk().mend()
        if not disk().hit:
            return met, wrong
        met += 1
        if status != (507 if code == FULL else 503) or told["code"] != ("disk_full" if code == FULL else "no_database"):
            wrong.append(f"{key}: {status} {told}")
        if rows(path) != before:
            wrong.append(f"{key}: something was written")
        again = work(till, key)
        if not is_done_now(again):
            wrong.append(f"{key}: {again} when it was sent again")
        n += step


def test_a_request_is_done_whole_or_not_at_all_whichever_write_fails(shop, clock_of_the_shop):
    path, merchant, _ = shop
    with books_on(path):
        till = Till(merchant)
        for code in (IOERR_WRITE, FULL):
            for work, step in ((spend, 1), (give, 1 if SOAK else 9), (sell, 1 if SOAK else 17)):
                met, wrong = every_write_fails_once(path, till, work, code=code, step=step)
                assert wrong == []
                assert met >= 3
        assert queries.verify(merchant).findings == []


def test_the_failing_disk_shows_a_till_that_writes_piece_by_piece(shop, clock_of_the_shop, monkeypatch):
    path, merchant, _ = shop
    monkeypatch.setattr(requests, "transaction", SimpleNamespace(atomic=nullcontext))  # the planted fault
    with books_on(path):
        _, wrong = every_write_fails_once(path, Till(merchant), spend, code=IOERR_WRITE, step=5)
    assert any("something was written" in w for w in wrong)


@pytest.fixture
def clock_of_the_shop(monkeypatch):
    """The doors ask what time it is; here it is always the same day."""
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: LATER)


# -- T10 ---------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """What the power cuts did."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    corrupt: int = 0
    wrong: tuple[str, ...] = ()


def power_cuts(shop, times: int, *, pragmas: str = "", seed: int = 1, until_loss: bool = False) -> Found:
    """Work until the power goes, see what is left, go on with that; `times` over, or `until_loss` was seen."""
    path, merchant, buyers = shop
    rng = random.Random(seed)
    found = Found()
    for cut in range(times):
        told = _until_the_power_goes(path, merchant, buyers, rng, f"{seed}-{cut}", pragmas)
        left = disk().after_power_cut(path, rng)
        disk().mend()
        disk().forget()
        for name, image in left.items():
            Path(name).write_bytes(image)
        Path(f"{path}-shm").unlink(missing_ok=True)
        found = found._replace(
            cuts=cut + 1, acknowledged=found.acknowledged + sum(a is not None for a in told.values())
        )
        try:
            with books_on(path):
                lost, wrong = _ask_again(merchant, told)
                found = found._replace(lost=found.lost + lost, wrong=found.wrong + wrong)
        except DatabaseError:
            found = found._replace(corrupt=found.corrupt + 1)
        if until_loss and (found.lost or found.corrupt):
            break
    return found


def _until_the_power_goes(path, merchant, buyers, rng, name, pragmas) -> dict[Ask | Transfer, actions.Answer | None]:
    """What was asked, with the answer where there was one."""
    told: dict[Ask | Transfer, actions.Answer | None] = {}
    with books_on(path, more_pragmas=pragmas + (EAGER if rng.random() < 0.5 else "")):
        connection.ensure_connection()
        disk().fail(rng.randint(1, 300), code=IOERR_WRITE, for_good=True)
        while True:
            one = _a_request(rng, buyers, f"{name}-{len(told)}")
            told[one] = None
            try:
                told[one] = _do(merchant, one)
            except DatabaseError:
                return told


def _a_request(rng: random.Random, buyers: list[int], key: str) -> Ask | Transfer:
    a, b = rng.sample(buyers, 2)
    match rng.randrange(4):
        case 0:
            return Transfer(key, a, b, rng.randint(1, 30))
        case 1:
            return Ask(key, "burn", a, rng.randint(1, 30))
        case _:
            return Ask(key, "adjust", a, rng.randint(1, 30))


def _do(merchant, one: Ask | Transfer) -> actions.Answer:
    if isinstance(one, Transfer):
        return actions.transfer(merchant=merchant, transfers=[one], now=LATER, actor="till")[0]
    return actions.ask(merchant=merchant, asks=[one], now=LATER, actor="till")[0]


def _ask_again(merchant, told) -> tuple[int, tuple[str, ...]]:
    lost, wrong = 0, []
    for one, answer in told.items():
        now = _do(merchant, one)
        lost += answer is not None and not now.replayed
        if answer is not None and now != answer._replace(replayed=True):
            wrong.append(f"{one}: {answer}, then {now}")
        if _do(merchant, one) != now._replace(replayed=True):
            wrong.append(f"{one}: another answer the second time")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        if cursor.fetchone()[0] != "ok":
            raise DatabaseError("corrupt")
    wrong += [str(f) for f in queries.verify(merchant).findings]
    return lost, tuple(wrong)


def test_a_power_cut_takes_nothing_that_was_acknowledged(shop):
    found = power_cuts(shop, CUTS, seed=SEED + 1)
    assert found == Found(cuts=CUTS, acknowledged=found.acknowledged)
    assert found.acknowledged > 2 * found.cuts
    path, merchant, buyers = shop
    with books_on(path):
        assert all(figures(merchant, buyer)[1:] == (0, 0, 0) for buyer in buyers)


@pytest.mark.parametrize("pragmas", [OFF, NORMAL])
def test_the_power_cuts_show_a_database_that_does_not_wait_for_its_disk(shop, pragmas):
    found = power_cuts(shop, 60, pragmas=pragmas, seed=2, until_loss=True)
    assert found.lost or found.corrupt
