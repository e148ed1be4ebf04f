"""How many rows (orders, members) hold both of two items, some items at a time: all pairs at once would be the largest thing in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

BLOCK = 128  # items whose pairs are counted at once


def held(row: np.ndarray, item: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """[rows, items], int32: 1 where a row holds an item, however often."""
    found = sparse.csr_array((np.ones(row.size, np.int32), (row, item)), shape=shape)
    found.sum_duplicates()
    found.data[:] = 1
    return found


def blocks(held: sparse.csr_array) -> Iterator[tuple[int, sparse.csr_array]]:
    """(first item, int32 [BLOCK, items]) for all items in turn: element [i, j] counts the rows that hold first + i and j."""
    turned = held.T.tocsr()
    for first in range(0, turned.shape[0], BLOCK):
        yield first, turned[first : first + BLOCK] @ held


def how_many(held: sparse.csr_array) -> np.ndarray:
    """Rows that hold each item."""
    return np.bincount(held.indices, minlength=held.shape[1])
