"""Run an import: chunk by chunk, each one transaction that also moves the batch on."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import DatabaseError, transaction

from shuke.connect.importers import TabularError, UnknownLayout, sentence
from shuke.connect.importers.mapping import BadMapping
from shuke.engine.facts import Problem
from shuke.flows.checkout import Returned
from shuke.flows.imports.previewing import count_orders
from shuke.flows.imports.reading import Chunk, FileRefused, chunks
from shuke.flows.imports.rejects import Rejects
from shuke.flows.imports.starting import disk_problem
from shuke.flows.imports.tally import Tally, counted_twice
from shuke.flows.take_orders import take_orders
from shuke.flows.undo_import import take_out
from shuke.kit import bulk, jobs, money
from shuke.kit.garbage import collector_at_rest
from shuke.kit.progress import Progress, Silent
from shuke.members import actions as members
from shuke.members.actions import restoring
from shuke.orders import actions as archive
from shuke.orders.models import ImportBatch
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

State = ImportBatch.State


class NothingToRun(LookupError):
    """The batch is done or undone already, or there is none."""


class BatchBusy(RuntimeError):
    """Another process runs this very batch; it goes on there."""


def run(
    *, merchant: Merchant, batch_id: int, now: datetime, actor: str = "", progress: Progress | None = None
) -> ImportBatch:
    """Take in what is left of a batch; the batch as it ended, DONE or FAILED.

    Per chunk, in one transaction: flows.take_orders; members made by it noted for the undo; counts and offset moved on.
    A process killed at any moment leaves whole chunks; calling `run` again goes on after the last. A full disk ends as
    FAILED and can be resumed when there is room. A file that cannot be taken in ends as FAILED, and what the batch had
    brought is taken out again. Raises NothingToRun, BatchBusy.
    """
    progress = progress or Silent()
    batch = ImportBatch.objects.filter(merchant=merchant, pk=batch_id).first()
    if batch is None or not batch.files or not archive.begin_batch(batch=batch):
        why = "does not exist" if batch is None else "cannot be run" if batch.error else f"is {batch.state}"
        raise NothingToRun(f"Import {batch_id} {why}. Start a new one with the files.")
    actor = actor or batch.actor
    total = sum(file.get("rows") or 0 for file in batch.files)
    archive.note_total(batch=batch, total=total)
    progress.total(total or None, "rows")
    tally = Tally(batch.counts)
    rejects = Rejects(batch, int(batch.counts.get("rejects_size", 0)))
    language = batch.options.get("language", "en")
    if batch.offset:
        progress.advance(int(batch.counts.get("rows", 0)))
    try:
        with collector_at_rest():
            for chunk in chunks(merchant, batch, batch.offset):
                _take(merchant, batch, chunk, tally, rejects, now, actor)
                progress.advance(chunk.rows)
                gc.collect(1)
        archive.end_batch(batch=batch, state=State.DONE, now=now, rejects_path=rejects.give_out(batch))
        bulk.learn_statistics()
    except FileRefused as refused:
        _fail_whole(merchant, batch, refused.problem, now, actor, language)
    except (TabularError, BadMapping, UnknownLayout) as error:
        code = getattr(error, "code", "unreadable")
        problem = Problem(code, 0, "", "", (("why", str(error)),), True, ", ".join(f["name"] for f in batch.files))
        _fail_whole(merchant, batch, problem, now, actor, language)
    except OSError as error:
        _fail(batch, sentence(disk_problem(error), language), now)
    except DatabaseError as error:
        if "full" not in str(error) and "No space" not in str(error):
            raise
        _fail(batch, sentence(Problem("disk_full", 0, "", "", (("why", str(error)),)), language), now)
    return batch


resume = run  # the same deed under the name people look for


def enqueue(batch: ImportBatch, *, now: datetime) -> int:
    """Let the worker run it; the job's id. Its progress is in the job's row and in the batch's counts."""
    return jobs.enqueue("import", {"batch_id": batch.pk}, merchant_id=batch.merchant_id, now=now)


@jobs.handler("import")
def run_import(running: jobs.Running) -> None:
    """The worker's side of `enqueue`."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    try:
        batch = run(
            merchant=merchant,
            batch_id=running.arguments["batch_id"],
            now=shop_now(merchant),
            progress=_JobProgress(running),
        )
    except NothingToRun:
        return  # an earlier attempt of this job got to the end
    if batch.state == State.FAILED:
        raise jobs.Permanent(batch.error)


class _JobProgress:
    """Progress in the job's row, twice a second at most."""

    def __init__(self, running: jobs.Running) -> None:
        self._running, self._done, self._total, self._what, self._said = running, 0, None, "", 0.0

    def total(self, count: int | None, what: str = "") -> None:
        self._total, self._what = count, what  # type: ignore[assignment]
        self._say()

    def advance(self, count: int = 1) -> None:
        self._done += count
        if time.monotonic() - self._said >= 0.5:
            self._say()

    def note(self, text: str) -> None:
        self._what = text

    def _say(self) -> None:
        self._said = time.monotonic()
        self._running.progress(self._done, self._total, self._what)


def _take(
    merchant: Merchant, batch: ImportBatch, chunk: Chunk, tally: Tally, rejects: Rejects, now: datetime, actor: str
) -> None:
    with transaction.atomic():
        before = _known_customers(merchant, chunk, now)
        taken = take_orders(
            merchant=merchant,
            orders=chunk.orders,
            refunds=chunk.refunds,
            people=chunk.people,
            products=chunk.products,
            coupons=chunk.coupons,
            now=now,
            batch_id=batch.pk,
            actor=actor,
        )
        archive.remember_made_members(merchant=merchant, batch_id=batch.pk, member_ids=taken.created)
        _remember_profiles(merchant, batch, before)
        count_orders(tally, [(r.outcome, r.again, r.oddities) for r in taken.orders], taken.same)
        tally.add("refunds_new", taken.refunds.new)
        tally.add("refunds_changed", taken.refunds.changed)
        tally.add("refunds_same", taken.refunds.same)
        tally.add("refunds_parked", taken.refunds.parked)
        tally.problems(counted_twice(taken.refunds.twice, merchant))
        archive.remember_openings(merchant=merchant, batch_id=batch.pk, txn_ids=taken.openings.txn_ids)
        tally.add("customers", len(chunk.people))
        tally.add("openings", taken.openings.balances)
        tally.problems(taken.openings.odd)
        tally.problems(_not_given_back(taken.returns, merchant.currency))
        tally.add("members_new", len(set(taken.created)))
        tally.add("products", len(chunk.products))
        tally.add("coupons", len(chunk.coupons))
        tally.problems(chunk.problems)
        counts = {
            **tally.plain(),
            "rows": int(batch.counts.get("rows", 0)) + chunk.rows,
            "rejects_size": rejects.add(chunk.problems),
        }
        if not archive.advance_batch(
            batch=batch, from_offset=batch.offset, offset=batch.offset + chunk.facts, counts=counts
        ):
            raise BatchBusy(f"Import {batch.pk} is being run by another process. It goes on there.")


def _not_given_back(returns: Sequence[Returned], currency: str) -> Iterator[Problem]:
    """What the refunds of a chunk could not bring back: the rows came in, and somebody should look."""
    for one in returns:
        for card in one.void:
            told = (("card", card.hint), ("amount", money.show(card.amount_minor, currency)))
            yield Problem("void_card", 0, "", one.number, told, False)
        if one.refused is not None:
            why = (("why", one.refused.say("en")), ("why_zh", one.refused.say("zh")))
            yield Problem("not_given_back", 0, "", one.number, why, False)


def _known_customers(merchant: Merchant, chunk: Chunk, now: datetime) -> dict[int, restoring.Profile]:
    """Members whom the chunk's customer records are about, as they are before it speaks."""
    if not chunk.people:
        return {}
    seen = members.preview(merchant=merchant, people=chunk.people, now=now)
    known = {one.member_id for one in seen if one.member_id is not None}
    return restoring.profiles(merchant=merchant, member_ids=known)


def _remember_profiles(merchant: Merchant, batch: ImportBatch, before: dict[int, restoring.Profile]) -> None:
    after = restoring.profiles(merchant=merchant, member_ids=before)
    changes = {
        member: change
        for member, was in before.items()
        if member in after and (change := restoring.difference(was, after[member])) is not None
    }
    if changes:
        archive.remember_profiles(merchant=merchant, batch_id=batch.pk, changes=changes, together=restoring.together)


def _fail_whole(
    merchant: Merchant, batch: ImportBatch, problem: Problem, now: datetime, actor: str, language: str
) -> None:
    """A file cannot be taken in: take out what earlier chunks brought, so that nothing is half done."""
    if batch.offset:
        take_out(merchant=merchant, batch=batch, now=now, actor=actor)
        archive.clear_batch(batch=batch, counts={})
    _fail(batch, sentence(problem, language), now)


def _fail(batch: ImportBatch, error: str, now: datetime) -> None:
    archive.end_batch(batch=batch, state=State.FAILED, now=now, error=error)
