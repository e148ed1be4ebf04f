"""Of which half something was asked, while two members are one: parting gives it back to that half.

A request under the id of a merged member is done in the books of the one they live on in. Postings say only that one; of whom
it was asked is remembered with the merge, as it is for orders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from shuke.kit import bulk
from shuke.members.actions.merging import remember_facts
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant


def remember_asked(merchant: Merchant, heirs: Mapping[int, int], asked: Iterable[tuple[int, str]]) -> None:
    """(member, key) of requests just answered; `heirs`: who lives on in whom. Refusals too: a retry finds them by this."""
    keys = {key: member for member, key in asked if member in heirs}
    if not keys:
        return
    where, values = bulk.among("key", keys)
    found = bulk.select(
        f"SELECT id, key FROM loyalty_txn WHERE merchant_id = %s AND {where}",
        [merchant.pk, values],
    )
    of: dict[int, list[int]] = defaultdict(list)
    for txn, key in found:
        of[keys[key]].append(txn)
    remember_facts(merchant=merchant, of=of, what="request")


def is_whom_it_was_asked_of(merchant: Merchant, key: str, member: int, posted_to: int) -> bool:
    """Is this member whom the request with this key was asked of, which was done in the books of `posted_to`? Because the
    two are one now, or were one then."""
    heirs = survivors_of(merchant.pk, [posted_to, member])
    if heirs.get(posted_to, posted_to) == heirs.get(member, member):
        return True
    return bool(
        bulk.select(
            "SELECT 1 FROM loyalty_txn t JOIN members_merge m ON m.merchant_id = t.merchant_id AND m.absorbed_id = %s "
            "AND m.survivor_id = t.member_id JOIN members_merged_fact f ON f.merchant_id = t.merchant_id AND f.merge_id = m.id "
            "AND f.what = 'request' AND f.object_id = t.id WHERE t.merchant_id = %s AND t.key = %s LIMIT 1",
            [member, merchant.pk, key],
        )
    )
