"""Entries as text for plain-text bookkeeping (hledger, Ledger, Beancount's importers read it), and tables as bytes."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from shuke.connect.exporters.tables import Cell, inert, write_xlsx
from shuke.engine.finance.journal import Entry
from shuke.kit import money


def csv_bytes(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """UTF-8 with a mark, as spreadsheets in China need it; the same rows always give the same bytes."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow([inert(name) for name in header])
    for row in rows:
        table.writerow([inert(cell) if isinstance(cell, str) else "" if cell is None else str(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def xlsx_bytes(header: Sequence[str], rows: Sequence[Sequence[Cell]], *, sheet: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        write_xlsx(path, header, rows, sheet=sheet[:31])
        return path.read_bytes()


def hledger(entries: Sequence[Entry], currency: str, language: str) -> bytes:
    """One transaction a voucher; amounts above zero are debits."""
    lines: list[str] = []
    number = None
    for entry in entries:
        if entry.number != number:
            number = entry.number
            lines += ["", f"{entry.day.isoformat()} ({entry.number}) {entry.said.said(language)}"]
        amount = Decimal(entry.debit - entry.credit).scaleb(-money.digits(currency))
        account = f"{entry.account} {entry.name}".strip().replace("  ", " ")
        lines.append(f"    {account}  {amount} {currency}")
    return ("\n".join(lines[1:]) + "\n").encode("utf-8") if lines else b""
