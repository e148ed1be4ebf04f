"""What the goods of a long history cost in memory and CPU: sales by months, first baskets, pairs, due again, likeness, ladder, check.

    .venv/bin/python bench/goods.py [--lines 4000000] [--lines 20000000]

The made-up history of bench/insight.py (ten lines a member), with 5,000 products of which the 3,000 with most buyers are looked at, in a
process of its own; no database is asked, so that what is told is of the analyses. Beside it the raw limit: the columns themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
STRETCH = 30  # days read at once
PRODUCTS = 5_000  # by Zipf, whoever buys: likeness is as dense as it can be


def peak() -> float:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def computed(folder: Path) -> dict:
    import duckdb
    import numpy as np

    from shuke.engine.insight.goods import again, check, fresh, ladder, opening, sales, selling, together

    begun, before = time.process_time(), peak()
    with duckdb.connect(config={"memory_limit": "400MB", "threads": 2, "temp_directory": str(folder)}) as connection:
        flat = f"read_parquet('{folder}/flat.parquet')"
        row = connection.execute(f"SELECT MIN(day), MAX(day), COUNT(*) FROM {flat}").fetchone()
        assert row is not None
        first, last, lines = row

        dice = np.random.default_rng(8)
        share = np.cumsum(1 / np.arange(1, PRODUCTS + 1) ** 0.9)

        def parts() -> Iterator[sales.Sales]:
            for day in range(first, last + 1, STRETCH):
                rows = connection.execute(
                    f"SELECT order_id, member, day, amount FROM {flat} WHERE day BETWEEN ? AND ?",
                    [day, day + STRETCH - 1],
                ).fetchnumpy()
                order, member, days, amount = (np.ma.getdata(column) for column in rows.values())
                product = np.searchsorted(share, dice.random(order.size) * share[-1]) + 1
                yield sales.sales(order, member, days, product, amount)

        sold = sales.joined(list(parts())).most(3_000)
    read = peak()
    splits = check.check(sold, cuts=(0.85,))
    own = again.held(sold, as_of=last)
    due = again.due(sold, again.rhythm(sold, own), as_of=last, own=own)
    named = int(due.member.size)
    del own, due
    selling.selling(sold, np.zeros(sold.members.size, np.int64), 1, as_of=last)
    opening.opening(sold, as_of=last)
    return {
        "lines": int(lines),
        "rows": int(sold.day.size),
        "members": int(sold.members.size),
        "near": int(fresh.fit(sold).near.nnz),
        "pairs": int(together.pairs(sold).both.size),
        "steps": len(ladder.ladder(sold, as_of=last)),
        "tested": splits[0].members if splits else 0,
        "due": named,
        "raw": sum(column.nbytes for column in sold[:6]) / 1e6,
        "before": before,
        "read": read,
        "mb": peak(),
        "cpu": time.process_time() - begun,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, action="append")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        print(json.dumps(computed(Path(asked.task))))
        return 0
    import insight

    for lines in asked.lines or [4_000_000]:
        with tempfile.TemporaryDirectory(prefix="shuke-goods-") as scratch:
            insight.made_history(Path(scratch), lines)
            task = [sys.executable, __file__, "--task", scratch]
            env = os.environ | {"PYTHONPATH": os.pathsep.join((str(HERE.parent / "src"), str(HERE)))}
            told = json.loads(subprocess.run(task, check=True, capture_output=True, text=True, env=env).stdout)
        print(
            f"{told['lines']:,} lines of {told['members']:,} members: {told['cpu']:.1f} CPU s, {told['mb']:.0f} MB "
            f"({told['read']:.0f} after reading; the columns alone {told['raw']:.0f}); {told['pairs']:,} pairs, {told['steps']:,} steps, "
            f"{told['due']:,} due, {told['tested']:,} tested"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
