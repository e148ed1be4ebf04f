"""Unique codes in bulk: a million in one run, in chunks that each commit, so that a killed run goes on where it was.

A code follows from the batch's random seed, its number and the master key (HMAC-SHA-256 cut to 60 bits). So the shop can
print or export the codes of a batch again, while the database alone holds only their keyed hashes.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import IntegrityError, transaction

from shuke.engine.checkout import codes
from shuke.kit import audit, bulk, crypto, ids
from shuke.loyalty.actions.coupons.issuing import COLUMNS, take_from_tally, validity, write_moves
from shuke.loyalty.actions.coupons.refusals import CouponRefused
from shuke.loyalty.models import Coupon, CouponBatch, CouponState
from shuke.loyalty.queries import coupons as stored
from shuke.members.queries.keys import span
from shuke.shops.models import Merchant

CHUNK = 10_000
MOST = 5_000_000


@transaction.atomic
def begin_batch(*, merchant: Merchant, key: str, count: int, label: str, now: datetime, actor: str) -> CouponBatch:
    """Order so many codes of a template; `make_codes` makes them. The limit is taken at once, for all of them."""
    if not 1 <= count <= MOST:
        raise CouponRefused("too_many", most=MOST)
    row = stored.latest(merchant, key)
    if row is None:
        raise CouponRefused("no_such_template", key=key)
    if stored.terms_of(row).codes != "unique":
        raise CouponRefused("needs_codes", key=key)
    take_from_tally(merchant, key, count)
    batch = CouponBatch.objects.create(
        merchant=merchant, template=row, label=label[:80], count=count, seed=os.urandom(16), key_number=span().newest,
        made_at=now, made_by=actor,
    )  # fmt: skip
    audit.record(
        merchant_id=merchant.pk,
        at=now,
        actor=actor,
        verb="coupon.batch_begun",
        object=f"coupon batch {batch.pk}",
        detail={"key": key, "count": count},
    )
    return batch


def make_codes(*, batch_id: int, now: datetime, progress: Callable[[int], None] | None = None) -> int:
    """Make what is missing of a batch; how many were made now. Each chunk commits with the batch's own count."""
    made = 0
    while True:
        done = _make_chunk(batch_id)
        if not done:
            return made
        made += done
        if progress is not None:
            progress(done)


def _make_chunk(batch_id: int) -> int:
    for salt in range(100):
        try:
            with transaction.atomic():
                return _try_chunk(batch_id, salt)
        except IntegrityError:
            continue  # one of the codes exists already: once in some million chunks
    raise CouponRefused("code_taken", told="")


def _try_chunk(batch_id: int, salt: int) -> int:
    batch = CouponBatch.objects.select_for_update(no_key=True).select_related("template", "merchant").get(pk=batch_id)
    count = min(CHUNK, batch.count - batch.made)
    if batch.state != "making" or count <= 0:
        return 0
    merchant, row = batch.merchant, batch.template
    if salt:
        batch.salts[str(batch.made // CHUNK)] = salt
    start, end = validity(stored.terms_of(row), batch.made_at, merchant)
    at, blind = bulk.moment(), crypto.coder("coupon", merchant.pk, batch.key_number)
    issued, since, until = at(batch.made_at), at(start), at(end)
    open_, key, template, pk = CouponState.OPEN.value, row.key, row.pk, merchant.pk
    bulk.insert(
        "loyalty_coupon",
        COLUMNS,
        [
            (own, pk, template, key, None, blind(code), code[-4:], open_, issued, since, until, "batch", "", batch_id, None, 0)
            for own, code in zip(ids.take(count), codes_of(batch, batch.made, count), strict=True)
        ],
    )  # fmt: skip
    batch.made += count
    if batch.made == batch.count:
        batch.state = "done"
    batch.save(update_fields=["made", "salts", "state"])
    return count


def codes_of(batch: CouponBatch, first: int = 0, count: int | None = None) -> Iterator[str]:
    """The codes of a batch from number `first` on, without dashes."""
    key = crypto.key_for("coupon/codes", batch.merchant_id, batch.key_number)
    seed, digest, code_of = bytes(batch.seed), hmac.digest, codes.code_of
    last = batch.made if count is None else first + count
    for number in range(first, last):
        salt = batch.salts.get(str(number // CHUNK), 0)
        drawn = digest(key, seed + number.to_bytes(8, "big") + bytes([salt]), "sha256")
        yield code_of(int.from_bytes(drawn[:8], "big") >> (64 - codes.BITS))


def void_batch(*, merchant: Merchant, batch_id: int, reason: str, now: datetime, actor: str) -> int:
    """Make all codes of a batch that are still open useless (a leaked list); how many."""
    voided = 0
    with transaction.atomic():
        batch = (
            CouponBatch.objects.select_for_update(no_key=True, of=("self",))
            .select_related("template")
            .filter(pk=batch_id, merchant=merchant)
            .first()
        )
        if batch is None:
            raise CouponRefused("no_such_batch", batch=batch_id)
        key, unmade = batch.template.key, batch.count - batch.made
        batch.state, batch.count = "void", batch.made
        batch.save(update_fields=["state", "count"])
        bulk.execute(
            "UPDATE loyalty_coupon_tally SET issued = issued - %s WHERE merchant_id = %s AND key = %s",
            [unmade, merchant.pk, key],
        )
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="coupon.batch_voided", object=f"coupon batch {batch_id}"
        )
    while True:
        with transaction.atomic():
            rows = list(
                Coupon.objects.select_for_update(no_key=True)
                .filter(merchant=merchant, batch_id=batch_id, state=CouponState.OPEN)
                .order_by("id")
                .values_list("id", flat=True)[:CHUNK]
            )
            if not rows:
                return voided
            condition, parameter = bulk.among("id", rows)
            bulk.execute(
                f"UPDATE loyalty_coupon SET state = 'void' WHERE +merchant_id = %s AND {condition}",
                [merchant.pk, parameter],
            )
            write_moves(merchant, [(pk, "void", "open", "void", 0, reason) for pk in rows], now, actor)
            bulk.execute(
                "UPDATE loyalty_coupon_tally SET void = void + %s WHERE merchant_id = %s AND key = %s",
                [len(rows), merchant.pk, key],
            )
            voided += len(rows)
