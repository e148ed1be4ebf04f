"""Customers as the models see them: how many repeats, when the last one, how long known. Equal customers are one row.

Grouping is what makes the models quick: a million customers over two years at day grain are some 330,000 different rows,
and one-time buyers of a day are a single one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Times are multiples of a day in practice, written in days, in weeks or rounded to hundredths of a week.
_SCALES = (1.0, 7.0, 100.0)
_ROOM = 2.0**62


class BadRows(ValueError):
    """Rows no purchase history can have. `code` is one of length, number, negative, whole, order, empty."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Rows:
    """Grouped customers: equally long float64 arrays, all times in one unit (papers: weeks = days / 7).

    x: repeat purchases, whole, ≥ 0 (days with a purchase, less the first). t_x: from the first purchase to the last, 0 where
    x is 0. T: from the first purchase to the end of what was observed. n: how many customers are alike.
    log_gaps: Σ ln(gap) over all repeats of all customers; only the level of the log-likelihood of models with k > 1 needs it.
    """

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    n: np.ndarray
    log_gaps: float | None = None

    @property
    def customers(self) -> float:
        return float(self.n.sum())

    @property
    def repeaters(self) -> float:
        return float(self.n[self.x > 0].sum())

    def weighted(self, n: np.ndarray) -> Rows:
        """The same rows with other counts: a bootstrap draw. Rows that nobody is in any more fall out."""
        some = n > 0
        return Rows(self.x[some], self.t_x[some], self.T[some], n[some].astype(np.float64))


def group(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, n: np.ndarray | None = None, *, log_gaps: float | None = None
) -> Rows:
    """Group customers (or rows that are groups already, with their counts n). Arrays as in `Rows`, in any order.

    Raises BadRows.
    """
    rows, _where = _grouped(x, t_x, T, n, log_gaps, backwards=False)
    return rows


def group_with_places(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, n: np.ndarray | None = None, *, log_gaps: float | None = None
) -> tuple[Rows, np.ndarray]:
    """As `group`, and for each customer the place of its row: `predicted_by_row[places]` is by customer again."""
    rows, places = _grouped(x, t_x, T, n, log_gaps, backwards=True)
    assert places is not None
    return rows, places


def _grouped(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, n: np.ndarray | None, log_gaps: float | None, *, backwards: bool
) -> tuple[Rows, np.ndarray | None]:
    x, t_x, T = _checked(x, t_x, T)
    if n is not None:
        n = np.asarray(n, np.float64)
        if n.shape != x.shape or not np.isfinite(n).all() or (n < 0).any():
            raise BadRows("number", "Counts must be one number from 0 on for each row.")
    packed = _packed(x, t_x, T)
    if packed is None:
        order = np.lexsort((t_x, T, x))
        a, b, c = x[order], t_x[order], T[order]
        first = np.ones(a.size, dtype=bool)
        first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1]) | (c[1:] != c[:-1])
        heads = order[first]
    elif not backwards and n is None:  # sorting bare keys is several times quicker than finding an order
        key, scale, width = packed
        key = np.sort(key)
        first = np.ones(key.size, dtype=bool)
        first[1:] = key[1:] != key[:-1]
        found, counts = key[first], np.diff(np.append(np.flatnonzero(first), key.size)).astype(np.float64)
        rest, code_t = np.divmod(found, width)
        code_x, code_T = np.divmod(rest, width)
        return Rows(code_x.astype(np.float64), code_t / scale, code_T / scale, counts, log_gaps), None
    else:
        order = np.argsort(packed[0], kind="stable")
        key = packed[0][order]
        first = np.ones(key.size, dtype=bool)
        first[1:] = key[1:] != key[:-1]
        heads = order[first]
    group_of = np.cumsum(first) - 1
    counts = np.bincount(group_of, weights=None if n is None else n[order]).astype(np.float64)
    places = None
    if backwards:
        places = np.empty(order.size, dtype=np.int64)
        places[order] = group_of
    return Rows(x[heads], t_x[heads], T[heads], counts, log_gaps), places


def _checked(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, T = (np.asarray(one, np.float64) for one in (x, t_x, T))
    if x.ndim != 1 or not x.shape == t_x.shape == T.shape:
        raise BadRows("length", "x, t_x and T must be equally long columns.")
    if x.size == 0:
        raise BadRows("empty", "There are no customers in these rows.")
    if not (np.isfinite(x).all() and np.isfinite(t_x).all() and np.isfinite(T).all()):
        raise BadRows("number", "x, t_x and T must be numbers in every row; some are missing or infinite.")
    if x.min() < 0 or t_x.min() < 0 or T.min() < 0:
        raise BadRows("negative", "x, t_x and T must not be below 0.")
    if (x != np.rint(x)).any():
        raise BadRows("whole", "x counts repeat purchases; it must be a whole number in every row.")
    late = np.flatnonzero(t_x > T + 1e-9)
    if late.size:
        i = int(late[0])
        raise BadRows(
            "order", f"Row {i + 1}: the last purchase (t_x {t_x[i]:g}) lies after the end of the history (T {T[i]:g})."
        )
    t_x = np.where(x > 0, np.minimum(t_x, T), 0.0)
    if ((x > 0) & (t_x <= 0)).any():
        i = int(np.flatnonzero((x > 0) & (t_x <= 0))[0])
        raise BadRows(
            "order",
            f"Row {i + 1}: {x[i]:g} repeats but t_x is 0. Purchases of one day are one purchase; t_x counts from the first.",
        )
    return x, t_x, T


def _packed(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> tuple[np.ndarray, float, int] | None:
    """One whole number per customer that says all three, or None where times are not whole days."""
    for scale in _SCALES:
        width = int(np.rint(T.max() * scale)) + 1
        if x.max() * width * width >= _ROOM:
            continue
        if not (_whole(T[:1000] * scale) and _whole(t_x[:1000] * scale)):
            continue  # most are told by the first thousand
        a, b = T * scale, t_x * scale
        code_T, code_t = np.rint(a), np.rint(b)
        if np.abs(a - code_T).max() < 1e-7 * width and np.abs(b - code_t).max() < 1e-7 * width:
            key = (x.astype(np.int64) * width + code_T.astype(np.int64)) * width + code_t.astype(np.int64)
            return key, scale, width
    return None


def _whole(values: np.ndarray) -> bool:
    return bool(values.size == 0 or np.abs(values - np.rint(values)).max() < 1e-6)
