"""A real .xls, as small as one can be: OLE container, one BIFF8 sheet with labels and numbers. For tests only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def write(path: Path, rows: Sequence[Sequence[str | float]]) -> Path:
    path.write_bytes(_container(_stream(rows)))
    return path


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _stream(rows: Sequence[Sequence[str | float]]) -> bytes:
    name = "Sheet1"
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 6))
    end = _record(0x000A, b"")
    sheet_at = len(begin) + 4 + 8 + len(name) + len(end)
    listed = _record(0x0085, struct.pack("<IBBBB", sheet_at, 0, 0, len(name), 0) + name.encode("latin-1"))
    cells = b""
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if isinstance(cell, str):
                text = cell.encode("utf-16-le")
                cells += _record(0x0204, struct.pack("<HHHHB", y, x, 0, len(cell), 1) + text)
            else:
                cells += _record(0x0203, struct.pack("<HHHd", y, x, 0, cell))
    wide = max((len(row) for row in rows), default=0)
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 6))
    sheet += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, wide, 0)) + cells + end
    return (begin + listed + end + sheet).ljust(4096, b"\0")


def _container(stream: bytes) -> bytes:
    """Header, one FAT sector, one directory sector, the stream."""
    count = -(-len(stream) // SECTOR)
    fat = [_FAT, _END, *range(3, count + 2), _END]
    assert len(fat) <= SECTOR // 4, "one FAT sector only"
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", 0, *[_FREE] * 108)
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 2, count * SECTOR)
    table = struct.pack(f"<{SECTOR // 4}I", *fat, *[_FREE] * (SECTOR // 4 - len(fat)))
    return header + table + entries.ljust(SECTOR, b"\0") + stream.ljust(count * SECTOR, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return (
        text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child) + bytes(36)
        + struct.pack("<IQ", start, size)
    )  # fmt: skip
