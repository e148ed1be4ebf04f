"""What the lines of each month say about goods, as files beside the columns: of months whose lines did not change it is not made anew.

A file holds no member, bears the mark of the lines and of the products it was made from, and is taken for nothing else. Deleted, it is
made again by the next report (insight/actions/month_sales.py).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from shuke.engine.insight.goods.reading import Stood
from shuke.insight.queries.kept_rows import taken

FORMAT = 1


def path(lines: Path, level: str) -> Path:
    """Beside the file of lines."""
    return lines.with_name(f"sold-{level}-{lines.stem.removeprefix('line-')}.npz")


def of_products(products: np.ndarray, item: np.ndarray) -> str:
    """Another text wherever a product is another item."""
    return hashlib.sha256(products.tobytes() + item.tobytes()).hexdigest()


def mark(lines: Path, products: str) -> str:
    stat = lines.stat()
    return f"{FORMAT} {stat.st_mtime_ns} {stat.st_ino} {stat.st_size} {products}"


def kept(lines: Path, level: str, marked: str) -> Stood | None:
    """None where there is none of this mark."""
    found = taken(path(lines, level), marked)
    return Stood(**found) if found is not None and found.keys() == set(Stood._fields) else None
