"""All writes of the loyalty books."""

from shuke.loyalty.actions.asking import NotAsked, why_refused
from shuke.loyalty.actions.charters import CharterRefused, publish_charter, withdraw_charter
from shuke.loyalty.actions.clock import run_clock
from shuke.loyalty.actions.corrections import CorrectionRefused, correct, decide_correction, why_waits
from shuke.loyalty.actions.families import FamilyRefused, found_family, join_family, leave_family
from shuke.loyalty.actions.requests import Answer, Ask, KeyReused, ask, give_tier, open_balances
from shuke.loyalty.actions.sealing import seal, seal_stored
from shuke.loyalty.actions.settling import Settled, settle, settle_paid
from shuke.loyalty.actions.transfers import Transfer, spend_from_family, transfer
from shuke.loyalty.actions.undoing import may_take_back, take_back_activity
from shuke.loyalty.actions.verifying import Verified, verify_books

__all__ = [
    "Answer",
    "Ask",
    "CharterRefused",
    "CorrectionRefused",
    "FamilyRefused",
    "KeyReused",
    "NotAsked",
    "Settled",
    "Transfer",
    "Verified",
    "ask",
    "correct",
    "decide_correction",
    "found_family",
    "give_tier",
    "join_family",
    "leave_family",
    "may_take_back",
    "open_balances",
    "publish_charter",
    "run_clock",
    "seal",
    "seal_stored",
    "settle",
    "settle_paid",
    "spend_from_family",
    "take_back_activity",
    "transfer",
    "verify_books",
    "why_refused",
    "why_waits",
    "withdraw_charter",
]
