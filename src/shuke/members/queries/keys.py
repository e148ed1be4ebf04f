"""Which master keys are still needed."""

from __future__ import annotations

from django.db.models import Count

from shuke.members.models import DataKey


def wrapped_by() -> dict[int, int]:
    """Members' data keys by the number of the master key that wraps them."""
    rows = DataKey.objects.values("version").annotate(n=Count("member_id")).order_by("version")
    return {row["version"]: row["n"] for row in rows}
