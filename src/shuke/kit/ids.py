"""Ids made by the application: 63-bit, ordered by time, unique without asking the database.

Parents and children of a batch get their ids before anything is written, so a thousand orders go in with a handful
of statements, and no global sequence stands in the way of sharding by merchant (docs/decisions/0002-ids.md).

Layout, high to low: 41 bits of milliseconds since 2025-01-01 UTC · 4 bits machine · 6 bits process · 12 bits counter.
The machine number comes from SHUKE_MACHINE (0..15, one per machine); the process number is a lock file in
SHUKE_HOME/run that the operating system releases when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

EPOCH_MS = 1_735_689_600_000
_COUNTER_BITS, _PROCESS_BITS, _MACHINE_BITS = 12, 6, 4
_NODE_SHIFT = _COUNTER_BITS
_TIME_SHIFT = _COUNTER_BITS + _PROCESS_BITS + _MACHINE_BITS
_PER_MS = 1 << _COUNTER_BITS
MILLISECOND = 1 << _TIME_SHIFT  # how far ids of one moment and of the next millisecond are apart


class NoFreeProcessNumber(RuntimeError):
    """More than 64 Shuke processes write on this machine at once."""


class IdMaker:
    """Hands out ids for one process. Never gives the same id twice, also when the clock steps back."""

    def __init__(self, home: Path, machine: int = 0) -> None:
        if not 0 <= machine < 1 << _MACHINE_BITS:
            raise ValueError(f"SHUKE_MACHINE must be 0 to {(1 << _MACHINE_BITS) - 1}, not {machine}.")
        self._home, self._machine = home, machine
        self._lock = threading.Lock()
        self._pid = -1
        self._handle: int | None = None
        self._next = 0  # milliseconds << counter bits | counter, still without node

    def reserve(self, count: int) -> tuple[int, int]:
        """Room for `count` ids: the number of the first, still without node, and the node's bits."""
        with self._lock:
            if self._pid != os.getpid():  # first use, or we are a fork of a process that had a number
                self._lease()
            start = max(self._next, (time.time_ns() // 1_000_000 - EPOCH_MS) << _COUNTER_BITS)
            self._next = start + count
        return start, self._node

    def take(self, count: int) -> range | list[int]:
        """`count` fresh ids, ascending."""
        start, node = self.reserve(count)
        low = _PER_MS - 1
        return [((n >> _COUNTER_BITS) << _TIME_SHIFT) | node | (n & low) for n in range(start, start + count)]

    def _lease(self) -> None:
        folder = self._home / "run"
        folder.mkdir(parents=True, exist_ok=True)
        if self._handle is not None:
            os.close(self._handle)  # the parent keeps its own descriptor and with it its number
            self._handle = None
        for number in range(1 << _PROCESS_BITS):
            handle = os.open(folder / f"process-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                continue
            # A former holder may have run ahead of the clock in a bulk import: start where it promised to have ended.
            promised = os.read(handle, 32).decode() or "0"
            self._next = max(self._next, int(promised))
            self._handle, self._pid = handle, os.getpid()
            self._node = (self._machine << _PROCESS_BITS | number) << _NODE_SHIFT
            return
        raise NoFreeProcessNumber(
            f"{1 << _PROCESS_BITS} Shuke processes already run with SHUKE_HOME={self._home}. Stop some, or give this "
            "machine's others a home of their own with another SHUKE_MACHINE."
        )

    def settle(self) -> None:
        """Write down how far ahead of the clock this process went, for the next holder of its number."""
        if self._handle is not None and self._pid == os.getpid():
            os.pwrite(self._handle, str(self._next).encode(), 0)


_maker: IdMaker | None = None


def _the_maker() -> IdMaker:
    global _maker
    if _maker is None:
        import atexit

        from django.conf import settings

        _maker = IdMaker(Path(settings.SHUKE_HOME), settings.SHUKE_MACHINE)
        atexit.register(_maker.settle)
    return _maker


def take(count: int) -> list[int]:
    """`count` fresh ids of this process, ascending."""
    return list(_the_maker().take(count))


def numbering(row: str, count: int) -> tuple[str, list[int]]:
    """Fresh ids for rows that the database itself makes: an SQL expression and its parameters. `row` numbers them from 0."""
    start, node = _the_maker().reserve(count)
    n = f"(%s + {row})"
    sql = f"((({n} >> {_COUNTER_BITS}) << {_TIME_SHIFT}) | %s | ({n} & {_PER_MS - 1}))"
    return sql, [start, node, start]


def new() -> int:
    """One fresh id."""
    return take(1)[0]
