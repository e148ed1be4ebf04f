"""The hash chains: postings are sealed in batches, so that what was booked cannot be changed unseen (I17, S12)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.kit import bulk, ids
from shuke.kit.turns import Turns
from shuke.loyalty.queries.chain import POINTS, Chain, Link, digest_of
from shuke.loyalty.queries.stored.chain import STORED
from shuke.shops.models import Merchant

# Postings a seal. Nobody waits for the row that PostgreSQL locks; on SQLite every till waits for the file.
_POSTGRES = {"first": 20_000, "fewest": 20_000, "most": 20_000}
_SQLITE = {"first": 1000, "fewest": 500, "most": 20_000}


def seal(*, merchant: Merchant, now: datetime, count: bool = True) -> int:
    """Seal all postings of points that are not sealed yet; the number of postings sealed. Without `count` those are left to
    the night that took longer than an hour to be written."""
    return _seal(POINTS, merchant, now, count)


def seal_stored(*, merchant: Merchant, now: datetime, count: bool = True) -> int:
    """The same with those of stored value."""
    return _seal(STORED, merchant, now, count)


def _seal(chain: Chain[Link], merchant: Merchant, now: datetime, count: bool) -> int:
    sealed = _seal_all(chain, merchant, now, count=False)
    if count and chain.are_left_behind(merchant):  # asked before anything is locked: it reads all postings
        sealed += _seal_all(chain, merchant, now, count=True)
    return sealed


def _seal_all(chain: Chain[Link], merchant: Merchant, now: datetime, *, count: bool) -> int:
    sealed = 0
    with Turns(**(_POSTGRES if bulk.is_postgres() else _SQLITE)) as turns:
        while True:
            most = turns.size
            with turns.one():
                n = _seal_some(chain, merchant, now, most, count=count)
            sealed += n
            if n < most:
                return sealed


@transaction.atomic
def _seal_some(chain: Chain[Link], merchant: Merchant, now: datetime, most: int, *, count: bool) -> int:
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # one seal at a time
    txns = chain.unsealed(merchant, most, count=count)
    if not txns:
        return 0
    last = chain.seals.objects.filter(merchant=merchant).order_by("-number").first()
    number = 1 if last is None else last.number + 1
    previous = b"\0" * 32 if last is None else bytes(last.digest)
    where, values = bulk.among("id", txns)
    bulk.execute(f"UPDATE {chain.txn} SET seal = %s WHERE +merchant_id = %s AND {where}", [number, merchant.pk, values])
    span: tuple[int, int] = txns[0], txns[-1]
    digest = digest_of(previous, chain.content_of(merchant, number, *span))
    bulk.insert(
        chain.seals._meta.db_table,
        ("id", "merchant_id", "number", "count", "previous", "digest", "first_id", "last_id", "sealed_at"),
        [(ids.new(), merchant.pk, number, len(txns), previous, digest, *span, bulk.moment()(now))],
    )
    return len(txns)
