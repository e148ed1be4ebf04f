"""Leave the files that insight/queries/month_sales.py reads, and remove those of months that are gone."""

from __future__ import annotations

from pathlib import Path

from shuke.engine.insight.goods.reading import Stood
from shuke.insight.actions.kept_rows import put, shortest
from shuke.insight.queries.month_sales import path


def leave(lines: Path, level: str, marked: str, told: Stood) -> None:
    """Most of a large history: in as few bytes as hold it."""
    short = {name: shortest(getattr(told, name)) for name in ("size", "item", "amount")}
    put(path(lines, level), marked, told._asdict() | short)


def tidy(lines: list[Path], level: str) -> None:
    """Only months that have lines have such a file."""
    if lines:
        wanted = {path(one, level) for one in lines}
        for left in lines[0].parent.glob(f"sold-{level}-*.npz"):
            if left not in wanted:
                left.unlink(missing_ok=True)
