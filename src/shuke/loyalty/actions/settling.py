"""Settling orders: the books of every touched member become what the fold of their events says.

Two ways, one result (docs/algorithms/ledger.md): purchases later than anything in a member's books are folded onto the
stored standing; anything else (a late order, a refund, a changed or vanished order) folds the whole history and posts the
difference per event.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import FAR, Books, Effect, Held, Lot
from shuke.engine.ledger.fold import Fold, replay
from shuke.kit import bulk
from shuke.loyalty.actions.posting import Batch, Request, Sheet, compact
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.shops.models import Merchant


@dataclass(slots=True)
class Settled:
    """What settling did: members touched, postings written, members whose whole history was folded anew."""

    members: int = 0
    postings: int = 0
    refolded: int = 0


@transaction.atomic(savepoint=False)
def settle(
    *,
    merchant: Merchant,
    order_ids: Sequence[int],
    now: datetime,
    actor: str,
    also_members: Iterable[int] = (),
) -> Settled:
    """Bring the books in line with some new, changed or vanished orders.

    `also_members`: members who lost an order (moved to somebody else, import undone), of whose orders one changed (it may
    count from a later time than any booked, and would be taken for a new one), or of whom something is newly known
    that earning depends on (birthday, joining day, category of what they bought). Without a charter in force nothing
    is done: the first publication settles the history. Effects, in order: wallets locked, orders read, events folded,
    postings, lots, tier changes and timeline lines written.
    """
    try:
        versions = charters.versions(merchant)
    except charters.NoCharter:
        return Settled()
    bought = facts.bought(merchant, versions, order_ids=order_ids)
    new = bought.events
    again = set(also_members) | _owners(merchant, set(order_ids) - bought.order_ids)
    members = sorted(set(new) | again)
    if not members:
        return Settled()
    heads = lock_heads(merchant, members)

    forward: dict[int, list[ev.Event]] = {}
    for member in members:
        told = new.get(member, [])
        head = heads[member]
        if member in again or head.has_new_birthday or not _only_forward(told, head):
            again.add(member)
        else:
            forward[member] = sorted(told, key=ev.order_of)

    batch = Batch(merchant, now=now, actor=actor)
    if forward:
        _go_forward(batch, versions, heads, forward)
    if again:
        refold(batch, versions, heads, sorted(again))
    batch.write()
    return Settled(len(members), len(batch.txns), len(again))


def settle_paid(*, merchant: Merchant, member_id: int, now: datetime, actor: str) -> None:
    """A till told how an order was paid (coupons, points, stored value). Only some charters count by that."""
    try:
        if not charters.versions(merchant).needs_parts:
            return
    except charters.NoCharter:
        return
    settle(merchant=merchant, order_ids=[], also_members=[member_id], now=now, actor=actor)


def _owners(merchant: Merchant, order_ids: set[int]) -> set[int]:
    """Members of orders that count for nothing (any more): their books may still hold what those once earned."""
    if not order_ids:
        return set()
    where, values = bulk.among("id", order_ids)
    rows = bulk.select(
        f"SELECT DISTINCT member_id FROM orders_order WHERE +merchant_id = %s AND member_id IS NOT NULL AND {where}",
        [merchant.pk, values],
    )
    heads = stored.heads(merchant, [m for (m,) in rows])
    return {m for m, head in heads.items() if head.settled_to is not None}


def _only_forward(told: list[ev.Event], head: stored.Head) -> bool:
    if not head.is_settled or head.settled_to is None:
        return False  # never settled: there may be older orders than those told
    return all(type(e) is ev.Purchase and e.at > head.settled_to for e in told)


def lock_heads(merchant: Merchant, members: Sequence[int]) -> dict[int, stored.Head]:
    """Wallets of all members, made where missing, locked in id order. An absent row cannot be locked."""
    make_missing_wallets(merchant, members)
    return complete_heads(merchant, members, stored.heads(merchant, members, lock=True))


class OtherWallets(Exception):
    """Some of these members live on in others, whose wallets have to be locked with theirs: all in one order, so first
    what was locked is let go."""

    def __init__(self, members: set[int]) -> None:
        self.members = members


def lock_living(merchant: Merchant, members: Iterable[int]) -> tuple[dict[int, stored.Head], dict[int, int]]:
    """Wallets of these members and of those they live on in, locked; and who lives on in whom."""
    wanted = set(members)
    while True:
        try:
            with transaction.atomic():
                heads = lock_heads(merchant, sorted(wanted))
                return heads, heirs_among(heads)
        except OtherWallets as other:
            wanted |= other.members


def heirs_among(heads: dict[int, stored.Head]) -> dict[int, int]:
    """Who lives on in whom. Raises OtherWallets."""
    heirs = {member: head.heir for member, head in heads.items() if head.heir is not None}
    if beyond := set(heirs.values()) - heads.keys():
        raise OtherWallets(beyond)
    return heirs


def make_missing_wallets(merchant: Merchant, members: Sequence[int]) -> None:
    """Before several are locked: whoever made one while holding others would hold them out of order, and two such callers
    could wait for each other. A single wallet has no order, and on SQLite the transaction itself is the lock."""
    if len(members) < 2 or not bulk.is_postgres():
        return
    where, values = bulk.among("member_id", members)
    known = bulk.select(
        f"SELECT member_id FROM loyalty_wallet WHERE merchant_id = %s AND {where}", [merchant.pk, values]
    )
    if missing := set(members) - {m for (m,) in known}:
        _make(merchant, sorted(missing))


def complete_heads(merchant: Merchant, members: Sequence[int], found: dict[int, stored.Head]) -> dict[int, stored.Head]:
    missing = [m for m in members if m not in found]
    if not missing:
        return found
    _make(merchant, missing)
    # Somebody else may have made and locked one meanwhile; the others are ours already.
    return found | stored.heads(merchant, missing, lock=True)


def _make(merchant: Merchant, members: Sequence[int]) -> None:
    bulk.insert_new(
        "loyalty_wallet",
        ("member_id", "merchant_id", "balance", "held", "debt", "seq", "tier", "growth", "birthdays", "standing"),
        [(m, merchant.pk, 0, 0, 0, 0, "", 0, "[]", "{}") for m in members],
    )


def _go_forward(
    batch: Batch,
    versions: Versions,
    heads: dict[int, stored.Head],
    forward: dict[int, list[ev.Event]],
) -> None:
    """New purchases on top of the stored books. Old lots are read only where one of them expires on the way."""
    with_lots = {
        m
        for m, told in forward.items()
        if versions.rolling_expiry or (heads[m].next_expiry_at or FAR) <= told[-1].at or heads[m].held
    }
    opened = stored.open_books(batch.merchant, versions, [heads[m] for m in forward], with_lots=with_lots)
    purse = batch.budgets(versions, forward, [e.event for told in forward.values() for e in told])
    for member, told in forward.items():
        if purse is not None:
            purse.member = member
        fold = Fold(versions, opened[member].books, birthdays=heads[member].birthdays, purse=purse)
        fold.run(told)
        post_forward(batch, heads[member], opened[member], fold)


def post_forward(
    batch: Batch,
    head: stored.Head,
    opened: stored.Stored,
    fold: Fold,
    requests: dict[str, Request] | None = None,
) -> None:
    """Book the effects of a fold that went on from the stored books."""
    sheet = Sheet.of(head)
    sheet.lot_ids = {key: pk for key, (pk, _) in opened.lot_rows.items()}
    for effect in fold.effects:
        batch.post(sheet, effect, request=(requests or {}).get(effect.event))
        batch.expired(head.member_id, effect)
        if effect.kind == "timeout":  # booked now, so never once more; what books nothing closes no hold
            close_hold(batch.merchant, effect.event.partition(":")[2], "timed_out", effect.at)
    for key, (pk, before) in opened.lot_rows.items():
        lot = fold.books.lots[key]
        if stored.figures_of(lot) != before:
            batch.change_lot(pk, lot)
    for move in fold.moves:
        batch.move(head.member_id, move)
    for notice in fold.notices:
        batch.at_risk(head.member_id, notice, after=None)
    batch.close(sheet, fold, held=fold.books.held() if fold.books.complete else head.held)


def refold(
    batch: Batch,
    versions: Versions,
    heads: dict[int, stored.Head],
    members: Sequence[int],
    *,
    extra: dict[int, list[ev.Event]] | None = None,
    requests: dict[str, Request] | None = None,
) -> dict[int, Fold]:
    """Fold whole histories and post what differs from the books, event by event. The folds, by member."""
    merchant = batch.merchant
    bought = facts.bought(merchant, versions, member_ids=members).events
    asked = facts.requests(merchant, members)
    booked = _Booked(merchant, [m for m in members if heads[m].seq or heads[m].is_settled])
    folds: dict[int, Fold] = {}
    events = {m: bought.get(m, []) + asked.get(m, []) + (extra or {}).get(m, []) for m in members}
    purse = batch.budgets(versions, members, [e.event for told in events.values() for e in told])
    for member in members:
        head = heads[member] = heads[member].told_birthday(batch.now)
        told = events[member]
        if purse is not None:
            purse.member = member
        fold = folds[member] = replay(
            versions, told, joined_at=head.joined_at, birthdays=head.birthdays, until=head.settled_to, purse=purse
        )
        if purse is not None:
            purse.forget(member)
        _post_difference(batch, head, fold, booked, requests or {})
    return folds


class _Booked:
    """What is in the books of some members: legs and uses per event, revisions, lots, holds and tier history."""

    def __init__(self, merchant: Merchant, members: Sequence[int]) -> None:
        self.legs: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self.uses: dict[int, dict[str, dict[tuple[str, str], int]]] = defaultdict(lambda: defaultdict(dict))
        self.revisions: dict[int, dict[str, int]] = defaultdict(dict)
        self.growth: dict[int, dict[str, int]] = defaultdict(dict)
        self.why: dict[int, dict[str, str]] = defaultdict(dict)  # as the last posting of the event tells it
        self.lots: dict[int, dict[str, tuple[int, Lot]]] = defaultdict(dict)
        self.moves: dict[int, list[tuple]] = defaultdict(list)
        self.holds: dict[int, list[Held]] = defaultdict(list)
        if not members:
            return
        where, values = bulk.among("t.member_id", members)
        # CROSS JOIN makes SQLite start from the members' own postings; it would rather read every leg of the merchant.
        for member, event, growth, why in bulk.select(
            "SELECT t.member_id, t.event, t.growth, t.why FROM loyalty_txn t "
            f"WHERE t.merchant_id = %s AND {where} AND t.kind <> 'refused' ORDER BY t.id",
            [merchant.pk, values],
        ):
            revisions, grown = self.revisions[member], self.growth[member]
            revisions[event] = revisions.get(event, 0) + 1
            grown[event] = grown.get(event, 0) + (growth or 0)
            self.why[member][event] = why
        for member, event, account, amount in bulk.select(
            "SELECT t.member_id, t.event, e.account, CAST(SUM(e.amount) AS BIGINT) FROM loyalty_txn t "
            "CROSS JOIN loyalty_entry e WHERE e.txn_id = t.id AND e.merchant_id = t.merchant_id "
            f"AND t.merchant_id = %s AND {where} GROUP BY t.member_id, t.event, e.account",
            [merchant.pk, values],
        ):
            if amount:
                self.legs[member][event][account] = amount
        for member, event, lot, kind, amount in bulk.select(
            "SELECT t.member_id, t.event, l.key, u.kind, CAST(SUM(u.amount) AS BIGINT) FROM loyalty_txn t "
            "CROSS JOIN loyalty_use u CROSS JOIN loyalty_lot l "
            "WHERE u.txn_id = t.id AND u.merchant_id = t.merchant_id AND l.id = u.lot_id "
            f"AND t.merchant_id = %s AND {where} GROUP BY t.member_id, t.event, l.key, u.kind",
            [merchant.pk, values],
        ):
            if amount:
                self.uses[member][event][lot, kind] = amount
        for member, pk, found in stored.lots(merchant, members, only_open=False):
            self.lots[member][found.key] = (pk, found)
        where, values = bulk.among("member_id", members)
        for member, pk, at, before, after, cause in bulk.select(
            "SELECT member_id, id, at, before, after, cause FROM loyalty_tier_change "
            f"WHERE merchant_id = %s AND superseded_at IS NULL AND {where}",
            [merchant.pk, values],
        ):
            self.moves[member].append((pk, (bulk.read_moment(at), before, after, cause)))
        for member, held in stored.holds(merchant, members):
            self.holds[member].append(held)


def _post_difference(
    batch: Batch, head: stored.Head, fold: Fold, booked: _Booked, requests: dict[str, Request]
) -> None:
    member = head.member_id
    sheet = Sheet.of(head)
    lot_rows = booked.lots[member]
    sheet.lot_ids = {key: pk for key, (pk, _) in lot_rows.items()}
    legs, uses, revisions = booked.legs[member], booked.uses[member], booked.revisions[member]
    grown = booked.growth[member]
    wanted: set[str] = set()
    for effect in fold.effects:
        wanted.add(effect.event)
        n = revisions.get(effect.event, 0)
        new_lots = [lot for lot in effect.lots if lot.key not in lot_rows]
        if not n:
            effect.lots = new_lots
            batch.post(sheet, effect, request=requests.get(effect.event))
            batch.expired(member, effect)
            continue
        change = _difference(effect, legs.get(effect.event, {}), uses.get(effect.event, {}), grown.get(effect.event, 0))
        if change is not None or new_lots or not _tells(booked.why[member][effect.event], effect):
            change = change or Effect(effect.event, "correct", effect.at, effect.version)
            change.lots = new_lots
            change.why = effect.why
            batch.post(sheet, change, revision=n + 1, kind="correct")
    gone_at = fold.last_at or batch.now
    for event, n in revisions.items():
        if event not in wanted and (legs.get(event) or uses.get(event) or grown.get(event)):
            gone = Effect(event, "correct", gone_at, 0)
            gone.why = [{"rule": "taken_back"}] if event in fold.undone else []
            change = _difference(gone, legs.get(event, {}), uses.get(event, {}), grown.get(event, 0))
            if change is not None:
                change.why = gone.why
                batch.post(sheet, change, revision=n + 1, kind="correct")
    for key, (pk, lot) in lot_rows.items():
        target = fold.books.lots.get(key)
        if target is None:  # its event is gone: nothing was granted
            target = Lot(key, 0, 0, lot.earned_at, lot.available_at, lot.expires_at, lot.cost_micro)
        if stored.figures_of(target) != stored.figures_of(lot):
            batch.change_lot(pk, target)
    _replace_history(batch, member, fold, booked.moves[member])
    for notice in fold.notices:
        batch.at_risk(member, notice, after=head.settled_to)
    batch.close(sheet, fold, held=fold.books.held())
    _mend_holds(batch, booked.holds[member], fold.books)


def _difference(effect: Effect, legs: dict[str, int], uses: dict[tuple[str, str], int], growth: int) -> Effect | None:
    """What is still to be booked for an event; None if the books say the same already."""
    change = Effect(effect.event, effect.kind, effect.at, effect.version)
    change.growth, change.growth_expires_at = effect.growth - growth, effect.growth_expires_at
    for account in {*effect.legs, *legs}:
        change.move(account, effect.legs.get(account, 0) - legs.get(account, 0))
    target: dict[tuple[str, str], int] = defaultdict(int)
    for key, kind, amount in effect.uses:
        target[key, kind] += amount
    for what in sorted({*target, *uses}):
        amount = target.get(what, 0) - uses.get(what, 0)
        if amount:
            change.uses.append((*what, amount))
    return change if change.legs or change.uses or change.growth else None


def _tells(why: str, effect: Effect) -> bool:
    """Do the books say why as the fold does now? A late fact can change the reason and leave the points as they are."""
    said = compact(effect.why)
    return why == said or json.loads(why) == json.loads(said)


def _replace_history(batch: Batch, member: int, fold: Fold, stored_moves: list[tuple]) -> None:
    """Tier changes that a late fact made untrue are marked; the true ones are added."""
    have = {what: pk for pk, what in stored_moves}
    for move in fold.moves:
        what = (move.at, move.before, move.after, move.cause)
        if have.pop(what, None) is None:
            batch.move(member, move)
    if have:
        at = bulk.moment()
        bulk.update("loyalty_tier_change", ("superseded_at",), [(at(batch.now), pk) for pk in have.values()])


def _mend_holds(batch: Batch, open_holds: list[Held], books: Books) -> None:
    """Open holds point at the lots the fold chose; those it timed out are closed."""
    for held in open_holds:
        still = books.holds.get(held.key)
        if still is None:
            close_hold(batch.merchant, held.key, "timed_out", held.times_out_at)
        elif still.lots != held.lots:
            bulk.execute(
                "UPDATE loyalty_hold SET lots = %s WHERE merchant_id = %s AND key = %s",
                [compact(still.lots), batch.merchant.pk, held.key],
            )


def close_hold(merchant: Merchant, key: str, state: str, at: datetime, captured: int = 0) -> None:
    bulk.execute(
        "UPDATE loyalty_hold SET state = %s, resolved_at = %s, captured = %s WHERE merchant_id = %s AND key = %s AND state = 'open'",
        [state, bulk.moment()(at), captured, merchant.pk, key],
    )
