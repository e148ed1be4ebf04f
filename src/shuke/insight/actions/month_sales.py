"""Leave the files that insight/queries/month_sales.py reads, and remove those of months that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shuke.engine.insight.goods.reading import Stood
from shuke.insight.queries.month_sales import path


def leave(lines: Path, level: str, marked: str, told: Stood) -> None:
    """Write it in one step."""
    final = path(lines, level)
    part = final.with_suffix(".part")
    short = told._replace(
        size=_short(told.size), item=_short(told.item), amount=_short(told.amount)
    )  # most of a large history: in as few bytes as hold it
    with part.open("wb") as out:
        written: dict[str, Any] = short._asdict() | {"mark": np.array(marked)}
        np.savez(out, **written)
    part.replace(final)


def tidy(lines: list[Path], level: str) -> None:
    """Only months that have lines have such a file."""
    if lines:
        wanted = {path(one, level) for one in lines}
        for left in lines[0].parent.glob(f"sold-{level}-*.npz"):
            if left not in wanted:
                left.unlink(missing_ok=True)


def _short(values: np.ndarray) -> np.ndarray:
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    kinds = (np.int8, np.int16, np.int32)
    return values.astype(next((k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max), np.int64))
