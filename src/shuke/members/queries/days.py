"""The special days of members' lives."""

from __future__ import annotations

from shuke.members.models import SpecialDay
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


def special_days(merchant: Merchant, member_id: int) -> list[SpecialDay]:
    """A member's special days in the order of the year."""
    rows = SpecialDay.objects.filter(merchant=merchant, member_id__in=family(merchant.id, member_id))
    return list(rows.order_by("month", "day", "id"))
