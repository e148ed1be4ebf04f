"""Two members turn out to be one person; or it was a mistake, and they become two again.

A person decides: nothing in the house merges by itself. Facts are moved, never added up, and the books are folded anew
from them; so the merged books are those of one member who had done all of it, and after parting both are what they would
have been (docs/decisions/0009-merging.md, tests/flows/test_merge_members.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Sum

from shuke.loyalty.actions import merging as books
from shuke.loyalty.actions.partner_cards import recount
from shuke.loyalty.actions.referral import touch
from shuke.loyalty.queries.charters import NoCharter
from shuke.loyalty.queries.facts import with_own_requests
from shuke.loyalty.queries.merging import Standing, standings
from shuke.members import profiles
from shuke.members.actions import merging as members
from shuke.members.actions.merging import MergeRefused
from shuke.members.models import Consent, Contact, Member, MemberState, Merge, TimelineLine
from shuke.members.queries import NoSuchMember, identities_of
from shuke.members.queries.families import family, survivors_of
from shuke.members.queries.reaching import current_consents
from shuke.orders.actions.moving import move_orders
from shuke.orders.models import Order
from shuke.shops.models import Merchant

__all__ = ["MergeRefused", "Merged", "Preview", "gather_strays", "merge", "preview", "unmerge"]


class Half(NamedTuple):
    """What one of the two brings."""

    member: Member
    orders: int
    net_minor: int
    identities: list[tuple[str, str, str]]  # kind, realm, shown
    contacts: int
    lines: int
    standing: Standing | None  # None: there is no charter


class Preview(NamedTuple):
    """What will become of two members; nothing has been written."""

    survivor: Half
    absorbed: Half
    fields: list[profiles.Field]
    consents: list[tuple[str, str, bool | None, bool | None, bool]]  # channel, purpose, each one's word, what will hold
    together: Standing | None


class Merged(NamedTuple):
    """What a merge or its undo did."""

    merge: Merge
    orders: int
    replayed: bool = False  # it had been done before; nothing was done now


def preview(
    *, merchant: Merchant, survivor_id: int, absorbed_id: int, take: Mapping[str, str] | None = None, now: datetime
) -> Preview:
    """What a merge would do. Raises NoSuchMember, MergeRefused (for the same reasons as the merge), UnknownChoice."""
    if survivor_id == absorbed_id:
        raise MergeRefused("same_member", "This is one member already. Choose another to merge with.")
    found = Member.objects.filter(merchant=merchant).in_bulk([survivor_id, absorbed_id])
    for asked in (survivor_id, absorbed_id):
        if asked not in found:
            raise NoSuchMember(asked)
    one, other = found[survivor_id], found[absorbed_id]
    members.refuse_unfit(merchant, one, other)
    books.refuse_open_holds(merchant, (one.pk, other.pk), now)
    fields = profiles.compare(one, other, take)
    birthday_first = [other, one] if any(f.key == "birthday" and f.wins == "absorbed" for f in fields) else [one, other]
    mine: Standing | None
    theirs: Standing | None
    together: Standing | None
    try:
        mine, theirs, together = standings(merchant, [[one], [other], birthday_first], now)
    except NoCharter:
        mine = theirs = together = None
    return Preview(
        _half(merchant, one, mine), _half(merchant, other, theirs), fields, _consents(merchant, one, other), together
    )


def _half(merchant: Merchant, member: Member, standing: Standing | None) -> Half:
    own = family(merchant.pk, member.pk)
    bought = Order.objects.filter(merchant=merchant, member=member).aggregate(n=Count("id"), net=Sum("net_minor"))
    return Half(
        member,
        bought["n"],
        bought["net"] or 0,
        [(i.kind, i.realm, i.shown) for i in identities_of(merchant, member.pk)],
        Contact.objects.filter(merchant=merchant, member_id__in=own).count(),
        TimelineLine.objects.filter(merchant=merchant, member_id__in=own).count(),
        standing,
    )


def _consents(merchant: Merchant, one: Member, other: Member) -> list[tuple[str, str, bool | None, bool | None, bool]]:
    mine, theirs = current_consents(merchant, one.pk), current_consents(merchant, other.pk)
    rows = []
    for what in sorted({*mine, *theirs}):
        a: Consent | None = mine.get(what)
        b: Consent | None = theirs.get(what)
        said = [c.granted for c in (a, b) if c is not None]
        rows.append((*what, a.granted if a else None, b.granted if b else None, all(said)))
    return rows


def merge(
    *,
    merchant: Merchant,
    survivor_id: int,
    absorbed_id: int,
    take: Mapping[str, str] | None = None,
    reason: str,
    now: datetime,
    actor: str,
) -> Merged:
    """Make `absorbed` part of `survivor`. The same call again does nothing and says so (`replayed`).

    In one transaction: both members locked; profile, consents, pointer, suspicions, timeline and audit log; orders;
    wallets locked, requests and grades by hand; both books folded anew and the differences posted. Raises NoSuchMember,
    MergeRefused, UnknownChoice, and then nothing is changed.
    """
    if not reason.strip():
        raise MergeRefused(
            "no_reason", "Say in a few words why these two are the same person: it is kept with the merge."
        )
    with transaction.atomic():
        survivor, absorbed = members.lock_pair(merchant, survivor_id, absorbed_id)
        if absorbed.merged_into_id == survivor.pk:
            return Merged(Merge.objects.get(merchant=merchant, absorbed=absorbed, undone_at=None), 0, True)
        members.refuse_unfit(merchant, survivor, absorbed)
        birthday = _birthday(survivor)
        orders = move_orders(merchant=merchant, owner=absorbed.pk, to=survivor.pk)
        known = books.lock_books(merchant=merchant, members=(survivor.pk, absorbed.pk), now=now)
        done = members.merge_profiles(
            merchant=merchant,
            survivor=survivor,
            absorbed=absorbed,
            take=take or {},
            books={"before": known[survivor.pk], "after": known[absorbed.pk]},
            reason=reason.strip(),
            now=now,
            actor=actor,
        )
        moved = books.join_books(
            merchant=merchant,
            survivor=survivor.pk,
            absorbed=absorbed.pk,
            birthdays_of=absorbed.pk if _birthday(survivor) != birthday else None,
            now=now,
            actor=actor,
        )
        _remember(merchant, absorbed.pk, orders, moved)
        recount(merchant=merchant, members=(survivor.pk, absorbed.pk), mark=f"m{done.pk}", now=now, actor=actor)
        touch(merchant=merchant, member_ids=[survivor.pk, absorbed.pk], now=now, brought=True)
    return Merged(done, len(orders))


def unmerge(
    *, merchant: Merchant, merge_id: int, different: bool = True, reason: str, now: datetime, actor: str
) -> Merged:
    """Take a merge back. The same call again does nothing and says so.

    What was moved goes back, and so does what was told since of an identity of the absorbed member, or asked of them (orders,
    contacts, further identities, points; the return of a spend with its spend). Everything else that came since stays with
    the survivor.
    `different`: remember that these are two people. Raises MergeRefused.
    """
    with transaction.atomic():
        done = Merge.objects.filter(merchant=merchant, pk=merge_id).first()
        if done is None:
            raise MergeRefused("no_merge", f"There is no merge {merge_id}.", merge=merge_id)
        survivor, absorbed = members.lock_pair(merchant, done.survivor_id, done.absorbed_id)
        done.refresh_from_db()  # somebody may have taken it back while we waited
        done.survivor, done.absorbed = survivor, absorbed
        if done.undone_at is not None:
            return Merged(done, 0, True)
        birthday = _birthday(survivor)
        orders = move_orders(
            merchant=merchant, owner=survivor.pk, to=absorbed.pk, order_ids=members.facts_of(done, "order")
        )
        books.lock_books(merchant=merchant, members=(survivor.pk, absorbed.pk), now=now)
        books.refuse_held_money(merchant=merchant, members=(survivor.pk, absorbed.pk), now=now)
        kept = done.before.get("books", {})
        members.part_profiles(
            merchant=merchant, merge=done, different=different, reason=reason.strip(), now=now, actor=actor
        )
        books.part_books(
            merchant=merchant,
            survivor=survivor.pk,
            absorbed=absorbed.pk,
            tiers=members.facts_of(done, "tier"),
            requests=members.facts_of(done, "request"),
            birthdays=(kept["before"], kept["after"]) if _birthday(survivor) != birthday else None,
            now=now,
            actor=actor,
        )
        recount(merchant=merchant, members=(survivor.pk, absorbed.pk), mark=f"p{done.pk}", now=now, actor=actor)
        touch(merchant=merchant, member_ids=[survivor.pk, absorbed.pk], now=now, brought=True)
    return Merged(done, len(orders))


def _birthday(member: Member) -> tuple[int | None, int | None, bool]:
    return member.birth_month, member.birth_day, member.birth_lunar


def _remember(merchant: Merchant, absorbed: int, orders: list[int], moved: books.Joined) -> None:
    for what, found in (("order", orders), ("tier", moved.tiers), ("request", moved.requests)):
        members.remember_facts(merchant=merchant, of={absorbed: found}, what=what)


def gather_strays(*, merchant: Merchant, now: datetime, actor: str) -> int:
    """Bring home what was told of a member in the moment that member was being merged; how many orders.

    An import that only meets known members takes no lock, and a till may have waited for a wallet with an older picture of
    who is who. The night run calls this; nothing is lost meanwhile, it only stands in the absorbed member's books.
    """
    gone = list(Member.objects.filter(merchant=merchant, state=MemberState.MERGED).values_list("id", flat=True))
    if not gone:
        return 0
    strays = set(Order.objects.filter(merchant=merchant, member_id__in=gone).values_list("member_id", flat=True))
    strays |= set(with_own_requests(merchant, gone))
    homes = survivors_of(merchant.pk, [member for member in strays if member is not None])
    moved = 0
    for member, home in sorted(homes.items()):
        with transaction.atomic():
            members.lock_pair(merchant, home, member)
            orders = move_orders(merchant=merchant, owner=member, to=home)
            joined = books.join_books(
                merchant=merchant, survivor=home, absorbed=member, birthdays_of=None, now=now, actor=actor
            )
            _remember(merchant, member, orders, joined)
            moved += len(orders)
    return moved
