"""What time does to stored value: holds time out, bonus lapses, postings are sealed. Nothing depends on it running on time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from shuke.kit import bulk, ids
from shuke.loyalty.actions.stored.ledger import Ledger, lock_card, lock_members
from shuke.loyalty.models import StoredPurse, StoredSeal
from shuke.loyalty.queries.chain import digest_of
from shuke.loyalty.queries.stored.chain import content_of, unsealed
from shuke.shops.models import Merchant

PER_TRANSACTION = 200
PER_SEAL = 20_000


def run_stored_clock(*, merchant: Merchant, now: datetime, members: Collection[int] | None = None) -> int:
    """Book everything that fell due up to `now`; of how many purses. Safe to run twice, in parallel, or late. `members`: only
    of these."""
    count = 0
    while True:
        with transaction.atomic():
            due = StoredPurse.objects.filter(merchant=merchant, next_due_at__lte=now).order_by("id")
            if members is not None:
                due = due.filter(member_id__in=members)
            rows = list(due.values_list("member_id", "card_id")[:PER_TRANSACTION])
            # Members who were merged are read as one: a hold of the one may set money of the other aside.
            locked = lock_members(merchant, [member for member, _ in rows if member is not None], make=False)
            groups = {tuple(purse.pk for purse in purses): purses for purses in locked.values()}
            for card in sorted(card for _, card in rows if card is not None):
                purses = lock_card(merchant, card)
                groups[tuple(purse.pk for purse in purses)] = purses
            if not rows:
                return count
            ledger = Ledger(merchant, [row for purses in groups.values() for row in purses], now=now, actor="clock")
            for purses in groups.values():
                ledger.purse(purses)
            ledger.finish()
            count += len(rows)


def seal_stored(*, merchant: Merchant, now: datetime, all_of_them: bool = True) -> int:
    """Add what was posted since the last seal to the hash chain; how many postings. Without `all_of_them` what was left open
    for longer than an hour waits for the night."""
    sealed = 0
    while n := _seal_some(merchant, now, all_of_them):
        sealed += n
    return sealed


@transaction.atomic
def _seal_some(merchant: Merchant, now: datetime, all_of_them: bool) -> int:
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # one seal at a time
    txns = unsealed(merchant, PER_SEAL, all_of_them=all_of_them)
    if not txns:
        return 0
    last = StoredSeal.objects.filter(merchant=merchant).order_by("-number").first()
    number = 1 if last is None else last.number + 1
    previous = b"\0" * 32 if last is None else bytes(last.digest)
    where, values = bulk.among("id", txns)
    bulk.execute(
        f"UPDATE loyalty_stored_txn SET seal = %s WHERE +merchant_id = %s AND {where}", [number, merchant.pk, values]
    )
    digest = digest_of(previous, content_of(merchant, number))
    bulk.insert(
        "loyalty_stored_seal",
        ("id", "merchant_id", "number", "count", "previous", "digest", "sealed_at"),
        [(ids.new(), merchant.pk, number, len(txns), previous, digest, bulk.moment()(now))],
    )
    return len(txns)
