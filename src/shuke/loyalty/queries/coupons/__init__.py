"""Reads about coupons."""

from shuke.loyalty.queries.coupons.guessing import wait_minutes
from shuke.loyalty.queries.coupons.invariants import CHECKS
from shuke.loyalty.queries.coupons.lists import (
    Overview,
    batch,
    batches,
    history,
    of_member,
    one,
    overview,
    report,
    shared_codes,
    versions,
)
from shuke.loyalty.queries.coupons.looking_up import (
    Found,
    count_of_member,
    figures_of,
    find_code,
    given_for,
    held_by_member,
    latest,
    latest_of,
    of_sources,
    sources_given,
    tally,
    terms_of,
)

__all__ = [
    "CHECKS",
    "Found",
    "Overview",
    "batch",
    "batches",
    "count_of_member",
    "figures_of",
    "find_code",
    "given_for",
    "held_by_member",
    "history",
    "latest",
    "latest_of",
    "of_member",
    "of_sources",
    "one",
    "overview",
    "report",
    "shared_codes",
    "sources_given",
    "tally",
    "terms_of",
    "versions",
    "wait_minutes",
]
