"""All writes of stored value and gift cards. docs/algorithms/stored-value.md."""

from shuke.loyalty.actions.stored.asking import Answer, Ask, KeyReused, done, why_refused
from shuke.loyalty.actions.stored.cards import (
    begin_cards,
    card_codes,
    make_cards,
    redeem_card,
    renew_card,
    sell_cards,
    void_card,
)
from shuke.loyalty.actions.stored.clock import run_stored_clock
from shuke.loyalty.actions.stored.corrections import correct, decide_correction, why_waits
from shuke.loyalty.actions.stored.refusals import REFUSALS, StoredRefused, say
from shuke.loyalty.actions.stored.requests import ask

__all__ = [
    "REFUSALS",
    "Answer",
    "Ask",
    "KeyReused",
    "StoredRefused",
    "ask",
    "begin_cards",
    "card_codes",
    "correct",
    "decide_correction",
    "done",
    "make_cards",
    "redeem_card",
    "renew_card",
    "run_stored_clock",
    "say",
    "sell_cards",
    "void_card",
    "why_refused",
    "why_waits",
]
