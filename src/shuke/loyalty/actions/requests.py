"""What callers ask of the books: spend, give back, adjust, hold, capture, release. Idempotent by the caller's key.

The key lives in the posting itself, for ever; it is compared with a hash of what was asked, and a refusal is remembered
like a success, so that a retry can never flip the outcome (TRUST §3.5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Books
from shuke.engine.ledger.fold import Fold
from shuke.kit import bulk, ids
from shuke.loyalty.actions.asking import BY_EFFECT, KINDS, Answer, Ask, KeyReused, NotAsked, check_asked, payload_hash
from shuke.loyalty.actions.halves import is_whom_it_was_asked_of, remember_asked
from shuke.loyalty.actions.judging import answering, judge, judge_fact, outcome, touches_lots
from shuke.loyalty.actions.judging import burnt as burnt_of
from shuke.loyalty.actions.own_account import is_own
from shuke.loyalty.actions.posting import Batch, Request, compact
from shuke.loyalty.actions.settling import (
    OtherWallets,
    close_hold,
    complete_heads,
    heirs_among,
    lock_living,
    make_missing_wallets,
    post_forward,
    refold,
)
from shuke.loyalty.models import ManualTier, Txn
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.members.actions.merging import remember_facts
from shuke.shops.models import Merchant


def ask(*, merchant: Merchant, asks: Sequence[Ask], now: datetime, actor: str) -> list[Answer]:
    """Do or refuse each request; answers in the order of the asks.

    Raises NotAsked for a key, a reason or an amount no book can keep, KeyReused when a key comes again with another request: nothing
    of the call is done then. Effects: replays
    answered from the books; wallets locked in id order; the clock advanced to `now`; each request checked and folded;
    postings, refusals and holds written.
    """
    also = set[int]()
    while True:
        try:
            with transaction.atomic():
                return _ask(merchant, asks, also, now, actor)
        except OtherWallets as other:
            also |= other.members


def _ask(merchant: Merchant, asks: Sequence[Ask], also: set[int], now: datetime, actor: str) -> list[Answer]:
    for one in asks:
        if one.kind not in KINDS:
            raise ValueError(f"Unknown request kind {one.kind}; known are {', '.join(KINDS)}.")
        check_asked(one.key, one.reason, amount=one.amount)
    # Locks come first: two callers with the same key for the same member wait for one another here.
    members = sorted({one.member_id for one in asks} | also)
    make_missing_wallets(merchant, members)
    locked = bulk.select(*stored.heads_query(merchant, members, lock=True))
    asked_under = bulk.select(*facts.known_by_version_query(merchant, [one.key for one in asks]))
    heads = stored.read_heads(locked)
    known = facts.read_known_requests(row[3:] for row in asked_under if row[3] is not None)
    if len(heads) < len(members):  # an absent row could not be locked: what was answered has to be looked up again
        heads = complete_heads(merchant, members, heads)
        known = facts.known_requests(merchant, [one.key for one in asks])
    heirs = heirs_among(heads)
    if any(
        one.member_id in heirs for one in asks
    ):  # a card or a till still knows somebody by the member that was merged
        moved = [one._replace(member_id=heirs.get(one.member_id, one.member_id)) for one in asks]
        answered = _ask(merchant, moved, set(), now, actor)
        fresh_keys = {answer.key for answer in answered if not answer.replayed}
        remember_asked(merchant, heirs, [(one.member_id, one.key) for one in asks if one.key in fresh_keys])
        return answered
    answers: dict[str, Answer] = {}
    fresh: dict[int, list[Ask]] = defaultdict(list)
    seen: dict[str, bytes] = {}  # hash of what each key asks
    for one in asks:
        payload = payload_hash(one)
        before = known.get(one.key)
        if seen.get(one.key, payload) != payload or (before is not None and not _same(merchant, one, before)):
            raise KeyReused(one.key)
        if before is not None:
            told = before.answer
            answers[one.key] = Answer(one.key, told["done"], told["code"], told["figures"], True)
        elif one.key not in seen:
            fresh[one.member_id].append(
                one._replace(until=now + timedelta(minutes=one.minutes)) if one.minutes else one
            )
        seen[one.key] = payload
    if fresh:
        now = _not_before(merchant, fresh, heads, now)
        versions = charters.read_versions(merchant, list(dict.fromkeys(row[:3] for row in asked_under)))
        _do(merchant, versions, fresh, seen, heads, answers, now, actor)
    return [answers[one.key] for one in asks]


def _not_before(
    merchant: Merchant, fresh: dict[int, list[Ask]], heads: dict[int, stored.Head], now: datetime
) -> datetime:
    """A clock may be set back; what is captured, let go or given back was held or spent before all the same."""
    named = [
        one.ref
        for member, asks in fresh.items()
        if (reached := heads[member].settled_to) is not None and reached > now
        for one in asks
        if one.kind in ("capture", "release", "return") and one.ref
    ]
    if not named:
        return now
    return max([now, *Txn.objects.filter(merchant=merchant, key__in=named).values_list("at", flat=True)])


def _same(merchant: Merchant, one: Ask, before: facts.Known) -> bool:
    """Was this asked before? Also when it was asked of a member who is one with this one now, or was then."""
    if payload_hash(one) == before.payload:
        return True
    if payload_hash(one._replace(member_id=before.member)) != before.payload:
        return False
    return is_whom_it_was_asked_of(merchant, one.key, one.member_id, before.member)


@dataclass(slots=True)
class _Turn:
    """One member's requests while they are worked through."""

    requests: dict[str, Request] = field(default_factory=dict)  # by event
    done: list[ev.Event] = field(default_factory=list)
    refused: list[tuple[Ask, Answer]] = field(default_factory=list)
    holds: list[tuple[Ask, str]] = field(default_factory=list)
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
    with_lots = {m for m, asks in fresh.items() if versions.rolling_expiry or touches_lots(asks, heads[m], now)}
    opened = stored.open_books(merchant, versions, [heads[m] for m in fresh], with_lots=with_lots)
    for member, asks in fresh.items():
        turn = _Turn()
        head = heads[member]
        late = head.settled_to is not None and head.settled_to > now
        nth = facts.next_at(merchant, member, now) if head.settled_to is not None and head.settled_to >= now else 0
        purse = batch.budgets(versions, [member], [f"{one.kind}:{one.key}" for one in asks])
        if purse is not None:
            purse.member = member
        fold = Fold(versions, opened[member].books, birthdays=heads[member].birthdays, purse=purse)
        fold.last_at = head.settled_to
        if not late:
            fold.advance(now)
        whole = late
        for one in asks:
            burnt = burnt_of(merchant, member, one.ref) if one.kind == "return" else None
            if one.kind in BY_EFFECT or one.kind == "activity_undo":
                answer, event = judge_fact(merchant, versions, one, fold, now)
            else:
                answer, event = judge(one, fold.books, burnt, now, frozen=head.is_frozen)
            answers[one.key] = answer
            if event is None:
                turn.refused.append((one, answer))
                continue
            event, nth = event._replace(nth=nth), nth + 1  # type: ignore[call-arg]
            request = Request(one.key, hashes[one.key], outcome(one, answer, event))
            if one.kind in BY_EFFECT:
                request.told = answering(one, request, answers)
            turn.requests[event.event] = request
            turn.done.append(event)
            if isinstance(event, ev.HoldPlaced):
                turn.holds.append((one, event.event))
            elif isinstance(event, ev.HoldCaptured):
                turn.closed.append((event.hold, "captured", event.amount))
            elif isinstance(event, ev.HoldReleased):
                turn.closed.append((event.hold, "released", 0))
            if isinstance(event, ev.BurnReturned | ev.Reinstated | ev.ActivityUndone):
                # What a spend drew from, what lapsed and what was before an activity is not in the open books.
                whole = True
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


def _remember_refusal(batch: Batch, head: stored.Head, one: Ask, answer: Answer, now: datetime) -> None:
    batch.refuse(head, Request(one.key, payload_hash(one), outcome(one, answer, None)), now)


def _write_holds(merchant: Merchant, member: int, turn: _Turn, books: Books, now: datetime) -> None:
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
    key: str = "",
) -> bool:
    """A grade by hand: a floor until its end date; or an invitation, where the charter lets one reach a tier by it.

    False if this `key` had given it before. The same `key` again gives nothing twice; with another tier, member, end or reason it is KeyReused; a key or reason
    too long to be kept is NotAsked, as is a tier of one's own.
    """
    check_asked(key or "none", reason)
    if is_own(merchant, actor, member_id):
        raise NotAsked("own_account")
    versions = charters.versions(merchant)
    if tier not in versions.at(now).rank:
        known = ", ".join(versions.at(now).rank)
        raise ValueError(f"The charter in force has no tier {tier}; known are {known}.")
    heads, heirs = lock_living(merchant, [member_id])
    asked_of = member_id
    member_id = heirs.get(member_id, member_id)
    cause = "invited" if invited else "manual"
    before = ManualTier.objects.filter(merchant=merchant, key=key).first() if key else None
    if before is not None:
        if (before.member_id, before.tier, before.until, before.reason, before.cause) != (
            member_id, tier, until, reason, cause,
        ):  # fmt: skip
            raise KeyReused(key)
        return False
    given = ManualTier.objects.create(
        merchant=merchant,
        member_id=member_id,
        tier=tier,
        at=now,
        until=until,
        reason=reason,
        actor=actor,
        cause=cause,
        key=key,
    )
    if asked_of != member_id:
        remember_facts(merchant=merchant, of={asked_of: [given.pk]}, what="tier")
    batch = Batch(merchant, now=now, actor=actor)
    refold(batch, versions, heads, [member_id])
    batch.write()
    return True
