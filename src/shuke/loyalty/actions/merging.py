"""The books of two members who are merged, or parted again.

Books are a fold over facts (docs/decisions/0005), so nothing is added up: the facts of the one become the other's, and
both books are folded anew. Orders have been moved by then (flows.merge_members); requests stand in postings, which never
change, so whose fact they are is written beside them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.kit import bulk
from shuke.loyalty.actions import stored as money
from shuke.loyalty.actions.clock import advance
from shuke.loyalty.actions.posting import Batch, compact
from shuke.loyalty.actions.settling import lock_heads, refold
from shuke.loyalty.actions.stored.ledger import lock_members
from shuke.loyalty.models import Hold, ManualTier, RequestOwner, StoredHold, Wallet
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.members.actions.merging import MergeRefused
from shuke.members.models import TimelineLine
from shuke.shops.models import Merchant


def refuse_open_holds(merchant: Merchant, members: tuple[int, int], now: datetime) -> None:
    """Points set aside for a basket belong to a till that is waiting: it finishes first."""
    waiting = Hold.objects.filter(merchant=merchant, member_id__in=members, state="open", times_out_at__gt=now)
    open_ = waiting.order_by("id").first()
    if open_ is not None:
        raise MergeRefused(
            "holds_open",
            f"{open_.amount} points are set aside for a basket ({open_.key.removeprefix('hold:')}). Wait until the till has "
            "finished with them or they time out, or release them first.",
            hold=open_.key.removeprefix("hold:"),
            points=open_.amount,
        )


def refuse_held_money(*, merchant: Merchant, members: tuple[int, int], now: datetime) -> None:
    """Two who are parted must not have set aside one another's stored value for a basket. What timed out is free first.
    Their purses are locked by then: nobody spends from both while they are parted."""
    money.run_stored_clock(merchant=merchant, now=now, members=members)
    held = (
        StoredHold.objects.filter(merchant=merchant, purse__member_id__in=members, state="open").order_by("id").first()
    )
    if held is not None:
        raise MergeRefused(
            "money_held",
            f"Stored value is set aside for a basket ({held.key}). Wait until the till has finished with it or it times out, or "
            "release it first.",
            hold=held.key,
        )


def lock_books(*, merchant: Merchant, members: tuple[int, int], now: datetime) -> dict[int, list]:
    """Lock both wallets and purses, refuse where a basket is open, book what fell due; the birthdays each books know, for the undo."""
    heads = lock_heads(merchant, sorted(members))
    refuse_open_holds(merchant, members, now)
    lock_members(merchant, members, make=False)  # then purses, as a basket does: what is read as one changes now
    if settled := [member for member, head in heads.items() if head.is_settled]:
        advance(merchant, settled, now)  # a hold that timed out unnoticed ends in the books it was placed in
    return {member: _plain(heads[member].birthdays) for member in members}


class Joined(NamedTuple):
    """What became the survivor's: ids of grades by hand, and of postings that answer requests."""

    tiers: list[int]
    requests: list[int]


def join_books(
    *, merchant: Merchant, survivor: int, absorbed: int, birthdays_of: int | None, now: datetime, actor: str
) -> Joined:
    """Make the absorbed member's requests and grades by hand the survivor's, and fold both books anew.

    The orders are the survivor's already. `birthdays_of`: whose birthday holds where it is not the survivor's own. What
    moved is the caller's to remember: parting gives exactly that back.
    """
    with transaction.atomic():
        heads = lock_heads(merchant, sorted((survivor, absorbed)))
        tiers = list(ManualTier.objects.filter(merchant=merchant, member_id=absorbed).values_list("id", flat=True))
        ManualTier.objects.filter(merchant=merchant, id__in=tiers).update(member_id=survivor)
        moved = facts.request_ids(merchant, absorbed)
        _give(merchant, moved, survivor)
        if birthdays_of is not None and birthdays_of != survivor:
            _write_birthdays(merchant, survivor, _plain(heads[birthdays_of].birthdays))
        _fold_anew(merchant, survivor, absorbed, heads, now, actor)
        # Nobody is graded who has no facts: counts of members by tier leave the empty books out.
        Wallet.objects.filter(merchant=merchant, member_id=absorbed).update(tier="")
    return Joined(tiers, moved)


def part_books(
    *,
    merchant: Merchant,
    survivor: int,
    absorbed: int,
    tiers: list[int],
    requests: list[int],
    birthdays: tuple[list, list] | None,
    now: datetime,
    actor: str,
) -> None:
    """Give the requests and grades back, and fold both books anew. The orders have been moved back already.

    `tiers`, `requests`: those the merge moved, and those asked of the absorbed member since. Of whom a return, a capture or
    a release was asked does not matter: it follows what it is about. `birthdays`: the survivor's before the merge, and as
    the merge left them.
    """
    with transaction.atomic():
        heads = lock_heads(merchant, sorted((survivor, absorbed)))
        ManualTier.objects.filter(merchant=merchant, id__in=tiers, member_id=survivor).update(member_id=absorbed)
        _give(merchant, facts.of_half(facts.requests_of(merchant, survivor), set(requests)), absorbed)
        if birthdays is not None:
            before, joined = birthdays
            told = _plain(heads[survivor].birthdays)
            if told[: len(joined)] == joined:  # a birthday told since the merge is the survivor's
                _write_birthdays(merchant, survivor, before + told[len(joined) :])
        _fold_anew(merchant, survivor, absorbed, heads, now, actor)


def _give(merchant: Merchant, txns: list[int], member: int) -> None:
    """From now on these requests are this member's facts; of the one they were posted to, that needs no row."""
    if not txns:
        return
    RequestOwner.objects.filter(merchant=merchant, txn_id__in=txns).delete()
    RequestOwner.objects.bulk_create(
        RequestOwner(merchant=merchant, txn_id=txn, member_id=member)
        for txn in facts.posted_to_others(merchant, txns, member)
    )


def _fold_anew(
    merchant: Merchant, survivor: int, absorbed: int, heads: dict[int, stored.Head], now: datetime, actor: str
) -> None:
    try:
        versions = charters.versions(merchant)
    except charters.NoCharter:
        return  # the first publication settles the history
    # Both as far as either had been brought: what lapsed in the one is not to come back in the other.
    reached = max((h.settled_to for h in heads.values() if h.settled_to is not None), default=None)
    Wallet.objects.filter(merchant=merchant, member_id__in=list(heads)).update(settled_to=reached)
    heads = stored.heads(merchant, sorted(heads))
    batch = Batch(merchant, now=now, actor=actor)
    refold(batch, versions, heads, sorted(heads))
    _once(merchant, batch, (survivor, absorbed))
    batch.write()


def _once(merchant: Merchant, batch: Batch, members: tuple[int, int]) -> None:
    """A tier reached long ago is no news for having been folded again: what either timeline says is not said again."""
    said = set(
        TimelineLine.objects.filter(merchant=merchant, member_id__in=members, kind__in=("tier.up", "tier.down", "tier.renamed", "points.expired"))
        .values_list("kind", "at", "ref")
    )  # fmt: skip
    batch.notes = [line for line in batch.notes if (line.kind, line.at, line.ref) not in said]


def _plain(birthdays: Any) -> list:
    return [[None if since is None else since.isoformat(), *day] for since, day in birthdays]


def _write_birthdays(merchant: Merchant, member: int, birthdays: list) -> None:
    bulk.execute(
        "UPDATE loyalty_wallet SET birthdays = %s WHERE +merchant_id = %s AND member_id = %s",
        [compact(birthdays), merchant.pk, member],
    )
