"""Coupons on their own account: issued by rule, made in bulk by a job, given out as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.charter.selling import Issue as Rule
from shuke.engine.checkout import codes
from shuke.kit import audit, clock, jobs
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.coupons.batches import codes_of
from shuke.loyalty.actions.coupons.issuing import validity
from shuke.loyalty.models import CouponBatch
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import coupons as stored
from shuke.loyalty.queries.coupons.lists import due_to_expire
from shuke.loyalty.queries.coupons.occasions import Occasion, in_tiers, occasions
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

JOB = "coupon-codes"
AT_ONCE = 500
RULED = ("birthday", "joined", "tier_up", "complaint", "first_purchase", "win_back")


class Ruled(NamedTuple):
    """What one run of the rules gave."""

    issued: int
    members: int
    refused: dict[str, int]  # code → how often


def adopt_charter(*, merchant: Merchant, now: datetime) -> None:
    """The templates of the charter in force can be issued. Cheap when nothing is new; without a charter nothing happens."""
    try:
        terms = charters.in_force(merchant, now)
    except charters.NoCharter:
        return
    coupons.adopt_charter_templates(merchant=merchant, terms=terms, now=now)


def issue_by_rule(
    *, merchant: Merchant, now: datetime, real_now: datetime, hear: Callable[[coupons.Issued], None] | None = None
) -> Ruled:
    """Give everybody who has reason the coupons of every rule, each occasion once. Safe to run again at any time.

    `hear` is told each answer that is new, given or refused, in turn.
    """
    adopt_charter(merchant=merchant, now=now)
    issued = members = 0
    refused: dict[str, int] = {}
    for view in stored.overview(merchant):
        if view.tally.paused:
            continue
        for rule in view.terms.issue:
            for one in _give(merchant, view.row.key, rule, occasions(merchant, rule, now, real_now), now):
                issued += len(one.coupons)
                members += bool(one.coupons)
                if one.code:
                    refused[one.code] = refused.get(one.code, 0) + 1
                if hear is not None and not one.again:
                    hear(one)
    return Ruled(issued, members, refused)


def issue_for(*, merchant: Merchant, on: str, occasion: Occasion, now: datetime) -> list[coupons.Issued]:
    """What the rules for one kind of occasion give for this one, at once instead of within the hour: each answer, given before too."""
    adopt_charter(merchant=merchant, now=now)
    found: list[coupons.Issued] = []
    for view in stored.overview(merchant):
        for rule in view.terms.issue if not view.tally.paused else ():
            if rule.on == on:
                found += _give(merchant, view.row.key, rule, in_tiers(merchant, rule, [occasion], now), now)
    return found


def _give(
    merchant: Merchant, key: str, rule: Rule, found: Sequence[Occasion], now: datetime
) -> Iterator[coupons.Issued]:
    moved = survivors_of(merchant.pk, {one.member_id for one in found})
    wishes = [
        coupons.Issue(
            key, moved.get(one.member_id, one.member_id), rule.on, one.ref, rule.count, whoever=rule.on == "complaint"
        )
        for one in found
    ]
    for start in range(0, len(wishes), AT_ONCE):
        yield from coupons.issue(
            merchant=merchant, issues=wishes[start : start + AT_ONCE], now=now, actor=f"rule:{rule.on}"
        )


def refusal_of(merchant: Merchant, issued: coupons.Issued) -> coupons.CouponRefused:
    """The refusal of one wish as an error with its figures, for doors that asked for one member only."""
    key, member = issued.asked.key, issued.asked.member_id
    tally, row = stored.tally(merchant, key), stored.latest(merchant, key)
    limits = stored.terms_of(row).limits if row is not None else None
    most = (
        limits.per_member if limits is not None and issued.code == "member_has_enough" else tally and tally.most_issued
    )
    return coupons.CouponRefused(
        issued.code,
        key=key,
        most=most or 0,
        left=(most or 0) - tally.issued if tally and issued.code == "all_issued" else 0,
        have=stored.count_of_member(merchant, key, member),
        day=(stored.terms_of(row).valid.until_date if row is not None else "") or "",
    )


def claim(
    *,
    merchant: Merchant,
    member_id: int,
    template: str,
    code: str,
    now: datetime,
    actor: str,
    callers: Sequence[str],
) -> int:
    """A member takes a coupon, by template or by code; its id. A bad code counts against its callers."""
    adopt_charter(merchant=merchant, now=now)
    if not code:
        return coupons.claim(merchant=merchant, member_id=member_id, key=template, now=now, actor=actor)
    if minutes := stored.wait_minutes(merchant, callers, now):
        raise coupons.CouponRefused("try_later", minutes=minutes)
    found = stored.find_code(merchant, code)
    try:
        return coupons.claim(merchant=merchant, member_id=member_id, now=now, actor=actor, found=found)
    except coupons.CouponRefused as refused:
        if refused.code == "code_refused":
            coupons.note_bad_code(merchant=merchant, callers=callers, now=now)
        raise


@jobs.handler("coupons")
def run_rules(running: jobs.Running) -> None:
    """Every hour: issue by rule, book what ran out, forget old tries of codes."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    now = shop_now(merchant)
    ruled = issue_by_rule(merchant=merchant, now=now, real_now=clock.utc_now())
    expired = coupons.expire(merchant=merchant, now=now)
    coupons.sweep_tries(merchant=merchant, now=now)
    running.progress(1, 1, issued=ruled.issued, expired=expired)


def rules_wanted(merchant: Merchant, now: datetime) -> bool:
    """Is there a rule that issues, or a coupon that ran out?"""
    try:
        ruled = any(t.issue for t in charters.in_force(merchant, now).charter.selling.coupons)
    except charters.NoCharter:
        return False
    return ruled or due_to_expire(merchant, now) or any(view.terms.issue for view in stored.overview(merchant))


# ---- codes in bulk ------------------------------------------------------------------------------------------------


class Ordered(NamedTuple):
    batch: CouponBatch
    job_id: int


def order_codes(*, merchant: Merchant, key: str, count: int, label: str, now: datetime, actor: str) -> Ordered:
    """A batch of unique codes, to be made by a worker."""
    with transaction.atomic():
        batch = coupons.begin_batch(merchant=merchant, key=key, count=count, label=label, now=now, actor=actor)
        job_id = jobs.enqueue(
            JOB, {"batch": str(batch.pk)}, merchant_id=merchant.pk, now=clock.utc_now(), key=f"{JOB}:{batch.pk}"
        )
    return Ordered(batch, job_id)


@jobs.handler(JOB)
def make_codes(running: jobs.Running) -> None:
    """Make the codes of one batch. Killed, the next worker goes on after the last whole chunk."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    batch = stored.batch(merchant, int(running.arguments["batch"]))
    if batch is None:
        raise jobs.Permanent("This batch of codes no longer exists.")
    done = batch.made

    def shown(count: int) -> None:
        nonlocal done
        done += count
        running.progress(done, batch.count, "codes")

    coupons.make_codes(batch_id=batch.pk, now=shop_now(merchant), progress=shown)


def export_codes(*, merchant: Merchant, batch_id: int, now: datetime, actor: str) -> Iterator[str]:
    """The codes of a batch as lines of CSV, with a mark so that spreadsheets read Chinese. The audit log says who took them."""
    batch = stored.batch(merchant, batch_id)
    if batch is None:
        raise coupons.CouponRefused("no_such_batch", batch=batch_id)
    audit.record(
        merchant_id=merchant.pk,
        at=now,
        actor=actor,
        verb="coupon.codes_exported",
        object=f"coupon batch {batch.pk}",
        detail={"codes": batch.made},
    )
    return _lines(merchant, batch)


def _lines(merchant: Merchant, batch: CouponBatch) -> Iterator[str]:
    start, end = validity(stored.terms_of(batch.template), batch.made_at, merchant)
    valid = [m.astimezone(merchant.tz).strftime("%Y-%m-%d %H:%M") if m else "" for m in (start, end)]
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\r\n")
    told.write("\ufeff")
    writer.writerow(["code", "template", "valid_from", "valid_until"])
    for place, code in enumerate(codes_of(batch), 1):
        writer.writerow([codes.shown(code), batch.template.key, *valid])
        if place % 2000 == 0:
            yield told.getvalue()
            told.seek(0)
            told.truncate()
    yield told.getvalue()
