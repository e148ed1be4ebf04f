"""The loop every layout shares: rows in, facts and problems out, in the file's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shuke.connect.importers.cells import BLANK, RowError, plain
from shuke.connect.importers.grouping import Group, Grouped, Window
from shuke.connect.importers.layouts import Columns, Fact, Layout, Options, Reading
from shuke.engine.facts import Problem
from shuke.kit.tabular import Table
from shuke.kit.tabular.header import names, normal

ODDITIES_SHOWN = 50  # of one kind in one column; the rest is counted


def read_table(
    table: Table, layout: Layout, generation: str, header_row: int, options: Options, name: str
) -> Iterator[Fact]:
    """Facts of one recognised table. A row that cannot be taken in is a Problem; the others go on."""
    rows = table.rows()
    for _ in range(header_row - 1):
        next(rows, None)
    header = next(rows, [])
    columns = Columns(header)
    reading = Reading(layout, generation, columns, options)
    yield from _Loop(table, reading, header_row, name).run(rows)


class _Loop:
    def __init__(self, table: Table, reading: Reading, header_row: int, name: str) -> None:
        self.table, self.reading, self.header_row, self.name = table, reading, header_row, name
        self.width = reading.columns.width
        self.counts: dict[tuple[str, str], int] = {}
        layout = reading.layout
        self.grouped: Grouped | None = layout.grouped(reading) if layout.grouped else None
        self.build = layout.rows(reading) if layout.rows else None
        self.reach = max(reading.required, default=-1) + 1
        self.short_ok = table.kind != "csv"
        shop_at = reading.columns.at("店铺名称") if reading.options.shop else self.width
        self.shop_at = shop_at if shop_at < self.width else -1
        self.header = names(reading.columns.header)

    def run(self, rows: Iterator[list[str]]) -> Iterator[Fact]:
        yield from self.oddities(0)  # those about the file's columns
        if self.grouped is not None:
            yield from self.run_grouped(rows)
        else:
            yield from self.run_single(rows)
        yield from self.untold()

    def run_single(self, rows: Iterator[list[str]]) -> Iterator[Fact]:
        build, width = self.build, self.width
        assert build is not None
        pending = self.reading.notes.pending
        number = self.header_row
        shop_at = self.shop_at
        last: list[str] | None = None
        for row in rows:
            number += 1
            if last is not None:
                yield from self.short(last, number - 1, at_end=False)
                last = None
            if len(row) != width:
                if not any(row):
                    continue
                if len(row) < width and not self.short_ok:
                    last = row  # judged when it is known whether the file goes on
                    continue
                try:
                    self.fit(row)
                except RowError as error:
                    yield self.reject(error, row, number)
                    continue
            row.append("")
            try:
                if shop_at >= 0 and row[shop_at] != self.reading.options.shop:
                    stop = self.other_shop(row, number)
                    if stop is not None:
                        yield stop
                        return
                fact = build(row)
            except RowError as error:
                pending.clear()
                problem = self.judged(error, row, number)
                if problem is not None:
                    yield problem
                continue
            if pending:
                yield from self.oddities(number, row)
            if fact is not None:
                yield fact
        if last is not None:
            yield from self.short(last, number, at_end=True)

    def short(self, row: list[str], number: int, *, at_end: bool) -> Iterator[Fact]:
        """A row with fewer cells than the header. Spreadsheets drop empty cells at the end; half a file ends like that
        too, and so does a row torn in two. It is believed if it reaches all columns that matter and is not the torn end."""
        try:
            if at_end and not self.table.ends_cleanly():
                raise RowError("row_cut_off", "", "", cells=str(len(row)), expected=str(self.width))
            if len(row) < self.reach:
                raise RowError("row_short", "", "", cells=str(len(row)), expected=str(self.width))
            self.fit(row)
            row.append("")
            assert self.build is not None
            fact = self.build(row)
        except RowError as error:
            self.reading.notes.pending.clear()
            problem = self.judged(error, row, number)
            if problem is not None:
                yield problem
            return
        yield from self.oddities(number, row)
        if fact is not None:
            yield fact

    def run_grouped(self, rows: Iterator[list[str]]) -> Iterator[Fact]:
        grouped, width = self.grouped, self.width
        assert grouped is not None
        window = Window()
        number = self.header_row
        last: tuple[list[str], int] | None = None

        def take(row: list[str], at: int) -> Iterator[Fact]:
            self.fit(row)
            row.append("")
            if self.shop_at >= 0 and row[self.shop_at] != self.reading.options.shop:
                stop = self.other_shop(row, at)
                if stop is not None:
                    yield stop
                    raise _Stop
            done = window.add(grouped.start(row), row, at)
            if done is not None:
                yield from self.finish(done)

        try:
            for row in rows:
                number += 1
                if last is not None:
                    yield from self.guarded(take, *last)
                    last = None
                if not any(row):
                    continue
                if len(row) < width and not self.short_ok:
                    if len(row) < self.reach:
                        yield from self.guarded_error(
                            RowError("row_short", "", "", cells=str(len(row)), expected=str(width)), row, number
                        )
                    else:
                        last = row, number
                    continue
                yield from self.guarded(take, row, number)
            if last is not None:
                if self.table.ends_cleanly():
                    yield from self.guarded(take, *last)
                else:
                    error = RowError("row_cut_off", "", "", cells=str(len(last[0])), expected=str(width))
                    yield from self.guarded_error(error, *last)
        except _Stop:
            return
        for group in window.rest():
            yield from self.finish(group)

    def guarded(self, take, row: list[str], number: int) -> Iterator[Fact]:  # type: ignore[no-untyped-def]
        try:
            yield from take(row, number)
        except RowError as error:
            yield from self.guarded_error(error, row, number)

    def guarded_error(self, error: RowError, row: list[str], number: int) -> Iterator[Fact]:
        problem = self.judged(error, row, number)
        if problem is not None:
            yield problem

    def finish(self, group: Group) -> Iterator[Fact]:
        """One complete order, or a problem for each of its rows: half an order must not come in."""
        assert self.grouped is not None
        try:
            order = self.grouped.finish(group)
        except RowError as error:
            self.reading.notes.pending.clear()
            if self.reading.makes_numbers:
                error.params["made_number"] = group.number
            problem = self.judged(error, group.rows[group.current], group.numbers[group.current])
            if problem is not None:
                yield problem
            for index, row in enumerate(group.rows):
                if index != group.current and problem is not None:
                    why = RowError("with_rejected_row", "", group.number, other=str(group.numbers[group.current]))
                    yield self.reject(why, row, group.numbers[index])
            return
        yield from self.oddities(group.numbers[0], group.rows[0])
        if order is not None:
            yield order

    def fit(self, row: list[str]) -> None:
        """Make the row as wide as the header. More filled cells than headers mean that a comma moved them."""
        extra = len(row) - self.width
        if extra > 0:
            if any(cell.strip() for cell in row[self.width :]):
                raise RowError("row_shifted", "", "", cells=str(len(row)), expected=str(self.width))
            del row[self.width :]
        elif extra < 0:
            row.extend([""] * -extra)

    def other_shop(self, row: list[str], number: int) -> Problem | None:
        """None if it is our shop after all; a file-level problem on the first row; RowError further down."""
        said = plain(row[self.shop_at])
        ours = self.reading.options.shop
        if not said or normal(said) == normal(ours):
            return None
        column = self.reading.columns.title(self.shop_at)
        if number == self.header_row + 1:
            return Problem("other_shop", 0, column, said, (("shop", said), ("expected", ours)), True, self.name)
        raise RowError("other_shop_row", column, said, expected=ours)

    def judged(self, error: RowError, row: list[str], number: int) -> Problem | None:
        """The problem of a refused row; repeated and second header rows and sums below the table are only oddities."""
        cells = [cell for cell in row if cell.strip()]
        if names(row)[: len(self.header)] == self.header[: len(names(row))] and len(cells) > 1:
            return self.told("header_again", number)
        if number == self.header_row + 1 and len(cells) > 1 and not any(c.isdigit() for cell in cells for c in cell):
            return self.told("second_header", number)
        if cells and cells[0].strip().rstrip(":：") in ("合计", "总计", "小计", "Total", "Grand total", "Sum"):
            return self.told("totals_row", number)
        if not any(plain(cell) for cell in row if cell not in BLANK):
            return None  # nothing but dashes
        return self.reject(error, row, number)

    def told(self, code: str, number: int) -> Problem:
        return Problem(code, number, "", "", (), False, self.name)

    def reject(self, error: RowError, row: Sequence[str], number: int) -> Problem:
        raw = list(row[: self.width]) if len(row) <= self.width + 1 else list(row)
        for place in self.reading.sensitive:
            if place < len(raw) and raw[place]:
                raw[place] = masked(raw[place])
        value = error.value if len(error.value) <= 120 else error.value[:117] + "…"
        return Problem(
            error.code, number, error.column, value, tuple(error.params.items()), True, self.name, tuple(raw)
        )

    def oddities(self, number: int, row: Sequence[str] = ()) -> Iterator[Problem]:
        pending = self.reading.notes.pending
        for code, column, value in pending:
            seen = self.counts[code, column] = self.counts.get((code, column), 0) + 1
            if seen <= ODDITIES_SHOWN:
                yield Problem(code, number, column, value[:120], (), False, self.name)
        pending.clear()

    def untold(self) -> Iterator[Problem]:
        """How many more of each oddity there were than were shown."""
        for (code, column), seen in self.counts.items():
            if seen > ODDITIES_SHOWN:
                params = (("kind", code), ("count", str(seen - ODDITIES_SHOWN)))
                yield Problem("more_oddities", 0, column, "", params, False, self.name)


class _Stop(Exception):
    """Nothing more of this file is wanted."""


def masked(text: str) -> str:
    """Enough to recognise one's own entry by, too little for anyone else."""
    text = text.strip()
    return text[:1] + "***" + text[-1:] if len(text) > 2 else "***"
