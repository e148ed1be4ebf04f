"""Old .xls workbooks (and .xlsb, .ods) through calamine, and the HTML tables that shops pass off as .xls.

Calamine loads a whole sheet; .xls cannot hold more than 65,536 rows, and the file's size is bounded before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from shuke.kit.tabular.errors import Limits, TabularError

_MAX_SPAN = 200


class OldWorkbook:
    def __init__(self, path: Path, limits: Limits) -> None:
        if path.stat().st_size > limits.whole:
            raise TabularError("too_big", file=path.name, limit_mb=limits.whole // 1_000_000)
        self._path, self._limits = path, limits
        with open(path, "rb") as file:
            head = file.read(4_000_000)
        if "EncryptedPackage".encode("utf-16-le") in head:
            raise TabularError("encrypted", file=path.name)
        if "WordDocument".encode("utf-16-le") in head:
            raise TabularError("not_a_table", file=path.name, found="Word")
        try:
            self._book = CalamineWorkbook.from_path(str(path))
            self.sheets = tuple(
                sheet.name
                for sheet in self._book.sheets_metadata
                if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
            )
        except BaseException as error:  # a panic inside calamine arrives as a BaseException
            raise self._failure(error) from error
        if not self.sheets:
            raise TabularError("no_sheet", file=path.name)

    def rows(self, sheet: str) -> Iterator[list[str]]:
        try:
            grid = self._book.get_sheet_by_name(sheet)
            if grid.width > self._limits.columns:
                raise TabularError(
                    "too_many_columns", file=self._path.name, row="", count=grid.width, limit=self._limits.columns
                )
            # `start` is where the filled part begins; rows are counted from the sheet's top
            top, left = grid.start or (0, 0)
            table = grid.to_python(skip_empty_area=True)
        except TabularError:
            raise
        except BaseException as error:
            raise self._failure(error) from error
        for _ in range(top):
            yield []
        margin = [""] * left
        for cells in table:
            yield margin + [cell_text(cell) for cell in cells]

    def estimate_rows(self, sheet: str) -> int:
        return self._book.get_sheet_by_name(sheet).total_height

    def _failure(self, error: BaseException) -> BaseException:
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            return error
        if isinstance(error, CalamineError) and "password" in str(error).lower():
            return TabularError("encrypted", file=self._path.name)
        return TabularError("cut_off", file=self._path.name, why="xls")


def cell_text(cell: object) -> str:
    """A cell as text, by the same rules as in xlsx.py."""
    if isinstance(cell, str):
        return cell.replace("\0", "")
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if abs(cell) >= 1e15:
            return f"{cell:.14E}"
        text = f"{cell:.15g}"
        return f"{cell:.12f}".rstrip("0").rstrip(".") if "e" in text else text
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, date):
        return f"{cell:%Y-%m-%d} 00:00:00"
    if isinstance(cell, time):
        return f"{cell:%H:%M:%S}"
    if isinstance(cell, timedelta):
        return str(cell)
    return "" if cell is None else str(cell)


def html_rows(path: Path, encoding: str, limits: Limits) -> Iterator[list[str]]:
    """Rows of all <table> elements in order; nested tables count as part of their cell."""
    if path.stat().st_size > limits.whole:
        raise TabularError("too_big", file=path.name, limit_mb=limits.whole // 1_000_000)
    parser = _TableParser(path, limits)
    try:
        with open(path, encoding=encoding, errors="strict") as file:
            while chunk := file.read(1 << 16):
                parser.feed(chunk)
                yield from parser.take()
    except UnicodeError as error:
        raise TabularError("wrong_encoding", file=path.name, row=parser.count + 1, tried=encoding) from error
    open_table = parser.depth > 0
    parser.close()
    yield from parser.take()
    if parser.count == 0:
        raise TabularError("not_a_table", file=path.name, found="HTML")
    if open_table:
        raise TabularError("cut_off", file=path.name, why="html", row=parser.count)


class _TableParser(HTMLParser):
    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self._path, self._limits = path, limits
        self._ready: list[list[str]] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._span = 1
        self._length = 0
        self.depth = 0
        self.count = 0

    def take(self) -> list[list[str]]:
        ready, self._ready = self._ready, []
        return ready

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.depth += 1
        elif self.depth != 1:
            return
        elif tag == "tr":
            self._end_row()
            self._row = []
        elif tag in ("td", "th"):
            self._end_cell()
            if self._row is None:
                self._row = []
            self._cell, self._length = [], 0
            span = dict(attrs).get("colspan") or "1"
            self._span = min(int(span), _MAX_SPAN) if span.isdecimal() else 1
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            if self.depth == 1:
                self._end_row()
            self.depth = max(self.depth - 1, 0)
        elif self.depth == 1 and tag == "tr":
            self._end_row()
        elif self.depth == 1 and tag in ("td", "th"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._length += len(data)
            if self._length > self._limits.cell:
                raise TabularError("line_too_long", file=self._path.name, limit=self._limits.cell)
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self._row is not None:
            self._row.append("".join(self._cell).replace("\xa0", " ").strip())
            self._row.extend([""] * (self._span - 1))
            if len(self._row) > self._limits.columns:
                raise TabularError(
                    "too_many_columns",
                    file=self._path.name, row=self.count + 1, count=len(self._row), limit=self._limits.columns,
                )  # fmt: skip
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is not None:
            self.count += 1
            self._ready.append(self._row)
        self._row = None
