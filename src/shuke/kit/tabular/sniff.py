"""What a file is, by its first bytes; the name is never trusted."""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path
from typing import NamedTuple

from shuke.kit.tabular.errors import TabularError

_HEAD = 65_536
_BLOCK = 1 << 20
_HTML = re.compile(rb"<\s*(?:!doctype\s+html|html|table|meta|body)\b", re.I)
_META_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.I)


class Kind(NamedTuple):
    """`name`: text | html | zip | ole | parquet. `encoding` for text and html."""

    name: str
    encoding: str = ""


def kind_of(path: Path) -> Kind:
    """Look at the file's beginning (for plain ASCII beginnings: at as much as it takes to meet another character).

    Raises TabularError: missing, empty, not_a_table, wrong_encoding.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise TabularError("missing", file=path.name) from error
    except IsADirectoryError as error:
        raise TabularError("not_a_table", file=path.name, found="folder") from error
    if not head.strip():
        raise TabularError("empty", file=path.name)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind("zip")
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Kind("ole")
    if head.startswith(b"PAR1"):
        return Kind("parquet")
    if head.startswith(
        (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"{\\rtf", b"SQLite")
    ):
        raise TabularError("not_a_table", file=path.name, found=_looks_like(head))
    encoding = encoding_of(path, head)
    probe = head.decode(encoding, "replace").encode() if encoding.startswith("utf-16") else head
    if _HTML.search(probe[:4096]):
        return Kind("html", encoding)
    return Kind("text", encoding)


def _looks_like(head: bytes) -> str:
    for magic, name in (
        (b"%PDF", "PDF"), (b"\x89PNG", "picture"), (b"\xff\xd8", "picture"), (b"GIF8", "picture"), (b"\x1f\x8b", "gzip"),
        (b"Rar!", "RAR"), (b"7z", "7z"), (b"{\\rtf", "RTF"), (b"SQLite", "database"),
    ):  # fmt: skip
        if head.startswith(magic):
            return name
    return "?"


def encoding_of(path: Path, head: bytes) -> str:
    """BOM, UTF-16 without one, strict UTF-8, then GB18030. Only ever one of these: guessing further makes garbage."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    nuls = head.count(0)
    if nuls:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if odd > len(head) * 0.1 and even * 10 < odd:
            return "utf-16-le"
        if even > len(head) * 0.1 and odd * 10 < even:
            return "utf-16-be"
        raise TabularError("not_a_table", file=path.name, found="binary")
    meta = _META_CHARSET.search(head[:4096]) if _HTML.search(head[:4096]) else None
    if meta and meta.group(1).lower() in (b"gb2312", b"gbk", b"gb18030"):
        return "gb18030"
    sample = head if not head.isascii() else _first_unusual(path)
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
        except UnicodeDecodeError:
            continue
        return encoding
    controls = sum(1 for byte in sample[:4096] if byte < 32 and byte not in (9, 10, 13))
    if controls * 20 > len(sample[:4096]):
        raise TabularError("not_a_table", file=path.name, found="binary")
    raise TabularError("wrong_encoding", file=path.name, tried="UTF-8, GB18030, UTF-16")


def _first_unusual(path: Path) -> bytes:
    """The first block with a non-ASCII byte; b"" if there is none. Reading ASCII blocks runs at memory speed."""
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            if not block.isascii():
                # Begin at a line: a block may have been cut inside a character, but never before its line.
                start = next(i for i, byte in enumerate(block) if byte > 127)
                return block[max(block.rfind(b"\n", 0, start) + 1, 0) :]
    return b""


def delimiter_of(sample: str) -> str:
    """Comma, tab, semicolon, pipe or full-width comma: the one that splits the lines into the most even columns."""
    lines = [line for line in sample.splitlines()[:60] if line.strip()]
    best, best_score = ",", 0.0
    for mark in (",", "\t", ";", "|", "，"):
        widths = [len(row) for row in csv.reader(lines, delimiter=mark)]
        if not widths:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        if usual < 2:
            continue
        score = widths.count(usual) / len(widths) * min(usual, 12) * (0.3 if mark == "，" else 1.0)
        if score > best_score:
            best, best_score = mark, score
    return best
