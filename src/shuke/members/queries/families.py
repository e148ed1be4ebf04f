"""Members that were merged: who lives on in whom. What was told of the one stays in their rows and is read together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from shuke.kit import bulk
from shuke.members.models import Member, Merge
from shuke.shops.models import Merchant


def absorbed_by(merchant: int, members: Iterable[int]) -> dict[int, int]:
    """Members who live on in one of these: absorbed id → survivor id. Merging never chains, so one step is all."""
    wanted = sorted(set(members))
    if not wanted:
        return {}
    condition, parameter = bulk.among("merged_into_id", wanted)
    return dict(
        bulk.select(
            "SELECT id, merged_into_id FROM members_member WHERE merchant_id = %s AND merged_into_id IS NOT NULL "
            f"AND {condition}",
            [merchant, parameter],
        )
    )


def survivors_of(merchant: int, members: Iterable[int]) -> dict[int, int]:
    """Those of these members who were merged away, with whom they live on in."""
    wanted = sorted(set(members))
    if not wanted:
        return {}
    condition, parameter = bulk.among("id", wanted)
    return dict(
        bulk.select(
            "SELECT id, merged_into_id FROM members_member WHERE +merchant_id = %s AND merged_into_id IS NOT NULL "
            f"AND {condition}",
            [merchant, parameter],
        )
    )


def living(merchant: int, member: int) -> int:
    """Whom this member lives on in; itself where it was not merged away."""
    return survivors_of(merchant, [member]).get(member, member)


def family(merchant: int, member: int) -> QuerySet[Member, Any]:
    """The member and those merged into it, to be asked for within another query (`member_id__in`)."""
    return Member.objects.filter(Q(pk=member) | Q(merged_into_id=member), merchant_id=merchant).values("pk")


def merges_of(merchant: Merchant, member_id: int) -> list[Merge]:
    """Merges this member has been part of, latest first; those taken back too."""
    rows = Merge.objects.filter(Q(survivor_id=member_id) | Q(absorbed_id=member_id), merchant=merchant)
    return list(rows.select_related("survivor", "absorbed").order_by("-merged_at", "-id"))


def standing_merge(merchant: Merchant, absorbed_id: int) -> Merge | None:
    """The merge by which this member lives on in another, if it does."""
    rows = Merge.objects.filter(merchant=merchant, absorbed_id=absorbed_id, undone_at=None)
    return rows.select_related("survivor", "absorbed").first()
