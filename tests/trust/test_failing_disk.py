"""T10 and T11 on SQLite: whichever write fails, a request is done whole or not at all and can be sent again; whatever a power
cut leaves of the files, no acknowledged point is lost. Each harness first sees a planted fault."""

from __future__ import annotations

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
from tests.trust import SEED, size
from tests.trust.deeds import DEEDS, Deed, EveryTill, is_done_now, strikes
from tests.trust.disk import FULL, IOERR_WRITE, books_on, disk
from tests.trust.rows import rows
from tests.trust.shop import LATER, figures, furnish

pytestmark = [
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="about SQLite's files"),
    pytest.mark.django_db(transaction=True),
]
CUTS = size(40, 200)  # of one shop: who looks at its books after each of them looks at more each time
SHOPS = size(1, 100)
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


def seen(path: Path) -> str:
    """Everything that is in the database, read past the failing disk."""
    with closing(sqlite3.connect(path)) as plain:
        return rows(plain)


# -- T11 ---------------------------------------------------------------------------------------------------------


def every_write_fails_once(
    path: Path, till: EveryTill, deed: Deed, *, code: int, first: int = 1, step: int = 1
) -> list[str]:
    """What was wrong when the first write failed, then the one `step` later, until there is none."""
    wrong, n = [], first
    while True:
        key = f"{deed.name.replace(' ', '-')}-{code}-{n}"
        send = till.make_ready(deed, key)
        before = seen(path)
        disk().fail(n, code=code, for_good=code == FULL)
        status, told = send()
        disk().mend()
        if not disk().hit:
            return [] if n > step else ["nothing could fail"]
        if status != (507 if code == FULL else 503) or told["code"] != ("disk_full" if code == FULL else "no_database"):
            wrong.append(f"{key}: {status} {told}")
        if seen(path) != before:
            wrong.append(f"{key}: something was written")
        again = send()
        if not is_done_now(again) or seen(path) == before:
            wrong.append(f"{key}: {again} when it was sent again")
        if wrong:
            return wrong
        n += step


@pytest.fixture
def everything(tmp_path, clock_of_the_shop):
    """Path of the database of a shop where everything goes on, and a till there."""
    path = tmp_path / "everything.sqlite3"
    connection.close()
    tables.copy(path)
    disk().forget()
    with books_on(path):
        till = EveryTill()
        yield path, till
    disk().mend()


def test_a_request_is_done_whole_or_not_at_all_whichever_write_fails(everything):
    path, till = everything
    wrong = []
    for code in (IOERR_WRITE, FULL):
        for deed, step in strikes(give=9, sell=17):
            wrong += every_write_fails_once(path, till, deed, code=code, first=1 + SEED % step, step=step)
    assert not wrong, "\n".join(wrong)
    assert queries.verify(till.merchant).findings == []


def test_the_failing_disk_shows_a_till_that_writes_piece_by_piece(everything, monkeypatch):
    path, till = everything
    monkeypatch.setattr(requests, "transaction", SimpleNamespace(atomic=nullcontext))  # the planted fault
    wrong = every_write_fails_once(path, till, DEEDS[0], code=IOERR_WRITE, step=5)
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


@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 1 + SHOPS))
def test_a_power_cut_takes_nothing_that_was_acknowledged(shop, seed):
    found = power_cuts(shop, CUTS, seed=seed)
    assert found == Found(cuts=CUTS, acknowledged=found.acknowledged)
    assert found.acknowledged > 2 * found.cuts
    path, merchant, buyers = shop
    with books_on(path):
        assert all(figures(merchant, buyer)[1:] == (0, 0, 0) for buyer in buyers)


@pytest.mark.parametrize("pragmas", [OFF, NORMAL])
def test_the_power_cuts_show_a_database_that_does_not_wait_for_its_disk(shop, pragmas):
    found = power_cuts(shop, 60, pragmas=pragmas, seed=2, until_loss=True)
    assert found.lost or found.corrupt
