"""One credit of points per call, durable: the service call beside raw SQL and, on PostgreSQL, django-hordak.

Raw: one transaction row with a unique key, two entries with their references checked, one balance of 100,000, by hand-written
statements, as the trust goals define a posting. Ours writes the same and
a lot with expiry, an explanation, a running number and balance per leg, and answers from the books when asked again. So on
SQLite a third stands beside: by hand, on our tables with all their indexes and rules, the very rows a credit of ours writes. Rounds
are interleaved and rates are medians, so that a noisy neighbour hits all alike. P1 and P2 of the trust goals.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from _disk import slower, sync_us

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = int(os.environ.get("BENCH_MEMBERS", "100000"))
SECONDS, ROUNDS = float(os.environ.get("BENCH_SECONDS", "4")), int(os.environ.get("BENCH_ROUNDS", "3"))
NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
SLOWER = 400  # µs: to what the quickest consumer SSD takes for a sync, see _disk


def _count(credit, name: str) -> None:
    """Call `credit` until the time is up; print how often. A till that has just been switched on is not what is measured."""
    warm = time.perf_counter() + SECONDS / 4
    while time.perf_counter() < warm:
        credit()
    start, cpu, done = time.perf_counter(), time.process_time(), 0
    end = start + SECONDS
    while time.perf_counter() < end:
        credit()
        done += 1
    wall = time.perf_counter() - start
    print(f"{name} {done / wall:.1f} {(time.process_time() - cpu) / done * 1e6:.0f}", flush=True)


# -- ours --------------------------------------------------------------------------------------------------------------


def shuke_setup() -> None:
    _django()
    from django.core.management import call_command

    from shuke.engine.charter import document
    from shuke.loyalty import actions
    from shuke.members.models import Member
    from shuke.shops.actions import create_merchant

    call_command("migrate", verbosity=0)
    merchant = create_merchant(name="Bench", zone="Asia/Shanghai", currency="CNY", now=NOW)
    actions.publish_charter(
        merchant=merchant,
        charter=document.ready("general"),
        effective_from=NOW - timedelta(days=1),
        now=NOW,
        actor="bench",
    )
    Member.objects.bulk_create(Member(merchant=merchant, card=f"{n:08d}", joined_at=NOW) for n in range(MEMBERS))
    members = list(Member.objects.values_list("id", flat=True))
    for start in range(0, MEMBERS, 2000):
        asks = [actions.Ask(f"open{m}", "opening", m, 10) for m in members[start : start + 2000]]
        actions.ask(merchant=merchant, asks=asks, now=NOW, actor="bench")


def shuke() -> None:
    _django()
    from shuke.loyalty.actions import Ask, ask
    from shuke.members.models import Member
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get()
    members = list(Member.objects.values_list("id", flat=True))
    begun = float(os.environ["BENCH_BEGUN"])  # all tills of all rounds read one clock

    def credit() -> None:
        now = NOW + timedelta(seconds=time.time() - begun)
        one = Ask(uuid.uuid4().hex, "adjust", random.choice(members), random.randint(1, 500))
        assert ask(merchant=merchant, asks=[one], now=now, actor="bench")[0].done

    _count(credit, "shuke")


def _django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "shuke.settings"
    import django

    django.setup()


# -- raw ---------------------------------------------------------------------------------------------------------------

TABLES = """
CREATE TABLE raw_account (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0));
CREATE TABLE raw_txn (id {serial}, key TEXT NOT NULL UNIQUE, at TEXT NOT NULL);
CREATE TABLE raw_entry (id {serial}, txn BIGINT NOT NULL REFERENCES raw_txn(id), account BIGINT NOT NULL, amount BIGINT NOT NULL);
CREATE INDEX raw_entry_account ON raw_entry(account, id);
CREATE INDEX raw_entry_txn ON raw_entry(txn);
"""


def _raw_sqlite() -> sqlite3.Connection:
    c = sqlite3.connect(os.environ["RAW_FILE"], isolation_level=None, timeout=30)
    c.execute("PRAGMA journal_mode=WAL")
    c.execute("PRAGMA synchronous=FULL")
    c.execute("PRAGMA foreign_keys=ON")
    return c


def raw_sqlite_setup() -> None:
    c = _raw_sqlite()
    c.executescript(TABLES.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT"))
    c.execute("BEGIN")
    c.executemany("INSERT INTO raw_account VALUES (?, 0)", [(n,) for n in range(MEMBERS + 1)])
    c.execute("COMMIT")


def raw_sqlite() -> None:
    c = _raw_sqlite()

    def credit() -> None:
        member, amount = random.randint(1, MEMBERS), random.randint(1, 500)
        c.execute("BEGIN IMMEDIATE")
        txn = c.execute("INSERT INTO raw_txn (key, at) VALUES (?, ?)", (uuid.uuid4().hex, "2026")).lastrowid
        c.execute("INSERT INTO raw_entry (txn, account, amount) VALUES (?, ?, ?)", (txn, member, amount))
        c.execute("INSERT INTO raw_entry (txn, account, amount) VALUES (?, 0, ?)", (txn, -amount))
        c.execute("UPDATE raw_account SET balance = balance + ? WHERE id = ?", (amount, member))
        c.execute("COMMIT")

    _count(credit, "raw")


def same_rows() -> None:
    """By hand what a credit of ours reads and writes, on the tables `shuke_setup` made, and nothing around it."""
    c = sqlite3.connect(f"{os.environ['SHUKE_HOME']}/shuke.sqlite3", isolation_level=None, timeout=30)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        c.execute(f"PRAGMA {pragma}")
    (merchant,) = c.execute("SELECT id FROM shops_merchant").fetchone()
    members = [m for (m,) in c.execute("SELECT id FROM members_member")]
    last = max(c.execute(f"SELECT MAX(id) FROM loyalty_{t}").fetchone()[0] for t in ("txn", "entry", "lot"))
    begun = float(os.environ["BENCH_BEGUN"])

    def credit() -> None:
        nonlocal last
        last += 4
        member, amount, key, txn = random.choice(members), random.randint(1, 500), uuid.uuid4().hex, last - 3
        now = str((NOW + timedelta(seconds=time.time() - begun)).replace(tzinfo=None))
        c.execute("BEGIN IMMEDIATE")
        head = c.execute(HEAD, (merchant, member)).fetchall()
        c.execute(KNOWN, (key, merchant)).fetchall()
        balance, seq, event = head[0][1] + amount, head[0][4] + 1, f"adjust:{key}"
        outcome = (
            f'{{"request":{{"amount":{amount}}},"answer":{{"done":true,"code":"","figures":{{"amount":{amount}}}}}}}'
        )
        c.execute(
            TXN, (txn, merchant, key, os.urandom(16), member, event, "adjust", now, now, "bench", 1, "[]", outcome)
        )
        legs = ((txn + 1, None, "adjusted", -amount, None, None), (txn + 2, member, "member", amount, seq, balance))
        c.executemany(ENTRY, [(entry, merchant, txn, *leg) for entry, *leg in legs])
        lot = (txn + 3, merchant, member, event, txn, amount, amount, 0, now, now, "2027-06-30 16:00:00", 1_000_000)
        c.execute(LOT, lot)
        c.execute(WALLET, (balance, seq, now, member))
        c.execute("COMMIT")

    _count(credit, "same")


HEAD = """SELECT w.member_id, w.balance, w.held, w.debt, w.seq, w.tier, w.next_expiry_at, w.settled_to, w.next_review_at,
    w.standing, w.birthdays, m.joined_at, m.birth_month, m.birth_day, m.birth_lunar, m.frozen_at, m.merged_into_id
    FROM loyalty_wallet w JOIN members_member m ON m.id = w.member_id WHERE +w.merchant_id = ? AND w.member_id = ?"""
KNOWN = """SELECT c.id, c.effective_from, c.version, t.key, t.payload, t.outcome, t.member_id FROM loyalty_charter c
    LEFT JOIN loyalty_txn t ON t.merchant_id = c.merchant_id AND t.key = ? WHERE c.merchant_id = ?"""
TXN = """INSERT INTO loyalty_txn (id, merchant_id, key, payload, member_id, event, kind, at, posted_at, actor,
    charter_version, why, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
ENTRY = """INSERT INTO loyalty_entry (id, merchant_id, txn_id, member_id, account, amount, seq, balance_after)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
LOT = """INSERT INTO loyalty_lot (id, merchant_id, member_id, key, txn_id, granted, remaining, held, earned_at, available_at,
    expires_at, cost_micro) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
WALLET = "UPDATE loyalty_wallet SET balance = ?, seq = ?, settled_to = ? WHERE member_id = ?"


def raw_postgres_setup() -> None:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as c:
        c.execute(TABLES.format(serial="BIGSERIAL PRIMARY KEY"))
        c.execute(f"INSERT INTO raw_account SELECT g, 0 FROM generate_series(0, {MEMBERS}) g")


def raw_postgres() -> None:
    import psycopg

    c = psycopg.connect(os.environ["DATABASE_URL"])

    def credit() -> None:
        member, amount = random.randint(1, MEMBERS), random.randint(1, 500)
        with c.transaction():
            txn = c.execute(
                "INSERT INTO raw_txn (key, at) VALUES (%s, '2026') RETURNING id", (uuid.uuid4().hex,)
            ).fetchone()[0]
            c.execute("INSERT INTO raw_entry (txn, account, amount) VALUES (%s, %s, %s)", (txn, member, amount))
            c.execute("INSERT INTO raw_entry (txn, account, amount) VALUES (%s, 0, %s)", (txn, -amount))
            c.execute("UPDATE raw_account SET balance = balance + %s WHERE id = %s", (amount, member))

    _count(credit, "raw")


# -- peer --------------------------------------------------------------------------------------------------------------


def _hordak():
    import django
    from django.conf import settings

    from shuke.settings import DATABASES

    settings.configure(
        DATABASES=DATABASES,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak"],
        USE_TZ=True,
        SECRET_KEY="bench",
        DEFAULT_CURRENCY="EUR",
        CURRENCIES=["EUR"],
        HORDAK_DECIMAL_PLACES=0,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def hordak_setup() -> None:
    _hordak()
    from django.core.management import call_command
    from hordak.models import Account

    call_command("migrate", verbosity=0)
    for n in range(10):
        Account.objects.create(name=f"programme {n}", code=f"1{n:04d}", type="EX", currencies=["EUR"])
    for n in range(min(MEMBERS, 1000)):  # each takes it some milliseconds; fewer are no harm to it
        Account.objects.create(name=f"member {n}", code=f"2{n:04d}", type="LI", currencies=["EUR"])


def hordak() -> None:
    _hordak()
    from django.db import transaction
    from hordak.models import Account, Leg, Transaction
    from moneyed import Money

    shop = list(Account.objects.filter(code__startswith="1"))
    members = list(Account.objects.filter(code__startswith="2"))

    def credit() -> None:
        amount = Money(random.randint(1, 500), "EUR")
        with transaction.atomic():
            booked = Transaction.objects.create()
            Leg.objects.create(transaction=booked, account=random.choice(members), credit=amount)
            Leg.objects.create(transaction=booked, account=random.choice(shop), debit=amount)

    _count(credit, "hordak")


# -- the run -----------------------------------------------------------------------------------------------------------


def _start(part: str, env: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, __file__, part], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )


def _setup(part: str, env: dict[str, str]) -> None:
    if _start(part, env).wait():
        raise SystemExit(f"{part} failed")


def _round(part: str, workers: int, env: dict[str, str]) -> tuple[float, float]:
    """(rate of all workers together, CPU µs of one call in its worker)."""
    running = [_start(part, env) for _ in range(workers)]
    told = [p.communicate()[0].split() for p in running]
    if any(p.returncode for p in running):
        raise SystemExit(f"{part} failed")
    return sum(float(t[1]) for t in told), statistics.median(float(t[2]) for t in told)


def _compare(title: str, parts: dict[str, str], workers: int, envs: dict[str, dict[str, str]]) -> None:
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(ROUNDS):
        for name, part in parts.items():
            rates[name].append(_round(part, workers, envs[name]))
    base = [rate for rate, _ in rates["raw"]]
    print(f"\n{title}\n{'':<10}{'per s':>10}{'CPU µs':>10}{'× raw':>10}")
    for name, told in rates.items():
        ratio = statistics.median(rate / raw for (rate, _), raw in zip(told, base, strict=True))
        print(f"{name:<10}{statistics.median(r for r, _ in told):>10.0f}{min(c for _, c in told):>10.0f}{ratio:>10.2f}")
    for other in ("same rows", "hordak"):
        if other not in rates:
            continue
        ratio = statistics.median(a / b for (a, _), (b, _) in zip(rates["shuke"], rates[other], strict=True))
        print(f"shuke ÷ {other} {ratio:.2f}")


def main() -> None:
    os.environ["BENCH_BEGUN"] = str(time.time())
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder, ExitStack() as stack:
        home = {"SHUKE_HOME": folder, "DATABASE_URL": "", "PYTHONPATH": str(ROOT / "src")}
        _setup("shuke_setup", home)
        raw = {**home, "RAW_FILE": f"{folder}/raw.sqlite3"}
        _setup("raw_sqlite_setup", raw)
        # As a shop's server does all day: while a database is open its log stays and is written over; the last to close
        # it takes the log away, and every round would begin with a log that grows, which is dear on a journalling disk.
        for file in (f"{folder}/shuke.sqlite3", raw["RAW_FILE"]):
            kept_open = sqlite3.connect(file)
            kept_open.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
            stack.callback(kept_open.close)
        parts = {"raw": "raw_sqlite", "same rows": "same_rows", "shuke": "shuke"}
        envs = {"raw": raw, "same rows": home, "shuke": home}
        title = "SQLite, WAL, synchronous=FULL, one writer (asked: shuke at least 0.5 × raw)"
        _compare(f"{title}; a sync here takes {sync_us(folder):.0f} µs", parts, 1, envs)
        if disk := slower(folder, SLOWER):
            late = {name: env | disk for name, env in envs.items()}
            _compare(f"The same where a sync takes {SLOWER} µs longer", parts, 1, late)
    from _postgres import binaries, postgres

    if binaries() is None:
        print("\nPostgreSQL: left out, there is none on this machine (apt-get install postgresql).")
        return
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder, postgres() as url:
        env = {"SHUKE_HOME": folder, "DATABASE_URL": url, "PYTHONPATH": str(ROOT / "src")}
        _setup("shuke_setup", env)
        _setup("raw_postgres_setup", env)
        parts = {"raw": "raw_postgres", "shuke": "shuke"}
        envs = dict.fromkeys(("raw", "shuke", "hordak"), env)
        try:
            import hordak as _  # noqa: F401

            with_peer = True
        except ImportError:
            with_peer = False
            print("\ndjango-hordak is not installed: the peer is left out (pip install django-hordak).")
        if with_peer:
            with postgres() as other:
                envs["hordak"] = {**env, "DATABASE_URL": other}
                _setup("hordak_setup", envs["hordak"])
                _compare(
                    "PostgreSQL, durable, 8 workers (asked: shuke at least 0.3 × raw and 1.3 × hordak)",
                    {**parts, "hordak": "hordak"}, 8, envs,
                )  # fmt: skip
        else:
            _compare("PostgreSQL, durable, 8 workers (asked: shuke at least 0.3 × raw)", parts, 8, envs)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        globals()[sys.argv[1]]()
    else:
        main()
