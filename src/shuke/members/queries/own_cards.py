"""Which member a person of the shop is."""

from __future__ import annotations

from shuke.members.models import Member, OwnCard
from shuke.members.queries.families import living
from shuke.shops.models import Merchant


def own_member(merchant: Merchant, username: str) -> Member | None:
    """As who they live on, where records were merged."""
    own = OwnCard.objects.filter(merchant=merchant, staff__username=username).select_related("member").first()
    if own is None:
        return None
    who = living(merchant.pk, own.member_id)
    return own.member if who == own.member_id else Member.objects.get(merchant=merchant, pk=who)
