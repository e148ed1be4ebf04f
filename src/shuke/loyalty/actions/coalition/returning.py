"""Giving back what was spent across merchants: to the lots it came from, in whoever's books they are."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.coalition.charging import Posting, flows
from shuke.engine.ledger import events as ev
from shuke.kit.money import allocate
from shuke.loyalty.actions.asking import Answer, check_asked
from shuke.loyalty.actions.coalition.movements import Moved, of_flows, used_of, write
from shuke.loyalty.actions.coalition.spending import hash_of, known, plain
from shuke.loyalty.actions.posting import Batch, Request
from shuke.loyalty.actions.settling import lock_heads, refold
from shuke.loyalty.models import Coalition, CoalitionLink, CoalitionMovement, RequestOwner, Txn
from shuke.loyalty.queries import charters, facts
from shuke.loyalty.queries import coalition as stored
from shuke.members.actions import Note, note
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant


class Back(NamedTuple):
    """What goes back into one account."""

    merchant: Merchant
    member: int
    event: ev.PooledBack | ev.PooledReturned
    request: Request
    points: int


def give_back(
    *, merchant: Merchant, key: str, of: str, amount: int, member_id: int | None = None, now: datetime, actor: str
) -> Answer:
    """Give back `amount` points of the spend whose key was `of`; of several accounts in proportion to what each gave. What has
    expired meanwhile gets the grace of its own merchant's charter. `member_id`: whose spend it has to be. Raises KeyReused, NotAsked; the
    same key again gives the first answer.
    """
    check_asked(key)
    payload = hash_of("pool_returned", 0, amount, of)
    with transaction.atomic():
        spent = Txn.objects.filter(merchant=merchant, key=of, kind="pool_spent").first()
        if spent is None or spent.outcome is None:
            return known(merchant, key, payload) or Answer(key, False, "no_such_spend", {"amount": amount})
        told = spent.outcome["request"]
        accounts = _accounts(merchant, spent, told)
        if member_id is not None and accounts[merchant.pk][1] not in (
            member_id,
            *survivors_of(merchant.pk, [member_id]).values(),
        ):
            return Answer(key, False, "no_such_spend", {"amount": amount})
        heads = {(m.pk, member): lock_heads(m, [member])[member] for _, (m, member) in sorted(accounts.items())}
        if (before := known(merchant, key, payload)) is not None:
            return before
        own_left, left = _left(merchant, spent, told)
        home, who = accounts[merchant.pk]
        if amount <= 0 or amount > own_left + sum(left):
            code = "not_positive" if amount <= 0 else "more_than_burnt"
            answer = Answer(key, False, code, {"amount": amount, "left": own_left + sum(left)})
            batch = Batch(merchant, now=now, actor=actor)
            request = Request(key, payload, plain(answer, {"amount": amount, "burn": spent.event}))
            batch.refuse(heads[home.pk, who], request, now)
            batch.write()
            return answer
        own, *parts = allocate(amount, [own_left, *left])
        at = max([now, *(head.settled_to for head in heads.values() if head.settled_to is not None)])
        answer = Answer(key, True, "", {"amount": amount, "own": own})
        for back in _backs(merchant, accounts, told, spent.event, own, parts, at, key, payload, answer):
            _book(back, spent, now, actor)
        return answer


def _accounts(merchant: Merchant, spent: Txn, told: dict[str, Any]) -> dict[int, tuple[Merchant, int]]:
    """Who holds each part of the spend now, by merchant. Facts follow a merge."""
    mine = RequestOwner.objects.filter(merchant=merchant, txn=spent).values_list("member_id", flat=True).first()
    assert spent.member_id is not None
    found = {merchant.pk: (merchant, mine or spent.member_id)}
    for pk, member, event, _ in told["sources"]:
        there = Merchant.objects.get(pk=pk)
        owner = RequestOwner.objects.filter(merchant=there, txn__event=event, txn__kind="pool_out").values_list(
            "member_id", flat=True
        )
        found[pk] = (there, owner.first() or member)
    return found


def _left(merchant: Merchant, spent: Txn, told: dict[str, Any]) -> tuple[int, list[int]]:
    assert spent.member_id is not None
    own, parts = told["own"], [p[0] for p in told["parcels"]]
    for outcome in Txn.objects.filter(merchant=merchant, member_id=spent.member_id, kind="pool_returned").values_list("outcome", flat=True):  # fmt: skip
        request = outcome["request"] if outcome else {}
        if request.get("burn") == spent.event:
            own -= request["own"]
            parts = [left - back for left, back in zip(parts, request["parts"], strict=True)]
    return own, parts


def _backs(
    merchant: Merchant,
    accounts: dict[int, tuple[Merchant, int]],
    told: dict[str, Any],
    spent: str,
    own: int,
    parts: list[int],
    at: datetime,
    key: str,
    payload: bytes,
    answer: Answer,
) -> list[Back]:
    home, who = accounts[merchant.pk]
    place = facts.next_at(home, who, at)
    request = {"amount": answer.figures["amount"], "burn": spent, "own": own, "parts": parts, "nth": place}
    event = ev.PooledReturned(f"return:pool:{key}", at, spent, own, tuple(parts), place)
    found = [Back(home, who, event, Request(key, payload, plain(answer, request)), own)]
    first = 0
    for pk, _, out, count in told["sources"]:
        points = sum(parts[first : first + count])
        first += count
        if not points:
            continue
        there, member = accounts[pk]
        place = facts.next_at(there, member, at)
        request = {"amount": points, "burn": out, "nth": place}
        back = ev.PooledBack(f"return:pool:{home.pk}:{key}", at, out, points, place)
        found.append(
            Back(there, member, back, Request(f"pool:{home.pk}:{key}", payload, plain(answer, request)), points)
        )  # fmt: skip
    return found


def _book(back: Back, spent: Txn, now: datetime, actor: str) -> None:
    """Fold the account anew with the return in it, and write what that means for the pool."""
    merchant, member, event = back.merchant, back.member, back.event
    heads = lock_heads(merchant, [member])
    batch = Batch(merchant, now=now, actor=actor)
    fold = refold(
        batch,
        charters.versions(merchant),
        heads,
        [member],
        extra={member: [event]},
        requests={event.event: back.request},
    )[member]
    effect = next(e for e in fold.effects if e.event == event.event)
    txn = next(row[0] for row in batch.txns if row[5] == event.event)
    batch.write()
    coalition, number, linked_at = _place(merchant, member, spent)
    legs = effect.legs
    posting = Posting(
        event.at,
        legs.get("member", 0),
        legs.get("spent", 0),
        legs.get("settlement", 0),
        used_of(effect, fold.books.lots),
    )
    told = flows(posting, linked_at=linked_at or event.at, of_pool=True)
    moved: list[Moved] = []
    if linked_at is not None:
        moved += of_flows(told, merchant=merchant.pk, member=member, number=number, at=event.at, txn=txn)
    elif back.points:  # the account is in the coalition no more: what comes back is its own, and was paid for
        moved.append(
            Moved(merchant.pk, member, number, "withdrawn", back.points, event.at, txn=txn)
        )  # fmt: skip
    if isinstance(event, ev.PooledBack):
        moved.append(
            Moved(merchant.pk, member, number, "used", -back.points, event.at, spent.merchant_id, txn)
        )  # fmt: skip
        body = {"points": back.points, "at": spent.merchant.name}
        note(merchant=merchant, lines=[Note(member, event.at, "points.came_back", event.event[:120], body)], now=now)
    else:
        moved += _redeemed(event, spent, member, number, txn)
    write(coalition, stored.agreed(coalition), moved, now)


def _redeemed(event: ev.PooledReturned, spent: Txn, member: int, number: str, txn: int) -> list[Moved]:
    """The till owes what it was paid: the price of the spend, whatever holds now."""
    price = CoalitionMovement.objects.filter(txn=spent, kind="redeemed").values_list("price_micro", flat=True)[0]
    assert spent.outcome is not None
    by_issuer: dict[int, int] = defaultdict(int)
    by_issuer[spent.merchant_id] += event.own
    first = 0
    for pk, _, _, count in spent.outcome["request"]["sources"]:
        by_issuer[pk] += sum(event.parcels[first : first + count])
        first += count
    return [
        Moved(spent.merchant_id, member, number, "redeemed", -n, event.at, issuer, txn, price_micro=price)
        for issuer, n in sorted(by_issuer.items())
        if n
    ]


def _place(merchant: Merchant, member: int, spent: Txn) -> tuple[Coalition, str, datetime | None]:
    """The coalition the spend was in, the account's number, and since when it is linked (None: it is not)."""
    moved = CoalitionMovement.objects.filter(txn=spent).select_related("coalition__merchant")[0]
    mine = CoalitionLink.objects.filter(
        merchant=merchant, member_id=member, coalition=moved.coalition, ended_at__isnull=True
    ).first()
    return moved.coalition, moved.number, mine.linked_at if mine else None
