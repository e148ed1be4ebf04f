"""Spends that use up lots, oldest expiry first: the service call beside raw SQL doing the same. P4.

Raw: hand-written statements: lock the account, read its open lots in the order of expiry, lower them, write the uses, a
posting with a unique key, two legs, the balance. Ours writes the same with running numbers and balances, answer and hash of the
request, judges what is available, and moves the member's standing on. Each spend takes one or two of a member's twelve lots. Rounds are
interleaved and rates are medians. Asked: at least 0.4 x raw on SQLite (synchronous=FULL, one writer) and PostgreSQL (durable, 8 workers).
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

import ledger
from _postgres import binaries, postgres
from ledger import NOW

ROOT = Path(__file__).resolve().parent.parent
ledger.MEMBERS = MEMBERS = 1000
LOTS, EACH = 12, 100_000  # a member's lots, as of twelve month ends; they last to the end of all rounds
TABLES = (
    ledger.TABLES
    + """
CREATE TABLE raw_lot (id {serial}, account BIGINT NOT NULL, remaining BIGINT NOT NULL CHECK (remaining >= 0), ends TEXT NOT NULL);
CREATE TABLE raw_use (id {serial}, txn BIGINT NOT NULL REFERENCES raw_txn(id), lot BIGINT NOT NULL REFERENCES raw_lot(id), amount BIGINT NOT NULL);
CREATE INDEX raw_lot_open ON raw_lot(account, ends) WHERE remaining > 0;
CREATE INDEX raw_use_lot ON raw_use(lot);
CREATE INDEX raw_use_txn ON raw_use(txn);
"""
)


def _amount() -> int:
    return EACH // 10 + random.randrange(EACH // 10)


def shuke_setup() -> None:
    ledger.shuke_setup()
    from shuke.loyalty import actions
    from shuke.members.models import Member
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get()
    members = list(Member.objects.values_list("id", flat=True))
    for n in range(LOTS):
        ends = NOW + timedelta(days=30 + n)
        asks = [actions.Ask(f"lot{n}:{m}", "adjust", m, EACH, expires_at=ends) for m in members]
        actions.ask(merchant=merchant, asks=asks, now=NOW, actor="bench")


def shuke() -> None:
    ledger._django()
    from shuke.loyalty.actions import Ask, ask
    from shuke.members.models import Member
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get()
    members = list(Member.objects.values_list("id", flat=True))
    begun = float(os.environ["BENCH_BEGUN"])

    def spend() -> None:
        now = NOW + timedelta(seconds=time.time() - begun)
        one = Ask(uuid.uuid4().hex, "burn", random.choice(members), _amount())
        assert ask(merchant=merchant, asks=[one], now=now, actor="bench")[0].done  # a refusal would be no spend

    ledger._count(spend, "shuke")


def raw_sqlite() -> None:
    import sqlite3

    fresh = not Path(os.environ["RAW_FILE"]).exists()
    c = sqlite3.connect(os.environ["RAW_FILE"], isolation_level=None, timeout=30)
    c.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
    if fresh:
        c.executescript(TABLES.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT"))
        c.execute("BEGIN")
        rows = [(m, EACH, f"2026-{n:03d}") for m in range(1, MEMBERS + 1) for n in range(LOTS)]
        c.executemany("INSERT INTO raw_lot (account, remaining, ends) VALUES (?, ?, ?)", rows)
        c.executemany("INSERT INTO raw_account VALUES (?, ?)", [(n, n and EACH * LOTS) for n in range(MEMBERS + 1)])
        c.execute("COMMIT")

    def spend() -> None:
        member, amount = random.randint(1, MEMBERS), _amount()
        c.execute("BEGIN IMMEDIATE")
        open_lots = c.execute(_OPEN.format("?"), (member,)).fetchall()
        assert sum(n for _, n in open_lots) >= amount
        sql = "INSERT INTO raw_txn (key, at) VALUES (?, ?)"
        txn = c.execute(sql, (uuid.uuid4().hex, "2026")).lastrowid
        taken = _fifo(open_lots, amount)
        c.executemany("UPDATE raw_lot SET remaining = remaining - ? WHERE id = ?", [(x, lot) for lot, x in taken])
        c.executemany("INSERT INTO raw_use (txn, lot, amount) VALUES (?, ?, ?)", [(txn, lot, x) for lot, x in taken])
        legs = [(txn, member, -amount), (txn, 0, amount)]
        c.executemany("INSERT INTO raw_entry (txn, account, amount) VALUES (?, ?, ?)", legs)
        c.execute("UPDATE raw_account SET balance = balance - ? WHERE id = ?", (amount, member))
        c.execute("COMMIT")

    ledger._count(spend, "raw")


_OPEN = "SELECT id, remaining FROM raw_lot WHERE account = {} AND remaining > 0 ORDER BY ends, id"


def _fifo(open_lots: list[tuple[int, int]], amount: int) -> list[tuple[int, int]]:
    taken = []
    for lot, left in open_lots:
        x = min(left, amount)
        taken.append((lot, x))
        amount -= x
        if not amount:
            break
    return taken


def raw_postgres_setup() -> None:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as c:
        c.execute(TABLES.format(serial="BIGSERIAL PRIMARY KEY"))
        c.execute(f"INSERT INTO raw_account SELECT g, {EACH * LOTS} FROM generate_series(0, {MEMBERS}) g")
        c.execute(
            f"INSERT INTO raw_lot (account, remaining, ends) SELECT m, {EACH}, '2026-' || n "
            f"FROM generate_series(1, {MEMBERS}) m, generate_series(1, {LOTS}) n"
        )


def raw_postgres() -> None:
    import psycopg

    c = psycopg.connect(os.environ["DATABASE_URL"])

    def spend() -> None:
        member, amount = random.randint(1, MEMBERS), _amount()
        with c.transaction():
            c.execute("SELECT 1 FROM raw_account WHERE id = %s FOR NO KEY UPDATE", (member,))
            open_lots = c.execute(_OPEN.format("%s"), (member,)).fetchall()
            assert sum(n for _, n in open_lots) >= amount
            sql = "INSERT INTO raw_txn (key, at) VALUES (%s, '2026') RETURNING id"
            (txn,) = c.execute(sql, (uuid.uuid4().hex,)).fetchone()  # type: ignore[misc]
            for lot, x in _fifo(open_lots, amount):
                c.execute("UPDATE raw_lot SET remaining = remaining - %s WHERE id = %s", (x, lot))
                c.execute("INSERT INTO raw_use (txn, lot, amount) VALUES (%s, %s, %s)", (txn, lot, x))
            for account, x in ((member, -amount), (0, amount)):
                c.execute("INSERT INTO raw_entry (txn, account, amount) VALUES (%s, %s, %s)", (txn, account, x))
            c.execute("UPDATE raw_account SET balance = balance - %s WHERE id = %s", (amount, member))

    ledger._count(spend, "raw")


def main() -> None:
    ledger.__file__ = __file__  # its rounds start the parts of this file
    os.environ["BENCH_BEGUN"] = str(time.time())
    parts = {"raw": "raw_sqlite", "shuke": "shuke"}
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder:
        home = {"SHUKE_HOME": folder, "DATABASE_URL": "", "PYTHONPATH": str(ROOT / "src")}
        ledger._setup("shuke_setup", home)
        raw = {**home, "RAW_FILE": f"{folder}/raw.sqlite3"}
        title = "SQLite, WAL, synchronous=FULL, one writer (asked: shuke at least 0.4 x raw)"
        ledger._compare(title, parts, 1, {"raw": raw, "shuke": home})
    if binaries() is None:
        print("\nPostgreSQL: left out, there is none on this machine (apt-get install postgresql).")
        return
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder, postgres() as url:
        env = {"SHUKE_HOME": folder, "DATABASE_URL": url, "PYTHONPATH": str(ROOT / "src")}
        ledger._setup("shuke_setup", env)
        ledger._setup("raw_postgres_setup", env)
        title = "PostgreSQL, durable, 8 workers (asked: shuke at least 0.4 x raw)"
        ledger._compare(title, {**parts, "raw": "raw_postgres"}, 8, {"raw": env, "shuke": env})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        globals()[sys.argv[1]]()
    else:
        main()
