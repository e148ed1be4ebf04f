"""Rows of a million members as columns: whole numbers as they are, texts as numbers of the texts there are.

One walk through the driver, without a model or a Python list per member: of texts there are few, however many members say them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from django.db import connection

from shuke.insight.queries import score_columns
from shuke.kit import bulk
from shuke.shops.models import Merchant

STANDS = ("layer", "stage", "bond", "rfm")
_BATCH = 2_000  # rows at once, as in order_columns


class Texts(NamedTuple):
    """A column of texts. values[0] is "": nothing was said."""

    values: list[str]
    code: np.ndarray  # int32, place in `values` of each row


class _Numbers(dict[str | None, int]):
    """The number of each text, in the order in which they come."""

    def __missing__(self, text: str | None) -> int:
        self[text] = number = len(self)
        return number


def fetch(sql: str, parameters: list, numbers: int, texts: int) -> tuple[list[np.ndarray], list[Texts]]:
    """All rows of a query: first so many columns of whole numbers, then so many of texts (NULL says nothing)."""
    known = [_Numbers({"": 0}) for _ in range(texts)]
    parts: list[list[np.ndarray]] = [[] for _ in range(numbers + texts)]
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            for place, column in enumerate(zip(*rows, strict=True)):
                if place < numbers:
                    parts[place].append(np.fromiter(column, np.int64, len(rows)))
                else:
                    number = known[place - numbers]
                    parts[place].append(np.fromiter(map(number.__getitem__, column), np.int32, len(rows)))
    columns = [
        np.concatenate(part) if part else np.empty(0, np.int64 if place < numbers else np.int32)
        for place, part in enumerate(parts)
    ]
    told = [_stripped(list(number), code) for number, code in zip(known, columns[numbers:], strict=True)]
    return columns[:numbers], told


def _stripped(values: Sequence[str | None], code: np.ndarray) -> Texts:
    """Texts that differ by the blanks around them are one."""
    kept = _Numbers({"": 0})
    to = np.array([kept[(value or "").strip()] for value in values], np.int32)
    return Texts([value or "" for value in kept], to[code])


class Stands(NamedTuple):
    """Where members stood on the last night; ids ascending."""

    member: np.ndarray
    told: dict[str, Texts]  # by STANDS

    def of(self, what: str, members: np.ndarray) -> tuple[list[str], np.ndarray]:
        """The names these members have (by the alphabet), and the place of each one's among them, int16; -1: none."""
        values, code = self.told[what]
        at = np.minimum(np.searchsorted(self.member, members), max(self.member.size - 1, 0))
        own = np.zeros(members.size, np.int32)
        if self.member.size:
            own = np.where(self.member[at] == members, code[at], 0)
        held = np.bincount(own, minlength=len(values))
        names = sorted(value for value, many in zip(values, held.tolist(), strict=True) if many and value)
        place = {name: i for i, name in enumerate(names)}
        return names, np.array([place.get(value, -1) for value in values], np.int16)[own]


def stands(merchant: Merchant) -> Stands:
    """From the copy the night left, if the table still has these rows."""
    found = score_columns.copied(merchant)
    if found is not None:
        told = {
            what: Texts(["", *names], found[what].astype(np.int32) + 1) for what, names in score_columns.NAMES.items()
        }
        classes = ["", *map(str, range(1, int(found["rfm"].max(initial=0)) + 1))]
        return Stands(found["member"], told | {"rfm": Texts(classes, found["rfm"].astype(np.int32))})
    listed = ", ".join(("member_id", *STANDS))
    sql = f"SELECT {listed} FROM {score_columns.TABLE} WHERE merchant_id = %s"
    (member,), texts = fetch(sql, [merchant.pk], 1, len(STANDS))
    by_id = np.argsort(member)
    return Stands(
        member[by_id],
        {what: Texts(told.values, told.code[by_id]) for what, told in zip(STANDS, texts, strict=True)},
    )


def seconds(column: str) -> str:
    """An instant as whole seconds since 1970, UTC, in SQL."""
    if bulk.is_postgres():
        return f"FLOOR(EXTRACT(EPOCH FROM {column}))::bigint"
    # SQLite keeps days and thousandths of a second; half of one more keeps a whole second whole. A third of what strftime costs.
    return f"CAST((julianday({column}) - 2440587.5) * 86400.0 + 0.0005 AS INTEGER)"
