"""What the night stored of growth, cohorts and movement: one row a question, columns pressed together. Pages read no order for it.

A row counts only under the mark of the snapshot it was made with; without one the question is computed as any other.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from shuke.engine.insight.growth import Cohorts, Growth, Stretch
from shuke.insight.models import StoredReport
from shuke.insight.queries import figures
from shuke.shops.models import Merchant

FORMAT = 1  # of the bodies: another number, and none of the old ones is read
_FIELDS = tuple(name for name in Growth.__slots__ if name != "stretch")
_RATES = frozenset(name for name in _FIELDS if name.endswith("_rate"))
_COHORTS = ("in_part", "cohort", "since", "buyers", "days_sum", "net_sum")


class Kept(NamedTuple):
    """What `growth.grown` found, and the keys of the parts by their number."""

    keys: dict[int, str]
    whole: Mapping[int, Growth]
    course: Mapping[int, list[Growth]]


class _Rows(Mapping[int, list[Growth]]):
    """The rows of each part, made when somebody looks at it: a shop may have hundreds of stores, a page shows one."""

    def __init__(self, numbers: list[int], listed: Sequence[Stretch], cells: np.ndarray) -> None:
        self._at = {number: at for at, number in enumerate(numbers)}
        self._listed, self._cells = list(listed), cells

    def __getitem__(self, number: int) -> list[Growth]:
        rows = self._cells[self._at[number]]
        return [_row(one, row) for one, row in zip(self._listed, rows.tolist(), strict=True)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


def of_growth(grain: str, by: str) -> str:
    """The name of a question."""
    return f"growth:{grain}:{by}"


def of_cohorts(grain: str, by: str) -> str:
    return f"cohorts:{grain}:{by}"


def growth(merchant: Merchant, grain: str, by: str, listed: Sequence[Stretch]) -> Kept | None:
    """What was stored of these very stretches."""
    found = body(merchant, of_growth(grain, by))
    if found is None:
        return None
    kept = _unpacked(found)
    if not listed or kept["days"].tolist() != _days(listed):
        return None
    numbers, cells = kept["numbers"].tolist(), kept["cells"]
    all_days = Stretch("", listed[0].first, listed[-1].last, listed[-1].partial)
    whole = {number: _row(all_days, row) for number, row in zip(numbers, cells[:, -1].tolist(), strict=True)}
    return Kept(dict(zip(numbers, kept["keys"].tolist(), strict=True)), whole, _Rows(numbers, listed, cells[:, :-1]))


def cohorts(
    merchant: Merchant, grain: str, by: str, listed: Sequence[Stretch]
) -> tuple[dict[int, str], Cohorts] | None:
    found = body(merchant, of_cohorts(grain, by))
    if found is None:
        return None
    kept = _unpacked(found)
    if kept["days"].tolist() != _days(listed):
        return None
    keys = dict(zip(kept["numbers"].tolist(), kept["keys"].tolist(), strict=True))
    return keys, Cohorts(listed, {name: kept[name].astype(np.int64) for name in _COHORTS})


def body(merchant: Merchant, question: str) -> bytes | None:
    """What was stored with the latest snapshot."""
    kept = StoredReport.objects.filter(
        merchant=merchant, question=question, mark=figures.mark(merchant), format=FORMAT
    ).values_list("body", flat=True)
    found = kept.first()
    return None if found is None else bytes(found)


def packed_growth(kept: Kept, listed: Sequence[Stretch]) -> bytes:
    numbers = sorted(kept.whole)
    cells = np.array(
        [[_cells(row) for row in (*kept.course[number], kept.whole[number])] for number in numbers], dtype=np.float64
    )
    return _packed(days=np.array(_days(listed)), **_parts(kept.keys, numbers), cells=cells)


def packed_cohorts(keys: dict[int, str], found: Cohorts) -> bytes:
    columns = {name: _small(found.rows[name]) for name in _COHORTS}
    return _packed(days=np.array(_days(found.listed)), **_parts(keys, found.parts), **columns)


def _parts(keys: dict[int, str], numbers: Sequence[int]) -> dict[str, np.ndarray]:
    return {
        "numbers": np.array(numbers, np.int64),
        "keys": np.array([keys[number] for number in numbers], dtype=np.str_),
    }


def _days(listed: Sequence[Stretch]) -> list[int]:
    """The first day of each stretch, and the last of all."""
    return [one.first.toordinal() for one in listed] + [one.last.toordinal() for one in listed[-1:]]


def _cells(row: Growth) -> list[float]:
    # Counts and money are whole numbers below 2⁵³, which floating point holds exactly; NaN: not known.
    return [float("nan") if (value := getattr(row, name)) is None else value for name in _FIELDS]


def _row(stretch: Stretch, cells: Sequence[float]) -> Growth:
    told = {
        name: None if value != value else value if name in _RATES else int(value)
        for name, value in zip(_FIELDS, cells, strict=True)
    }
    return Growth(stretch=stretch, **told)  # type: ignore[arg-type]


def _small(column: np.ndarray) -> np.ndarray:
    """In the fewest bytes that hold it."""
    return column.astype(
        np.result_type(np.min_scalar_type(column.min(initial=0)), np.min_scalar_type(column.max(initial=0)))
    )


def _packed(**columns: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **columns)
    return zlib.compress(out.getvalue(), 1)


def _unpacked(found: bytes) -> Mapping[str, np.ndarray]:
    with np.load(io.BytesIO(zlib.decompress(found)), allow_pickle=False) as kept:
        return dict(kept)
