"""What was booked on members by the rooms that spend on them, and by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from shuke.kit import bulk
from shuke.members.models import MemberCost
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


class Booked(NamedTuple):
    """All of one kind on one member, up to a moment."""

    member_id: int
    kind: str
    minor: int
    recent_minor: int  # of these, from `since` on


def booked(merchant: Merchant, *, since: datetime, until: datetime) -> Iterator[Booked]:
    """Sums by living member and kind of what was caused before `until`; what was booked on somebody merged away counts for the survivor."""
    moment = bulk.moment()
    rows = bulk.select(
        "SELECT COALESCE(m.merged_into_id, m.id), c.kind, CAST(SUM(c.amount_minor) AS BIGINT), "
        "CAST(SUM(CASE WHEN c.at >= %s THEN c.amount_minor ELSE 0 END) AS BIGINT) "
        "FROM members_cost c JOIN members_member m ON m.id = c.member_id "
        "WHERE c.merchant_id = %s AND c.at < %s GROUP BY COALESCE(m.merged_into_id, m.id), c.kind",
        [moment(since), merchant.pk, moment(until)],
    )
    return (Booked(row[0], row[1], int(row[2]), int(row[3])) for row in rows)


def costs_of(merchant: Merchant, member_id: int, limit: int = 50) -> list[MemberCost]:
    """What was booked on one member, latest first."""
    rows = MemberCost.objects.filter(merchant=merchant, member__in=family(merchant.pk, member_id))
    return list(rows.order_by("-at", "-id")[:limit])
