"""Which member a person of the shop is."""

from __future__ import annotations

from shuke.members.models import Member, OwnCard
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant


def own_member(merchant: Merchant, username: str) -> Member | None:
    """As who they live on, where records were merged."""
    own = OwnCard.objects.filter(merchant=merchant, staff__username=username).select_related("member").first()
    if own is None:
        return None
    heir = survivors_of(merchant.pk, [own.member_id]).get(own.member_id)
    return own.member if heir is None else Member.objects.get(merchant=merchant, pk=heir)
