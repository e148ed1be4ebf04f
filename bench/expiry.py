"""Expiry of 1,000,000 lots in one night beside set-based SQL doing the same, and what a till notices of it. P5.

Raw: hand-written statements over accounts, lots, postings with a unique key, legs, uses: for 200 accounts (1,000 lots) a
transaction that locks the accounts in order, posts, uses up the lots and lowers the balances. Lots lie in the tables of both as
they were given, to a thousand members at a time, one day after the other. Ours writes the same rows with event,
explanation, version of the charter, running number and balance, closes the wallet and tells the timeline. Both engines; every
figure is of one run. Asked: at least 0.5 x raw, no batch that locks for more than 500 ms, and a till's p99 at most twice what it is
without. The till gives points in the shop whose lots lapse. Beside it are measured what a machine of two cores makes any till pay:
beside a program that only computes, and beside the raw statements, whose rows are not the till's.

    .venv/bin/python bench/expiry.py [LOTS]
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import _books
import _till
from _postgres import binaries, postgres

PER_MEMBER, ACCOUNTS, AT_ONCE = 5, 200, 1000
BESIDE = 100_000  # lots that lapse beside a till, at least
END = _books.BEGIN + timedelta(days=90)
STARTED = time.perf_counter()
TABLES = """
CREATE TABLE raw_account (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0));
CREATE TABLE raw_txn (id {serial}, key TEXT NOT NULL UNIQUE, at TEXT NOT NULL);
CREATE TABLE raw_entry (id {serial}, txn BIGINT NOT NULL REFERENCES raw_txn(id), account BIGINT NOT NULL, amount BIGINT NOT NULL);
CREATE TABLE raw_lot (id {serial}, account BIGINT NOT NULL, remaining BIGINT NOT NULL CHECK (remaining >= 0), ends TEXT NOT NULL);
CREATE TABLE raw_use (id {serial}, txn BIGINT NOT NULL REFERENCES raw_txn(id), lot BIGINT NOT NULL REFERENCES raw_lot(id), amount BIGINT NOT NULL);
CREATE INDEX raw_entry_account ON raw_entry(account, id);
CREATE INDEX raw_entry_txn ON raw_entry(txn);
CREATE INDEX raw_lot_open ON raw_lot(account, ends) WHERE remaining > 0;
CREATE INDEX raw_use_lot ON raw_use(lot);
CREATE INDEX raw_use_txn ON raw_use(txn);
"""
EXPIRE = (
    "INSERT INTO raw_txn (key, at) SELECT 'exp:2025-04-01:' || account, '2025-04-01' FROM raw_lot "
    "WHERE {mine} AND remaining > 0 AND ends <= '2025-04-01' GROUP BY account",
    "INSERT INTO raw_entry (txn, account, amount) SELECT t.id, l.account, -SUM(l.remaining) FROM raw_lot l "
    "JOIN raw_txn t ON t.key = 'exp:2025-04-01:' || l.account WHERE {mine} AND l.remaining > 0 AND l.ends <= '2025-04-01' "
    "GROUP BY t.id, l.account",
    "INSERT INTO raw_entry (txn, account, amount) SELECT t.id, 0, SUM(l.remaining) FROM raw_lot l "
    "JOIN raw_txn t ON t.key = 'exp:2025-04-01:' || l.account WHERE {mine} AND l.remaining > 0 AND l.ends <= '2025-04-01' "
    "GROUP BY t.id",
    "INSERT INTO raw_use (txn, lot, amount) SELECT t.id, l.id, l.remaining FROM raw_lot l "
    "JOIN raw_txn t ON t.key = 'exp:2025-04-01:' || l.account WHERE {mine} AND l.remaining > 0 AND l.ends <= '2025-04-01'",
    "UPDATE raw_account SET balance = balance - x.n FROM (SELECT account, SUM(remaining) AS n FROM raw_lot "
    "WHERE {mine} AND remaining > 0 AND ends <= '2025-04-01' GROUP BY account) AS x WHERE id = x.account",
    "UPDATE raw_lot SET remaining = 0 WHERE {mine} AND remaining > 0 AND ends <= '2025-04-01'",
)


# -- ours --------------------------------------------------------------------------------------------------------------


def _tell(what: str, done: int, of: int) -> None:
    """How far it is, ten times in all: a run of a million lots takes minutes."""
    if done * 10 // of > (done - PER_MEMBER * AT_ONCE) * 10 // of:
        print(f"  {time.perf_counter() - STARTED:4.0f} s  {what}: {done:,} of {of:,}", file=sys.stderr, flush=True)


def _adjusted(merchant: Any, members: int) -> list[int]:
    """Members to each of whom five times points were given by hand, good until one day: the books as `ask` writes them."""
    from shuke.kit import bulk
    from shuke.loyalty.actions import Ask, ask
    from shuke.loyalty.models import Wallet

    found = _books.people(merchant, members)
    for start in range(0, members, AT_ONCE):
        part = found[start : start + AT_ONCE]
        for n in range(PER_MEMBER):
            asks = [Ask(f"{m}:{n}", "adjust", m, 10 + n, expires_at=END) for m in part]
            ask(merchant=merchant, asks=asks, now=_books.BEGIN + timedelta(days=n), actor="bench")
        _tell(f"{merchant.name}: lots given", (start + len(part)) * PER_MEMBER, members * PER_MEMBER)
    bulk.learn_statistics()
    assert Wallet.objects.filter(merchant=merchant, next_expiry_at=END).count() == members
    return found


def beside(lots: int) -> int:
    """How many lots more there are, for the measurement beside a till."""
    return max(lots // 5, BESIDE)


def ours(lots: int, raw: str) -> None:
    """A night alone; then another shop's, of fewer lots, while a till gives points there."""
    _books.django()
    from shuke.loyalty.actions import lapsing, run_clock

    merchant, other = _books.shop(), _books.shop(name="Other")
    _adjusted(merchant, lots // PER_MEMBER)
    _adjusted(other, beside(lots) // PER_MEMBER)
    longest = 0.0
    real = lapsing._lapse_some

    def timed(*told: Any) -> tuple[int, int]:
        nonlocal longest
        began = time.perf_counter()
        done = real(*told)
        longest = max(longest, time.perf_counter() - began)
        return done

    lapsing._lapse_some = timed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    run_clock(merchant=merchant, now=END)
    told: dict[str, Any] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "longest": longest}
    told["memory"] = [before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
    _tell("night", lots, lots)
    at = END - timedelta(seconds=1)
    told["alone"] = _till.credits(other, at)
    told["beside a program that computes"] = _till.credits(other, at, _till.BURNER, ends=False)
    told["beside the raw statements"] = _till.credits(other, at, [sys.executable, __file__, raw, str(lots), "beside"])
    told["beside a night"] = _till.credits(other, at, [sys.executable, __file__, "night"])
    print(json.dumps(told), flush=True)


def night() -> None:
    _books.django()
    from shuke.loyalty.actions import run_clock
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(name="Other")
    _till.wait_until_told()
    run_clock(merchant=merchant, now=END)


# -- raw ---------------------------------------------------------------------------------------------------------------


def _given(n: int) -> tuple[int, int, int]:
    """In which order lots lie in the table: as points are given, to a thousand members at a time, one day after the other."""
    return n // (PER_MEMBER * AT_ONCE), n % PER_MEMBER, n


def raw_sqlite(lots: int, more: bool) -> None:
    import sqlite3

    c = sqlite3.connect(Path(os.environ["SHUKE_HOME"]) / "raw.sqlite3", isolation_level=None)
    c.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA foreign_keys=ON;"
    )
    if not more:
        _fill_sqlite(c, (lots + beside(lots)) // PER_MEMBER)
    statements = [s.format(mine="account BETWEEN ?1 AND ?2") for s in EXPIRE]

    def batch(first: int, last: int) -> None:
        c.execute("BEGIN IMMEDIATE")
        for statement in statements:
            c.execute(statement, (first, last))
        c.execute("COMMIT")

    _raw(batch, lots, more)


def _fill_sqlite(c: Any, accounts: int) -> None:
    c.executescript(TABLES.format(serial="INTEGER PRIMARY KEY"))
    c.execute("BEGIN")
    c.executemany("INSERT INTO raw_account VALUES (?, ?)", ((n, 60) for n in range(1, accounts + 1)))
    c.executemany(
        "INSERT INTO raw_txn VALUES (?, ?, '2025')", ((n, f"earn{n}") for n in range(1, accounts * PER_MEMBER + 1))
    )
    rows = [(1 + n // PER_MEMBER, 10 + n % PER_MEMBER) for n in sorted(range(accounts * PER_MEMBER), key=_given)]
    c.executemany("INSERT INTO raw_lot (account, remaining, ends) VALUES (?, ?, '2025-04-01')", rows)
    for sign, account in ((1, "?2"), (-1, "0")):
        sql = f"INSERT INTO raw_entry (txn, account, amount) VALUES (?1, {account}, {sign} * ?3)"
        c.executemany(sql, ((n, account, amount) for n, (account, amount) in enumerate(rows, 1)))
    c.execute("COMMIT")


def raw_postgres(lots: int, more: bool) -> None:
    import psycopg

    c = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    if not more:
        _fill_postgres(c, (lots + beside(lots)) // PER_MEMBER)
    statements = [s.format(mine="account BETWEEN %(a)s AND %(b)s") for s in EXPIRE]

    def batch(first: int, last: int) -> None:
        told = {"a": first, "b": last}
        with c.transaction():
            c.execute("SELECT 1 FROM raw_account WHERE id BETWEEN %(a)s AND %(b)s ORDER BY id FOR NO KEY UPDATE", told)
            for statement in statements:
                c.execute(statement, told)

    _raw(batch, lots, more)


def _fill_postgres(c: Any, accounts: int) -> None:
    c.execute(TABLES.format(serial="BIGSERIAL PRIMARY KEY"))
    c.execute(f"INSERT INTO raw_account SELECT g, 60 FROM generate_series(1, {accounts}) g")
    every = f"generate_series(0, {accounts * PER_MEMBER - 1}) g"
    c.execute(f"INSERT INTO raw_txn (key, at) SELECT 'earn' || g, '2025' FROM {every}")
    c.execute(
        f"INSERT INTO raw_lot (account, remaining, ends) SELECT 1 + g / {PER_MEMBER}, 10 + g % {PER_MEMBER}, '2025-04-01' "
        f"FROM {every} ORDER BY g / {PER_MEMBER * AT_ONCE}, g % {PER_MEMBER}, g"
    )
    c.execute("INSERT INTO raw_entry (txn, account, amount) SELECT id, account, remaining FROM raw_lot")
    c.execute("INSERT INTO raw_entry (txn, account, amount) SELECT id, 0, -remaining FROM raw_lot")
    c.execute("VACUUM ANALYZE")


def _raw(batch: Any, lots: int, more: bool) -> None:
    """All lots; or, beside a till, those that were left for it."""
    first, last = (lots // PER_MEMBER + 1, (lots + beside(lots)) // PER_MEMBER) if more else (1, lots // PER_MEMBER)
    if more:
        _till.wait_until_told()
    longest, wall, cpu = 0.0, time.perf_counter(), time.process_time()
    for account in range(first, last + 1, ACCOUNTS):
        began = time.perf_counter()
        batch(account, min(account + ACCOUNTS - 1, last))
        longest = max(longest, time.perf_counter() - began)
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "longest": longest}))


# -- the run -----------------------------------------------------------------------------------------------------------


def _part(env: dict[str, str], *told: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, *told], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"{told[0]}: not through")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _compare(engine: str, lots: int, env: dict[str, str], raw: str) -> None:
    print(f"\n{engine}, {lots:,} lots of {lots // PER_MEMBER:,} members", flush=True)
    hand, mine = _part(env, raw, str(lots)), _part(env, "ours", str(lots), raw)
    print(f"{'':<8}{'lots/s':>10}{'CPU s':>10}{'longest lock ms':>18}")
    for name, told in (("raw", hand), ("shuke", mine)):
        print(f"{name:<8}{lots / told['wall']:>10,.0f}{told['cpu']:>10.1f}{told['longest'] * 1000:>18.0f}")
    print(f"{hand['wall'] / mine['wall']:.2f} x raw (asked: at least 0.5); locks asked: at most 500 ms")
    print(
        "peak memory of the process {:.0f} MB before the night, {:.0f} after it".format(*mine.pop("memory")), flush=True
    )
    _till.show({name: took for name, took in mine.items() if isinstance(took, list)})


def main(lots: int) -> None:
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder:
        _compare("SQLite", lots, {"SHUKE_HOME": folder, "DATABASE_URL": ""}, "raw_sqlite")
    if binaries() is None:
        print("\nPostgreSQL: left out, there is none on this machine (apt-get install postgresql).")
        return
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder, postgres() as url:
        _compare("PostgreSQL", lots, {"SHUKE_HOME": folder, "DATABASE_URL": url}, "raw_postgres")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ours", lots, raw]:
            ours(int(lots), raw)
        case [("raw_sqlite" | "raw_postgres") as part, lots, *more]:
            globals()[part](int(lots), bool(more))
        case ["night"]:
            night()
        case told:
            main(int(told[0]) if told else 1_000_000)
