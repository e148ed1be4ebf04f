"""Orders in through the public path, with a charter of 5 rules and with none, beside raw SQL writing the same rows.

Raw: prepared INSERTs of the very same orders, lines, members and, for the charter, postings, entries, lots, uses and
timeline lines, read back from the database that the public path has filled; same schema, same settings, chunks of the
same size. P3 of the trust goals: at least 0.5x with rules off, 0.15x with 5 rules on; the same again at least twice as fast.
Rounds are interleaved and figures are medians of processor seconds, so that a noisy neighbour hits all alike.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDERS = int(os.environ.get("BENCH_ORDERS", "20000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CHUNK, LINES, MEMBERS = 5_000, 5, 2_500
NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
SKIPPED = {"loyalty_charter", "shops_merchant", "shops_store"}
CHARTER = {
    "name": {"zh": "章程", "en": "Charter"},
    "currency": "CNY",
    "points": {"pending_days": 7, "expiry": {"kind": "months", "months": 12, "to_month_end": True}},
    "tiers": [
        {"key": "member", "name": {"zh": "普通", "en": "Member"}},
        {
            "key": "gold",
            "name": {"zh": "金卡", "en": "Gold"},
            "multiplier": "1.5",
            "reach": {"any": [{"measure": "amount", "at_least": 2000}, {"measure": "orders", "at_least": 8}]},
        },
    ],
    "grading": {
        "window": {"kind": "rolling", "months": 12},
        "review": {"kind": "after_months", "months": 12},
        "grace_days": 7,
    },
    "earning": [
        {"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"},
        {"key": "care", "name": {"zh": "护肤", "en": "Care"}, "kind": "per_amount", "when": {"categories": ["护肤"]}},
        {"key": "first", "name": {"zh": "首单", "en": "First"}, "kind": "fixed", "points": 20,
         "when": {"first_purchase": True}},
        {"key": "day", "name": {"zh": "会员日", "en": "Day"}, "kind": "multiply", "times": 2,
         "when": {"month_days": [8]}},
        {"key": "big", "name": {"zh": "满额", "en": "Big"}, "kind": "fixed", "points": 10,
         "when": {"min_amount": 300}, "caps": {"per_month": 20}},
    ],
}  # fmt: skip


def statements():  # type: ignore[no-untyped-def] # list[facts.Order]; engine is importable only after the path is set
    """The same orders every time, in the order of their payment."""
    import random

    from shuke.engine import facts

    rng = random.Random(1)
    people = [
        facts.Person(claims=(facts.Claim(facts.IdentityKind.NICKNAME, f"买家{n}", "taobao"),), nickname=f"买家{n}")
        for n in range(MEMBERS)
    ]
    found = []
    step = timedelta(days=365) / ORDERS
    for n in range(ORDERS):
        at = BEGIN + step * n
        lines = tuple(
            facts.Line(f"商品{g}", 1000, amount, f"G{g}", category="护肤/面霜" if g % 3 else "彩妆/口红")
            for g, amount in ((rng.randrange(3000), rng.randrange(900, 9000)) for _ in range(LINES))
        )
        paid = sum(line.amount_minor for line in lines)
        found.append(
            facts.Order(
                "taobao", "bench", str(10_000_000 + n), facts.OrderStatus.FINISHED, at, at, None, at, goods_minor=paid,
                discount_minor=0, freight_minor=0, paid_minor=paid, lines=lines, person=people[rng.randrange(MEMBERS)],
                stated_at=NOW,
            )
        )  # fmt: skip
    return found


def public(home: str, rules: bool) -> None:
    """Fill a fresh database through flows.take_orders, then say the same again; print processor seconds of both."""
    _django(home)
    from django.core.management import call_command

    from shuke.engine.charter import document
    from shuke.flows.take_orders import take_orders
    from shuke.loyalty import actions
    from shuke.shops.actions import create_merchant

    call_command("migrate", verbosity=0)
    merchant = create_merchant(name="Bench", zone="Asia/Shanghai", currency="CNY", now=NOW)
    if rules:
        charter = document.from_plain(CHARTER)
        actions.publish_charter(merchant=merchant, charter=charter, effective_from=BEGIN, now=NOW, actor="bench")
    orders = statements()
    gc.collect()
    gc.freeze()  # a file streams; only here do all statements lie in memory, and the collector would walk them again and again
    for _ in range(2):
        wall, cpu = time.perf_counter(), time.process_time()
        same = 0
        for start in range(0, ORDERS, CHUNK):
            same += take_orders(merchant=merchant, orders=orders[start : start + CHUNK], now=NOW, actor="bench").same
        print(f"{time.process_time() - cpu:.3f} {time.perf_counter() - wall:.3f} {same}", flush=True)


def raw(home: str, target: str) -> None:
    """Write the rows of one database into another with nothing but prepared INSERTs; print processor seconds."""
    _django(target)
    from django.core.management import call_command
    from django.db import connection, transaction

    call_command("migrate", verbosity=0)
    import sqlite3

    source = sqlite3.connect(Path(home) / "shuke.sqlite3")
    names = [
        t for t in connection.introspection.table_names()
        if t.split("_")[0] in ("shops", "members", "orders", "loyalty")
    ]  # fmt: skip
    tables = {t: source.execute(f'SELECT * FROM "{t}"').fetchall() for t in names}
    tables = {t: rows for t, rows in tables.items() if rows}
    gc.collect()
    gc.freeze()
    wall, cpu, written = 0.0, 0.0, 0
    for table in _parents_first(source, tables):
        rows = tables[table]
        marks = ", ".join(["%s"] * len(rows[0]))
        began, began_cpu = time.perf_counter(), time.process_time()
        size = max(len(rows) * CHUNK // ORDERS, 1)  # as many transactions as the public path has chunks
        for start in range(0, len(rows), size):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows[start : start + size])
        if table not in SKIPPED:
            wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - began_cpu
            written += len(rows)
    print(f"{cpu:.3f} {wall:.3f} {written}", flush=True)


def _parents_first(source, tables) -> list[str]:  # type: ignore[no-untyped-def]
    """Tables so that what a foreign key points to is there before it."""
    order: list[str] = []

    def visit(table: str) -> None:
        if table in order or table not in tables:
            return
        for row in source.execute(f'PRAGMA foreign_key_list("{table}")'):
            if row[2] != table:
                visit(row[2])
        order.append(table)

    for table in tables:
        visit(table)
    return order


def _django(home: str) -> None:
    os.environ["SHUKE_HOME"] = home
    os.environ["DJANGO_SETTINGS_MODULE"] = "shuke.settings"
    os.environ.pop("DATABASE_URL", None)
    sys.path.insert(0, str(ROOT / "src"))
    import django

    django.setup()


def _measure(*arguments: str) -> list[tuple[float, float, int]]:
    """Run one part in a process of its own: processor seconds, wall seconds and a count per line it prints."""
    told = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True).stdout
    return [(float(c), float(w), int(n)) for c, w, n in (line.split() for line in told.splitlines())]


def main() -> None:
    found: dict[str, list[float]] = {}
    rows = {}
    for _ in range(ROUNDS):
        for name, rules in (("rules off", "off"), ("5 rules", "on")):
            with tempfile.TemporaryDirectory(prefix="bench-import-") as one, tempfile.TemporaryDirectory() as other:
                first, again = _measure("public", one, rules)
                assert again[2] == ORDERS, "the same again must be the same"
                (limit,) = _measure("raw", one, other)
            rows[name] = limit[2]
            for part, figure in (("first", first), ("again", again), ("raw", limit)):
                found.setdefault(f"{name} {part}", []).append(figure[0])
    cpu = {name: statistics.median(values) for name, values in found.items()}
    print(
        f"{ORDERS:,} orders of {LINES} lines, {MEMBERS:,} members, SQLite synchronous=FULL; processor seconds, median of {ROUNDS}"
    )
    print(
        f"{'':12}{'public':>9}{'again':>9}{'raw':>9}{'rows':>11}{'orders/s':>10}{'ratio':>8}{'goal':>7}{'again':>8}{'goal':>7}"
    )
    for name, goal in (("rules off", 0.5), ("5 rules", 0.15)):
        ours, again, limit = (cpu[f"{name} {part}"] for part in ("first", "again", "raw"))
        print(
            f"{name:12}{ours:9.2f}{again:9.2f}{limit:9.2f}{rows[name]:11,}{ORDERS / ours:10,.0f}"
            f"{limit / ours:7.2f}x{goal:6.2f}x{ours / again:7.1f}x{2:6.1f}x"
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["public", home, rules]:
            public(home, rules == "on")
        case ["raw", home, target]:
            raw(home, target)
        case _:
            main()
