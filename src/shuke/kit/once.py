"""What one page asks for in several places is read once: a memory that lasts as long as a request that only looks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_memory: ContextVar[dict[Hashable, Any] | None] = ContextVar("once", default=None)


@contextmanager
def looking() -> Iterator[None]:
    """Within, nothing that is remembered may be written: for pages that show, and prices that are only asked for."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def read(key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, remembered under `key` while somebody is only looking; else made anew each time."""
    memory = _memory.get()
    if memory is None:
        return make()
    if key not in memory:
        memory[key] = make()
    return memory[key]
