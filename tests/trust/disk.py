"""A disk that fails on purpose, under the very SQLite the product runs on.

SQLite does all its file work through a table of functions, a VFS. This one is the system's own with four of those functions
replaced: writing, truncating, syncing and deleting are counted, remembered and, when told to, refused. A database is put on
it by its name: `file:/path/shop.sqlite3?vfs=shuke-disk`; driver, settings and pragmas stay the product's.

What a process wrote survives its death, what the operating system was not asked to sync does not survive a power cut: so each
file is remembered as it was at its last sync, with the writes since. `after_power_cut` says what a platter could then hold.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "shuke-disk"
IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, FULL = 10 | 3 << 8, 10 | 4 << 8, 10 | 6 << 8, 13
SECTOR = 512

_int, _i64, _ptr, _text = ctypes.c_int, ctypes.c_longlong, ctypes.c_void_p, ctypes.c_char_p
_WRITE = ctypes.CFUNCTYPE(_int, _ptr, _ptr, _int, _i64)
_TRUNCATE = ctypes.CFUNCTYPE(_int, _ptr, _i64)
_SYNC = ctypes.CFUNCTYPE(_int, _ptr, _int)
_OPEN = ctypes.CFUNCTYPE(_int, _ptr, _ptr, _ptr, _int, _ptr)
_DELETE = ctypes.CFUNCTYPE(_int, _ptr, _text, _int)


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, as far as version 2: without version 3 SQLite reads no file through memory."""

    _fields_ = [
        ("version", _int), ("close", _ptr), ("read", _ptr), ("write", _ptr), ("truncate", _ptr), ("sync", _ptr),
        *((f"other{n}", _ptr) for n in range(11)),
    ]  # fmt: skip


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = [
        ("version", _int), ("file_size", _int), ("longest_path", _int), ("next", _ptr), ("name", _text), ("data", _ptr),
        ("open", _ptr), ("delete", _ptr), *((f"other{n}", _ptr) for n in range(14)),
    ]  # fmt: skip


class _File(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods))]


class Disk:
    """One for the process: SQLite keeps the table for ever."""

    def __init__(self) -> None:
        # The copy of SQLite that Python's own driver is bound to, whichever that is.
        sqlite = ctypes.CDLL(_sqlite3.__file__)
        sqlite.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self._system = sqlite.sqlite3_vfs_find(None)
        self._open, self._delete = _OPEN(self._system.contents.open), _DELETE(self._system.contents.delete)
        self._own = _Vfs.from_buffer_copy(self._system.contents)
        self._keep = (_OPEN(self._on_open), _DELETE(self._on_delete))  # ctypes forgets what nobody holds
        self._own.name = NAME.encode()
        self._own.open, self._own.delete = (ctypes.cast(f, _ptr) for f in self._keep)
        self._tables: dict[int, tuple] = {}  # the system's table of a kind of file → ours
        self._paths: dict[int, str] = {}  # open file → its path
        self.synced: dict[str, bytearray] = {}
        self.since: dict[str, list[tuple[int, bytes | None]]] = defaultdict(
            list
        )  # offset and bytes; None: cut off there
        self.calls = 0
        self._fails_at, self._code, self._for_good = 0, 0, False
        self.hit = False
        assert sqlite.sqlite3_vfs_register(ctypes.byref(self._own), 0) == 0

    # -- told by tests -------------------------------------------------------------------------------------------

    def fail(self, nth: int, *, code: int = IOERR_WRITE, for_good: bool = False) -> None:
        """The nth call from now fails; with `for_good` all later ones too, until `mend`."""
        self.calls, self.hit = 0, False
        self._fails_at, self._code, self._for_good = nth, code, for_good

    def mend(self) -> None:
        self._fails_at, self._for_good = 0, False

    def forget(self) -> None:
        """Files are new: what was written so far is on the platter."""
        self.synced.clear()
        self.since.clear()

    def after_power_cut(self, path: Path, rng: random.Random) -> dict[str, bytes]:
        """Path → what may be left of the database and its log: all that was synced, of the rest some, some of it torn."""
        left = {}
        for name, image in self.synced.items():
            if not name.startswith(str(path)):
                continue
            kept = bytearray(image)
            for at, data in self.since[name]:
                luck = rng.random()
                if luck < 0.4:
                    _apply(kept, at, data)
                elif luck < 0.6 and data is not None:
                    _apply(kept, at, data[: SECTOR * rng.randint(0, len(data) // SECTOR)])
            left[name] = bytes(kept)
        return left

    # -- called by SQLite ----------------------------------------------------------------------------------------

    def _on_open(self, _vfs, name, file, flags, out) -> int:
        told = self._open(ctypes.addressof(self._system.contents), name, file, flags, out)
        methods = _File.from_address(file).methods
        if told or not methods or not name:
            return told
        path = ctypes.cast(name, _text).value.decode()
        self._paths[file] = path
        if path not in self.synced:
            self.synced[path] = bytearray(Path(path).read_bytes())
        theirs = ctypes.addressof(methods.contents)
        if theirs not in self._tables:
            self._tables[theirs] = self._table(methods.contents)
        _File.from_address(file).methods = ctypes.pointer(self._tables[theirs][0])
        return 0

    def _table(self, theirs: _Methods) -> tuple:
        own = _Methods.from_buffer_copy(theirs)
        own.version = min(own.version, 2)
        write, truncate, sync = _WRITE(theirs.write), _TRUNCATE(theirs.truncate), _SYNC(theirs.sync)

        def on_write(file, data, size, at) -> int:
            told = self._refused(IOERR_WRITE) or write(file, data, size, at)
            if not told:
                self.since[self._paths[file]].append((at, ctypes.string_at(data, size)))
            return told

        def on_truncate(file, size) -> int:
            told = self._refused(IOERR_TRUNCATE) or truncate(file, size)
            if not told:
                self.since[self._paths[file]].append((size, None))
            return told

        def on_sync(file, flags) -> int:
            told = self._refused(IOERR_FSYNC) or sync(file, flags)
            if not told:
                path = self._paths[file]
                for at, data in self.since.pop(path, ()):
                    _apply(self.synced[path], at, data)
            return told

        keep = _WRITE(on_write), _TRUNCATE(on_truncate), _SYNC(on_sync)
        own.write, own.truncate, own.sync = (ctypes.cast(f, _ptr) for f in keep)
        return own, keep, (write, truncate, sync)

    def _on_delete(self, _vfs, name, sync_folder) -> int:
        told = self._refused(IOERR_WRITE) or self._delete(ctypes.addressof(self._system.contents), name, sync_folder)
        if not told:
            self.synced.pop(name.decode(), None)
            self.since.pop(name.decode(), None)
        return told

    def _refused(self, code: int) -> int:
        self.calls += 1
        if self._fails_at and (self.calls == self._fails_at or (self._for_good and self.calls > self._fails_at)):
            self.hit = True
            return self._code if self._code == FULL else code
        return 0


def _apply(image: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del image[at:]
        return
    image.extend(bytes(max(0, at - len(image))))
    image[at : at + len(data)] = data


_disk: list[Disk] = []


def disk() -> Disk:
    if not _disk:
        _disk.append(Disk())
    return _disk[0]


@contextmanager
def books_on(path: Path, *, more_pragmas: str = "") -> Iterator[None]:
    """The product's own connection, on the failing disk, with the settings of a shop."""
    from django.db import connection

    told = connection.settings_dict
    before = told["NAME"], told["OPTIONS"]
    connection.close()
    told["NAME"] = f"file:{path}?vfs={NAME}"
    told["OPTIONS"] = before[1] | {"init_command": before[1]["init_command"] + more_pragmas}
    try:
        yield
    finally:
        connection.close()
        told["NAME"], told["OPTIONS"] = before
