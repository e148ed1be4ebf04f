"""Reading work done by several processes at once, each with a connection of its own.

Python computes on one core. What only reads and falls into parts can use the others: children are forks, parts and results are plain
values. Inside a transaction nobody else would see what it wrote, and without `fork` (Windows) a child would know nothing:
there the work is done here, one part after the other.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

from django.db import connection, connections

Part = TypeVar("Part")
Result = TypeVar("Result")

_work: Callable[[Any], Any]


def each(
    work: Callable[[Part], Result], parts: Sequence[Part], *, processes: int | None = None
) -> Iterator[tuple[int, Result]]:
    """(number of the part, its result), in the order they are done. `work` may be a closure."""
    global _work
    processes = min(processes or os.cpu_count() or 1, len(parts))
    if processes < 2 or connection.in_atomic_block or not hasattr(os, "fork"):
        for n, part in enumerate(parts):
            yield n, work(part)
        return
    _work = work
    connections.close_all()  # a connection does not survive the fork
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        running = {pool.submit(_do, part): n for n, part in enumerate(parts)}
        for done in as_completed(running):
            yield running[done], done.result()


def _do(part: Any) -> Any:
    return _work(part)
