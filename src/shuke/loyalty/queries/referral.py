"""What is known of one referrer's bonds, as the engine's values: orders, decisions, and what looks wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shuke.engine.charter.referring import ReferralWatch
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.referral import watching
from shuke.engine.referral.judging import Bond, Bought, judge
from shuke.engine.referral.ranking import Case, Outcome, fold
from shuke.engine.referral.watching import Signal
from shuke.kit import bulk
from shuke.loyalty.models import PublishedCharter, Referral, ReferralCode, ReferralReward
from shuke.loyalty.queries import charters, facts
from shuke.members import values
from shuke.members.models import Contact, Member, MemberState, Suspicion
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Merchant

FARM = 3  # so many friends of other members at one address are no neighbours


class Group(NamedTuple):
    """All bonds of one referrer, judged and ranked at one moment."""

    referrer: int
    rows: dict[int, Referral]
    newcomers: dict[int, int]  # bond → the member the newcomer is now
    outcomes: dict[int, Outcome]
    signals: dict[int, list[Signal]]
    rewards: dict[int, list[ReferralReward]]


def code_in_use(merchant: Merchant, member_id: int) -> ReferralCode | None:
    return ReferralCode.objects.filter(merchant=merchant, member_id=member_id, ended_at=None).first()


def by_code(merchant: Merchant, code: str) -> ReferralCode | None:
    """The code in use that this is, written as codes are kept."""
    return ReferralCode.objects.filter(merchant=merchant, code=code, ended_at=None).select_related("member").first()


def part_in_force(merchant: Merchant, now: datetime) -> Terms | None:
    """The charter in force, if it says anything of bringing friends."""
    try:
        terms = charters.in_force(merchant, now)
    except charters.NoCharter:
        return None
    return terms if terms.charter.referral is not None else None


def bond_of(merchant: Merchant, member_id: int) -> Referral | None:
    """Who brought this member (or somebody who is one with them now): the earliest bond."""
    family = [member_id, *absorbed_by(merchant.pk, [member_id])]
    rows = Referral.objects.filter(merchant=merchant, newcomer_id__in=family).select_related("referrer", "newcomer")
    return rows.order_by("bound_at", "id").first()


def has_bought(merchant: Merchant, member_id: int, before: datetime) -> bool:
    """Whether there is a paid order of theirs from before."""
    bought = facts.purchases(merchant, member_ids=[member_id], goods_rules=()).events.get(member_id, [])
    return any(isinstance(e, ev.Purchase) and e.at < before for e in bought)


def due_referrers(merchant: Merchant, now: datetime, limit: int = 500) -> list[int]:
    """Members of whose bonds one has to be judged again, as they are known today."""
    rows = bulk.select(
        "SELECT DISTINCT referrer_id FROM loyalty_referral WHERE merchant_id = %s AND look_at IS NOT NULL "
        "AND look_at <= %s ORDER BY referrer_id LIMIT %s",
        [merchant.pk, bulk.moment()(now), limit],
    )
    found = [member for (member,) in rows]
    moved = survivors_of(merchant.pk, found)
    return sorted({moved.get(member, member) for member in found})


def any_due(merchant: Merchant, now: datetime) -> bool:
    return Referral.objects.filter(merchant=merchant, look_at__lte=now).exists()


def group(merchant: Merchant, versions: Versions, referrer: int, now: datetime, *, lock: bool = False) -> Group:
    """Everything about one referrer's bonds. `lock` takes the bonds' rows, after the wallets (PostgreSQL)."""
    family = [referrer, *absorbed_by(merchant.pk, [referrer])]
    rows = Referral.objects.filter(merchant=merchant, referrer_id__in=family).order_by("id")
    if lock:
        rows = rows.select_for_update(no_key=True)
    found = {row.pk: row for row in rows}
    moved = survivors_of(merchant.pk, [row.newcomer_id for row in found.values()])
    newcomers = {pk: moved.get(row.newcomer_id, row.newcomer_id) for pk, row in found.items()}
    rewards: dict[int, list[ReferralReward]] = defaultdict(list)
    for one in ReferralReward.objects.filter(merchant=merchant, referral_id__in=list(found)).order_by("id"):
        rewards[one.referral_id].append(one)
    orders = orders_of(merchant, newcomers.values())
    bonds = _bonds(merchant, referrer, found, newcomers)
    terms = {pk: versions.at(row.bound_at) for pk, row in found.items()}
    judged = {pk: judge(terms[pk], bonds[pk], orders.get(newcomers[pk], []), now) for pk in found}
    until = {pk: judged[pk].due_at or now for pk in found}
    signals = _signals(merchant, referrer, bonds, terms, until, orders, found)
    cases = []
    for pk, bond in bonds.items():
        paid = any(one.amount > 0 for one in rewards[pk])
        held = watching.holds(signals[pk], paid=paid, decision=bond.decision)
        cases.append(Case(bond, terms[pk], judged[pk], held))
    return Group(referrer, found, newcomers, fold(cases), signals, rewards)


def orders_of(merchant: Merchant, members: Iterable[int]) -> dict[int, list[Bought]]:
    """Paid orders with their refunds, as the books count them."""
    found: dict[int, list[Bought]] = {}
    for member, events in facts.purchases(merchant, member_ids=sorted(set(members)), goods_rules=()).events.items():
        back: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        for e in events:
            if isinstance(e, ev.Refunded):
                back[e.order].append((e.at, e.amount))
        found[member] = [
            Bought(e.event, e.at, e.net, tuple(sorted(back[e.event])), e.done_at)
            for e in events
            if isinstance(e, ev.Purchase)
        ]
    return found


def _bonds(
    merchant: Merchant, referrer: int, rows: Mapping[int, Referral], newcomers: Mapping[int, int]
) -> dict[int, Bond]:
    """The rows as facts; some count for nothing whatever is bought."""
    people = sorted(set(newcomers.values()))
    halves = absorbed_by(merchant.pk, people)
    first: dict[int, tuple[datetime, int]] = {}
    told = Referral.objects.filter(merchant=merchant, newcomer_id__in=[*people, *halves])
    for pk, newcomer, bound_at in told.values_list("id", "newcomer_id", "bound_at"):
        who = halves.get(newcomer, newcomer)
        first[who] = min(first.get(who, (bound_at, pk)), (bound_at, pk))
    gone = set(
        Member.objects.filter(merchant=merchant, pk__in=people, state=MemberState.UNDONE).values_list("id", flat=True)
    )
    begun = PublishedCharter.objects.filter(merchant=merchant).order_by("effective_from").first()
    found = {}
    for pk, row in rows.items():
        who = newcomers[pk]
        void = ""
        if who == referrer:
            void = "same_person"
        elif first[who][1] != pk:
            void = "brought_before"
        elif who in gone:
            void = "left"
        elif begun is None or row.bound_at < begun.effective_from:
            void = "not_offered"
        found[pk] = Bond(pk, who, referrer, row.bound_at, row.decision, void)
    return found


# ---- what looks wrong --------------------------------------------------------------------------------------------------


def _signals(
    merchant: Merchant,
    referrer: int,
    bonds: Mapping[int, Bond],
    terms: Mapping[int, Terms],
    until: Mapping[int, datetime],
    orders: Mapping[int, list[Bought]],
    rows: Mapping[int, Referral],
) -> dict[int, list[Signal]]:
    above = _above(merchant, referrer)
    bound = [bond.bound_at for bond in bonds.values()]
    others = {bond.newcomer: orders.get(bond.newcomer, []) for bond in bonds.values() if not bond.void}
    shared = _shared(merchant, referrer, sorted({bond.newcomer for bond in bonds.values()}))
    devices = _devices(merchant, rows)
    found: dict[int, list[Signal]] = {}
    for pk, bond in bonds.items():
        part = terms[pk].charter.referral
        if part is None or bond.void:
            found[pk] = []
            continue
        watch: ReferralWatch = part.watch
        told = [
            watching.ring(above, bond, until[pk]) if watch.rings else None,
            watching.rush(bound, bond, until[pk], watch),
            watching.once_only(others, bond, until[pk], watch),
            *(s for s in (*shared.get(bond.newcomer, ()), *devices.get(pk, ())) if watching.asked_for(watch, s.kind)),
        ]
        found[pk] = [one for one in told if one is not None]
    return found


def _above(merchant: Merchant, member: int) -> dict[int, tuple[int, datetime]]:
    """Who brought this member, who brought that one, and so on up; ends where it would go round."""
    found: dict[int, tuple[int, datetime]] = {}
    for _ in range(watching.STEPS):
        if member in found:
            break
        row = bond_of(merchant, member)
        if row is None:
            break
        home = row.referrer.merged_into_id or row.referrer_id
        found[member] = (home, row.bound_at)
        member = home
    return found


def _shared(merchant: Merchant, referrer: int, newcomers: Sequence[int]) -> dict[int, list[Signal]]:
    """What each newcomer has in common with the referrer, with other friends of theirs, or with members known before."""
    circle = [referrer, *newcomers]
    halves = absorbed_by(merchant.pk, circle)
    home = {**{m: m for m in circle}, **halves}
    where, among = bulk.among("member_id", sorted(home))
    held = bulk.select(
        "SELECT member_id, kind, blind FROM members_contact WHERE merchant_id = %s AND NOT virtual AND NOT masked "
        f"AND {where}",
        [merchant.pk, among],
    )
    inside: dict[tuple[str, bytes], set[int]] = defaultdict(set)
    for member, kind, blind in held:
        inside[kind, bytes(blind)].add(home[member])
    common: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for (kind, _blind), people in inside.items():
        for member in people:
            if people != {member}:
                common[member][kind] |= people - {member}
    _outside(merchant, inside, set(home), common)
    for one, other in _suspected(merchant, home):
        common[one]["suspicion"].add(other)
        common[other]["suspicion"].add(one)
    names: dict[str, set[int]] = defaultdict(set)
    for member, name in Member.objects.filter(merchant=merchant, pk__in=circle).values_list("id", "name"):
        if values.is_full_name(name):
            names[values.plain_name(name)].add(member)
    for people in names.values():
        for member in people:
            if people != {member}:
                common[member]["name"] |= people - {member}
    return {
        member: [Signal(kind, tuple(sorted(people))[:20], len(people)) for kind, people in sorted(kinds.items())]
        for member, kinds in common.items()
        if member != referrer
    }


def _outside(
    merchant: Merchant,
    inside: Mapping[tuple[str, bytes], set[int]],
    known: set[int],
    common: dict[int, dict[str, set[int]]],
) -> None:
    """Members who are no part of this circle: of the same phone they may be the same person; of the same address, and
    brought by somebody as well, part of a farm."""
    for kind in ("phone", "email", "address"):
        blinds = [blind for k, blind in inside if k == kind]
        for start in range(0, len(blinds), 500):
            rows = Contact.objects.filter(merchant=merchant, kind=kind, blind__in=blinds[start : start + 500])
            others: dict[bytes, set[int]] = defaultdict(set)
            for member, blind in rows.filter(virtual=False, masked=False).values_list("member_id", "blind"):
                if member not in known:
                    others[bytes(blind)].add(member)
            brought: set[int] = set()
            if kind == "address" and others:
                asked = sorted(set().union(*others.values()))
                brought = set(
                    Referral.objects.filter(merchant=merchant, newcomer_id__in=asked).values_list(
                        "newcomer_id", flat=True
                    )
                )
            for blind, people in others.items():
                found = people if kind != "address" else people & brought
                if not found or (kind == "address" and len(found) < FARM):
                    continue
                for member in inside[kind, blind]:
                    common[member]["address" if kind == "address" else "known"] |= found


def _suspected(merchant: Merchant, home: Mapping[int, int]) -> list[tuple[int, int]]:
    rows = Suspicion.objects.filter(merchant=merchant, state="open", member_id__in=list(home), other_id__in=list(home))
    pairs = {(home[a], home[b]) for a, b in rows.values_list("member_id", "other_id")}
    return sorted((a, b) for a, b in pairs if a != b)


def _devices(merchant: Merchant, rows: Mapping[int, Referral]) -> dict[int, list[Signal]]:
    """Bonds, of whichever referrer, made from one browser."""
    mine = {pk: bytes(row.device) for pk, row in rows.items() if row.device is not None}
    if not mine:
        return {}
    same: dict[bytes, set[int]] = defaultdict(set)
    told = Referral.objects.filter(merchant=merchant, device__in=list(set(mine.values())))
    for device, newcomer in told.values_list("device", "newcomer_id"):
        if device is not None:
            same[bytes(device)].add(newcomer)
    found = {}
    for pk, device in mine.items():
        people = same[device] - {rows[pk].newcomer_id}
        if people:
            found[pk] = [Signal("device", tuple(sorted(people))[:20], len(people))]
    return found
