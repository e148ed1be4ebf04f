"""Header rows: names made comparable, and the row they stand in found."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

SEARCHED_ROWS = 50
_DROPPED = {ord(mark): None for mark in " \t\r\n　 ​﻿\"'`*:：_"}
_BRACKETS = str.maketrans("[]{}【】〔〕", "()()()()")


def normal(name: str) -> str:
    """One spelling for a column name: no blanks, half-width, round brackets, lower case. `收货地址 ` = `收货地址`."""
    return unicodedata.normalize("NFKC", name).translate(_BRACKETS).translate(_DROPPED).casefold()


def names(row: Sequence[str]) -> tuple[str, ...]:
    """A header row normalised; trailing empty cells dropped."""
    found = [normal(cell) for cell in row]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def digest_text(row: Sequence[str]) -> str:
    """What identifies a header row, to recognise the next file of the same kind."""
    return "\x1f".join(names(row))


def guess_row(rows: Iterable[Sequence[str]]) -> int:
    """Index of the row that looks most like a header (0-based), or -1.

    A header row has several filled cells, none of them twice as often as not a number or a date, and is as wide as
    the rows below it. Title lines ("Report of July") have one cell; data rows have digits.
    """
    table = [list(row) for row in rows]
    widths = sorted(sum(1 for cell in row if cell.strip()) for row in table if any(cell.strip() for cell in row))
    if not widths:
        return -1
    typical = widths[len(widths) // 2]
    for index, row in enumerate(table):
        filled = [cell.strip() for cell in row if cell.strip()]
        if len(filled) < 2 or len(filled) < typical * 0.6:
            continue
        numeric = sum(1 for cell in filled if _mostly_digits(cell))
        if numeric * 4 <= len(filled) and len(set(filled)) * 5 >= len(filled) * 4:
            return index
    return -1


def _mostly_digits(cell: str) -> bool:
    digits = sum(1 for char in cell if char.isdigit())
    return digits * 2 > len(cell)
