"""Files from shops and tills turned into facts. One module per source; none knows of another.

    found = recognise_file(path)                    # which layout and generation, where the header is, what is strange
    for fact in read([path, …], options=Options(zone=…, currency="CNY")):
        …                                           # facts.Order | Refund | Person | Product | CouponUse | Problem

Rows stream: memory does not grow with the file. What cannot be taken in comes as a Problem with row, column and
reason; the file goes on. A file that is no table at all raises TabularError from `recognise_file` and comes as a
file-level Problem (row 0) from `read`. The order of facts is the same every time, so a killed import can be resumed by
counting. Layouts: docs/algorithms/import-layouts.md.
"""

from __future__ import annotations

from shuke.connect.importers.layouts import Fact, Options, Recognised
from shuke.connect.importers.mapping import Guess, guess_mapping
from shuke.connect.importers.problems import sentence, write_rejects
from shuke.connect.importers.sources import (
    LAYOUTS,
    UnknownLayout,
    count_rows,
    named_shops,
    read,
    recognise_file,
    recognise_files,
)
from shuke.kit.tabular import Limits, TabularError

__all__ = [
    "LAYOUTS",
    "Fact",
    "Guess",
    "Limits",
    "Options",
    "Recognised",
    "TabularError",
    "UnknownLayout",
    "count_rows",
    "guess_mapping",
    "named_shops",
    "read",
    "recognise_file",
    "recognise_files",
    "sentence",
    "write_rejects",
]
