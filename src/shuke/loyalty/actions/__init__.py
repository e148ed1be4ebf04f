"""All writes of the loyalty books."""

from shuke.loyalty.actions.charters import CharterRefused, publish_charter, withdraw_charter
from shuke.loyalty.actions.clock import run_clock
from shuke.loyalty.actions.requests import Answer, Ask, KeyReused, ask, give_tier, open_balances
from shuke.loyalty.actions.sealing import seal
from shuke.loyalty.actions.settling import Settled, settle

__all__ = [
    "Answer",
    "Ask",
    "CharterRefused",
    "KeyReused",
    "Settled",
    "ask",
    "give_tier",
    "open_balances",
    "publish_charter",
    "run_clock",
    "seal",
    "settle",
    "withdraw_charter",
]
