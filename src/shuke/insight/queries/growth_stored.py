"""What the night stored of growth, cohorts and movement: one row a question, columns pressed together. Pages read no order for it.

A row counts only under the mark of the snapshot it was made with; without one the question is computed as any other.
"""

from __future__ import annotations

import json
import math
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
    names, kept = _unpacked(found)
    if not listed or kept["days"].tolist() != _days(listed):
        return None
    numbers, cells = kept["numbers"].tolist(), kept["cells"]
    all_days = Stretch("", listed[0].first, listed[-1].last, listed[-1].partial)
    whole = {number: _row(all_days, row) for number, row in zip(numbers, cells[:, -1].tolist(), strict=True)}
    return Kept(dict(zip(numbers, names, strict=True)), whole, _Rows(numbers, listed, cells[:, :-1]))


def cohorts(
    merchant: Merchant, grain: str, by: str, listed: Sequence[Stretch]
) -> tuple[dict[int, str], Cohorts] | None:
    found = body(merchant, of_cohorts(grain, by))
    if found is None:
        return None
    names, kept = _unpacked(found)
    if kept["days"].tolist() != _days(listed):
        return None
    keys = dict(zip(kept["numbers"].tolist(), names, strict=True))
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
    names = [kept.keys[number] for number in numbers]
    return _packed(names, days=np.array(_days(listed)), numbers=np.array(numbers), cells=cells)


def packed_cohorts(keys: dict[int, str], found: Cohorts) -> bytes:
    columns = {name: _small(found.rows[name]) for name in _COHORTS}
    names = [keys[number] for number in found.parts]
    return _packed(names, days=np.array(_days(found.listed)), numbers=np.array(found.parts), **columns)


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


def _packed(keys: Sequence[str], **columns: np.ndarray) -> bytes:
    """What the columns are in one line of JSON, then their bytes."""
    head = [[name, column.dtype.str, column.shape] for name, column in columns.items()]
    told = json.dumps([list(keys), head]).encode() + b"\n"
    return zlib.compress(told + b"".join(column.tobytes() for column in columns.values()), 1)


def _unpacked(body: bytes) -> tuple[list[str], dict[str, np.ndarray]]:
    told = zlib.decompress(body)
    at = told.index(b"\n") + 1
    keys, head = json.loads(told[:at])
    found = {}
    for name, kind, shape in head:
        found[name] = np.frombuffer(told, dtype=kind, count=math.prod(shape), offset=at).reshape(shape)
        at += found[name].nbytes
    return keys, found
