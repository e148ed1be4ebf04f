"""Reads of the loyalty books, one module per question."""

from shuke.loyalty.queries.chain import unsealed
from shuke.loyalty.queries.charters import NoCharter, history, in_force, versions
from shuke.loyalty.queries.liability import Liability, liability
from shuke.loyalty.queries.member import (
    Balance,
    StatementLine,
    TierWhy,
    balance,
    balances,
    earned_by_event,
    explain,
    open_lots,
    spent_from,
    tier_counts,
    why_tier,
)
from shuke.loyalty.queries.verify import Finding, Report, state_hash, verify

__all__ = [
    "Balance",
    "Finding",
    "Liability",
    "NoCharter",
    "Report",
    "StatementLine",
    "TierWhy",
    "balance",
    "balances",
    "earned_by_event",
    "explain",
    "history",
    "in_force",
    "liability",
    "open_lots",
    "spent_from",
    "state_hash",
    "tier_counts",
    "unsealed",
    "verify",
    "versions",
    "why_tier",
]
