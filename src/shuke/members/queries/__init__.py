"""All reads of members. Doors fetch through `member_for`, which couples the member with the right to see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from shuke.kit import instances, numbers
from shuke.members.models import AttributeKind, Card, Identity, Member, MemberState, TimelineLine
from shuke.members.queries.cards import card_said, cards_of
from shuke.members.queries.days import special_days
from shuke.members.queries.families import family, merges_of, standing_merge, survivors_of
from shuke.members.queries.finding import Hit, find
from shuke.members.queries.reaching import Reachable, contacts_of, current_consents, numbers_of, open_contacts
from shuke.members.queries.suspecting import Pair, pair_of, suspicions, suspicions_of
from shuke.shops.models import Merchant, Staff

__all__ = [
    "Hit",
    "NoSuchMember",
    "Pair",
    "Reachable",
    "attribute_kinds",
    "card_said",
    "cards_of",
    "contacts_of",
    "current_consents",
    "family",
    "find",
    "identities_of",
    "living",
    "member_for",
    "member_of",
    "merges_of",
    "numbers_of",
    "open_contacts",
    "pair_of",
    "special_days",
    "standing_merge",
    "survivors_of",
    "suspicions",
    "suspicions_of",
    "timeline",
]


class NoSuchMember(LookupError):
    """There is no such member for the person who asks; `asked` is what they gave."""

    def __init__(self, asked: object) -> None:
        self.asked = text if len(text := str(asked)) <= 40 else text[:40] + "…"
        super().__init__(
            f"No member with card or id {self.asked}. Search by phone digits or name, or check the card number."
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
    """`member_for` for callers that have no signed-in person: the command line, the worker. `asked_as` of the answer is the
    record that was named."""
    text = str(card_or_id).replace(" ", "").replace("-", "")
    if "\0" in text:
        raise NoSuchMember(card_or_id)  # PostgreSQL would not even look
    found = instances.read(
        Member,
        "WHERE merchant_id = %s AND (card = %s OR id = %s) AND state <> %s ORDER BY id LIMIT 1",
        [merchant_id, text, numbers.whole(text), MemberState.UNDONE.value],
    )
    member = found[0] if found else None
    if member is None and len(text) <= 20:  # a card that was replaced still says who it was
        replaced = Card.objects.filter(merchant_id=merchant_id, number=text).select_related("member").first()
        member = replaced.member if replaced is not None else None
    named = member
    while member is not None and member.state == MemberState.MERGED and member.merged_into_id:
        member = Member.objects.filter(merchant_id=merchant_id, id=member.merged_into_id).first()
    if member is None:
        raise NoSuchMember(card_or_id)
    member._asked_as = named.pk if named is not None else None
    return member


def identities_of(merchant: Merchant, member_id: int) -> list[Identity]:
    """Who this member is elsewhere, strongest kinds first; former nicknames and merged records among them."""
    own = family(merchant.id, member_id)
    rows = Identity.objects.filter(merchant=merchant, member_id__in=own).exclude(kind="name_address")
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
    """A member's lines, latest first, with those of members merged into it. `before` is (at, id) of the last line of
    the page above."""
    rows = TimelineLine.objects.filter(merchant=merchant, member_id__in=family(merchant.id, member_id))
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    if before is not None:
        at, id = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, id__lt=id))
    return list(rows.order_by("-at", "-id")[:limit])


def attribute_kinds(merchant: Merchant) -> list[AttributeKind]:
    """The shop's custom attributes, by key."""
    return list(AttributeKind.objects.filter(merchant=merchant).order_by("key"))
