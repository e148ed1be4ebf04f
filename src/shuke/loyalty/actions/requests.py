"""What callers ask of the books: spend, give back, adjust, hold, capture, release. Idempotent by the caller's key.

The key lives in the posting itself, for ever; it is compared with a hash of what was asked, and a refusal is remembered
like a success, so that a retry can never flip the outcome (TRUST §3.5).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Books, Effect
from shuke.engine.ledger.fold import Fold
from shuke.kit import bulk, ids
from shuke.loyalty.actions.posting import Batch, Request, Sheet, compact
from shuke.loyalty.actions.settling import close_hold, complete_heads, lock_heads, post_forward, refold
from shuke.loyalty.models import ManualTier, Txn
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.shops.models import Merchant

KINDS = ("burn", "return", "adjust", "opening", "hold", "capture", "release")


class Ask(NamedTuple):
    """One request. `ref` names the burn or hold that return, capture and release are about (their key)."""

    key: str
    kind: str
    member_id: int
    amount: int = 0
    ref: str = ""
    until: datetime | None = None  # hold: when it times out
    expires_at: datetime | None = None  # adjust: own expiry
    reason: str = ""


class Answer(NamedTuple):
    """`code` is "" when it was done, else why it was refused. A replay gives the first answer again."""

    key: str
    done: bool
    code: str
    figures: dict[str, int]
    replayed: bool = False


REFUSALS = {
    "not_enough": (
        "Asked for {amount} points, available are {available}. Ask for less, or wait until pending points become available.",
        "需要 {amount} 积分，可用 {available}。请减少数量，或等待在途积分生效。",
    ),
    "no_such_hold": (
        "There is no open hold {ref}; it was resolved or has timed out.",
        "没有未结的冻结 {ref}，它已处理或已超时。",
    ),
    "more_than_held": (
        "Hold {ref} set aside {held} points; {amount} cannot be captured.",
        "冻结 {ref} 共 {held} 分，无法扣除 {amount}。",
    ),
    "no_such_burn": ("There is no spend {ref} of this member.", "该会员没有消耗记录 {ref}。"),
    "more_than_burnt": (
        "Of spend {ref} {left} points can still be given back, not {amount}.",
        "消耗 {ref} 还可退回 {left} 分，不能退 {amount}。",
    ),
    "not_positive": ("The amount must be above 0, not {amount}.", "数量必须大于 0，而不是 {amount}。"),
}


class KeyReused(ValueError):
    """The same key was used before for something else."""


def ask(*, merchant: Merchant, asks: Sequence[Ask], now: datetime, actor: str) -> list[Answer]:
    """Do or refuse each request; answers in the order of the asks.

    Raises KeyReused when a key comes again with another request: nothing of the call is done then. Effects: replays
    answered from the books; wallets locked in id order; the clock advanced to `now`; each request checked and folded;
    postings, refusals and holds written.
    """
    with transaction.atomic():
        return _ask(merchant, asks, now, actor)


def _ask(merchant: Merchant, asks: Sequence[Ask], now: datetime, actor: str) -> list[Answer]:
    for one in asks:
        if one.kind not in KINDS:
            raise ValueError(f"Unknown request kind {one.kind}; known are {', '.join(KINDS)}.")
    # Locks come first: two callers with the same key for the same member wait for one another here.
    members = sorted({one.member_id for one in asks})
    locked, answered, published = bulk.select_together(
        [
            stored.heads_query(merchant, members, lock=True),
            facts.known_requests_query(merchant, [one.key for one in asks]),
            charters.versions_query(merchant),
        ]
    )
    heads = stored.read_heads(locked)
    known = facts.read_known_requests(answered)
    if len(heads) < len(members):  # an absent row could not be locked: what was answered has to be looked up again
        heads = complete_heads(merchant, members, heads)
        known = facts.known_requests(merchant, [one.key for one in asks])
    answers: dict[str, Answer] = {}
    fresh: dict[int, list[Ask]] = defaultdict(list)
    seen: dict[str, bytes] = {}  # hash of what each key asks
    for one in asks:
        payload = payload_hash(one)
        before = known.get(one.key)
        if (before is not None and before[0] != payload) or seen.get(one.key, payload) != payload:
            raise KeyReused(f"The key {one.key} was used before for another request. Use a new key for a new request.")
        if before is not None:
            told = before[1]
            answers[one.key] = Answer(one.key, told["done"], told["code"], told["figures"], True)
        elif one.key not in seen:
            fresh[one.member_id].append(one)
        seen[one.key] = payload
    if fresh:
        versions = charters.read_versions(merchant, published)
        _do(merchant, versions, fresh, seen, heads, answers, now, actor)
    return [answers[one.key] for one in asks]


def payload_hash(one: Ask) -> bytes:
    canonical = [one.kind, one.member_id, one.amount, one.ref, str(one.until), str(one.expires_at)]
    return hashlib.blake2b(json.dumps(canonical).encode(), digest_size=16).digest()


@dataclass(slots=True)
class _Turn:
    """One member's requests while they are worked through."""

    requests: dict[str, Request] = field(default_factory=dict)  # by event
    done: list[ev.Event] = field(default_factory=list)
    refused: list[tuple[Ask, Answer]] = field(default_factory=list)
    holds: list[tuple[Ask, str]] = field(default_factory=list)
    timed_out: set[str] = field(default_factory=set)
    closed: list[tuple[str, str, int]] = field(default_factory=list)  # hold event, state, captured


def _do(
    merchant: Merchant,
    versions: Versions,
    fresh: dict[int, list[Ask]],
    hashes: dict[str, bytes],
    heads: dict[int, stored.Head],
    answers: dict[str, Answer],
    now: datetime,
    actor: str,
) -> None:
    batch = Batch(merchant, now=now, actor=actor)
    # A member nobody ever settled, or one whose books run ahead of `now`, is folded from the start first.
    behind = [m for m in fresh if not heads[m].is_settled]
    if behind:
        refold(batch, versions, heads, behind)
        batch.write()
        heads = {**heads, **stored.heads(merchant, behind, lock=True)}
        batch = Batch(merchant, now=now, actor=actor)
    with_lots = {m for m, asks in fresh.items() if _touches_lots(asks, heads[m], now)}
    opened = stored.open_books(merchant, versions, [heads[m] for m in fresh], with_lots=with_lots)
    for member, asks in fresh.items():
        turn = _Turn()
        head = heads[member]
        late = head.settled_to is not None and head.settled_to > now
        fold = Fold(versions, opened[member].books, birthdays=heads[member].birthdays)
        fold.last_at = head.settled_to
        open_holds = set(fold.books.holds)
        if not late:
            fold.advance(now)
        turn.timed_out = open_holds - set(fold.books.holds)
        whole = late
        for one in asks:
            burnt = _burnt(merchant, member, one.ref) if one.kind == "return" else None
            answer, event = _judge(one, fold.books, burnt, now)
            if answer.done and one.amount > 0 and one.kind in ("adjust", "opening"):
                answer = answer._replace(figures={"amount": one.amount})
            answers[one.key] = answer
            if event is None:
                turn.refused.append((one, answer))
                continue
            turn.requests[event.event] = Request(one.key, hashes[one.key], _outcome(one, answer, event))
            turn.done.append(event)
            if isinstance(event, ev.HoldPlaced):
                turn.holds.append((one, event.event))
            elif isinstance(event, ev.HoldCaptured):
                turn.closed.append((event.hold, "captured", event.amount))
            elif isinstance(event, ev.HoldReleased):
                turn.closed.append((event.hold, "released", 0))
            if isinstance(event, ev.BurnReturned):
                whole = True  # which lots a spend drew from is not in the open books
            if not whole:
                fold.run([event])
        if whole:
            extra = {member: turn.done}
            fold = refold(batch, versions, heads, [member], extra=extra, requests=turn.requests)[member]
        else:
            post_forward(batch, head, opened[member], fold, turn.requests)
        for one, answer in turn.refused:
            _remember_refusal(batch, head, one, answer, now)
        _write_holds(merchant, member, turn, fold.books, now)
    batch.write()


def _touches_lots(asks: Sequence[Ask], head: stored.Head, now: datetime) -> bool:
    """Points that only come in leave old lots alone, unless some expire first or are held."""
    credits = all(one.kind in ("adjust", "opening") and one.amount > 0 for one in asks)
    return not credits or head.held > 0 or (head.next_expiry_at is not None and head.next_expiry_at <= now)


def _event(one: Ask, now: datetime) -> ev.Event:
    """The fact a granted request becomes. Events are named by the caller's key."""
    name = f"{one.kind}:{one.key}"
    if one.kind == "burn":
        return ev.Burn(name, now, one.amount)
    if one.kind == "return":
        return ev.BurnReturned(name, now, one.ref, one.amount)
    if one.kind == "hold":
        assert one.until is not None
        return ev.HoldPlaced(name, now, one.amount, one.until)
    if one.kind == "capture":
        return ev.HoldCaptured(name, now, f"hold:{one.ref}", one.amount)
    if one.kind == "release":
        return ev.HoldReleased(name, now, f"hold:{one.ref}")
    return ev.Adjusted(name, now, one.amount, "opening" if one.kind == "opening" else "adjusted", one.expires_at)


def _judge(one: Ask, books: Books, burnt: tuple[str, int] | None, now: datetime) -> tuple[Answer, ev.Event | None]:
    available = books.available(now)

    def refuse(code: str, **figures: int) -> tuple[Answer, None]:
        return Answer(one.key, False, code, {"amount": one.amount, "available": available, **figures}), None

    after = available
    if one.kind in ("burn", "hold"):
        if one.amount <= 0:
            return refuse("not_positive")
        if one.amount > available:
            return refuse("not_enough")
        after = available - one.amount
    elif one.kind in ("adjust", "opening"):
        if one.amount < 0 and -one.amount > available:
            return refuse("not_enough")
        if one.amount == 0 or (one.kind == "opening" and one.amount < 0):
            return refuse("not_positive")
        after = available + one.amount
    elif one.kind in ("capture", "release"):
        held = books.holds.get(f"hold:{one.ref}")
        if held is None or held.times_out_at <= now:
            return refuse("no_such_hold")
        whole = sum(n for _, n in held.lots)
        if one.kind == "capture":
            if one.amount <= 0:
                return refuse("not_positive")
            if one.amount > whole:
                return refuse("more_than_held", held=whole)
        after = available + whole - one.amount
    elif one.kind == "return":
        if burnt is None:
            return refuse("no_such_burn")
        if one.amount <= 0:
            return refuse("not_positive")
        if one.amount > burnt[1]:
            return refuse("more_than_burnt", left=burnt[1])
        one = one._replace(ref=burnt[0])
        after = available + one.amount
    answer = Answer(one.key, True, "", {"amount": one.amount, "available": after})
    return answer, _event(one, now)


def _burnt(merchant: Merchant, member: int, key: str) -> tuple[str, int] | None:
    """Event of a spend by its key, and what of it was not given back yet."""
    mine = Txn.objects.filter(merchant=merchant, member_id=member)
    spend = mine.filter(key=key, kind__in=("burn", "capture")).values_list("event", "outcome").first()
    if spend is None:
        return None
    event, outcome = spend
    told = [o["request"] for o in mine.filter(kind="return").values_list("outcome", flat=True) if o]
    return event, (outcome or {})["request"]["amount"] - sum(r["amount"] for r in told if r.get("burn") == event)


def _outcome(one: Ask, answer: Answer, event: ev.Event | None) -> dict[str, Any]:
    request: dict[str, Any] = {"amount": one.amount}
    if isinstance(event, ev.BurnReturned):
        request["burn"] = event.burn
    if one.kind in ("capture", "release"):
        request["hold"] = f"hold:{one.ref}"
    if one.until is not None:
        request["until"] = one.until.isoformat()
    if one.expires_at is not None:
        request["expires_at"] = one.expires_at.isoformat()
    if one.reason:
        request["reason"] = one.reason
    return {"request": request, "answer": {"done": answer.done, "code": answer.code, "figures": answer.figures}}


def _remember_refusal(batch: Batch, head: stored.Head, one: Ask, answer: Answer, now: datetime) -> None:
    effect = Effect(f"refused:{one.key}", "refused", now, 0)
    batch.post(Sheet.of(head), effect, request=Request(one.key, payload_hash(one), _outcome(one, answer, None)))


def _write_holds(merchant: Merchant, member: int, turn: _Turn, books: Books, now: datetime) -> None:
    for key in turn.timed_out:
        bulk.execute(
            "UPDATE loyalty_hold SET state = 'timed_out', resolved_at = times_out_at "
            "WHERE merchant_id = %s AND key = %s AND state = 'open'",
            [merchant.pk, key],
        )
    at = bulk.moment()
    rows = []
    for one, event in turn.holds:
        held = books.holds.get(event)
        rows.append(
            (
                ids.new(),
                merchant.pk,
                member,
                event,
                one.amount,
                0,
                "open" if held else "released",
                at(now),
                at(one.until),
                compact(held.lots if held else []),
            )
        )
    bulk.insert(
        "loyalty_hold",
        ("id", "merchant_id", "member_id", "key", "amount", "captured", "state", "placed_at", "times_out_at", "lots"),
        rows,
    )
    for key, state, captured in turn.closed:
        close_hold(merchant, key, state, now, captured)


def open_balances(
    *, merchant: Merchant, balances: Sequence[tuple[int, int]], source: str, now: datetime, actor: str
) -> list[Answer]:
    """Points members bring from another system: (member, points). Once per member and source."""
    return ask(
        merchant=merchant,
        asks=[
            Ask(f"opening:{source}:{member}", "opening", member, points, reason=source)
            for member, points in balances
            if points > 0
        ],
        now=now,
        actor=actor,
    )


@transaction.atomic
def give_tier(
    *,
    merchant: Merchant,
    member_id: int,
    tier: str,
    until: datetime | None,
    reason: str,
    now: datetime,
    actor: str,
    invited: bool = False,
) -> None:
    """A grade by hand: a floor until its end date; or an invitation, where the charter lets one reach a tier by it."""
    versions = charters.versions(merchant)
    if tier not in versions.at(now).rank:
        known = ", ".join(versions.at(now).rank)
        raise ValueError(f"The charter in force has no tier {tier}; known are {known}.")
    heads = lock_heads(merchant, [member_id])
    ManualTier.objects.create(
        merchant=merchant,
        member_id=member_id,
        tier=tier,
        at=now,
        until=until,
        reason=reason,
        actor=actor,
        cause="invited" if invited else "manual",
    )
    batch = Batch(merchant, now=now, actor=actor)
    refold(batch, versions, heads, [member_id])
    batch.write()
