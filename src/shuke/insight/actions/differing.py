"""Which columns of many rows differ from what is stored, so that nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def alike(differs: np.ndarray) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Rows of `differs` (bool: row, column) by the columns that do: their places, and these columns. Rows without any are left out.

    An update that names a column goes through every index it stands in, whether or not its value is another.
    """
    which = differs @ (1 << np.arange(differs.shape[1], dtype=np.int64))
    for same in np.unique(which[which > 0]).tolist():
        yield np.flatnonzero(which == same), [column for column in range(differs.shape[1]) if same >> column & 1]
