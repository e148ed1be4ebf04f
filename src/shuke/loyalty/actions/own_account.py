"""Nobody gives or takes by hand in their own account, or in that of somebody they share points with."""

from __future__ import annotations

from shuke.loyalty.models import Relative
from shuke.members.queries.families import living
from shuke.members.queries.own_cards import own_member
from shuke.shops import queries as shops
from shuke.shops.models import Merchant


def is_own(merchant: Merchant, actor: str, member_id: int) -> bool:
    """Is this member the person who acts (also through a token they answer for), or of their family?"""
    mine = own_member(merchant, shops.person_behind(merchant, actor))
    if mine is None:
        return False
    theirs = living(merchant.pk, member_id)
    if theirs == mine.pk:
        return True
    family = Relative.objects.filter(merchant=merchant, member_id=mine.pk).values("family_id")
    return Relative.objects.filter(merchant=merchant, member_id=theirs, family_id__in=family).exists()
