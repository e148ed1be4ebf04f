"""Reading work done by several processes at once, each with a connection of its own, all of them from one moment's database.

Python computes on one core. What only reads and falls into parts can use the others: children are forks, parts and results are plain
values. What others write meanwhile is not seen by any of them: on PostgreSQL one transaction exports its snapshot to all; on
SQLite nobody may write for the moment in which each of them begins to read. Inside a transaction nobody else would see what
it wrote, and without `fork` (Windows) a child would know nothing: there the work is done here, one part after the other.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections

Part = TypeVar("Part")
Result = TypeVar("Result")
Spread = Callable[[Sequence[Any]], Iterator[tuple[int, Any]]]

_WAITS = 60  # seconds for all processes to begin
_work: Callable[[Any], Any]
_all_here: Any  # a barrier: each process begins once, however the pool hands out what is to be done


@contextmanager
def standing_still(work: Callable[[Any], Any], *, processes: int | None = None) -> Iterator[Spread]:
    """Within it this process and all that `work` runs in read one state of the database, whoever writes meanwhile.

    Gives `spread(parts)`: (number of the part, its result), in the order they are done; the others begin at once. `work` may be
    a closure, but knows only what was there before.
    """
    global _work, _all_here
    processes = processes or os.cpu_count() or 1
    if connection.in_atomic_block:  # its own writes are to be seen, and nobody else can
        yield lambda parts: ((n, work(part)) for n, part in enumerate(parts))
        return
    if processes < 2 or not hasattr(os, "fork"):
        with _one_moment():
            yield lambda parts: ((n, work(part)) for n, part in enumerate(parts))
        return
    fork = multiprocessing.get_context("fork")
    _work, _all_here = work, fork.Barrier(processes)
    connections.close_all()  # a connection does not survive the fork
    with ProcessPoolExecutor(processes, mp_context=fork) as pool:
        pool.submit(os.getpid).result()  # all children are there: from here on this process may have a connection again
        with _moment_of_all(pool, processes):
            yield lambda parts: _spread(pool, parts)


def _spread(pool: Executor, parts: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    running = {pool.submit(_do, part): n for n, part in enumerate(parts)}
    return ((running[done], done.result()) for done in as_completed(running))


def _do(part: Any) -> Any:
    return _work(part)


@contextmanager
def _one_moment() -> Iterator[None]:
    """This connection alone."""
    _begin("")
    try:
        yield
    finally:
        _run("ROLLBACK")


@contextmanager
def _moment_of_all(pool: Executor, processes: int) -> Iterator[None]:
    if connection.vendor == "postgresql":
        _begin("")
        try:
            [(snapshot,)] = _run("SELECT pg_export_snapshot()")
            _begin_all(pool, processes, snapshot)
            yield
        finally:
            _run("ROLLBACK")
        return
    lock = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with lock.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")  # tills wait for as long as it takes the others to begin: milliseconds
            _begin_all(pool, processes, "")
            _begin("")
            cursor.execute("ROLLBACK")
    finally:
        lock.close()
    try:
        yield
    finally:
        _run("ROLLBACK")


def _begin_all(pool: Executor, processes: int, snapshot: str) -> None:
    for begun in [pool.submit(_begin_here, snapshot) for _ in range(processes)]:
        begun.result()


def _begin_here(snapshot: str) -> None:
    gc.freeze()  # what came with the fork stays; what a part makes is rows, dropped when it is done: no need to look often
    gc.set_threshold(50_000, 20, 50)
    _begin(snapshot)
    _all_here.wait(_WAITS)


def _begin(snapshot: str) -> None:
    """A transaction that only reads, told to the database itself: Django would have SQLite lock out all who write."""
    if connection.vendor != "postgresql":
        _run("BEGIN DEFERRED")
        _run("SELECT 1 FROM sqlite_master LIMIT 1")  # it begins with what is read first
        return
    _run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if snapshot:
        _run(f"SET TRANSACTION SNAPSHOT '{snapshot}'")


def _run(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []
