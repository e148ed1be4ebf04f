"""Numbers for purchases of a table that has none: what makes a row the same purchase when it is told again.

A number made from the whole row would be another one as soon as a price is corrected: the purchase would be there twice,
with its points. So it is made from what does not change when a till's list is put right: when, who, in which store, which
good; and of several alike, which one in the file's order. A row that says neither a time of day nor who bought has nothing
of the kind; there the whole row has to do (docs/algorithms/import-layouts.md says why, and what a person may choose).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shuke.connect.importers.cells import MADE_NUMBER, Moments, Notes, RowError, phone, plain
from shuke.connect.importers.layouts import Reading

WHEN = ("created_at", "paid_at")
WHO = ("customer_id", "card", "phone", "nickname", "email", "name")
WHERE_AND_WHAT = ("store", "product_code")
WHOLE_ROW = "row"  # in place of a list of fields: every mapped column
PREFIX = "auto-"
# Purchases that agree in everything lie near each other. Of two that do not, the second is refused as scattered
# (grouping.py) with the advice to sort the file; never are they mixed up.
REMEMBERED = 200_000


class Places(Protocol):
    """Where the mapped columns are (plain.py)."""

    @property
    def of(self) -> dict[str, int]: ...

    def has(self, field: str) -> bool: ...


class Unnumbered:
    """Makes the numbers of one file. The same file gives the same numbers, and a corrected one those of its rows again."""

    def __init__(self, reading: Reading, at: Places, mapping: Mapping[str, Any]) -> None:
        self._reading, self._at = reading, at
        self._moment = Moments(reading.options.zone, Notes(), tuple(mapping.get("date_formats") or ()))
        asked = mapping.get("identity")
        self._fields: Sequence[str] = () if asked in (None, WHOLE_ROW) else tuple(asked)
        self._whole = asked == WHOLE_ROW
        self._when = next((field for field in WHEN if at.has(field)), "")
        self._who = [field for field in WHO if at.has(field)]
        self._told_before = reading.columns.at(MADE_NUMBER)
        self._seen: dict[str, int] = {}  # how often, of the last REMEMBERED keys

    def number(self, row: Sequence[str]) -> str:
        """This row's number. A rejected row that is sent again keeps the one it was given, unless what identifies it was
        what had to be corrected."""
        key = self._key(row)
        given = plain(row[self._told_before])
        if given.startswith(PREFIX + key):
            return given
        times = self._seen[key] = self._seen.pop(key, 0) + 1
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return PREFIX + key + (f"-{times}" if times > 1 else "")

    def _key(self, row: Sequence[str]) -> str:
        said = self._identity(row)
        if not said:
            said = [plain(row[place]) for place in sorted(self._at.of.values())]
        return hashlib.blake2b("\x1f".join(said).encode(), digest_size=10).hexdigest()

    def _identity(self, row: Sequence[str]) -> list[str]:
        """What stays when the row is corrected; empty where that does not tell one purchase from another."""
        if self._whole:
            return []
        if self._fields:
            return [f"{field}={self._value(row, field)}" for field in self._fields]
        when = self._value(row, self._when)
        who = next((f"{field}={value}" for field in self._who if (value := self._value(row, field))), "")
        if not when or not (who or self._has_clock(row)):
            return []
        there = [self._value(row, field) for field in WHERE_AND_WHAT if self._at.has(field)]
        return [when, who, *there]

    def _value(self, row: Sequence[str], field: str) -> str:
        """The cell's meaning rather than its spelling: a spreadsheet that saves the file anew writes dates its own way."""
        text = plain(row[self._at.of[field]])
        if field in WHEN:
            try:
                moment = self._moment(text, "")
            except RowError:
                return text
            return moment.isoformat(timespec="minutes") if moment else text  # spreadsheets drop the seconds
        if field == "phone":
            number = phone(text)
            return number.number if number else text
        return text.casefold()

    def _has_clock(self, row: Sequence[str]) -> bool:
        text = plain(row[self._at.of[self._when]])
        return ":" in text or "：" in text or "时" in text or (text.isdecimal() and len(text) > 8)


def identity_columns(header: Sequence[str], mapping: Mapping[str, Any]) -> list[str]:
    """The headers that tell one purchase from another by default, for a person to look at."""
    columns = mapping.get("columns", {})
    fields = [next((f for f in WHEN if f in columns), ""), next((f for f in WHO if f in columns), "")]
    fields += [f for f in WHERE_AND_WHAT if f in columns]
    places = [columns[f] for f in fields if f]
    return [header[place] if isinstance(place, int) and place < len(header) else str(place) for place in places]


def notice(reading: Reading, mapping: Mapping[str, Any]) -> None:
    """Said once per file, so that nobody is surprised by what a corrected row does."""
    if mapping.get("identity") == WHOLE_ROW:
        reading.notes.odd("numbers_from_rows")
        return
    asked = [str(field) for field in mapping.get("identity") or ()]
    columns = mapping.get("columns", {})
    names = identity_columns(reading.columns.header, mapping)
    if asked:
        names = [reading.columns.title(c) if isinstance(c := columns[field], int) else str(c) for field in asked]
    reading.notes.odd("numbers_made", "", ", ".join(names))


__all__ = ["MADE_NUMBER", "PREFIX", "WHOLE_ROW", "Unnumbered", "identity_columns", "notice"]
