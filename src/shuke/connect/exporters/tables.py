"""Tables as files that spreadsheets open: CSV (UTF-8 with a mark, as Excel in China needs it) and XLSX.

What members typed themselves (names, nicknames, notes) ends in these files and is opened on the seller's computer, so no
text may ever become a formula there. In XLSX every text is written as a text cell. CSV has no types: a text whose first
visible character could start a formula gets an apostrophe in front, which spreadsheets show as text and our own importers
take away again. Numbers and dates are written from typed values and need no guard.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

Cell = str | int | Decimal | date | datetime | None
XLSX_ROWS = 1_048_575  # below the header; the format ends there
TEXT_LIMIT = 32_767  # characters in one cell of a spreadsheet
_NO_DAY = datetime(2000, 1, 1)  # a workbook must name one on which it was made
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number

# = + - @ and their full-width forms start formulas; tab and line breaks can shift what comes first.
_RISKY = re.compile(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠|%]|[\t\r\n]")
# What XML cannot carry and no name contains.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class TooManyRows(ValueError):
    """An XLSX sheet ends at 1,048,576 rows; a CSV does not."""


def inert(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs."""
    plain = _ILLEGAL.sub("", text)[:TEXT_LIMIT]
    return "'" + plain if _RISKY.match(plain) else plain


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write the table; the file appears under its name only when it is whole. Gives the number of rows."""

    def write(part: Path) -> int:
        count = 0
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow([inert(name) for name in header])
            for row in rows:
                out.writerow([_csv_cell(cell) for cell in row])
                count += 1
        return count

    return _whole(path, write)


def write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet: str = "Sheet1") -> int:
    """The same as a workbook of one sheet, written row by row. Datetimes must be naive: a sheet has no zones. The same rows
    are the same bytes whenever they are written: nothing says when that was."""
    import xlsxwriter

    def write(part: Path) -> int:
        options = {"constant_memory": True, "tmpdir": str(part.parent)}
        count = 0
        with xlsxwriter.Workbook(str(part), options) as book:
            book.set_properties({"created": _NO_DAY})
            page = book.add_worksheet(sheet)
            text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
            day, moment = (book.add_format({"num_format": f}) for f in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
            page.freeze_panes(1, 0)
            page.set_column(0, max(0, len(header) - 1), 16)
            for column, name in enumerate(header):
                page.write_string(0, column, _ILLEGAL.sub("", name), head)
            for row in rows:
                count += 1
                if count > XLSX_ROWS:
                    raise TooManyRows(f"A workbook holds at most {XLSX_ROWS:,} rows. Choose CSV, or narrow the list.")
                for column, cell in enumerate(row):
                    if cell is None or cell == "":
                        continue
                    if isinstance(cell, str):
                        page.write_string(count, column, _ILLEGAL.sub("", cell)[:TEXT_LIMIT], text)
                    elif isinstance(cell, datetime):
                        page.write_datetime(count, column, cell, moment)
                    elif isinstance(cell, date):
                        page.write_datetime(count, column, datetime(cell.year, cell.month, cell.day), day)
                    elif len(str(abs(cell)).replace(".", "")) > _EXACT_DIGITS:
                        page.write_string(count, column, str(cell), text)
                    else:
                        page.write_number(count, column, cell)
        return count

    return _whole(path, write)


WRITERS: dict[str, Callable[..., int]] = {"csv": write_csv, "xlsx": write_xlsx}


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return str(cell)


def _whole(path: Path, write: Callable[[Path], int]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        count = write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return count
