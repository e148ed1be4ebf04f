"""Columns of a CSV or Parquet file as numpy arrays, for the analyses that need no database.

DuckDB reads; whatever is wrong with a file is said in one sentence with the file, the column and the first bad row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")


class BadFile(ValueError):
    """A file that cannot be used. `code` is suffix, unreadable, column, number, date or empty."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Orders(NamedTuple):
    """Order rows. customer: place in `names`. day: since 1970-01-01. amount: None where no column was named.

    guests: rows without a customer, left out of the rest, with `guest_amount` in all.
    """

    names: np.ndarray
    customer: np.ndarray
    day: np.ndarray
    amount: np.ndarray | None
    guests: int
    guest_amount: float


class Table:
    """An open file. Use with `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise BadFile(
                "suffix",
                f"{path.name}: only {', '.join(SUFFIXES)} can be read, not {suffix or 'a name without ending'}.",
            )
        if not path.exists():
            raise BadFile("unreadable", f"There is no file {path}. Check the name and the folder.")
        self._connection = duckdb.connect(":memory:")
        reader = "read_parquet" if suffix == ".parquet" else "read_csv"
        more = "" if suffix == ".parquet" else ", header = true, all_varchar = true"
        try:
            self._connection.execute(
                f"CREATE VIEW rows_in AS SELECT *, row_number() OVER () AS row_in_file FROM {reader}({_quoted(path)}{more})"
            )
            told = self._connection.execute("DESCRIBE rows_in").fetchall()
        except duckdb.Error as error:
            self.close()
            raise BadFile("unreadable", f"{path.name} cannot be read: {str(error).splitlines()[0]}") from error
        self.columns = [str(name) for name, *_rest in told][:-1]
        self._types = {str(name): str(kind) for name, kind, *_rest in told}

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_what: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def has(self, *names: str) -> bool:
        return set(names) <= set(self.columns)

    def numbers(self, *names: str, missing: Sequence[str] = ()) -> list[np.ndarray]:
        """Columns as float64. Empty cells are refused, but for the columns in `missing`, where they are NaN."""
        self._known(names)
        listed = ", ".join(f"TRY_CAST({_name(n)} AS DOUBLE) AS c{i}" for i, n in enumerate(names))
        for name in names:
            empty = (
                f"AND {_name(name)} IS NOT NULL AND TRIM(CAST({_name(name)} AS VARCHAR)) <> ''"
                if name in missing
                else ""
            )
            self._refuse("number", name, f"TRY_CAST({_name(name)} AS DOUBLE) IS NULL {empty}", "is no number")
        found = self._run(f"SELECT {listed} FROM rows_in ORDER BY row_in_file")
        columns = [np.ma.filled(found[f"c{i}"].astype(np.float64), np.nan) for i in range(len(names))]
        if not columns or columns[0].size == 0:
            raise BadFile("empty", f"{self.path.name} has no rows.")
        return columns

    def texts(self, name: str) -> np.ndarray:
        """A column as text, empty where there is nothing."""
        self._known([name])
        found = self._run(f"SELECT COALESCE(CAST({_name(name)} AS VARCHAR), '') AS c FROM rows_in ORDER BY row_in_file")
        return np.asarray(found["c"])

    def traits(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Columns of lasting traits: as numbers where each row has one, else as words."""
        self._known(names)
        found: dict[str, np.ndarray] = {}
        for name in names:
            words = self.texts(name)
            found[name] = _as_numbers(words)
        return found

    def first_traits(
        self, customer: str, date: str, names: Sequence[str], customers: np.ndarray
    ) -> dict[str, np.ndarray]:
        """As `traits`, for each of `customers` (`Orders.names`) what their first order says."""
        self._known([customer, date, *names])
        listed = ", ".join(
            f"arg_min(COALESCE(CAST({_name(n)} AS VARCHAR), ''), {self._day(date)}) AS c{i}"
            for i, n in enumerate(names)
        )
        found = self._run(f"SELECT TRIM(CAST({_name(customer)} AS VARCHAR)) AS who, {listed} FROM rows_in GROUP BY 1")
        place = {str(who): at for at, who in enumerate(found["who"])}
        rows = np.array([place[str(who)] for who in customers.tolist()], np.int64)
        return {name: _as_numbers(np.asarray(found[f"c{i}"])[rows]) for i, name in enumerate(names)}

    def _day(self, date: str) -> str:
        when = _name(date)
        if self._types[date] == "VARCHAR":  # an instant as text, or the compact form of the papers
            return f"COALESCE(TRY_CAST({when} AS DATE), CAST(TRY_CAST({when} AS TIMESTAMP) AS DATE), CAST(TRY_STRPTIME({when}, '%Y%m%d') AS DATE), CAST(TRY_STRPTIME({when}, '%Y/%m/%d') AS DATE))"
        return f"TRY_CAST({when} AS DATE)"

    def orders(self, customer: str, date: str, amount: str | None = None) -> Orders:
        """Order rows; a time counts as its day."""
        self._known([one for one in (customer, date, amount) if one])
        who, day = _name(customer), self._day(date)
        self._refuse("date", date, f"{day} IS NULL", "is no date; write it like 2026-11-22")
        value = "CAST(NULL AS DOUBLE)"
        if amount:
            value = f"TRY_CAST({_name(amount)} AS DOUBLE)"
            self._refuse("number", amount, f"{value} IS NULL", "is no number")
        known = f"{who} IS NOT NULL AND TRIM(CAST({who} AS VARCHAR)) <> ''"
        guests = self._run(f"SELECT COUNT(*) AS n, COALESCE(SUM({value}), 0) AS a FROM rows_in WHERE NOT ({known})")
        whole = self._types[customer] in (
            "BIGINT",
            "INTEGER",
            "SMALLINT",
            "TINYINT",
            "UINTEGER",
            "USMALLINT",
            "UTINYINT",
        )
        taken = f"date_diff('day', DATE '1970-01-01', {day}) AS day, {value} AS amount"
        if whole:
            found = self._run(f"SELECT CAST({who} AS BIGINT) AS who, {taken} FROM rows_in WHERE {known}")
            names, place = np.unique(found["who"], return_inverse=True)
        else:
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE people AS SELECT name, row_number() OVER (ORDER BY name) - 1 AS place FROM"
                f" (SELECT DISTINCT TRIM(CAST({who} AS VARCHAR)) AS name FROM rows_in WHERE {known})"
            )
            names = self._run("SELECT name FROM people ORDER BY place")["name"]
            found = self._run(
                f"SELECT place AS who, {taken} FROM rows_in JOIN people ON name = TRIM(CAST({who} AS VARCHAR)) WHERE {known}"
            )
            place = np.asarray(found["who"])
        if place.size == 0:
            raise BadFile("empty", f"{self.path.name} has no orders of known customers.")
        amounts = np.asarray(found["amount"], np.float64) if amount else None
        return Orders(
            np.asarray(names),
            place,
            np.asarray(found["day"], np.int64),
            amounts,
            int(guests["n"][0]),
            float(guests["a"][0]),
        )

    def _known(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.columns:
                raise BadFile("column", f"{self.path.name} has no column {name}; it has {', '.join(self.columns)}.")

    def _refuse(self, code: str, name: str, condition: str, what: str) -> None:
        """Stop at the first row that cannot be read, and say which, with what stands there."""
        found = self._run(
            f"SELECT row_in_file AS at, CAST({_name(name)} AS VARCHAR) AS text FROM rows_in WHERE {condition} ORDER BY 1 LIMIT 1"
        )
        if len(found["at"]):
            text = found["text"][0]
            shown = "" if text is np.ma.masked or text is None else str(text)[:40]
            raise BadFile(code, f"{self.path.name}, row {int(found['at'][0])}, column {name}: “{shown}” {what}.")

    def _run(self, text: str) -> dict[str, np.ndarray]:
        try:
            return dict(self._connection.execute(text).fetchnumpy())
        except duckdb.Error as error:
            raise BadFile("unreadable", f"{self.path.name} cannot be read: {str(error).splitlines()[0]}") from error


def beside(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Columns as one table of rows."""
    return np.column_stack(list(columns))


def write(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Write columns as CSV or Parquet, by the file's ending; an existing file is replaced in one step."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise BadFile("suffix", f"{path.name}: results are written as .csv or .parquet.")
    part = path.with_name(path.name + ".part")
    form = "FORMAT parquet" if path.suffix.lower() == ".parquet" else "FORMAT csv, HEADER"
    with duckdb.connect(":memory:") as connection:
        connection.register("told", columns)
        listed = ", ".join(
            f"CASE WHEN isnan({_name(n)}) THEN NULL ELSE {_name(n)} END AS {_name(n)}"
            if v.dtype.kind == "f"
            else _name(n)
            for n, v in columns.items()
        )
        connection.execute(f"COPY (SELECT {listed} FROM told) TO {_quoted(part)} ({form})")
    part.replace(path)


def _as_numbers(words: np.ndarray) -> np.ndarray:
    try:
        found = words.astype(np.float64)
    except ValueError:
        return words
    return found if np.isfinite(found).all() else words


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
