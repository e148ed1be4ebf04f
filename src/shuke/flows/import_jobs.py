"""The long steps of an import that somebody waits for in the console: the preview of a large file, the undo of a large batch.

Small ones are done while the page is being asked for; large ones by the worker, with progress in the job's row. The
preview's result stays in the job, because it is what the person decides by; the job's key has the batch and the mapping
in it, so the same question is answered once.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime

from shuke.flows import imports
from shuke.flows.imports import Preview
from shuke.flows.imports.tally import plain_problem, problem_of
from shuke.flows.undo_import import UndoRefused, undo
from shuke.kit import clock, jobs
from shuke.kit.models import Job
from shuke.orders.models import ImportBatch
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

AT_ONCE_ROWS = 20_000  # previewed while the page waits: a second or two
AT_ONCE_ORDERS = 2_000  # undone while the page waits
PREVIEW, UNDO = "import-preview", "import-undo"


def rows_of(batch: ImportBatch) -> int:
    return sum(file.get("rows") or 0 for file in batch.files)


def preview_job(batch: ImportBatch) -> Job:
    """The job that previews this batch as it is mapped now; made on first asking."""
    told = json.dumps([file.get("mapping") for file in batch.files] + [batch.options], sort_keys=True, default=str)
    key = f"{PREVIEW}:{batch.pk}:{hashlib.blake2b(told.encode(), digest_size=8).hexdigest()}"
    job_id = jobs.enqueue(
        PREVIEW, {"batch_id": batch.pk}, merchant_id=batch.merchant_id, now=clock.utc_now(), key=key, max_attempts=3
    )
    return Job.objects.get(merchant_id=batch.merchant_id, pk=job_id)


def previewed(job: Job) -> Preview | None:
    """The result in a finished preview job."""
    told = job.progress.get("result")
    if not told:
        return None
    return Preview(
        told["files"],
        told["counts"],
        [problem_of(p) for p in told["bad"]],
        told["odd"],
        {code: [problem_of(p) for p in some] for code, some in told["examples"].items()},
        problem_of(told["failure"]) if told["failure"] else None,
    )


@jobs.handler(PREVIEW)
def run_preview(running: jobs.Running) -> None:
    """Weigh every row of the batch's files; writes nothing but the job's own progress."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    batch = ImportBatch.objects.get(merchant=merchant, pk=running.arguments["batch_id"])
    progress = _Progress(running)
    seen = imports.preview(batch, progress, now=shop_now(merchant), merchant=merchant)
    running.progress(
        progress.done,
        progress.whole,
        result={
            "files": seen.files,
            "counts": seen.counts,
            "bad": [plain_problem(p) for p in seen.bad],
            "odd": seen.odd,
            "examples": {code: [plain_problem(p) for p in some] for code, some in seen.examples.items()},
            "failure": plain_problem(seen.failure) if seen.failure else None,
        },
    )


def undo_later(*, batch: ImportBatch, actor: str, now: datetime) -> int:
    """Let the worker take a large import back; the job's id."""
    return jobs.enqueue(
        UNDO, {"batch_id": batch.pk, "actor": actor}, merchant_id=batch.merchant_id, now=now, max_attempts=2
    )


@jobs.handler(UNDO)
def run_undo(running: jobs.Running) -> None:
    merchant = Merchant.objects.get(pk=running.merchant_id)
    batch_id = running.arguments["batch_id"]
    try:
        undo(merchant=merchant, batch_id=batch_id, now=shop_now(merchant), actor=running.arguments["actor"])
    except UndoRefused as refused:
        if refused.code == "undone":
            return  # an earlier attempt of this job got to the end
        running.progress(0, note=refused.code, refused={"code": refused.code, "params": refused.params})
        raise jobs.Permanent(str(refused)) from refused


def latest_job(batch: ImportBatch, *names: str) -> Job | None:
    """The last job of these names about this batch."""
    found = Job.objects.filter(merchant_id=batch.merchant_id, name__in=names, arguments__batch_id=batch.pk)
    return found.order_by("-made_at", "-id").first()


class _Progress:
    """Progress in the job's row, twice a second at most."""

    def __init__(self, running: jobs.Running) -> None:
        self._running, self._said = running, 0.0
        self.done: int = 0
        self.whole: int | None = None

    def total(self, count: int | None, what: str = "") -> None:
        self.whole = count

    def advance(self, count: int = 1) -> None:
        self.done += count
        if time.monotonic() - self._said >= 0.5:
            self._said = time.monotonic()
            self._running.progress(self.done, self.whole)

    def note(self, text: str) -> None:
        """Nobody reads notes here."""
