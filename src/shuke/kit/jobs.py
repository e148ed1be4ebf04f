"""Jobs: work that a worker does later, kept in a table beside what it is about.

A job is enqueued inside the caller's transaction, so it exists exactly if the deed it belongs to does. A worker claims
it with one conditional update and holds it under a lease that its heartbeat extends; when the worker is killed, the
lease runs out and another takes the job again. So a job may *start* more than once. Its effect happens once when the
handler writes it inside `running.last_step()`, which commits the effect and the job's end together, or when the effect
carries a unique key of its own.

    @jobs.handler("import")
    def run_import(running: jobs.Running) -> None: ...
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from shuke.kit import clock, ids
from shuke.kit.models import Job

LEASE = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
KEEP_DONE = timedelta(days=90)


class Permanent(Exception):
    """Trying again would not help: the job fails at once. The message is shown to the operator."""


class LeaseLost(RuntimeError):
    """Another worker has this job now (ours was away longer than its lease). Stop; write nothing more."""


class NoHandler(LookupError):
    """A job is named that no installed code knows."""


Handler = Callable[["Running"], None]
_handlers: dict[str, Handler] = {}


def handler(name: str) -> Callable[[Handler], Handler]:
    """Register the function that does the jobs of this name. Handlers live in flows."""

    def register(function: Handler) -> Handler:
        known = _handlers.get(name)
        assert known is None or known.__qualname__ == function.__qualname__, f"two handlers for the job {name!r}"
        _handlers[name] = function
        return function

    return register


def handlers() -> dict[str, Handler]:
    return dict(_handlers)


# ---- enqueue ------------------------------------------------------------------------------------------------------


def enqueue(
    name: str,
    arguments: dict[str, Any] | None = None,
    *,
    merchant_id: int | None,
    now: datetime,
    due_at: datetime | None = None,
    key: str | None = None,
    max_attempts: int = 8,
) -> int:
    """Put one job into the table, inside the caller's transaction; its id.

    With a `key` there is at most one such job ever: a second call changes nothing and answers the first one's id.
    """
    json.dumps(arguments or {})  # fail here, where the mistake is, and not in a worker
    job = Job(
        id=ids.new(),
        merchant_id=merchant_id,
        name=name,
        arguments=arguments or {},
        key=key,
        due_at=due_at or now,
        max_attempts=max_attempts,
        made_at=now,
    )
    Job.objects.bulk_create([job], ignore_conflicts=key is not None)
    if key is None:
        return job.id
    return Job.objects.values_list("id", flat=True).get(key=key)


def book_done(name: str, *, key: str, merchant_id: int | None, now: datetime) -> None:
    """Say that the work of a key was done by hand, so that no worker does it again."""
    job = Job(id=ids.new(), merchant_id=merchant_id, name=name, key=key, state="done", due_at=now, made_at=now)
    job.ended_at = now
    Job.objects.bulk_create([job], ignore_conflicts=True)
    Job.objects.filter(key=key, state="ready").update(state="done", ended_at=now)


def known_keys(keys: list[str]) -> set[str]:
    """Which of these keys have a job already, whatever became of it."""
    return {key for key in Job.objects.filter(key__in=keys).values_list("key", flat=True) if key}


# ---- claim and run ------------------------------------------------------------------------------------------------


class Running:
    """A job in the hands of a worker: what its handler sees."""

    def __init__(self, job: Job, worker: str) -> None:
        self._job, self._worker = job, worker
        self._ended = False
        self.id: int = job.id
        self.name: str = job.name
        self.merchant_id: int = job.merchant_id or 0  # 0: a job of no merchant
        self.arguments: dict[str, Any] = job.arguments
        self.attempt: int = job.attempts

    def _mine(self):  # type: ignore[no-untyped-def] # a queryset; django-stubs' name for it would only distract
        # The attempt number is the fence: a former holder of the same job, even of the same worker, has a lower one.
        return Job.objects.filter(pk=self.id, state="running", claimed_by=self._worker, attempts=self.attempt)

    def beat(self, now: datetime | None = None) -> None:
        """Extend the lease. The worker does it from a thread of its own; raises LeaseLost when it is too late."""
        if not self._mine().update(lease_until=(now or clock.utc_now()) + LEASE):
            raise LeaseLost(f"Job {self.id} ({self.name}) is no longer held by {self._worker}.")

    def progress(self, done: int, total: int | None = None, note: str = "", **more: Any) -> None:
        """Say how far it is, in the row; extends the lease too. Call it between transactions, some times a second at most."""
        figures = {"done": done, "total": total, "note": note, **more}
        self._job.progress = figures
        lease = clock.utc_now() + LEASE
        if not self._mine().update(progress=figures, lease_until=lease):
            raise LeaseLost(f"Job {self.id} ({self.name}) is no longer held by {self._worker}.")

    @contextmanager
    def last_step(self) -> Iterator[None]:
        """A transaction whose effect and the job's end are committed together, or neither.

        The row is fenced first: when another worker has taken the job, LeaseLost is raised before the effect.
        """
        with transaction.atomic():
            self.beat()
            yield
            if not self._mine().update(state="done", ended_at=clock.utc_now(), error="", lease_until=None):
                raise LeaseLost(f"Job {self.id} ({self.name}) is no longer held by {self._worker}.")
        self._ended = True


def claim(*, worker: str, now: datetime) -> Running | None:
    """Take the next job that is due, or one whose worker went silent; None when there is nothing to do.

    Several workers may see the same candidate; the conditional update lets exactly one of them have it.
    """
    silent = Job.objects.filter(state="running", lease_until__lt=now).order_by("lease_until")
    ready = Job.objects.filter(state="ready", due_at__lte=now).order_by("due_at", "id")
    for queue in (silent, ready):
        for job in list(queue[:8]):
            same = Job.objects.filter(pk=job.pk, state=job.state, attempts=job.attempts)
            if job.state == "running":
                same = same.filter(lease_until=job.lease_until)
                if job.attempts >= job.max_attempts:  # it may be what kills its workers
                    same.update(
                        state="failed",
                        ended_at=now,
                        lease_until=None,
                        error=f"Its worker stopped without a word {job.attempts} times.",
                    )
                    continue
            taken = same.update(
                state="running", claimed_by=worker, lease_until=now + LEASE, attempts=job.attempts + 1, error=""
            )
            if taken:
                job.attempts += 1
                return Running(job, worker)
    return None


def pause_after(attempt: int, jitter: float) -> timedelta:
    """How long to wait after the n-th failed attempt: 5 s, 10 s, 20 s … at most an hour, times `jitter` (0.5 to 1.5)."""
    return min(FIRST_PAUSE * 2 ** min(attempt - 1, 20), LONGEST_PAUSE) * jitter


def run(running: Running, *, beat_every: float | None = None) -> str:
    """Do a claimed job and write down what became of it: "done", "retry", "failed" or "lost"."""
    function = _handlers.get(running.name)
    stop = threading.Event()
    beater = threading.Thread(
        target=_keep_beating, args=(running, stop, beat_every or LEASE.total_seconds() / 4), daemon=True
    )
    beater.start()
    try:
        if function is None:
            raise NoHandler(f"No handler is installed for the job “{running.name}”.")
        function(running)
    except LeaseLost:
        return "lost"
    except Exception as error:
        return _failed(running, error)
    finally:
        stop.set()
        beater.join(timeout=5)
    if running._ended:
        return "done"
    ended = running._mine().update(state="done", ended_at=clock.utc_now(), lease_until=None, error="")
    return "done" if ended else "lost"


def _keep_beating(running: Running, stop: threading.Event, every: float) -> None:
    try:
        while not stop.wait(every):
            try:
                running.beat()
            except LeaseLost:
                return  # ended or taken; whoever runs the handler finds out at its next step
            except Exception:
                connection.close()  # the database is busy or away: the next beat tries again
    finally:
        connection.close()


def _failed(running: Running, error: Exception) -> str:
    now = clock.utc_now()
    text = f"{type(error).__name__}: {error}"[:2000]
    final = isinstance(error, (Permanent, NoHandler)) or running.attempt >= running._job.max_attempts
    if isinstance(error, Permanent):
        text = str(error)[:2000]
    if final:
        ended = running._mine().update(state="failed", ended_at=now, lease_until=None, error=text)
        return "failed" if ended else "lost"
    pause = pause_after(running.attempt, random.uniform(0.5, 1.5))
    ended = running._mine().update(state="ready", due_at=now + pause, lease_until=None, error=text)
    return "retry" if ended else "lost"


# ---- looking after the table --------------------------------------------------------------------------------------


def find(job_id: int, *, merchant_id: int | None) -> Job | None:
    """One job of a merchant, with its progress."""
    return Job.objects.filter(pk=job_id, merchant_id=merchant_id).first()


def counts(now: datetime) -> dict[str, int]:
    """How many jobs are ready, due now, running, silent (lease over) and failed."""
    return {
        "ready": Job.objects.filter(state="ready").count(),
        "due": Job.objects.filter(state="ready", due_at__lte=now).count(),
        "running": Job.objects.filter(state="running").count(),
        "silent": Job.objects.filter(state="running", lease_until__lt=now).count(),
        "failed": Job.objects.filter(state="failed").count(),
    }


def try_again(job_id: int, *, merchant_id: int | None, now: datetime) -> bool:
    """Give a failed job a fresh start; False when there is no such failed job."""
    return bool(
        Job.objects.filter(pk=job_id, merchant_id=merchant_id, state="failed").update(
            state="ready", due_at=now, attempts=0, error="", ended_at=None
        )
    )


def sweep(now: datetime) -> int:
    """Forget jobs that were done long ago (failed ones stay until somebody looked); how many."""
    old = Q(state="done", ended_at__lt=now - KEEP_DONE)
    return Job.objects.filter(old).delete()[0]
