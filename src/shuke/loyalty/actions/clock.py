"""What the clock does: points lapse, tiers are reviewed, holds time out, grades given by hand end, charters begin.

Nothing depends on this running on time: what is available is computed from dates (TRUST §3.7). It only books what is due,
in small transactions that can be killed between any two.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from shuke.engine.ledger.books import FAR
from shuke.engine.ledger.fold import Fold
from shuke.kit.turns import Turns
from shuke.loyalty.actions.lapsing import lapse
from shuke.loyalty.actions.posting import Batch
from shuke.loyalty.actions.settling import Settled, lock_heads, post_forward
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant

_TURN = {"first": 20, "fewest": 5, "most": 200}  # members a transaction


def run_clock(*, merchant: Merchant, now: datetime, progress: Callable[[int], None] | None = None) -> Settled:
    """Book everything that fell due up to `now`. Safe to run twice, in parallel, or late.

    Members of whom nothing but points is due are booked together (lapsing.py), the others one by one.
    """
    members, postings = lapse(merchant=merchant, now=now, progress=progress)
    done = Settled(members, postings)
    wanted = Q(next_expiry_at__lte=now) | Q(next_review_at__lte=now)
    if (begun := _last_regrading(merchant, now)) is not None:
        wanted |= Q(settled_to__lt=begun)
    due = list(
        Wallet.objects.filter(wanted, merchant=merchant).order_by("member_id").values_list("member_id", flat=True)
    )
    begin = 0
    with Turns(**_TURN) as turns:
        while begin < len(due):
            some = due[begin : begin + turns.size]
            begin += len(some)
            with turns.one():
                part = advance(merchant, some, now)
            done.members += part.members
            done.postings += part.postings
            if progress is not None:
                progress(part.members)
    return done


def _last_regrading(merchant: Merchant, now: datetime) -> datetime | None:
    """Since when tiers are graded as they are: whoever was not looked at since holds a tier of the charter before."""
    try:
        return charters.versions(merchant).last_regrading(now)
    except charters.NoCharter:
        return None


@transaction.atomic
def advance(merchant: Merchant, members: list[int], now: datetime) -> Settled:
    """Book what fell due for these members, whose books have been settled before."""
    versions = charters.versions(merchant)
    heads = lock_heads(merchant, members)
    members = [member for member in members if heads[member].is_settled]
    opened = stored.open_books(merchant, versions, [heads[m] for m in members], with_lots=set(members))
    batch = Batch(merchant, now=now, actor="clock")
    for member in members:
        fold = Fold(versions, opened[member].books, birthdays=heads[member].birthdays)
        fold.last_at = heads[member].settled_to
        fold.advance(now)
        fold.books.next_expiry = _true_next_expiry(fold)
        post_forward(batch, heads[member], opened[member], fold)
    batch.write()
    return Settled(len(members), len(batch.txns), 0)


def _true_next_expiry(fold: Fold) -> datetime:
    return min((lot.expires_at for lot in fold.books.lots.values() if lot.expires_at and lot.free > 0), default=FAR)
