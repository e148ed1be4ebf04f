"""What a layout is, and how a file is recognised as one.

A layout lists the headers it must have, the ones it knows, and the generations it went through. Headers are compared
in their normal form (kit.tabular.header), so trailing blanks and full-width brackets do not matter; a name that occurs
twice is found by position. The best match over the first 50 rows of every sheet wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shuke.connect.importers.cells import REJECT_NAMES, Amounts, Moments, Notes
from shuke.engine.facts import CouponUse, Order, Person, Problem, Product, Refund
from shuke.kit.tabular import DEFAULT, Limits
from shuke.kit.tabular.header import names, normal

Fact = Order | Refund | Person | Product | CouponUse | Problem
RowReader = Callable[[list[str]], "Fact | None"]


class Options(NamedTuple):
    """What the person who imports knows and the file does not say."""

    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    currency: str = "CNY"
    shop: str = ""  # the shop chosen at import; a file that names another one is refused
    platform: str | None = None  # e.g. "tmall" for a file in Taobao's layout
    mapping: Mapping[str, Any] | None = None  # for plain files, see plain.py
    stated_at: datetime | None = None  # when the file was made: later statements win
    latest: datetime | None = None  # nothing that happened is later; None: not looked at
    limits: Limits = DEFAULT
    shops: Mapping[str, str] | None = None  # platform → shop of files that do not name theirs; None: as the others say


class Columns:
    """Where the columns of one file are. A column the file lacks is found behind its last one, where every row gets
    an empty cell."""

    def __init__(self, header: Sequence[str]) -> None:
        self.header = tuple(header)
        self.width = len(header)
        self.places: dict[str, list[int]] = {}
        for place, name in enumerate(normal(cell) for cell in header):
            if name:
                self.places.setdefault(name, []).append(place)
        self.used: set[int] = set()

    def at(self, *wanted: str, nth: int = 0) -> int:
        """Place of the first of these names that the file has."""
        for name in wanted:
            places = self.places.get(normal(name), ())
            if len(places) > nth:
                self.used.add(places[nth])
                return places[nth]
        return self.width

    def has(self, *wanted: str) -> bool:
        return any(normal(name) in self.places for name in wanted)

    def title(self, place: int) -> str:
        return self.header[place].strip() if place < self.width else ""


class Reading:
    """One file being read: its columns, the options, shared readers of cells, and the oddities of the current row."""

    def __init__(self, layout: Layout, generation: str, columns: Columns, options: Options) -> None:
        self.layout, self.generation, self.columns, self.options = layout, generation, columns, options
        self.platform = options.platform or layout.platform
        self.notes = Notes()
        self.amount = Amounts(options.currency)
        self.moment = Moments(options.zone, self.notes, latest=options.latest)
        self.required: set[int] = set()  # places a row must reach to be believed
        self.wide_rows_ok = False
        self.makes_numbers = False  # the file has none: rejected rows carry the made one along
        self.sensitive: set[int] = set()  # places masked in everything that leaves the reader

    def need(self, place: int) -> int:
        """A column without which a row is not whole."""
        if place < self.columns.width:
            self.required.add(place)
        return place


class Generation(NamedTuple):
    name: str
    has: tuple[str, ...] = ()  # headers that tell it from the older ones


class Layout(NamedTuple):
    """One kind of file. `rows` builds the function that turns one row into a fact; `grouped` layouts have several
    rows per order and build a grouper instead (grouping.py)."""

    key: str
    platform: str
    title_en: str
    title_zh: str
    must: tuple[str, ...]
    known: frozenset[str]
    rows: Callable[[Reading], RowReader] | None = None
    grouped: Callable[[Reading], Any] | None = None
    generations: tuple[Generation, ...] = ()
    not_with: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()  # of each group at least one header is needed
    what: str = "orders"  # orders | items | refunds | customers | tables

    def generation(self, present: frozenset[str] | set[str]) -> str:
        """The newest generation whose marks are all there. Generations are listed oldest first."""
        found = ""
        for generation in self.generations:
            if all(normal(name) in present for name in generation.has):
                found = generation.name
        return found


class Recognised(NamedTuple):
    """What a file turned out to be. `header_row` is 1-based, 0 = none found; `confidence` 0 … 1."""

    layout: str
    generation: str
    title_en: str
    title_zh: str
    encoding: str
    header_row: int
    confidence: float
    columns: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    kind: str = ""  # csv | xlsx | xls | html | parquet | zip
    sheet: str = ""
    rows_before: int = 0  # filled rows above the header: titles, or a first of two header rows
    file: str = ""
    delimiter: str = ""
    members: tuple[Recognised, ...] = ()  # of a ZIP
    shop: str = ""  # as the first rows name it
    platform: str = ""


class Match(NamedTuple):
    layout: Layout
    generation: str
    header_row: int
    confidence: float
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def known(*groups: Iterable[str] | str) -> frozenset[str]:
    """Normalised header names; a string is split at its blanks, commas and 、."""
    found: set[str] = set()
    for group in groups:
        words = group.replace("、", ",").replace("\n", ",").split(",") if isinstance(group, str) else group
        found.update(normal(word) for word in words if word.strip())
    return frozenset(found)


def match(layouts: Iterable[Layout], rows: Sequence[Sequence[str]]) -> Match | None:
    """The best layout and header row, or None. A match needs every `must` header; more known headers win."""
    best: Match | None = None
    best_score = 0.0
    for index, row in enumerate(rows):
        header = names(row)
        present = frozenset(name for name in header if name)
        if len(present) < 2:
            continue
        for layout in layouts:
            must = [normal(name) for name in layout.must]
            if not all(name in present for name in must) or any(normal(name) in present for name in layout.not_with):
                continue
            if not all(any(normal(name) in present for name in group) for group in layout.any_of):
                continue
            score = len(present & layout.known) + len(must)
            if score > best_score:
                strange = tuple(
                    cell.strip() for cell in row if cell.strip() and normal(cell) not in layout.known | REJECT_NAMES
                )
                share = len(present & layout.known) / len(present)
                confidence = round(min(1.0, 0.5 + share / 2), 2)
                best = Match(layout, layout.generation(present), index + 1, confidence, (), strange)
                best_score = score
    return best


def nearest(layouts: Iterable[Layout], rows: Sequence[Sequence[str]]) -> tuple[Layout, int, tuple[str, ...]] | None:
    """The layout that most of a header row belongs to though something it needs is missing; with what is missing."""
    best: tuple[Layout, int, tuple[str, ...]] | None = None
    best_score = 0.0
    for index, row in enumerate(rows):
        present = frozenset(name for name in names(row) if name)
        if len(present) < 3:
            continue
        for layout in layouts:
            share = len(present & layout.known) / len(present)
            missing = tuple(name for name in layout.must if normal(name) not in present)
            missing += tuple(
                " / ".join(group) for group in layout.any_of if not any(normal(n) in present for n in group)
            )
            if share >= 0.6 and share > best_score and missing:
                best, best_score = (layout, index + 1, missing), share
    return best
