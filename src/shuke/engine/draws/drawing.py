"""One ticket's outcome as a function of the seed, the terms and the ticket: HMAC-SHA-256, rejection sampling, exact odds."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from shuke.engine.draws.terms import FORMAT, DrawTerms

SEED_BYTES = 32
RANGE = 1 << 256


class Outcome(NamedTuple):
    """`drew` is what the odds gave, `won` what is left of it after the stock; "" = nothing."""

    drew: str
    won: str


def commitment(terms: bytes, seed: bytes) -> str:
    """What is published before the first ticket: it binds the seed and every word of the (canonical) terms."""
    return hashlib.sha256(FORMAT.encode() + b"\n" + terms + b"\n" + seed).hexdigest()


def drawn(terms: DrawTerms, committed: str, seed: bytes, ticket: str) -> str:
    """The prize the odds give a ticket, named "<number>:<word>"; "" = none.

    A number below 2^256 is used only if it lies below the largest multiple of the odds' common denominator; else the next
    one of this ticket is taken. So every share of the odds is met exactly, not nearly.
    """
    usable = RANGE - RANGE % terms.width
    attempt = 0
    while True:
        message = f"{FORMAT}\n{committed}\n{ticket}\n{attempt}".encode()
        number = int.from_bytes(hmac.digest(seed, message, "sha256"), "big")
        if number < usable:
            break
        attempt += 1
    place = number % terms.width
    for prize in terms.prizes:
        share = prize.odds.numerator * (terms.width // prize.odds.denominator)
        if place < share:
            return prize.key
        place -= share
    return ""


def settle(terms: DrawTerms, drew: str, given: Mapping[str, int]) -> str:
    """What is given for what was drawn, when so many of each prize (`given`) were given to earlier tickets."""
    key = drew
    while key:
        prize = terms.prize(key)
        assert prize is not None  # read_terms
        if prize.stock is None or given.get(key, 0) < prize.stock:
            return key
        key = prize.when_gone
    return ""


def first_link(committed: str) -> str:
    return hashlib.sha256(f"{FORMAT}\n{committed}".encode()).hexdigest()


def link(before: str, number: int, word: str, who: str, at: str, way: str, outcome: Outcome) -> str:
    """The chain over all tickets: nothing before a receipt can be changed without changing what stands on it."""
    told = f"{before}\n{number}:{word}\n{who}\n{at}\n{way}\n{outcome.drew}\n{outcome.won}"
    return hashlib.sha256(told.encode()).hexdigest()


def moment_text(at: datetime) -> str:
    """How a published file writes an instant: UTC, whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
