"""Writes tables the way platforms and spreadsheets do: GBK and UTF-8 CSV, XLSX, and HTML that calls itself .xls.

The same rows give the same bytes: no clock is read, and each file gets the time it pretends to have been exported.
"""

from __future__ import annotations

import csv
import html
import io
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import xlsxwriter

CHINA = ZoneInfo("Asia/Shanghai")
Row = Sequence[str | int | float | datetime | None]


def write_csv(
    path: Path, rows: Iterable[Row], *, encoding: str = "utf-8-sig", made_at: datetime, newline: str = "\r\n"
) -> Path:
    """Comma-separated rows, header included. `encoding` as Python names it; `made_at` naive is Chinese time."""
    text = io.StringIO()
    csv.writer(text, lineterminator=newline).writerows(["" if v is None else v for v in row] for row in rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return stamped(path, made_at)


def write_raw_csv(path: Path, lines: Iterable[str], *, encoding: str, made_at: datetime) -> Path:
    """Lines already in the platform's own quoting, such as ="123" cells that the csv module would quote away."""
    path.write_bytes("".join(line + "\r\n" for line in lines).encode(encoding))
    return stamped(path, made_at)


def write_xlsx(path: Path, rows: Iterable[Row], *, made_at: datetime, sheet: str = "Sheet1") -> Path:
    """One sheet. Text stays text (platforms write order numbers so); datetimes become real spreadsheet dates."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    book.set_properties({"created": made_at.replace(tzinfo=None)})
    page = book.add_worksheet(sheet)
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, str):
                page.write_string(y, x, value)
            else:
                page.write(y, x, value)
    book.close()
    return stamped(path, made_at)


def write_html_xls(path: Path, rows: Iterable[Row], *, made_at: datetime, encoding: str = "utf-8") -> Path:
    """An HTML table under the name .xls, as several back offices deliver it."""
    body = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape('' if v is None else str(v))}</td>" for v in row) + "</tr>" for row in rows
    )
    page = f'<html><head><meta charset="{encoding}"></head><body><table border="1">\n{body}\n</table></body></html>\n'
    path.write_bytes(page.encode(encoding))
    return stamped(path, made_at)


def stamped(path: Path, made_at: datetime) -> Path:
    """Gives the file the time it was exported at: readers take it for the date of the statement."""
    moment = made_at if made_at.tzinfo else made_at.replace(tzinfo=CHINA)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path
