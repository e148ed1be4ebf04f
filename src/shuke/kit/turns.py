"""Long work in turns, each a transaction of its own, so short that those who sell meanwhile hardly notice.

What a turn has locked, others wait for: on PostgreSQL for the rows it writes, on SQLite for the whole file, and there is no queue:
who waits looks every millisecond whether it is free (kit/sqlite). So each turn is measured and the next made longer or
shorter. Alone, turns are as long as pays; from the first moment in which somebody else is seen to write, and until none has
for a second, they last milliseconds, with pauses between them. Why: docs/decisions/0014-expiry-in-sets.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from django.db import DatabaseError, connection

from shuke.kit import bulk

# Seconds for which one turn may lock: alone, beside others. PostgreSQL locks rows, which few others want.
_POSTGRES, _SQLITE = (0.1, 0.02), (0.04, 0.0025)
_PAUSE, _REMEMBERED = 0.002, 1.0
_LOG_FOR = 0.25, 0.04  # seconds of turns after which SQLite's log is carried into its file: alone, beside others


class Turns:
    """How much the next turn takes on is in `size`; whatever is measured, it stays between `fewest` and `most`.

        with Turns(first=50, fewest=20, most=2000) as turns:
            while begin < len(due):
                batch = due[begin : begin + turns.size]
                with turns.one():
                    ...

    For work that, lost with the power, is simply done again: a turn does not wait until it is on the disk, where it would keep what
    it has locked. Nothing else is lost so, and nothing that came after: whoever writes later, and waits, waits for all before.
    Within a transaction there is nobody to let in: it is one turn, however it is cut.
    """

    def __init__(self, *, first: int, fewest: int, most: int) -> None:
        self.size, self._fewest, self._most = first, fewest, most
        self._spent = self._logged = self._until = 0.0
        self._postgres = bulk.is_postgres()
        self._among_others = not connection.in_atomic_block
        self._before = 0
        self._as_it_was: list[str] = []

    def __enter__(self) -> Turns:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sql in self._as_it_was:
            with suppress(DatabaseError):  # a connection that broke begins anew
                _set(sql)

    def _hurry(self) -> list[str]:
        """Wait for no disk; and let nobody else, a till maybe, carry the log of a night into SQLite's file. Returns how to undo it."""
        if self._postgres:
            [(before,)] = bulk.select("SHOW synchronous_commit", [])
            _set("SET synchronous_commit = off")
            return [f"SET synchronous_commit = {before}"]
        undo = [f"PRAGMA {name} = {bulk.select(f'PRAGMA {name}', [])[0][0]}" for name in _HURRIED]
        for name, value in _HURRIED.items():
            _set(f"PRAGMA {name} = {value}")
        return undo

    @contextmanager
    def one(self) -> Iterator[None]:
        """One turn; before it, if it is not the first, those who wait are let in. Work of one turn is a transaction like any other."""
        if self._among_others and self._spent:
            self._let_in()
        began = time.perf_counter()
        yield
        self._spent = time.perf_counter() - began
        if self._postgres and self._as_it_was:
            self._look(own=1)
        allowed = (_POSTGRES if self._postgres else _SQLITE)[self._beside()]
        self.size = self._fitting(allowed)

    def _fitting(self, allowed: float) -> int:
        fits = round(self.size * allowed / max(self._spent, 1e-6))
        return max(self._fewest, min(self._most, 2 * self.size, fits))

    def _beside(self) -> bool:
        return time.monotonic() < self._until

    def _let_in(self) -> None:
        """SQLite is left free for as long as it takes to look twice, also by a night that is alone: how else would it know?
        PostgreSQL tells who else was there, so a night alone waits for nobody."""
        if not self._as_it_was:
            self._as_it_was = self._hurry()
            self._before = self._count()
        if self._postgres:
            if self._beside():
                time.sleep(self._spent / 2)
            self._before = self._count()  # what was done between two turns is of no account: it may have been our own
            return
        self._logged += self._spent
        if self._logged >= _LOG_FOR[self._beside()]:
            self._logged = 0.0
            _carry_log()
        time.sleep(max(self._spent, _PAUSE) if self._beside() else _PAUSE)
        self._look(own=0)

    def _look(self, own: int) -> None:
        count = self._count()
        if count - self._before > own:
            self._until = time.monotonic() + _REMEMBERED
        self._before = count

    def _count(self) -> int:
        """A number that grows with each writing transaction, on PostgreSQL also with our own."""
        if self._postgres:
            [(told,)] = bulk.select("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)", [])
        else:
            [(told,)] = bulk.select("PRAGMA data_version", [])
        return int(told)


_HURRIED = {"synchronous": "NORMAL", "wal_autocheckpoint": 0}  # NORMAL never harms the file, but may lose what was last


def _set(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _carry_log() -> None:
    """Into the file, while others write on; then, in a turn, what they wrote meanwhile, so that the log begins anew. Else it grew,
    and past 32 MB those who commit would have to do it. Where somebody writes, or reads for long, the next time will do."""
    [(patience,)] = bulk.select("PRAGMA busy_timeout", [])
    bulk.select("PRAGMA busy_timeout = 0", [])
    for how in ("PASSIVE", "RESTART"):
        bulk.select(f"PRAGMA wal_checkpoint({how})", [])
    bulk.select(f"PRAGMA busy_timeout = {int(patience)}", [])
