"""Points that change hands: given to somebody, or spent from a family's pool.

What is given keeps its age, its expiry and its cost, so that nothing is won by passing points around. Which lots changed
hands is a fact fixed at that moment: what is learnt about the giver later changes the giver's books, never the receiver's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold
from shuke.loyalty.actions.asking import Answer, Ask, KeyReused, check_asked, payload_hash
from shuke.loyalty.actions.halves import is_whom_it_was_asked_of, remember_asked
from shuke.loyalty.actions.posting import Batch, Request
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.actions.settling import lock_heads, lock_living, post_forward, refold
from shuke.loyalty.models import Relative
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.members.actions import Note, note
from shuke.shops.models import Merchant


class Transfer(NamedTuple):
    """`amount` points from `giver` to `receiver` (member ids), under the caller's key."""

    key: str
    giver: int
    receiver: int
    amount: int
    reason: str = ""


def transfer(*, merchant: Merchant, transfers: Sequence[Transfer], now: datetime, actor: str) -> list[Answer]:
    """Do or refuse each transfer, in this order; answers in the order asked. All or nothing if a key was used before for
    something else (KeyReused) or cannot be kept (NotAsked). Effects: both wallets locked, both clocks advanced, two postings, a line on each timeline.
    """
    for one in transfers:
        check_asked(one.key, one.reason, amount=one.amount)
    with transaction.atomic():
        _, heirs = lock_living(merchant, {m for t in transfers for m in (t.giver, t.receiver)})
        told = []
        for one in transfers:  # merged members give and receive as who they are now
            giver, receiver = heirs.get(one.giver, one.giver), heirs.get(one.receiver, one.receiver)
            answer = _transfer(merchant, one._replace(giver=giver, receiver=receiver), now, actor)
            if not answer.replayed:
                remember_asked(merchant, heirs, [(one.giver, one.key), (one.receiver, f"{one.key}|taken")])
            told.append(answer)
        return told


def _transfer(merchant: Merchant, one: Transfer, now: datetime, actor: str) -> Answer:
    asked = Ask(one.key, "handed", one.giver, one.amount, ref=str(one.receiver), reason=one.reason)
    payload = payload_hash(asked)
    known = facts.known_requests(merchant, [one.key, f"{one.key}|taken"])
    before = known.get(one.key)
    if before is not None:
        if before.payload != payload and not _same(merchant, asked, known):
            raise KeyReused(one.key)
        return Answer(one.key, before.answer["done"], before.answer["code"], before.answer["figures"], True)
    versions = charters.versions(merchant)
    heads = _settled(merchant, versions, [one.giver, one.receiver], now, actor)
    # Both take part at one moment, which is not before anything that is in their books.
    at = max([now, *(h.settled_to for h in heads.values() if h.settled_to is not None)])
    nth = {m: facts.next_at(merchant, m, at) if head.settled_to == at else 0 for m, head in heads.items()}
    opened = stored.open_books(merchant, versions, heads.values(), with_lots=set(heads))
    batch = Batch(merchant, now=now, actor=actor)
    folds = {m: _begin(versions, head, opened[m], at) for m, head in heads.items()}
    available = folds[one.giver].books.available(at)
    code, figures = _why_not(merchant, versions.at(at), one, heads, available, at)
    answer = Answer(one.key, not code, code, {"amount": one.amount, "available": available, **figures})
    if not code:
        answer.figures["available"] = available - one.amount
        handed = ev.HandedOver(f"handed:{one.key}", at, one.amount, nth[one.giver])
        parcels = _hand_over(folds[one.giver], handed)
        folds[one.receiver].run([ev.TakenOver(f"taken:{one.key}", at, parcels, nth[one.receiver])])
        asks = {
            one.giver: Request(one.key, payload, _outcome(one, answer, {"to": one.receiver, "nth": nth[one.giver]})),
            one.receiver: Request(
                f"{one.key}|taken",
                payload,
                _outcome(
                    one,
                    answer,
                    {
                        "from": one.giver,
                        "parcels": [facts.plain_parcel(p) for p in parcels],
                        "nth": nth[one.receiver],
                    },
                ),
            ),
        }
        for member, fold in folds.items():
            way = "handed" if member == one.giver else "taken"
            post_forward(batch, heads[member], opened[member], fold, {f"{way}:{one.key}": asks[member]})
        batch.write()
        note(merchant=merchant, lines=_notes(one, at), now=now)
    else:
        # A refusal is remembered as every other is; `ask` knows how.
        _remember(batch, heads[one.giver], one, payload, answer, at)
    return answer


def _same(merchant: Merchant, asked: Ask, known: Mapping[str, facts.Known]) -> bool:
    """Was this asked before, of members who are one with these now, or were then?"""
    before, taken = known[asked.key], known.get(f"{asked.key}|taken")
    receiver = int(asked.ref) if taken is None else taken.member
    if payload_hash(asked._replace(member_id=before.member, ref=str(receiver))) != before.payload:
        return False
    pairs = [(asked.key, asked.member_id, before.member), (f"{asked.key}|taken", int(asked.ref), receiver)]
    return all(is_whom_it_was_asked_of(merchant, *pair) for pair in pairs)


def _settled(
    merchant: Merchant, versions: Versions, members: Sequence[int], now: datetime, actor: str
) -> dict[int, stored.Head]:
    heads = lock_heads(merchant, sorted(set(members)))
    behind = [m for m, head in heads.items() if not head.is_settled]
    if behind:
        batch = Batch(merchant, now=now, actor=actor)
        refold(batch, versions, heads, behind)
        batch.write()
        heads = {**heads, **stored.heads(merchant, behind, lock=True)}
    return heads


def _begin(versions: Versions, head: stored.Head, opened: stored.Stored, at: datetime) -> Fold:
    """A member's books with the clock at the moment of the transfer. Nothing of it is booked yet."""
    fold = Fold(versions, opened.books, birthdays=head.birthdays)
    fold.last_at = head.settled_to
    fold.advance(at)
    return fold


def _why_not(
    merchant: Merchant, terms: Terms, one: Transfer, heads: dict[int, stored.Head], available: int, at: datetime
) -> tuple[str, dict[str, int]]:
    points = terms.charter.points
    if one.amount <= 0:
        return "not_positive", {}
    if one.giver == one.receiver:
        return "same_member", {}
    if points.transfer == "no":
        return "no_transfers", {}
    if points.transfer == "family" and not _one_family(merchant, one.giver, one.receiver):
        return "not_family", {}
    if any(head.is_frozen for head in heads.values()):
        return "frozen", {}
    if one.amount > available:
        return "not_enough", {}
    if points.transfer_most_per_day is not None:
        given = facts.handed_since(merchant, one.giver, terms.start(terms.day(at)))
        if given + one.amount > points.transfer_most_per_day:
            return "too_much_today", {"most": points.transfer_most_per_day, "given": given}
    return "", {}


def _one_family(merchant: Merchant, *members: int) -> bool:
    found = Relative.objects.filter(merchant=merchant, member_id__in=members).values_list("family_id", flat=True)
    return len(found) == len(members) and len(set(found)) == 1


def _hand_over(fold: Fold, handed: ev.HandedOver) -> tuple[ev.Parcel, ...]:
    fold.run([handed])
    effect = next(e for e in reversed(fold.effects) if e.event == handed.event)
    lots = fold.books.lots
    return tuple(
        ev.Parcel(n, lots[key].earned_at, lots[key].expires_at, lots[key].cost_micro)
        for key, kind, n in effect.uses
        if kind == "transfer"
    )


def _outcome(one: Transfer, answer: Answer, more: dict) -> dict:
    request = {"amount": one.amount, **({"reason": one.reason} if one.reason else {}), **more}
    return {"request": request, "answer": {"done": answer.done, "code": answer.code, "figures": answer.figures}}


def _remember(batch: Batch, head: stored.Head, one: Transfer, payload: bytes, answer: Answer, at: datetime) -> None:
    batch.refuse(head, Request(one.key, payload, _outcome(one, answer, {"to": one.receiver})), at)
    batch.write()


def _notes(one: Transfer, at: datetime) -> list[Note]:
    return [
        Note(one.giver, at, "points.given", f"handed:{one.key}"[:120], {"points": one.amount, "to": str(one.receiver)}),
        Note(
            one.receiver,
            at,
            "points.received",
            f"taken:{one.key}"[:120],
            {"points": one.amount, "from": str(one.giver)},
        ),
    ]


def spend_from_family(
    *, merchant: Merchant, key: str, member_id: int, amount: int, now: datetime, actor: str
) -> Answer:
    """Spend points of a member and, where they do not reach, of the family: who joined first gives first.

    The spend has the caller's key; what each relative gives is a transfer of its own. All or nothing. The same key again
    gives the first answer. Without a family it is a spend like any other.
    """
    spend = Ask(key, "burn", member_id, amount)
    with transaction.atomic():
        pool = relatives(merchant, member_id)
        lock_heads(merchant, sorted({member_id, *pool}))
        if facts.known_requests(merchant, [key]):
            return ask(merchant=merchant, asks=[spend], now=now, actor=actor)[0]
        held = _available(merchant, [member_id, *pool], now)
        missing = amount - held[member_id]
        if 0 < missing <= sum(held[m] for m in pool):
            moves = []
            for n, giver in enumerate(pool):
                if part := min(missing, held[giver]):
                    moves.append(Transfer(f"{key}|family{n}", giver, member_id, part, reason="family"))
                    missing -= part
            _all_or_none(merchant, moves, now, actor)
        return ask(merchant=merchant, asks=[spend], now=now, actor=actor)[0]


def _all_or_none(merchant: Merchant, moves: Sequence[Transfer], now: datetime, actor: str) -> None:
    """Where one relative may not give, nobody does, and the spend is refused for want of points."""
    undo = transaction.savepoint()
    if all(answer.done for answer in transfer(merchant=merchant, transfers=moves, now=now, actor=actor)):
        transaction.savepoint_commit(undo)
    else:
        transaction.savepoint_rollback(undo)


def relatives(merchant: Merchant, member_id: int) -> list[int]:
    """The others of a member's family who can give, who joined first first."""
    own = Relative.objects.filter(merchant=merchant, member_id=member_id).values("family_id")
    found = Relative.objects.filter(merchant=merchant, family_id__in=own, member__frozen_at=None)
    found = found.exclude(member_id=member_id)
    return list(found.order_by("joined_at", "id").values_list("member_id", flat=True))


def _available(merchant: Merchant, members: Sequence[int], now: datetime) -> dict[int, int]:
    from shuke.loyalty.queries.member import balances

    return {m: told.available for m, told in balances(merchant, members, now).items()}
