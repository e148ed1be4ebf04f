"""The import as a seller lives it: files in, a preview of every row, the run, and what came of it.

    batch = start(merchant=…, files=[(path, "ExportOrderList.csv")], options={"shop": "…"}, now=…, actor="…")
    seen = preview(batch)                          # nothing of members or orders is written
    batch = run(merchant=…, batch_id=batch.id, now=…, actor="…")       # or enqueue(batch, now=…) for the worker

A run goes in chunks of a few thousand orders. Each chunk is one transaction that also moves `batch.offset`, so a killed
run goes on exactly there (`run` again). A file that turns out to be no table, torn or another shop's ends the batch as
FAILED with a sentence, and what it had brought is taken out again. The same file twice changes nothing.
Undo is in flows/undo_import.py.
"""

from __future__ import annotations

from shuke.flows.imports.previewing import Preview, preview
from shuke.flows.imports.reading import limits_of
from shuke.flows.imports.running import BatchBusy, NothingToRun, enqueue, resume, run
from shuke.flows.imports.starting import OPTIONS, BadOption, start
from shuke.flows.imports.tally import COUNTS, Tally

__all__ = [
    "COUNTS",
    "OPTIONS",
    "BadOption",
    "BatchBusy",
    "NothingToRun",
    "Preview",
    "Tally",
    "enqueue",
    "limits_of",
    "preview",
    "resume",
    "run",
    "start",
]
