"""What time does to stored value: holds time out, bonus lapses. Nothing depends on it running on time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from shuke.kit.turns import Turns
from shuke.loyalty.actions.stored.ledger import Ledger, lock_card, lock_members
from shuke.loyalty.models import StoredPurse
from shuke.shops.models import Merchant

_TURN = {"first": 20, "fewest": 5, "most": 200}  # purses a transaction


def run_stored_clock(*, merchant: Merchant, now: datetime, members: Collection[int] | None = None) -> int:
    """Book everything that fell due up to `now`; of how many purses. Safe to run twice, in parallel, or late. `members`: only
    of these."""
    rows = StoredPurse.objects.filter(merchant=merchant, next_due_at__lte=now)
    if members is not None:
        rows = rows.filter(member_id__in=members)
    due = list(rows.order_by("id").values_list("member_id", "card_id"))
    begin = 0
    with Turns(**_TURN) as turns:
        while begin < len(due):
            some = due[begin : begin + turns.size]
            begin += len(some)
            with turns.one():
                _advance(merchant, some, now)
    return len(due)


@transaction.atomic
def _advance(merchant: Merchant, due: Sequence[tuple[int | None, int | None]], now: datetime) -> None:
    """Members who were merged are read as one: a hold of the one may set money of the other aside."""
    locked = lock_members(merchant, [member for member, _ in due if member is not None], make=False)
    groups = {tuple(purse.pk for purse in purses): purses for purses in locked.values()}
    for card in sorted(card for _, card in due if card is not None):
        purses = lock_card(merchant, card)
        groups[tuple(purse.pk for purse in purses)] = purses
    ledger = Ledger(merchant, [row for purses in groups.values() for row in purses], now=now, actor="clock")
    for purses in groups.values():
        ledger.purse(purses)
    ledger.finish()
