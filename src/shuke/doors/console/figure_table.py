"""A table of figures as every insight page shows it: each opens to the members behind it, says what it counts and as of when,
and can be taken along as CSV or XLSX. Drawn by templates/console/parts/figure_table.html."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpResponse

from shuke.connect.exporters.bookkeeping import csv_bytes, xlsx_bytes
from shuke.doors.console.access import StaffRequest

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NUMBER = re.compile(r"[−-]?[\d,]+(\.\d+)?")
BLANK = "–"


class Cell(NamedTuple):
    """`members`: how many the list behind `url` holds. `value`: what a file says, where that is not the text."""

    text: str
    url: str = ""
    members: int = 0
    number: bool = True
    tone: str = ""  # up | down | heat-0 … heat-5
    value: float | int | str | None = None
    plain: str = ""  # why a number opens to nobody: "guests" or "measure"


class Table(NamedTuple):
    """`heads`: label, whether figures stand below. The first cell of a row names it; `total` is a row below the others."""

    title: str
    heads: list[tuple[str, bool]]
    rows: list[list[Cell]]
    meaning: str
    note: str = ""
    key: str = ""
    total: list[Cell] | None = None
    empty: str = ""  # what no rows mean, where it is not that too little was bought

    @property
    def told(self) -> bool:
        """Whether rows end in a sentence: on a phone each row is then a block, its figures below one another with their heads."""
        return len(self.heads) > 2 and not self.heads[-1][1]


def name(text: str, url: str = "") -> Cell:
    return Cell(text, url, number=False)


def figure(text: str, url: str, members: int | None, value: float | int | None = None, tone: str = "") -> Cell:
    """A figure with its list; nobody behind it, no link."""
    return Cell(text, url if members else "", members or 0, True, tone, value)


def download(request: StaffRequest, tables: Sequence[Table], page: str) -> HttpResponse | None:
    """The table asked for with ?file=csv|xlsx&table=…, or nothing."""
    kind = request.GET.get("file", "")
    if kind not in TYPES or not tables:
        return None
    asked = request.GET.get("table", "")
    one = next((table for at, table in enumerate(tables, 1) if asked in (table.key, str(at))), tables[0])
    header = [label for label, _number in one.heads]
    rows = [[_value(cell) for cell in row] for row in [*one.rows, *([one.total] if one.total else [])]]
    body = csv_bytes(header, rows) if kind == "csv" else xlsx_bytes(header, rows, sheet=one.key or page)
    answer = HttpResponse(body, content_type=TYPES[kind])
    part = f"-{one.key}" if one.key else ""
    answer["Content-Disposition"] = f'attachment; filename="shuke-{page}{part}.{kind}"'
    return answer


def _value(cell: Cell) -> Any:
    """What a file says: numbers without grouping, shares as numbers between 0 and 1, blanks as nothing."""
    if cell.value is not None or cell.text in ("", BLANK):
        return cell.value
    if cell.number and _NUMBER.fullmatch(cell.text):
        bare = cell.text.replace(",", "").replace("−", "-")
        return float(bare) if "." in bare else int(bare)
    return cell.text
