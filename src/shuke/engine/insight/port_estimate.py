"""What the analyses of a night will cost on one machine, told beforehand, and when a cluster is due (docs/scale.md).

The constants were measured on 2 cores (bench/night.py, bench/insight.py) and are rounded up. They are there to tell hours from
minutes, not seconds from seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# CPU seconds per million.
READ_LINES, READ_ORDERS = 3.0, 5.0  # from the store into columns, once
DIGESTS = 2.0  # orders, every night: what changed?
FIGURES = 3.5  # orders, every night: RFM, pyramid, life cycle, spans, months, stores
SCORES = 15.0  # members, every night: compare, write who changed
FIRST_SCORES = 70.0  # members, the first night
BACKFILL = 60.0  # orders, the first night: figures and movement of three years of month-ends
# Bytes while grouping and sorting: what does not fit into memory goes to the temporary files.
_PER_ORDER = 64
_PARALLEL = 0.6  # of the cores, on the whole: reading from the store is one thread, the engine uses all


class Size(NamedTuple):
    orders: int
    lines: int
    members: int
    fresh: bool = False  # nothing is in columns yet


class Machine(NamedTuple):
    """Bytes and seconds. memory: what the engine may take before it spills. spill: what it may spill at most."""

    cores: int
    memory: int
    free_disk: int
    window: int
    spill: int


class Outlook(NamedTuple):
    """`reasons` are codes: temp (it would fill half of the free disk, or more than it may), time (longer than the night), queue
    (the nights of all shops on this machine together are, which follow one another)."""

    size: Size
    cpu_seconds: float
    seconds: float
    temp_bytes: int
    free_disk: int
    window: int
    all_seconds: float  # of all shops' nights
    reasons: tuple[str, ...]

    @property
    def hand_over(self) -> bool:
        return bool(self.reasons)


def outlook(size: Size, machine: Machine, beside: Sequence[Size] = ()) -> Outlook:
    """What a night costs on a machine, and why another engine is due, if it is. beside: the other shops of this machine.

    The rule: temporary files would take more than half of the free disk (or than they may), or the night would be longer than
    its window, or the nights of all shops one after another would. Anything else is cheaper on one machine: on equal cores a
    cluster needs three to nine times as long.
    """
    cpu, seconds = _cost(size, machine)
    all_seconds = seconds + sum(_cost(other, machine)[1] for other in beside)
    needed = size.orders * _PER_ORDER
    spilt = max(0, needed - machine.memory)
    reasons = []
    if spilt > min(machine.free_disk // 2, machine.spill):
        reasons.append("temp")
    if seconds > machine.window:
        reasons.append("time")
    elif all_seconds > machine.window:
        reasons.append("queue")
    return Outlook(size, cpu, seconds, spilt, machine.free_disk, machine.window, all_seconds, tuple(reasons))


def _cost(size: Size, machine: Machine) -> tuple[float, float]:
    """CPU seconds and seconds."""
    cpu = (size.orders * (DIGESTS + FIGURES) + size.members * SCORES) / 1e6
    if size.fresh:
        cpu += (
            size.orders * (READ_ORDERS + BACKFILL) + size.lines * READ_LINES + size.members * (FIRST_SCORES - SCORES)
        ) / 1e6
    return cpu, cpu / max(1.0, machine.cores * _PARALLEL)
