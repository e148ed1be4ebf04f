"""The rows an import keeps out, given back as files that can be corrected and sent again."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from shuke.connect.importers import write_rejects
from shuke.engine.facts import Problem
from shuke.flows.imports.tally import plain_problem, problem_of
from shuke.orders.models import ImportBatch


class Rejects:
    """Collects rejected rows on disk, chunk by chunk. `size` belongs into the chunk's transaction: after a kill, what
    was written beyond it is cut off again."""

    def __init__(self, batch: ImportBatch, size: int) -> None:
        self.folder = Path(settings.SHUKE_HOME) / "uploads" / str(batch.merchant_id) / str(batch.pk)
        self.path = self.folder / "rejected.jsonl"
        self.size = size
        if self.path.exists():
            os.truncate(self.path, size)

    def add(self, problems: Sequence[Problem]) -> int:
        """Append those that were rejected; the size up to which the file counts from now on."""
        kept = [p for p in problems if p.reject]
        if kept:
            with open(self.path, "ab") as file:
                for problem in kept:
                    file.write(json.dumps(plain_problem(problem), ensure_ascii=False).encode() + b"\n")
                self.size = file.tell()
        return self.size

    def give_out(self, batch: ImportBatch) -> str:
        """Write one table per file that had bad rows, a ZIP if several had; its path under SHUKE_HOME, "" if none."""
        if not self.size:
            return ""
        headers = {f["name"]: f["columns"] for f in batch.files}
        for file in batch.files:
            headers.update({inside["name"]: inside["columns"] for inside in file["members"]})
        names = sorted({p.file for p in self._problems()})
        made = []
        for number, name in enumerate(names):
            stem = Path(name).stem or "rows"
            path = self.folder / f"rejected-{number + 1}-{stem}.csv"
            ours = (p for p in self._problems() if p.file == name)
            header = headers.get(name) or [""] * max(len(p.raw) for p in self._problems() if p.file == name)
            numbers = any("made_number" in dict(p.params) for p in self._problems() if p.file == name)
            if write_rejects(path, header, ours, language=batch.options.get("language", "en"), numbers=numbers):
                made.append(path)
        if not made:
            return ""
        if len(made) == 1:
            answer = made[0]
        else:
            answer = self.folder / "rejected.zip"
            with zipfile.ZipFile(answer, "w", zipfile.ZIP_DEFLATED) as packed:
                for path in made:
                    packed.write(path, path.name)
        return str(answer.relative_to(settings.SHUKE_HOME))

    def _problems(self) -> Iterator[Problem]:
        with open(self.path, "rb") as file:
            for line in file:
                yield problem_of(json.loads(line))
