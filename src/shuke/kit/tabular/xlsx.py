"""XLSX as a stream of rows of text, in constant memory (its shared strings are in strings.py).

The sheet's XML is read in blocks and taken apart with regular expressions rather than an XML parser: three to five
times as fast in Python, and nothing is ever expanded, so entity bombs and external entities have nothing to act on
(a DOCTYPE is refused all the same). What the common writers put out fits one quick expression; any other spelling of
a cell goes through a slower, general one. The small parts (workbook, relations, styles) go through defusedxml.

Cells come out as text, the way a CSV would have them: whole numbers without a point, dates as `2024-05-01 13:30:00`.
Numbers beyond 15 digits come out as `1.23E+17`, because a spreadsheet has lost the rest of them.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from shuke.kit.tabular import archive as zips
from shuke.kit.tabular.errors import Limits, TabularError
from shuke.kit.tabular.strings import Strings

_BLOCK = 1 << 20
_MAX_ROWS = 1_048_576
_MAX_SMALL_PART = 20_000_000
_SHARED, _NUMBER, _TEXT, _DATE, _BOOL, _INLINE = range(6)
_DATE_FORMATS = frozenset(map(str, [*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)]))
_NOT_IN_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ROW_NUMBER = re.compile(r'\br="(\d{1,9})"')
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_CDATA_BYTES = re.compile(rb"<!\[CDATA\[(.*?)\]\]>", re.S)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.S)


class Workbook:
    """An open XLSX. `sheets` are the visible sheets' names in order."""

    def __init__(self, path: Path, limits: Limits, archive: zipfile.ZipFile) -> None:
        self._path, self._limits, self._zip = path, limits, archive
        self._parts: dict[str, str] = {}
        self.sheets: tuple[str, ...] = ()
        self._strings: Strings | None = None
        self._read_workbook()

    def rows(self, sheet: str) -> Iterator[list[str]]:
        """Every row including blank ones, so that the n-th is row n of the sheet."""
        part = self._parts[sheet]
        strings = self._shared()
        dates = self._date_styles()
        yield from _Sheet(self, part, strings, dates).rows()

    def estimate_rows(self, sheet: str) -> int:
        """From the sheet's own <dimension>, else from its size."""
        info = self._zip.getinfo(self._parts[sheet])
        with self._zip.open(info) as file:
            head = file.read(4096).decode("utf-8", "replace")
        found = re.search(r'dimension\s+ref="[A-Z]+\d+:[A-Z]+(\d{1,9})"', head)
        return int(found.group(1)) if found else max(info.file_size // 400, 1)

    # --- the small parts

    def _tree(self, name: str):
        info = self._zip.getinfo(name)
        if info.file_size > _MAX_SMALL_PART:
            raise TabularError("bomb", file=self._path.name, unpacked_mb=info.file_size // 1_000_000, part=name)
        try:
            return ElementTree.fromstring(self._zip.read(info), forbid_dtd=True)
        except DefusedXmlException as error:
            raise TabularError("unsafe_xml", file=self._path.name, part=name) from error
        except (ParseError, ValueError, LookupError) as error:  # a LookupError for an encoding nobody knows
            raise TabularError("cut_off", file=self._path.name, why="xml") from error

    def _read_workbook(self) -> None:
        names = self._zip.namelist()
        book = next((name for name in names if name.endswith("workbook.xml")), None)
        if book is None:
            raise TabularError("not_a_table", file=self._path.name, found="ZIP")
        folder = PurePosixPath(book).parent
        self._folder = folder
        rels_name = str(folder / "_rels" / (PurePosixPath(book).name + ".rels"))
        targets: dict[str, str] = {}
        self._strings_part = self._styles_part = ""
        if rels_name in names:
            for rel in self._tree(rels_name):
                target = rel.get("Target", "")
                target = target.lstrip("/") if target.startswith("/") else _joined(folder, target)
                targets[rel.get("Id", "")] = target
                if rel.get("Type", "").endswith("/sharedStrings"):
                    self._strings_part = target
                elif rel.get("Type", "").endswith("/styles"):
                    self._styles_part = target
        tree = self._tree(book)
        self._base = datetime(1899, 12, 30)
        visible = []
        for element in tree.iter():
            tag = element.tag.rpartition("}")[2]
            if tag == "workbookPr" and element.get("date1904") in ("1", "true"):
                self._base = datetime(1904, 1, 1)
            if tag == "sheet":
                relation = next((value for key, value in element.items() if key.endswith("}id")), "")
                part = targets.get(relation, "")
                if part in names and element.get("state", "visible") == "visible":
                    title = element.get("name", "")
                    visible.append(title)
                    self._parts[title] = part
        if not visible:
            raise TabularError("no_sheet", file=self._path.name)
        self.sheets = tuple(dict.fromkeys(visible))

    def _date_styles(self) -> frozenset[str]:
        """Indexes of the cell styles that show a number as a date."""
        if not self._styles_part or self._styles_part not in self._zip.namelist():
            return frozenset()
        tree = self._tree(self._styles_part)
        custom: set[str] = set()
        found: list[str] = []
        for element in tree.iter():
            tag = element.tag.rpartition("}")[2]
            if tag == "numFmt":
                code = _NOT_IN_FORMAT.sub("", element.get("formatCode", "")).split(";")[0].lower()
                if code != "general" and re.search(r"[ymdhs年月日]", code):
                    custom.add(element.get("numFmtId", ""))
            elif tag == "cellXfs":
                for index, style in enumerate(element):
                    number = style.get("numFmtId", "")
                    if number in _DATE_FORMATS or number in custom:
                        found.append(str(index))
        return frozenset(found)

    def _shared(self) -> Strings:
        if self._strings is None:
            self._strings = Strings(_string_blocks(self))
        return self._strings

    # --- big parts, in blocks

    def blocks(self, part: str, mark: bytes) -> Iterator[bytes]:
        """The part in blocks, each cut behind its last `mark` (an end tag)."""
        rest = b""
        first = True
        with self._zip.open(part) as file:
            while block := file.read(_BLOCK):
                data = rest + block
                if first:
                    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
                        raise TabularError("wrong_encoding", file=self._path.name, tried="UTF-8")
                    first = False
                if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                    raise TabularError("unsafe_xml", file=self._path.name, part=part)
                at = data.rfind(mark)
                if at < 0:
                    rest = data
                    if len(rest) > self._limits.line * 4:
                        raise TabularError("line_too_long", file=self._path.name, limit=self._limits.line)
                    continue
                at += len(mark)
                rest = data[at:]
                yield data[:at]

    def prefix(self, part: str, root: str) -> str:
        """The namespace prefix some writers put before every tag, with its colon."""
        with self._zip.open(part) as file:
            head = file.read(2048).decode("utf-8", "replace")
        found = re.search(rf"<(\w+:)?{root}\b", head)
        if not found:
            raise TabularError("cut_off", file=self._path.name, why="xml")
        return found.group(1) or ""

    def date_text(self, serial: str) -> str:
        """`45413.5` → `2024-05-01 12:00:00`; below one day only a time."""
        try:
            days = float(serial)
            moment = self._base + timedelta(seconds=round(days * 86_400))
        except (ValueError, OverflowError):
            return serial
        if 0 <= days < 1:
            return f"{moment:%H:%M:%S}"
        if days < 61 and self._base.year == 1899:  # the spreadsheet's 29 February 1900
            moment += timedelta(days=1)
        return f"{moment:%Y-%m-%d %H:%M:%S}"

    @property
    def path(self) -> Path:
        return self._path

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def strings_part(self) -> str:
        """ "" if the workbook has none."""
        return self._strings_part if self._strings_part in self._zip.namelist() else ""


def _string_blocks(book: Workbook) -> Iterator[list[bytes]]:
    """The shared strings in UTF-8, a block of the file at a time."""
    if not book.strings_part:
        return
    p = book.prefix(book.strings_part, "sst")
    simple = re.compile(rf"<{p}si><{p}t(?: [^>]*[^/>])?>([^<]*)</{p}t></{p}si>".encode())
    end = f"</{p}si>".encode()
    opening = re.compile(rf"<{p}si[ />]".encode())
    for block in book.blocks(book.strings_part, end):
        texts = simple.findall(block)
        if len(texts) != len(opening.findall(block)):
            texts = list(_any_strings(block, p))
        if b"&" in block or b"_x" in block:
            texts = [clean(t.decode()).encode("utf-8", "replace") if b"&" in t or b"_x" in t else t for t in texts]
        yield texts


def _any_strings(block: bytes, p: str) -> Iterator[bytes]:
    """Rich text in several runs, reading aids, empty and self-closed items, CDATA."""
    item = re.compile(rf"<{p}si\b[^>]*/>|<{p}si\b[^>]*>(.*?)</{p}si>".encode(), re.S)
    run = re.compile(rf"<{p}t\b(?:[^>]*[^/>])?>([^<]*)</{p}t>".encode())
    aid = re.compile(rf"<{p}rPh\b.*?</{p}rPh>".encode(), re.S)
    if b"<![CDATA[" in block:
        block = _CDATA_BYTES.sub(lambda found: html.escape(found.group(1).decode()).encode(), block)
    for inside in item.findall(block):
        yield b"".join(run.findall(aid.sub(b"", inside)))


class _Sheet:
    def __init__(self, book: Workbook, part: str, strings: Strings, dates: frozenset[str]) -> None:
        self._book, self._part, self._strings, self._dates = book, part, strings, dates
        p = self._prefix = book.prefix(part, "worksheet")
        self._end = f"</{p}row>"
        formula = rf"(?:<{p}f\b[^>]*?(?:/>|>[^<]*</{p}f>))?"
        self._quick = re.compile(
            rf'<{p}c r="([A-Z]+)\d+"([^>/]*)(?:/>|>{formula}(?:<{p}v(?: [^>]*)?>([^<]*)</{p}v>|<{p}is>(.*?)</{p}is>)?</{p}c>)',
            re.S,
        )
        self._any = re.compile(rf"<{p}c(\s[^>]*?)?(?:/>|>(.*?)</{p}c>)", re.S)
        self._value = re.compile(rf"<{p}v\b[^>]*>([^<]*)</{p}v>")
        self._t = re.compile(rf"<{p}t\b(?:[^>]*[^/])?>([^<]*)</{p}t>")
        self._aid = re.compile(rf"<{p}rPh\b.*?</{p}rPh>", re.S)
        self._columns = _ColumnIndex(book)
        self._kinds: dict[str, int] = {}

    def rows(self) -> Iterator[list[str]]:
        opening, cell_mark = f"<{self._prefix}row", f"<{self._prefix}c"
        count_marks = (cell_mark + " ", cell_mark + ">", cell_mark + "/")
        quick = self._quick.findall
        done = 0
        for raw in self._book.blocks(self._part, self._end.encode()):
            try:
                block = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise TabularError("wrong_encoding", file=self._book.path.name, tried="UTF-8") from error
            for piece in block.split(self._end)[:-1]:
                start = piece.rfind(opening)
                if start < 0:
                    continue
                close = piece.find(">", start)
                # `<row r="3"/>` before this row stays in the piece; its number is simply skipped
                number = _ROW_NUMBER.search(piece, start, close)
                here = int(number.group(1)) if number else done + 1
                if here > _MAX_ROWS or here <= done:
                    here = done + 1
                while done < here - 1:
                    done += 1
                    yield []
                body = piece[close:]
                if "<![CDATA[" in body:
                    body = _CDATA.sub(lambda found: html.escape(found.group(1)), body)
                cells = quick(body)
                if len(cells) != sum(map(body.count, count_marks)):
                    cells = self._slowly(body)
                done += 1
                yield self._row(cells)

    def _row(self, cells: list[tuple[str, str, str, str]]) -> list[str]:
        row: list[str] = []
        kinds, columns, strings = self._kinds, self._columns, self._strings
        for letters, attributes, value, inline in cells:
            kind = kinds.get(attributes)
            if kind is None:
                kind = self._kind(attributes)
            if kind == _SHARED:
                try:
                    text = strings[int(value)] if value else ""
                except TabularError:
                    raise
                except (IndexError, ValueError) as error:
                    raise TabularError("cut_off", file=self._book.path.name, why="xml") from error
            elif kind == _NUMBER:
                text = value if len(value) <= 15 and value.isdigit() else number_text(value)
            elif kind == _DATE:
                text = self._book.date_text(value) if value else ""
            elif kind == _BOOL:
                text = {"1": "TRUE", "0": "FALSE"}.get(value, value)
            elif kind == _INLINE and inline:
                if "rPh" in inline:
                    inline = self._aid.sub("", inline)
                text = clean("".join(self._t.findall(inline)))
            else:
                text = clean(value)
            at = columns[letters]
            missing = at - len(row)
            if missing > 0:
                row.extend([""] * missing)
            elif missing < 0:
                row[at] = text
                continue
            row.append(text)
        return row

    def _kind(self, attributes: str) -> int:
        said = {name: a or b for name, a, b in _ATTRIBUTE.findall(attributes)}
        t = said.get("t", "n")
        kind = {"s": _SHARED, "str": _TEXT, "inlineStr": _INLINE, "b": _BOOL, "e": _TEXT, "d": _TEXT}.get(t, _NUMBER)
        if kind == _NUMBER and said.get("s") in self._dates:
            kind = _DATE
        if len(self._kinds) < 10_000:
            self._kinds[attributes] = kind
        return kind

    def _slowly(self, body: str) -> list[tuple[str, str, str, str]]:
        """Cells in any order of attributes, without references, with children nobody expects."""
        cells = []
        position = 0
        for attributes, inside in self._any.findall(body):
            said = {name: a or b for name, a, b in _ATTRIBUTE.findall(attributes)}
            letters = said.get("r", "").rstrip("0123456789").upper()
            if letters:
                position = self._columns[letters]
            value = self._value.search(inside)
            kept = " ".join(f'{name}="{said[name]}"' for name in ("s", "t") if name in said)
            cells.append((letters or _letters(position), kept, value.group(1) if value else "", inside))
            position += 1
        return cells


class _ColumnIndex(dict):
    """`AB` → 27, within the limit."""

    def __init__(self, book: Workbook) -> None:
        super().__init__()
        self._book = book

    def __missing__(self, letters: str) -> int:
        index = 0
        for letter in letters[:8]:
            index = index * 26 + ord(letter) - 64
        limit = self._book.limits.columns
        if not 1 <= index <= limit:
            raise TabularError("too_many_columns", file=self._book.path.name, row="", count=index, limit=limit)
        self[letters] = index - 1
        return index - 1


def clean(text: str) -> str:
    """Entities and the spreadsheet's own escapes resolved."""
    if "&" in text:
        text = html.unescape(text)
    if "_x" in text:
        text = _ESCAPE.sub(_escaped, text)
    return text


def _escaped(found: re.Match[str]) -> str:
    """`_x000D_` → carriage return; nothing for NUL and half characters, which no database takes."""
    code = int(found.group(1), 16)
    return "" if code == 0 or 0xD800 <= code < 0xE000 else chr(code)


def number_text(value: str) -> str:
    """A number as a person would type it; beyond 15 digits in the E notation that says they are lost."""
    if not value:
        return ""
    try:
        number = float(value)
    except ValueError:
        return clean(value)
    if abs(number) >= 1e15:
        return f"{number:.14E}"
    text = f"{number:.15g}"
    return f"{number:.12f}".rstrip("0").rstrip(".") if "e" in text else text


def _letters(index: int) -> str:
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def _joined(folder: PurePosixPath, target: str) -> str:
    parts: list[str] = []
    for part in (*folder.parts, *PurePosixPath(target).parts):
        if part == "..":
            if parts:
                parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def opened(path: Path, limits: Limits):
    """Context manager: the archive, looked over first (see `archive.opened`)."""
    return zips.opened(path, limits)
