"""The columns behind the profiles, written after a night. Reading them: insight/queries/profile_traits.py."""

from __future__ import annotations

from datetime import date

from shuke.insight.actions import columns
from shuke.insight.queries import profile_traits
from shuke.shops.models import Merchant


def profile_columns(*, merchant: Merchant, day: date) -> int:
    """Compute and keep what is known of every member as of the end of `day`; how many members that is."""
    columns.refresh(merchant=merchant)
    known = profile_traits.compute(merchant, day)
    profile_traits.keep(merchant, known)
    return int(known.members.size)
