"""From paths to facts: folders and ZIPs opened up, files recognised, each given to its layout's reader."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from shuke.connect.importers import (
    ali1688,
    completejourney,
    douyin,
    jd,
    pinduoduo,
    plain,
    shopify,
    taobao,
    woocommerce,
    youzan,
)
from shuke.connect.importers.cells import plain as cell_text
from shuke.connect.importers.layouts import Columns, Fact, Layout, Match, Options, Recognised, match, nearest
from shuke.connect.importers.reading import read_table
from shuke.engine.facts import Order, Problem, Refund
from shuke.kit.tabular import DEFAULT, Limits, Table, TabularError, archive, kind_of, open_table
from shuke.kit.tabular.header import SEARCHED_ROWS, guess_row

_PRESETS: tuple[Layout, ...] = (
    *taobao.LAYOUTS, *jd.LAYOUTS, *pinduoduo.LAYOUTS, *douyin.LAYOUTS, *youzan.LAYOUTS, *ali1688.LAYOUTS,
    *shopify.LAYOUTS, *woocommerce.LAYOUTS,
)  # fmt: skip
_COMPLETE_JOURNEY = Layout(
    "completejourney", "completejourney", "Complete Journey (grocery baskets)", "Complete Journey（超市购物篮）",
    must=(), known=frozenset(), what="tables",
)  # fmt: skip
LAYOUTS: dict[str, Layout] = {layout.key: layout for layout in (*_PRESETS, _COMPLETE_JOURNEY, *plain.LAYOUTS)}
_UNKNOWN = ("unknown", "Not recognised", "未能识别")


class UnknownLayout(ValueError):
    """`--as` named a layout that does not exist."""


class Source(NamedTuple):
    """One file to read: where it lies and what to call it."""

    path: Path
    name: str
    member: bool = False  # came out of a ZIP, where a note or a picture may lie beside the tables


def recognise_file(path: Path | str, *, name: str | None = None, limits: Limits = DEFAULT) -> Recognised:
    """What kind of file this is. A table of no known layout gives layout "unknown" with its header row and what the
    nearest layout misses. A ZIP gives layout "zip" with its members. Raises TabularError if it is no table at all."""
    path = Path(path)
    shown = name or path.name
    if path.is_dir():
        return _recognise_many("folder", shown, [Source(inside, inside.name) for inside in _in_folder(path)], limits)
    kind = kind_of(path).name
    if kind == "parquet":
        return _recognise_parquet(path, shown)
    if kind == "zip":
        with archive.opened(path, limits) as opened:
            plain_zip = not archive.is_workbook(opened) and "content.xml" not in opened.namelist()
        if plain_zip:
            with tempfile.TemporaryDirectory(prefix="shuke-zip-") as folder:
                return _recognise_many("zip", shown, _unpacked(path, shown, Path(folder), limits), limits)
    table, found = _best_sheet(path, limits)
    return _recognised(table, found, shown)


def recognise_files(paths: Iterable[Path | str], *, limits: Limits = DEFAULT) -> list[Recognised]:
    """One answer per file, with ZIPs and folders opened up."""
    found: list[Recognised] = []
    for path in paths:
        one = recognise_file(path, limits=limits)
        found.extend(one.members if one.members else [one])
    return found


def read(
    paths: Sequence[Path | str] | Path | str, *, layout: str | None = None, options: Options | None = None
) -> Iterator[Fact]:
    """Every fact of these files, in order. A file that cannot be read is one Problem with row 0; the others go on.

    `layout` (a key of LAYOUTS) overrides recognition. Raises UnknownLayout.
    """
    options = options or Options()
    if layout is not None and layout not in LAYOUTS:
        raise UnknownLayout(f"There is no layout '{layout}'. Known: {', '.join(LAYOUTS)}.")
    if isinstance(paths, Path | str):
        paths = [paths]
    return _read([Path(path) for path in paths], layout, options)


def _read(paths: list[Path], layout: str | None, options: Options) -> Iterator[Fact]:
    with ExitStack() as stack:
        sources = list(_expanded(paths, stack, options))
        shops = options.shops
        if shops is None and not options.shop and len(sources) > 1:
            shops = named_shops(_heads(sources, options.limits))
        yield from _named(_each(sources, layout, options), shops or {})


def named_shops(files: Iterable[Recognised]) -> dict[str, str]:
    """Platform → shop, where the files of an upload name exactly one: it is that of the others too. An item report does
    not say whose it is, the order report beside it does."""
    found: dict[str, set[str]] = {}
    for file in files:
        for one in file.members or (file,):
            if one.shop:
                found.setdefault(one.platform, set()).add(one.shop)
    return {platform: min(names) for platform, names in found.items() if len(names) == 1}


def _heads(sources: Iterable[Source | Problem], limits: Limits) -> Iterator[Recognised]:
    for source in sources:
        if isinstance(source, Source):
            with suppress(TabularError):
                yield recognise_file(source.path, name=source.name, limits=limits)


def _named(facts: Iterator[Fact], shops: Mapping[str, str]) -> Iterator[Fact]:
    if not shops:
        yield from facts
        return
    for fact in facts:
        if isinstance(fact, Order | Refund) and not fact.shop:
            shop = shops.get("taobao" if fact.platform == "tmall" else fact.platform, "")
            yield fact._replace(shop=shop) if shop else fact
        else:
            yield fact


def _each(sources: list[Source | Problem], layout: str | None, options: Options) -> Iterator[Fact]:
    journey: dict[str, Path] = {}
    for source in sources:
        if isinstance(source, Problem):
            yield source
            continue
        try:
            if kind_of(source.path).name == "parquet":
                columns = completejourney.columns_of(source.path)
                table = completejourney.table_of(columns)
                if table in completejourney.USED and table not in journey:
                    journey[table] = source.path
                else:
                    yield Problem("unused_table" if table else "layout_unknown", 0, "", "", (), not table, source.name)
                continue
            yield from _read_one(source, layout, options)
        except TabularError as error:
            problem = file_problem(error, source.name)
            if source.member and error.code == "not_a_table":
                problem = problem._replace(code="left_out", reject=False)
            yield problem
    if journey:
        try:
            yield from completejourney.read(journey, options)
        except TabularError as error:
            yield file_problem(error, ", ".join(path.name for path in journey.values()))


def _read_one(source: Source, wanted: str | None, options: Options) -> Iterator[Fact]:
    if options.mapping is not None and (wanted is None or wanted.startswith("plain")):
        table = open_table(source.path, sheet=options.mapping.get("sheet") or None, limits=options.limits)
        yield from plain.read(table, options, source.name)
        return
    presets = (LAYOUTS[wanted],) if wanted and LAYOUTS[wanted].must else _PRESETS
    table, found = _best_sheet(source.path, options.limits, presets)
    if found is None:
        near = nearest(presets, table.head())
        if near is not None and (wanted or len(near[2]) <= 2):
            missing = (("layout", near[0].title_en), ("layout_zh", near[0].title_zh), ("missing", ", ".join(near[2])))
            yield Problem("columns_missing", 0, "", "", missing, True, source.name)
        elif not (filled := [sum(1 for cell in row if cell.strip()) for row in table.head() if any(row)]):
            yield Problem("empty", 0, "", "", (("file", source.name),), True, source.name)
        elif max(filled) < 2:
            raise TabularError("not_a_table", file=source.name, found="text")
        else:
            yield from plain.read_guessed(table, options, source.name)
        return
    if found.header_row > 1:
        yield Problem("rows_above_header", found.header_row, "", "", (), False, source.name)
    yield from read_table(table, found.layout, found.generation, found.header_row, options, source.name)


def count_rows(path: Path | str, *, limits: Limits = DEFAULT) -> int:
    """About how many rows there are, for a progress bar; 0 where it cannot be told. Never raises TabularError."""
    path = Path(path)
    try:
        if path.is_dir():
            return sum(count_rows(inside, limits=limits) for inside in _in_folder(path))
        kind = kind_of(path).name
        if kind == "parquet":
            table = completejourney.table_of(completejourney.columns_of(path))
            return completejourney.rows_in(path) if table in completejourney.USED else 0
        if kind == "zip":
            with archive.opened(path, limits) as opened:
                if not archive.is_workbook(opened) and "content.xml" not in opened.namelist():
                    return sum(max(member.file_size // 250, 1) for member in archive.tables_inside(opened))
        table_, found = _best_sheet(path, limits)
        return max(table_.estimate_rows() - (found.header_row if found else 1), 0)
    except (TabularError, OSError):
        return 0


def file_problem(error: TabularError, name: str) -> Problem:
    """A refused file as a value that travels with the others."""
    params = {**error.params, "file": name}
    row = params.get("row", "")
    return Problem(error.code, int(row) if row.isdecimal() else 0, "", "", tuple(params.items()), True, name)


# --- opening up


def _expanded(paths: list[Path], stack: ExitStack, options: Options) -> Iterator[Source | Problem]:
    for path in paths:
        try:
            if path.is_dir():
                yield from (Source(inside, inside.name) for inside in _in_folder(path))
            elif kind_of(path).name == "zip":
                with archive.opened(path, options.limits) as opened:
                    table = archive.is_workbook(opened) or "content.xml" in opened.namelist()
                if table:
                    yield Source(path, path.name)
                else:
                    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="shuke-zip-"))
                    yield from _unpacked(path, path.name, Path(folder), options.limits)
            else:
                yield Source(path, path.name)
        except TabularError as error:
            yield file_problem(error, path.name)


def _in_folder(path: Path) -> list[Path]:
    return sorted(inside for inside in path.iterdir() if inside.is_file() and not inside.name.startswith("."))


def _unpacked(path: Path, shown: str, folder: Path, limits: Limits) -> list[Source]:
    with archive.opened(path, limits) as opened:
        members = archive.tables_inside(opened)
        if not members:
            raise TabularError("empty", file=path.name)
        return [
            Source(archive.unpack(opened, member, folder, number), f"{shown}/{archive.shown_name(member)}", True)
            for number, member in enumerate(members)
        ]


# --- recognising


def _best_sheet(path: Path, limits: Limits, presets: Iterable[Layout] = _PRESETS) -> tuple[Table, Match | None]:
    """The sheet that matches best, and its match; the first sheet that has anything in it if none does."""
    table = open_table(path, limits=limits)
    presets = tuple(presets)
    head = table.head()
    best, found = table, match(presets, head)
    filled = any(any(row) for row in head)
    for sheet in table.sheets[1:20]:
        if found is not None and found.confidence > 0.8:
            break
        other = Table(path, table.kind, limits=limits, encoding=table.encoding, sheets=table.sheets, sheet=sheet)
        rows = other.head()
        its = match(presets, rows)
        if its is not None and (found is None or its.confidence > found.confidence):
            best, found = other, its
        elif not filled and any(any(row) for row in rows):
            best, filled = other, True
    return best, found


def _recognised(table: Table, found: Match | None, shown: str) -> Recognised:
    head = table.head(SEARCHED_ROWS)
    if found is None:
        near = nearest(_PRESETS, head)
        row = near[1] if near else guess_row(head) + 1
        header = tuple(cell.strip() for cell in head[row - 1]) if row else ()
        missing = near[2] if near else ()
        if not near and header:
            guess = plain.guess(head, row)
            if guess.confidence >= plain.TRUSTED:
                layout = LAYOUTS["plain." + guess.kind]
                return Recognised(
                    layout.key, "", layout.title_en, layout.title_zh, table.encoding, row, guess.confidence, header,
                    (), guess.unused, table.kind, table.sheet, _filled(head, row), shown, table.delimiter,
                )  # fmt: skip
        return Recognised(
            *_without(_UNKNOWN), table.encoding, row, 0.0, header, missing, (), table.kind, table.sheet,
            _filled(head, row), shown, table.delimiter,
        )  # fmt: skip
    layout = found.layout
    header = tuple(cell.strip() for cell in head[found.header_row - 1])
    return Recognised(
        layout.key, found.generation, layout.title_en, layout.title_zh, table.encoding, found.header_row,
        found.confidence, header, found.missing, found.unknown, table.kind, table.sheet,
        _filled(head, found.header_row), shown, table.delimiter, shop=_shop(head, found.header_row), platform=layout.platform,
    )  # fmt: skip


def _shop(head: list[list[str]], header_row: int) -> str:
    """What the first rows say under 店铺名称, at Youzan 归属店铺."""
    place = Columns(head[header_row - 1]).at("店铺名称", "归属店铺")
    cells = (cell_text(row[place]) for row in head[header_row:] if place < len(row))
    return next((text for text in cells if text), "")


def _without(titles: tuple[str, str, str]) -> tuple[str, str, str, str]:
    return titles[0], "", titles[1], titles[2]


def _filled(head: list[list[str]], header_row: int) -> int:
    return sum(1 for row in head[: max(header_row - 1, 0)] if any(cell.strip() for cell in row))


def _recognise_parquet(path: Path, shown: str) -> Recognised:
    columns = completejourney.columns_of(path)
    table = completejourney.table_of(columns)
    if not table:
        missing = completejourney.missing_of(columns)
        return Recognised(*_without(_UNKNOWN), "", 0, 0.0, columns, missing, (), "parquet", file=shown)
    layout = _COMPLETE_JOURNEY
    return Recognised(
        layout.key, table, layout.title_en, layout.title_zh, "", 0, 1.0, columns, kind="parquet", file=shown
    )


def _recognise_many(kind: str, shown: str, sources: Sequence[Source], limits: Limits) -> Recognised:
    members: list[Recognised] = []
    for source in sources:
        try:
            members.append(recognise_file(source.path, name=source.name, limits=limits))
        except TabularError as error:
            members.append(Recognised(error.code, "", "Cannot be read", "无法读取", "", 0, 0.0, (), file=source.name))
    if not members:
        raise TabularError("empty", file=shown)
    known = [one for one in members if one.confidence > 0]
    title_en, title_zh = (f"{len(members)} files", f"{len(members)} 个文件")
    return Recognised(
        kind, "", title_en, title_zh, "", 0, min((one.confidence for one in known), default=0.0), (), kind=kind,
        file=shown, members=tuple(members),
    )  # fmt: skip
