"""Who shares points with whom, and corrections by hand."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shuke.loyalty.models import Correction, Relative
from shuke.loyalty.queries.member import balances
from shuke.shops.models import Merchant


class FamilyMember(NamedTuple):
    member_id: int
    card: str
    name: str
    points: int  # available now


class FamilyPage(NamedTuple):
    """A family with what each has; `points` is what one of them could spend now with the others' help."""

    pk: int
    name: str
    members: list[FamilyMember]
    points: int


def family(merchant: Merchant, member_id: int, now: datetime) -> FamilyPage | None:
    mine = Relative.objects.filter(merchant=merchant, member_id=member_id).select_related("family").first()
    if mine is None:
        return None
    rows = Relative.objects.filter(merchant=merchant, family_id=mine.family_id).select_related("member")
    rows = rows.order_by("joined_at", "id")
    held = balances(merchant, [row.member_id for row in rows], now)
    people = [
        FamilyMember(
            row.member_id, row.member.card, row.member.name or row.member.nickname, held[row.member_id].available
        )
        for row in rows
    ]
    return FamilyPage(mine.family_id, mine.family.name, people, sum(one.points for one in people))


def corrections(merchant: Merchant, limit: int = 100) -> list[Correction]:
    """Those that wait for a second person first, then the latest that did."""
    rows = Correction.objects.filter(merchant=merchant).select_related("member")
    waiting = list(rows.filter(state="waiting").order_by("asked_at"))
    return waiting + list(rows.exclude(decided_by="").order_by("-decided_at")[:limit])


def corrections_waiting(merchant: Merchant) -> int:
    return Correction.objects.filter(merchant=merchant, state="waiting").count()
