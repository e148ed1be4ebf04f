"""The night of a large shop, and the next one with 1 % of its orders changed: `python bench/night.py [--members 1000000]`.

Makes 20 lines a member over three years straight into the tables of a database of its own (SQLite), then runs nights, each in a
process of its own: the first one (all columns, month-ends of the whole history, all scores), the next one after a day that
brought, gave back or moved 1 % of all orders, and one more after which nothing had changed. CPU seconds, time and peak memory
of each, by part; beside them a bare read of all orders and lines through the same driver. The shop has no points: what the books do at night is
measured by `expiry` and `verify`. Asked: the first within 10 minutes and 6 GB, the next at most a fifth of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `shuke` does, before numpy is loaded
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

PARTS = (
    ("shuke.insight.actions.columns", "refresh", "columns"),
    ("shuke.insight.actions.snapshots", "_take", "figures"),
    ("shuke.insight.actions.scores", "write", "scores"),
    ("shuke.insight.actions.movement", "History.write", "history"),
    ("shuke.insight.actions.snapshots", "move", "movement"),
    ("shuke.insight.actions.snapshots", "value_report", "value"),
    ("shuke.insight.actions.snapshots", "keep_reports", "reports"),
    ("shuke.loyalty.actions", "run_clock", "books"),
)


def made(home: Path, members: int) -> None:
    import _books
    import _history

    _books.django()
    from shuke.shops.actions import create_store

    merchant = _books.shop()
    stores = [create_store(merchant=merchant, platform="pos", code=f"s{n}", name=f"店 {n}").pk for n in range(8)]
    begun = time.process_time()
    orders, lines = _history.fill(merchant, stores, home / "shuke.sqlite3", members=members, lines=members * 20)
    print(
        f"made {members:,} members, {orders:,} orders, {lines:,} lines in {time.process_time() - begun:.0f} CPU s",
        flush=True,
    )


def changed(home: Path, share: float) -> None:
    import _books
    import _history

    _books.django()
    from shuke.orders.models import Order
    from shuke.shops.models import Merchant, Store

    merchant = Merchant.objects.get()
    stores = list(Store.objects.values_list("pk", flat=True))
    told = _history.one_more_day(merchant, stores, home / "shuke.sqlite3", orders=int(Order.objects.count() * share))
    print(f"a day that touched {share:.0%} of all orders: {told}", flush=True)


def night(number: int) -> None:
    """One night run; prints what it cost as JSON."""
    import importlib

    import _books
    import _history

    _books.django()
    from shuke.flows import timetable
    from shuke.flows.night import night_run
    from shuke.shops.models import Merchant

    timetable.install()
    spent: dict[str, list[float]] = {}
    for module, name, part in PARTS:
        *within, name = name.split(".")
        place = importlib.import_module(module)
        _timed(getattr(place, within[0]) if within else place, name, spent.setdefault(part, [0.0, 0.0]))
    day = _history.LAST + timedelta(days=number)
    now = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    begun, wall = _cpu(), time.perf_counter()
    told = night_run(merchant=Merchant.objects.get(), day=day, now=now)
    cost: dict[str, Any] = {
        "cpu": _cpu() - begun,
        "wall": time.perf_counter() - wall,
        "mb": _peak(),
        "snapshots": told.snapshots,
    }
    print(json.dumps(cost | {"parts": spent}))


def _timed(module: Any, name: str, spent: list[float]) -> None:
    inner = getattr(module, name)

    def outer(*args: Any, **named: Any) -> Any:
        begun, wall = _cpu(), time.perf_counter()
        try:
            return inner(*args, **named)
        finally:
            spent[0] += _cpu() - begun
            spent[1] += time.perf_counter() - wall

    setattr(module, name, outer)


def _cpu() -> float:
    """Of this process and of those it started and waited for."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _peak() -> float:
    """Of this process alone; getrusage would tell the parent's peak across fork and exec."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bare_read(home: Path) -> float:
    """CPU seconds to read the columns of all orders and lines as tuples, and drop them."""
    begun = time.process_time()
    with closing(sqlite3.connect(home / "shuke.sqlite3")) as to:
        for sql in (
            "SELECT id, member_id, store_id, net_minor, refunded_minor, pieces_milli, line_count, paid_at FROM orders_order",
            "SELECT order_id, product_id, quantity_milli, amount_minor, discount_minor, refunded_minor FROM orders_line",
        ):
            cursor = to.execute(sql)
            while cursor.fetchmany(20_000):
                pass
    return time.process_time() - begun


def child(*what: str) -> str:
    out = subprocess.run(
        [sys.executable, __file__, *what], check=True, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    return out.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--changed", type=float, default=0.01, help="share of all orders that the day touches")
    parser.add_argument("--home", type=Path, help="keep the shop here; an existing one is not made again")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuke-night-") as scratch:
        home = Path(told.home or scratch).resolve()
        os.environ["SHUKE_HOME"] = str(home)
        os.environ.pop("DATABASE_URL", None)
        if told.child:
            what, _, number = told.child.partition(":")
            {"made": lambda: made(home, told.members), "changed": lambda: changed(home, told.changed),
             "night": lambda: night(int(number))}[what]()  # fmt: skip
            return 0
        home.mkdir(parents=True, exist_ok=True)
        same = ["--home", str(home), "--members", str(told.members), "--changed", str(told.changed)]
        if not (home / "shuke.sqlite3").exists():
            print(child(*same, "--child", "made"), end="")
        print(f"bare read of all orders and lines: {bare_read(home):.1f} CPU s", flush=True)
        first = _say("first night", json.loads(child(*same, "--child", "night:0")))
        print(child(*same, "--child", "changed"), end="", flush=True)
        following = _say("next night", json.loads(child(*same, "--child", "night:1")))
        _say("the one after", json.loads(child(*same, "--child", "night:2")))
        print(
            f"next night / first night: {following['cpu'] / first['cpu']:.2f} CPU, {following['wall'] / first['wall']:.2f} time (asked: 0.20)"
        )
    return 0


def _say(name: str, cost: dict[str, Any]) -> dict[str, Any]:
    parts = ", ".join(f"{part} {cpu:.1f}" for part, (cpu, _wall) in cost["parts"].items())
    print(
        f"{name}: {cost['cpu']:.1f} CPU s, {cost['wall']:.1f} s, {cost['mb']:,.0f} MB, {cost['snapshots']} snapshots; CPU s of {parts}",
        flush=True,
    )
    return cost


if __name__ == "__main__":
    sys.exit(main())
