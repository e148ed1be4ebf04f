"""The hash chain: postings are sealed in batches, so that what was booked cannot be changed unseen (I17)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from shuke.kit import bulk, ids
from shuke.loyalty.models import Seal
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
    bulk.execute(f"UPDATE loyalty_txn SET seal = %s WHERE merchant_id = %s AND {where}", [number, merchant.pk, values])
    digest = digest_of(previous, content_of(merchant, number))
    bulk.insert(
        "loyalty_seal",
        ("id", "merchant_id", "number", "count", "previous", "digest", "sealed_at"),
        [(ids.new(), merchant.pk, number, len(txns), previous, digest, bulk.moment()(now))],
    )
    return len(txns)


def content_of(merchant: Merchant, number: int) -> Iterable[str]:
    """Every posting of a seal with its legs and uses as text lines, in id order; the same on both engines."""
    for pk, key, kind, member, at, why in bulk.select(
        "SELECT id, key, kind, member_id, at, why FROM loyalty_txn WHERE merchant_id = %s AND seal = %s ORDER BY id",
        [merchant.pk, number],
    ):
        moment = bulk.read_moment(at)
        assert moment is not None
        yield f"t|{pk}|{key}|{kind}|{member}|{moment.timestamp():.6f}|{_text(why)}"
    for table, columns in (("entry", "account, amount, seq, balance_after"), ("use", "lot_id, kind, amount")):
        for row in bulk.select(
            f"SELECT x.txn_id, {', '.join('x.' + c for c in columns.split(', '))} FROM loyalty_{table} x "
            "JOIN loyalty_txn t ON t.id = x.txn_id WHERE t.merchant_id = %s AND t.seal = %s ORDER BY x.txn_id, x.id",
            [merchant.pk, number],
        ):
            yield f"{table[0]}|" + "|".join(str(v) for v in row)


def _text(why: object) -> str:
    """JSON in one spelling: PostgreSQL keeps its own."""
    import json

    value = json.loads(why) if isinstance(why, str) else why
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(previous: bytes, lines: Iterable[str]) -> bytes:
    digest = hashlib.sha256(previous)
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.digest()
