"""The hash chain: postings are sealed in batches, so that what was booked cannot be changed unseen (I17)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.kit import bulk, ids
from shuke.loyalty.models import Seal
from shuke.loyalty.queries.chain import content_of, digest_of
from shuke.shops.models import Merchant

PER_SEAL = 20_000


def seal(*, merchant: Merchant, now: datetime) -> int:
    """Seal all postings that are not sealed yet; the number of postings sealed."""
    sealed = 0
    while n := _seal_some(merchant, now):
        sealed += n
        if n < PER_SEAL:
            break
    return sealed


@transaction.atomic
def _seal_some(merchant: Merchant, now: datetime) -> int:
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # one seal at a time
    last = Seal.objects.filter(merchant=merchant).order_by("-number").first()
    number = 1 if last is None else last.number + 1
    previous = b"\0" * 32 if last is None else bytes(last.digest)
    txns = bulk.select(
        "SELECT id FROM loyalty_txn WHERE merchant_id = %s AND seal IS NULL ORDER BY id LIMIT %s",
        [merchant.pk, PER_SEAL],
    )
    if not txns:
        return 0
    where, values = bulk.among("id", [t for (t,) in txns])
    bulk.execute(f"UPDATE loyalty_txn SET seal = %s WHERE +merchant_id = %s AND {where}", [number, merchant.pk, values])
    digest = digest_of(previous, content_of(merchant, number))
    bulk.insert(
        "loyalty_seal",
        ("id", "merchant_id", "number", "count", "previous", "digest", "sealed_at"),
        [(ids.new(), merchant.pk, number, len(txns), previous, digest, bulk.moment()(now))],
    )
    return len(txns)
