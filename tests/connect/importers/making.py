"""Files for the tests of the importers, made on the spot: people and figures are invented."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from shuke.connect import importers
from shuke.engine.facts import Order, Person, Problem, Refund

SHANGHAI = ZoneInfo("Asia/Shanghai")


def csv_file(path: Path, rows: Iterable[Sequence[str]], *, encoding: str = "gb18030", delimiter: str = ",") -> Path:
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def text_file(path: Path, text: str, *, encoding: str = "gb18030") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def xlsx_file(path: Path, rows: Iterable[Sequence[object]], *, sheets: Mapping[str, Iterable] | None = None) -> Path:
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, table in {**(sheets or {}), "Sheet1": rows}.items():
            sheet = book.add_worksheet(name)
            for y, row in enumerate(table):
                for x, cell in enumerate(row):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(y, x, cell, date)
                    elif cell != "":
                        sheet.write(y, x, cell)
    return path


def zip_file(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def csv_bytes(rows: Iterable[Sequence[str]], encoding: str = "gb18030") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def table(header: Sequence[str], *rows: Mapping[str, str]) -> list[list[str]]:
    """Rows by the header's names (trailing blanks of a header do not matter); what is not named stays empty."""
    bare = [name.strip() for name in header]
    for row in rows:
        assert not row.keys() - set(bare), f"no such column: {row.keys() - set(bare)}"
    return [list(header), *([row.get(name, "") for name in bare] for row in rows)]


def facts(path: Path | Sequence[Path], **options: Any) -> list[importers.Fact]:
    layout = options.pop("layout", None)
    return list(importers.read(path, layout=layout, options=importers.Options(**options)))


def orders(path: Path | Sequence[Path], **options: Any) -> list[Order]:
    return [fact for fact in facts(path, **options) if isinstance(fact, Order)]


def people(path: Path, **options: Any) -> list[Person]:
    return [fact for fact in facts(path, **options) if isinstance(fact, Person)]


def refunds(path: Path, **options: Any) -> list[Refund]:
    return [fact for fact in facts(path, **options) if isinstance(fact, Refund)]


def problems(path: Path | Sequence[Path], **options: Any) -> list[Problem]:
    return [fact for fact in facts(path, **options) if isinstance(fact, Problem)]


def told(path: Path | Sequence[Path], **options: Any) -> list[tuple[str, int, str]]:
    """Code, row and column of every problem."""
    return [(one.code, one.row, one.column) for one in problems(path, **options)]


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI).astimezone(UTC)
