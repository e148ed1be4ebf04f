"""Earn here, burn there: one spend at a till, from all accounts one person has with the partners.

What leaves another merchant's books is fixed at that moment (as with points handed on): a refund learnt of there later is that
merchant's affair. Locks go in one order for everybody: merchant, then member.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.engine.charter.terms import Versions
from shuke.engine.coalition.drawing import draw
from shuke.engine.coalition.prices import Prices, prices_at
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Lot
from shuke.engine.ledger.fold import Fold
from shuke.loyalty.actions.asking import Answer, KeyReused, check_asked
from shuke.loyalty.actions.coalition.linking import follow_merges
from shuke.loyalty.actions.coalition.movements import Moved, write
from shuke.loyalty.actions.coalition.refusals import CoalitionRefused
from shuke.loyalty.actions.posting import Batch, Request
from shuke.loyalty.actions.settling import lock_heads, post_forward, refold
from shuke.loyalty.models import Coalition, CoalitionLink, CoalitionPartner
from shuke.loyalty.queries import books, charters, facts
from shuke.loyalty.queries import coalition as stored
from shuke.members.actions import Note, note
from shuke.members.models import Member
from shuke.shops.models import Merchant


def hash_of(kind: str, member: int, amount: int, ref: str) -> bytes:
    return hashlib.blake2b(json.dumps([kind, member, amount, ref]).encode(), digest_size=16).digest()


def known(merchant: Merchant, key: str, payload: bytes) -> Answer | None:
    """What was answered to this key before. Raises KeyReused."""
    before = facts.known_requests(merchant, [key]).get(key)
    if before is None:
        return None
    if before.payload != payload:
        raise KeyReused(key)
    return Answer(key, before.answer["done"], before.answer["code"], before.answer["figures"], True)


def plain(answer: Answer, request: dict[str, Any]) -> dict[str, Any]:
    return {"request": request, "answer": {"done": answer.done, "code": answer.code, "figures": answer.figures}}


@dataclass(slots=True)
class Account:
    """One of a person's accounts, locked, with the clock brought to the moment of the spend."""

    merchant: Merchant
    link: CoalitionLink
    head: books.Head
    versions: Versions
    opened: books.Stored | None = None
    fold: Fold | None = None
    nth: int = 0

    def lots(self, at: datetime) -> list[Lot]:
        assert self.fold is not None
        return self.fold.books.spendable(at)


def spend(*, merchant: Merchant, key: str, member_id: int, amount: int, now: datetime, actor: str) -> Answer:
    """Spend `amount` points at this merchant's till, oldest expiry first over all accounts of the person. Raises
    CoalitionRefused where there is nobody to ask (no coalition, not linked), KeyReused, NotAsked. The same key again gives the first
    answer; a refusal is remembered. Effects: all accounts locked; one posting in each of the books; movements; notes.
    """
    check_asked(key)
    with transaction.atomic():
        member_id = _heir(merchant, member_id)
        payload = hash_of("pool_spent", member_id, amount, "")
        found = _link(merchant, member_id, now, actor)
        if found is None:
            if (told := known(merchant, key, payload)) is not None:
                return told
            raise CoalitionRefused("not_linked" if stored.partner_of(merchant, now) else "no_coalition", merchant=merchant.name)  # fmt: skip
        coalition = found.coalition
        seats = {p.merchant_id: p for p in stored.partners(coalition) if stored.takes_part(p, now)}
        accounts = _lock(coalition, found.number, seats, now, actor)
        if (told := known(merchant, key, payload)) is not None:
            return told
        if merchant.pk not in seats:
            raise CoalitionRefused("no_coalition", merchant=merchant.name)
        if merchant.pk not in accounts or accounts[merchant.pk].link.member_id != member_id:
            raise CoalitionRefused("not_linked")
        return _spend(coalition, accounts, seats, merchant, key, payload, amount, now, actor)


def _heir(merchant: Merchant, member_id: int) -> int:
    """Somebody merged spends as who they are now."""
    told = Member.objects.filter(merchant=merchant, pk=member_id).values_list("merged_into_id", flat=True).first()
    return member_id if told is None else _heir(merchant, told)


def _link(merchant: Merchant, member_id: int, now: datetime, actor: str) -> CoalitionLink | None:
    found = stored.link_of(merchant, member_id)
    if found is None and Member.objects.filter(merchant=merchant, merged_into_id=member_id).exists():
        seat = stored.partner_of(merchant, now)
        if seat is not None and follow_merges(coalition=seat.coalition, merchant=merchant, now=now, actor=actor):
            found = stored.link_of(merchant, member_id)
    return found


def _lock(
    coalition: Coalition, number: str, seats: dict[int, CoalitionPartner], now: datetime, actor: str
) -> dict[int, Account]:
    """The person's accounts, wallets locked merchant by merchant; links that ended while we waited are left out."""
    wanted = stored.accounts(coalition, number, seats)
    heads = {one.pk: lock_heads(one.merchant, [one.member_id])[one.member_id] for one in wanted}
    still = {one.pk for one in stored.accounts(coalition, number, seats)}
    found = {}
    for one in wanted:
        if one.pk not in still or heads[one.pk].heir is not None:
            continue
        try:
            versions = charters.versions(one.merchant)
        except charters.NoCharter:
            continue  # no charter: no points
        head = settled(one.merchant, versions, heads[one.pk], now, actor)
        found[one.merchant_id] = Account(one.merchant, one, head, versions)
    return found


def settled(merchant: Merchant, versions: Versions, head: books.Head, now: datetime, actor: str) -> books.Head:
    if head.is_settled:
        return head
    batch = Batch(merchant, now=now, actor=actor)
    refold(batch, versions, {head.member_id: head}, [head.member_id])
    batch.write()
    return books.heads(merchant, [head.member_id], lock=True)[head.member_id]


def _spend(
    coalition: Coalition,
    accounts: dict[int, Account],
    seats: dict[int, CoalitionPartner],
    merchant: Merchant,
    key: str,
    payload: bytes,
    amount: int,
    now: datetime,
    actor: str,
) -> Answer:
    at = max([now, *(a.head.settled_to for a in accounts.values() if a.head.settled_to is not None)])
    for account in accounts.values():
        _open(account, at)
    home = accounts[merchant.pk]
    agreed = stored.agreed(coalition)
    usable = {
        pk: a.lots(at)
        for pk, a in accounts.items()
        if not a.head.is_frozen and (pk == merchant.pk or not stored.over_limit(seats[pk], prices_at(agreed[pk], at)))
    }
    available = sum(lot.free for lots in usable.values() for lot in lots)
    terms = prices_at(agreed[merchant.pk], at)
    code, figures = _why_not(home, terms, amount, available, at)
    parts = None if code else draw(usable, amount, merchant.pk)
    if parts is None:
        answer = Answer(key, False, code or "not_enough", {"amount": amount, "available": available, **figures})
        batch = Batch(merchant, now=now, actor=actor)
        batch.refuse(home.head, Request(key, payload, plain(answer, {"amount": amount})), at)
        batch.write()
        return answer
    own = parts.get(merchant.pk, 0)
    answer = Answer(key, True, "", {"amount": amount, "own": own, "available": available - amount})
    moved: list[Moved] = []
    parcels: list[ev.Parcel] = []
    sources: list[list[Any]] = []
    for pk, part in sorted(parts.items()):
        if pk == merchant.pk:
            continue
        account = accounts[pk]
        event = ev.PooledOut(f"handed:pool:{merchant.pk}:{key}", at, part, account.nth)
        given = _parcels(account, event)
        parcels += given
        sources.append([pk, account.head.member_id, event.event, len(given)])
        request = {"amount": part, "to": merchant.pk, "nth": account.nth}
        out = Request(f"pool:{merchant.pk}:{key}", payload, plain(answer, request))
        txn = _post(account, event.event, out, now, actor)
        moved.append(
            Moved(pk, account.head.member_id, account.link.number, "used", part, at, merchant.pk, txn)
        )  # fmt: skip
        body = {"points": part, "at": merchant.name}
        note(
            merchant=account.merchant,
            lines=[Note(account.head.member_id, at, "points.used_elsewhere", event.event[:120], body)],
            now=now,
        )
    spent = ev.PooledSpent(f"taken:pool:{key}", at, own, tuple(parcels), home.nth)
    assert home.fold is not None
    home.fold.run([spent])
    told: dict[str, Any] = {
        "amount": amount,
        "own": own,
        "parcels": [facts.plain_parcel(p) for p in parcels],
        "sources": sources,
        "nth": home.nth,
    }
    txn = _post(home, spent.event, Request(key, payload, plain(answer, told)), now, actor)
    moved += [
        Moved(merchant.pk, home.head.member_id, home.link.number, "redeemed", part, at, pk, txn)
        for pk, part in sorted(parts.items())
    ]
    write(coalition, agreed, moved, now)
    return answer


def _open(account: Account, at: datetime) -> None:
    """The books with the clock at the moment of the spend. Nothing of it is booked yet."""
    head, merchant = account.head, account.merchant
    account.nth = facts.next_at(merchant, head.member_id, at) if head.settled_to == at else 0
    account.opened = books.open_books(merchant, account.versions, [head], with_lots={head.member_id})[head.member_id]
    fold = account.fold = Fold(account.versions, account.opened.books, birthdays=head.birthdays)
    fold.last_at = head.settled_to
    fold.advance(at)


def _why_not(home: Account, terms: Prices, amount: int, available: int, at: datetime) -> tuple[str, dict[str, int]]:
    if amount <= 0:
        return "not_positive", {}
    if home.head.is_frozen:
        return "frozen", {}
    if amount > available:
        return "not_enough", {}
    if terms.spend_most_per_day is not None:
        here = home.versions.at(at)
        given = stored.spent_since(home.merchant, home.head.member_id, here.start(here.day(at)))
        if given + amount > terms.spend_most_per_day:
            return "too_much_pooled", {"most": terms.spend_most_per_day, "given": given}
    return "", {}


def _parcels(account: Account, event: ev.PooledOut) -> Sequence[ev.Parcel]:
    assert account.fold is not None
    account.fold.run([event])
    effect = next(e for e in reversed(account.fold.effects) if e.event == event.event)
    lots = account.fold.books.lots
    return [
        ev.Parcel(n, lots[key].earned_at, lots[key].expires_at, lots[key].cost_micro, account.merchant.pk)
        for key, kind, n in effect.uses
        if kind == "transfer"
    ]


def _post(account: Account, event: str, request: Request, now: datetime, actor: str) -> int:
    assert account.opened is not None
    assert account.fold is not None
    batch = Batch(account.merchant, now=now, actor=actor)
    post_forward(batch, account.head, account.opened, account.fold, {event: request})
    txn = next(row[0] for row in batch.txns if row[5] == event)
    batch.write()
    return txn
