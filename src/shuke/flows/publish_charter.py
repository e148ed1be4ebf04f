"""A charter comes into force, or is taken back before it does; who did it is in the audit log.

The first version also settles what was imported before there was any: by a job, since that may be a year of orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from shuke.engine.charter import document, telling
from shuke.engine.charter.faults import CharterInvalid
from shuke.kit import audit, clock, jobs
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import drafts
from shuke.loyalty.models import CharterDraft, PublishedCharter
from shuke.loyalty.queries import charters
from shuke.loyalty.queries.charter_references import missing
from shuke.loyalty.queries.charter_unheard import unheard
from shuke.members.models import Member
from shuke.orders.models import Order
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

SETTLE = "settle-history"
BEGIN = "charter-begins"
AT_ONCE = 500


def problems(merchant: Merchant, raw: Mapping[str, Any], language: str) -> list[telling.Problem]:
    """Everything that would keep this document from being published in this shop, in words; [] = nothing would."""
    return telling.problems(raw, language, partial(missing, merchant))


def warnings(merchant: Merchant, raw: Mapping[str, Any], language: str) -> list[telling.Problem]:
    """Names this shop has never heard of: they keep nobody from publishing, and are probably mistyped."""
    return telling.warnings(raw, language, partial(unheard, merchant))


def publish(
    *,
    merchant: Merchant,
    charter: document.Charter,
    effective_from: datetime,
    now: datetime,
    actor: str,
    note: str = "",
    draft: CharterDraft | None = None,
    address: str = "",
    upon: int | None = None,
) -> PublishedCharter:
    """Publish, close the draft it came from, write the audit line: all of it or nothing.

    Raises CharterInvalid, CharterRefused, DraftChanged, DraftClosed. `upon`: the last version that was seen (publish_charter).
    """
    with transaction.atomic():
        last = PublishedCharter.objects.filter(merchant=merchant).order_by("-version").first()
        if last is not None and document.to_plain(document.published(last.document)) == document.to_plain(charter):
            raise loyalty.CharterRefused("nothing_changes", version=last.version)
        if dangling := missing(merchant, charter):
            raise CharterInvalid(dangling)
        row = loyalty.publish_charter(
            merchant=merchant,
            charter=charter,
            effective_from=effective_from,
            now=now,
            actor=actor,
            note=note,
            upon=upon,
        )
        if draft is not None:
            drafts.close_draft(
                merchant=merchant, draft_id=draft.pk, revision=draft.revision, version=row.version, now=now, actor=actor
            )
        audit.record(
            merchant_id=merchant.pk,
            at=now,
            actor=actor,
            verb="charter.published",
            object=f"version {row.version}",
            detail={"effective_from": effective_from.isoformat(), "note": note, "draft": draft.pk if draft else None},
            address=address,
        )
        _follow(merchant, row)
    return row


def _follow(merchant: Merchant, row: PublishedCharter) -> None:
    """What a version asks of the worker: its first to settle what there was before, a longer window to gather older figures
    again, other tiers to grade everybody by them once they begin."""
    versions = charters.versions(merchant)
    *_, before = [None, *(terms for _, terms in versions.begun[:-1])]
    longer = (
        before is not None
        and max(t.longest_window_days() for _, t in versions.begun[:-1]) < versions.longest_window_days
    )
    if longer or (before is None and Order.objects.filter(merchant=merchant, member__isnull=False).exists()):
        jobs.enqueue(SETTLE, {}, merchant_id=merchant.pk, now=clock.utc_now())
    if any(one.start == row.effective_from for one in versions.regradings):
        due = row.effective_from - timedelta(seconds=merchant.clock_shift)
        jobs.enqueue(BEGIN, {}, merchant_id=merchant.pk, now=clock.utc_now(), due_at=due)


def withdraw(
    *, merchant: Merchant, version: int, now: datetime, actor: str, address: str = "", row_id: int | None = None
) -> CharterDraft:
    """Take a version back that is not in force yet; it lives on as a draft. Raises CharterRefused."""
    with transaction.atomic():
        row = loyalty.withdraw_charter(merchant=merchant, version=version, now=now, row_id=row_id)
        draft = drafts.begin_draft(
            merchant=merchant,
            title=f"{row.note or 'charter'} (v{version})",
            text=telling.write_text(row.document),
            based_on=version - 1 or None,
            now=now,
            actor=actor,
        )
        audit.record(
            merchant_id=merchant.pk,
            at=now,
            actor=actor,
            verb="charter.withdrawn",
            object=f"version {version}",
            detail={"effective_from": row.effective_from.isoformat(), "draft": draft.pk},
            address=address,
        )
    return draft


@jobs.handler(SETTLE)
def settle_history(running: jobs.Running) -> None:
    """The books of everybody who bought before there was a charter. Settling twice changes nothing, so a killed job goes on."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    now = shop_now(merchant)
    total = Member.objects.filter(merchant=merchant).count()
    done = 0
    for part in _members(merchant):
        loyalty.settle(merchant=merchant, order_ids=[], also_members=part, now=now, actor="charter")
        done += len(part)
        running.progress(done, total, "members")


@jobs.handler(BEGIN)
def begin(running: jobs.Running) -> None:
    """Everybody has the tier of the charter that begins now; a version withdrawn meanwhile changes nothing. The night would do
    the same, hours later."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    done = 0

    def shown(count: int) -> None:
        nonlocal done
        done += count
        running.progress(done, None, "members")

    loyalty.run_clock(merchant=merchant, now=shop_now(merchant), progress=shown)


def _members(merchant: Merchant) -> Iterator[list[int]]:
    last = 0
    while part := list(
        Member.objects.filter(merchant=merchant, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    ):
        yield part
        last = part[-1]
