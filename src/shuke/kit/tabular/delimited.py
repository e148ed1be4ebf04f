"""CSV and its cousins as a stream of rows, in constant memory."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from shuke.kit.tabular import sniff
from shuke.kit.tabular.errors import Limits, TabularError

_CHUNK = 1 << 19  # bytes
csv.field_size_limit(1_000_000)  # process-wide in the csv module; the default of 131,072 refuses honest long notes


def sample(path: Path, encoding: str) -> str:
    """The first lines, decoded; never fails on a character cut in half."""
    with open(path, "rb") as file:
        return file.read(65_536).decode(encoding, "replace")


def rows(path: Path, encoding: str, delimiter: str, limits: Limits) -> Iterator[list[str]]:
    """Every row including blank ones ([]), so that the n-th is row n of a spreadsheet.

    Raises TabularError: wrong_encoding, line_too_long, cut_off (a quote that never closes), too_many_columns.
    """
    lines = chain.from_iterable(_line_blocks(path, encoding, limits))
    reader = csv.reader(lines, delimiter=delimiter)
    number = 0
    widest = limits.columns
    try:
        for row in reader:
            number += 1
            if len(row) > widest:
                raise TabularError("too_many_columns", file=path.name, row=number, count=len(row), limit=widest)
            yield row
    except csv.Error as error:
        raise TabularError("cut_off", file=path.name, row=number + 1, why="quote") from error
    except UnicodeError as error:
        raise TabularError("wrong_encoding", file=path.name, row=number + 1, tried=encoding) from error


def _line_blocks(path: Path, encoding: str, limits: Limits) -> Iterator[list[str]]:
    """Lines of a text file, a block of them at a time; a line may not outgrow its limit.

    Not TextIOWrapper: what stands before a wrong byte is still delivered, and a character cut off at the very end of
    the file counts as the file's being cut, not as a wrong encoding. Not str.splitlines: it would also break at exotic
    separators.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    rest, failure = "", None
    with open(path, "rb") as file:
        while not failure:
            block = file.read(_CHUNK)
            try:
                chunk = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "ignore")
                chunk = good.replace("\r\n", "\n").replace("\r", "\n")
                failure = error if block else None
            if "\0" in chunk:
                chunk = chunk.replace("\0", "")
            lines = (rest + chunk).split("\n")
            rest = lines.pop()
            if len(rest) > limits.line:
                raise TabularError("line_too_long", file=path.name, limit=limits.line)
            yield [line + "\n" for line in lines]
            if not block:
                break
    if failure:
        raise failure
    if rest:
        yield [rest]


def ends_cleanly(path: Path) -> bool:
    """Whether the last byte is a line end: a file cut in half seldom has one."""
    with open(path, "rb") as file:
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(size - 4, 0))
        return b"\n" in file.read(4) or b"\r" in file.read(4)


def estimate_rows(path: Path, encoding: str) -> int:
    """Lines in the first megabyte, scaled to the file's size."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        block = file.read(1 << 20)
    lines = max(block.count(b"\n"), block.count(b"\r"))
    if size <= len(block):
        return lines + (0 if block.endswith((b"\n", b"\r")) else 1)
    return int(size / len(block) * lines)


def delimiter(path: Path, encoding: str) -> str:
    return sniff.delimiter_of(sample(path, encoding))
