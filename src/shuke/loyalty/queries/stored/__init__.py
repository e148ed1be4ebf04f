"""Reads of stored value and gift cards."""

from shuke.loyalty.queries.stored.cards import (
    CardSeen,
    batch,
    batches,
    card_of,
    cards_of_batch,
    find_card,
    seen,
    void_among,
)
from shuke.loyalty.queries.stored.reports import Report, report
from shuke.loyalty.queries.stored.terms import is_on, is_shown, terms_of
from shuke.loyalty.queries.stored.views import (
    Balance,
    Line,
    balance,
    corrections,
    corrections_waiting,
    has_correction,
    open_lots,
    statement,
)

__all__ = [
    "Balance",
    "CardSeen",
    "Line",
    "Report",
    "balance",
    "batch",
    "batches",
    "card_of",
    "cards_of_batch",
    "corrections",
    "corrections_waiting",
    "find_card",
    "has_correction",
    "is_on",
    "is_shown",
    "open_lots",
    "report",
    "seen",
    "statement",
    "terms_of",
    "void_among",
]
