"""Simulation of a changed charter over the data of SHUKE_HOME, beside the raw read of the same rows: python bench/simulation.py

Cold: nothing kept, so the history is read, put into columns and folded under both charters. Warm: the columns and today's side
are there, as for a second draft within the hour. Memory is the largest sum over the processes of what each has for itself
(PSS), looked at every tenth of a second. The unchanged charter must give today's side to the point.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuke.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402 - only after set-up
from django.db import connection  # noqa: E402

from shuke.engine.charter import document  # noqa: E402
from shuke.flows.simulate_charter import simulate  # noqa: E402
from shuke.loyalty.queries import charters  # noqa: E402
from shuke.shops import queries as shops  # noqa: E402
from shuke.shops.models import Merchant  # noqa: E402

RAW = (
    "SELECT o.id, o.member_id, o.number, s.platform, s.code, o.channel, o.paid_at, o.paid_minor, o.freight_minor, o.refunded_minor "
    "FROM orders_order o JOIN shops_store s ON s.id = o.store_id WHERE o.merchant_id = %s",
    "SELECT order_id, product_id, amount_minor, refunded_minor, quantity_milli FROM orders_line WHERE merchant_id = %s",
    "SELECT id, category, code, brand FROM orders_product WHERE merchant_id = %s",
    "SELECT id, joined_at, birth_month, birth_day FROM members_member WHERE merchant_id = %s",
)


def raw_read(merchant: int) -> tuple[float, int]:
    """Seconds to fetch the rows a simulation needs, and how many they are."""
    began, rows = time.perf_counter(), 0
    with connection.cursor() as cursor:
        for sql in RAW:
            cursor.execute(sql, [merchant])
            while part := cursor.fetchmany(50_000):
                rows += len(part)
    return time.perf_counter() - began, rows


class Memory:
    """The largest sum of PSS of this process and its children, in MB."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._over = threading.Event()

    def __enter__(self) -> Memory:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max(self.peak, sum(_pss(pid) for pid in _family()))


def _family() -> list[int]:
    mine = os.getpid()
    found = [mine]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == mine:
            found.append(int(path.parent.name))
    return found


def _pss(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> None:
    merchant = Merchant.objects.order_by("id").first()
    if merchant is None:
        raise SystemExit("No shop lives here. Make the demo first (make demo ARGS=--no-serve), or set SHUKE_HOME.")
    now = shops.now(merchant)
    today = charters.in_force(merchant, now).charter
    plain = document.to_plain(today)
    for tier in plain["tiers"]:
        tier["multiplier"] = str(2 * float(tier.get("multiplier", 1)))
    changed = document.from_plain(plain)
    shutil.rmtree(Path(settings.SHUKE_HOME) / "simulation" / str(merchant.pk), ignore_errors=True)
    raw, rows = min(raw_read(merchant.pk) for _ in range(3))
    print(f"raw read of {rows:,} rows: {raw:.2f} s")
    for name, charter in (("cold", changed), ("warm", changed), ("unchanged charter, warm", today)):
        with Memory() as memory:
            began, used = time.perf_counter(), cpu()
            seen = simulate(merchant=merchant, charter=charter, now=now)
            wall = time.perf_counter() - began
        used = cpu() - used
        print(
            f"{name}: {wall:.1f} s ({wall / raw:.1f} × the raw read), read {seen.seconds['read']:.1f} s, fold "
            f"{seen.seconds['fold']:.1f} s, {used:.1f} CPU s, {memory.peak:.0f} MB; {seen.purchases:,} purchases of "
            f"{seen.members:,} members, {seen.up} up, {seen.down} down"
        )
    assert seen.before == seen.after, "the unchanged charter must give the books"
    print("the unchanged charter gives today's side, to the point")


if __name__ == "__main__":
    main()
