"""The night run: what the clock does to the books, then the figures of the day that is over, then the seal.

Every step is idempotent and commits by itself, so a killed night is simply run again: what is done stays done.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from shuke.flows import merge_members, partner_card
from shuke.insight import actions as insight
from shuke.insight.queries import figures
from shuke.kit import bulk, jobs
from shuke.kit.progress import Progress, Silent
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import gifts, stored
from shuke.shops import queries as shops
from shuke.shops.models import Merchant


class Night(NamedTuple):
    """What a night run did."""

    day: date
    members: int  # whose books the clock moved: holds timed out, points lapsed, tiers reviewed
    postings: int
    snapshots: int
    sealed: int


def night_run(*, merchant: Merchant, day: date, now: datetime, progress: Progress | None = None) -> Night:
    """Run the night after `day`, at `now` (the merchant's time).

    0 orders that came for somebody in the moment they were merged into another are brought home
    1 books: holds time out, points expire, tiers are reviewed, all that fell due up to `now`
    2 insight: the snapshot of `day`; after the first import of a history also one for each of its month ends
    3 the seal over every posting, last, so that it covers the night's own
    """
    shown = progress or Silent()
    shown.total(None, "members")
    merge_members.gather_strays(merchant=merchant, now=now, actor="clock")
    gifts.lapse_orders(merchant=merchant, now=now)
    partner_card.forget_waiting(merchant=merchant, now=now)
    stored.run_stored_clock(merchant=merchant, now=now)
    moved = loyalty.run_clock(merchant=merchant, now=now, progress=shown.advance)
    if figures.started(merchant):
        made = [insight.snapshot(merchant=merchant, day=day, now=now, progress=shown)]
    else:
        made = insight.backfill(merchant=merchant, day=day, now=now, progress=shown)
    sealed = loyalty.seal(merchant=merchant, now=now) + loyalty.seal_stored(merchant=merchant, now=now)
    bulk.learn_statistics()
    return Night(day, moved.members, moved.postings, len(made), sealed)


@jobs.handler("night")
def run_night(running: jobs.Running) -> None:
    """The job that the timetable enqueues; `date` is the day that is over."""
    merchant = Merchant.objects.filter(pk=running.merchant_id).first()
    if merchant is None:
        raise jobs.Permanent("This night run belongs to a shop that no longer exists.")
    day = date.fromisoformat(running.arguments["date"])
    night = night_run(merchant=merchant, day=day, now=shops.now(merchant), progress=_Shown(running))
    running.progress(1, 1, **{k: v for k, v in night._asdict().items() if k != "day"})


class _Shown:
    """Progress of a flow, in the job's row."""

    def __init__(self, running: jobs.Running) -> None:
        self._running = running
        self._total: int | None = None
        self._done, self._what = 0, ""

    def total(self, count: int | None, what: str = "") -> None:
        self._total, self._done, self._what = count, 0, what
        self._running.progress(0, count, what)

    def advance(self, count: int = 1) -> None:
        self._done += count
        self._running.progress(self._done, self._total, self._what)

    def note(self, text: str) -> None:
        self._running.progress(self._done, self._total, text)
