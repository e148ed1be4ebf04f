"""What one member holds and why: balance, lots, statement, tier. Correct at any moment, also before the clock has run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Sum

from shuke.engine.charter import grade
from shuke.engine.ledger.books import FAR, LONG_AGO, Books, Lot, TierMove
from shuke.engine.ledger.fold import Fold, begin
from shuke.kit import bulk
from shuke.loyalty.models import Entry, TierChange, Txn, Use, Wallet
from shuke.loyalty.models import Lot as LotRow
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Balance(NamedTuple):
    """Points at a moment. available + pending + held + lapsed − debt = balance (I6)."""

    available: int
    pending: int
    held: int
    debt: int
    lapsed: int  # past their expiry, not booked yet
    balance: int
    worth_minor: int  # what `available` is worth in money
    next_expiry: list[tuple[datetime, int]]  # when how many lapse, soonest first


class Bearings(NamedTuple):
    """What a price depends on beside points: the tier, how many purchases there were, the birthday (month, day, lunar)."""

    tier: str
    purchases: int
    birthday: tuple[int, int, bool] | None
    named: frozenset[str]  # the tier and what earlier charters called it


def bearings(merchant: Merchant, member_id: int, at: datetime) -> Bearings:
    """Of somebody whose books were never opened: no tier, no purchase. Raises Member.DoesNotExist."""
    found = bulk.select(
        "SELECT m.birth_month, m.birth_day, m.birth_lunar, w.tier, w.standing, w.next_review_at, w.settled_to FROM members_member m "
        "LEFT JOIN loyalty_wallet w ON w.member_id = m.id WHERE m.merchant_id = %s AND m.id = %s",
        [merchant.pk, member_id],
    )
    if not found:
        raise Member.DoesNotExist(member_id)
    month, day, lunar, tier, standing, due, settled = found[0]
    purchases = json.loads(standing).get("purchases", 0) if standing else 0
    versions = charters.versions(merchant)
    # What the wallet says was true when it was last written: since then a tier may have ended, or a new charter may grade
    # otherwise.
    moment, reached = bulk.read_moment(due), bulk.read_moment(settled)
    begun = versions.next_regrading(reached or LONG_AGO)
    if tier and ((moment is not None and moment <= at) or (begun is not None and begun.start <= at)):
        head = stored.heads(merchant, [member_id]).get(member_id)
        tier = _as_of(merchant, member_id, head, at).tier_at(versions.at(at))
    birthday = (month, day, bool(lunar)) if month and day else None
    return Bearings(tier or "", int(purchases), birthday, versions.named(tier or "", at))


def balance(merchant: Merchant, member_id: int, now: datetime) -> Balance:
    return balances(merchant, [member_id], now)[member_id]


def balances(merchant: Merchant, member_ids: Iterable[int], now: datetime) -> dict[int, Balance]:
    members = list(member_ids)
    heads = stored.heads(merchant, members)
    lots: dict[int, dict[str, Lot]] = {m: {} for m in members}
    for member, _, lot in stored.lots(merchant, members, only_open=True):
        lots[member][lot.key] = lot
    debts = {member: head.debt for member, head in heads.items()}
    _free_what_timed_out(merchant, lots, debts, now)
    value = _cost_micro(merchant, now)
    return {member: _balance(lots[member], debts.get(member, 0), now, value) for member in members}


def _free_what_timed_out(
    merchant: Merchant, lots: dict[int, dict[str, Lot]], debts: dict[int, int], now: datetime
) -> None:
    """A hold past its time holds nothing, also before the clock has booked that. What it sets free pays a debt first."""
    holders = [m for m, theirs in lots.items() if any(lot.held for lot in theirs.values())]
    for member, hold in stored.holds(merchant, holders) if holders else ():
        if hold.times_out_at <= now:
            for key, n in hold.lots:
                lots[member][key].held -= n
            for key, _ in hold.lots:
                lot = lots[member][key]
                if lot.expires_at is None or lot.expires_at > hold.times_out_at:
                    paid = min(debts.get(member, 0), lot.free)
                    lot.remaining -= paid
                    debts[member] = debts.get(member, 0) - paid


def _cost_micro(merchant: Merchant, now: datetime) -> int:
    try:
        return charters.in_force(merchant, now).cost_micro
    except charters.NoCharter:
        return 0


def _balance(lots: dict[str, Lot], debt: int, now: datetime, value: int) -> Balance:
    available = pending = held = lapsed = 0
    soon: dict[datetime, int] = {}
    for lot in lots.values():
        held += lot.held
        expires = lot.expires_at or FAR
        if expires <= now:
            lapsed += lot.free
            continue
        if lot.available_at > now:
            pending += lot.free
        else:
            available += lot.free
        if lot.expires_at is not None and lot.free:
            soon[lot.expires_at] = soon.get(lot.expires_at, 0) + lot.free
    whole = available + pending + held + lapsed - debt
    return Balance(available, pending, held, debt, lapsed, whole, available * value // 1_000_000, sorted(soon.items()))


def open_lots(merchant: Merchant, member_id: int) -> list[Lot]:
    """Lots with something left, oldest expiry first."""
    return sorted((lot for _, _, lot in stored.lots(merchant, [member_id], only_open=True)), key=Lot.oldest_first)


class StatementLine(NamedTuple):
    """One posting on a member's statement."""

    at: datetime
    kind: str
    event: str
    amount: int  # change of what the member holds, less change of debt
    balance_after: int  # balance − debt after it, in the order of posting
    why: list[dict[str, Any]]
    charter_version: int | None
    actor: str
    reason: str = ""  # of points by hand: what somebody wrote for the member to read


def reason_of(outcome: dict[str, Any] | None) -> str:
    """What somebody wrote when points were given, taken or brought back by hand."""
    return str((outcome or {}).get("request", {}).get("reason", ""))


def explain(
    merchant: Merchant, member_id: int, *, limit: int = 100, before: datetime | None = None
) -> list[StatementLine]:
    """The statement, newest event first: every change down to order and rule. Σ amount = balance − debt."""
    txns = Txn.objects.filter(merchant=merchant, member_id=member_id).exclude(kind="refused")
    if before is not None:
        txns = txns.filter(at__lt=before)
    page = list(txns.order_by("-at", "-id")[:limit])
    amounts: dict[int, int] = {}
    after: dict[int, int] = {}
    running: dict[str, int] = {}
    # Every leg of a member has its number; saying so lets the index of members' legs be used, which knows no others.
    legs = Entry.objects.filter(merchant=merchant, member_id=member_id, seq__isnull=False).order_by("seq")
    for txn, account, amount, balance_after in legs.values_list("txn_id", "account", "amount", "balance_after"):
        amounts[txn] = amounts.get(txn, 0) + amount
        running[account] = balance_after or 0
        after[txn] = sum(running.values())
    return [
        StatementLine(
            t.at,
            t.kind,
            t.event,
            amounts.get(t.pk, 0),
            after.get(t.pk, 0),
            t.why,
            t.charter_version,
            t.actor,
            reason_of(t.outcome),
        )
        for t in page
        if t.pk in amounts or t.kind in ("hold", "release", "timeout")
    ]


def earned_by_event(merchant: Merchant, events: Iterable[str], *, member_id: int | None = None) -> dict[str, int]:
    """Points each order event gave, less what its refunds took back. `member_id`, where all are of one, makes it quick."""
    wanted = list(events)
    found: dict[str, int] = dict.fromkeys(wanted, 0)
    postings = Txn.objects.filter(merchant=merchant, event__in=wanted)
    if member_id is not None:
        postings = postings.filter(member_id=member_id)
    rows = Entry.objects.filter(merchant=merchant, account="issued", txn__in=postings.values("pk")).values_list(
        "txn__event", "amount"
    )
    for event, amount in rows:
        found[event] -= amount
    return found


class TierWhy(NamedTuple):
    """Why this tier, what is missing to the next one, and what is needed to keep it until when."""

    tier: str
    name: dict[str, str]
    since: datetime | None
    cause: str
    decided_by: dict[str, Any]  # figures and thresholds at the moment of the last change
    next_tier: str
    next_name: dict[str, str]
    missing: dict[str, Any]  # condition tree with figures as of now
    missing_ways: list[list[dict[str, Any]]]  # the same as alternatives of what is still to be done
    keep: dict[str, Any]  # over the window the next review will look at
    keep_ways: list[list[dict[str, Any]]]
    review_at: datetime | None
    in_grace: bool
    notice_at: datetime | None  # when the member will be told, if too little is there by then
    floor_until: datetime | None
    memberships: list[dict[str, Any]]  # paid ones that run: key, tier, start, end, event that began it
    growth: int
    figures: dict[str, int]
    history: list[TierChange]
    charter_version: int


def why_tier(merchant: Merchant, member_id: int, now: datetime) -> TierWhy:
    """Raises NoCharter. As of `now`: what is due is folded in memory, nothing is written."""
    versions = charters.versions(merchant)
    terms = versions.at(now)
    head = stored.heads(merchant, [member_id]).get(member_id)
    fold = _as_of(merchant, member_id, head, now)
    standing = fold.books.standing
    figures = grade.Figures(standing, terms, terms.day(now))
    key = fold.tier_at(terms)
    rank = terms.rank[key]
    history = list(
        TierChange.objects.filter(merchant=merchant, member_id=member_id, superseded_at=None).order_by("-at", "-id")
    )
    if head is not None and head.is_settled:  # what is due is not written yet
        history = [_unwritten(merchant, member_id, move) for move in reversed(fold.moves)] + history
    # Another name is no reason: what decided is what came before it.
    last = next((change for change in history if not is_name_only(change)), history[0] if history else None)
    # The next one that can be reached by what a member does; its place may be further up than the next.
    reachable = [i for i in range(rank + 1, len(terms.tiers)) if terms.tiers[i].reachable]
    above = terms.charter.tiers[reachable[0]] if reachable else None
    ruled = terms.tiers[standing.rank_under(terms)]
    window = figures.over(terms.charter.grading.window)
    missing = grade.explain(terms.tiers[reachable[0]].reach, figures, above.key) if above else {}
    keep: dict[str, Any] = {}
    if standing.rank:
        seen = figures
        if standing.review_at is not None:
            seen = grade.Figures(standing, terms, terms.day(standing.review_at) - timedelta(days=1))
        keep = grade.explain(ruled.keep, seen, ruled.key)
    return TierWhy(
        tier=key,
        name=terms.charter.tiers[rank].name.model_dump(),
        since=last.at if last else standing.since,
        cause=last.cause if last else "joined",
        decided_by=last.why if last else {},
        next_tier=above.key if above else "",
        next_name=above.name.model_dump() if above else {},
        missing=missing,
        missing_ways=grade.ways(missing) if missing else [],
        keep=keep,
        keep_ways=grade.ways(keep) if keep else [],
        review_at=standing.review_at,
        in_grace=standing.in_grace,
        notice_at=standing.notice_at,
        floor_until=max((u for _, u in standing.floors if u is not None), default=None),
        memberships=[
            {"key": p.key, "tier": p.tier, "start": p.start, "end": p.end, "event": p.event} for p in standing.paid
        ],
        growth=standing.totals[3],
        figures=dict(zip(("amount", "orders", "single_order", "growth", "points"), window, strict=True)),
        history=history,
        charter_version=terms.version,
    )


def is_name_only(change: TierChange) -> bool:
    """Did a new charter only call the tier otherwise, or join it with another?"""
    return (
        change.cause == "charter" and change.why.get("charter") in ("renamed", "merged") and "reach" not in change.why
    )


def _unwritten(merchant: Merchant, member_id: int, move: TierMove) -> TierChange:
    told = {name: getattr(move, name) for name in ("at", "before", "after", "cause", "event", "why")}
    return TierChange(merchant=merchant, member_id=member_id, charter_version=move.version, **told)


def _as_of(merchant: Merchant, member_id: int, head: stored.Head | None, now: datetime) -> Fold:
    versions = charters.versions(merchant)
    if head is None or not head.is_settled:
        fold = begin(versions, joined_at=Member.objects.get(merchant=merchant, pk=member_id).joined_at)
        fold.advance(now)
        return fold
    opened: Books = stored.open_books(merchant, versions, [head], with_lots={member_id})[member_id].books
    fold = Fold(versions, opened)
    fold.advance(now)
    return fold


class GrowthLine(NamedTuple):
    """One booking of growth value."""

    at: datetime
    kind: str  # earn | refund | activity | growth | growth_lapse | growth_fade | correct
    event: str
    amount: int
    balance_after: int  # in the order of events
    expires_at: datetime | None
    why: list[dict[str, Any]]
    charter_version: int | None
    actor: str


def growth_lines(merchant: Merchant, member_id: int, *, limit: int | None = None) -> list[GrowthLine]:
    """The ledger of a member's growth value, newest event first. Σ amount = growth value."""
    rows = Txn.objects.filter(merchant=merchant, member_id=member_id, growth__isnull=False).order_by("at", "id")
    found: list[GrowthLine] = []
    balance_ = 0
    for t in rows:
        assert t.growth is not None
        balance_ += t.growth
        found.append(
            GrowthLine(
                t.at, t.kind, t.event, t.growth, balance_, t.growth_expires_at, t.why, t.charter_version, t.actor
            )
        )
    return found[::-1][:limit]


def spent_from(merchant: Merchant, order_events: Iterable[str]) -> dict[str, int]:
    """Of the points these orders earned, how many were spent or are held: an undone import may not take them away."""
    events = list(order_events)
    found: dict[str, int] = {}
    for start in range(0, len(events), 500):
        part = events[start : start + 500]
        rows = (
            Use.objects.filter(
                merchant=merchant, lot__merchant=merchant, lot__key__in=part, kind__in=("burn", "adjust")
            )
            .values("lot__key")
            .annotate(n=Sum("amount"))
        )
        for row in rows:
            if row["n"]:
                found[row["lot__key"]] = row["n"]
        for key, held in LotRow.objects.filter(merchant=merchant, key__in=part, held__gt=0).values_list("key", "held"):
            found[key] = found.get(key, 0) + held
    return found


def tier_counts(merchant: Merchant) -> dict[str, int]:
    """Members by tier as booked."""
    rows = Wallet.objects.filter(merchant=merchant).exclude(tier="").values("tier").annotate(n=Count("member_id"))
    return {row["tier"]: row["n"] for row in rows}
