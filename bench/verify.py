"""`shuke ledger verify` of books with 1,000,000 legs: every invariant, the hash chain, every member folded anew. P7.

The books are made by the public actions, in bulk (bench/_books.py): orders over 500 days, some given back, a night in which points lapse,
spends, the seal. Raw: the arithmetic alone (legs of each posting, of each member, all of them; orphans), by hand-written SQL.
Asked: at most 15 s on 2 cores and less than 700 MB in any process.

    .venv/bin/python bench/verify.py [LEGS]
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time

import _books
from _postgres import binaries, postgres

RAW = (
    "SELECT txn_id FROM loyalty_entry GROUP BY txn_id HAVING SUM(amount) <> 0",
    "SELECT e.id FROM loyalty_entry e LEFT JOIN loyalty_txn t ON t.id = e.txn_id WHERE t.id IS NULL",
    "SELECT member_id FROM (SELECT member_id, balance AS n FROM loyalty_wallet UNION ALL SELECT member_id, -amount "
    "FROM loyalty_entry WHERE account = 'member') AS x GROUP BY member_id HAVING SUM(n) <> 0",
    "SELECT SUM(amount) FROM loyalty_entry HAVING SUM(amount) <> 0",
)


def main(legs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder:
        _run("SQLite", {"SHUKE_HOME": folder, "DATABASE_URL": ""}, legs)
    if binaries() is None:
        print("PostgreSQL: left out, there is none on this machine (apt-get install postgresql).")
        return
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder, postgres() as url:
        _run("PostgreSQL", {"SHUKE_HOME": folder, "DATABASE_URL": url}, legs)


def _run(engine: str, env: dict[str, str], legs: int) -> None:
    """Each engine in a process of its own, whose children are those of the measurement."""
    child = os.fork()
    if not child:
        os.environ.update(env)
        _measure(engine, legs)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"{engine}: not through")


def _measure(engine: str, legs: int) -> None:
    _books.django()
    from shuke.kit import bulk
    from shuke.loyalty import queries

    merchant = _books.shop()
    began = time.perf_counter()
    orders = _books.live(merchant, legs)
    bulk.learn_statistics()
    print(f"\n{engine}: {orders:,} orders booked in {time.perf_counter() - began:.0f} s", flush=True)
    began = time.perf_counter()
    assert not [row for sql in RAW for row in bulk.select(sql, [])]
    raw = time.perf_counter() - began
    began = time.perf_counter()
    report = queries.verify(merchant)
    whole, cpu = time.perf_counter() - began, _cpu()
    assert report.ok, report.findings
    print(", ".join(f"{n:,} {what}" for what, n in report.figures.items()))
    print(f"{'arithmetic alone, raw SQL':<44}{raw:>7.1f} s")
    print(f"{'all invariants, chain, every member folded':<44}{whole:>7.1f} s   asked ≤ 15 s for 1,000,000 legs")
    print(f"{'processor time, all processes':<44}{cpu:>7.1f} s")
    print(f"{'largest process':<44}{_largest():>7.0f} MB  asked < 700 MB", flush=True)


def _cpu() -> float:
    """Of the children alone: they do the work, this process has made the books."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
