"""Reads of the loyalty books, one module per question."""

from shuke.loyalty.queries.budgets import Budgeted, budgets
from shuke.loyalty.queries.charters import NoCharter, history, in_force, versions
from shuke.loyalty.queries.liability import Liability, liability
from shuke.loyalty.queries.member import (
    Balance,
    GrowthLine,
    StatementLine,
    TierWhy,
    balance,
    balances,
    bearings,
    earned_by_event,
    explain,
    growth_lines,
    open_lots,
    spent_from,
    tier_counts,
    why_tier,
)
from shuke.loyalty.queries.sharing import FamilyPage, corrections, corrections_waiting, family
from shuke.loyalty.queries.verify import Finding, Report, last_verification, state_hash, verify

__all__ = [
    "Balance",
    "Budgeted",
    "FamilyPage",
    "Finding",
    "GrowthLine",
    "Liability",
    "NoCharter",
    "Report",
    "StatementLine",
    "TierWhy",
    "balance",
    "balances",
    "bearings",
    "budgets",
    "corrections",
    "corrections_waiting",
    "earned_by_event",
    "explain",
    "family",
    "growth_lines",
    "history",
    "in_force",
    "last_verification",
    "liability",
    "open_lots",
    "spent_from",
    "state_hash",
    "tier_counts",
    "verify",
    "versions",
    "why_tier",
]
