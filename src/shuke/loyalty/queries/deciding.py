"""What waits for a person to decide, counted at once."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet, Value

from shuke.loyalty.models import Correction, Referral, StoredCorrection
from shuke.shops.models import Merchant


def waiting(merchant: Merchant) -> dict[str, int]:
    """How many changes of points, corrections of stored value and held friends; what waits for nobody is left out."""

    def counted(rows: QuerySet[Any], what: str) -> QuerySet[Any]:
        named = rows.filter(merchant=merchant).annotate(what=Value(what)).values("what")
        return named.annotate(n=Count("pk")).values_list("what", "n").order_by()

    points = counted(Correction.objects.filter(state="waiting"), "points")
    stored = counted(StoredCorrection.objects.filter(state="waiting"), "stored")
    friends = counted(Referral.objects.filter(state=Referral.State.HELD, decision=""), "friends")
    return dict(points.union(stored, friends, all=True))
