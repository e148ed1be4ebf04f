"""All reads of members. Doors fetch through `member_for`, which couples the member with the right to see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from shuke.members.models import AttributeKind, Identity, Member, MemberState, Suspicion, TimelineLine
from shuke.members.queries.finding import Hit, find
from shuke.members.queries.reaching import Reachable, contacts_of, current_consents, numbers_of, open_contacts
from shuke.shops.models import Merchant, Staff

__all__ = [
    "Hit",
    "NoSuchMember",
    "Reachable",
    "attribute_kinds",
    "contacts_of",
    "current_consents",
    "find",
    "identities_of",
    "living",
    "member_for",
    "member_of",
    "numbers_of",
    "open_contacts",
    "suspicions",
    "suspicions_of",
    "timeline",
]


class NoSuchMember(LookupError):
    """There is no such member for the person who asks; `asked` is what they gave."""

    def __init__(self, asked: object) -> None:
        self.asked = asked
        super().__init__(
            f"No member with card or id {asked}. Search by phone digits or name, or check the card number."
        )


def living(merchant: Merchant) -> QuerySet[Member]:
    """The members that count: neither undone, merged away nor forgotten."""
    return Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE)


def member_for(staff: Staff, card_or_id: str | int) -> Member:
    """The member with this card or id, if `staff` may see them: same merchant. Raises NoSuchMember.

    Somebody merged away is answered with the member they live on in.
    """
    return member_of(staff.merchant_id, card_or_id)


def member_of(merchant_id: int, card_or_id: str | int) -> Member:
    """`member_for` for callers that have no signed-in person: the command line, the worker."""
    text = str(card_or_id).replace(" ", "").replace("-", "")
    wanted = Q(card=text)
    if text.isascii() and text.isdigit() and int(text) < 1 << 63:
        wanted |= Q(id=int(text))
    member = Member.objects.filter(wanted, merchant_id=merchant_id).exclude(state=MemberState.UNDONE).first()
    while member is not None and member.state == MemberState.MERGED and member.merged_into_id:
        member = Member.objects.filter(merchant_id=merchant_id, id=member.merged_into_id).first()
    if member is None:
        raise NoSuchMember(card_or_id)
    return member


def identities_of(merchant: Merchant, member_id: int) -> list[Identity]:
    """Who this member is elsewhere, strongest kinds first; former nicknames among them."""
    rows = Identity.objects.filter(merchant=merchant, member_id=member_id).exclude(kind="name_address")
    order = ("card", "platform_id", "phone", "email", "nickname")
    return sorted(rows, key=lambda row: (order.index(row.kind), row.realm, row.first_seen_at, row.id))


def timeline(
    merchant: Merchant,
    member_id: int,
    *,
    kinds: Sequence[str] | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[TimelineLine]:
    """A member's lines, latest first. `before` is (at, id) of the last line of the page above."""
    rows = TimelineLine.objects.filter(merchant=merchant, member_id=member_id)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    if before is not None:
        at, id = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, id__lt=id))
    return list(rows.order_by("-at", "-id")[:limit])


def suspicions(merchant: Merchant, limit: int = 100) -> list[Suspicion]:
    """Pairs that a person should look at, oldest first."""
    active = {"member__state": MemberState.ACTIVE, "other__state": MemberState.ACTIVE}
    rows = Suspicion.objects.filter(merchant=merchant, state="open", **active).select_related("member", "other")
    return list(rows.order_by("noted_at", "id")[:limit])


def suspicions_of(merchant: Merchant, member_id: int) -> list[Suspicion]:
    """Who else this member may be."""
    rows = Suspicion.objects.filter(Q(member_id=member_id) | Q(other_id=member_id), merchant=merchant, state="open")
    return list(rows.select_related("member", "other").order_by("noted_at", "id"))


def attribute_kinds(merchant: Merchant) -> list[AttributeKind]:
    """The shop's custom attributes, by key."""
    return list(AttributeKind.objects.filter(merchant=merchant).order_by("key"))
