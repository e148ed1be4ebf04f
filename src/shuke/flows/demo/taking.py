"""One import of the demo, by the very flow that takes in a seller's upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from shuke.flows import imports
from shuke.kit.progress import Progress
from shuke.orders.models import ImportBatch
from shuke.shops.models import Merchant


class ImportFailed(RuntimeError):
    """A file of the demo could not be taken in; the message is the import's own sentence."""


@dataclass(frozen=True)
class Taken:
    """How an import ended. `rejects` is the file of rejected rows, if there were any."""

    rejected: int
    rejects: Path | None


def take_in(
    merchant: Merchant,
    files: tuple[Path, ...],
    options: Mapping[str, Any],
    *,
    now: datetime,
    actor: str,
    progress: Progress,
) -> Taken:
    """Import the files as one batch. One that an earlier, killed demo began is finished instead of begun again."""
    names = [path.name for path in files]
    batch = next(
        (b for b in ImportBatch.objects.filter(merchant=merchant) if [file["name"] for file in b.files] == names), None
    )
    if batch is None:
        batch = imports.start(
            merchant=merchant, files=[(path, path.name) for path in files], options=options, now=now, actor=actor
        )
    if batch.state != ImportBatch.State.DONE and batch.files:
        batch = imports.run(merchant=merchant, batch_id=batch.pk, now=now, actor=actor, progress=progress)
    if batch.state != ImportBatch.State.DONE:
        raise ImportFailed(batch.error)
    rejects = Path(settings.SHUKE_HOME) / batch.rejects_path if batch.rejects_path else None
    return Taken(int(batch.counts.get("rejected", 0)), rejects)
