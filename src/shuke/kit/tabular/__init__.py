"""Any stranger's table file as a stream of rows of text.

CSV in whatever encoding and with whatever delimiter, XLSX, old XLS, HTML posing as XLS, ZIP files of those. What a file
is, its bytes say, not its name. Memory does not grow with the file. A file that is not what it should be raises
TabularError with a code and the facts; it never crashes and never hangs.

    table = open_table(Path("orders.csv"))
    for number, row in enumerate(table.rows(), 1):   # blank rows are [], so `number` is what a spreadsheet shows
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shuke.kit.tabular import archive, delimited, header, legacy, sniff, xlsx
from shuke.kit.tabular.errors import DEFAULT, MOST_UNPACKED, Limits, TabularError

__all__ = ["DEFAULT", "MOST_UNPACKED", "Limits", "Table", "TabularError", "archive", "header", "kind_of", "open_table"]

kind_of = sniff.kind_of


class Table:
    """One sheet of one file. `kind`: csv | xlsx | xls | html. `rows()` may be called again and begins anew."""

    def __init__(
        self, path: Path, kind: str, *, limits: Limits, encoding: str = "", delimiter: str = "",
        sheets: tuple[str, ...] = (), sheet: str = "",
    ) -> None:  # fmt: skip
        self.path, self.kind, self.limits = path, kind, limits
        self.encoding, self.delimiter, self.sheets, self.sheet = encoding, delimiter, sheets, sheet

    def rows(self) -> Iterator[list[str]]:
        """Rows of text cells from the first; blank rows are []. Raises TabularError where the file ends being one."""
        if self.kind == "csv":
            yield from delimited.rows(self.path, self.encoding, self.delimiter, self.limits)
        elif self.kind == "html":
            yield from legacy.html_rows(self.path, self.encoding, self.limits)
        elif self.kind == "xlsx":
            with xlsx.opened(self.path, self.limits) as opened:
                yield from xlsx.Workbook(self.path, self.limits, opened).rows(self.sheet)
        else:
            yield from legacy.OldWorkbook(self.path, self.limits).rows(self.sheet)

    def head(self, count: int = header.SEARCHED_ROWS) -> list[list[str]]:
        """The first rows."""
        return list(islice(self.rows(), count))

    def ends_cleanly(self) -> bool:
        """False where the file's end may be missing: a text file whose last line has no end."""
        return self.kind != "csv" or delimited.ends_cleanly(self.path)

    def estimate_rows(self) -> int:
        """About how many rows, without reading them all."""
        if self.kind in ("csv", "html"):
            lines = delimited.estimate_rows(self.path, self.encoding)
            return lines if self.kind == "csv" else max(lines // 8, 1)
        if self.kind == "xlsx":
            with xlsx.opened(self.path, self.limits) as opened:
                return xlsx.Workbook(self.path, self.limits, opened).estimate_rows(self.sheet)
        return legacy.OldWorkbook(self.path, self.limits).estimate_rows(self.sheet)


def open_table(path: Path, *, sheet: str | None = None, limits: Limits = DEFAULT) -> Table:
    """Find out what the file is and return its (first visible, or named) sheet.

    Raises TabularError; for a ZIP of files use `archive`, for parquet a reader of parquet.
    """
    kind = sniff.kind_of(path)
    if kind.name == "text":
        return Table(
            path, "csv", limits=limits, encoding=kind.encoding, delimiter=delimited.delimiter(path, kind.encoding)
        )
    if kind.name == "html":
        return Table(path, "html", limits=limits, encoding=kind.encoding)
    if kind.name == "zip":
        with archive.opened(path, limits) as opened:
            if archive.is_workbook(opened):
                book = xlsx.Workbook(path, limits, opened)
                return Table(path, "xlsx", limits=limits, sheets=book.sheets, sheet=_chosen(book.sheets, sheet, path))
            names = opened.namelist()
        if not any(name in ("content.xml", "xl/workbook.bin") for name in names):
            raise TabularError("not_a_table", file=path.name, found="ZIP")
    elif kind.name == "parquet":
        raise TabularError("not_a_table", file=path.name, found="parquet")
    old = legacy.OldWorkbook(path, limits)
    return Table(path, "xls", limits=limits, sheets=old.sheets, sheet=_chosen(old.sheets, sheet, path))


def _chosen(sheets: tuple[str, ...], wanted: str | None, path: Path) -> str:
    if wanted is not None and wanted not in sheets:
        raise TabularError("no_sheet", file=path.name, wanted=wanted, sheets=", ".join(sheets))
    return sheets[0] if wanted is None else wanted
