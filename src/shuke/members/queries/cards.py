"""Which cards a member has, and what is known of a number somebody holds up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shuke.members import values
from shuke.members.models import Card, Member
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


class Held(NamedTuple):
    """What a number says when it is scanned."""

    number: str
    member: Member | None  # None: no card of ours
    state: str  # in_use | lost | replaced | merged | wrong_digit | unknown
    replaced_by: str = ""


def card_said(merchant: Merchant, text: str) -> Held:
    """What the card with this number is. A wrong check digit is told from a number that was never given out."""
    number = text.replace(" ", "").replace("-", "")
    row = Card.objects.filter(merchant=merchant, number=number).select_related("member__merged_into").first()
    member = row.member if row else None
    if member is None:
        member = Member.objects.filter(merchant=merchant, card=number).select_related("merged_into").first()
    if member is None:
        return Held(number, None, "unknown" if values.is_card(number) else "wrong_digit")
    heir = member.merged_into or member
    if row is not None:
        return Held(number, heir, row.state, row.replaced_by)
    return Held(number, heir, "merged" if heir is not member else "in_use")


def cards_of(merchant: Merchant, member_id: int) -> list[Card]:
    """Lost and replaced cards of a member and of the records merged into it, latest first."""
    rows = Card.objects.filter(merchant=merchant, member_id__in=family(merchant.id, member_id))
    return list(rows.order_by("-at", "-id"))


def card_numbers(merchant: Merchant, members: Iterable[int]) -> dict[int, str]:
    """The card each of these members is known by."""
    return dict(Member.objects.filter(merchant=merchant, pk__in=set(members)).values_list("id", "card"))
