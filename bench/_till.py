"""A till that gives points one member at a time, beside something else: how long each credit takes.

On a machine of few cores whoever computes makes all others wait for a processor, and that is nobody's lock. So each credit is
told twice: as it was, and less the time in which the till (and its PostgreSQL process) could run but was not let, which Linux
counts in /proc/PID/schedstat.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

EVERY, ALONE = 0.02, float(os.environ.get("BENCH_SECONDS", "10"))
BURNER = [sys.executable, "-c", "input(print('ready', flush=True))\nwhile True: pass"]


class Credit(NamedTuple):
    ms: float
    running_ms: float  # less the waits for a processor


def begin(command: Sequence[str]) -> subprocess.Popen:
    """Start what the till shall stand beside; it says when it is ready and waits for a line."""
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    while (said := other.stdout.readline()) != "ready\n":
        assert said, "it ended before it was ready"
    return other


def wait_until_told() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def credits(merchant: Any, now: datetime, beside: Sequence[str] | None = None, *, ends: bool = True) -> list[Credit]:
    """Credits to members drawn at random: for some seconds, or until what runs beside `ends`."""
    from shuke.kit import bulk
    from shuke.loyalty.actions import Ask, ask
    from shuke.loyalty.models import Wallet

    members = list(Wallet.objects.filter(merchant=merchant).values_list("member_id", flat=True))
    counts = [Path("/proc/self/schedstat")]
    if bulk.is_postgres():
        [(pid,)] = bulk.select("SELECT pg_backend_pid()", [])
        counts.append(Path(f"/proc/{pid}/schedstat"))
    counts = [count for count in counts if count.exists()]

    def waited() -> float:
        return sum(int(count.read_text().split()[1]) for count in counts) / 1e6

    def credit() -> Credit:
        queued, began = waited(), time.perf_counter()
        one = Ask(f"till{began}{random.random()}", "adjust", random.choice(members), 7)
        ask(merchant=merchant, asks=[one], now=now, actor="bench")
        took = (time.perf_counter() - began) * 1000
        queued = waited() - queued
        time.sleep(EVERY)
        return Credit(took, took - queued)

    for _ in range(20):  # statements are prepared, pages read
        credit()
    other = begin(beside) if beside else None
    if other is not None:
        assert other.stdin is not None
        print(file=other.stdin, flush=True)
    took, until = [], time.perf_counter() + ALONE
    while other.poll() is None if other and ends else time.perf_counter() < until:
        took.append(credit())
    if other is not None:
        if not ends:
            other.kill()
        assert other.wait() == 0 or not ends
    return took


def p(percent: int, took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=100, method="inclusive")[percent - 1] if len(took) > 1 else took[0]


def show(told: dict[str, list[Credit]], asked: float = 2) -> None:
    """A line for each; the first is the till alone, with which the others are compared."""
    print(
        f"{'a till, ms':<34}{'credits':>8}{'p50':>7}{'p99':>7}{'× alone':>9}   {'less waits for a processor: p99':>32}{'× alone':>9}"
    )
    first = next(iter(told.values()))
    for name, took in told.items():
        all_of_it, running = [c[0] for c in took], [c[1] for c in took]
        print(
            f"{name:<34}{len(took):>8}{p(50, all_of_it):>7.1f}{p(99, all_of_it):>7.1f}"
            f"{p(99, all_of_it) / p(99, [c[0] for c in first]):>9.1f}   {p(99, running):>32.1f}"
            f"{p(99, running) / p(99, [c[1] for c in first]):>9.1f}",
            flush=True,
        )
    print(f"(asked: at most {asked:g} × alone)", flush=True)
