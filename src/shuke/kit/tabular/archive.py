"""ZIP files from strangers: looked over before a byte is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shuke.kit.tabular.errors import Limits, TabularError

_RATIO_MATTERS_FROM = 1_000_000
_SKIPPED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """A ZIP within its limits. Sizes are those of its directory; Python's reader never unpacks more than that says.

    Raises TabularError: cut_off, bomb, unpacks_too_big, too_many_members, encrypted, not_a_table.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise TabularError("cut_off", file=path.name, why="zip") from error
    with archive:
        members = archive.infolist()
        if len(members) > limits.members:
            raise TabularError("too_many_members", file=path.name, count=len(members), limit=limits.members)
        unpacked = sum(member.file_size for member in members)
        # The packed size is the file's own: overlapping members would each claim the same bytes.
        ratio = unpacked // max(path.stat().st_size, 1)
        if unpacked > _RATIO_MATTERS_FROM and ratio > limits.ratio:
            raise TabularError(
                "bomb", file=path.name, unpacked_mb=unpacked // 1_000_000, ratio=ratio, limit=limits.ratio
            )
        if unpacked > limits.unpacked:
            needed = -(-unpacked // 1_000_000)
            raise TabularError(
                "unpacks_too_big", file=path.name, unpacked_mb=needed, limit_mb=limits.unpacked // 1_000_000
            )
        if any(member.flag_bits & 1 for member in members):
            raise TabularError("encrypted", file=path.name)
        try:
            yield archive
        except (zipfile.BadZipFile, EOFError) as error:
            raise TabularError("cut_off", file=path.name, why="zip") from error
        except (NotImplementedError, RuntimeError) as error:
            raise TabularError("not_a_table", file=path.name, found="ZIP") from error
        except Exception as error:
            if type(error).__module__ == "zlib":
                raise TabularError("cut_off", file=path.name, why="zip") from error
            raise


def is_workbook(archive: zipfile.ZipFile) -> bool:
    names = set(archive.namelist())
    return "[Content_Types].xml" in names and any(name.endswith("workbook.xml") for name in names)


def tables_inside(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of a plain ZIP, in the archive's order, without what operating systems drop in."""
    return [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(mark in member.filename for mark in _SKIPPED) and member.file_size
    ]


def shown_name(member: zipfile.ZipInfo) -> str:
    """The member's name; Chinese Windows writes GBK bytes there without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, number: int) -> Path:
    """One member as a file of its own. The stranger's path is not used, only the ending of its name."""
    target = folder / f"{number:04d}{Path(shown_name(member)).suffix[:8]}"
    with archive.open(member) as source, open(target, "wb") as copy:
        while block := source.read(1 << 20):
            copy.write(block)
    return target
