"""The columns behind the profiles, written after a night. Reading them: insight/queries/profile_traits.py."""

from __future__ import annotations

from datetime import date, datetime

from shuke.insight.actions import columns
from shuke.insight.queries import profile_traits, profiles, word_of_mouth
from shuke.shops.models import Merchant


def profile_columns(*, merchant: Merchant, day: date, now: datetime) -> int:
    """Compute and keep what is known of every member as of the end of `day`, and the answers that rest on it and are asked for every
    day; how many members that is. What was bought is told by the files of the night that made the figures of `day`."""
    if not columns.complete(merchant):
        columns.refresh(merchant=merchant)
    known = profile_traits.compute(merchant, day)
    answers = profiles.usual(known)
    if (mouth := word_of_mouth.usual(merchant, known, now)) is not None:
        answers["mouth"] = mouth
    profile_traits.keep(merchant, known, answers)
    return int(known.members.size)
