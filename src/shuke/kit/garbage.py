"""Python's search for cycles, put off while many values are made that have none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Hundreds of thousands of values without a cycle among them: looking for cycles again and again while they are made
    costs a sixth of the time; once afterwards is enough to keep memory level."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
