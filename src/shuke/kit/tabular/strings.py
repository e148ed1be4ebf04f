"""A workbook's shared strings: a list as long as the file likes, in little memory.

They are kept as text with NUL between them, a group of 64 at a time with one offset each; what does not fit into a few
megabytes goes to a temporary file that vanishes with the reading. Groups asked for are decoded once and kept for a while:
cells point at strings in about the order in which they first occur.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO

GROUP = 64
IN_MEMORY = 16_000_000  # bytes; beyond it they go to disk
_GROUPS_KEPT = 2_048


class Strings:
    """Taken in block by block as far as asked for, so that looking at a file's first rows does not read them all.

    `blocks` yields lists of strings in UTF-8; NUL in them is dropped, no cell has one.
    """

    def __init__(self, blocks: Iterator[list[bytes]]) -> None:
        self._blocks = blocks
        self._text = bytearray()  # what is not on disk yet
        self._disk: IO[bytes] | None = None
        self._on_disk = 0
        self._starts = array("Q", [0])  # where each whole group begins, and the next one will
        self._open: list[bytes] = []  # of the last, unfinished group
        self._ended = False
        self._decoded: dict[int, list[str]] = {}

    def __getitem__(self, index: int) -> str:
        """Raises IndexError for a string that the file does not have."""
        group = self._decoded.get(index // GROUP)
        if group is None:
            if index < 0:
                raise IndexError(index)
            group = self._group(index // GROUP)
        return group[index % GROUP]

    def _group(self, number: int) -> list[str]:
        while number + 1 >= len(self._starts):
            if not self._take():
                raise IndexError(number)
        start, end = self._starts[number], self._starts[number + 1]
        group = self._read(start, end - 1).decode().split("\0")  # a ValueError where it is no UTF-8
        if len(self._decoded) >= _GROUPS_KEPT:
            self._decoded.pop(next(iter(self._decoded)))
        self._decoded[number] = group
        return group

    def _take(self) -> bool:
        """Take in one more block; False when there is nothing left."""
        if self._ended:
            return False
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            if self._open:
                self._close(self._open)
                self._open = []
                return True
            return False
        strings = self._open + [text.replace(b"\0", b"") if b"\0" in text else text for text in block]
        whole = len(strings) - len(strings) % GROUP
        for start in range(0, whole, GROUP):
            self._close(strings[start : start + GROUP])
        self._open = strings[whole:]
        if len(self._text) > IN_MEMORY:
            self._put_away()
        return True

    def _close(self, group: list[bytes]) -> None:
        self._text += b"\0".join(group)
        self._text += b"\0"
        self._starts.append(self._on_disk + len(self._text))

    def _put_away(self) -> None:
        if self._disk is None:
            self._disk = tempfile.TemporaryFile(prefix="shuke-strings-")  # noqa: SIM115 - closed with this object
        self._disk.seek(0, os.SEEK_END)
        self._disk.write(self._text)
        self._disk.flush()
        self._on_disk += len(self._text)
        self._text = bytearray()

    def _read(self, start: int, end: int) -> bytes:
        if start >= self._on_disk or self._disk is None:
            return bytes(self._text[start - self._on_disk : end - self._on_disk])
        return os.pread(self._disk.fileno(), end - start, start)
