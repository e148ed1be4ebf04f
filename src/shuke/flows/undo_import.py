"""Take an import back, as long as nothing later depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db import transaction

from shuke.flows import opening, referral
from shuke.flows.checkout import follow_undone
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions.settling import lock_living
from shuke.loyalty.queries.member import spent_from
from shuke.members import actions as members
from shuke.members.actions import Note, restoring
from shuke.members.models import TimelineLine
from shuke.orders import actions as archive
from shuke.orders import queries
from shuke.orders.models import ImportBatch
from shuke.shops.models import Merchant

PART = 20_000
T = TypeVar("T")


class UndoRefused(RuntimeError):
    """Something later depends on the import. `code` and `params` for doors; the message says what to do."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        self.code = code
        self.params = {key: str(value) for key, value in params.items()}
        super().__init__(message)


class Undone(NamedTuple):
    """What was taken back."""

    orders_removed: int
    orders_restored: int
    refunds_removed: int
    refunds_restored: int
    members_put_away: int
    members_settled: int
    members_kept: int  # made by it, but somebody has dealt with them since
    profiles_restored: int  # members who got back what a customer file had filled in or changed
    fields_kept: int  # of those, what was changed again since: it stays
    openings: int  # balances of another system taken back


def undo(*, merchant: Merchant, batch_id: int, now: datetime, actor: str) -> Undone:
    """Take an import back in one transaction; refuses (UndoRefused) and changes nothing if something depends on it.

    In this order: checked that no later import or recording changed the same orders, that no points these orders earned
    are spent or held, that the batch is not running; orders, lines and refund documents it made removed, those it
    changed put back; balances it took over booked back; what customer records told about known members put back, unless changed since; the books of all members concerned settled anew (corrections are posted, nothing is erased);
    members it made and who have nothing else put away; a line on the timeline of the others.
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().filter(merchant=merchant, pk=batch_id).first()
        if batch is None:
            raise UndoRefused("no_batch", f"There is no import {batch_id}.", batch=batch_id)
        if batch.state == ImportBatch.State.UNDONE:
            raise UndoRefused("undone", f"Import {batch_id} was undone already.", batch=batch_id)
        if batch.state == ImportBatch.State.RUNNING:
            raise UndoRefused(
                "running", f"Import {batch_id} is running. Wait until it ends, then undo it.", batch=batch_id
            )
        undone = take_out(merchant=merchant, batch=batch, now=now, actor=actor)
        archive.end_batch(batch=batch, state=ImportBatch.State.UNDONE, now=now)
    return undone


def take_out(*, merchant: Merchant, batch: ImportBatch, now: datetime, actor: str) -> Undone:
    """Remove what a batch brought. Used by the undo and by an import that turns out to be impossible half-way."""
    with transaction.atomic():
        archive.hold_all_still(merchant)
        _refuse_if_changed_later(merchant, batch)
        made = queries.orders_made_by(merchant, batch.pk)
        changed = queries.orders_changed_by(merchant, batch.pk)
        openings = opening.of_batch(merchant, queries.openings_by(merchant, batch.pk))
        touched = queries.orders_touched_by(merchant, batch.pk)
        taken = archive.take_out_batch(merchant=merchant, batch=batch)
        created = queries.members_made_by(merchant, batch.pk)
        changes = queries.profiles_changed_by(merchant, batch.pk)
        changes = {member: change for member, change in changes.items() if member not in created}
        given_back = restoring.give_back(merchant=merchant, changes=changes, batch_id=batch.pk, now=now, actor=actor)
        owners = set(taken.member_ids) | given_back.rebooked
        for part in _parts(sorted(owners | {one.member for one in openings})):
            lock_living(merchant, part)  # from here on nobody spends
        _refuse_if_spent(merchant, made, changed)
        _refuse_if_openings_spent(merchant, openings)
        settled = 0
        for part in _parts(sorted(owners)):
            settled += loyalty.settle(merchant=merchant, order_ids=[], also_members=part, now=now, actor=actor).members
        follow_undone(merchant=merchant, events=touched, now=now, actor=actor)
        if opening.take_back(merchant=merchant, openings=openings, now=now, actor=actor):
            raise _openings_spent(sum(one.points for one in openings))
        referral.follow(merchant=merchant, member_ids=owners | created, now=now, actor=actor)
        gone = created - _still_needed(merchant, created)
        put_away = 0
        for part in _parts(sorted(gone)):
            put_away += members.undo_created(merchant=merchant, member_ids=part, now=now, actor=actor)
        ref = f"batch:{batch.pk}"
        told = (owners | changes.keys()) - gone
        lines = [Note(m, now, "import.undone", ref, {"by": actor}) for m in sorted(told)]
        members.note(merchant=merchant, lines=lines, now=now)
        archive.forget_batch_changes(batch=batch)
    kept = len(created) - len(gone)
    return Undone(*taken.counts, put_away, settled, kept, given_back.members, given_back.kept, len(openings))


def _refuse_if_changed_later(merchant: Merchant, batch: ImportBatch) -> None:
    later = queries.changed_after(merchant, batch.pk)
    if not later.orders:
        return
    numbers = ", ".join(later.examples)
    if later.batch_ids:
        named = ", ".join(str(b) for b in later.batch_ids)
        todo = f"Undo the later import {named} first."
    else:
        todo = "They were changed one by one since (till, API), so this import can no longer be undone as a whole."
    raise UndoRefused(
        "changed_later",
        f"{later.orders} orders of import {batch.pk} were changed after it ({numbers} …). {todo}",
        batch=batch.pk,
        orders=later.orders,
        later=" ".join(str(b) for b in later.batch_ids),
    )


def _refuse_if_spent(merchant: Merchant, made: Sequence[tuple[int, str]], changed: Sequence[tuple[int, str]]) -> None:
    spent: dict[str, int] = {}
    for part in _parts([key for _, key in (*made, *changed)]):
        spent.update(spent_from(merchant, part))
        if spent:
            break
    if spent:
        key = min(spent)
        raise UndoRefused(
            "points_spent",
            f"Points earned by orders of this import are spent or held already (for example {spent[key]} points of "
            f"{key}). Give those points back first, then undo the import.",
            key=key,
            points=sum(spent.values()),
        )


def _refuse_if_openings_spent(merchant: Merchant, openings: Sequence[opening.Opening]) -> None:
    if spent := opening.spent(merchant, openings):
        raise _openings_spent(spent)


def _openings_spent(points: int) -> UndoRefused:
    return UndoRefused(
        "opening_spent",
        f"Balances that this import took over ({points:,} points) are spent or held already. Give those points back first, "
        "then undo the import.",
        points=points,
    )


# Lines that an import itself writes; anything else on the timeline shows that somebody has dealt with the member since.
_OWN_KINDS = ("joined", "woken", "coupon.used", "undone", "import.undone", "referral.bound")


def _still_needed(merchant: Merchant, member_ids: set[int]) -> set[int]:
    """Members who have orders of other origin, or whom people or campaigns have dealt with."""
    needed = queries.members_with_orders(merchant, member_ids)
    for part in _parts(sorted(member_ids - needed)):
        lines = TimelineLine.objects.filter(merchant=merchant, member_id__in=part).exclude(kind__in=_OWN_KINDS)
        lines = lines.exclude(kind__startswith="order.").exclude(kind__startswith="tier.")
        lines = lines.exclude(kind__startswith="points.")
        needed |= set(lines.values_list("member_id", flat=True).distinct())
    return needed


def _parts(items: Iterable[T]) -> list[list[T]]:
    items = list(items)
    return [items[i : i + PART] for i in range(0, len(items), PART)]
