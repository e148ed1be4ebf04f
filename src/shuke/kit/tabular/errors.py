"""What can be wrong with a table file as a whole, and how much of one we are willing to read."""

from __future__ import annotations

from typing import NamedTuple


class TabularError(ValueError):
    """The file cannot be read (further). `code` names a sentence, `params` fill it; no text for people is made here.

    Codes: missing, empty, not_a_table, wrong_encoding, cut_off, encrypted, bomb, unpacks_too_big, unsafe_xml, too_big,
    too_many_columns, line_too_long, no_sheet, too_many_members.
    """

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params: dict[str, str] = {key: str(value) for key, value in params.items()}
        super().__init__(f"{code}: {self.params}")


class Limits(NamedTuple):
    """Bounds on a stranger's file. Bytes unless said otherwise."""

    unpacked: int = (
        200_000_000  # everything inside a ZIP or XLSX together; an operator may allow more, up to MOST_UNPACKED
    )
    ratio: int = 100  # unpacked : packed, looked at above one megabyte; honest workbooks stay below 40
    members: int = 1_000  # files inside a ZIP
    columns: int = 2_000
    line: int = 4_000_000  # characters without a line end
    cell: int = 1_000_000  # characters in one cell
    whole: int = 100_000_000  # old .xls and .html files: the formats allow no better than loading or long scanning


DEFAULT = Limits()
MOST_UNPACKED = 20_000_000_000  # nobody's wish goes beyond this: a sheet cannot hold that much honest data
